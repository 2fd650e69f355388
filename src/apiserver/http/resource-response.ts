/** From a result of the registry to the bytes of the answer. */
import { meta, type StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import type { Encoded } from '../cache/encoded.ts'
import { encodeAny, encodeObject, type EncodeOptions } from '../encoding/encode.ts'
import { contentTypes, formatOf } from '../encoding/negotiate.ts'
import type { Served } from '../registry/served.ts'
import { includeOf, prettyOf } from './options.ts'
import type { ApiRequest, ApiResponse } from './request.ts'
import type { ResourceEnvironment } from './resource-request.ts'
import { send } from './respond.ts'

/** The type of a `Status`, for `sendAny`. */
export const statusType = meta.Status as unknown as StructType<ApiObject>

/** How the client wants the answer encoded: format, indentation, what a table includes. Throws `ApiError` 400, 406. */
export const encodeOptions = (env: ResourceEnvironment, request: ApiRequest, served?: Served): EncodeOptions => ({
  format: formatOf(request.headers.accept, served?.custom !== undefined),
  pretty: prettyOf(request),
  include: request.query.size ? includeOf(request.query) : 'Metadata',
  now: env.registry.clock.now(),
})

/** Where an answer goes, with its status code. */
export interface Answer { readonly env: ResourceEnvironment; readonly request: ApiRequest; readonly response: ApiResponse; readonly code: number; readonly warnings?: readonly string[] }

/** Sends a stored object, in the version and format of the request. */
export const sendObject = ({ env, request, response, code, warnings }: Answer, served: Served, item: Encoded): Promise<void> | void => {
  if (request.trail?.wantsResponse) request.trail.responseObject(served.view(item).object)
  const options = encodeOptions(env, request, served)
  return send(request, response, { code, type: contentTypes[options.format.media], body: encodeObject(served, item, options), warnings })
}

/** Sends an object of any type: a view of a stored one, a computed one, or a `Status`. Never as a table. */
export const sendAny = ({ env, request, response, code, warnings }: Answer, object: ApiObject, type: StructType<ApiObject>): Promise<void> | void => {
  request.trail?.responseObject(object)
  const options = { ...encodeOptions(env, request), format: { ...formatOf(request.headers.accept), as: '' as const } }
  return send(request, response, { code, type: contentTypes[options.format.media], body: encodeAny(object, type, options), warnings })
}
