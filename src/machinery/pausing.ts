/**
 * Long loops that give way. However many there are, all of them together take a few milliseconds of one turn of the event loop, and
 * whatever else has come by then goes first: with thirty lists under way a get still waits for one turn, and not for thirty.
 */

/** Milliseconds for all of them in one turn of the event loop. */
const share = 2
/** Milliseconds for one of them, before the next has its go. */
export const stretch = 1
/** A loop of so few steps is done before it would have to wait for the others. */
const short = 32

const waiting: (() => void)[] = []
let due = false

async function takeTurns(): Promise<void> {
  const begun = performance.now()
  do {
    waiting.shift()!()
    // Whoever was let go runs now, until it waits again.
    await undefined
  } while (waiting.length > 0 && performance.now() - begun < share)
  due = waiting.length > 0
  if (due) setImmediate(takeTurns)
}

/** Lets everything else that waits run first. */
export function pause(): Promise<void> {
  const turn = new Promise<void>((resolve) => void waiting.push(resolve))
  if (!due) setImmediate(takeTurns)
  due = true
  return turn
}

/** Calls `act` for each item, with pauses. `act` may return false to stop, and a promise to be waited for before the next. */
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
