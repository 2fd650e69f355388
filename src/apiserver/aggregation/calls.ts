/**
 * What components in this process do with the objects of other servers: a namespace is emptied there too, and the garbage
 * collector follows what is owned there. Objects come as the other server has them; only their metadata means something here.
 */
import { meta, type Resource, type StructType, type Verb } from '../../api/index.ts'
import type { ApiObject, CallOptions, DeleteOptions, GetOptions, List, ListOptions, Patch, UpdateOptions, WatchEvent, WatchOptions } from '../../client/client.ts'
import { ApiError, unavailable, type Status } from '../../machinery/errors.ts'
import { parseExactly } from '../../machinery/json.ts'
import type { Identity } from '../identity.ts'
import type { RemoteVersion } from './aggregator.ts'
import { fetchFrom, open, type Fetched } from './fetch.ts'
import type { Connections } from './front-proxy.ts'
import type { Remote, Remotes } from './remotes.ts'

export interface RemoteCalls {
  /** Whether the resource is another server's. */
  has(resource: Pick<Resource, 'group' | 'version'>): boolean
  get(user: Identity, resource: Resource, name: string, options: GetOptions): Promise<ApiObject>
  list(user: Identity, resource: Resource, options: ListOptions): Promise<List<ApiObject>>
  watch(user: Identity, resource: Resource, options: WatchOptions): AsyncGenerator<WatchEvent<ApiObject>>
  patch(user: Identity, resource: Resource, name: string, patch: Patch, options: UpdateOptions): Promise<ApiObject>
  delete(user: Identity, resource: Resource, name: string, options: DeleteOptions): Promise<ApiObject | undefined>
  deleteCollection(user: Identity, resource: Resource, options: DeleteOptions & Pick<ListOptions, 'labelSelector' | 'fieldSelector'>): Promise<void>
}

/** How long another server may take for one answer. */
const timeout = 60_000
/** How long one event of another server's watch may be: 16 Mi characters. */
const longestEvent = 16 * 1024 * 1024
const patchTypes = { json: 'application/json-patch+json', merge: 'application/merge-patch+json', strategic: 'application/strategic-merge-patch+json', apply: 'application/apply-patch+yaml' } as const

const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.filter((v) => typeof v === 'string') : [])

/** The resources of another server's version, as far as their verbs go. */
export const resourcesOf = ({ group, version, resources }: RemoteVersion): readonly Resource[] => resources.map((r): Resource => {
  const plural = String(r['resource'])
  const kind = (r['responseKind'] as { readonly kind?: string } | undefined)?.kind ?? ''
  return {
    group, version, kind, plural, singular: String(r['singularResource'] || kind.toLowerCase()), shortNames: texts(r['shortNames']), categories: texts(r['categories']),
    namespaced: r['scope'] === 'Namespaced', verbs: texts(r['verbs']) as readonly Verb[], subresources: [], apiVersion: `${group}/${version}`, groupResource: `${plural}.${group}`,
    type: meta.PartialObjectMetadata as unknown as StructType,
  }
})

function pathOf(resource: Resource, namespace: string | undefined, name: string, query: Readonly<Record<string, string | number | boolean | undefined>> = {}): string {
  const search = new URLSearchParams()
  for (const [key, value] of Object.entries(query)) if (value !== undefined && value !== '') search.set(key, String(value))
  const parts = [`/apis/${resource.group}/${resource.version}`, ...(resource.namespaced && namespace ? ['namespaces', encodeURIComponent(namespace)] : []), resource.plural, ...(name ? [encodeURIComponent(name)] : [])]
  return `${parts.join('/')}${search.size > 0 ? `?${search}` : ''}`
}

/** The JSON of an answer. Throws the error that is in it. */
function bodyOf({ code, body }: Fetched): unknown {
  const text = body.toString('utf8')
  if (code >= 200 && code < 300) return parseExactly(text)
  let status: Partial<Status> = {}
  try {
    status = JSON.parse(text) as Partial<Status>
  } catch {
    // No Status: the code says enough.
  }
  throw status.kind === 'Status' && status.code ? ApiError.fromStatus(status as Status) : new ApiError(code, code === 404 ? 'NotFound' : 'ServiceUnavailable', text.slice(0, 500) || `the server answered ${code}`)
}

