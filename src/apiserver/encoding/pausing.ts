/** Long loops that give way: nothing may hold the event loop for more than a few milliseconds. */

/** Milliseconds of work between two pauses. */
const stretch = 5
/** The clock is looked at only every so many steps. */
const steps = 4

/** Lets everything else that waits run first. */
export const pause = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** `items.map(map)`, with pauses. */
export async function mapPausing<T, R>(items: readonly T[], map: (item: T) => R): Promise<R[]> {
  const results: R[] = []
  await eachPausing(items, (item) => void results.push(map(item)))
  return results
}

/** Calls `act` for each item, with pauses. `act` may return false to stop, and a promise to be waited for before the next. */
export async function eachPausing<T>(items: readonly T[], act: (item: T) => boolean | void | Promise<boolean | void>): Promise<void> {
  let begun = performance.now()
  for (let i = 0; i < items.length; i++) {
    const answer = act(items[i] as T)
    if ((answer instanceof Promise ? await answer : answer) === false) return
    if (i % steps !== steps - 1 || performance.now() - begun < stretch) continue
    await pause()
    begun = performance.now()
  }
}
