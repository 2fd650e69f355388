/** The registry: every resource that is served, and the calls on them. */
import { declared, type Resource, type StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { internal, methodNotSupported, notFound, type ResourceName } from '../../machinery/errors.ts'
import { decodeObject } from '../../machinery/json.ts'
import { startCache, type Cache, type StoredKind } from '../cache/cache.ts'
import type { ResourceCache } from '../cache/resource-cache.ts'
import { Encoded } from '../cache/encoded.ts'
import { eachPausing } from '../../machinery/pausing.ts'
import { getAt, list, type ListQuery, type ListResult, type ListSource } from '../cache/list.ts'
import { selectionOf, type SelectionOptions } from '../cache/selection.ts'
import { watch, type Sink, type WatchQuery } from '../cache/watch.ts'
import type { ApiServerOptions } from '../options.ts'
import type { Strategy } from '../strategy.ts'
import type { AdmissionChain } from '../admission/admission.ts'
import { createCommitCount } from './commits.ts'
import { callPath, type Call, type RegistryEnvironment } from './call.ts'
import { checkDeletion, deleteObject, type Deletion } from './delete.ts'
import { createServed, isStored, storedKind, type Served } from './served.ts'
import { storageOf } from './conversions.ts'

export interface Registry extends RegistryEnvironment {
  readonly resources: readonly Resource[]
  /** Whether the resource is served at all, stored or not. */
  resource(group: string, version: string, plural: string): Resource | undefined
  /** The admission chain and who may create, once the edges are there. */
  admit(chain: AdmissionChain, checkMayCreate: RegistryEnvironment['checkMayCreate']): void
  /** Serves a kind from now on, replacing what was served under the same prefix. Resolves when its objects can be read. */
  serve(kind: LateKind): Promise<void>
  /** Stops serving the kind of the prefix. */
  withdraw(prefix: string): void
}

/** A kind that comes while the server runs, in one version or in several. */
export interface LateKind {
  readonly stored: StoredKind
  /** What is served of it, over the cache that holds its objects. */
  versions(cache: ResourceCache): readonly Served[]
}

const nameOf = (group: string, version: string, plural: string): string => `${group}/${version}/${plural}`

export type RegistryOptions = Pick<ApiServerOptions, 'store' | 'clock' | 'log' | 'freeze'> & {
  readonly strategyFor: (resource: Resource) => Strategy
  readonly signal: AbortSignal
}

/** Fills the cache and puts every declared resource in front of it. */
export async function createRegistry({ store, clock, log, freeze, strategyFor, signal }: RegistryOptions): Promise<Registry> {
  const strategies = new Map<Resource, Strategy>()
  const strategyOnce = (resource: Resource): Strategy => {
    let strategy = strategies.get(resource)
    if (!strategy) strategies.set(resource, (strategy = strategyFor(resource)))
    return strategy
  }
  const stored = declared.filter(isStored)
  const kinds: StoredKind[] = stored.filter((r) => storageOf(r) === r).map((r) => storedKind(r, strategyOnce(r)))
  const cache: Cache = await startCache({ store, clock, log, kinds, signal, ...(freeze ? { freeze } : {}) })
  const byName = new Map(stored.map((resource) => [nameOf(resource.group, resource.version, resource.plural), createServed({ resource, strategyFor: strategyOnce, cache })]))
  const all = new Map(declared.map((resource) => [nameOf(resource.group, resource.version, resource.plural), resource]))
  // A built-in group version cannot be taken over.
  const builtIn = new Set(declared.map((resource) => resource.apiVersion))
  const late = new Map<string, { readonly cache: ResourceCache; readonly versions: readonly Served[] }>()
  // A new array tells whoever derived documents from the old one that something has changed.
  let resources: readonly Resource[] = declared
  const replace = (prefix: string, next: { readonly cache: ResourceCache; readonly versions: readonly Served[] } | undefined) => {
    const before = late.get(prefix)
    for (const { resource } of before?.versions ?? []) for (const map of [byName, all]) map.delete(nameOf(resource.group, resource.version, resource.plural))
    late.delete(prefix)
    if (next) late.set(prefix, next)
    for (const served of next?.versions ?? []) {
      const { group, version, plural } = served.resource
      byName.set(nameOf(group, version, plural), served)
      all.set(nameOf(group, version, plural), served.resource)
    }
    resources = [...declared, ...[...late.values()].flatMap((kind) => kind.versions.map((served) => served.resource))]
    if (before) cache.remove(before.cache)
  }
  let admission: AdmissionChain = { mutate: async ({ object }) => object, validate: async () => undefined }
  let checkMayCreate: RegistryEnvironment['checkMayCreate'] = () => { throw internal('nobody can be asked yet who may create objects') }
  return {
    cache,
    store,
    clock,
    commits: createCommitCount(),
    get admission() { return admission },
    get resources() { return resources },
    find: (group, version, plural) => byName.get(nameOf(group, version, plural)),
    resource: (group, version, plural) => all.get(nameOf(group, version, plural)),
    checkMayCreate: (call) => checkMayCreate(call),
    admit(chain, check) {
      admission = chain
      checkMayCreate = check
    },
    async serve({ stored: kind, versions }) {
      const objects = await cache.add(kind)
      replace(kind.prefix, { cache: objects, versions: versions(objects).filter(({ resource }) => !builtIn.has(resource.apiVersion)) })
    },
    withdraw: (prefix) => replace(prefix, undefined),
  }
}

/** Throws `ApiError` 405 when the resource does not have the verb. */
export function checkVerb(resource: Resource, verb: string): void {
  if (!(resource.verbs as readonly string[]).includes(verb)) throw methodNotSupported(resource, verb)
}

const decoders = new WeakMap<Served, ListSource['decode']>()
const sourceOf = (env: RegistryEnvironment, served: Served): ListSource => {
  const { custom, cache } = served
  let decode = decoders.get(served)
  if (!decode) decoders.set(served, (decode = custom?.decode ?? storedKind(served.storage, served.strategy).decode))
  return { cache: env.cache, store: env.store, clock: env.clock, objects: cache, decode, ...(custom?.ready ? { ready: custom.ready } : {}) }
}

/** One object: synchronously, unless it must be as new as `resourceVersion` or needs a conversion webhook. `missing`: the name in the 404. Throws `ApiError` 404, 504. */
export function getObject(env: RegistryEnvironment, where: Pick<Call, 'served' | 'namespace' | 'name'>, resourceVersion: string, missing: ResourceName = where.served.storage): Promise<Encoded> | Encoded {
  const { served } = where
  const path = callPath(where)
  const found = (item: Encoded | undefined): Promise<Encoded> | Encoded => {
    if (!item) throw notFound(missing, where.name)
    return served.custom?.ready?.([item])?.then(() => item) ?? item
  }
  if (resourceVersion === '') return found(served.cache.get(path))
  return getAt({ cache: env.cache, clock: env.clock, objects: served.cache }, path, resourceVersion).then(found)
}

/** The objects that the options select. Throws `ApiError` 400, 410, 504. */
export const listObjects = (env: RegistryEnvironment, served: Served, select: SelectionOptions, query: ListQuery): Promise<ListResult> =>
  list(sourceOf(env, served), selectionOf(served, select), query)

const blanks = new WeakMap<Served, Encoded>()

/** An empty object of the kind, for bookmarks. */
function blankOf(served: Served): Encoded {
  let blank = blanks.get(served)
  if (!blank) {
    const { kind, apiVersion } = served.storage
    blanks.set(served, (blank = new Encoded('', 0, decodeObject(served.storage.type as unknown as StructType<ApiObject>, { kind, apiVersion, metadata: {} }).object)))
  }
  return blank
}

/** Tells the sink every change of what the options select, until the returned function is called. Throws `ApiError` 400, 410, 504. */
export const watchObjects = (env: RegistryEnvironment, served: Served, select: SelectionOptions, query: WatchQuery, sink: Sink): Promise<() => void> =>
  watch({ source: sourceOf(env, served), selection: selectionOf(served, select), query, sink, blank: blankOf(served) })

/** What to delete: the objects of a list, or of its first page if it has a limit. */
export interface Deletions {
  readonly select: SelectionOptions
  readonly query?: ListQuery
  readonly deletion: Deletion
}

const everything: ListQuery = { limit: 0, continue: '', resourceVersion: '', match: '' }

/** Deletes every object that the options select; resolves with those that are gone or going. */
export async function deleteObjects(env: RegistryEnvironment, call: Call, { select, query = everything, deletion }: Deletions): Promise<ListResult> {
  // Nothing may be selected: wrong options are wrong all the same.
  checkDeletion(deletion)
  const found = await listObjects(env, call.served, select, query)
  const one = async ({ object }: Encoded): Promise<Encoded | undefined> => {
    const { name = '', namespace = '' } = object.metadata
    try {
      return (await deleteObject(env, { ...call, name, namespace }, deletion)).item
    } catch (error) {
      // Somebody else deleted it first, which is just as well.
      if ((error as { code?: unknown }).code === 404) return undefined
      throw error
    }
  }
  const deletions: Promise<Encoded | undefined>[] = []
  const failed: unknown[] = []
  await eachPausing(found.items, (item) => {
    const going = one(item)
    going.catch((error: unknown) => failed.push(error))
    deletions.push(going)
    return failed.length === 0
  })
  const deleted = await Promise.all(deletions)
  return { ...found, items: deleted.filter((item) => item !== undefined) }
}
