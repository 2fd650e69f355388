/**
 * OpenAPI of other servers. The small v3 index of each is kept fresh in the background; documents are fetched when somebody
 * asks for them and checked by their ETag. A server that has no OpenAPI, or is slow with it, is simply not in the documents.
 */
import type { Clock } from '../../machinery/clock.ts'
import { ApiError } from '../../machinery/errors.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { v3FromV2 } from '../openapi/from-v2.ts'
import type { Document } from '../reply.ts'
import { fetchFrom } from './fetch.ts'
import type { Connections } from './front-proxy.ts'
import type { Remote, Remotes } from './remotes.ts'

type Json = Readonly<Record<string, unknown>>

/**
 * A remote's place in the v3 index and the hash its own index gives the document. `converted`: it has v2 only, and this is the v3
 * document made of that.
 */
export type RemoteSpec = { readonly place: string } & ({ readonly hash: string } | { readonly converted: object })

export interface RemoteSpecs {
  /** What can be had in v3; the same array until it changes. */
  index(): readonly RemoteSpec[]
  /** The v3 document of a place (`apis/<group>/<version>`) as its server gives it; undefined for places of this server, and where the document is converted. Throws 503. */
  document(place: string, accept: string | undefined): Promise<Document> | undefined
  /** The v2 documents, each cut down to the paths of its group versions; the same array until they change. Waits a moment the first time only. */
  swaggers(): Promise<readonly Json[]>
  /** Reads the index of a remote again. Never rejects. */
  refresh(remote: Remote): Promise<void>
}

export interface SpecSources { readonly remotes: Remotes; readonly connections: Connections; readonly clock: Clock }

const placeOf = ({ group, version }: Remote): string => `apis/${group}/${version}`
/** v2 documents are read again after this long. */
const swaggerAge = 60_000
/** How long a request for the merged v2 document waits for servers that were never asked before. */
const firstWait = 1_000

export function createRemoteSpecs({ remotes, connections, clock }: SpecSources): RemoteSpecs {
  const known = new Map<string, RemoteSpec>()
  const older = new Map<string, { readonly etag: string; readonly spec: RemoteSpec }>()
  const documents = new Map<string, Document>()
  let index: readonly RemoteSpec[] = []
  const swaggers = createSwaggers({ remotes, connections, clock })

  /** Of a server that knows v2 only: its document, read again when it has changed. */
  const convert = async (remote: Remote): Promise<RemoteSpec | undefined> => {
    const before = older.get(remote.name)
    const { code, headers, body } = await fetchFrom(connections.destination(remote, '/openapi/v2'), before?.etag ? { headers: { 'if-none-match': before.etag } } : {})
    if (code === 304 && before) return before.spec
    if (code !== 200) return undefined
    const spec = { place: placeOf(remote), converted: v3FromV2(cutDown(JSON.parse(body.toString('utf8')) as Json, remote)) }
    older.set(remote.name, { etag: headers.etag ?? '', spec })
    return spec
  }
  const fetchIndex = async (remote: Remote): Promise<RemoteSpec | undefined> => {
    const { code, body } = await fetchFrom(connections.destination(remote, '/openapi/v3'))
    if (code === 404) return convert(remote)
    older.delete(remote.name)
    if (code !== 200) return undefined
    const paths = (JSON.parse(body.toString('utf8')) as { readonly paths?: Readonly<Record<string, { readonly serverRelativeURL?: unknown }>> }).paths
    const url = paths?.[placeOf(remote)]?.serverRelativeURL
    return typeof url === 'string' ? { place: placeOf(remote), hash: new URL(url, 'http://localhost').searchParams.get('hash') ?? '' } : undefined
  }
  return {
    index() {
      const next = remotes.all().flatMap((r) => known.get(placeOf(r)) ?? [])
      if (!deepEqual(index, next)) index = next
      return index
    },
    document(place, accept) {
      const [, group = '', version = ''] = place.split('/')
      const remote = remotes.find(group, version)
      const spec = known.get(place)
      if (!remote || place !== placeOf(remote) || (spec && 'converted' in spec)) return undefined
      return readDocument(remote, connections, documents, accept ?? 'application/json')
    },
    swaggers: swaggers.current,
    async refresh(remote) {
      const spec = await fetchIndex(remote).catch(() => known.get(placeOf(remote)))
      if (spec === undefined) known.delete(placeOf(remote))
      else known.set(placeOf(remote), spec)
    },
  }
}

