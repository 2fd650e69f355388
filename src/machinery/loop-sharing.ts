/**
 * Whether several users have requests on the event loop just now. Work that comes in masses goes in smaller steps then, so that nobody waits long for
 * the end of one; when there is no one else, larger steps cost less. A process has one event loop, so this is kept once for all of it.
 */
let until = -Infinity

/** Says that the loop is shared for so many milliseconds from now on. */
export function shareLoop(milliseconds: number): void { until = performance.now() + milliseconds }

/** Whether somebody has said so. */
export const isLoopShared = (): boolean => performance.now() < until
