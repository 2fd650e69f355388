/** The EndpointSlice controller: for each service with a selector, its pods in slices of at most a hundred. */
import { core, discovery } from '../../api/index.ts'
import { keyOf, runController, watch, type Client, type Controller, type Informer, type Reconciler } from '../../client/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import { ownerReference } from '../../machinery/meta.ts'
import { rfc3339 } from '../../machinery/time.ts'
import type { ControllerContext } from '../shared/context.ts'
import { podInformer } from '../shared/pods.ts'
import { isHeadless, podsOf, selects, serviceInformer, servicesOf } from '../shared/service-pods.ts'
import { createWritten, type Written } from '../shared/written.ts'
import { applyPlan, managedByLabel, serviceNameLabel } from './apply.ts'
import { groupsOf } from './groups.ts'
import { planSlices, type Slice } from './plan.ts'

export const managedBy = 'endpointslice-controller.k8s.io'
const headlessLabel = 'service.kubernetes.io/headless'
const triggerAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time'
const bySlicesService = 'service'

/** The index from a service to its slices, whoever made them. */
export const sliceIndex = { [bySlicesService]: (slice: Slice) => [`${slice.metadata.namespace}/${slice.metadata.labels?.[serviceNameLabel] ?? ''}`] }
/** The slices of a service that the controller `by` manages. */
export const slicesOf = (slices: Informer<Slice>, key: string, by: string): readonly Slice[] => slices.byIndex(bySlicesService, key).filter((s) => s.metadata.labels?.[managedByLabel] === by)

interface Sources { readonly services: Informer<core.Service>; readonly pods: Informer<core.Pod>; readonly nodes: Informer<core.Node>; readonly slices: Informer<Slice> }

function labelsOf(service: core.Service): Record<string, string> {
  const { [headlessLabel]: _, ...labels } = service.metadata.labels ?? {}
  return { ...labels, [serviceNameLabel]: service.metadata.name ?? '', [managedByLabel]: managedBy, ...(isHeadless(service) ? { [headlessLabel]: '' } : {}) }
}

function endpointSliceReconciler({ services, pods, nodes, slices }: Sources, client: Client, clock: Clock, written: Written<Slice>): Reconciler {
  return {
    async reconcile(key) {
      const service = services.get(key)
      // A service that is gone takes its slices with it: they are its dependents.
      if (!service || !selects(service) || service.metadata.deletionTimestamp) return
      if (!written.isSeen(key)) return { requeueAfter: 1000 }
      const existing = slicesOf(slices, key, managedBy).filter((slice) => !slice.metadata.deletionTimestamp)
      const groups = groupsOf(service, podsOf(service, pods), (name) => nodes.get(name))
      const labels = labelsOf(service)
      const annotations = { [triggerAnnotation]: rfc3339(clock.now()) }
      const plan = planSlices(groups, existing, (slice, changed) => ({
        ...slice,
        metadata: { ...slice.metadata, labels, ...(changed ? { annotations: { ...slice.metadata.annotations, ...annotations } } : {}) },
      }))
      const { name = '', namespace = '' } = service.metadata
      const metadata = () => ({ generateName: `${name}-`, namespace, labels, annotations, ownerReferences: [ownerReference(service)] })
      await applyPlan(client, plan, { key, namespace, metadata }, written)
    },
  }
}

/** Services by the slices that name them. */
const serviceOf = (slice: Slice): readonly string[] =>
  (slice.metadata.labels?.[managedByLabel] === managedBy && slice.metadata.labels[serviceNameLabel] ? [`${slice.metadata.namespace}/${slice.metadata.labels[serviceNameLabel]}`] : [])

/** Starts the EndpointSlice controller. */
export function startEndpointSliceController(context: ControllerContext): Controller {
  const { informers, clock } = context
  const sources = { services: serviceInformer(informers), pods: podInformer(informers), nodes: informers.for(core.nodes), slices: informers.for(discovery.endpointslices, { indexes: sliceIndex }) }
  const written = createWritten(sources.slices, clock)
  const zone = (node: core.Node) => node.metadata.labels?.['topology.kubernetes.io/zone']
  return runController({
    name: 'endpointslice-controller',
    reconciler: endpointSliceReconciler(sources, context.client('endpointslice-controller'), clock, written),
    watches: [
      watch(sources.services, (service) => [keyOf(service)]),
      watch(sources.pods, (pod, change) => servicesOf(pod, change, sources.services)),
      watch(sources.slices, serviceOf),
      // A node's zone is in its endpoints; its heartbeats are not.
      watch(sources.nodes, (node, { type, old }) => (type === 'updated' && old && zone(old) === zone(node)) || !zone(node) ? [] : sources.services.list().filter(selects).map(keyOf)),
    ],
    clock,
    log: context.log,
    signal: context.signal,
  })
}
