/** The API server of a cluster with the objects every cluster has: enough for clients, with nothing that acts on what they write. */
import { createApiServer } from '../apiserver/server.ts'
import type { Aggregator } from '../apiserver/aggregation/aggregator.ts'
import type { ApiServer } from '../apiserver/options.ts'
import { createEdges } from '../apiserver/edges.ts'
import type { HealthCheck } from '../apiserver/health/health.ts'
import { reloadMetrics, type RegisterMetrics } from '../apiserver/metrics/configurations.ts'
import { startBootstrap } from '../apiserver/bootstrap/bootstrap.ts'
import type { ExtensionAuthentication } from '../apiserver/bootstrap/extension-authentication.ts'
import type { Resource } from '../api/index.ts'
import type { Client } from '../client/client.ts'
import type { Clock } from '../machinery/clock.ts'
import type { Component, Logger } from '../machinery/log.ts'
import { startCompactor } from '../store/compactor.ts'
import type { Store } from '../store/store.ts'
import { frontProxyName, type Pki } from './pki.ts'
import type { Settings } from './settings.ts'
import { admissionOf } from './admission.ts'
import { auditOf } from './audit.ts'
import { authenticationOf, type AuthenticationSettings } from './authentication.ts'
import { authorizationOf } from './authorization.ts'
import { flowOf } from './flow.ts'
import { httpLimitsOf } from './http-limits.ts'
import { serverId } from './server-id.ts'

export interface ApiOptions {
  readonly settings: Settings
  readonly pki: Pki
  readonly store: Store
  readonly clock: Clock
  readonly log: Logger
  /** Where the API server listens; every address when left out. */
  readonly address?: string
  /** What else must be healthy for the server to be ready. */
  readonly checks?: readonly HealthCheck[]
  /** The parts of the control plane besides the store, for `kubectl get componentstatuses`. */
  readonly components?: () => readonly HealthCheck[]
  /** Metrics of other parts, for `/metrics`. */
  readonly counted?: readonly RegisterMetrics[]
  /** This host has no route to the pods: webhooks, extension API servers and proxied services are reached through the pods' nodes. */
  readonly throughNodes?: boolean
  /** Freeze what caches hand out: for tests. */
  readonly freeze?: boolean
}

export interface Api extends Component {
  readonly server: ApiServer
  /** A client in this process that acts as the component of that name. */
  clientFor(component: string, groups?: readonly string[]): Client
  /** Every resource that such a client can use, including those of extension API servers that answer; a new array when something changes. */
  resources(): readonly Resource[]
  /** The group versions (`metrics.k8s.io/v1beta1`) whose servers do not answer. */
  undiscovered(): readonly string[]
}

/** Derives a value from one that rarely changes: the same result as long as the source is the same object. */
function derived<S, T>(source: () => S, make: (source: S) => T): () => T {
  let last: { readonly from: S; readonly made: T } | undefined
  return () => {
    const from = source()
    if (last?.from !== from) last = { from, made: make(from) }
    return last.made
  }
}

const none: readonly Resource[] = []

/** Whom extension API servers may trust: those this server trusts, and its own front proxy. */
function toldToExtensions(pki: Pki, { options, clientCa }: AuthenticationSettings): ExtensionAuthentication {
  const { requestHeader } = options
  return {
    clientCa: options.clientCa ?? clientCa,
    frontProxyCa: requestHeader ? `${pki.frontProxyCa.cert.trim()}\n${requestHeader.clientCa}` : pki.frontProxyCa.cert,
    // An empty list allows any name.
    frontProxyNames: requestHeader?.allowedNames.length === 0 ? [] : [frontProxyName, ...(requestHeader?.allowedNames ?? [])],
  }
}

/** Two lists as one: the same array as long as both are unchanged. */
function together<T>(a: () => readonly T[], b: () => readonly T[]): () => readonly T[] {
  let last: { readonly from: readonly [readonly T[], readonly T[]]; readonly all: readonly T[] } | undefined
  return () => {
    const from = [a(), b()] as const
    if (last?.from[0] !== from[0] || last.from[1] !== from[1]) last = { from, all: from[1].length > 0 ? [...from[0], ...from[1]] : from[0] }
    return last.all
  }
}

