/**
 * The corridor every request walks:
 * route → authenticate → audit → impersonate → flow control → authorize →
 * decode → default → admit (mutate) → validate → admit (validate) → store → encode.
 * The first line is here (clients in this process have an identity, and begin with audit); decode and encode are in `http/verbs.ts`
 * and `local-client.ts`; everything between is in `registry/create.ts`, `update.ts` and `delete.ts`.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import type { Duplex } from 'node:stream'
import type { Logger } from '../machinery/log.ts'
import { ApiError, badRequest, timedOut, unavailable } from '../machinery/errors.ts'
import { Roster, type Member } from '../machinery/roster.ts'
import { parseDuration } from '../machinery/time.ts'
import { latencyAnnotations, spend, type Stretch, type Stretches } from './audit/latency.ts'
import { constraintOf } from './authn/impersonation.ts'
import { remarksOf } from './authn/remarks.ts'
import { checkAuthorized } from './authz/check.ts'
import type { ApiRequest, ApiResponse, RequestInfo, UpgradeHandler } from './http/request.ts'
import { isLongRunning, parseRequestInfo } from './http/request-info.ts'
import type { ResourceEnvironment } from './http/resource-request.ts'
import { handleResource } from './http/resources.ts'
import { noSuchPage, plain, sendError, statusOf, tellEarly, warnEarly } from './http/respond.ts'
import { isSocketOffered, isWatchSocket, watchOverSocket } from './http/watch-socket.ts'
import { anonymous, type Identity } from './identity.ts'
import type { AuditedRequest, AuditTrail, Edges } from './options.ts'

export interface Corridor extends ResourceEnvironment {
  readonly edges: Edges
  readonly log: Logger
  /** How long requests other than watches and streams may take, in milliseconds; default one minute. */
  readonly requestTimeout?: number | undefined
  /** Requests in flight, for shutdown and for timeouts. */
  readonly active: Roster<Request>
}

/** Milliseconds for requests other than watches and streams. */
const requestTimeout = 60_000
/** Streams that last until one side ends them: nobody waits for them when the server closes. */
const endless = new Set(['exec', 'attach', 'portforward', 'log'])
const noQuery = new URLSearchParams()

/** Time that says nothing about the server's own speed. */
const spared: ReadonlySet<Stretch> = new Set(['apf-queue-wait', 'mutating-webhook', 'validating-webhook'])

/** A request, which learns who sent it on its way. Its `AbortSignal` is created on first use. */
export class Request implements ApiRequest, Member {
  readonly info: RequestInfo
  readonly method: string
  readonly query: URLSearchParams
  readonly headers: IncomingMessage['headers']
  readonly raw: IncomingMessage | Http2ServerRequest
  readonly auditId: string
  readonly early: string[]
  sent = 0
  place = -1
  user: Identity = anonymous
  trail: AuditTrail | undefined
  begun: (() => void) | undefined
  /** When it times out, in milliseconds of the clock. */
  deadline = Infinity
  response: ApiResponse | undefined
  /** Where the time went, for audit. */
  stretches: Stretches | undefined
  /** Milliseconds in webhooks and queues. */
  spared = 0
  #controller: AbortController | undefined
  gone: unknown
  onGone: ((reason: unknown) => void) | undefined

  constructor(raw: IncomingMessage | Http2ServerRequest, auditId = randomUUID() as string) {
    this.raw = raw
    this.auditId = auditId
    this.early = ['audit-id', auditId]
    this.method = raw.method ?? 'GET'
    this.headers = raw.headers
    const url = raw.url ?? '/'
    const mark = url.indexOf('?')
    this.query = mark < 0 ? noQuery : new URLSearchParams(url.slice(mark + 1))
    this.info = parseRequestInfo(this.method, mark < 0 ? url : url.slice(0, mark), this.query)
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController()
      if (this.gone !== undefined) this.#controller.abort(this.gone)
    }
    return this.#controller.signal
  }

  /** Records how long a part of the way took, for audit. */
  spent(stretch: Stretch, ms: number): void {
    if (spared.has(stretch)) this.spared += ms
    if (this.trail) spend((this.stretches ??= new Map()), stretch, ms)
  }

  abort(reason: unknown): void {
    this.gone = reason
    this.#controller?.abort(reason)
    this.onGone?.(reason)
  }
}

