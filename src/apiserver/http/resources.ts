/** Requests for resources: from the body to the call on the registry, from its result to the bytes of the answer. */
import { declared, meta, type Resource, type StructType } from '../../api/index.ts'
import type { ApiObject, Patch } from '../../client/client.ts'
import { ApiError, methodNotAllowed, methodNotSupported, notFound, unknownResource, type Status } from '../../machinery/errors.ts'
import { Encoded } from '../cache/encoded.ts'
import type { ListResult } from '../cache/list.ts'
import { decodeBody } from '../encoding/decode.ts'
import { encodeAny, encodeComputedList, encodeComputedTable, encodeObject, eventEncoder, type EncodeOptions, type EventEncoder } from '../encoding/encode.ts'
import { encodeList } from '../encoding/lists.ts'
import { bodyMedia, contentTypes, formatOf, type Format } from '../encoding/negotiate.ts'
import type { Edges, EdgeRoutes, VirtualResource } from '../options.ts'
import { type Action, actionOf, bindingCall, runAction } from '../registry/actions.ts'
import { makeCall, type Call, type CallOptions } from '../registry/call.ts'
import { create } from '../registry/create.ts'
import { deleteObject } from '../registry/delete.ts'
import { parsePatch, patchObject, patchTypes, unknownPatch } from '../registry/patch.ts'
import { checkApply } from '../registry/managed.ts'
import { deleteObjects, getObject, listObjects, watchObjects, type Registry } from '../registry/registry.ts'
import type { Served } from '../registry/served.ts'
import { subresourceOf, type Subresource } from '../registry/subresources.ts'
import { deleteUnreadable, unsafeVerb } from '../registry/unreadable.ts'
import { checkName, objectRules, update } from '../registry/update.ts'
import { runVirtual } from '../registry/virtual.ts'
import { checkAuthorized } from '../authz/check.ts'
import type { Printer } from '../strategy.ts'
import { readBody } from './body.ts'
import { deleteQuery, includeOf, listQuery, prettyOf, selectionQuery, watchQuery, writeQuery } from './options.ts'
import type { ApiRequest, ApiResponse, RequestInfo } from './request.ts'
import { isTrue } from './request-info.ts'
import { noSuchPage, send, tellEarly, warnEarly } from './respond.ts'
import { watchStream, type WatchStream } from './watch-response.ts'

export interface ResourceEnvironment {
  readonly registry: Registry
  readonly routes: EdgeRoutes
  readonly edges: Pick<Edges, 'authorize'>
  /** Aborts when the server shuts down: watches end. */
  readonly closing: AbortSignal
  /** How long a watch goes on at least that says nothing of its time, in seconds; half an hour when left out. */
  readonly minRequestTimeout?: number | undefined
}

type Act = (env: ResourceEnvironment, request: ApiRequest, response: ApiResponse, served: Served) => Promise<void> | void

const statusType = meta.Status as unknown as StructType<ApiObject>

/** Groups that are built in say themselves that they have no such resource; elsewhere nobody knows the page. */
const nowhere = ({ group }: Pick<RequestInfo, 'group'>): ApiError => (group === '' || declared.some((resource) => resource.group === group) ? unknownResource() : noSuchPage())

const encodeOptions = (env: ResourceEnvironment, request: ApiRequest, served?: Served): EncodeOptions => ({
  format: formatOf(request.headers.accept, served?.custom !== undefined),
  pretty: prettyOf(request),
  include: request.query.size ? includeOf(request.query) : 'Metadata',
  now: env.registry.clock.now(),
})

function callOf(env: ResourceEnvironment, request: ApiRequest, served: Served, options: CallOptions = {}): Call {
  const { info, user, trail } = request
  const { verb, namespace, name, subresource } = info
  return makeCall(env.registry, served, user, verb, { namespace, name, subresource, caller: request, trail, ...options })
}

interface Answer { readonly env: ResourceEnvironment; readonly request: ApiRequest; readonly response: ApiResponse; readonly code: number; readonly warnings?: readonly string[] }

