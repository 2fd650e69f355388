/** A request on its way through the corridor. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Http2ServerRequest, Http2ServerResponse } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { Identity } from '../identity.ts'
import type { AuditTrail } from '../options.ts'

/** What the path and the method say: which verb, on which resource. */
export interface RequestInfo {
  readonly path: string
  /** False for /version, /healthz, discovery and the like; then only `path` and `verb` (the lower-case method) mean something. */
  readonly isResourceRequest: boolean
  /** get, list, watch, create, update, patch, delete, deletecollection; connect-like subresources use the method's verb. */
  readonly verb: string
  readonly group: string
  readonly version: string
  readonly namespace: string
  /** The plural. */
  readonly resource: string
  readonly subresource: string
  readonly name: string
  /** What follows the subresource: the path of a proxied request, without a leading slash. */
  readonly rest: string
  /** Of lists, watches and deletions of many, as it was sent; left out when there is none. */
  readonly fieldSelector?: string | undefined
  readonly labelSelector?: string | undefined
}

export interface ApiRequest {
  readonly info: RequestInfo
  readonly method: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  /**
   * Headers that the answer will have, whoever gives it: names and values in turn. `tellEarly` puts them on the response for
   * those who do not answer through `send`.
   */
  readonly early: string[]
  /** What the client is warned of, whatever becomes of its request. */
  warnings?: readonly string[]
  /** The bytes of the answer's body, once it is sent. */
  sent: number
  readonly user: Identity
  readonly raw: IncomingMessage | Http2ServerRequest
  /** Aborts when the client goes away or the server shuts down. */
  readonly signal: AbortSignal
  /** Why nobody waits for the answer any more; undefined while somebody does. Cheaper to ask than the signal. */
  readonly gone: unknown
  /** Called when nobody waits for the answer any more, with the reason: for one who is asked to wait, and cheaper than the signal. */
  onGone?: ((reason: unknown) => void) | undefined
  /** The name of this request in the audit log and in the answer's `Audit-ID` header: the client's own, or a new one. */
  readonly auditId: string
  /** What audit writes down of it; undefined when the policy wants nothing. */
  readonly trail: AuditTrail | undefined
  /** When it is cut off, in milliseconds of the clock; Infinity, or left out: never. */
  readonly deadline?: number
  /** Called by a watch that has sent what it begins with: from then on it takes no place in flow control. */
  begun?: (() => void) | undefined
}

export type ApiResponse = ServerResponse | Http2ServerResponse

/** Answers a request whose path it was registered for. Throws `ApiError` for anything the client should see. */
export type Handler = (request: ApiRequest, response: ApiResponse) => Promise<void>

/** Takes over the connection of an HTTP/1.1 upgrade (exec, attach, port-forward, proxied WebSockets). */
export type UpgradeHandler = (request: ApiRequest, socket: Duplex, head: Buffer) => Promise<void>
