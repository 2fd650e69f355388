/** From a request for a resource to what the registry takes: the call, the object in the body, the patch. */
import type { Resource, StructType } from '../../api/index.ts'
import type { ApiObject, Patch } from '../../client/client.ts'
import { decodeBody } from '../encoding/decode.ts'
import { bodyMedia } from '../encoding/negotiate.ts'
import type { Edges, EdgeRoutes } from '../options.ts'
import { makeCall, type Call, type CallOptions } from '../registry/call.ts'
import { parsePatch, patchTypes, unknownPatch } from '../registry/patch.ts'
import { checkApply } from '../registry/managed.ts'
import type { Registry } from '../registry/registry.ts'
import type { Served } from '../registry/served.ts'
import { readBody } from './body.ts'
import { isTrue } from './request-info.ts'
import type { ApiRequest, ApiResponse } from './request.ts'

export interface ResourceEnvironment {
  readonly registry: Registry
  readonly routes: EdgeRoutes
  readonly edges: Pick<Edges, 'authorize'>
  /** Aborts when the server shuts down: watches end. */
  readonly closing: AbortSignal
  /** The minimum duration of a watch without `timeoutSeconds`, in seconds; default half an hour. */
  readonly minRequestTimeout?: number | undefined
}

/** Serves one verb of stored objects. */
export type Act = (env: ResourceEnvironment, request: ApiRequest, response: ApiResponse, served: Served) => Promise<void> | void

/** The call on the registry that the request stands for. */
export function callOf(env: ResourceEnvironment, request: ApiRequest, served: Served, options: CallOptions = {}): Call {
  const { info, user, trail } = request
  const { verb, namespace, name, subresource } = info
  return makeCall(env.registry, served, user, verb, { namespace, name, subresource, caller: request, trail, ...options })
}

/**
 * The object in the body of a request; synchronously when all of the body is there. Audit sees it with defaults, as Kubernetes decodes bodies.
 * Throws `ApiError` 400, 413, 415.
 */
export function bodyAs(request: ApiRequest, call: Call, expected: { kind: string; apiVersion: string; type: StructType<ApiObject>; also?: readonly string[] }): Promise<ApiObject> | ApiObject {
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

/** What a body of the resource itself must be, for `bodyAs`. */
export const ownType = ({ kind, apiVersion, type }: Resource) => ({ kind, apiVersion, type: type as unknown as StructType<ApiObject> })

/** The patch of a request. Throws `ApiError` 400, 415. */
export function patchOf(request: ApiRequest, served: Served): Promise<Patch> | Patch {
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
