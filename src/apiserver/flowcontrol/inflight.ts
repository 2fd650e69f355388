/** Fixed limits, for servers without priority and fairness: so many reads and so many writes at a time, without queues. */
import type { FlowEdge } from '../options.ts'
import { isLongRunning } from '../http/request-info.ts'
import { tooMany } from './waits.ts'

export interface InflightLimits { readonly reads: number; readonly writes: number }

const reading = new Set(['get', 'list', 'watch', 'head', 'options'])

/** Zero means no limit. Administrators are always let in: they may have come to fix the overload. */
export function createInflightLimit({ reads, writes }: InflightLimits): FlowEdge {
  const under = { reads: 0, writes: 0 }
  return {
    enter({ info, user }) {
      if (isLongRunning(info) || user.groups.includes('system:masters')) return undefined
      const kind = reading.has(info.verb) ? 'reads' : 'writes'
      const limit = kind === 'reads' ? reads : writes
      if (limit > 0 && under[kind] >= limit) throw tooMany()
      under[kind]++
      let done = false
      return () => {
        if (!done) under[kind]--
        done = true
      }
    },
  }
}
