/**
 * How much room V8's heap has for garbage, which is what it saves on collecting it. The launcher gives it little, to keep a cluster small. A storm of
 * requests fills that in no time, so while one lasts there is more:
 *
 * - the old generation may grow further before it is collected again (`--heap-growing-percent`);
 * - the young generation, where garbage costs nothing, may grow from 4 MB to `--max-semi-space-size`. By itself V8 would enlarge it during startup
 *   and keep it large; it does shrink it when little is allocated.
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

/** A storm: so many collections of the young generation within so many milliseconds. The start of fifty pods is none. */
const rush = { collections: 80, within: 2000 }

/** The factor by which V8 enlarges the young generation when much of it survives. On the command line V8 accepts no less than two. */
const setYoungGrowth = (factor: 1 | 2): void => setFlagsFromString(`--semi-space-growth-factor=${factor}`)

/** Keeps the young generation at its present size until there is a storm. For processes that call `growWithLoad` later; call it early. */
export const keepYoungSmall = (): void => setYoungGrowth(1)

/** Detects storms. Call the result at each collection of the young generation with the time in milliseconds; true during a storm. */
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

/** Adapts the process's heap to its load from now on. */
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
