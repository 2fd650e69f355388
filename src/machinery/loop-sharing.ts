/**
 * Whether several users have requests on the event loop just now. Work that comes in masses goes in smaller steps then, one an iteration, so that
 * nobody waits long for the end of it; when there is no one else, larger steps cost less. A process has one event loop, so this is kept once for all of it.
 */
let until = -Infinity

/** Says that the loop is shared for so many milliseconds from now on. */
export function shareLoop(milliseconds: number): void { until = performance.now() + milliseconds }

/** Whether somebody has said so. */
export const isLoopShared = (): boolean => performance.now() < until

/** Steps that wait for an iteration, first come, first served. */
let waiting: (() => void)[] = []
let asked = false

function take(): void {
  asked = false
  if (isLoopShared()) waiting.shift()!()
  else {
    const all = waiting
    waiting = []
    for (const step of all) step()
  }
  if (waiting.length > 0) ask()
}

function ask(): void {
  if (!asked) setImmediate(take)
  asked = true
}

/** Calls `step` after the loop has looked for input: in its next iteration, or, while it is shared, in one that no other step has. */
export function inTurn(step: () => void): void {
  waiting.push(step)
  ask()
}

/** As `inTurn`: resolves when it is the caller's turn. */
export const turn = (): Promise<void> => new Promise(inTurn)
