/** The Endpoints controller: for each service with a selector, the older form of the list of its pods. */
import { core } from '../../api/index.ts'
import { keyOf, runController, splitKey, watch, type Client, type Controller, type Informer, type Reconciler } from '../../client/index.ts'
import { isNotFound } from '../../machinery/errors.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { rfc3339, parseTime } from '../../machinery/time.ts'
import type { ControllerContext } from '../shared/context.ts'
import { podInformer } from '../shared/pods.ts'
import { isHeadless, podsOf, selects, serviceInformer, servicesOf } from '../shared/service-pods.ts'
import { isTruncated, subsetsOf } from './subsets.ts'

/** When a pod change made this object necessary: from it the delay of service changes is measured. */
export const triggerAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time'
const capacityAnnotation = 'endpoints.kubernetes.io/over-capacity'
const headlessLabel = 'service.kubernetes.io/headless'
const managedByLabel = 'endpoints.kubernetes.io/managed-by'

interface Sources { readonly services: Informer<core.Service>; readonly pods: Informer<core.Pod>; readonly endpoints: Informer<core.Endpoints> }

/** The newest change of readiness among the pods, or the service's creation. */
function triggerTime(service: core.Service, pods: readonly core.Pod[]): string | undefined {
  const times = pods.flatMap((pod) => pod.status.conditions?.find((c) => c.type === 'Ready')?.lastTransitionTime ?? [])
  const all = [...times, service.metadata.creationTimestamp].filter((t) => typeof t === 'string').map(parseTime)
  return all.length > 0 ? rfc3339(Math.max(...all)) : undefined
}

function desired(service: core.Service, pods: readonly core.Pod[], current: core.Endpoints | undefined): core.Endpoints {
  const subsets = subsetsOf(service, pods)
  const { [triggerAnnotation]: before, [capacityAnnotation]: _, ...kept } = current?.metadata.annotations ?? {}
  const trigger = deepEqual(subsets, current?.subsets ?? []) && current ? before : triggerTime(service, pods)
  const annotations = { ...kept, ...(trigger ? { [triggerAnnotation]: trigger } : {}), ...(isTruncated(service, pods) ? { [capacityAnnotation]: 'truncated' } : {}) }
  const { [headlessLabel]: __, ...labels } = service.metadata.labels ?? {}
  return {
    ...(current ?? { kind: 'Endpoints', apiVersion: 'v1' }),
    metadata: {
      ...(current?.metadata ?? { name: service.metadata.name, namespace: service.metadata.namespace }),
      labels: { ...labels, [managedByLabel]: 'endpoint-controller', ...(isHeadless(service) ? { [headlessLabel]: '' } : {}) },
      annotations,
    },
    subsets,
  }
}

function endpointsReconciler({ services, pods, endpoints }: Sources, client: Client): Reconciler {
  return {
    async reconcile(key) {
      const service = services.get(key)
      const current = endpoints.get(key)
      const { namespace, name } = splitKey(key)
      if (!service) {
        // What this controller made goes with its service; what a user wrote by hand too, as the name is the bond.
        if (current) await client.delete(core.endpoints, name, { namespace, preconditions: { uid: current.metadata.uid ?? '' } }).catch((error: unknown) => { if (!isNotFound(error)) throw error })
        return
      }
      if (!selects(service)) return
      const next = desired(service, podsOf(service, pods), current)
      if (!current) await client.create(core.endpoints, next)
      else if (!same(next, current)) await client.update(core.endpoints, next)
    },
  }
}

const side = ({ metadata, subsets }: core.Endpoints) => [metadata.labels ?? {}, metadata.annotations ?? {}, subsets ?? []]
const same = (a: core.Endpoints, b: core.Endpoints): boolean => deepEqual(side(a), side(b))

export function startEndpointsController(context: ControllerContext): Controller {
  const sources = { services: serviceInformer(context.informers), pods: podInformer(context.informers), endpoints: context.informers.for(core.endpoints) }
  return runController({
    name: 'endpoint-controller',
    reconciler: endpointsReconciler(sources, context.client('endpoint-controller')),
    watches: [
      watch(sources.services, (service) => [keyOf(service)]),
      watch(sources.pods, (pod, change) => servicesOf(pod, change, sources.services)),
      // What users write for services without a selector is theirs: it is looked at only when it or its service goes.
      watch(sources.endpoints, (endpoints, change) => (change.type === 'deleted' || endpoints.metadata.labels?.[managedByLabel] ? [keyOf(endpoints)] : [])),
    ],
    clock: context.clock,
    log: context.log,
    signal: context.signal,
  })
}
