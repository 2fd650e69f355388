/** The ServiceCIDR `kubernetes`: the object that stands for the service addresses the cluster was started with. */
import { networking, type In } from '../../api/index.ts'
import type { Client } from '../../client/client.ts'
import type { EventRecorder } from '../../client/events.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { rfc3339 } from '../../machinery/time.ts'
import { defaultServiceCidr } from '../registry/core/services-ranges.ts'
import { ensure } from './ensure.ts'

/**
 * Creates the object and says that it is ready, unless it says otherwise itself. A cluster that was given a second family gets it; one whose
 * ranges are others than its object's is told so by an event: addresses are given out by the object. `told` remembers that it was.
 */
export async function ensureServiceCidr(client: Client, serviceCidr: string, now: number, recorder: EventRecorder, told: { inconsistent?: boolean }): Promise<void> {
  const cidrs = serviceCidr.split(',').map((cidr) => cidr.trim())
  const key = { name: defaultServiceCidr }
  const current = await ensure(client, networking.servicecidrs, key, { metadata: key, spec: { cidrs } }, (found) => {
    const grows = found.spec.cidrs?.length === 1 && cidrs.length === 2 && found.spec.cidrs[0] === cidrs[0] && !found.metadata.deletionTimestamp
    return grows ? { ...found, spec: { ...found.spec, cidrs } } : found
  })
  if (!deepEqual(current.spec.cidrs, cidrs)) {
    if (!told.inconsistent) {
      recorder.event(current, 'Warning', 'KubernetesDefaultServiceCIDRInconsistent',
        `The default ServiceCIDR ${JSON.stringify(current.spec.cidrs ?? [])} does not match the controller flag --service-cluster-ip-range ${JSON.stringify(cidrs)}`)
    }
    told.inconsistent = true
    return
  }
  if (current.metadata.deletionTimestamp || current.status.conditions?.some((c) => c.type === 'Ready')) return
  const condition = { type: 'Ready', status: 'True', reason: '', message: 'Kubernetes default Service CIDR is ready', lastTransitionTime: rfc3339(now) } as const
  const next = { ...current, status: { ...current.status, conditions: [...(current.status.conditions ?? []), condition] } }
  await client.updateStatus(networking.servicecidrs, next as In<typeof networking.ServiceCIDR>)
}
