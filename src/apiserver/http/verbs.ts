/** The verbs of stored objects: get, list, watch, create, update, patch, delete, deletecollection. */
import type { ApiObject } from '../../client/client.ts'
import type { Status } from '../../machinery/errors.ts'
import type { Encoded } from '../cache/encoded.ts'
import type { ListResult } from '../cache/list.ts'
import { encodeList } from '../encoding/lists.ts'
import { contentTypes, formatOf } from '../encoding/negotiate.ts'
import { create } from '../registry/create.ts'
import { deleteObject } from '../registry/delete.ts'
import { patchObject } from '../registry/patch.ts'
import { deleteObjects, getObject, listObjects } from '../registry/registry.ts'
import type { Served } from '../registry/served.ts'
import { deleteUnreadable, unsafeVerb } from '../registry/unreadable.ts'
import { checkName, objectRules, update } from '../registry/update.ts'
import { checkAuthorized } from '../authz/check.ts'
import { deleteQuery, listQuery, selectionQuery, writeQuery } from './options.ts'
import type { ApiRequest } from './request.ts'
import { bodyAs, callOf, ownType, patchOf, type Act } from './resource-request.ts'
import { encodeOptions, sendAny, sendObject, statusType } from './resource-response.ts'
import { send, tellEarly } from './respond.ts'
import { watchStream } from './watch-response.ts'
import { runWatch } from './watch.ts'

/** Answers synchronously, unless the client asks for a revision that has not arrived yet. */
const get: Act = (env, request, response, served) => {
  const { info: { namespace, name }, query } = request
  formatOf(request.headers.accept, served.custom !== undefined)
  const found = getObject(env.registry, { served, namespace, name }, (query.size && query.get('resourceVersion')) || '')
  const answer = (item: Encoded) => sendObject({ env, request, response, code: 200 }, served, item)
  return found instanceof Promise ? found.then(answer) : answer(found)
}

/** Tells audit the list that is sent. */
function tellList({ trail }: ApiRequest, served: Served, { items, resourceVersion, continue: next, remaining }: ListResult): void {
  if (!trail?.wantsResponse) return
  const { kind, apiVersion } = served.resource
  const metadata = { resourceVersion, ...(next ? { continue: next } : {}), ...(remaining === undefined ? {} : { remainingItemCount: remaining }) }
  // Items of built-in kinds are sent without kind and apiVersion.
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

const watch: Act = (env, request, response, served) => {
  tellEarly(request, response)
  return runWatch(env, request, served, (format, encode) => watchStream(response, format, encode))
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

/** The `Status` sent when an object is gone. */
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

/** By the verb of the request. */
export const verbs: Readonly<Record<string, Act>> = { get, list, watch, create: post, update: put, patch, delete: del, deletecollection: deleteCollection }
