/** The ServiceCIDR `kubernetes`: the object that stands for the service addresses the cluster was started with. */
import { networking, type In } from '../../api/index.ts'
import type { Client } from '../../client/client.ts'
import type { EventRecorder } from '../../client/events.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { rfc3339 } from '../../machinery/time.ts'
import { defaultServiceCidr } from '../registry/core/services-ranges.ts'
import { ensure } from './ensure.ts'

/** What was told already: one word each is enough. */
export interface Told { inconsistent?: boolean; notReady?: boolean }

const listed = (cidrs: readonly string[]): string => `[${cidrs.join(' ')}]`

/**
 * Creates the object and says that it is ready, unless it says otherwise itself. A cluster that was given a second family gets it; one whose
 * ranges are others than its object's is told so by an event: addresses are given out by the object. So is one whose object is not ready,
 * which somebody else has said of it.
 */
export async function ensureServiceCidr(client: Client, serviceCidr: string, now: number, recorder: EventRecorder, told: Told): Promise<void> {
  const cidrs = serviceCidr.split(',').map((cidr) => cidr.trim())
  const key = { name: defaultServiceCidr }
  const current = await ensure(client, networking.servicecidrs, key, { metadata: key, spec: { cidrs } }, (found) => {
    const grows = found.spec.cidrs?.length === 1 && cidrs.length === 2 && found.spec.cidrs[0] === cidrs[0] && !found.metadata.deletionTimestamp
    return grows ? { ...found, spec: { ...found.spec, cidrs } } : found
  })
  if (current.metadata.deletionTimestamp) return
  if (!deepEqual(current.spec.cidrs, cidrs)) {
    if (!told.inconsistent) {
      recorder.event(current, 'Warning', 'KubernetesDefaultServiceCIDRInconsistent',
        `The default ServiceCIDR ${listed(current.spec.cidrs ?? [])} does not match the controller flag configurations ${listed(cidrs)}`)
    }
    told.inconsistent = true
    return
  }
  const ready = current.status.conditions?.find((c) => c.type === 'Ready')
  if (ready?.status === 'False' && !told.notReady) {
    recorder.event(current, 'Warning', ready.reason, `Configuration matches, but ${ready.message}`)
    told.notReady = true
  }
  if (ready?.status === 'True' || ready?.status === 'False') return
  const condition = { type: 'Ready', status: 'True', reason: '', message: 'Kubernetes default Service CIDR is ready', lastTransitionTime: rfc3339(now) } as const
  const others = current.status.conditions?.filter((c) => c !== ready) ?? []
  await client.updateStatus(networking.servicecidrs, { ...current, status: { ...current.status, conditions: [...others, condition] } } as In<typeof networking.ServiceCIDR>)
}
