/**
 * Everything at once: 10,000 objects are listed, watched and patched, and nothing may hold up the event loop. Whoever makes the load stands
 * back for the server, as clients on other machines do: else the delay is the time that the server waits for a processor.
 */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { calls, load, revisionOf, scriptOf, type Place } from './_api-load.ts'
import { collection, pods } from './_api-objects.ts'
import type { Usage } from './_api-server.ts'
import type { Side } from './_api-sides.ts'

const run = promisify(execFile)
const objects = 10_000
const watchers = 20
const listed = [collection, '/api/v1/pods', `${collection}?limit=500`, `${collection}?labelSelector=app%3Dweb`]
/** Milliseconds. */
const target = 10
/** What a process that makes load gives way by. */
const niceness = 10

/** Reads what is at a path, for `seconds` at most, and throws it away; the bytes that came. */
async function swallow({ url, token }: Place, path: string, seconds: number, options: readonly string[] = []): Promise<number> {
  const curl = ['curl', '-sk', '-A', 'skiff-bench', '-o', '/dev/null', '-w', '%{http_code} %{size_download}', '-m', String(seconds), ...options, '-H', `Authorization: Bearer ${token}`, url + path]
  // A watch does not end before its time is over, which curl takes for a failure.
  const { stdout } = await run('nice', ['-n', String(niceness), ...curl]).catch((error: Error & { code?: unknown; stdout: string }) => {
    if (error.code !== 28) throw error
    return error
  })
  const [code, bytes] = stdout.split(' ')
  if (code !== '200') throw new Error(`${path}: ${stdout}`)
  return Number(bytes)
}

/** Prints the delay of the server's event loop while it all goes on for `seconds`. `folder` is for the scripts of the load. */
export async function measureTogether(side: Side, folder: string, seconds: number): Promise<void> {
  await side.ask({ do: 'fill', kind: 'pods', from: pods, to: objects })
  const until = performance.now() + seconds * 1000
  let lists = 0
  const list = async (path: string) => {
    while (performance.now() < until) {
      await swallow(side, path, 60)
      lists++
    }
  }
  const from = await revisionOf(side)
  await side.ask({ do: 'usage' })
  // Half of the watchers begin with all objects, half with the next change.
  const watched = Array.from({ length: watchers }, (_, i) => swallow(side, `${collection}?watch=1${i % 2 ? `&resourceVersion=${from}` : ''}`, seconds, ['--http1.1']))
  const patches = load(side, collection, seconds, scriptOf(calls.find(({ name }) => name === 'merge patch')!, folder), niceness)
  const [{ perSecond }, bytes] = await Promise.all([patches, Promise.all(watched), ...listed.map(list)])
  const { delayP99, delayMax } = await side.ask<Usage>({ do: 'usage' })
  console.log(`${objects.toLocaleString('en')} pods listed ${(lists / seconds).toFixed(1)}/s, patched ${perSecond.toFixed(0)}/s and watched by ${watchers} at once `
    + `(${(bytes.reduce((sum, n) => sum + n, 0) / 1e6).toFixed(0)} MB to watchers): `
    + `loop p99 ${delayP99.toFixed(1)} ms (target ${target}${delayP99 > target ? ', MISSED' : ''}), at most ${delayMax.toFixed(0)} ms`)
}

/** Every way to ask for 10,000 objects in one answer. */
const forms: readonly (readonly [name: string, path: string, options: readonly string[]])[] = [
  ['JSON', collection, []],
  ['JSON, gzip', collection, ['-H', 'Accept-Encoding: gzip']],
  ['protobuf', collection, ['-H', 'Accept: application/vnd.kubernetes.protobuf']],
  ['YAML', collection, ['-H', 'Accept: application/yaml']],
  ['Table', collection, ['-H', 'Accept: application/json;as=Table;v=v1;g=meta.k8s.io']],
  ['metadata', collection, ['-H', 'Accept: application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io']],
  ['of an earlier moment', `${collection}?resourceVersionMatch=Exact&resourceVersion=`, []],
  ['none of them selected', `${collection}?labelSelector=app%3Dnothing`, []],
  ['watch with initial events', `${collection}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&timeoutSeconds=1`, []],
]

/** Prints the delay of the event loop while four clients at a time ask for all pods in one form, for each form. */
export async function measureForms(side: Side, seconds: number): Promise<void> {
  console.log(`${'10,000 pods as'.padEnd(28)} ${'lists/s'.padStart(8)} ${'loop p99'.padStart(9)} ${'at most'.padStart(9)}`)
  for (const [name, path, options] of forms) {
    const from = path.endsWith('resourceVersion=') ? await revisionOf(side) : ''
    // After it has changed, the state of that moment is in the store only.
    if (from) await side.ask({ do: 'events', count: 1 })
    await side.ask({ do: 'usage' })
    const until = performance.now() + seconds * 1000
    let lists = 0
    await Promise.all(Array.from({ length: 4 }, async () => {
      while (performance.now() < until) {
        await swallow(side, path + from, 60, options)
        lists++
      }
    }))
    const { delayP99, delayMax } = await side.ask<Usage>({ do: 'usage' })
    console.log(`${name.padEnd(28)} ${(lists / seconds).toFixed(1).padStart(8)} ${`${delayP99.toFixed(1)}ms`.padStart(9)} ${`${delayMax.toFixed(0)}ms`.padStart(9)}`)
  }
}