/** The client's own ID for the request, which Kubernetes accepts, or a new one. It must be a valid header value. */
function auditIdOf({ headers }: IncomingMessage | Http2ServerRequest): string {
  const given = headers['audit-id']
  return typeof given === 'string' && /^[\x20-\x7e]{1,1024}$/.test(given) ? given : randomUUID()
}

/** Parses a request's path; answers with an error when it is malformed. */
function route(raw: IncomingMessage | Http2ServerRequest, response: ApiResponse): Request | undefined {
  const auditId = auditIdOf(raw)
  try {
    return new Request(raw, auditId)
  } catch (error) {
    void sendError({ headers: raw.headers, early: ['audit-id', auditId], sent: 0 }, response, error)
    return undefined
  }
}

const auditedOf = ({ auditId, info, raw, user, headers }: Request): AuditedRequest =>
  ({ auditId, info, uri: raw.url ?? '/', user, headers, peer: raw.socket?.remoteAddress ?? '' })

/** Who sends the request; failures go to audit. Throws `ApiError` 401. */
function authenticate({ edges }: Corridor, request: Request): Promise<Identity> | Identity {
  const refused = (error: unknown): never => {
    edges.audit?.unauthenticated(auditedOf(request), statusOf(error), remarksOf(request.raw)?.annotations)
    throw error
  }
  try {
    const identity = edges.authenticate(request.raw, request.info)
    return identity instanceof Promise ? identity.catch(refused) : identity
  } catch (error) {
    return refused(error)
  }
}

/** Tells audit when the answer begins. */
function tellStart(trail: AuditTrail, response: ApiResponse): void {
  const http = plain(response)
  const writeHead = http.writeHead.bind(http) as (...args: unknown[]) => typeof http
  http.writeHead = ((code: number, ...rest: unknown[]) => {
    trail.started(code)
    return writeHead(code, ...rest)
  }) as typeof http.writeHead
}

/**
 * Everything between the path and the handler. Resolves with the function that releases the request's seat. A step is awaited only when it
 * is a promise: for most requests every step is synchronous, and needless turns of the event loop cost time.
 */
async function enter({ edges }: Corridor, request: Request, response: ApiResponse | undefined, begun: number, identity: Promise<Identity> | Identity): Promise<(() => void) | undefined> {
  request.user = identity instanceof Promise ? await identity : identity
  const remarks = remarksOf(request.raw)
  let since = edges.audit ? performance.now() : 0
  const authentication = since - begun
  const passed = (stretch: Stretch): void => {
    if (!request.trail) return
    const before = since
    since = performance.now()
    request.spent(stretch, since - before)
  }
  for (const text of remarks?.warnings ?? []) warnEarly(request, text)
  if (edges.audit) {
    const trail = edges.audit.begin(auditedOf(request))
    request.trail = trail instanceof Promise ? await trail : trail
    for (const key in remarks?.annotations) request.trail?.annotate(key, remarks.annotations[key]!)
    if (request.trail && response && isLongRunning(request.info)) tellStart(request.trail, response)
    request.spent('authentication', authentication)
    since = performance.now()
  }
  if (edges.impersonate) {
    const answer = edges.impersonate(request.user, request.headers, request.info)
    const user = answer instanceof Promise ? await answer : answer
    if (user !== request.user) {
      request.trail?.impersonated(user, constraintOf(user))
      passed('impersonation')
    }
    request.user = user
  }
  const place = edges.flow?.enter(request, response)
  const waited = place instanceof Promise ? performance.now() : 0
  const release = place instanceof Promise ? await place : place
  request.begun = release
  if (waited > 0) {
    since = performance.now()
    request.spent('apf-queue-wait', since - waited)
  }
  try {
    const checked = checkAuthorized(edges.authorize, request.user, request.info, request.trail)
    if (checked) await checked
    passed('authorization')
  } catch (error) {
    release?.()
    throw error
  }
  return release
}

