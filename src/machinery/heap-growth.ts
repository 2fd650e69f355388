/**
 * How much the heap may grow before V8 collects all of it again. The launcher allows little (`--heap-growing-percent`), which keeps a cluster small. A
 * storm of writes fills that little in no time, and requests wait for one full collection after the other: while they come that close, it is more.
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

/** V8 says of a collection which kind it was. */
const isFull = (entry: PerformanceEntry): boolean => (entry as PerformanceEntry & { readonly detail: NodeGCPerformanceDetail }).detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR

/** From now on the process's heap grows with its load. */
export function growWithLoad(): void {
  let last = -Infinity
  let allowed = growth.least
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (!isFull(entry)) continue
      const wanted = growthOf(getHeapStatistics().used_heap_size, entry.startTime - last)
      last = entry.startTime
      if (wanted === allowed) continue
      allowed = wanted
      setFlagsFromString(`--heap-growing-percent=${allowed}`)
    }
  })
  observer.observe({ entryTypes: ['gc'] })
}
