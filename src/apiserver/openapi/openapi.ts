/** Serves `/openapi/v2` and `/openapi/v3`. Documents are made on first request, one at a time, and kept as bytes. */
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Resource } from '../../api/index.ts'
import { ApiError, notAcceptable } from '../../machinery/errors.ts'
import type { RemoteSpec, RemoteSpecs } from '../aggregation/specs.ts'
import type { Handler } from '../http/request.ts'
import { sendDocument, type Document } from '../reply.ts'
import { openApiV2, openApiV3 } from './documents.ts'
import { mergeSwaggers } from './merge.ts'
import { encodeV2 } from './protobuf-v2.ts'
import { encodeV3 } from './protobuf-v3.ts'

/** Kept until the set of resources changes (a new array), here or on other servers. */
interface Built {
  readonly resources: readonly Resource[]
  readonly remote: readonly RemoteSpec[]
  readonly versions: ReadonlyMap<string, readonly Resource[]>
  /** The v2 document with those of other servers in it. */
  readonly merged?: object
  /** By path, and by path and media type for those in protobuf. */
  readonly documents: Map<string, Promise<Document>>
}

const json = 'application/json'
/** As clients ask for it, and as it can be written in an answer: `@` has no place in a media type. */
const protobuf = {
  v2: ['application/com.github.proto-openapi.spec.v2@v1.0+protobuf', 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'],
  v3: ['application/com.github.proto-openapi.spec.v3@v1.0+protobuf', 'application/com.github.proto-openapi.spec.v3.v1.0+protobuf'],
} as const

/** `api/v1`, `apis/apps/v1`: a group version's place in the v3 index. */
const placeOf = (r: Resource): string => (r.group === '' ? `api/${r.version}` : `apis/${r.group}/${r.version}`)

const noSpecs: Pick<RemoteSpecs, 'index' | 'document' | 'swaggers'> = { index: () => noIndex, document: () => undefined, swaggers: async () => [] }
const noIndex: readonly RemoteSpec[] = []

/** The v3 documents of group versions that are served as before. */
function kept(before: Built | undefined, versions: Built['versions']): Built['documents'] {
  const same = (place: string): boolean => {
    const [old, now] = [before?.versions.get(place) ?? [], versions.get(place) ?? []]
    return old.length === now.length && old.every((resource, i) => resource === now[i])
  }
  return new Map([...(before?.documents ?? [])].filter(([key]) => {
    const place = (key.split(' ')[0] as string).slice('/openapi/v3/'.length)
    return place !== '' && versions.has(place) && same(place)
  }))
}

/** A handler for everything under `/openapi`. */
export function createOpenApi(resources: () => readonly Resource[], specs = noSpecs): Handler {
  let built: Built | undefined
  const current = (): Built => {
    const served = resources()
    const remote = specs.index()
    if (built?.resources !== served || built.remote !== remote) {
      const versions = Map.groupBy(served, placeOf)
      built = { resources: served, remote, versions, documents: kept(built, versions) }
    }
    return built
  }
  let merged: { readonly base: Document; readonly others: readonly object[]; readonly document: Built } | undefined
  /** The v2 document changes with those of other servers too. */
  const withOthers = async (state: Built): Promise<Built> => {
    const others = await specs.swaggers()
    if (others.length === 0) return state
    const base = await documentOf(state, '/openapi/v2')
    if (merged?.base !== base || merged.others !== others) {
      const content = mergeSwaggers(JSON.parse(base.body.toString()) as Record<string, unknown>, others as readonly Record<string, unknown>[])
      merged = { base, others, document: { ...state, merged: content, documents: new Map() } }
    }
    return merged.document
  }
  return async (request, response) => {
    const path = request.info.path.replace(/\/+$/, '')
    const elsewhere = specs.document(path.slice('/openapi/v3/'.length), request.headers.accept)
    if (elsewhere) return sendDocument(request, response, await elsewhere)
    const state = path === '/openapi/v2' ? await withOthers(current()) : current()
    const index = path === '/openapi/v3'
    const type = acceptedType(request.headers.accept, index ? [] : protobuf[path === '/openapi/v2' ? 'v2' : 'v3'])
    const document = type === json ? await documentOf(state, path) : await encodedOf(state, path, type)
    const wanted = request.query.get('hash')
    const plain = wanted === null ? undefined : await documentOf(state, path)
    await sendDocument(request, response, document, plain && `"${wanted}"` === plain.etag ? immutable : undefined)
  }
}

/** An answer to a URL that carries the document's hash never changes. */
const immutable = 'public, immutable, max-age=31536000'

/** The first media type of the client's that is spoken here; throws 406 when there is none. */
function acceptedType(accept: string | undefined, binary: readonly string[]): string {
  if (!accept) return json
  for (const range of accept.split(',')) {
    const type = (range.split(';')[0] as string).trim()
    if (type === json || type === 'application/*' || type === '*/*') return json
    if (binary.includes(type)) return type
  }
  throw notAcceptable(`only the following media types are accepted: ${[json, ...binary].join(', ')}`)
}

function keep(state: Built, key: string, make: () => Promise<Document>): Promise<Document> {
  let document = state.documents.get(key)
  if (!document) {
    document = make()
    state.documents.set(key, document)
    document.catch(() => state.documents.delete(key))
  }
  return document
}

const documentOf = (state: Built, path: string): Promise<Document> => keep(state, path, async () => asJson(await contentOf(state, path)))

function encodedOf(state: Built, path: string, type: string): Promise<Document> {
  return keep(state, `${path} ${type}`, async () => {
    const content = await contentOf(state, path)
    return asDocument(await (path === '/openapi/v2' ? encodeV2(content) : encodeV3(content)), type.replace('@', '.'))
  })
}

async function contentOf(state: Built, path: string): Promise<object> {
  if (path === '/openapi/v2') return state.merged ?? openApiV2(state.resources)
  if (path === '/openapi/v3') return indexOf(state)
  const resources = state.versions.get(path.slice('/openapi/v3/'.length))
  const elsewhere = state.remote.find(({ place }) => path === `/openapi/v3/${place}`)
  if (elsewhere && 'converted' in elsewhere) return elsewhere.converted
  if (!resources) throw new ApiError(404, 'NotFound', 'the server could not find the requested resource')
  return openApiV3(resources)
}

/** The v3 index: where each document is, with its hash, so that clients keep it. */
async function indexOf(state: Built): Promise<object> {
  const paths: Record<string, object> = {}
  for (const place of [...state.versions.keys()].toSorted()) {
    const document = await documentOf(state, `/openapi/v3/${place}`)
    paths[place] = { serverRelativeURL: `/openapi/v3/${place}?hash=${document.etag?.slice(1, -1) ?? ''}` }
    await setImmediate()
  }
  for (const spec of state.remote) {
    const hash = 'hash' in spec ? spec.hash : (await documentOf(state, `/openapi/v3/${spec.place}`)).etag?.slice(1, -1)
    paths[spec.place] = { serverRelativeURL: `/openapi/v3/${spec.place}${hash ? `?hash=${hash}` : ''}` }
  }
  return { paths }
}

const asJson = (value: object): Document => asDocument(Buffer.from(JSON.stringify(value)), json)
const asDocument = (body: Buffer, contentType: string): Document =>
  ({ body, contentType, etag: `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"`, vary: 'Accept' })