const sendObject = ({ env, request, response, code, warnings }: Answer, served: Served, item: Encoded): Promise<void> | void => {
  if (request.trail?.wantsResponse) request.trail.responseObject(served.view(item).object)
  const options = encodeOptions(env, request, served)
  return send(request, response, { code, type: contentTypes[options.format.media], body: encodeObject(served, item, options), warnings })
}

const sendAny = ({ env, request, response, code, warnings }: Answer, object: ApiObject, type: StructType<ApiObject>): Promise<void> | void => {
  request.trail?.responseObject(object)
  const options = { ...encodeOptions(env, request), format: { ...formatOf(request.headers.accept), as: '' as const } }
  return send(request, response, { code, type: contentTypes[options.format.media], body: encodeAny(object, type, options), warnings })
}

/** The object in the body of a request: at once when all of it has come. Audit sees it with its defaults, as Kubernetes reads bodies. */
function bodyAs(request: ApiRequest, call: Call, expected: { kind: string; apiVersion: string; type: StructType<ApiObject>; also?: readonly string[] }): Promise<ApiObject> | ApiObject {
  const own = expected.type === ownType(call.served.resource).type
  const custom = call.served.custom !== undefined && own
  const media = bodyMedia(request.headers['content-type'], custom)
  const decode = (bytes: Buffer): ApiObject => {
    const object = decodeBody(bytes, { ...expected, custom }, { media, validation: call.fieldValidation, warn: call.warn })
    request.trail?.requestObject(request.trail.wantsRequest && own && !call.served.conversion ? call.served.complete(object) : object)
    return object
  }
  const body = readBody(request)
  return body instanceof Promise ? body.then(decode) : decode(body)
}

const ownType = ({ kind, apiVersion, type }: Resource) => ({ kind, apiVersion, type: type as unknown as StructType<ApiObject> })

/** Answers at once, unless a revision is wanted that has not come yet. */
const get: Act = (env, request, response, served) => {
  const { info: { namespace, name }, query } = request
  formatOf(request.headers.accept, served.custom !== undefined)
  const found = getObject(env.registry, { served, namespace, name }, (query.size && query.get('resourceVersion')) || '')
  const answer = (item: Encoded) => sendObject({ env, request, response, code: 200 }, served, item)
  return found instanceof Promise ? found.then(answer) : answer(found)
}

/** Writes down a list that is answered with. */
function tellList({ trail }: ApiRequest, served: Served, { items, resourceVersion, continue: next, remaining }: ListResult): void {
  if (!trail?.wantsResponse) return
  const { kind, apiVersion } = served.resource
  const metadata = { resourceVersion, ...(next ? { continue: next } : {}), ...(remaining === undefined ? {} : { remainingItemCount: remaining }) }
  // Those of built-in kinds are of the list's kind, and do not say it.
  const told = (object: ApiObject): object => {
    if (served.custom) return object
    const { kind: _kind, apiVersion: _version, ...rest } = object as ApiObject & { readonly kind?: string; readonly apiVersion?: string }
    return rest
  }
  trail.responseObject({ kind: `${kind}List`, apiVersion, metadata, items: items.map((item) => told(served.view(item).object)) })
}

const list: Act = async (env, request, response, served) => {
  const options = encodeOptions(env, request, served)
  const result = await listObjects(env.registry, served, selectionQuery(request), listQuery(request))
  tellList(request, served, result)
  await send(request, response, { code: 200, type: contentTypes[options.format.media], body: await encodeList(served, result, options) })
}

/** A watch without a time of its own ends after half an hour to an hour, or as was configured, so that clients spread over servers. In seconds. */
const defaultWatch = ({ minRequestTimeout = 1800 }: ResourceEnvironment): number => minRequestTimeout * (1 + Math.random())

const watch: Act = (env, request, response, served) => {
  tellEarly(request, response)
  return runWatch(env, request, served, (format, encode) => watchStream(response, format, encode))
}

