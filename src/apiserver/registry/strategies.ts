/** Which strategy a resource has: one line per kind; kinds without a line get the plain one. */
import {
  admissionregistration, apiextensions, apiregistration, apps, autoscaling, batch, certificates, coordination, core, discovery, dra, flowcontrol, networking, node, policy,
  rbac, scheduling, storage, type Resource,
} from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import type { Strategy, StrategyEnvironment } from '../strategy.ts'
import { mutatingadmissionpolicies } from './admissionregistration/mutatingadmissionpolicies.ts'
import { mutatingadmissionpolicybindings } from './admissionregistration/mutatingadmissionpolicybindings.ts'
import { mutatingwebhookconfigurations } from './admissionregistration/mutatingwebhookconfigurations.ts'
import { validatingadmissionpolicies } from './admissionregistration/validatingadmissionpolicies.ts'
import { validatingadmissionpolicybindings } from './admissionregistration/validatingadmissionpolicybindings.ts'
import { validatingwebhookconfigurations } from './admissionregistration/validatingwebhookconfigurations.ts'
import { customresourcedefinitions } from './apiextensions/customresourcedefinitions.ts'
import { apiservices } from './apiregistration/apiservices.ts'
import { controllerrevisions } from './apps/controllerrevisions.ts'
import { daemonsets } from './apps/daemonsets.ts'
import { deployments } from './apps/deployments.ts'
import { replicasets } from './apps/replicasets.ts'
import { statefulsets } from './apps/statefulsets.ts'
import { horizontalpodautoscalers } from './autoscaling/horizontalpodautoscalers.ts'
import { cronjobs } from './batch/cronjobs.ts'
import { jobs } from './batch/jobs.ts'
import { certificatesigningrequests } from './certificates/certificatesigningrequests.ts'
import { leases } from './coordination/leases.ts'
import { configmaps } from './core/configmaps.ts'
import { endpoints } from './core/endpoints.ts'
import { events } from './core/events.ts'
import { limitranges } from './core/limitranges.ts'
import { namespaces } from './core/namespaces.ts'
import { nodes } from './core/nodes.ts'
import { persistentvolumeclaims } from './core/persistentvolumeclaims.ts'
import { persistentvolumes } from './core/persistentvolumes.ts'
import { pods } from './core/pods.ts'
import { podtemplates } from './core/podtemplates.ts'
import { replicationcontrollers } from './core/replicationcontrollers.ts'
import { resourcequotas } from './core/resourcequotas.ts'
import { secrets } from './core/secrets.ts'
import { serviceaccounts } from './core/serviceaccounts.ts'
import { services } from './core/services.ts'
import { endpointslices } from './discovery/endpointslices.ts'
import { flowschemas } from './flowcontrol/flowschemas.ts'
import { prioritylevelconfigurations } from './flowcontrol/prioritylevelconfigurations.ts'
import { ingressclasses } from './networking/ingressclasses.ts'
import { ingresses } from './networking/ingresses.ts'
import { ipaddresses } from './networking/ipaddresses.ts'
import { networkpolicies } from './networking/networkpolicies.ts'
import { servicecidrs } from './networking/servicecidrs.ts'
import { runtimeclasses } from './node/runtimeclasses.ts'
import { poddisruptionbudgets } from './policy/poddisruptionbudgets.ts'
import { clusterrolebindings } from './rbac/clusterrolebindings.ts'
import { clusterroles } from './rbac/clusterroles.ts'
import { rolebindings } from './rbac/rolebindings.ts'
import { roles } from './rbac/roles.ts'
import { deviceclasses } from './resource/deviceclasses.ts'
import { resourceclaims } from './resource/resourceclaims.ts'
import { resourceclaimtemplates } from './resource/resourceclaimtemplates.ts'
import { resourceslices } from './resource/resourceslices.ts'
import { priorityclasses } from './scheduling/priorityclasses.ts'
import { csidrivers } from './storage/csidrivers.ts'
import { csinodes } from './storage/csinodes.ts'
import { csistoragecapacities } from './storage/csistoragecapacities.ts'
import { storageclasses } from './storage/storageclasses.ts'
import { volumeattachments } from './storage/volumeattachments.ts'
import { volumeattributesclasses } from './storage/volumeattributesclasses.ts'
import { ownStatus } from './own-status.ts'
import { createdAtColumn, nameColumn, printer } from './printing.ts'

type Maker = (env: StrategyEnvironment) => Strategy

const key = (resource: Pick<Resource, 'apiVersion' | 'plural'>): string => `${resource.apiVersion}/${resource.plural}`

const plainPrinter = printer<ApiObject>(nameColumn, createdAtColumn)

/** The plain strategy: the system owns the status, if there is one; columns are name and age. */
const plain = (resource: Resource<ApiObject>): Strategy => ({ ...ownStatus(resource), printer: plainPrinter })

interface EntryOptions {
  /** Kinds whose creator may set the status: the kubelet does for nodes. */
  readonly bornWithStatus?: boolean
}