/** Starts the API server; resolves once it answers. The caller keeps the store, and closes it. */
export async function startApi(options: ApiOptions): Promise<Api> {
  const { settings, pki, clock, log } = options
  let bootstrapped = false
  const given = settings.apiServerArguments
  const own = { clientCa: pki.ca.cert, serviceAccountKey: pki.serviceAccountKey, issuer: `https://kubernetes.default.svc.${settings.clusterDomain}` }
  const may = await authorizationOf(given, { clock, log: log.child({ component: 'authorization' }) })
  const allowsAll = () => may?.options.modes().includes('AlwaysAllow') ?? false
  const who = await authenticationOf(given, own, { clock, log: log.child({ component: 'authentication' }), allowsAll })
  const kubeletTls = derived(() => pki.kubeletClient, (client) => ({ ...client, ca: pki.ca.cert }))
  const audit = await auditOf(settings.apiServerArguments, { clock, log: log.child({ component: 'audit' }) })
  let aggregator: Aggregator | undefined
  const server = await createApiServer({
    store: options.store,
    clock,
    log: log.child({ component: 'apiserver' }),
    tls: { key: pki.server.key, cert: pki.server.cert, clientCa: who.clientCa },
    address: options.address ?? '::',
    port: settings.port,
    serviceCidr: settings.serviceCidr,
    ...httpLimitsOf(settings.apiServerArguments),
    nodePorts: settings.nodePorts,
    ...(options.freeze === undefined ? {} : { freeze: options.freeze }),
    tunnelTls: options.throughNodes ? kubeletTls : undefined,
    edges: createEdges({
      audit,
      counted: [...(options.counted ?? []), ...(who.reloads ? [reloadMetrics('authentication_config_controller', serverId, who.reloads)] : []), ...(may?.reloads ? [reloadMetrics('authorization_config_controller', serverId, may.reloads)] : [])],
      admission: await admissionOf(given),
      flow: flowOf(settings.apiServerArguments),
      serverAddress: () => `${settings.nodeAddress}:${settings.port}`,
      checks: [{
        name: 'poststarthook/rbac/bootstrap-roles',
        of: ['readyz'],
        check: () => { if (!bootstrapped) throw new Error('the objects every cluster has are not there yet') },
      }, {
        name: 'autoregister-completion',
        of: ['readyz'],
        check: () => { if (!aggregator?.registered()) throw new Error('not every group version has its API service yet') },
      }, ...(options.checks ?? [])],
      ...(options.components ? { components: options.components } : {}),
      kubeletTls,
      frontProxyTls: () => pki.frontProxyClient,
      onAggregator: (made) => void (aggregator = made),
      serviceAccounts: who.serviceAccounts,
      authentication: who.options,
      authorization: may?.options,
    }),
  })
  const running: Component[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(running.map((component) => component.stop()))
    await server.close()
    who.stop()
    may?.stop()
    await audit?.stop()
  }
  try {
    await server.listen()
    pki.onRenewal?.(() => server.renewTls({ key: pki.server.key, cert: pki.server.cert, clientCa: who.clientCa }))
    running.push(startCompactor({ store: options.store, clock, log: log.child({ component: 'store' }) }))
    running.push(await startBootstrap({
      client: server.client,
      clock,
      log: log.child({ component: 'bootstrap' }),
      place: () => ({ address: settings.nodeAddress, port: server.port }),
      serviceCidr: settings.serviceCidr,
      nodePorts: settings.nodePorts,
      resources: () => server.registry.resources,
      extensionAuthentication: toldToExtensions(pki, who),
    }))
    if (aggregator) running.push(aggregator.start(server.client))
  } catch (error) {
    await stop()
    throw error
  }
  bootstrapped = true
  return {
    server,
    resources: together(() => server.registry.resources, () => aggregator?.resources() ?? none),
    undiscovered: () => aggregator?.undiscovered() ?? [],
    clientFor: (component, groups = []) => server.clientFor({ name: component, groups: [...groups, 'system:authenticated'] }),
    stop,
  }
}
