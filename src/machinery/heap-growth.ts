/**
 * How much room V8's heap has for garbage, which is what it saves on collecting it, and when garbage is collected. The launcher gives the heap little
 * room, to keep a cluster small. A storm of requests fills that in no time, so while one lasts there is more:
 *
 * - the old generation may grow further before it is collected again (`--heap-growing-percent`);
 * - the young generation, where garbage costs nothing, may grow from 4 MB to `--max-semi-space-size`. By itself V8 would enlarge it during startup
 *   and keep it large; it does shrink it when little is allocated.
 */
import { constants, PerformanceObserver, type NodeGCPerformanceDetail, type PerformanceEntry } from 'node:perf_hooks'
import { getHeapSpaceStatistics, getHeapStatistics, setFlagsFromString } from 'node:v8'

/** What the launcher says, and the most that there is in a storm, in percent of what is in use. */
const growth = { least: 40, most: 100 }
/** Room that a storm gets at most for being more than the least, in bytes: a large heap has enough of its own. */
const room = 96 * 2 ** 20

/** How much a heap may grow in a storm, in percent, when `used` bytes are in use. */
export const growthOf = (used: number): number => Math.max(growth.least, Math.min(growth.most, Math.floor((100 * room) / used)))

/** A storm: so many bytes allocated within so many milliseconds. */
export interface Rush { readonly bytes: number; readonly within: number }

/** What is taken for a storm. The start of fifty pods is none. */
const rush: Rush = { bytes: 320 * 2 ** 20, within: 2000 }

/** The factor by which V8 enlarges the young generation when much of it survives. On the command line V8 accepts no less than two. */
const setYoungGrowth = (factor: 1 | 2): void => setFlagsFromString(`--semi-space-growth-factor=${factor}`)

/** Keeps the young generation at its present size until there is a storm. For processes that call `growWithLoad` later; call it early. */
export const keepYoungSmall = (): void => setYoungGrowth(1)

/** Detects storms. Call the result at each collection of the young generation with the time in milliseconds and the bytes collected; true during a storm. */
export function createRushes({ bytes: much, within }: Rush = rush): (at: number, bytes: number) => boolean {
  const collections: { readonly at: number; readonly bytes: number }[] = []
  let sum = 0
  return (at, bytes) => {
    collections.push({ at, bytes })
    sum += bytes
    while (collections[0]!.at < at - within) sum -= collections.shift()!.bytes
    return sum >= much
  }
}

interface Young { readonly used: number; readonly size: number }

/** What the young generation holds, and may hold, in bytes. */
function young(): Young {
  const space = getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')
  const used = space?.space_used_size ?? 0
  return { used, size: used + (space?.space_available_size ?? 0) }
}

/** V8 says of a collection which kind it was. */
const kindOf = (entry: PerformanceEntry): number | undefined => (entry as PerformanceEntry & { readonly detail: NodeGCPerformanceDetail }).detail.kind

/** Adapts the process's heap to its load from now on. Tests say what a storm is, so that none depends on the machine's speed. */
export function growWithLoad(storm?: Rush): void {
  const isRush = createRushes(storm)
  let rushing = false
  let allowed = growth.least
  keepYoungSmall()
  const adapt = () => {
    const wanted = rushing ? growthOf(getHeapStatistics().used_heap_size) : growth.least
    if (wanted === allowed) return
    allowed = wanted
    setFlagsFromString(`--heap-growing-percent=${allowed}`)
  }
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const kind = kindOf(entry)
      if (kind === constants.NODE_PERFORMANCE_GC_MAJOR) adapt()
      if (kind !== constants.NODE_PERFORMANCE_GC_MINOR || isRush(entry.startTime, young().size) === rushing) continue
      rushing = !rushing
      setYoungGrowth(rushing ? 2 : 1)
      adapt()
    }
  })
  observer.observe({ entryTypes: ['gc'] })
}

/** The young generation is worth collecting from this part of its size on. */
const worthwhile = 0.5
/** How often it is looked at, at most, in milliseconds. */
const look = 2

/**
 * Returns a function to call in moments in which nobody minds a pause of some milliseconds: it collects the young generation if that would soon be due
 * anyway. Not while V8 marks for a full collection, which it would then end at once, with a longer pause. Does nothing in a process that was
 * started without `--expose-gc`.
 */
export function createYoungCollector(): () => void {
  const collect = globalThis.gc
  if (!collect) return () => undefined
  let looked = -Infinity
  let marking = false
  const note = (entries: readonly PerformanceEntry[]) => {
    for (const entry of entries) {
      const kind = kindOf(entry)
      if (kind === constants.NODE_PERFORMANCE_GC_INCREMENTAL) marking = true
      if (kind === constants.NODE_PERFORMANCE_GC_MAJOR) marking = false
    }
  }
  const observer = new PerformanceObserver((list) => note(list.getEntries()))
  observer.observe({ entryTypes: ['gc'] })
  return () => {
    const now = performance.now()
    if (now - looked < look) return
    looked = now
    // The observer is told of these only in the next iteration of the event loop.
    note(observer.takeRecords())
    if (marking) return
    const { used, size } = young()
    if (used >= size * worthwhile) void collect({ type: 'minor' })
  }
}