/** Watches until somebody ends it, on the stream that `open` makes. Throws `ApiError` for what is wrong with the request before anything is sent. */
export async function runWatch(env: ResourceEnvironment, request: ApiRequest, served: Served, open: (format: Format, encode: EventEncoder) => WatchStream): Promise<void> {
  const options = encodeOptions(env, request, served)
  const query = watchQuery(request)
  const { clock } = env.registry
  const stream = open(options.format, eventEncoder(served, options, () => clock.now()))
  const stop = await watchObjects(env.registry, served, selectionQuery(request), query, stream).catch((error: unknown) => endWatch(stream, error))
  stream.started()
  request.begun?.()
  const end = () => stream.end()
  const timer = clock.after((query.timeoutSeconds || defaultWatch(env)) * 1000, end)
  env.closing.addEventListener('abort', end, { once: true })
  await stream.over
  env.closing.removeEventListener('abort', end)
  timer.cancel()
  stop()
}

/** A revision that cannot be watched from is told as an ERROR event of a watch that has begun: what Kubernetes's clients expect. */
function endWatch(stream: WatchStream, error: unknown): () => void {
  if (!(error instanceof ApiError) || (error.code !== 410 && error.code !== 504)) throw error
  stream.end(error)
  return () => undefined
}

const post: Act = async (env, request, response, served) => {
  const warnings = (request.warnings = [] as string[])
  const call = callOf(env, request, served, { ...writeQuery(request, 'CreateOptions'), warnings })
  const sent = bodyAs(request, call, ownType(served.resource))
  const item = await create(env.registry, call, sent instanceof Promise ? await sent : sent)
  await sendObject({ env, request, response, code: 201, warnings }, served, item)
}

const put: Act = async (env, request, response, served) => {
  const warnings = (request.warnings = [] as string[])
  const call = callOf(env, request, served, { ...writeQuery(request, 'UpdateOptions'), warnings })
  const body = await bodyAs(request, call, ownType(served.resource))
  checkName(call, body)
  const { item, created } = await update(env.registry, call, objectRules(served), () => body, served.strategy.createOnUpdate ? { missing: () => body } : {})
  await sendObject({ env, request, response, code: created ? 201 : 200, warnings }, served, item)
}

/** The patch of a request. Throws `ApiError` 400, 415. */
function patchOf(request: ApiRequest, served: Served): Promise<Patch> | Patch {
  const type = patchTypes[(request.headers['content-type'] ?? '').split(';')[0]!.trim()]
  if (!type || (type === 'strategic' && served.custom)) throw unknownPatch(served)
  if (type === 'apply') checkApply(request.query.get('fieldManager'))
  const decode = (bytes: Buffer): Patch => {
    const patch = parsePatch(type, bytes, isTrue(request.query.get('force')))
    request.trail?.requestObject(patch.body)
    return patch
  }
  const body = readBody(request)
  return body instanceof Promise ? body.then(decode) : decode(body)
}

const patch: Act = async (env, request, response, served) => {
  const warnings = (request.warnings = [] as string[])
  const call = callOf(env, request, served, { ...writeQuery(request, 'PatchOptions'), warnings })
  const sent = patchOf(request, served)
  const { item, created } = await patchObject(env.registry, call, undefined, sent instanceof Promise ? await sent : sent)
  await sendObject({ env, request, response, code: created ? 201 : 200, warnings }, served, item)
}

const del: Act = async (env, request, response, served) => {
  const { deletion, ...query } = await deleteQuery(request)
  const warnings: string[] = []
  const call = callOf(env, request, served, { ...query, warnings })
  const answer = { env, request, response, code: 200, warnings }
  if (deletion.ignoreStoreReadErrorWithClusterBreakingPotential) {
    await checkAuthorized(env.edges.authorize, request.user, { ...request.info, verb: unsafeVerb })
    await deleteUnreadable(env.registry, call, deletion)
    return sendAny(answer, success(served, call.name) as unknown as ApiObject, statusType)
  }
  const { item, gone } = await deleteObject(env.registry, call, deletion)
  if (!gone || served.rule.returnsDeleted) return sendObject(answer, served, item)
  await sendAny(answer, success(served, call.name, item.object.metadata.uid) as unknown as ApiObject, statusType)
}

/** What is answered when an object is gone. */
function success({ storage: { group, plural } }: Served, name: string, uid?: string): Omit<Status, 'message' | 'code'> {
  return {
    kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success',
    details: { name, ...(group ? { group } : {}), kind: plural, ...(uid ? { uid } : {}) },
  }
}

