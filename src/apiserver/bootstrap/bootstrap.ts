/** What every cluster has before anybody asked for it: namespaces, priority classes, default roles, the service `kubernetes`. */
import { core, declared, scheduling, type Resource } from '../../api/index.ts'
import type { Client } from '../../client/client.ts'
import { createRecorder } from '../../client/events.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { Component, Logger } from '../../machinery/log.ts'
import { startKeeping } from '../flowcontrol/keep.ts'
import { startQuotaKeeper } from '../quota/keeper.ts'
import { startAggregation } from './aggregation.ts'
import { ensure } from './ensure.ts'
import { ensureExtensionAuthentication, type ExtensionAuthentication } from './extension-authentication.ts'
import { ensureKubernetesService, type ServerPlace } from './kubernetes-service.ts'
import { startServiceRepair } from '../registry/core/services-repair.ts'
import { ensureRoles } from './roles.ts'
import { ensureServiceCidr } from './service-cidr.ts'
import { ensureTokenTracking } from './token-tracking.ts'

export interface BootstrapOptions {
  /** Acts as the server itself. */
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  readonly serviceCidr: string
  /** The range of node ports. Left out: nobody looks whether addresses and ports of services are what their objects say. */
  readonly nodePorts?: readonly [from: number, to: number]
  /** Everything that is served at present, for quotas to count. Default: what is built in. */
  readonly resources?: () => readonly Resource[]
  /** How extension API servers know who may speak to them. Left out: they are told nothing. */
  readonly extensionAuthentication?: ExtensionAuthentication
  /** Where pods reach the API server; asked again at every round. */
  readonly place: () => ServerPlace
  /** Milliseconds between two looks at what somebody may have deleted or changed. Default 10 s. */
  readonly interval?: number
}

const systemNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'] as const

/** Who the network of nodes is, where it is not part of this process. */
const nodeNetworkAccount = { name: 'kube-proxy', namespace: 'kube-system' }

const priorityClasses = [
  { name: 'system-cluster-critical', value: 2_000_000_000, description: 'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.' },
  { name: 'system-node-critical', value: 2_000_001_000, description: 'Used for system critical pods that must not be moved from their current node.' },
] as const

/**
 * Resolves when everything is there; then looks after namespaces, the service `kubernetes`, the status of quotas and aggregated roles until it is stopped.
 * Roles are brought up to date once, at the start, as Kubernetes does; those that could not be are tried again until they are.
 */
export async function startBootstrap(options: BootstrapOptions): Promise<Component> {
  const { client, clock, log, serviceCidr, place } = options
  const stopped = new AbortController()
  const recorder = createRecorder(client, { component: 'kubernetes-service-cidr-controller', clock, log })
  const told = {}
  const round = async () => {
    await ensureNamespaces(client)
    await ensureServiceCidr(client, serviceCidr, clock.now(), recorder, told)
    await ensureKubernetesService(client, serviceCidr, place())
    await ensureTokenTracking(client, clock.now())
    if (options.extensionAuthentication) await ensureExtensionAuthentication(client, options.extensionAuthentication)
  }
  await round()
  let [complete] = await Promise.all([ensureRoles(client, log), ensurePriorityClasses(client), ensure(client, core.serviceaccounts, nodeNetworkAccount, { metadata: nodeNetworkAccount })])
  const helpers = [startQuotaKeeper({ client, clock, log, resources: options.resources ?? (() => declared) }), await startAggregation({ client, clock, log }), keepInBackground(options)]
  if (options.nodePorts) helpers.push(startServiceRepair({ client, clock, log, nodePorts: options.nodePorts }))
  const loop = (async () => {
    for (;;) {
      const slept = await clock.sleep(options.interval ?? 10_000, stopped.signal).then(() => true, () => false)
      if (!slept) return
      if (!complete) complete = await ensureRoles(client, log)
      await round().catch((error: unknown) => log.warn({ error: String(error) }, 'could not look after the system namespaces and the service kubernetes'))
    }
  })()
  return {
    async stop() {
      stopped.abort()
      await Promise.all([loop, ...helpers.map((h) => h.stop())])
    },
  }
}

/** The mandatory objects hold without being there: nobody waits for the others. */
function keepInBackground({ client, clock, log }: BootstrapOptions): Component {
  const started = startKeeping({ client, clock, log }).catch((error: unknown) => void log.error({ error: String(error) }, 'the objects of flow control could not be made'))
  return { stop: async () => (await started)?.stop() }
}

async function ensureNamespaces(client: Client): Promise<void> {
  await Promise.all(systemNamespaces.map((name) => ensure(client, core.namespaces, { name }, { metadata: { name } })))
}

async function ensurePriorityClasses(client: Client): Promise<void> {
  await Promise.all(priorityClasses.map(({ name, value, description }) =>
    ensure(client, scheduling.priorityclasses, { name }, { metadata: { name }, value, description, preemptionPolicy: 'PreemptLowerPriority' })))
}

