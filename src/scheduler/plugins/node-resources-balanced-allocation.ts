import { maxScore } from '../plugin.ts'
import type { Plugin } from '../plugin.ts'

/** Nodes where CPU and memory would be used up evenly are better: a node full of one has wasted the other. */
export const nodeResourcesBalancedAllocation: Plugin = {
  name: 'NodeResourcesBalancedAllocation',
  weight: 1,
  score({ requests }) {
    if (requests.milliCpu === 0 && requests.memory === 0) return undefined
    return {
      score({ allocatable, requested }) {
        const shares = [
          { capacity: allocatable.milliCpu, used: requested.milliCpu + requests.milliCpu },
          { capacity: allocatable.memory, used: requested.memory + requests.memory },
        ].filter((s) => s.capacity > 0).map((s) => Math.min(1, s.used / s.capacity))
        const deviation = shares.length === 2 ? Math.abs(shares[0]! - shares[1]!) / 2 : 0
        return Math.floor((1 - deviation) * maxScore)
      },
    }
  },
}