const deleteCollection: Act = async (env, request, response, served) => {
  const { deletion, ...query } = await deleteQuery(request)
  const options = encodeOptions(env, request, served)
  const warnings: string[] = []
  const call = callOf(env, request, served, { ...query, name: '', warnings })
  const result = await deleteObjects(env.registry, call, { select: selectionQuery(request), query: listQuery(request), deletion })
  tellList(request, served, result)
  await send(request, response, { code: 200, type: contentTypes[options.format.media], body: await encodeList(served, result, options), warnings })
}

const acts: Readonly<Record<string, Act>> = { get, list, watch, create: post, update: put, patch, delete: del, deletecollection: deleteCollection }

/** GET, PUT and PATCH of a subresource that lives in its object. */
async function onSubresource(env: ResourceEnvironment, request: ApiRequest, response: ApiResponse, served: Served, sub: Subresource): Promise<void> {
  const { verb } = request.info
  const known = verb === 'patch' ? sub.verbs.includes('update') : (sub.verbs as readonly string[]).includes(verb)
  if (!known) throw served.custom ? methodNotSupported(served.resource, verb) : methodNotAllowed()
  const warnings = (request.warnings = [] as string[])
  const call = callOf(env, request, served, verb === 'get' ? {} : { ...writeQuery(request, verb === 'patch' ? 'PatchOptions' : 'UpdateOptions'), warnings })
  const item = await changed(env, request, call, sub)
  const answer = { env, request, response, code: 200, warnings }
  if (sub.show && sub.printer && formatOf(request.headers.accept).as === 'Table') return sendTable(answer, sub.printer, sub.show(served.view(item).object, verb === 'get'))
  if (sub.show) return sendAny(answer, sub.show(served.view(item).object, verb === 'get'), sub.type)
  await sendObject(answer, served, item)
}

const sendTable = ({ env, request, response, code, warnings }: Answer, printer: Printer<ApiObject>, shown: ApiObject): Promise<void> | void =>
  send(request, response, { code, type: contentTypes.json, body: encodeComputedTable(printer, [shown], encodeOptions(env, request), { resourceVersion: shown.metadata.resourceVersion }), warnings })

async function changed(env: ResourceEnvironment, request: ApiRequest, call: Call, sub: Subresource): Promise<Encoded> {
  if (call.verb === 'get') return getObject(env.registry, call, request.query.get('resourceVersion') ?? '', sub.missing)
  if (call.verb === 'patch') return (await patchObject(env.registry, call, sub, await patchOf(request, call.served))).item
  const body = await bodyAs(request, call, sub)
  checkName(call, body)
  return (await update(env.registry, call, sub.rules(call.served), (current) => sub.put?.(body, current) ?? body)).item
}

/** Answers with what is computed. */
async function compute(env: ResourceEnvironment, request: ApiRequest, response: ApiResponse, resource: Resource, virtual: VirtualResource): Promise<void> {
  const { info, user, signal, trail } = request
  const warnings = (request.warnings = [] as string[])
  const { dryRun, fieldValidation } = writeQuery(request, 'CreateOptions')
  // What is only answered, and never listed, is shown in no table.
  const format = formatOf(request.headers.accept, false, !virtual.printer)
  const { code, type, object, items } = await runVirtual(
    { virtual, resource, info, user, signal, now: env.registry.clock.now(), dryRun, warnings, trail },
    async (expected) => {
      const body = decodeBody(await readBody(request), expected, { media: bodyMedia(request.headers['content-type']), validation: fieldValidation, warn: (text) => void warnings.push(text) })
      trail?.requestObject(body)
      return body
    },
  )
  const answer = { env, request, response, code, warnings }
  const options = { ...encodeOptions(env, request), format }
  const shown = items ?? (object ? [object] : [])
  const asTable = options.format.as === 'Table' && virtual.printer
  if (object && !asTable) return sendAny(answer, object, type)
  const body = asTable ? encodeComputedTable(asTable, shown, options) : encodeComputedList(resource, shown, options)
  await send(request, response, { code, type: contentTypes[options.format.media], body, warnings })
}

