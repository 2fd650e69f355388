/**
 * Long loops that yield to others. All of them together take a few milliseconds of one turn of the event loop, however many there are,
 * and whatever arrived meanwhile goes first: with thirty lists in progress, a get waits for one turn, not for thirty.
 */

/** Milliseconds for all loops together in one turn of the event loop. */
const share = 2
/** Milliseconds for one loop before the next one continues. */
export const stretch = 1
/** A loop of up to this many steps runs without waiting for others. */
const short = 32

const waiting: (() => void)[] = []
let due = false

async function takeTurns(): Promise<void> {
  const begun = performance.now()
  do {
    waiting.shift()!()
    // The released loop runs now, until it waits again.
    await undefined
  } while (waiting.length > 0 && performance.now() - begun < share)
  due = waiting.length > 0
  if (due) setImmediate(takeTurns)
}

/** Resolves after everything else that is waiting has run. */
export function pause(): Promise<void> {
  const turn = new Promise<void>((resolve) => void waiting.push(resolve))
  if (!due) setImmediate(takeTurns)
  due = true
  return turn
}

/** Calls `act` for each item, with pauses. `act` may return false to stop, or a promise, which is awaited before the next item. */
export async function eachPausing<T>(items: readonly T[], act: (item: T) => boolean | void | Promise<boolean | void>): Promise<void> {
  if (items.length > short) await pause()
  let begun = performance.now()
  for (const item of items) {
    const answer = act(item)
    const isLate = answer instanceof Promise
    if ((isLate ? await answer : answer) === false) return
    if (!isLate && performance.now() - begun < stretch) continue
    await pause()
    begun = performance.now()
  }
}

/** `items.filter(matches)`, with pauses. */
export async function filterPausing<T>(items: readonly T[], matches: (item: T) => boolean): Promise<readonly T[]> {
  const found: T[] = []
  await eachPausing(items, (item) => { if (matches(item)) found.push(item) })
  return found
}
