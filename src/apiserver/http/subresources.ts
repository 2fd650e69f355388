/** Subresources that live in their object: status, scale, resize and their like. */
import type { ApiObject } from '../../client/client.ts'
import { methodNotAllowed, methodNotSupported } from '../../machinery/errors.ts'
import type { Encoded } from '../cache/encoded.ts'
import { encodeComputedTable } from '../encoding/encode.ts'
import { contentTypes, formatOf } from '../encoding/negotiate.ts'
import type { Call } from '../registry/call.ts'
import { patchObject } from '../registry/patch.ts'
import { getObject } from '../registry/registry.ts'
import type { Served } from '../registry/served.ts'
import type { Subresource } from '../registry/subresources.ts'
import { checkName, update } from '../registry/update.ts'
import type { Printer } from '../strategy.ts'
import { writeQuery } from './options.ts'
import type { ApiRequest, ApiResponse } from './request.ts'
import { bodyAs, callOf, patchOf, type ResourceEnvironment } from './resource-request.ts'
import { encodeOptions, sendAny, sendObject, type Answer } from './resource-response.ts'
import { send } from './respond.ts'

/** GET, PUT and PATCH of a subresource. Throws `ApiError` 405 for other verbs. */
export async function onSubresource(env: ResourceEnvironment, request: ApiRequest, response: ApiResponse, served: Served, sub: Subresource): Promise<void> {
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
