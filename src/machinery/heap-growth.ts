/**
 * How much memory is given to V8's garbage, which is what it saves on collecting it. The launcher gives little, which keeps a cluster small; a storm of
 * requests fills that little in no time, and then it is more, as long as the storm lasts:
 *
 * - the old generation may grow by more before all of it is collected again (`--heap-growing-percent`);
 * - the young one, where what is over before the next collection costs nothing, may grow from 4 MB to `--max-semi-space-size`. V8 would let it grow
 *   with the first objects that stay, at the start, and never asks again while it is that large; it takes the room back by itself when there is little to do.
 */
import { constants, PerformanceObserver, type NodeGCPerformanceDetail, type PerformanceEntry } from 'node:perf_hooks'
import { getHeapStatistics, setFlagsFromString } from 'node:v8'

/** What the launcher says, and the most that there is in a storm, in percent of what is in use. */
const growth = { least: 40, most: 100 }
/** Room that a storm gets at most for being more than the least, in bytes: a large heap has enough of its own. */
const room = 96 * 2 ** 20
/** A heap with less in use, in bytes, is collected fast enough as it is. */
const small = 48 * 2 ** 20
/** Full collections that come closer than that are a storm's, in milliseconds. */
const close = 2000

/** How much a heap may grow, in percent: `used` bytes are in use, and the full collection before this one was `since` milliseconds ago. */
export function growthOf(used: number, since: number): number {
  if (used < small || since >= close) return growth.least
  return Math.max(growth.least, Math.min(growth.most, Math.floor((100 * room) / used)))
}

/** So many collections of the young generation, within so many milliseconds, are a storm's. */
const rush = { collections: 16, within: 500 }

/** How often V8 may multiply the young generation by two: never, or whenever much of it stays. Below two it is not taken from the command line. */
const setYoungGrowth = (factor: 1 | 2): void => setFlagsFromString(`--semi-space-growth-factor=${factor}`)

/** Keeps the young generation as small as it is until there is a storm. To be called before much has been made, by processes that call `growWithLoad` later. */
export const keepYoungSmall = (): void => setYoungGrowth(1)

/** Whether the young generation may grow, from when it was collected: to be asked at each collection, with its time in milliseconds. */
export function createRushes(): (at: number) => boolean {
  const times: number[] = []
  return (at) => {
    times.push(at)
    if (times.length > rush.collections) times.shift()
    return times.length === rush.collections && at - times[0]! <= rush.within
  }
}

/** V8 says of a collection which kind it was. */
const kindOf = (entry: PerformanceEntry): number | undefined => (entry as PerformanceEntry & { readonly detail: NodeGCPerformanceDetail }).detail.kind

/** From now on the process's heap grows with its load. */
export function growWithLoad(): void {
  const isRush = createRushes()
  let rushing = false
  keepYoungSmall()
  let last = -Infinity
  let allowed = growth.least
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const kind = kindOf(entry)
      if (kind === constants.NODE_PERFORMANCE_GC_MINOR && isRush(entry.startTime) !== rushing) {
        rushing = !rushing
        setYoungGrowth(rushing ? 2 : 1)
      }
      if (kind !== constants.NODE_PERFORMANCE_GC_MAJOR) continue
      const wanted = growthOf(getHeapStatistics().used_heap_size, entry.startTime - last)
      last = entry.startTime
      if (wanted === allowed) continue
      allowed = wanted
      setFlagsFromString(`--heap-growing-percent=${allowed}`)
    }
  })
  observer.observe({ entryTypes: ['gc'] })
}