/** The document as the other server has it, or as it had it when that says that nothing changed. */
async function readDocument(remote: Remote, connections: Connections, kept: Map<string, Document>, accept: string): Promise<Document> {
  const path = `/openapi/v3/${placeOf(remote)}`
  const key = `${remote.name} ${accept}`
  const known = kept.get(key)
  const { code, headers, body } = await Promise.resolve().then(() => fetchFrom(connections.destination(remote, path), { headers: { accept, ...(known?.etag ? { 'if-none-match': known.etag } : {}) } })).catch((error: Error) => {
    throw new ApiError(503, 'ServiceUnavailable', `error trying to reach service: ${error.message}`)
  })
  if (code === 304 && known) return known
  if (code !== 200) throw new ApiError(code === 404 ? 404 : 503, code === 404 ? 'NotFound' : 'ServiceUnavailable', `the server of ${remote.name} answered with status ${code}`)
  const document: Document = { body, contentType: headers['content-type'] ?? 'application/json', ...(headers.etag ? { etag: headers.etag } : {}), vary: 'Accept' }
  // One for each media type that is spoken; clients do not invent others.
  if (kept.size > 200) kept.clear()
  kept.set(key, document)
  return document
}

interface Swagger { readonly at: number; readonly etag: string; readonly document: Json | undefined }

function createSwaggers({ remotes, connections, clock }: SpecSources) {
  const kept = new Map<string, Swagger>()
  const running = new Map<string, Promise<void>>()
  let last: { readonly documents: readonly Json[] } = { documents: [] }
  const read = async (remote: Remote): Promise<void> => {
    const before = kept.get(remote.name)
    try {
      const { code, headers, body } = await fetchFrom(connections.destination(remote, '/openapi/v2'), before?.etag ? { headers: { 'if-none-match': before.etag } } : {})
      const document = code === 200 ? cutDown(JSON.parse(body.toString('utf8')) as Json, remote) : code === 304 ? before?.document : undefined
      kept.set(remote.name, { at: clock.now(), etag: headers.etag ?? '', document: document && before?.document && deepEqual(document, before.document) ? before.document : document })
    } catch {
      // A server that does not answer keeps what it said before, and is asked again later.
      kept.set(remote.name, { at: clock.now(), etag: before?.etag ?? '', document: before?.document })
    }
  }
  const readOnce = (remote: Remote): Promise<void> => {
    const again = running.get(remote.name) ?? read(remote).finally(() => running.delete(remote.name))
    running.set(remote.name, again)
    return again
  }
  return {
    async current(): Promise<readonly Json[]> {
      const all = remotes.all().filter((r) => r.available)
      const old = all.filter((r) => clock.now() - (kept.get(r.name)?.at ?? -swaggerAge) >= swaggerAge)
      const first = old.filter((r) => !kept.has(r.name))
      const reading = old.map(readOnce)
      if (first.length > 0) {
        const read = new AbortController()
        await Promise.race([Promise.all(reading), clock.sleep(firstWait, read.signal)])
        read.abort()
      }
      const documents = all.map((r) => kept.get(r.name)?.document).filter((d) => d !== undefined)
      if (documents.length !== last.documents.length || documents.some((d, i) => d !== last.documents[i])) last = { documents }
      return last.documents
    },
  }
}

/** The paths of one group version, and the definitions they need. What is said of the whole document stays. */
function cutDown(swagger: Json, { group, version }: Remote): Json {
  const prefix = `/apis/${group}/${version}/`
  const paths = Object.fromEntries(Object.entries((swagger['paths'] ?? {}) as Json).filter(([path]) => path.startsWith(prefix)))
  const all = (swagger['definitions'] ?? {}) as Json
  const needed = new Map<string, unknown>()
  const collect = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(collect)
    if (typeof value !== 'object' || value === null) return
    for (const [key, inner] of Object.entries(value)) {
      if (key === '$ref' && typeof inner === 'string') reach(inner.replace('#/definitions/', ''))
      else collect(inner)
    }
  }
  const reach = (name: string) => {
    if (needed.has(name) || !Object.hasOwn(all, name)) return
    needed.set(name, all[name])
    collect(all[name])
  }
  collect(paths)
  // Kinds that no path names are still found by their group, as kubectl explain does.
  for (const [name, definition] of Object.entries(all)) {
    const kinds = (definition as Json | null)?.['x-kubernetes-group-version-kind']
    if (Array.isArray(kinds) && kinds.some((k: Json | null) => k?.['group'] === group && k['version'] === version)) reach(name)
  }
  return { info: swagger['info'], paths, definitions: Object.fromEntries(needed), securityDefinitions: swagger['securityDefinitions'] }
}
