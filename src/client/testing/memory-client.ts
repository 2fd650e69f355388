/**
 * A client over a Map, for tests of what is written against `Client`: objects with uids and resource versions,
 * optimistic concurrency, finalizers, watches. No admission, no validation, no strategies: that is the API server's.
 */
import type { Resource } from '../../api/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import { ApiError, alreadyExists, modified, notFound } from '../../machinery/errors.ts'
import { parseFieldSelector } from '../../machinery/fields.ts'
import { decodeObject } from '../../machinery/json.ts'
import { parseLabelSelector } from '../../machinery/labels.ts'
import { randomSuffix } from '../../machinery/meta.ts'
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch } from '../../machinery/patch.ts'
import type { ApiObject, Client, DeleteOptions, Patch, UpdateOptions, WatchEvent, WatchOptions } from '../client.ts'

export interface Call { readonly verb: string; readonly resource: string; readonly name: string; readonly subresource: string; readonly object?: unknown }

export interface MemoryClient extends Client {
  /** Every write, in order. */
  readonly calls: readonly Call[]
  /** Called before each write; throwing from it makes the write fail. */
  onCall: ((call: Call) => void | Promise<void>) | undefined
  /** Changes a stored object as a user or a node would, without a resource version: `edit(core.pods, 'default/x', (pod) => ({ ...pod, … }))`. */
  edit<O>(resource: Resource<O>, key: string, change: (object: O) => unknown): void
  /** Everything of a resource that is stored, by key. */
  stored<O>(resource: Resource<O>): ReadonlyMap<string, O>
}

interface Change { readonly resource: string; readonly type: 'ADDED' | 'MODIFIED' | 'DELETED'; readonly object: ApiObject; readonly old?: ApiObject; readonly revision: number }

const get = (object: unknown, path: string): string => {
  let value = object
  for (const part of path.split('.')) value = (value as Record<string, unknown> | undefined)?.[part]
  return value === undefined || value === null ? '' : String(value as string)
}

/** What a list or watch selects. */
function matcher(o: { readonly namespace?: string; readonly labelSelector?: string; readonly fieldSelector?: string }): (object: ApiObject) => boolean {
  const labels = o.labelSelector ? parseLabelSelector(o.labelSelector) : undefined
  const fields = o.fieldSelector ? parseFieldSelector(o.fieldSelector).requirements : []
  return (object) =>
    (!o.namespace || object.metadata.namespace === o.namespace)
    && (!labels || labels.matches(object.metadata.labels))
    && fields.every((f) => (get(object, f.path) === f.value) === (f.op === '='))
}

const deepFrozen = <T>(value: T): T => {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    for (const part of Object.values(value)) deepFrozen(part)
  }
  return value
}

/** The revisioned objects and their history. */
function createObjects(clock: Clock) {
  const objects = new Map<string, Map<string, ApiObject>>()
  const history: Change[] = []
  const watchers = new Set<() => void>()
  let revision = 1
  let serial = 0
  const of = (resource: Resource) => {
    const bucket = objects.get(resource.groupResource) ?? new Map<string, ApiObject>()
    objects.set(resource.groupResource, bucket)
    return bucket
  }
  const keyOf = (object: ApiObject) => (object.metadata.namespace ? `${object.metadata.namespace}/${object.metadata.name}` : (object.metadata.name ?? ''))
  const decode = (resource: Resource, value: unknown): ApiObject =>
    decodeObject(resource.type, { ...(JSON.parse(JSON.stringify(value)) as object), kind: resource.kind, apiVersion: resource.apiVersion }).object as ApiObject
  function commit(resource: Resource, type: Change['type'], object: ApiObject): ApiObject {
    revision++
    const stamped = deepFrozen({ ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } })
    const key = keyOf(stamped)
    const old = of(resource).get(key)
    if (type === 'DELETED') of(resource).delete(key)
    else of(resource).set(key, stamped)
    history.push({ resource: resource.groupResource, type, object: stamped, ...(old ? { old } : {}), revision })
    for (const wake of watchers) wake()
    return stamped
  }
  const now = () => `${new Date(clock.now()).toISOString().slice(0, 19)}Z`
  const uid = () => `uid-${++serial}`
  return { of, keyOf, decode, commit, history, watchers, now, uid, revision: () => revision }
}

type Objects = ReturnType<typeof createObjects>

