/** Extension API servers behind this one: who they are, whether they answer, what they serve, and the way to them. */
import type { Registry } from 'prom-client'
import { apiextensions, apiregistration, core, discovery, type Resource } from '../../api/index.ts'
import type { Client } from '../../client/client.ts'
import { createInformers } from '../../client/informer.ts'
import { runController, watch } from '../../client/run-controller.ts'
import { isConflict, isNotFound } from '../../machinery/errors.ts'
import type { Component } from '../../machinery/log.ts'
import { deepEqual } from '../../machinery/meta.ts'
import type { Handler, RequestInfo, UpgradeHandler } from '../http/request.ts'
import type { ServerEnvironment } from '../options.ts'
import { createServiceResolver } from '../reach/services.ts'
import { checkAvailability, localVerdict, withVerdict, type Verdict } from './availability.ts'
import { discover, type Discovered } from './discovery.ts'
import { fetchFrom } from './fetch.ts'
import { createRemoteCalls, resourcesOf, type RemoteCalls } from './calls.ts'
import { createConnections, type FrontProxyTls } from './front-proxy.ts'
import { createRemoteSpecs, type RemoteSpecs } from './specs.ts'
import { registerLocal } from './registration.ts'
import { countUnavailable } from './metrics.ts'
import { proxyHandler, proxyUpgrade } from './proxy.ts'
import { createRemotes, type Remote } from './remotes.ts'

/** A group version of another server, as discovery shows it. */
export interface RemoteVersion extends Discovered {
  readonly group: string
  readonly version: string
  readonly priority: { readonly group: number; readonly version: number }
}

export interface Aggregator {
  /** The handler of a request that another server answers; undefined for everything that is served here. */
  handler(info: RequestInfo): Handler | undefined
  upgrade(info: RequestInfo): UpgradeHandler | undefined
  /** What other servers serve; the same array until something changes. */
  versions(): readonly RemoteVersion[]
  /** The resources among them whose servers answer, as they can be used through `calls`; the same array until something changes. */
  resources(): readonly Resource[]
  /** The group versions (`metrics.k8s.io/v1beta1`) of which nobody knows now what is in them. */
  undiscovered(): readonly string[]
  /** What components in this process do with such resources, as `user`. */
  readonly calls: RemoteCalls
  /** Whether what is served here has been registered once. */
  registered(): boolean
  /** Their OpenAPI documents. */
  readonly specs: RemoteSpecs
  /** Registers what is served here and looks after the API services until it is stopped. */
  start(client: Client): Component
}

/** A server is asked again this often, whether it answers and what it serves. */
const interval = 30_000
/** How often is looked whether other resources are served here than before. */
const registrationInterval = 1_000
/** How many servers are asked at once: a slow one holds up nobody else. */
const concurrency = 20
/** The key under which the controller registers what is served here; no API service can be called so. */
const registration = '/local'

type Environment = Pick<ServerEnvironment, 'lister' | 'clock' | 'log' | 'resources' | 'tunnels'>

/** `tls`: the front proxy's certificate; without one, extension servers take this server for anonymous. `metrics`: where it is counted which do not answer. */
export function createAggregator(env: Environment, tls: (() => FrontProxyTls) | undefined, metrics?: Registry): Aggregator {
  const { clock } = env
  const log = env.log.child({ component: 'aggregator' })
  const services = env.lister(apiregistration.apiservices)
  const remotes = createRemotes(services)
  const connections = createConnections(createServiceResolver(env), tls)
  const known = createKnown(remotes.all)
  const count = metrics && countUnavailable(metrics, () => services.list())
  const state = { registered: false }
  const specs = createRemoteSpecs({ remotes, connections, clock })
  const of = ({ group, version, path }: RequestInfo): Remote | undefined => (group !== '' ? remotes.find(group, version) : versionPath(path, remotes.find))
  return {
    handler: (info) => {
      const remote = of(info)
      return remote && proxyHandler(connections, remote, log)
    },
    upgrade: (info) => {
      const remote = of(info)
      return remote && proxyUpgrade(connections, remote, log)
    },
    registered: () => state.registered,
    versions: known.versions,
    resources: memo(known.versions, (versions) => versions.filter((v) => v.freshness === 'Current').flatMap(resourcesOf)),
    undiscovered: () => known.versions().filter((v) => v.freshness === 'Stale').map((v) => `${v.group}/${v.version}`),
    calls: createRemoteCalls(remotes, connections),
    specs,
    start: (client) => {
      const sources = { services: env.lister(core.services), slices: env.lister(discovery.endpointslices), connections }
      const check = async (name: string) => {
        const remote = remotes.all().find((r) => r.name === name)
        const verdict = remote ? await checkAvailability(remote, sources) : localVerdict
        if (await writeVerdict(client, name, verdict, clock.now())) count?.(name, verdict)
      }
      const learn = async (name: string) => {
        const remote = remotes.all().find((r) => r.name === name)
        if (!remote) return known.forget(name)
        await Promise.all([
          discover((path, accept) => fetchFrom(connections.destination(remote, path), { headers: { accept } }), remote.group, remote.version)
            .then((resources) => known.learned(name, resources), (error: Error) => {
              log.debug({ apiService: name, error: error.message }, 'discovery of an API service failed')
              known.failed(name)
            }),
          specs.refresh(remote),
        ])
      }
      const component = follow({ client, clock, log, resources: env.resources, services, isRemote: (name) => remotes.all().some((r) => r.name === name), check, learn, registered: () => void (state.registered = true) })
      return {
        async stop() {
          await component.stop()
          connections.close()
        },
      }
    },
  }
}

