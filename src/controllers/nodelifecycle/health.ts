/** Whether nodes still report: heartbeats are the Ready condition and the node's Lease. */
import type { coordination, core } from '../../api/index.ts'
import { parseTime } from '../../machinery/time.ts'

interface Health {
  /** When the controller last saw a sign of life, by its own clock. */
  seenAt: number
  heartbeat: string
  renewal: string
}

export interface HealthOptions { readonly gracePeriod: number; readonly startupGracePeriod: number }

/** What the node says of itself under these types turns to Unknown when it is silent. */
const watched = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'] as const

/** Remembers signs of life; restarts with every node presumed alive, so that a restart of the controllers evicts nobody. */
export function createHealth({ gracePeriod, startupGracePeriod }: HealthOptions) {
  const nodes = new Map<string, Health>()
  return {
    /** Takes note of the node's heartbeats; true when it has been silent for too long. */
    isSilent(node: core.Node, lease: coordination.Lease | undefined, now: number): boolean {
      const uid = node.metadata.uid ?? ''
      const ready = node.status.conditions?.find((c) => c.type === 'Ready')
      const heartbeat = ready?.status === 'Unknown' ? '' : (ready?.lastHeartbeatTime ?? '')
      const renewal = lease?.spec.renewTime ?? ''
      const known = nodes.get(uid)
      if (!known) {
        const created = node.metadata.creationTimestamp ? parseTime(node.metadata.creationTimestamp) : now
        nodes.set(uid, { seenAt: ready ? now : Math.min(now, created), heartbeat, renewal })
      } else if ((heartbeat && heartbeat !== known.heartbeat) || (renewal && renewal !== known.renewal)) {
        nodes.set(uid, { seenAt: now, heartbeat, renewal })
      }
      const since = nodes.get(uid)?.seenAt ?? now
      return now - since > (ready ? gracePeriod : startupGracePeriod)
    },
    /** So many milliseconds went by in which nobody looked (the machine slept, the process was stopped): they are not held against the nodes. */
    forgive(ms: number): void {
      for (const health of nodes.values()) health.seenAt += ms
    },
    keepOnly(uids: ReadonlySet<string>): void {
      for (const uid of nodes.keys()) if (!uids.has(uid)) nodes.delete(uid)
    },
  }
}

/** The conditions of a silent node; undefined when they already say so. */
export function silentConditions(node: core.Node, time: string): readonly core.NodeCondition[] | undefined {
  const conditions = node.status.conditions ?? []
  const ready = conditions.find((c) => c.type === 'Ready')
  if (ready?.status === 'Unknown' && watched.every((type) => conditions.find((c) => c.type === type)?.status === 'Unknown')) return undefined
  const others = conditions.filter((c) => !(watched as readonly string[]).includes(c.type))
  const silent = watched.map((type): core.NodeCondition => {
    const before = conditions.find((c) => c.type === type)
    if (!before) return { type, status: 'Unknown', reason: 'NodeStatusNeverUpdated', message: 'Kubelet never posted node status.', lastHeartbeatTime: node.metadata.creationTimestamp ?? time, lastTransitionTime: time }
    if (before.status === 'Unknown') return before
    return { ...before, status: 'Unknown', reason: 'NodeStatusUnknown', message: 'Kubelet stopped posting node status.', lastTransitionTime: time }
  })
  return [...others, ...silent]
}
