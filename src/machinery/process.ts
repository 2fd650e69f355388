/** Which process a number means: pid files outlive their processes, and numbers are given again. */
import { readFileSync } from 'node:fs'

/**
 * What, together with its number, names one process for good: when it started, in clock ticks, and the boot it belongs to.
 * '' when there is no such process, or when it has ended and only waits for its parent to take note.
 */
export function processIdentity(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name in brackets may hold anything; what follows it is: state, parent, …, start time (field 22 of proc(5)).
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (fields[0] === 'Z' || fields[0] === 'X') return ''
    return `${fields[19]} ${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}`
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code !== 'ENOENT' && code !== 'ESRCH') throw error
    return ''
  }
}

/** Whether the process runs. */
export const isAlive = (pid: number): boolean => pid > 0 && processIdentity(pid) !== ''
