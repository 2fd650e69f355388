/** One call of a webhook: an AdmissionReview goes out over HTTPS, another one comes back in time, or it is a failure. */
import { randomUUID } from 'node:crypto'
import type { ClientRequest, IncomingMessage } from 'node:http'
import https from 'node:https'
import type { admission, admissionregistration, Resource } from '../../../api/index.ts'
import type { AdmissionAttributes } from '../admission.ts'
import { requestValue } from '../policies/request.ts'
import { throughTunnel } from '../../reach/tunnel.ts'
import { goError } from '../../streaming/forward.ts'
import type { FindWebhook, WebhookPlace } from './endpoint.ts'

export interface Webhook {
  readonly name: string
  readonly clientConfig: admissionregistration.WebhookClientConfig
  readonly timeoutSeconds?: number | undefined
}

export type Answer = Partial<admission.AdmissionResponse>
/** Resolves with the webhook's answer; rejects when there is none that can be understood. */
export type CallWebhook = (webhook: Webhook, attributes: AdmissionAttributes, matched: Resource) => Promise<Answer>

const defaultSeconds = 10
const largestAnswer = 16 * 1024 * 1024

export function createCallWebhook(find: FindWebhook): CallWebhook {
  return async (webhook, attributes, matched) => {
    const place = find(webhook.clientConfig)
    const seconds = webhook.timeoutSeconds ?? defaultSeconds
    const uid = randomUUID()
    const body = JSON.stringify({ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', request: requestOf(attributes, matched, uid) })
    const text = await post(place, webhook.clientConfig.caBundle, body, seconds)
    return answerOf(text, uid)
  }
}

/** `admission.v1.AdmissionRequest`; the objects are in the version of `matched`. */
export const requestOf = (a: AdmissionAttributes, matched: Resource, uid: string): object => {
  const { subResource, requestSubResource, options, ...rest } = requestValue(a, matched)
  return {
    uid, ...rest,
    ...(a.subresource ? { subResource, requestSubResource } : {}),
    object: a.object ?? null,
    oldObject: a.old ?? null,
    options: Object.keys(options as object).length > 0 ? options : null,
  }
}

function answerOf(text: string, uid: string): Answer {
  const review = JSON.parse(text) as { kind?: unknown; apiVersion?: unknown; response?: Answer }
  if (review.kind !== 'AdmissionReview' || review.apiVersion !== 'admission.k8s.io/v1') {
    throw new Error(`expected webhook response of admission.k8s.io/v1, Kind=AdmissionReview, got ${String(review.apiVersion)}, Kind=${String(review.kind)}`)
  }
  if (!review.response) throw new Error('webhook response was absent')
  if (review.response.uid !== uid) throw new Error(`expected response.uid=${JSON.stringify(uid)}, got ${JSON.stringify(review.response.uid)}`)
  return review.response
}

/** Connections are kept for a while, apart for each name and authority: a handshake costs more than most reviews. */
const agents = new Map<string, https.Agent>()
const mostAgents = 64
const idleTime = 30_000

function agentFor(tls: { readonly servername: string; readonly ca?: Buffer }): https.Agent {
  const key = `${tls.servername} ${tls.ca?.toString('base64') ?? ''}`
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

/** Sends a review; resolves with the answer's text. Rejects when it does not come within `seconds`, or with another code than 200. */
export function post(place: WebhookPlace, caBundle: string | undefined, body: string, seconds: number): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const path = `${place.path}${place.path.includes('?') ? '&' : '?'}timeout=${seconds}s`
  // The certificate is for the service, whatever the address of the endpoint.
  const tls = { servername: /^[\d.:]+$/.test(place.serverName) ? '' : place.serverName, ...(caBundle ? { ca: Buffer.from(caBundle, 'base64') } : {}) }
  const signal = AbortSignal.timeout(seconds * 1000)
  const attempt = (agent: https.Agent | false) => {
    const request = https.request({
      host: place.address, port: place.port, path, method: 'POST', ...(place.connect ? throughTunnel(place.connect, tls) : { ...tls, agent }), signal,
      headers: { host: place.serverName, 'content-type': 'application/json', accept: 'application/json', 'content-length': Buffer.byteLength(body) },
    })
    request.on('response', (response) => read(request, response, resolve, reject))
    request.on('error', (error: Error & { readonly code?: string }) => {
      // The other side had closed a kept connection: nothing was asked yet.
      if (request.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE') && !signal.aborted) return attempt(false)
      const why = error.name === 'AbortError' || error.name === 'TimeoutError' ? 'context deadline exceeded' : goError(error)
      reject(new Error(`Post ${JSON.stringify(`${place.url}${place.url.includes('?') ? '&' : '?'}timeout=${seconds}s`)}: ${why}`))
    })
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
    if (response.statusCode === 200) resolve(Buffer.concat(chunks).toString('utf8'))
    else reject(new Error(`the server responded with the status code ${response.statusCode}`))
  })
}