const listQuery = ({ labelSelector, fieldSelector, limit, continue: next, resourceVersion, resourceVersionMatch }: ListOptions) =>
  ({ labelSelector, fieldSelector, limit, continue: next, resourceVersion, resourceVersionMatch })
const deletion = ({ gracePeriodSeconds, propagationPolicy, preconditions, dryRun }: DeleteOptions): string =>
  JSON.stringify({ kind: 'DeleteOptions', apiVersion: 'v1', gracePeriodSeconds, propagationPolicy, preconditions, ...(dryRun ? { dryRun: ['All'] } : {}) })

/** The calls, over the same connections as requests that are passed on. */
export function createRemoteCalls(remotes: Remotes, connections: Connections): RemoteCalls {
  const destination = (resource: Resource, path: string) => {
    const remote: Remote | undefined = remotes.find(resource.group, resource.version)
    if (!remote?.available) throw unavailable(`the server of ${resource.apiVersion} is not available`)
    return connections.destination(remote, path)
  }
  const call = async (user: Identity, resource: Resource, path: string, o: { readonly method?: string; readonly body?: string; readonly contentType?: string } & CallOptions): Promise<unknown> =>
    bodyOf(await fetchFrom(destination(resource, path), { ...o, user, timeout }))
  return {
    has: ({ group, version }) => group !== '' && remotes.find(group, version) !== undefined,
    get: async (user, r, name, o) => (await call(user, r, pathOf(r, o.namespace, name, { resourceVersion: o.resourceVersion }), { signal: o.signal })) as ApiObject,
    async list(user, r, o) {
      const list = (await call(user, r, pathOf(r, o.namespace, '', listQuery(o)), { signal: o.signal })) as Partial<List<ApiObject>>
      return { metadata: list.metadata ?? {}, items: (list.items ?? []).map((item) => ({ ...item, kind: r.kind, apiVersion: r.apiVersion })) } as List<ApiObject>
    },
    async *watch(user, r, o) {
      const query = { watch: true, labelSelector: o.labelSelector, fieldSelector: o.fieldSelector, resourceVersion: o.resourceVersion, allowWatchBookmarks: o.allowBookmarks, timeoutSeconds: o.timeoutSeconds }
      const response = await open(destination(r, pathOf(r, o.namespace, '', query)), { user, timeout, signal: o.signal })
      let rest = ''
      try {
        for await (const chunk of response) {
          const lines = (rest + (chunk as Buffer).toString('utf8')).split('\n')
          rest = lines.pop() ?? ''
          if (rest.length > longestEvent) throw unavailable(`an event of ${r.apiVersion} is longer than ${longestEvent} characters`)
          for (const line of lines.filter(Boolean)) yield eventOf(line)
        }
      } finally {
        response.destroy()
      }
    },
    patch: async (user, r, name, patch, o) =>
      (await call(user, r, pathOf(r, o.namespace, name, { fieldManager: o.fieldManager }), { method: 'PATCH', body: JSON.stringify(patch.body), contentType: patchTypes[patch.type], signal: o.signal })) as ApiObject,
    delete: async (user, r, name, o) => (await call(user, r, pathOf(r, o.namespace, name), { method: 'DELETE', body: deletion(o), signal: o.signal })) as ApiObject,
    async deleteCollection(user, r, o) {
      await call(user, r, pathOf(r, o.namespace, '', { labelSelector: o.labelSelector, fieldSelector: o.fieldSelector }), { method: 'DELETE', body: deletion(o), signal: o.signal })
    },
  }
}

/** One event of a watch. Throws the error that is told instead of one. */
function eventOf(line: string): WatchEvent<ApiObject> {
  const event = parseExactly(line) as { readonly type: string; readonly object: ApiObject | Status }
  if (event.type === 'ERROR') throw ApiError.fromStatus(event.object as Status)
  return event as WatchEvent<ApiObject>
}