/** `/apis/<group>/<version>` is no request for a resource, and still the other server's to answer. */
function versionPath(path: string, find: (group: string, version: string) => Remote | undefined): Remote | undefined {
  if (!path.startsWith('/apis/')) return undefined
  const [, , group = '', version = '', ...rest] = path.split('/')
  return group && version && rest.join('') === '' ? find(group, version) : undefined
}

interface Followed extends Pick<Environment, 'clock' | 'log' | 'resources'> {
  readonly client: Client
  readonly services: Parameters<typeof registerLocal>[1]
  isRemote(name: string): boolean
  check(name: string): Promise<void>
  learn(name: string): Promise<void>
  /** Called when what is served here is registered. */
  registered(): void
}

/** The loop: what is served here is registered, other servers are asked at every change of what they depend on, and now and then. */
function follow({ client, clock, log, resources, services, isRemote, check, learn, registered: done }: Followed): Component {
  const stopping = new AbortController()
  const informers = createInformers(client, { clock, log })
  const apiServices = informers.for(apiregistration.apiservices)
  const usersOf = (namespace: string, name: string): string[] =>
    apiServices.list().filter(({ spec }) => spec.service?.namespace === namespace && spec.service.name === name).map((s) => s.metadata.name ?? '')
  let registered: ReturnType<Environment['resources']> | undefined
  const register = async () => {
    const served = resources()
    if (served === registered) return
    await registerLocal(client, services, served, registered === undefined)
    registered = served
    done()
  }
  const controller = runController({
    name: 'apiservices',
    reconciler: {
      async reconcile(name) {
        if (name === registration) {
          await register()
          return { requeueAfter: registrationInterval }
        }
        await Promise.all([check(name), learn(name)])
        return isRemote(name) ? { requeueAfter: interval } : undefined
      },
    },
    watches: [
      watch(apiServices, ({ metadata }, { object, old }) => (old && sameButStatus(object, old) ? [] : [metadata.name ?? ''])),
      watch(informers.for(core.services), ({ metadata }) => usersOf(metadata.namespace ?? '', metadata.name ?? '')),
      watch(informers.for(discovery.endpointslices), ({ metadata }) => usersOf(metadata.namespace ?? '', metadata.labels?.['kubernetes.io/service-name'] ?? '')),
      watch(informers.for(apiextensions.customresourcedefinitions), () => [registration]),
    ],
    clock, log, concurrency, signal: stopping.signal,
  })
  controller.enqueue(registration)
  informers.start(stopping.signal)
  return {
    async stop() {
      stopping.abort()
      await controller.stop()
    },
  }
}

const sameButStatus = (a: apiregistration.APIService, b: apiregistration.APIService): boolean => a.metadata.uid === b.metadata.uid && deepEqual(a.spec, b.spec)

/** Writes what is known of an API service into its status. Resolves with whether that changed anything. */
async function writeVerdict(client: Client, name: string, verdict: Verdict, now: number): Promise<boolean> {
  for (;;) {
    try {
      const current = await client.get(apiregistration.apiservices, name)
      const next = withVerdict(current, verdict, now)
      if (next !== current) await client.updateStatus(apiregistration.apiservices, next)
      return next !== current
    } catch (error) {
      if (isNotFound(error)) return false
      if (!isConflict(error)) throw error
    }
  }
}

/** What is made of something that is seldom another; made once for each. */
function memo<A, B>(source: () => A, make: (value: A) => B): () => B {
  let last: { readonly from: A; readonly made: B } | undefined
  return () => {
    const from = source()
    if (last?.from !== from) last = { from, made: make(from) }
    return last.made
  }
}

/** What each server said last. */
function createKnown(all: () => readonly Remote[]) {
  const said = new Map<string, Discovered>()
  let changes = 0
  let seen: { readonly remotes: readonly Remote[]; readonly changes: number; readonly versions: readonly RemoteVersion[] } | undefined
  const put = (name: string, next: Discovered) => {
    if (deepEqual(said.get(name), next)) return
    said.set(name, next)
    changes++
  }
  return {
    learned: (name: string, resources: Discovered['resources']) => put(name, { resources, freshness: 'Current' }),
    failed: (name: string) => put(name, { resources: said.get(name)?.resources ?? [], freshness: 'Stale' }),
    forget: (name: string) => void (said.delete(name) && changes++),
    versions(): readonly RemoteVersion[] {
      const remotes = all()
      if (seen?.remotes !== remotes || seen.changes !== changes) {
        const versions = remotes.map(({ name, group, version, priority }) => ({ group, version, priority, ...(said.get(name) ?? { resources: [], freshness: 'Stale' as const }) }))
        seen = { remotes, changes, versions: seen && deepEqual(seen.versions, versions) ? seen.versions : versions }
      }
      return seen.versions
    },
  }
}
