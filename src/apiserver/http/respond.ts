/** Answers: bytes with their headers, and errors as `Status`. */
import type { ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { meta, type StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { ApiError, internal, type Status } from '../../machinery/errors.ts'
import { encodeAny } from '../encoding/encode.ts'
import { contentTypes, formatOf, type Format } from '../encoding/negotiate.ts'
import type { LongBody } from '../encoding/pieces.ts'
import { drained, isOver } from './drained.ts'
import { compressedHeaders, sendPieces, takesGzip } from './long-answers.ts'
import type { ApiRequest, ApiResponse } from './request.ts'

const compress = promisify(gzip)
/** Smaller answers are sent as they are. */
const compressFrom = 128 * 1024

/** HTTP/1.1 and HTTP/2 responses take the same calls. */
export const plain = (response: ApiResponse): ServerResponse => response as ServerResponse

export interface Reply {
  readonly code: number
  readonly type: string
  /** What is there, or what is made while it is sent. */
  readonly body: Buffer | LongBody
  readonly warnings?: readonly string[]
}

// eslint-disable-next-line no-control-regex
const controls = /[\0-\x1f\x7f]+/g

/** A Warning header's value, as RFC 7234 wants it and kubectl reads it: in the bytes of UTF-8, which Node takes one by one. */
const warningText = (text: string): string => Buffer.from(`299 - ${JSON.stringify(text.replace(controls, ' '))}`).toString('latin1')

/** Characters of all warnings, and of one where all are more: Kubernetes's bounds. What is around each counts here: some clients take heads of 16 KiB at most. */
const allWarnings = 4096
const oneWarning = 256
const around = 32

/** As many of the warnings as fit into a head. */
function fitting(warnings: readonly string[]): readonly string[] {
  let left = allWarnings
  if (warnings.reduce((sum, text) => sum + text.length + around, 0) <= left) return warnings
  return warnings.map((text) => text.slice(0, oneWarning)).filter((text) => (left -= text.length + around) >= 0)
}

/** Warns the client of something that is known before there is an answer. */
export const warnEarly = ({ early }: Pick<ApiRequest, 'early'>, text: string): void => void early.push('warning', warningText(text))

/** Puts the headers that are known before there is an answer on the response, for those who do not answer through `send`. */
export function tellEarly({ early }: Pick<ApiRequest, 'early'>, response: ApiResponse): void {
  for (let i = 0; i < early.length; i += 2) plain(response).appendHeader(early[i]!, early[i + 1]!)
  early.length = 0
}

/** What answering needs of a request. */
export type Asked = Pick<ApiRequest, 'headers' | 'early' | 'sent' | 'warnings'>

/** Sends an answer: a short one at once, a long one as the client takes it, compressed when it takes gzip. */
export function send(request: Asked, response: ApiResponse, { code, type, body, warnings }: Reply): Promise<void> | void {
  if (response.destroyed) return
  // A flat list of names and values is what Node writes out with the least work.
  const headers = [...request.early, 'content-type', type, 'cache-control', 'no-cache, private']
  if (warnings) for (const text of fitting(warnings)) headers.push('warning', warningText(text))
  const http = plain(response)
  if (!Buffer.isBuffer(body)) return sendPieces(request, http, { code, headers }, body)
  if (body.length >= compressFrom) return sendWhole(request, http, code, headers, body)
  request.sent = body.length
  headers.push('content-length', String(body.length))
  http.writeHead(code, headers)
  http.end(body)
}

/** A long answer that is there: compressed in one go where the client takes that. */
async function sendWhole(request: Asked, http: ServerResponse, code: number, headers: string[], body: Buffer): Promise<void> {
  let bytes = body
  if (takesGzip(request)) {
    headers.push(...compressedHeaders)
    bytes = await compress(bytes, { level: 1 })
    if (isOver(http)) return
  }
  request.sent = bytes.length
  headers.push('content-length', String(bytes.length))
  http.writeHead(code, headers)
  if (http.req.method === 'HEAD') return void http.end()
  // Encrypting all of it at once would hold up everybody else.
  for (let at = 0; at < bytes.length; at += slice) {
    if (isOver(http)) return
    if (!http.write(bytes.subarray(at, at + slice))) await drained(http)
  }
  http.end()
}
const slice = 256 * 1024

const statusType = meta.Status as unknown as StructType<ApiObject>
const json: Format = { media: 'json', as: '' }

/** The form an error takes: the client's, as far as there is one. */
function errorFormat(accept: string | undefined): Format {
  try {
    return { media: formatOf(accept).media, as: '' }
  } catch {
    return json
  }
}

/** An error that is answered with its message as plain text, where Kubernetes does so. */
export class TextError extends ApiError {}

/** What is answered on paths that nobody knows. */
export const noSuchPage = (): TextError => new TextError(404, 'NotFound', '404 page not found')

/** The `Status` of an error; 500 for what is no `ApiError`. */
export function statusOf(error: unknown): Status {
  if (error instanceof ApiError) return error.status
  return internal(error instanceof Error ? error.message : String(error)).status
}

/** With a code that HTTP has for errors: some are other servers' words. */
const sendable = (status: Status): Status => (Number.isInteger(status.code) && status.code >= 400 && status.code < 600 ? status : { ...status, code: 500 })

/** Sends an error as a `Status`. An answer that has begun is broken off instead: its reader must not take it for complete. */
export async function sendError(request: Asked, response: ApiResponse, error: unknown): Promise<void> {
  const status = sendable(statusOf(error))
  // One that is complete goes out: it was late, and said so.
  if (response.headersSent) return void (plain(response).writableEnded || plain(response).destroy())
  const retry = status.details?.retryAfterSeconds
  if (retry) request.early.push('retry-after', String(retry))
  if (status.code === 401) request.early.push('www-authenticate', 'Bearer')
  if (error instanceof TextError) {
    request.early.push('x-content-type-options', 'nosniff')
    return send(request, response, { code: status.code, type: 'text/plain; charset=utf-8', body: Buffer.from(`${status.message}\n`) })
  }
  const format = errorFormat(request.headers.accept)
  const body = encodeAny(status as unknown as ApiObject, statusType, { format, pretty: false, include: 'Metadata', now: 0 })
  await send(request, response, { code: status.code, type: contentTypes[format.media], body, ...(request.warnings && { warnings: request.warnings }) })
}
