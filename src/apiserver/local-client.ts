/** The client in the same process: direct calls into the registry, with the same authorization, admission and validation as over HTTP. */
import type { Resource, StructType } from '../api/index.ts'
import type { ApiObject, CallOptions, Client, DeleteOptions, GetOptions, ListOptions, Patch, UpdateOptions, WatchOptions, WriteOptions } from '../client/client.ts'
import { badRequest, methodNotSupported, notFound, unknownResource } from '../machinery/errors.ts'
import { decodeObject } from '../machinery/json.ts'
import { checkAuthorized } from './authz/check.ts'
import type { Corridor } from './corridor.ts'
import type { RemoteCalls } from './aggregation/calls.ts'
import type { RequestInfo } from './http/request.ts'
import { selectedName } from './http/request-info.ts'
import { rawGet } from './http/raw.ts'
import { auditedClient, trailOf } from './audit/local.ts'
import type { Identity } from './identity.ts'
import type { AuditTrail, VirtualResource } from './options.ts'
import { actionOf, runAction } from './registry/actions.ts'
import { callerOf, makeCall, type Call } from './registry/call.ts'
import { create } from './registry/create.ts'
import { deleteObject, type Deletion } from './registry/delete.ts'
import { patchObject } from './registry/patch.ts'
import { checkVerb, deleteObjects, getObject, listObjects, watchObjects } from './registry/registry.ts'
import type { Served } from './registry/served.ts'
import { subresourceOf, type Subresource } from './registry/subresources.ts'
import { checkName, objectRules, update } from './registry/update.ts'
import { runVirtual } from './registry/virtual.ts'
import { eventQueue } from './cache/event-queue.ts'

export interface LocalClientOptions {
  /** The server itself: not authorized. */
  readonly privileged?: boolean
}

interface Target { readonly verb: string; readonly namespace?: string | undefined; readonly name?: string | undefined; readonly subresource?: string | undefined; readonly fieldSelector?: string | undefined; readonly labelSelector?: string | undefined }

const selectorsOf = ({ fieldSelector, labelSelector }: Pick<ListOptions, 'fieldSelector' | 'labelSelector'>) => ({ fieldSelector, labelSelector })

/** What a call is about, for authorizers. */
export const infoOf = (resource: Resource, { verb, namespace = '', name = '', subresource = '', fieldSelector, labelSelector }: Target): RequestInfo => ({
  path: '', isResourceRequest: true, verb, group: resource.group, version: resource.version, resource: resource.plural, rest: '',
  namespace: resource.namespaced ? namespace : '', name, subresource, fieldSelector, labelSelector,
})

/** The type by which objects are decoded: for a custom kind the schema of its definition, whatever the program knows of it. */
const typeFor = ({ custom, resource: served }: Served, resource: Pick<Resource, 'type'>) => (custom ? served : resource).type as unknown as StructType<ApiObject>

/** What a component sent, in normal form and with its kind. */
function decoded(expected: { readonly type: StructType<ApiObject>; readonly kind: string; readonly apiVersion: string }, object: unknown): ApiObject {
  const { kind, apiVersion } = expected
  return decodeObject(expected.type, { ...(object as object), kind, apiVersion }).object
}

const metadataOf = (object: unknown): { readonly name?: string; readonly namespace?: string } => (object as { metadata?: object }).metadata ?? {}

/** A component's field manager: the name of the program it belongs to in Kubernetes. */
function managerOf({ name }: Identity): string {
  if (name.startsWith('system:serviceaccount:kube-system:')) return 'kube-controller-manager'
  if (name === 'system:apiserver') return 'kube-apiserver'
  return name.startsWith('system:node:') ? 'kubelet' : name.replace(/^system:/, '')
}

/** How a local client makes an authorized call. */
function createGate({ registry, edges }: Corridor, user: Identity, privileged: boolean) {
  const allow = async (info: RequestInfo, trail?: AuditTrail): Promise<void> => {
    if (!privileged) await checkAuthorized(edges.authorize, user, info, trail)
  }
  const servedOf = (resource: Resource, verb: string): Served => {
    const served = registry.find(resource.group, resource.version, resource.plural)
    if (!served) throw registry.resource(resource.group, resource.version, resource.plural) ? methodNotSupported(resource, verb) : unknownResource()
    if (!verb.includes('/')) checkVerb(resource, verb)
    return served
  }
  const options = (o: WriteOptions) => ({
    dryRun: o.dryRun ?? false,
    fieldManager: o.fieldManager ?? managerOf(user),
    options: o.dryRun ? { dryRun: ['All'] } : {},
    caller: callerOf(o.signal),
  })
  /** A call on one object, authorized. */
  const enter = async (resource: Resource, target: Target, o: WriteOptions = {}): Promise<Call> => {
    const served = servedOf(resource, target.subresource ? `${target.verb}/` : target.verb)
    const info = infoOf(resource, target)
    if (resource.namespaced && !info.namespace) throw badRequest('an empty namespace may not be set during creation')
    const trail = trailOf(o)
    await allow(info, trail)
    return makeCall(registry, served, user, target.verb, { ...options(o), trail, namespace: info.namespace, name: info.name, subresource: info.subresource })
  }
  return { allow, servedOf, enter, options }
}

