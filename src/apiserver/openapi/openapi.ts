/** Serves `/openapi/v2` and `/openapi/v3`. Documents are made on first request, one at a time, and kept as bytes. */
import { createHash } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import type { Resource } from '../../api/index.ts'
import { ApiError, notAcceptable } from '../../machinery/errors.ts'
import type { Handler } from '../http/request.ts'
import { sendDocument, type Document } from '../reply.ts'
import { openApiV2, openApiV3 } from './documents.ts'

/** Kept until the set of resources changes (a new array). */
interface Built {
  readonly resources: readonly Resource[]
  readonly versions: ReadonlyMap<string, readonly Resource[]>
  readonly documents: Map<string, Promise<Document>>
}

/** `api/v1`, `apis/apps/v1`: a group version's place in the v3 index. */
const placeOf = (r: Resource): string => (r.group === '' ? `api/${r.version}` : `apis/${r.group}/${r.version}`)

/** A handler for everything under `/openapi`. */
export function createOpenApi(resources: () => readonly Resource[]): Handler {
  let built: Built | undefined
  const current = (): Built => {
    const served = resources()
    if (built?.resources !== served) built = { resources: served, versions: Map.groupBy(served, placeOf), documents: new Map() }
    return built
  }
  return async (request, response) => {
    const state = current()
    const path = request.info.path.replace(/\/+$/, '')
    if (path === '/openapi/v2') acceptJson(request.headers.accept)
    const document = await documentOf(state, path)
    const wanted = request.query.get('hash')
    sendDocument(request, response, document, wanted !== null && `"${wanted}"` === document.etag ? immutable : undefined)
  }
}

/** An answer to a URL that carries the document's hash never changes. */
const immutable = 'public, immutable, max-age=31536000'

function acceptJson(accept: string | undefined): void {
  if (!accept) return
  const ranges = accept.split(',').map((range) => (range.split(';')[0] as string).trim())
  if (!ranges.some((r) => r === 'application/json' || r === 'application/*' || r === '*/*')) throw notAcceptable('only the following media types are accepted: application/json')
}

function documentOf(state: Built, path: string): Promise<Document> {
  let document = state.documents.get(path)
  if (!document) {
    document = build(state, path)
    state.documents.set(path, document)
    document.catch(() => state.documents.delete(path))
  }
  return document
}

async function build(state: Built, path: string): Promise<Document> {
  if (path === '/openapi/v2') return encode(openApiV2(state.resources))
  if (path === '/openapi/v3') return encode(await index(state))
  const resources = state.versions.get(path.slice('/openapi/v3/'.length))
  if (!resources) throw new ApiError(404, 'NotFound', 'the server could not find the requested resource')
  return encode(openApiV3(resources))
}

/** The v3 index: where each document is, with its hash, so that clients keep it. */
async function index(state: Built): Promise<object> {
  const paths: Record<string, object> = {}
  for (const place of [...state.versions.keys()].toSorted()) {
    const document = await documentOf(state, `/openapi/v3/${place}`)
    paths[place] = { serverRelativeURL: `/openapi/v3/${place}?hash=${document.etag?.slice(1, -1) ?? ''}` }
    await setImmediate()
  }
  return { paths }
}

function encode(value: object): Document {
  const body = Buffer.from(JSON.stringify(value))
  return { body, contentType: 'application/json', etag: `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"`, vary: 'Accept' }
}