/** The answer of a server that is shutting down; the client should reconnect elsewhere. */
function closed({ raw, early }: Request): ApiError {
  if (raw.httpVersionMajor === 1) early.push('connection', 'close')
  return unavailable('the server is shutting down')
}

/** The timeout the client asks for, `?timeout=5s`, if it is shorter than the server's own; in milliseconds. Throws `ApiError` 400. */
function timeoutOf(query: URLSearchParams, longest: number): number {
  const text = query.get('timeout') ?? ''
  if (text === '') return longest
  const nanos = parseDuration(text)
  if (nanos === undefined) throw badRequest(`invalid timeout specified in the request URL - time: invalid duration ${JSON.stringify(text)}`)
  const ms = Number(nanos / 1_000_000n)
  return ms <= 0 || ms > longest ? longest : ms
}

/** Answers one request. Never rejects. */
export async function serve(corridor: Corridor, raw: IncomingMessage | Http2ServerRequest, response: ApiResponse): Promise<void> {
  const begun = performance.now()
  const request = route(raw, response)
  if (!request) return
  const { edges, active, closing } = corridor
  request.response = response
  active.add(request)
  const cut = endless.has(request.info.subresource) ? () => void plain(response).destroy() : undefined
  if (cut) closing.addEventListener('abort', cut, { once: true })
  edges.observer?.started(request.info)
  plain(response).on('close', () => {
    active.delete(request)
    if (cut) closing.removeEventListener('abort', cut)
    if (!plain(response).writableFinished) request.abort(new ApiError(499, 'ClientClosedRequest', 'the client closed the request'))
    record(corridor, request, response, begun)
  })
  let release: (() => void) | undefined
  try {
    if (!isLongRunning(request.info)) {
      const longest = corridor.requestTimeout ?? requestTimeout
      request.deadline = corridor.registry.clock.now() + (request.query.has('timeout') ? timeoutOf(request.query, longest) : longest)
    }
    if (corridor.closing.aborted) throw closed(request)
    release = await enter(corridor, request, response, begun, authenticate(corridor, request))
    const answered = answer(corridor, request, response)
    if (answered) await answered
  } catch (error) {
    await fail(corridor, request, response, error)
  } finally {
    release?.()
    request.deadline = Infinity
  }
}

/** Answers requests that are past their deadline with 504. Called every second: one timer for all requests. */
export function cutLate({ active, registry }: Corridor): void {
  const now = registry.clock.now()
  for (const request of active) {
    if (request.deadline > now) continue
    request.deadline = Infinity
    const late = timedOut('Timeout: request did not complete within the allotted timeout')
    request.abort(late)
    request.trail?.failed(late.status)
    if (request.response) void sendError(request, request.response, late)
  }
}

/** Hands an authorized request to its handler. Throws `ApiError`. */
export function answer(corridor: Corridor, request: ApiRequest, response: ApiResponse): Promise<void> | void {
  const remote = corridor.edges.routes.remote?.(request.info)
  if (remote) tellEarly(request, response)
  if (remote) return remote(request, response)
  if (request.info.isResourceRequest) return handleResource(corridor, request, response)
  const handler = corridor.edges.routes.handle(request.info.path)
  if (!handler) throw noSuchPage()
  tellEarly(request, response)
  return handler(request, response)
}

async function fail({ log }: Corridor, request: ApiRequest, response: ApiResponse, error: unknown): Promise<void> {
  request.trail?.failed(statusOf(error))
  if (request.trail && !(error instanceof ApiError)) request.trail.panicked(error)
  if (plain(response).destroyed) return
  if (statusOf(error).code >= 500 && !(error instanceof ApiError)) {
    log.error({ method: request.method, path: request.info.path, user: request.user.name, error: error instanceof Error ? error.stack : String(error) }, 'a request failed')
  }
  try {
    await sendError(request, response, error)
  } catch (problem) {
    log.error({ path: request.info.path, error: String(problem) }, 'an error could not be sent')
    plain(response).destroy()
  }
  // The rest of an unread body would otherwise be taken for the next request.
  request.raw.resume()
}

