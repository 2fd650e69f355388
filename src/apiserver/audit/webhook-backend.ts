/** The webhook backend: events in batches, as `audit.k8s.io/v1 EventList`, to the server that a kubeconfig names. */
import http from 'node:http'
import https from 'node:https'
import type { HttpsClientOptions } from '../../client/https.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { Logger } from '../../machinery/log.ts'
import type { AuditBackend, Mode } from './backend.ts'
import { createBatches, pieces, type BatchOptions } from './batch.ts'

export interface WebhookBackendOptions {
  /** Of the kubeconfig: where, which authority, which credentials. */
  readonly target: Pick<HttpsClientOptions, 'server' | 'ca' | 'cert' | 'key' | 'token' | 'servername' | 'insecure'>
  readonly mode: Mode
  /** Bytes of the largest event that is sent whole. */
  readonly maxEventSize?: number | undefined
  /** Bytes of the largest batch; what is more goes in several. */
  readonly maxBatchSize?: number | undefined
  /** For the mode `batch`. */
  readonly batch: Pick<BatchOptions, 'bufferSize' | 'maxSize' | 'maxWait' | 'throttle'>
  /** Milliseconds before the first retry; each further one waits half as long again. */
  readonly initialBackoff: number
  readonly clock: Clock
  readonly log: Logger
}

/** As often as Kubernetes tries. */
const attempts = 5
const answerTime = 30_000

/** The webhook; nothing is connected before there is an event. */
export function createWebhookBackend(options: WebhookBackendOptions): AuditBackend {
  const { mode, maxEventSize, clock, log } = options
  const ended = new AbortController()
  const post = createPost(options)
  const send = async (lines: readonly string[]): Promise<void> => {
    for (const some of pieces(lines, options.maxBatchSize)) await sendOne(some)
  }
  const sendOne = async (lines: readonly string[]): Promise<void> => {
    const body = `{"kind":"EventList","apiVersion":"audit.k8s.io/v1","metadata":{},"items":[${lines.map(item).join(',')}]}`
    let wait = options.initialBackoff
    for (let attempt = 1; ; attempt++, wait *= 1.5) {
      try {
        return await post(body)
      } catch (error) {
        if (!(error instanceof Temporary) || attempt === attempts || ended.signal.aborted) throw error
        await clock.sleep(wait * (1 + Math.random() * 0.2), ended.signal).catch(() => undefined)
      }
    }
  }
  if (mode !== 'batch') return { name: 'webhook', strict: mode === 'blocking-strict', maxEventSize, write: (line) => send([line]), stop: async () => ended.abort() }
  const batches = createBatches({
    ...options.batch, clock, send,
    lost: (error, events) => log.error({ backend: 'webhook', error: error.message, events }, 'audit events are lost'),
  })
  return {
    name: 'webhook', strict: false, maxEventSize,
    write: (line) => batches.add(line),
    async stop() {
      ended.abort()
      await batches.stop()
    },
  }
}

const typed = '{"kind":"Event","apiVersion":"audit.k8s.io/v1",'
/** An event within a list does not say what it is. */
const item = (line: string): string => (line.startsWith(typed) ? `{${line.slice(typed.length)}` : line)

/** A failure that may not be one the next time. */
class Temporary extends Error {}

/** Posts a body; rejects when it was not taken. The connection is kept. */
function createPost({ target }: WebhookBackendOptions): (body: string) => Promise<void> {
  const url = new URL(target.server)
  const secure = url.protocol === 'https:'
  const agent = secure
    ? new https.Agent({ keepAlive: true, ca: target.ca, cert: target.cert, key: target.key, rejectUnauthorized: !target.insecure, ...(target.servername ? { servername: target.servername } : {}) })
    : new http.Agent({ keepAlive: true })
  const start = secure ? https.request : http.request
  return async (body) => {
    const token = typeof target.token === 'function' ? await target.token() : target.token
    const headers = { 'content-type': 'application/json', accept: 'application/json', 'content-length': Buffer.byteLength(body), ...(token ? { authorization: `Bearer ${token}` } : {}) }
    await new Promise<void>((resolve, reject) => {
      const request = start(url, { method: 'POST', agent, headers, timeout: answerTime }, (response) => {
        response.resume()
        response.once('error', (error) => reject(new Temporary(error.message)))
        response.once('end', () => {
          const code = response.statusCode ?? 0
          if (code >= 200 && code < 300) return resolve()
          const message = `the audit webhook answered ${code}`
          reject(code === 429 || code >= 500 ? new Temporary(message) : new Error(message))
        })
      })
      request.once('timeout', () => request.destroy(new Error(`no answer within ${answerTime / 1000} s`)))
      request.once('error', (error) => reject(new Temporary(error.message)))
      request.end(body)
    })
  }
}
