/** Everything at once: 10,000 objects are listed, watched and patched, and nothing may hold up the event loop. */
import { calls, fetchText, load, revisionOf, scriptOf, watcher } from './_api-load.ts'
import { benchNamespace, collection, pods } from './_api-objects.ts'
import type { Usage } from './_api-server.ts'
import type { Side } from './_api-sides.ts'

const objects = 10_000
const lists = 4
const watchers = 20
/** Milliseconds. */
const target = 10

/** Prints the delay of the server's event loop while it all goes on for `seconds`. `folder` is for the scripts of the load. */
export async function measureTogether(side: Side, folder: string, seconds: number): Promise<void> {
  await side.ask({ do: 'fill', kind: 'pods', from: pods, to: objects })
  const until = performance.now() + seconds * 1000
  let listed = 0
  const list = async (path: string) => {
    while (performance.now() < until) {
      await fetchText(side, path)
      listed++
    }
  }
  await side.ask({ do: 'usage' })
  const from = await revisionOf(side)
  // Half of the watchers begin with all objects, half with the next change.
  const open = Array.from({ length: watchers }, (_, i) => watcher(side, `${collection}?watch=1${i % 2 ? `&resourceVersion=${from}` : ''}`, Infinity))
  const patches = load(side, collection, seconds, scriptOf(calls.find(({ name }) => name === 'merge patch')!, folder))
  const paths = [collection, `/api/v1/pods`, `${collection}?limit=500`, `/api/v1/namespaces/${benchNamespace}/pods?labelSelector=app%3Dweb`]
  const [{ perSecond }, sockets] = await Promise.all([patches, Promise.all(open), ...paths.slice(0, lists).map(list)])
  const { delayP99, delayMax } = await side.ask<Usage>({ do: 'usage' })
  for (const { socket } of sockets) socket.destroy()
  console.log(`${objects.toLocaleString('en')} pods listed ${(listed / seconds).toFixed(1)}/s, patched ${perSecond.toFixed(0)}/s and watched by ${watchers} at once: `
    + `loop p99 ${delayP99.toFixed(1)} ms (target ${target}${delayP99 > target ? ', MISSED' : ''}), at most ${delayMax.toFixed(0)} ms`)
}