function subresourceFor({ registry }: Corridor, resource: Resource, name: string | undefined): Subresource | undefined {
  if (!name) return undefined
  const served = registry.find(resource.group, resource.version, resource.plural)
  const sub = served && subresourceOf(served, name)
  if (!sub) throw notFound(resource, name)
  return sub
}

type Erased = Resource<unknown, unknown>

type Gate = ReturnType<typeof createGate>

const show = (served: Served, item: Parameters<Served['view']>[0]): unknown => served.view(item).object

/** A client that acts as `user`. */
export function createLocalClient(corridor: Corridor, user: Identity, { privileged = false }: LocalClientOptions = {}): Client {
  const gate = createGate(corridor, user, privileged)
  const client = {
    ...createReads(corridor, gate),
    ...createWrites(corridor, gate),
    ...createActs(corridor, gate, user),
    raw: (path: string, o: CallOptions = {}) => rawGet(corridor, privileged ? undefined : user, path, o.signal),
  }
  Object.assign(client, corridor.routes.remoteCalls ? elsewhere({ ...client } as unknown as Client, corridor.routes.remoteCalls, gate, user) : {})
  return corridor.edges.audit ? auditedClient(client as unknown as Client, corridor.edges.audit, user) : (client as unknown as Client)
}

/** The same calls for objects of extension API servers, after the same authorization. */
function elsewhere(local: Client, calls: RemoteCalls, { allow }: Gate, user: Identity): Partial<Client> {
  const go = <T>(r: Erased, target: Target, o: object, there: () => Promise<T>, here: () => Promise<unknown>): Promise<unknown> =>
    (calls.has(r) ? allow(infoOf(r, target), trailOf(o)).then(there) : here())
  async function* watchThere(r: Erased, o: WatchOptions) {
    await allow(infoOf(r, { verb: 'watch', namespace: o.namespace }), trailOf(o))
    yield* calls.watch(user, r, o)
  }
  const client = {
    get: (r: Erased, name: string, o: GetOptions = {}) => go(r, { verb: 'get', name, namespace: o.namespace }, o, () => calls.get(user, r, name, o), () => local.get(r, name, o)),
    list: (r: Erased, o: ListOptions = {}) => go(r, { verb: 'list', namespace: o.namespace }, o, () => calls.list(user, r, o), () => local.list(r, o)),
    watch: (r: Erased, o: WatchOptions = {}) => (calls.has(r) ? watchThere(r, o) : local.watch(r, o)),
    patch: (r: Erased, name: string, patch: Patch, o: UpdateOptions = {}) => go(r, { verb: 'patch', name, namespace: o.namespace }, o, () => calls.patch(user, r, name, patch, o), () => local.patch(r, name, patch, o)),
    delete: (r: Erased, name: string, o: DeleteOptions = {}) => go(r, { verb: 'delete', name, namespace: o.namespace }, o, () => calls.delete(user, r, name, o), () => local.delete(r, name, o)),
    deleteCollection: (r: Erased, o: DeleteOptions = {}) => go(r, { verb: 'deletecollection', namespace: o.namespace }, o, () => calls.deleteCollection(user, r, o), () => local.deleteCollection(r, o)),
  }
  return client as unknown as Partial<Client>
}

/** get, list, watch. */
function createReads(corridor: Corridor, gate: Gate) {
  const { registry } = corridor
  return {
    async get(resource: Erased, name: string, o: GetOptions = {}): Promise<unknown> {
      const call = await gate.enter(resource, { verb: 'get', namespace: o.namespace, name }, o)
      return show(call.served, await getObject(registry, call, o.resourceVersion ?? ''))
    },
    async list(resource: Erased, o: ListOptions = {}): Promise<unknown> {
      const served = gate.servedOf(resource, 'list')
      await gate.allow(infoOf(resource, { verb: 'list', namespace: o.namespace, name: selectedName(o.fieldSelector ?? ''), ...selectorsOf(o) }), trailOf(o))
      const query = { limit: o.limit ?? 0, continue: o.continue ?? '', resourceVersion: o.resourceVersion ?? '', match: o.resourceVersionMatch ?? '' }
      const result = await listObjects(registry, served, { namespace: o.namespace ?? '', labelSelector: o.labelSelector, fieldSelector: o.fieldSelector }, query)
      const { resourceVersion, continue: next, remaining } = result
      return {
        metadata: { resourceVersion, ...(next ? { continue: next } : {}), ...(remaining === undefined ? {} : { remainingItemCount: remaining }) },
        items: result.items.map((item) => show(served, item)),
      }
    },
    async *watch(resource: Erased, o: WatchOptions = {}): AsyncGenerator<unknown> {
      const served = gate.servedOf(resource, 'watch')
      await gate.allow(infoOf(resource, { verb: 'watch', namespace: o.namespace, name: selectedName(o.fieldSelector ?? ''), ...selectorsOf(o) }), trailOf(o))
      const queue = eventQueue((item) => show(served, item), { signal: o.signal, closing: corridor.closing, timeout: (o.timeoutSeconds ?? 0) * 1000, clock: registry.clock })
      const query = {
        resourceVersion: o.resourceVersion ?? '', bookmarks: o.allowBookmarks ?? false, sendInitialEvents: o.sendInitialEvents,
        match: o.sendInitialEvents === undefined ? '' : 'NotOlderThan',
      }
      const stop = await watchObjects(registry, served, { namespace: o.namespace ?? '', labelSelector: o.labelSelector, fieldSelector: o.fieldSelector }, query, queue.sink)
      try {
        yield* queue.events()
      } finally {
        stop()
        queue.close()
      }
    },
  }
}

