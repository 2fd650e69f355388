/** Update: transform → default → admit → prepare → validate → allocate → admit → store; retried on conflict. */
import type { StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { badRequest, conflict, invalid, modified, notFound } from '../../machinery/errors.ts'
import { found, path, type Place } from '../../machinery/field.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { validateObjectMetaUpdate } from '../../machinery/names.ts'
import { Encoded } from '../cache/encoded.ts'
import { attributes, callPath, checkAborted, checkAdmitted, refuse, renewed, type Call, type RegistryEnvironment } from './call.ts'
import { put, remove } from './commit.ts'
import { create } from './create.ts'
import { trackUpdate } from './managed.ts'
import { bodyOf, withMeta } from './meta.ts'
import type { Served } from './served.ts'

/** How a request makes the next object from the current one, both in the version of the call. */
export type Transform = (current: ApiObject) => Promise<ApiObject> | ApiObject

/** What is particular to the endpoint of an update: the object itself, or one of its subresources. Stored version. */
export interface UpdateRules {
  prepare(next: ApiObject, current: ApiObject, call: Call): ApiObject
  validate(next: ApiObject, current: ApiObject, root: Place, call: Call): void
  /** Only updates of the object itself count up its generation. */
  readonly counts: boolean
  /** Whether the strategy's `consult` is asked: of the object and of its status. */
  readonly consults?: boolean
  /** What admission sees instead of the object (a Scale), and the object with what admission changed in that. Left out: the object. */
  readonly seen?: Seen
}

export interface Seen {
  readonly type: StructType<ApiObject>
  show(object: ApiObject): ApiObject
  put(shown: ApiObject, object: ApiObject): ApiObject
}

/** The next object after mutating admission: synchronous, unless a webhook has to be asked. */
function mutated(env: RegistryEnvironment, call: Call, seen: Seen | undefined, next: ApiObject, current: ApiObject): Promise<ApiObject> | ApiObject {
  if (seen) return mutatedShown(env, call, seen, next, current)
  const answer = env.admission.mutate(attributes(call, 'UPDATE', next, current))
  return answer instanceof Promise ? answer.then((made) => made ?? next) : (answer ?? next)
}

async function mutatedShown(env: RegistryEnvironment, call: Call, seen: Seen, next: ApiObject, current: ApiObject): Promise<ApiObject> {
  const shown = seen.show(next)
  const made = (await env.admission.mutate(attributes(call, 'UPDATE', shown, seen.show(current), seen.type))) ?? shown
  return made === shown ? next : seen.put(made, next)
}

/** Rounds of compare-and-swap before giving up. In each lost round another writer won, so this is never reached by accident. */
const rounds = 100

/** The rules of an update of the whole object. */
export const objectRules = (served: Served): UpdateRules => ({
  prepare: (next, current, call) => served.strategy.prepareForUpdate?.(next, current, call) ?? next,
  validate: (next, current, root, call) => {
    const { strategy } = served
    if (strategy.validateUpdate) strategy.validateUpdate(next, current, root, call)
    else strategy.validate?.(next, root, call)
  },
  counts: true,
  consults: true,
})

/** The rules of the status subresource: the spec stays, and the metadata that a status writer may not change. */
export const statusRules = (served: Served): UpdateRules => ({
  prepare: (next, current, call) => {
    if (served.strategy.prepareForStatusUpdate) return served.strategy.prepareForStatusUpdate(next, current, call)
    const { status } = bodyOf(next)
    const metadata = served.strategy.statusOnly
      ? withMeta(current, { managedFields: next.metadata.managedFields }).metadata
      : withMeta(next, { ownerReferences: current.metadata.ownerReferences }).metadata
    return { ...current, metadata, ...(status === undefined ? {} : { status }) }
  },
  validate: (next, current, root, call) => served.strategy.validateStatusUpdate?.(next, current, root, call),
  counts: false,
  consults: true,
})

export interface UpdateOptions {
  /** The object to create when there is none; left out, that is a 404. */
  readonly missing?: () => ApiObject
  /** The transform updates the managed fields itself: it is an apply. */
  readonly managed?: boolean
}

export interface Updated {
  readonly item: Encoded
  readonly created: boolean
}

/**
 * Applies `transform` to the object the call names. Throws `ApiError` 403, 404, 409 (stale resourceVersion, other uid), 422.
 */
export async function update(env: RegistryEnvironment, call: Call, rules: UpdateRules, transform: Transform, options: UpdateOptions = {}): Promise<Updated> {
  for (let round = 0, now = call; round < rounds; round++, now = renewed(env, call)) {
    checkAborted(now)
    const current = now.served.cache.get(callPath(now))
    if (!current) return createInstead(env, now, options)
    const done = await attemptUpdate(env, now, rules, transform, current, options)
    if (done) return { item: done, created: false }
  }
  throw modified(call.served.storage, call.name)
}

async function createInstead(env: RegistryEnvironment, call: Call, { missing, managed = false }: UpdateOptions): Promise<Updated> {
  if (!missing || call.subresource) throw notFound(call.served.storage, call.name)
  const object = missing()
  checkName(call, object)
  const { uid, resourceVersion } = object.metadata
  if (managed && uid) throw conflict(call.served.storage, call.name, `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`)
  // An update of an object that is gone does not ask for a new one; an applied configuration does.
  if (!managed && (resourceVersion || uid)) throw notFound(call.served.storage, call.name)
  const asked = env.checkMayCreate(call)
  if (asked) await asked
  return { item: await create(env, call, managed && resourceVersion ? withMeta(object, { resourceVersion: undefined }) : object, { managed }), created: true }
}

/** Throws `ApiError` 400 when the object is not the one that the URL names. */
export function checkName(call: Call, { metadata: { name = '', namespace = '' } }: ApiObject): void {
  if (!name) throw badRequest(`the name of the object (${call.name} based on URL) was undeterminable: name must be provided`)
  if (name !== call.name) throw badRequest(`the name of the object (${name}) does not match the name on the URL (${call.name})`)
  if (namespace && call.served.resource.namespaced && namespace !== call.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  }
}

/** What an update may not say of identity. Throws `ApiError` 400, 409 or 422. */
function checkIdentity(call: Call, next: ApiObject, current: ApiObject): void {
  const { resource, strategy } = call.served
  const { uid, resourceVersion } = next.metadata
  if (uid && uid !== current.metadata.uid) {
    // A patch need not name the object, but cannot turn it into another one.
    if (call.verb === 'patch') refuse(call, call.name, [path('metadata').at('uid').invalid(uid, 'field is immutable')])
    const key = `${call.dryRun ? '' : '/registry'}/${call.served.storage.plural}/${call.namespace ? `${call.namespace}/` : ''}${call.name}`
    throw conflict(call.served.storage, call.name, `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${current.metadata.uid}`)
  }
  if (resourceVersion) {
    // Kubernetes answers with an internal error (500); but it is the object that is wrong.
    if (!/^\d{1,20}$/.test(resourceVersion)) throw badRequest(`strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax`)
    if (resourceVersion !== current.metadata.resourceVersion) throw modified(call.served.storage, call.name)
  } else if (strategy.unconditionalUpdate === false) {
    throw invalid({ group: resource.group, kind: resource.plural }, call.name, [path('metadata').at('resourceVersion').invalid(0, 'must be specified for an update')])
  }
}

/** The metadata of the next object: what a client left out, and what it cannot change, come from the current one. */
function inherited(next: ApiObject, current: ApiObject): ApiObject {
  const old = current.metadata
  const m = next.metadata
  return withMeta(next, {
    uid: old.uid,
    // Where there are none, nobody is moved into one.
    namespace: old.namespace && (m.namespace ?? old.namespace),
    generateName: m.generateName ?? old.generateName,
    generation: old.generation,
    // What a client says of when it was made is passed over; so is what it says of a deletion that has begun. Only a deletion begins one.
    creationTimestamp: old.creationTimestamp ?? m.creationTimestamp,
    deletionTimestamp: old.deletionTimestamp ?? m.deletionTimestamp,
    deletionGracePeriodSeconds: m.deletionGracePeriodSeconds ?? old.deletionGracePeriodSeconds,
    selfLink: undefined,
    resourceVersion: undefined,
  })
}

/** Whether the generation counts up: the spec changed, or for a kind without one anything but metadata and status. */
function specChanged(next: ApiObject, current: ApiObject): boolean {
  const a = bodyOf(next)
  const b = bodyOf(current)
  if ('spec' in a || 'spec' in b) return !deepEqual(a.spec, b.spec)
  const { metadata: _m, status: _s, ...left } = a
  const { metadata: _n, status: _t, ...right } = b
  return !deepEqual(left, right)
}

/** One try; undefined when the object changed meanwhile. */
async function attemptUpdate(env: RegistryEnvironment, call: Call, rules: UpdateRules, transform: Transform, item: Encoded, { managed = false }: UpdateOptions): Promise<Encoded | undefined> {
  const { served } = call
  if (served.custom?.ready) await served.custom.ready([item])
  const current = served.working(item).object
  const transformed = transform(served.view(item).object)
  const wanted = transformed instanceof Promise ? await transformed : transformed
  checkName(call, wanted)
  checkIdentity(call, wanted, current)
  const completed = inherited(served.complete(wanted), current)
  const tracking = managed ? completed : trackUpdate(call, completed, current, rules)
  const tracked = tracking instanceof Promise ? await tracking : tracking
  const mutation = mutated(env, call, rules.seen, tracked, current)
  const admitted = mutation instanceof Promise ? await mutation : mutation
  checkAdmitted(tracked, admitted)
  const loading = served.strategy.ready?.(admitted)
  if (loading) await loading
  const prepared = rules.prepare(inherited(admitted, current), current, call)
  const moved = served.strategy.moved ?? specChanged
  const generation = (current.metadata.generation ?? 0) + (rules.counts && served.counted && moved(prepared, current) ? 1 : 0)
  const next = withMeta(prepared, { generation: generation || undefined, resourceVersion: undefined })
  const consulted = rules.consults ? served.strategy.consult?.(next, current, call) : undefined
  const known = consulted ? await consulted : []
  refuse(call, call.name, found((root) => {
    for (const error of known) root.say(error)
    validateObjectMetaUpdate(next.metadata, current.metadata, root.at('metadata'), served.strategy)
    rules.validate(next, current, root, call)
  }))
  for (const text of (rules.counts && served.strategy.warnings?.(next, current)) || []) call.warn(text)

  const allocation = rules.counts && served.strategy.allocation ? await served.strategy.allocation.allocate(next, current, call) : undefined
  const complete = allocation?.object ?? next
  let stored: Encoded | undefined
  try {
    const { seen } = rules
    const asked = env.admission.validate(seen ? attributes(call, 'UPDATE', seen.show(complete), seen.show(current), seen.type) : attributes(call, 'UPDATE', complete, current))
    if (asked) await asked
    checkAborted(call)
    stored = await store(env, call, complete, item, current)
  } catch (error) {
    await allocation?.rollback()
    throw error
  }
  if (!allocation) return stored
  if (call.dryRun || !stored) await allocation.rollback()
  else await allocation.commit?.()
  return stored
}

/** Whether nothing keeps a deleted object any longer: the update that removes its last finalizer removes it. */
export function isFinished(served: Served, object: ApiObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers } = object.metadata
  return Boolean(deletionTimestamp) && !finalizers?.length && deletionGracePeriodSeconds === 0 && !served.rule.held?.(object)
}

async function store(env: RegistryEnvironment, call: Call, next: ApiObject, item: Encoded, current: ApiObject): Promise<Encoded | undefined> {
  if (call.dryRun) return new Encoded(item.key, 0, withMeta(next, { resourceVersion: String(item.revision) }))
  if (isFinished(call.served, next)) {
    const removed = await remove(env, item, current)
    if (!removed) return undefined
    await call.served.strategy.allocation?.release(current)
    return new Encoded(item.key, removed.revision, withMeta(next, { resourceVersion: String(removed.revision) }))
  }
  // An update that changes nothing writes nothing: watchers see no event and the resourceVersion stays.
  if (deepEqual(next, withMeta(current, { resourceVersion: undefined })) && !call.served.custom?.outdated(item) && !(env.store.stale && await env.store.stale(item.key))) return item
  return put(env, call, item.key, next, item)
}
