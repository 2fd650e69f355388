/**
 * The test kit's starts, each in seven fresh processes: `startTestServer` after the import of `skiff/test`, the first time in a process and the
 * next, and `skiff apiserver --memory` from exec to the kubeconfig it prints. The best and the median.
 */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

const times = 7
const root = join(import.meta.dirname, '../..')
const skiff = join(root, 'skiff')
const module = join(root, 'src/cluster/testing.ts')
/** What a fresh process does: prints milliseconds, the first start's and the next one's. */
const program = `
const { startTestServer } = await import(${JSON.stringify(module)})
for (let i = 0; i < 2; i++) {
  const begun = performance.now()
  const server = await startTestServer()
  console.log(performance.now() - begun)
  await server.stop()
}`

async function launched(): Promise<number> {
  const begun = performance.now()
  const server = spawn(skiff, ['apiserver', '--memory'], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(server.stdout, 'data')
  const took = performance.now() - begun
  server.kill('SIGTERM')
  await once(server, 'exit')
  return took
}

function show(what: string, measured: readonly number[], target: number): void {
  const sorted = measured.toSorted((a, b) => a - b)
  const [best, median] = [sorted[0] ?? NaN, sorted[Math.floor(sorted.length / 2)] ?? NaN]
  console.log(`${what.padEnd(40)} best ${best.toFixed(0).padStart(4)} ms, median ${median.toFixed(0).padStart(4)} ms (target ${target} ms${median > target ? ', MISSED' : ''})`)
}

const inProcess = Array.from({ length: times }, () => execFileSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }).trim().split('\n').map(Number))
show('skiff/test, the first in a process', inProcess.map(([first = NaN]) => first), 100)
show('skiff/test, the next', inProcess.map(([, next = NaN]) => next), 100)
execFileSync(skiff, ['version']) // builds the bundle when a source is newer
const alone: number[] = []
for (let i = 0; i < times; i++) alone.push(await launched())
show('skiff apiserver --memory', alone, 400)