/** A kind's entry; the compiler checks that the strategy is for the resource's own type. */
function entry<T extends ApiObject, I>(resource: Resource<T, I>, strategy: Strategy<T> | ((env: StrategyEnvironment) => Strategy<T>), options: EntryOptions = {}): [string, Maker] {
  const make = typeof strategy === 'function' ? strategy : () => strategy
  const base = plain(resource as unknown as Resource<ApiObject>)
  const below: Strategy = options.bornWithStatus ? { ...base, prepareForCreate: undefined } : base
  return [key(resource), (env) => onTopOf(below, make(env) as Strategy)]
}

/** The kind's own strategy; what it prepares comes after the status was cleared or kept. */
function onTopOf(base: Strategy, own: Strategy): Strategy {
  const both: Strategy = { ...base, ...own }
  return {
    ...both,
    ...(base.prepareForCreate && own.prepareForCreate && {
      prepareForCreate: (object, ctx) => own.prepareForCreate!(base.prepareForCreate!(object, ctx), ctx),
    }),
    ...(base.prepareForUpdate && own.prepareForUpdate && {
      prepareForUpdate: (next, current, ctx) => own.prepareForUpdate!(base.prepareForUpdate!(next, current, ctx), current, ctx),
    }),
  } as Strategy
}

const makers = new Map<string, Maker>([
  entry(core.pods, pods),
  entry(core.services, services),
  entry(core.namespaces, namespaces),
  entry(core.nodes, nodes, { bornWithStatus: true }),
  entry(core.configmaps, configmaps),
  entry(core.secrets, secrets),
  entry(core.events, events),
  entry(core.podtemplates, podtemplates),
  entry(core.replicationcontrollers, replicationcontrollers),
  entry(core.serviceaccounts, serviceaccounts),
  entry(core.endpoints, endpoints),
  entry(core.persistentvolumes, persistentvolumes),
  entry(core.persistentvolumeclaims, persistentvolumeclaims),
  entry(core.resourcequotas, resourcequotas),
  entry(core.limitranges, limitranges),
  entry(apps.deployments, deployments),
  entry(apps.replicasets, replicasets),
  entry(apps.statefulsets, statefulsets),
  entry(apps.daemonsets, daemonsets),
  entry(apps.controllerrevisions, controllerrevisions),
  entry(batch.jobs, jobs),
  entry(batch.cronjobs, cronjobs),
  entry(rbac.clusterroles, clusterroles),
  entry(rbac.clusterrolebindings, clusterrolebindings),
  entry(rbac.roles, roles),
  entry(rbac.rolebindings, rolebindings),
  entry(admissionregistration.mutatingadmissionpolicies, mutatingadmissionpolicies),
  entry(admissionregistration.mutatingadmissionpolicybindings, mutatingadmissionpolicybindings),
  entry(admissionregistration.mutatingwebhookconfigurations, mutatingwebhookconfigurations),
  entry(admissionregistration.validatingadmissionpolicies, validatingadmissionpolicies),
  entry(admissionregistration.validatingadmissionpolicybindings, validatingadmissionpolicybindings),
  entry(admissionregistration.validatingwebhookconfigurations, validatingwebhookconfigurations),
  entry(apiextensions.customresourcedefinitions, customresourcedefinitions),
  entry(apiregistration.apiservices, apiservices),
  entry(autoscaling.horizontalpodautoscalers, horizontalpodautoscalers),
  entry(certificates.certificatesigningrequests, certificatesigningrequests),
  entry(coordination.leases, leases),
  entry(discovery.endpointslices, endpointslices),
  entry(flowcontrol.flowschemas, flowschemas),
  entry(flowcontrol.prioritylevelconfigurations, prioritylevelconfigurations),
  entry(networking.ingressclasses, ingressclasses),
  entry(networking.ingresses, ingresses),
  entry(networking.ipaddresses, ipaddresses),
  entry(networking.networkpolicies, networkpolicies),
  entry(networking.servicecidrs, servicecidrs),
  entry(node.runtimeclasses, runtimeclasses),
  entry(policy.poddisruptionbudgets, poddisruptionbudgets),
  entry(dra.deviceclasses, deviceclasses),
  entry(dra.resourceclaims, resourceclaims),
  entry(dra.resourceclaimtemplates, resourceclaimtemplates),
  entry(dra.resourceslices, resourceslices),
  entry(scheduling.priorityclasses, priorityclasses),
  entry(storage.csidrivers, csidrivers),
  entry(storage.csinodes, csinodes),
  entry(storage.csistoragecapacities, csistoragecapacities),
  entry(storage.storageclasses, storageclasses),
  entry(storage.volumeattachments, volumeattachments),
  entry(storage.volumeattributesclasses, volumeattributesclasses),
])

/** Strategies with state (the allocator of services) are made once per server. */
const made = new WeakMap<StrategyEnvironment, Map<string, Strategy>>()

/** The strategy of a resource. Resources without behaviour of their own (custom ones among them) get the plain strategy. */
export function strategyFor(resource: Resource, env: StrategyEnvironment): Strategy {
  const make = makers.get(key(resource))
  if (!make) return plain(resource as Resource<ApiObject>)
  const known = made.get(env) ?? new Map<string, Strategy>()
  made.set(env, known)
  const strategy = known.get(key(resource)) ?? make(env)
  known.set(key(resource), strategy)
  return strategy
}
