/** The process's helper threads. */
import { readFileSync, readdirSync } from 'node:fs'
import { constants, getPriority, setPriority } from 'node:os'

/** Their `nice` value, relative to the main thread. */
const behind = 10

/**
 * Lowers the priority of V8's helper threads, which do concurrent marking and compilation, below the main thread's. Node starts four of them on any machine
 * (the launcher says one), and the kernel gives each as much time as the thread that answers requests: with two processors and a growing heap, requests waited
 * up to twelve milliseconds for work that nobody waits for. (On Linux, priorities belong to threads; child processes inherit the main thread's.)
 * Throws the system's error when it is not permitted.
 */
export function letHelpersStandBack(): void {
  const priority = Math.min(constants.priority.PRIORITY_LOW, getPriority() + behind)
  for (const thread of readdirSync('/proc/self/task')) {
    if (isHelper(thread)) setPriority(Number(thread), priority)
  }
}

const isHelper = (thread: string): boolean => readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').startsWith('V8Worker')