/** update, patch, delete. */
function createWrites(corridor: Corridor, gate: Gate) {
  const { registry } = corridor
  const changeOf = async (resource: Erased, object: unknown, o: UpdateOptions): Promise<unknown> => {
    const { name, namespace } = metadataOf(object)
    const sub = subresourceFor(corridor, resource, o.subresource)
    const call = await gate.enter(resource, { verb: 'update', namespace: o.namespace ?? namespace, name, subresource: o.subresource }, o)
    const { kind, apiVersion } = resource
    const body = decoded(sub ?? { kind, apiVersion, type: typeFor(call.served, resource) }, object)
    const rules = sub?.rules(call.served) ?? objectRules(call.served)
    checkName(call, sub?.put ? { ...body, metadata: { name: call.name, ...body.metadata } } : body)
    const missing = !sub && call.served.strategy.createOnUpdate ? { missing: () => body } : {}
    const { item } = await update(registry, call, rules, (current) => sub?.put?.(body, current) ?? body, missing)
    return sub?.show ? sub.show(call.served.view(item).object) : show(call.served, item)
  }

  return {
    update: (resource: Erased, object: unknown, o: UpdateOptions = {}) => changeOf(resource, object, o),
    updateStatus: (resource: Erased, object: unknown, o: WriteOptions = {}) => changeOf(resource, object, { ...o, subresource: 'status' }),
    async patch(resource: Erased, name: string, patch: Patch, o: UpdateOptions = {}): Promise<unknown> {
      const sub = subresourceFor(corridor, resource, o.subresource)
      const call = await gate.enter(resource, { verb: 'patch', namespace: o.namespace, name, subresource: o.subresource }, o)
      const { item } = await patchObject(registry, call, sub, patch)
      return sub?.show ? sub.show(call.served.view(item).object) : show(call.served, item)
    },
    async delete(resource: Erased, name: string, o: DeleteOptions = {}): Promise<unknown> {
      const call = await gate.enter(resource, { verb: 'delete', namespace: o.namespace, name }, o)
      return show(call.served, (await deleteObject(registry, call, o as Deletion)).item)
    },
    async deleteCollection(resource: Erased, o: DeleteOptions & Pick<ListOptions, 'labelSelector' | 'fieldSelector'> = {}): Promise<void> {
      const call = await gate.enter(resource, { verb: 'deletecollection', namespace: o.namespace }, o)
      await deleteObjects(registry, call, { select: { namespace: o.namespace ?? '', labelSelector: o.labelSelector, fieldSelector: o.fieldSelector }, deletion: o as Deletion })
    },
  }
}

/** create, of objects and of subresources. */
function createActs({ registry, routes }: Corridor, gate: Gate, user: Identity) {
  /** A create of a computed resource or subresource. */
  const compute = async (virtual: VirtualResource, resource: Erased, target: Target, body: unknown, o: WriteOptions): Promise<unknown> => {
    const info = infoOf(resource, target)
    const trail = trailOf(o)
    await gate.allow(info, trail)
    const request = { virtual, resource, info, user, signal: o.signal, now: registry.clock.now(), dryRun: o.dryRun ?? false, warnings: [], trail }
    return (await runVirtual(request, async (expected) => decoded(expected, body))).object
  }

  return {
    async create(resource: Erased, object: unknown, o: WriteOptions = {}): Promise<unknown> {
      const target: Target = { verb: 'create', namespace: o.namespace ?? metadataOf(object).namespace }
      const virtual = routes.virtual?.get(resource.groupResource)
      if (virtual) return compute(virtual, resource, target, object, o)
      const call = await gate.enter(resource, target, o)
      const { kind, apiVersion } = resource
      return show(call.served, await create(registry, call, decoded({ kind, apiVersion, type: typeFor(call.served, resource) }, object)))
    },
    async createSubresource(resource: Erased, name: string, subresource: string, body: unknown, o: WriteOptions = {}): Promise<unknown> {
      const target: Target = { verb: 'create', namespace: o.namespace ?? metadataOf(body).namespace, name, subresource }
      const key = `${resource.groupResource}/${subresource}`
      const virtual = routes.virtual?.get(key)
      if (virtual) return compute(virtual, resource, target, body, o)
      const action = actionOf(key)
      if (!action) throw methodNotSupported(resource, 'create')
      const call = await gate.enter(resource, target, o)
      return runAction(registry, call, action, decoded({ type: action.type, kind: action.type.name, apiVersion: action.apiVersion }, body))
    },
  }
}
