/** One call of a webhook: an AdmissionReview goes out over HTTPS, another one comes back in time, or it is a failure. */
import { randomUUID } from 'node:crypto'
import type { ClientRequest, IncomingMessage } from 'node:http'
import https from 'node:https'
import { admission, type admissionregistration, type Resource } from '../../../api/index.ts'
import { decodeObject, parseExactly } from '../../../machinery/json.ts'
import type { Clock } from '../../../machinery/clock.ts'
import type { AdmissionAttributes } from '../admission.ts'
import { requestValue } from '../policies/request.ts'
import { seenObject } from '../versions.ts'
import { throughTunnel } from '../../reach/tunnel.ts'
import { goError, refuseUpgrades } from '../../streaming/forward.ts'
import type { CredentialFor, WebhookCredential } from './credentials.ts'
import type { FindWebhook, WebhookPlace } from './endpoint.ts'

export interface Webhook {
  readonly name: string
  readonly clientConfig: admissionregistration.WebhookClientConfig
  readonly timeoutSeconds?: number | undefined
  readonly admissionReviewVersions?: readonly string[] | undefined
}

export type Answer = Partial<admission.AdmissionResponse>

/** A webhook that gave no answer, or none that counts. `code` is what the metrics say: its own HTTP code, or 400, 500, 503. */
export class WebhookFailure extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

/** Resolves with the webhook's answer; rejects with `WebhookFailure` when there is none that can be understood. */
export type CallWebhook = (webhook: Webhook, attributes: AdmissionAttributes, matched: Resource, mutating: boolean) => Promise<Answer>

const defaultSeconds = 10
const largestAnswer = 16 * 1024 * 1024
/** The versions of AdmissionReview that are spoken; a webhook names those that it understands, the one it likes best first. */
const reviewVersions = ['v1', 'v1beta1']

/** Returns the function that calls a webhook; `find` resolves where it is. */
/** What is shown to the webhooks of each kind; left out: nothing. */
export interface WebhookCredentials { readonly mutating?: CredentialFor | undefined; readonly validating?: CredentialFor | undefined }

export function createCallWebhook(find: FindWebhook, clock: Pick<Clock, 'now'>, shown: WebhookCredentials = {}): CallWebhook {
  return async (webhook, attributes, matched, mutating) => {
    const { caller } = attributes.context
    const version = (webhook.admissionReviewVersions ?? ['v1']).find((one) => reviewVersions.includes(one))
    if (!version) throw new WebhookFailure(400, 'could not create admission objects: webhook does not accept known AdmissionReview versions (v1, v1beta1)')
    const left = Math.ceil(((caller?.deadline ?? Infinity) - clock.now()) / 1000)
    const seconds = Math.max(1, Math.min(webhook.timeoutSeconds ?? defaultSeconds, left))
    const apiVersion = `admission.k8s.io/${version}`
    const uid = randomUUID()
    const body = JSON.stringify({ kind: 'AdmissionReview', apiVersion, request: requestOf(attributes, matched, uid) })
    const text = await called(() => {
      const place = find(webhook.clientConfig)
      return post(place, webhook.clientConfig.caBundle, body, seconds, caller?.signal, credentialOf(mutating ? shown.mutating : shown.validating, place))
    })
    return checkedAnswer(text, apiVersion, uid, mutating)
  }
}

function credentialOf(shown: CredentialFor | undefined, { url }: WebhookPlace): WebhookCredential | undefined {
  if (!shown) return undefined
  const { hostname, port } = new URL(url)
  return shown(hostname, Number(port || 443))
}

