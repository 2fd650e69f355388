/** Mirrors Endpoints that users write for services without a selector into EndpointSlices. */
import { core, discovery } from '../../api/index.ts'
import { keyOf, runController, watch, type Client, type Controller, type EventRecorder, type Informer, type Reconciler } from '../../client/index.ts'
import { isNotFound } from '../../machinery/errors.ts'
import { ownerReference } from '../../machinery/meta.ts'
import { recorderOf, type ControllerContext } from '../shared/context.ts'
import { selects, serviceInformer } from '../shared/service-pods.ts'
import { createWritten, type Written } from '../shared/written.ts'
import { applyPlan, managedByLabel, serviceNameLabel } from './apply.ts'
import { sliceIndex, slicesOf } from './endpointslice.ts'
import { planSlices, type Endpoint, type Group, type Slice } from './plan.ts'

const managedBy = 'endpointslicemirroring-controller.k8s.io'
const skipLabel = 'endpointslice.kubernetes.io/skip-mirror'
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader'
/** No more addresses than this of one subset are mirrored. */
const maxPerSubset = 1000

interface Sources { readonly services: Informer<core.Service>; readonly endpoints: Informer<core.Endpoints>; readonly slices: Informer<Slice> }

function endpointOf(address: core.EndpointAddress, ready: boolean): Endpoint {
  const { ip, hostname, nodeName, targetRef } = address
  return { addresses: [ip], conditions: { ready }, ...(hostname ? { hostname } : {}), ...(targetRef ? { targetRef } : {}), ...(nodeName ? { nodeName } : {}) }
}

/** The subsets as groups, IPv4 and IPv6 apart. */
function mirroredGroups(subsets: readonly core.EndpointSubset[]): readonly Group[] {
  const groups = subsets.flatMap((subset): Group[] => {
    const ports = (subset.ports ?? []).map((port): discovery.EndpointPort => ({ name: port.name ?? '', protocol: port.protocol ?? 'TCP', port: port.port, ...(port.appProtocol ? { appProtocol: port.appProtocol } : {}) }))
    const all = [...(subset.addresses ?? []).map((a) => endpointOf(a, true)), ...(subset.notReadyAddresses ?? []).map((a) => endpointOf(a, false))].slice(0, maxPerSubset)
    const families = Map.groupBy(all, ({ addresses: [ip = ''] }) => (ip.includes(':') ? 'IPv6' : 'IPv4'))
    return [...families].map(([addressType, endpoints]) => ({ addressType, ports, endpoints }))
  })
  return groups
}

/** How many addresses are left out. */
const skipped = (subsets: readonly core.EndpointSubset[]): number =>
  subsets.reduce((sum, { addresses = [], notReadyAddresses = [] }) => sum + Math.max(0, addresses.length + notReadyAddresses.length - maxPerSubset), 0)

/** Endpoints are mirrored when a service without a selector has their name and nobody said otherwise. */
const isMirrored = (endpoints: core.Endpoints, service: core.Service | undefined): boolean =>
  service !== undefined && !selects(service) && service.spec.type !== 'ExternalName'
  && endpoints.metadata.labels?.[skipLabel] !== 'true' && endpoints.metadata.annotations?.[leaderAnnotation] === undefined && !endpoints.metadata.deletionTimestamp

function mirroringReconciler({ services, endpoints, slices }: Sources, client: Client, recorder: EventRecorder, written: Written<Slice>): Reconciler {
  return {
    async reconcile(key) {
      if (!written.isSeen(key)) return { requeueAfter: 1000 }
      const source = endpoints.get(key)
      const existing = slicesOf(slices, key, managedBy)
      if (!source || !isMirrored(source, services.get(key))) {
        for (const { metadata: { name = '', namespace = '' } } of existing)
          await client.delete(discovery.endpointslices, name, { namespace }).catch((error: unknown) => { if (!isNotFound(error)) throw error })
        return
      }
      const { name = '', namespace = '' } = source.metadata
      const tooMany = skipped(source.subsets ?? [])
      if (tooMany > 0) recorder.event(source, 'Warning', 'TooManyAddressesToMirror', `A max of ${maxPerSubset} addresses can be mirrored to EndpointSlices per Endpoints subset. ${tooMany} addresses were skipped`)
      const { [managedByLabel]: _, ...own } = source.metadata.labels ?? {}
      const labels = { ...own, [serviceNameLabel]: name, [managedByLabel]: managedBy }
      const { 'kubectl.kubernetes.io/last-applied-configuration': __, ...annotations } = source.metadata.annotations ?? {}
      const dressed = { labels, ...(Object.keys(annotations).length > 0 ? { annotations } : {}) }
      const plan = planSlices(mirroredGroups(source.subsets ?? []), existing, (slice) => ({ ...slice, metadata: { ...slice.metadata, ...dressed } }))
      const metadata = () => ({ generateName: `${name}-`, namespace, ...dressed, ownerReferences: [ownerReference(source)] })
      await applyPlan(client, plan, { key, namespace, metadata }, written)
    },
  }
}

export function startEndpointSliceMirroringController(context: ControllerContext): Controller {
  const { informers, clock } = context
  const name = 'endpointslicemirroring-controller'
  const sources = { services: serviceInformer(informers), endpoints: informers.for(core.endpoints), slices: informers.for(discovery.endpointslices, { indexes: sliceIndex }) }
  return runController({
    name,
    reconciler: mirroringReconciler(sources, context.client(name), recorderOf(context, name, 'endpoint-slice-mirroring-controller'), createWritten(sources.slices, clock)),
    watches: [
      watch(sources.services, (service) => (selects(service) ? [] : [keyOf(service)])),
      watch(sources.endpoints, (object) => [keyOf(object)]),
      watch(sources.slices, (slice) => (slice.metadata.labels?.[managedByLabel] === managedBy ? [`${slice.metadata.namespace}/${slice.metadata.labels[serviceNameLabel]}`] : [])),
    ],
    clock,
    log: context.log,
    signal: context.signal,
  })
}
