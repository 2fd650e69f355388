/** Resources that are computed: reviews, token requests, component statuses. */
import type { Resource, StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { badRequest, methodNotAllowed, notFound } from '../../machinery/errors.ts'
import type { Identity } from '../identity.ts'
import type { AuditTrail, VirtualCall, VirtualResource } from '../options.ts'
import { withMeta } from './meta.ts'

export interface VirtualRequest {
  readonly virtual: VirtualResource
  readonly resource: Resource
  readonly info: { readonly verb: string; readonly namespace: string; readonly name: string; readonly subresource: string }
  readonly user: Identity
  readonly signal: AbortSignal | undefined
  readonly now: number
  readonly dryRun: boolean
  readonly warnings: string[]
  readonly trail?: AuditTrail | undefined
}

export interface VirtualAnswer {
  readonly code: number
  readonly type: StructType<ApiObject>
  /** One object, or all of a list. */
  readonly object: ApiObject | undefined
  readonly items: readonly ApiObject[] | undefined
}

/** Reads the object that was sent. */
export type ReadBody = (expected: { readonly type: StructType<ApiObject>; readonly kind: string; readonly apiVersion: string }) => Promise<ApiObject>

const callOf = ({ resource, info, user, signal, now, dryRun, warnings, trail }: VirtualRequest): VirtualCall => ({
  resource, user, signal, now, dryRun, verb: info.verb, subresource: info.subresource, namespace: info.namespace, name: info.name,
  warn: (text) => void warnings.push(text),
  annotate: (key, value, from) => trail?.annotate(key, value, from),
})

/** Computes the answer. Throws `ApiError` 404, 405, and what the resource throws. */
export async function runVirtual(request: VirtualRequest, read: ReadBody): Promise<VirtualAnswer> {
  const { virtual, resource, info } = request
  const type = virtual.type ?? (resource.type as unknown as StructType<ApiObject>)
  const call = callOf(request)
  if (info.verb === 'create' && virtual.create) {
    const body = await read({ type, kind: type.name, apiVersion: virtual.apiVersion ?? resource.apiVersion })
    return { code: 201, type, object: await virtual.create(placed(request, body), call), items: undefined }
  }
  if (!virtual.list || (info.verb !== 'get' && info.verb !== 'list')) throw methodNotAllowed()
  const items = await virtual.list(call)
  if (info.verb === 'list') return { code: 200, type, object: undefined, items }
  const object = items.find((item) => item.metadata.name === info.name)
  if (!object) throw notFound(resource, info.name)
  return { code: 200, type, object, items: undefined }
}

/**
 * The object in the namespace of the request, without what only the server says of objects; a request for a token may say which account it means, by
 * its uid. Throws `ApiError` 400 for another namespace.
 */
function placed({ resource, info: { namespace, subresource } }: VirtualRequest, body: ApiObject): ApiObject {
  const said = body.metadata.namespace
  const wanted = resource.namespaced ? namespace : ''
  if (wanted && said && said !== wanted) throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
  const ofServer = subresource ? {} : { uid: undefined, creationTimestamp: undefined, deletionTimestamp: undefined, deletionGracePeriodSeconds: undefined, selfLink: undefined }
  return withMeta(body, { ...ofServer, namespace: wanted || undefined })
}