async function called(send: () => Promise<string>): Promise<string> {
  try {
    return await send()
  } catch (error) {
    throw new WebhookFailure(error instanceof BadAnswer ? error.code : 503, `failed to call webhook: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** `admission.v1.AdmissionRequest`; the objects are in the version of `matched`. */
export const requestOf = (a: AdmissionAttributes, matched: Resource, uid: string): object => {
  const { options, ...rest } = requestValue(a, matched)
  return {
    uid, ...rest,
    object: seenObject(a) ?? null,
    oldObject: a.old ?? null,
    options: Object.keys(options as object).length > 0 ? options : null,
  }
}

/** What an AdmissionReview must be to count. Of v1beta1, version and uid were never looked at. */
function checkedAnswer(text: string, apiVersion: string, uid: string, mutating: boolean): Answer {
  const beta = apiVersion.endsWith('beta1')
  const invalid = (why: string) => new WebhookFailure(503, `received invalid webhook response: ${why}`)
  const review = parsed(text)
  if (!review.response) throw invalid('webhook response was absent')
  const response = typed(review.response)
  if (beta) return { ...response, patchType: response.patch ? 'JSONPatch' : undefined }
  if (response.uid !== uid) throw invalid(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(response.uid ?? '')}`)
  if (review.kind !== 'AdmissionReview' || review.apiVersion !== apiVersion) {
    const { apiVersion: version = '/', kind = '' } = review
    throw invalid(`expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${String(version)}, Kind=${String(kind)}`)
  }
  const { patch, patchType } = response
  if (!mutating && patch) throw invalid('validating webhook may not return response.patch')
  if (!mutating && patchType !== undefined) throw invalid('validating webhook may not return response.patchType')
  if (patch && patchType === undefined) throw invalid('webhook returned response.patch but not response.patchType')
  if (!patch && patchType !== undefined) throw invalid('webhook returned response.patchType but not response.patch')
  if (patchType === '') throw invalid('webhook returned invalid response.patchType of ""')
  return response
}

interface Review { readonly kind?: unknown; readonly apiVersion?: unknown; readonly response?: Answer | null }

/** The answer with its fields of their types. Throws `WebhookFailure` when they are of others: a webhook that lies about types has not answered. */
function typed(response: Answer): Answer {
  try {
    const { object } = decodeObject(admission.AdmissionReview, { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', response })
    return object.response ?? {}
  } catch (error) {
    throw new WebhookFailure(503, `failed to call webhook: ${error instanceof Error ? error.message : String(error)}`)
  }
}

/** Throws `WebhookFailure` for what is no object of JSON. */
function parsed(text: string): Review {
  const wrong = (why: string) => new WebhookFailure(503, `failed to call webhook: couldn't get version/kind; json parse error: ${why}`)
  let value: unknown
  try {
    value = parseExactly(text)
  } catch (error) {
    throw wrong((error as Error).message)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(`json: cannot unmarshal ${Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value} into an AdmissionReview`)
  return value
}

/** Connections are kept for a while, apart for each name, authority and certificate of ours: a handshake costs more than most reviews. */
const agents = new Map<string, https.Agent>()
const mostAgents = 64
const idleTime = 30_000

function agentFor(tls: { readonly servername: string; readonly ca?: Buffer; readonly cert?: string | undefined; readonly key?: string | undefined }): https.Agent {
  const key = `${tls.servername} ${tls.ca?.toString('base64') ?? ''} ${tls.cert ?? ''}`
  const agent = agents.get(key) ?? new https.Agent({ ...tls, keepAlive: true, maxFreeSockets: 4, timeout: idleTime })
  // The one used last stands last; the first has not been needed for longest.
  agents.delete(key)
  agents.set(key, agent)
  const [oldest] = agents
  if (oldest && agents.size > mostAgents) {
    oldest[1].destroy()
    agents.delete(oldest[0])
  }
  return agent
}

/** Sends a review; resolves with the answer's text. Rejects when it does not come within `seconds` or while the `caller` waits, and with `BadAnswer` for another code than 200. */
export function post(place: WebhookPlace, caBundle: string | undefined, body: string, seconds: number, caller?: AbortSignal, credential: WebhookCredential = {}): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const path = `${place.path}${place.path.includes('?') ? '&' : '?'}timeout=${seconds}s`
  // The certificate is for the service, whatever the address of the endpoint.
  const tls = { servername: /^[\d.:]+$/.test(place.serverName) ? '' : place.serverName, ...(caBundle ? { ca: Buffer.from(caBundle, 'base64') } : {}), ...(credential.cert ? { cert: credential.cert, key: credential.key } : {}) }
  const authorization = credential.token ? { authorization: `Bearer ${credential.token}` } : {}
  const timeout = AbortSignal.timeout(seconds * 1000)
  const signal = caller ? AbortSignal.any([timeout, caller]) : timeout
  const attempt = (agent: https.Agent | false) => {
    const request = https.request({
      host: place.address, port: place.port, path, method: 'POST', ...(place.connect ? throughTunnel(place.connect, tls) : { ...tls, agent }), signal,
      headers: { host: place.serverName, 'content-type': 'application/json', accept: 'application/json, */*', 'content-length': Buffer.byteLength(body), ...authorization },
    })
    request.on('response', (response) => read(request, response, resolve, reject))
    const failed = (error: Error & { readonly code?: string }) => {
      // The other side had closed a kept connection: nothing was asked yet.
      if (request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE') && !signal.aborted) return attempt(false)
      const why = signal.aborted ? (timeout.aborted ? 'context deadline exceeded' : 'context canceled') : goError(error)
      reject(new Error(`Post ${JSON.stringify(`${place.url}${place.url.includes('?') ? '&' : '?'}timeout=${seconds}s`)}: ${why}`))
    }
    request.on('error', failed)
    refuseUpgrades(request, failed)
    request.end(body)
  }
  attempt(agentFor(tls))
  return promise
}

/** Reads an answer to its end. */
function read(request: ClientRequest, response: IncomingMessage, resolve: (text: string) => void, reject: (error: Error) => void): void {
  const chunks: Buffer[] = []
  let length = 0
  response.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    length += chunk.length
    if (length > largestAnswer) request.destroy(new Error(`answer is larger than ${largestAnswer} bytes`))
  })
  response.on('error', reject)
  response.on('end', () => {
    const text = Buffer.concat(chunks).toString('utf8')
    const { statusCode = 0, headers } = response
    const type = headers['content-type']
    if (statusCode >= 200 && statusCode <= 206) return text ? resolve(text) : reject(new Error(`0-length response with status code: ${statusCode} and content type: ${type ?? 'application/json'}`))
    const status = statusIn(text)
    if (status) return reject(new BadAnswer(statusCode, status))
    reject(new BadAnswer(statusCode, wordsFor(statusCode, type === undefined || type.startsWith('text/') ? text.slice(0, longestQuote).trim() : 'unknown')))
  })
}

/** An answer with a code that says that something is wrong. */
class BadAnswer extends Error {
  readonly code: number
  constructor(code: number, message: string) {
    super(message)
    this.code = code
  }
}

const longestQuote = 2048

/** What a Status in an answer says; undefined when it is none. */
function statusIn(text: string): string | undefined {
  try {
    const { kind, message } = JSON.parse(text) as { readonly kind?: unknown; readonly message?: unknown }
    return kind === 'Status' && typeof message === 'string' ? message : undefined
  } catch {
    return undefined // any other text: quoted as it is
  }
}

/** What client-go says of codes, where the server says nothing that it understands. */
const codeWords: Readonly<Record<number, string>> = {
  400: 'the server rejected our request for an unknown reason',
  401: 'the server has asked for the client to provide credentials',
  404: 'the server could not find the requested resource',
  405: 'the server does not allow this method on the requested resource',
  409: 'the server reported a conflict',
  422: 'the server rejected our request due to an error in our request',
  429: 'the server has received too many requests and has asked us to try again later',
  503: 'the server is currently unable to handle the request',
  504: 'the server was unable to return a response in the time allotted, but may still be processing the request',
}

function wordsFor(code: number, said: string): string {
  if (code === 403 || code === 406 || code === 415) return said
  return codeWords[code] ?? (code >= 500 ? `an error on the server (${JSON.stringify(said)}) has prevented the request from succeeding` : `the server responded with the status code ${code} but did not return more information`)
}