/** Spec changes count a generation; an object without finalizers that is being deleted goes. */
function store(db: Objects, resource: Resource, old: ApiObject, next: ApiObject): ApiObject {
  const changed = JSON.stringify((old as { spec?: unknown }).spec) !== JSON.stringify((next as { spec?: unknown }).spec)
  const { uid, creationTimestamp, deletionTimestamp, generation = 1 } = old.metadata
  const metadata = { ...next.metadata, uid, creationTimestamp, deletionTimestamp, generation: changed ? generation + 1 : generation }
  const object = { ...next, metadata }
  if (JSON.stringify({ ...object, metadata: { ...metadata, resourceVersion: '' } }) === JSON.stringify({ ...old, metadata: { ...old.metadata, resourceVersion: '' } })) return old
  const goes = deletionTimestamp && (metadata.finalizers ?? []).length === 0 && !(resource.plural === 'namespaces' && get(object, 'spec.finalizers'))
  return db.commit(resource, goes ? 'DELETED' : 'MODIFIED', object)
}

function patched(resource: Resource, current: ApiObject, patch: Patch): unknown {
  const document = JSON.parse(JSON.stringify(current)) as never
  if (patch.type === 'json') return applyJsonPatch(document, patch.body as never)
  if (patch.type === 'merge') return applyMergePatch(document, patch.body)
  if (patch.type === 'strategic') return applyStrategicMergePatch(resource.type, document, patch.body)
  throw new Error('the memory client does not apply')
}

async function* watchChanges(db: Objects, resource: Resource, o: WatchOptions): AsyncGenerator<WatchEvent<ApiObject>> {
  const matches = matcher(o)
  let at = db.history.findIndex((c) => c.revision > Number(o.resourceVersion ?? db.revision()))
  if (at < 0) at = db.history.length
  while (!o.signal?.aborted) {
    for (; at < db.history.length; at++) {
      const change = db.history[at] as Change
      if (change.resource !== resource.groupResource) continue
      const is = change.type !== 'DELETED' && matches(change.object)
      const was = change.old !== undefined && matches(change.old)
      if (is) yield { type: was ? 'MODIFIED' : 'ADDED', object: change.object }
      else if (was) yield { type: 'DELETED', object: change.object }
      if (o.signal?.aborted) return
    }
    await new Promise<void>((resolve) => {
      const wake = () => {
        db.watchers.delete(wake)
        o.signal?.removeEventListener('abort', wake)
        resolve()
      }
      db.watchers.add(wake)
      o.signal?.addEventListener('abort', wake)
    })
  }
}

/** Marks for deletion, or removes: finalizers and a namespace's own finalizers keep an object. */
function remove(db: Objects, resource: Resource, current: ApiObject, o: DeleteOptions): ApiObject {
  if (o.preconditions?.uid && o.preconditions.uid !== current.metadata.uid) throw modified(resource, current.metadata.name ?? '')
  if (o.preconditions?.resourceVersion && o.preconditions.resourceVersion !== current.metadata.resourceVersion) throw modified(resource, current.metadata.name ?? '')
  const finalizer = o.propagationPolicy === 'Foreground' ? 'foregroundDeletion' : o.propagationPolicy === 'Orphan' ? 'orphan' : undefined
  const finalizers = [...(current.metadata.finalizers ?? []), ...(finalizer && !current.metadata.finalizers?.includes(finalizer) ? [finalizer] : [])]
  if (finalizers.length === 0 && !(resource.plural === 'namespaces' && get(current, 'spec.finalizers'))) return db.commit(resource, 'DELETED', current)
  if (current.metadata.deletionTimestamp) return current
  const terminating = resource.plural === 'namespaces' ? { status: { phase: 'Terminating' } } : {}
  return db.commit(resource, 'MODIFIED', { ...current, ...terminating, metadata: { ...current.metadata, finalizers, deletionTimestamp: db.now(), deletionGracePeriodSeconds: 0 } })
}

