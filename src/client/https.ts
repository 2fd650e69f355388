/** The client over HTTPS: for other machines, and for users' own operators. */
import type { Resource, StructType } from '../api/index.ts'
import { ApiError, type Status } from '../machinery/errors.ts'
import { decodeObject, parseExactly } from '../machinery/json.ts'
import type { Client, DeleteOptions, List, Patch, UpdateOptions, WatchEvent, WatchOptions, WriteOptions } from './client.ts'
import { chunksOf, createTransport, type Response, type Transport } from './http2-transport.ts'

export interface HttpsClientOptions {
  /** `https://host:port`. */
  readonly server: string
  /** PEM of the authority that signed the server's certificate; by default the system's authorities. */
  readonly ca?: string | undefined
  /** PEM of the client's certificate and key. */
  readonly cert?: string | undefined
  readonly key?: string | undefined
  /** A bearer token, or a function for the current one (pods' tokens are renewed on disk). */
  readonly token?: string | (() => Promise<string>) | undefined
  /** The name in the server's certificate, if it is not the host of `server`. */
  readonly servername?: string | undefined
  /** Accepts any server certificate. */
  readonly insecure?: boolean | undefined
  readonly userAgent?: string
}

export interface HttpsClient extends Client {
  /** Uses this certificate for new connections. Calls in flight finish on the old ones, which get no new calls. */
  renew(pair: { readonly cert: string; readonly key: string }): void
  /** Closes the connections; calls in flight are rejected. */
  close(): void
}

const patchTypes: Record<Patch['type'], string> = {
  json: 'application/json-patch+json',
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  apply: 'application/apply-patch+yaml',
}

const longestWait = 10

type Query = Readonly<Record<string, string | number | boolean | undefined>>

/** `/apis/apps/v1/namespaces/x/deployments/y/status?…` */
function pathOf(resource: Resource, namespace: string | undefined, parts: readonly string[], query: Query = {}): string {
  const root = resource.group === '' ? `/api/${resource.version}` : `/apis/${resource.group}/${resource.version}`
  const inside = resource.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  const path = [`${root}${inside}/${resource.plural}`, ...parts.map(encodeURIComponent)].join('/')
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) if (value !== undefined && value !== '') search.set(name, String(value))
  return search.size > 0 ? `${path}?${search}` : path
}

async function textOf({ stream }: Response): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of chunksOf(stream)) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

/** The error in a response's body, or one made from its status code when the body has none. */
function errorOf(status: number, body: string): ApiError {
  try {
    const parsed = JSON.parse(body) as Status
    if (parsed.kind === 'Status') return ApiError.fromStatus(parsed)
  } catch {
    // Not JSON: the answer of a proxy in between; its text is the message.
  }
  return new ApiError(status, status === 503 ? 'ServiceUnavailable' : 'Unknown', body.trim().slice(0, 500) || `the server answered ${status}`)
}

/** The lines of a watch response. */
async function* linesOf({ stream }: Response): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of chunksOf(stream)) {
    rest += decoder.decode(chunk, { stream: true })
    let from = 0
    for (let at = rest.indexOf('\n'); at >= 0; at = rest.indexOf('\n', from)) {
      if (at > from) yield rest.slice(from, at)
      from = at + 1
    }
    rest = rest.slice(from)
  }
}

const writeQuery = (o: WriteOptions): Query => ({ dryRun: o.dryRun ? 'All' : undefined, fieldManager: o.fieldManager })

const deleteBody = (o: DeleteOptions): string => JSON.stringify({
  kind: 'DeleteOptions',
  apiVersion: 'v1',
  gracePeriodSeconds: o.gracePeriodSeconds,
  propagationPolicy: o.propagationPolicy,
  preconditions: o.preconditions,
  dryRun: o.dryRun ? ['All'] : undefined,
})

interface Call {
  readonly method: string
  readonly path: string
  readonly body?: string
  readonly contentType?: string
  readonly signal?: AbortSignal | undefined
}

/** Sends a call, retries when the server says so (429 with Retry-After), and throws its errors. */
function createCaller(transport: Transport, options: HttpsClientOptions) {
  const { token, userAgent = 'skiff' } = options
  return async ({ method, path, body, contentType = 'application/json', signal }: Call): Promise<Response> => {
    for (let attempt = 0; ; attempt++) {
      const bearer = typeof token === 'function' ? await token() : token
      const headers = {
        accept: 'application/json',
        'user-agent': userAgent,
        ...(bearer ? { authorization: `Bearer ${bearer}` } : {}),
        ...(body === undefined ? {} : { 'content-type': contentType }),
      }
      const response = await transport.send({ method, path, headers, body, signal })
      if (response.status < 300) return response
      const text = await textOf(response)
      const wait = Number(response.headers['retry-after'])
      const later = (response.status === 429 || response.status >= 500) && Number.isFinite(wait) && attempt < longestWait
      if (!later) throw errorOf(response.status, text)
      await delay(wait * 1000, signal)
    }
  }
}

const delay = (ms: number, signal?: AbortSignal): Promise<void> => new Promise((resolve, reject) => {
  const timer = setTimeout(resolve, ms)
  signal?.addEventListener('abort', () => {
    clearTimeout(timer)
    reject(signal.reason as Error)
  }, { once: true })
})