/** The verb as Kubernetes's metrics name it. */
const recordedVerb = ({ info, method, headers }: ApiRequest): string => {
  if (!info.isResourceRequest) return method
  if (info.verb === 'list' || info.verb === 'watch' || info.verb === 'deletecollection') return info.verb.toUpperCase()
  return method === 'PATCH' && headers['content-type']?.startsWith('application/apply-patch') ? 'APPLY' : method
}

function record({ edges, log }: Corridor, request: Request, response: ApiResponse, begun: number): void {
  const http = plain(response)
  const seconds = (performance.now() - begun) / 1000
  if (request.trail) {
    for (const [key, value] of latencyAnnotations(request.stretches, seconds * 1000)) request.trail.annotate(key, value)
    request.trail.finished(http.statusCode)
  }
  edges.observer?.finished({ info: request.info, verb: recordedVerb(request), code: http.statusCode, seconds, spared: request.spared / 1000, dryRun: request.query.size > 0 && request.query.has('dryRun'), bytes: request.sent })
  log.debug({ method: request.method, path: request.raw.url, code: http.statusCode, ms: Math.round(seconds * 1e5) / 100, user: request.user.name }, 'request')
}

/** Hands an HTTP/1.1 upgrade to whoever serves it, after the same checks. Never rejects. */
export async function serveUpgrade(corridor: Corridor, raw: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> {
  let request: Request | undefined
  let release: (() => void) | undefined
  const begun = performance.now()
  const auditId = auditIdOf(raw)
  try {
    request = new Request(raw, auditId)
    const { info } = request
    socket.once('close', () => {
      request?.abort(new ApiError(499, 'ClientClosedRequest', 'the client closed the connection'))
      request?.trail?.finished(101)
    })
    release = await enter(corridor, request, undefined, begun, authenticate(corridor, request))
    const handler = upgradeHandler(corridor, info, raw)
    if (!handler) throw badRequest('Upgrade request required for a path that does not take one')
    request.trail?.started(101)
    await handler(request, socket, head)
  } catch (error) {
    const status = statusOf(error)
    request?.trail?.failed(status)
    request?.trail?.finished(status.code)
    refuseUpgrade(socket, raw.method === 'HEAD', status, auditId)
    if (!(error instanceof ApiError)) corridor.log.error({ path: request?.info.path, error: String(error) }, 'an upgrade failed')
  } finally {
    release?.()
  }
}

/** Whether an upgrade is served at the request's path; elsewhere the `Upgrade` header is ignored. */
export function takesUpgrade(corridor: Corridor, raw: IncomingMessage): boolean {
  try {
    return upgradeHandler(corridor, new Request(raw, '').info, raw) !== undefined
  } catch {
    return false // a malformed path: answered with an error
  }
}

/** Who serves upgrades at the path: an extension API server, a watch, or a stream to a node or a pod. */
function upgradeHandler(corridor: Corridor, info: RequestInfo, raw: IncomingMessage): UpgradeHandler | undefined {
  const { registry, edges: { routes } } = corridor
  const remote = routes.remoteUpgrade?.(info)
  if (remote) return remote
  if (isWatchSocket(info, raw)) return (request, socket, head) => watchOverSocket(corridor, request, socket, head)
  const resource = registry.resource(info.group, info.version, info.resource)
  // A log is upgraded to a WebSocket only; to other offers it is an ordinary answer.
  if (info.subresource === 'log' && !isSocketOffered(raw)) return undefined
  return resource && info.subresource ? routes.upgrade?.(resource.groupResource, info.subresource) : undefined
}

/** An HTTP answer on a socket that was to be taken over. To a HEAD it has no body. */
function refuseUpgrade(socket: Duplex, headOnly: boolean, status: { readonly code: number; readonly reason?: string }, auditId: string): void {
  if (socket.destroyed) return
  const body = `${JSON.stringify(status)}\n`
  socket.end(`HTTP/1.1 ${status.code} ${status.reason ?? 'Error'}\r\nContent-Type: application/json\r\nAudit-ID: ${auditId}\r\nConnection: close\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${headOnly ? '' : body}`)
}
