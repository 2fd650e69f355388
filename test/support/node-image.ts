/** An image with Node in it and nothing else, for servers of tests that run in pods. */
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { root } from './cluster.ts'
import { run } from './host.ts'

/** Builds it into the cluster, or into the node of another host, under the tag; it runs the script, a TypeScript file that imports nothing but Node's own modules. */
export async function buildNodeImage(cluster: { readonly name: string; readonly dataDir: string }, tag: string, script: string): Promise<void> {
  const context = mkdtempSync(join(tmpdir(), 'skiff-node-image-'))
  try {
    const libraries = execFileSync('ldd', [process.execPath], { encoding: 'utf8' }).split('\n').map((line) => /(\/\S+) \(0x/.exec(line)?.[1]).filter((path) => path !== undefined)
    for (const file of [process.execPath, ...libraries]) {
      const place = join(context, 'root', file === process.execPath ? '/usr/bin/node' : file)
      mkdirSync(dirname(place), { recursive: true })
      copyFileSync(file, place)
    }
    copyFileSync(script, join(context, 'root', basename(script)))
    writeFileSync(join(context, 'Dockerfile'), `FROM busybox\nCOPY root/ /\nUSER 1000\nENTRYPOINT ["/usr/bin/node", "/${basename(script)}"]\n`)
    const finished = await run(join(root, 'skiff'), ['image', 'build', '--name', cluster.name, '--data-dir', cluster.dataDir, '-t', tag, context], { timeoutMs: 300_000 })
    if (finished.code !== 0) throw new Error(`skiff image build: ${finished.stdout}${finished.stderr}`)
  } finally {
    rmSync(context, { recursive: true, force: true })
  }
}