/** A received object with its kind, which items of lists lack. */
const decoded = <O>(resource: Resource<O>, value: unknown): O =>
  decodeObject(resource.type as StructType<O>, { apiVersion: resource.apiVersion, kind: resource.kind, ...(value as object) }).object

/** A sent object with its kind. */
const encoded = (resource: Resource, object: unknown): string =>
  JSON.stringify({ apiVersion: resource.apiVersion, kind: resource.kind, ...(object as object) })

interface Meta { readonly metadata?: { readonly name?: string; readonly namespace?: string } }
const nameOf = (object: unknown): string => (object as Meta).metadata?.name ?? ''
const namespaceOf = (object: unknown, options: { readonly namespace?: string }) => options.namespace ?? (object as Meta).metadata?.namespace

type Caller = ReturnType<typeof createCaller>

async function* watchLines<O>(call: Caller, resource: Resource<O>, o: WatchOptions): AsyncGenerator<WatchEvent<O>> {
  const { signal, namespace, allowBookmarks, ...query } = o
  const path = pathOf(resource, namespace, [], { ...query, watch: true, allowWatchBookmarks: allowBookmarks })
  const response = await call({ method: 'GET', path, signal })
  try {
    for await (const line of linesOf(response)) {
      const event = parseExactly(line) as { type: WatchEvent<O>['type'] | 'ERROR'; object: unknown }
      if (event.type === 'ERROR') throw ApiError.fromStatus(event.object as Status)
      yield { type: event.type, object: decoded(resource, event.object) }
    }
  } catch (error) {
    if (!signal?.aborted) throw error
  } finally {
    response.stream.close()
  }
}

/** The calls that write an object and return it. */
function writers(object: <O>(resource: Resource<O>, c: Call) => Promise<O>) {
  const write = <O>(method: string, r: Resource<O>, parts: readonly string[], value: unknown, o: WriteOptions = {}): Promise<O> =>
    object(r, { method, path: pathOf(r, namespaceOf(value, o), parts, writeQuery(o)), body: encoded(r, value), signal: o.signal })
  return {
    create: <O>(r: Resource<O>, value: unknown, o?: WriteOptions) => write('POST', r, [], value, o),
    update: <O>(r: Resource<O>, value: unknown, o: UpdateOptions = {}) => write('PUT', r, under(nameOf(value), o.subresource), value, o),
    updateStatus: <O>(r: Resource<O>, value: unknown, o?: WriteOptions) => write('PUT', r, under(nameOf(value), 'status'), value, o),
    patch: <O>(r: Resource<O>, name: string, patch: Patch, o: UpdateOptions = {}) => object(r, {
      method: 'PATCH',
      path: pathOf(r, o.namespace, under(name, o.subresource), { ...writeQuery(o), force: patch.type === 'apply' ? patch.force : undefined }),
      body: JSON.stringify(patch.body),
      contentType: patchTypes[patch.type],
      signal: o.signal,
    }),
  }
}

const under = (name: string, subresource: string | undefined): readonly string[] => (subresource ? [name, subresource] : [name])

/** A client of any Kubernetes API server: JSON over HTTP/2, authenticated by certificate or bearer token. */
export function createHttpsClient(options: HttpsClientOptions): HttpsClient {
  const transport = createTransport(options)
  const call = createCaller(transport, options)
  const text = async (c: Call) => textOf(await call(c))
  const object = async <O>(resource: Resource<O>, c: Call): Promise<O> => decoded(resource, parseExactly(await text(c)))

  return {
    ...writers(object),
    get: (r, name, o = {}) => object(r, { method: 'GET', path: pathOf(r, o.namespace, [name], { resourceVersion: o.resourceVersion }), signal: o.signal }),
    async list(r, { signal, namespace, ...query } = {}) {
      const body = parseExactly(await text({ method: 'GET', path: pathOf(r, namespace, [], query), signal })) as List<unknown>
      return { metadata: body.metadata ?? {}, items: (body.items ?? []).map((item) => decoded(r, item)) }
    },
    watch: (r, o = {}) => watchLines(call, r, o),
    async delete(r, name, o = {}) {
      const answer = JSON.parse(await text({ method: 'DELETE', path: pathOf(r, o.namespace, [name]), body: deleteBody(o), signal: o.signal })) as { kind?: string }
      return answer.kind === 'Status' ? undefined : decoded(r, answer)
    },
    async deleteCollection(r, o = {}) {
      const query = { labelSelector: o.labelSelector, fieldSelector: o.fieldSelector }
      await text({ method: 'DELETE', path: pathOf(r, o.namespace, [], query), body: deleteBody(o), signal: o.signal })
    },
    async createSubresource<B, A>(r: Resource, name: string, subresource: string, body: B, o: WriteOptions = {}) {
      const path = pathOf(r, o.namespace, [name, subresource], writeQuery(o))
      return JSON.parse(await text({ method: 'POST', path, body: JSON.stringify(body), signal: o.signal })) as A
    },
    raw: (path, o = {}) => text({ method: 'GET', path, signal: o.signal }),
    renew: (pair) => transport.renew(pair),
    close: () => transport.close(),
  }
}
