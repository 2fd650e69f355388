/** Requests of recorded cases, and what is told of an answer: without what every run makes anew (uids, times of now, revisions). */
import { readFileSync } from 'node:fs'
import { Agent, request } from 'node:https'
import { setTimeout as delay } from 'node:timers/promises'
import { parse } from 'yaml'
import type { Target } from './target.ts'

/** What a request carries beside its path and body, and how its answer is read. */
export interface Extras {
  readonly type?: string
  readonly accept?: string
  /** Of a watch: so many frames are waited for, and no more. */
  readonly frames?: number
  /** The part of the answer that is of interest. */
  readonly pick?: (body: never) => unknown
  /** The request is repeated until its answer is so, for ten seconds at most. */
  readonly until?: (body: never, code: number) => boolean
  /** Later paths and bodies may have `<name.resourceVersion>`, `<name.uid>` and `<name.continue>` of this answer in them. */
  readonly keep?: string
}
/** One request: `['POST', '/api/v1/namespaces', { … }]`. A body that is a text is sent as it is. */
export type Step = readonly [method: string, path: string, body?: unknown, extras?: Extras]

/** What came back, ready to be compared. */
export interface Answer {
  readonly code: number
  readonly warnings?: readonly string[]
  /** Of answers that are not `application/json`. */
  readonly type?: string
  readonly body: unknown
}

/** What was kept of earlier answers, by name. */
export type Kept = Map<string, string>

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
export async function send(server: Target, step: Step, kept: Kept = new Map()): Promise<Answer> {
  const { until, pick = (body: never): unknown => body, keep } = step[3] ?? {}
  const end = Date.now() + 10_000
  for (;;) {
    const { code, warnings, type, text } = await exchange(server, step, kept)
    const body = parsed(text)
    if (until && !until(body as never, code) && Date.now() < end) {
      await delay(20)
      continue
    }
    if (keep) remember(kept, keep, body)
    const shown = code >= 400 ? body : pick(body as never)
    return { code, ...(warnings.length > 0 ? { warnings } : {}), ...(type && type !== 'application/json' ? { type } : {}), body: unordered(settled(shown)) }
  }
}

interface Raw { readonly code: number; readonly warnings: readonly string[]; readonly type: string; readonly text: string }

function exchange({ url, agent }: Target, [method, path, body, extras = {}]: Step, kept: Kept): Promise<Raw> {
  const text = body === undefined ? undefined : filled(typeof body === 'string' ? body : JSON.stringify(body), kept)
  const type = extras.type ?? (method === 'APPLY' ? apply : defaultType(method))
  const headers = { ...(text === undefined ? {} : { 'content-type': type, 'content-length': Buffer.byteLength(text) }), accept: extras.accept ?? 'application/json', 'user-agent': 'recorded/1' }
  return new Promise((resolve) => {
    const call = request(new URL(url + filled(path, kept)), { method: method === 'APPLY' ? 'PATCH' : method, headers, agent, timeout: 60_000 }, (response) => {
      let answer = ''
      const done = (): void => {
        const warnings = [response.headers['warning'] ?? []].flat().flatMap((line) => line.match(/299 - "(?:[^"\\]|\\.)*"/g) ?? [line])
        resolve({ code: response.statusCode ?? 0, warnings, type: response.headers['content-type'] ?? '', text: answer })
      }
      response.on('data', (chunk: Buffer) => {
        answer += chunk.toString()
        if (extras.frames === undefined || answer.split('\n').length <= extras.frames) return
        answer = answer.split('\n').slice(0, extras.frames).join('\n')
        done()
        call.destroy()
      })
      response.on('end', done)
    })
    // A server may give up on a request without a word.
    call.on('error', () => resolve({ code: 0, warnings: [], type: '', text: 'no answer' }))
    call.on('timeout', () => call.destroy(new Error(`no answer within a minute: ${method} ${path}`)))
    call.end(text)
  })
}

const filled = (text: string, kept: Kept): string => text.replace(/<(\w+\.\w+)>/g, (whole, name: string) => kept.get(name) ?? whole)

function remember(kept: Kept, name: string, body: unknown): void {
  const frames = Array.isArray(body) ? (body as { object?: unknown }[]).map((frame) => frame.object) : [body]
  const { metadata = {} } = (frames.at(-1) ?? {}) as { readonly metadata?: Readonly<Record<string, unknown>> }
  for (const field of ['resourceVersion', 'uid', 'continue']) {
    if (typeof metadata[field] === 'string') kept.set(`${name}.${field}`, field === 'continue' ? encodeURIComponent(metadata[field]) : metadata[field])
  }
}

/** Numbers that do not survive in JavaScript are told as they were written. */
const exact = (_key: string, value: unknown, context?: { readonly source?: string }): unknown => (typeof value === 'number' && context?.source !== undefined && String(value) !== context.source ? `number ${context.source}` : value)
const json = JSON.parse as (text: string, reviver: typeof exact) => unknown

function parsed(text: string): unknown {
  try {
    return json(text, exact)
  } catch {
    const frames = text.trim().split('\n')
    return frames.length > 1 && frames.every((frame) => frame.startsWith('{')) ? frames.map((frame) => json(frame, exact)) : text
  }
}

const uid = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g
const now = new RegExp(`${new Date().getFullYear()}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\dZ`, 'g')
const time = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z/

/** Kubernetes finds some faults in the order of a Go map, which is none: several causes are sorted, and the message that joins them is left out. */
function unordered(body: unknown): unknown {
  const status = body as { readonly kind?: string; readonly details?: { readonly causes?: readonly unknown[] } } | null
  const causes = status?.kind === 'Status' ? (status.details?.causes ?? []) : []
  if (causes.length < 2) return body
  const sorted = [...new Set(causes.map((cause) => JSON.stringify(cause)))].toSorted().map((cause) => JSON.parse(cause) as unknown)
  return { ...status, message: 'SEVERAL', details: { ...status?.details, causes: sorted } }
}

/** Owners stand in the order of their times, which are of seconds: nobody knows which of them are the same. */
function byOwner(a: unknown, b: unknown): number {
  const [one, other] = [a, b].map((entry) => ['manager', 'operation', 'apiVersion', 'subresource'].map((part) => String((entry as Readonly<Record<string, unknown>>)[part])).join(' ')) as [string, string]
  return one < other ? -1 : one > other ? 1 : 0
}

const moments = new Set(['creationTimestamp', 'deletionTimestamp', 'time', 'lastTransitionTime'])

function settled(value: unknown, key = ''): unknown {
  if (Array.isArray(value)) return key === 'managedFields' ? value.map((item) => settled(item)).toSorted(byOwner) : value.map((item) => settled(item))
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, settled(inner, name)]))
  // A new definition has no conditions: Kubernetes writes null.
  if (value === null && key === 'conditions') return []
  if (typeof value !== 'string') return value
  if (key === 'resourceVersion' && /^\d+$/.test(value)) return value === '0' ? value : 'REVISION'
  if (key === 'continue') return value && 'TOKEN'
  if (moments.has(key) && time.test(value)) return 'NOW'
  return value.replace(uid, 'UID').replaceAll(now, 'NOW').replace(/127\.0\.0\.1:\d+/g, 'HOST').replace(/(\\?"resourceVersion\\?":\s?\\?"|current: |ResourceVersion in record \(|resourceVersion: ")\d+/g, '$1REVISION')
}