/** POST of an action's body, or of a computed resource; undefined when it is neither. */
function act(env: ResourceEnvironment, request: ApiRequest, response: ApiResponse, resource: Resource): Promise<void> | undefined {
  const { registry, routes } = env
  const { info } = request
  const name = info.subresource ? `${resource.groupResource}/${info.subresource}` : resource.groupResource
  const virtual = routes.virtual?.get(name)
  if (virtual) return compute(env, request, response, resource, virtual)
  const served = registry.find(resource.group, resource.version, resource.plural)
  const direct = name === 'bindings' ? actionOf('pods/binding') : actionOf(name)
  if (!direct || (!served && name !== 'bindings')) return undefined
  if (info.verb !== 'create') throw methodNotAllowed()
  formatOf(request.headers.accept, false, true)
  return runDirect(env, request, response, served ?? registry.find('', 'v1', 'pods')!, name, direct)
}

async function runDirect(env: ResourceEnvironment, request: ApiRequest, response: ApiResponse, pods: Served, name: string, direct: Action): Promise<void> {
  const { registry } = env
  const warnings = (request.warnings = [] as string[])
  const call = callOf(env, request, pods, { ...writeQuery(request, 'CreateOptions'), warnings })
  const body = await bodyAs(request, call, { type: direct.type, kind: direct.type.name, apiVersion: direct.apiVersion, ...(direct.also ? { also: direct.also } : {}) })
  const target = name === 'bindings' ? bindingCall(registry, call, body).call : call
  await sendAny({ env, request, response, code: 201, warnings }, await runAction(registry, target, direct, body), statusType)
}

/** Verbs of one object; the others are of the collection, where a name can only come from a field selector or a watch. */
const onObject = new Set(['get', 'update', 'patch', 'delete'])

/** Throws `ApiError` 404 or 405 when the path has no such verb. */
export function checkPlace({ resource, custom }: Served, { verb, name, namespace }: RequestInfo): void {
  if (!(resource.verbs as readonly string[]).includes(verb)) throw methodNotAllowed()
  // What is not built in has no other paths than those that it is served under.
  if (resource.namespaced && !namespace && verb !== 'list' && verb !== 'watch') throw name || custom ? nowhere(resource) : methodNotAllowed()
  if (onObject.has(verb) ? !name : verb === 'create' && name) throw methodNotAllowed()
}

/** What Kubernetes would have clients no longer use, by `groupResource`. */
const deprecated: Readonly<Record<string, string>> = {
  componentstatuses: 'v1 ComponentStatus is deprecated in v1.19+',
  endpoints: 'v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice',
}

const reading = new Set(['get', 'list', 'watch'])

/** A write whose answer could not be sent must not be made. Throws `ApiError` 400, 406. */
function checkAnswerable({ headers, query }: ApiRequest, served: Served | undefined): void {
  formatOf(headers.accept, served?.custom !== undefined)
  if (query.size) includeOf(query)
}

/** Answers a request for a resource. Throws `ApiError`. */
export function handleResource(env: ResourceEnvironment, request: ApiRequest, response: ApiResponse): Promise<void> | void {
  const { info } = request
  const { registry, routes } = env
  const resource = registry.resource(info.group, info.version, info.resource)
  if (!resource) throw nowhere(info)
  const old = deprecated[resource.groupResource]
  if (old) {
    warnEarly(request, old)
    request.trail?.annotate('k8s.io/deprecated', 'true')
  }
  if (info.subresource) {
    const handler = routes.subresource?.(resource.groupResource, info.subresource)
    if (handler) tellEarly(request, response)
    if (handler) return handler(request, response)
  }
  if (info.namespace && !resource.namespaced && resource.plural !== 'namespaces') throw nowhere(info)
  const served = registry.find(info.group, info.version, info.resource)
  if (!reading.has(info.verb)) checkAnswerable(request, served)
  const acted = act(env, request, response, resource)
  if (acted) return acted
  if (!served) throw methodNotAllowed()
  if (served.custom?.deprecation) warnEarly(request, served.custom.deprecation)
  if (info.subresource) {
    const sub = subresourceOf(served, info.subresource)
    if (!sub) throw served.custom ? notFound(served.resource, info.name) : nowhere(info)
    return onSubresource(env, request, response, served, sub)
  }
  checkPlace(served, info)
  return acts[info.verb]!(env, request, response, served)
}
