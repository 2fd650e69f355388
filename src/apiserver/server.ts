/** Assembles the API server: cache over the store, registry over the cache, edges around it, sockets in front. */
import { core, type Resource } from '../api/index.ts'
import type { Client } from '../client/client.ts'
import { Roster } from '../machinery/roster.ts'
import { createFindWebhook } from './admission/webhooks/endpoint.ts'
import { checkAuthorized } from './authz/check.ts'
import { cutLate, serve, serveUpgrade, takesUpgrade, type Corridor } from './corridor.ts'
import { startPolicyStatus } from './admission/policies/status.ts'
import { startDefinitions } from './crd/definitions.ts'
import { listen, type Listener } from './http/listener.ts'
import type { Identity } from './identity.ts'
import { createLister } from './cache/lister.ts'
import { createLocalClient, infoOf } from './local-client.ts'
import type { ApiServer, ApiServerOptions, ServerEnvironment } from './options.ts'
import { createRegistry, type Registry } from './registry/registry.ts'
import { strategyFor } from './registry/strategies.ts'
import { createTunnels } from './reach/tunnel.ts'
import { createKubelets } from './streaming/kubelet.ts'
import type { StrategyEnvironment } from './strategy.ts'

export type * from './options.ts'

/** The server's own identity. */
const serverIdentity: Identity = { name: 'system:apiserver', groups: ['system:masters', 'system:authenticated'] }

/** How long requests in flight may take to finish when the server closes. */
const drainTime = 10_000

/** A client whose target is created later: strategies exist before the registry they look into. */
function lateClient(target: () => Client): Client {
  return new Proxy({} as Client, { get: (_, method) => target()[method as keyof Client] })
}

/** Builds the server over a store and fills its cache. `listen` opens the port; `clientFor` works without it. */
export async function createApiServer(options: ApiServerOptions): Promise<ApiServer> {
  const { store, clock, log } = options
  const stopping = new AbortController()
  const closing = new AbortController()
  const stopped = new AbortController()
  const active: Corridor['active'] = new Roster()
  const holder: { client?: Client } = {}
  const own = lateClient(() => holder.client!)
  const environment: StrategyEnvironment = { client: own, serviceCidr: options.serviceCidr ?? '10.96.0.0/12', nodePorts: options.nodePorts ?? [30_000, 32_767] }
  const registry = await createRegistry({
    store, clock, log, signal: stopped.signal, ...(options.freeze ? { freeze: true } : {}), strategyFor: (resource) => strategyFor(resource, environment),
  })
  const serverEnv = serverEnvironment(options, registry, own, environment.serviceCidr, stopping.signal)
  const edges = await options.edges(serverEnv)
  registry.admit(edges.admission, (call) => checkAuthorized(edges.authorize, call.user, infoOf(call.served.resource, { ...call, verb: 'create' })))
  const corridor: Corridor = { registry, routes: edges.routes, edges, log, active, closing: closing.signal, requestTimeout: options.requestTimeout, minRequestTimeout: options.minRequestTimeout }
  holder.client = createLocalClient(corridor, serverIdentity, { privileged: true })
  const definitions = await startDefinitions({ registry, client: holder.client, clock, log: log.child({ component: 'definitions' }), find: createFindWebhook(serverEnv) })
  const policies = startPolicyStatus({ registry, client: holder.client, clock, log: log.child({ component: 'policies' }) })
  let listener: Listener | undefined

  return {
    clientFor: (identity) => createLocalClient(corridor, identity),
    client: holder.client,
    registry: { get resources() { return registry.resources }, find: (group, version, plural) => registry.resource(group, version, plural) },
    get url() { return listener?.url ?? '' },
    get port() { return listener?.port ?? 0 },
    async listen() {
      lookForLate(corridor)
      listener = await listen({
        tls: options.tls,
        address: options.address ?? '127.0.0.1',
        port: options.port ?? 0,
        onRequest: (raw, response) => void serve(corridor, raw, response),
        takesUpgrade: (raw) => takesUpgrade(corridor, raw),
        onUpgrade: (raw, socket, head) => void serveUpgrade(corridor, raw, socket, head),
        onError: (error) => log.error({ error: error.message }, 'a connection could not be accepted'),
        limits: options.limits,
      })
    },
    renewTls: (tls) => listener?.renewTls(tls),
    async close() {
      stopping.abort()
      if (options.shutdownDelay) await clock.sleep(options.shutdownDelay)
      closing.abort()
      await definitions.stop()
      await policies.stop()
      if (listener) await drain(listener, active)
      stopped.abort()
    },
  }
}

/** Milliseconds between two checks for requests that take too long. */
const lateEvery = 1000

/** Cuts off requests that take too long, until the server closes. */
function lookForLate(corridor: Corridor): void {
  const { clock } = corridor.registry
  const look = () => {
    cutLate(corridor)
    timer = clock.after(lateEvery, look)
  }
  let timer = clock.after(lateEvery, look)
  corridor.closing.addEventListener('abort', () => timer.cancel(), { once: true })
}

/** Lets requests finish, then closes the rest. */
async function drain(listener: Listener, active: { readonly size: number }): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<void>((resolve) => (timer = setTimeout(resolve, drainTime)))
  const drained = listener.drain()
  while (active.size > 0) {
    const done = await Promise.race([late.then(() => true), new Promise<boolean>((resolve) => setTimeout(() => resolve(false), 10))])
    if (done) break
  }
  clearTimeout(timer)
  listener.destroy()
  await drained
}

function serverEnvironment(options: ApiServerOptions, registry: Registry, client: Client, serviceCidr: string, stopping: AbortSignal): ServerEnvironment {
  const { clock, log, store } = options
  const lister = <O, I>(resource: Resource<O, I>) => createLister<O>(registry, resource as Resource)
  return {
    client, clock, log, store, serviceCidr, stopping,
    commits: registry.commits,
    resources: () => registry.resources,
    lister,
    complete: ({ group, version, plural }, object) => registry.find(group, version, plural)?.complete(object) ?? object,
    load: ({ group, version, plural }) => {
      const cache = registry.find(group, version, plural)?.cache
      return cache && { objects: cache.size, watchers: cache.watcherCount }
    },
    revision: () => registry.cache.revision(),
    tunnels: options.tunnelTls && createTunnels(lister(core.pods), createKubelets(lister(core.nodes), options.tunnelTls)),
  }
}
