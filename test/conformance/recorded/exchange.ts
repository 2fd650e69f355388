/** Requests of recorded cases, and what is told of an answer: everything that does not differ from one run to the next. */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { parse } from 'yaml'
import type { Target } from './target.ts'

/** What a request carries beside its path and body. */
export interface Extras {
  readonly type?: string
  readonly accept?: string
}
/** One request: `['POST', '/api/v1/namespaces', { … }]`. A body that is a text is sent as it is. */
export type Step = readonly [method: string, path: string, body?: unknown, extras?: Extras]

/** What came back, ready to be compared. */
export interface Answer {
  readonly code: number
  readonly warnings?: readonly string[]
  readonly body: unknown
}

/** Requests for one server. */
export function target(kubeconfigFile: string): Target {
  const { clusters, users } = parse(readFileSync(kubeconfigFile, 'utf8')) as { clusters: { cluster: Record<string, string> }[]; users: { user: Record<string, string> }[] }
  const pem = (text: string | undefined): Buffer | undefined => (text ? Buffer.from(text, 'base64') : undefined)
  const { user } = users[0] ?? { user: {} }
  const ca = pem(clusters[0]?.cluster['certificate-authority-data'])
  const agent = new Agent({ keepAlive: true, ca, rejectUnauthorized: ca !== undefined, cert: pem(user['client-certificate-data']), key: pem(user['client-key-data']) })
  return { url: clusters[0]?.cluster['server'] ?? '', agent, stop: () => agent.destroy() }
}

const apply = 'application/apply-patch+yaml'
const defaultType = (method: string): string => (method === 'PATCH' ? 'application/merge-patch+json' : 'application/json')

/** Sends one request. `APPLY` is a PATCH with an applied configuration. */
export function send({ url, agent }: Target, [method, path, body, extras = {}]: Step): Promise<Answer> {
  const text = body === undefined || typeof body === 'string' ? body : JSON.stringify(body)
  const type = extras.type ?? (method === 'APPLY' ? apply : defaultType(method))
  const headers = { ...(text === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(text) }), accept: extras.accept ?? 'application/json', 'user-agent': 'recorded/1' }
  return new Promise((resolve, reject) => {
    const call = request(new URL(url + path), { method: method === 'APPLY' ? 'PATCH' : method, headers, agent, timeout: 60_000 }, (response) => {
      let answer = ''
      response.on('data', (chunk: Buffer) => void (answer += chunk.toString()))
      response.on('error', reject)
      response.on('end', () => {
        const warnings = [response.headers['warning'] ?? []].flat().flatMap((line) => line.match(/299 - "(?:[^"\\]|\\.)*"/g) ?? [line])
        resolve({ code: response.statusCode ?? 0, ...(warnings.length > 0 ? { warnings } : {}), body: told(answer) })
      })
    })
    // A server may give up on a request without a word.
    call.on('error', () => resolve({ code: 0, body: 'no answer' }))
    call.on('timeout', () => call.destroy(new Error(`no answer within a minute: ${method} ${path}`)))
    call.end(text)
  })
}

const uid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/

/** The body without what every run makes anew: uids, times of now, revisions. */
function told(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    const frames = text.trim().split('\n')
    if (frames.length > 1 && frames.every((frame) => frame.startsWith('{'))) value = frames.map((frame) => JSON.parse(frame) as unknown)
    else return text.replace(uid, 'UID')
  }
  return unordered(settled(value))
}

/** Kubernetes finds some faults in the order of a Go map, which is none: several causes are sorted, and the message that joins them is left out. */
function unordered(body: unknown): unknown {
  const status = body as { readonly kind?: string; readonly details?: { readonly causes?: readonly unknown[] } } | null
  const causes = status?.kind === 'Status' ? (status.details?.causes ?? []) : []
  if (causes.length < 2) return body
  const sorted = [...new Set(causes.map((cause) => JSON.stringify(cause)))].toSorted().map((cause) => JSON.parse(cause) as unknown)
  return { ...status, message: 'SEVERAL', details: { ...status?.details, causes: sorted } }
}

const moments = new Set(['creationTimestamp', 'deletionTimestamp', 'time', 'lastTransitionTime'])

function settled(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return value.map((item) => settled(item))
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, settled(inner, name)]))
  // A new definition has no conditions: Kubernetes writes null.
  if (value === null && key === 'conditions') return []
  if (typeof value !== 'string') return value
  if (key === 'resourceVersion' && /^\d+$/.test(value)) return value === '0' ? value : 'REVISION'
  if (key === 'continue') return 'TOKEN'
  if (moments.has(key) && time.test(value)) return 'NOW'
  return value.replace(uid, 'UID')
}
