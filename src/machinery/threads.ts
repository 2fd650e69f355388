/** Threads of this process that help the one on which everything runs. */
import { readFileSync, readdirSync } from 'node:fs'
import { constants, getPriority, setPriority } from 'node:os'

/** How far they stand behind it, as `nice` counts. */
const behind = 10

/**
 * V8's helpers, which mark what is in use and compile, go after the main thread from now on. There are four of them whatever the machine has, and the
 * system's scheduler gives each the same time as the thread that answers requests: with two processors and a heap that grows, requests waited up to twelve
 * milliseconds for work that nobody waits for. (Priorities belong to threads in Linux; processes that are started later have the main thread's.)
 * Throws what the system says when it does not allow it.
 */
export function letHelpersStandBack(): void {
  const priority = Math.min(constants.priority.PRIORITY_LOW, getPriority() + behind)
  for (const thread of readdirSync('/proc/self/task')) {
    if (isHelper(thread)) setPriority(Number(thread), priority)
  }
}

const isHelper = (thread: string): boolean => readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').startsWith('V8Worker')