/** An empty cluster. Objects that come back are frozen. */
export function createMemoryClient(clock: Clock): MemoryClient {
  const db = createObjects(clock)
  const calls: Call[] = []
  const key = (namespace: string | undefined, name: string) => (namespace ? `${namespace}/${name}` : name)
  const find = (resource: Resource, namespace: string | undefined, name: string): ApiObject => {
    const object = db.of(resource).get(key(resource.namespaced ? namespace : '', name))
    if (!object) throw notFound(resource, name)
    return object
  }
  const record = async (call: Call) => {
    await client.onCall?.(call)
    calls.push(call)
  }

  function write(resource: Resource, current: ApiObject, value: unknown, subresource: string): ApiObject {
    const next = db.decode(resource, value)
    const version = next.metadata.resourceVersion
    if (version && version !== current.metadata.resourceVersion) throw modified(resource, current.metadata.name ?? '')
    const status = (o: ApiObject) => (o as { status?: unknown }).status
    if (subresource === 'status' || subresource === 'approval') {
      // Who writes a status may write labels and annotations with it, as the real server lets him.
      const { annotations, labels } = next.metadata
      return store(db, resource, current, { ...current, metadata: { ...current.metadata, annotations, labels }, status: status(next) } as ApiObject)
    }
    const kept = resource.subresources.includes('status') ? { status: status(current) } : {}
    return store(db, resource, current, { ...next, ...kept, metadata: { ...next.metadata, namespace: current.metadata.namespace } } as ApiObject)
  }

  async function update(resource: Resource, value: unknown, o: UpdateOptions = {}): Promise<ApiObject> {
    const { name = '', namespace } = (value as ApiObject).metadata
    await record({ verb: 'update', resource: resource.groupResource, name, subresource: o.subresource ?? '', object: value })
    return write(resource, find(resource, o.namespace ?? namespace, name), value, o.subresource ?? '')
  }

  const client = {
    calls,
    onCall: undefined as MemoryClient['onCall'],
    get: async (r: Resource, name: string, o: { namespace?: string } = {}) => find(r, o.namespace, name),
    list: async (r: Resource, o: { namespace?: string; labelSelector?: string; fieldSelector?: string } = {}) =>
      ({ metadata: { resourceVersion: String(db.revision()) }, items: [...db.of(r).values()].filter(matcher(o)) }),
    watch: (r: Resource, o: WatchOptions = {}) => watchChanges(db, r, o),
    async create(r: Resource, value: unknown, o: { namespace?: string } = {}) {
      const decoded = db.decode(r, value)
      const { generateName } = decoded.metadata
      const name = decoded.metadata.name ?? `${generateName ?? ''}${randomSuffix()}`
      await record({ verb: 'create', resource: r.groupResource, name, subresource: '', object: value })
      const namespace = r.namespaced ? (o.namespace ?? decoded.metadata.namespace) : undefined
      if (r.namespaced && !namespace) throw new ApiError(400, 'BadRequest', 'the namespace is missing')
      if (db.of(r).has(key(namespace, name))) throw alreadyExists(r, name)
      const metadata = { ...decoded.metadata, name, ...(namespace ? { namespace } : {}), uid: db.uid(), generation: 1, creationTimestamp: db.now() }
      return db.commit(r, 'ADDED', { ...decoded, metadata })
    },
    update,
    updateStatus: (r: Resource, value: unknown, o: UpdateOptions = {}) => update(r, value, { ...o, subresource: 'status' }),
    async patch(r: Resource, name: string, patch: Patch, o: UpdateOptions = {}) {
      await record({ verb: 'patch', resource: r.groupResource, name, subresource: o.subresource ?? '', object: patch.body })
      const current = find(r, o.namespace, name)
      return write(r, current, patched(r, current, patch), o.subresource ?? '')
    },
    async delete(r: Resource, name: string, o: DeleteOptions = {}) {
      await record({ verb: 'delete', resource: r.groupResource, name, subresource: '', object: o })
      return remove(db, r, find(r, o.namespace, name), o)
    },
    async deleteCollection(r: Resource, o: DeleteOptions & { labelSelector?: string; fieldSelector?: string } = {}) {
      await record({ verb: 'deletecollection', resource: r.groupResource, name: '', subresource: '', object: o })
      for (const object of [...db.of(r).values()].filter(matcher(o))) remove(db, r, object, o)
    },
    async createSubresource(r: Resource, name: string, subresource: string, body: unknown) {
      await record({ verb: 'create', resource: r.groupResource, name, subresource, object: body })
      return body
    },
    raw: async (path: string) => { throw new ApiError(404, 'NotFound', `the memory client does not serve ${path}`) },
    edit(r: Resource, k: string, change: (object: never) => unknown) {
      const current = db.of(r).get(k)
      if (!current) throw new Error(`nothing at ${k}`)
      store(db, r, current, db.decode(r, change(current as never)))
    },
    stored: (r: Resource) => db.of(r),
  }
  return client as unknown as MemoryClient
}
