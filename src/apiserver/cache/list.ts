/** Lists from the cache: the newest state, a state at least or exactly as new as requested, and pages of one snapshot. */
import type { ApiObject } from '../../client/client.ts'
import { ApiError, badRequest, expired, internal, invalid } from '../../machinery/errors.ts'
import { path, type FieldError } from '../../machinery/field.ts'
import { jsonFault } from '../../machinery/json.ts'
import type { Clock } from '../../machinery/clock.ts'
import { eachPausing, filterPausing } from '../../machinery/pausing.ts'
import { CompactedError, FutureRevisionError, type Store } from '../../store/store.ts'
import { withResourceVersion } from '../registry/meta.ts'
import type { Cache } from './cache.ts'
import { Encoded } from './encoded.ts'
import type { ResourceCache } from './resource-cache.ts'
import type { Selection } from './selection.ts'

export interface ListQuery {
  /** 0: everything. */
  readonly limit: number
  readonly continue: string
  readonly resourceVersion: string
  readonly match: string
  /** What only a watch may ask for; left out when it was not asked for. */
  readonly sendInitialEvents?: boolean
}

export interface ListResult {
  readonly items: readonly Encoded[]
  readonly resourceVersion: string
  /** Empty on the last page. */
  readonly continue: string
  /** How many objects follow, if known. */
  readonly remaining: number | undefined
}

export interface ListSource {
  readonly cache: Cache
  readonly store: Store
  readonly clock: Clock
  readonly objects: ResourceCache
  decode(bytes: Uint8Array): ApiObject
  /** For kinds with a conversion webhook: resolves once the objects are converted. */
  ready?(items: readonly Encoded[]): Promise<void> | undefined
}

/** The selected ones of `found`. */
export const selected = async (found: readonly Encoded[], selection: Selection): Promise<readonly Encoded[]> =>
  (selection.all ? found : filterPausing(found, (item) => selection.matches(item.object)))

interface Token { readonly revision: number; readonly after: string }

/** Refuses combinations of resourceVersion, resourceVersionMatch, sendInitialEvents and continue as Kubernetes does, reporting all at once. Throws `ApiError` 400 or 422. */
function checkListQuery({ resourceVersion, match, continue: token, sendInitialEvents }: ListQuery): void {
  const at = path('resourceVersionMatch')
  const wrong: FieldError[] = []
  if (match) {
    if (!resourceVersion) wrong.push(at.forbidden('resourceVersionMatch is forbidden unless resourceVersion is provided'))
    if (token) wrong.push(at.forbidden('resourceVersionMatch is forbidden when continue is provided'))
    if (match !== 'Exact' && match !== 'NotOlderThan') wrong.push(at.notSupported(match, ['Exact', 'NotOlderThan', '']))
    if (match === 'Exact' && resourceVersion === '0') wrong.push(at.forbidden('resourceVersionMatch "exact" is forbidden for resourceVersion "0"'))
  }
  if (sendInitialEvents !== undefined) wrong.push(path('sendInitialEvents').forbidden('sendInitialEvents is forbidden for list'))
  if (wrong.length > 0) throw optionsRefused(wrong)
}

/** 422: contradicting options of a list or watch. */
export const optionsRefused = (wrong: readonly FieldError[]): ApiError => invalid({ group: 'meta.k8s.io', kind: 'ListOptions' }, '', wrong)

const mostRevision = 2n ** 64n - 1n
const noRevision = (text: string, why: string): ApiError => badRequest(`resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: ${why}`)

/** A resourceVersion as a number; 0 for none. Throws `ApiError` 400 for a malformed one. */
export function parseRevision(text: string): number {
  if (text === '' || text === '0') return 0
  if (!/^\d+$/.test(text)) throw noRevision(text, 'invalid syntax')
  if (text.replace(/^0+/, '').length > 20 || BigInt(text) > mostRevision) throw noRevision(text, 'value out of range')
  return Number(text)
}

const encodeToken = (token: Token): string =>
  Buffer.from(JSON.stringify({ v: 'meta.k8s.io/v1', rv: token.revision, start: token.after })).toString('base64url')

/** Decodes a continue token. Throws `ApiError` 400 for a malformed one. */
function decodeToken(text: string): Token {
  const wrong = (why: string): ApiError => badRequest(`invalid continue token: continue key is not valid: ${why}`)
  const strange = /[^\w-]/.exec(text)
  if (strange || text.length % 4 === 1) throw wrong(`illegal base64 data at input byte ${strange ? strange.index : text.length - 1}`)
  const json = Buffer.from(text, 'base64url').toString()
  const fault = jsonFault(json)
  if (fault !== undefined) throw wrong(fault)
  const { v = '', rv = 0, start = '' } = (JSON.parse(json) ?? {}) as { readonly v?: unknown; readonly rv?: unknown; readonly start?: unknown }
  if (v !== 'meta.k8s.io/v1') throw wrong(`server does not recognize this encoded version ${String(v)}`)
  if (typeof rv !== 'number' || !Number.isSafeInteger(rv) || rv === 0) throw wrong('incorrect encoded start resourceVersion (version meta.k8s.io/v1)')
  if (typeof start !== 'string' || start === '') throw wrong('encoded start key empty (version meta.k8s.io/v1)')
  if (start.startsWith('/') || start.split('/').some((part) => part === '.' || part === '..')) throw wrong(start)
  return { revision: rv, after: start }
}

const tooNew = (revision: number, current: number): ApiError => {
  const message = `Too large resource version: ${revision}, current: ${current}`
  return new ApiError(504, 'Timeout', `Timeout: ${message}`, { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }], retryAfterSeconds: 1 })
}

/** Waits up to three seconds for a revision that the cache has not reached. Throws `ApiError` 504 when it does not come. */
export async function waitFor({ cache, clock }: Pick<ListSource, 'cache' | 'clock'>, revision: number): Promise<void> {
  const reached = cache.reached(revision)
  if (!reached) return
  const giveUp = new AbortController()
  const late = clock.sleep(3000, giveUp.signal).then(() => true, () => false)
  const timeout = await Promise.race([reached.then(() => false), late])
  giveUp.abort()
  if (timeout) throw tooNew(revision, cache.revision())
}

/** 410 with a token that continues with the present state, for clients that accept that. */
function gone(token: string): ApiError {
  const error = expired(`The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.`)
  return Object.assign(error, { status: { ...error.status, metadata: { continue: token } } })
}

/** Lists the selected objects, as the query wants them. Throws `ApiError` 400, 410, 504. */
export async function list(source: ListSource, selection: Selection, query: ListQuery): Promise<ListResult> {
  checkListQuery(query)
  if (!source.ready) return listed(source, selection, query)
  if (selection.byFields) await source.ready(source.objects.slice(selection.path))
  const result = await listed(source, selection, query)
  await source.ready(result.items)
  return result
}

async function listed(source: ListSource, selection: Selection, query: ListQuery): Promise<ListResult> {
  if (query.continue) {
    const token = decodeToken(query.continue)
    if (query.resourceVersion && query.resourceVersion !== '0') throw badRequest('specifying resource version is not allowed when using continue')
    // Continues after its snapshot was forgotten, with the present state.
    if (token.revision < 0) return newest(source, selection, query.limit, token.after)
    return page(source, selection, query.limit, token)
  }
  const wanted = wantedBy(query.resourceVersion)
  if (wanted > 0) await waitFor(source, wanted)
  // Exact needs a match parameter, or a limit, as in Kubernetes.
  const exact = query.match === 'Exact' || (query.match === '' && wanted > 0 && query.limit > 0)
  if (exact) return page(source, selection, query.limit, { revision: wanted, after: '' })
  return newest(source, selection, query.resourceVersion === '0' ? 0 : query.limit, '')
}

function wantedBy(resourceVersion: string): number {
  try {
    return parseRevision(resourceVersion)
  } catch (error) {
    throw badRequest(`invalid resource version: ${(error as Error).message}`)
  }
}

async function newest({ objects, cache }: ListSource, selection: Selection, limit: number, after: string, as = objects.closedAt ?? cache.revision()): Promise<ListResult> {
  const resourceVersion = String(as)
  objects.checkReadable(selection.path)
  if (selection.single !== undefined && after === '') {
    const item = objects.get(selection.single)
    return { items: item && selection.matches(item.object) ? [item] : [], resourceVersion, continue: '', remaining: undefined }
  }
  // A snapshot, however long it takes to go through it.
  const found = objects.slice(selection.path, after === '' ? undefined : objects.prefix + after)
  if (limit > 0 && found.length > limit) return cut(objects.prefix, found, selection, limit, as, found.length)
  return { items: await selected(found, selection), resourceVersion, continue: '', remaining: undefined }
}

/** The first `limit` matches, and where to continue. */
async function cut(prefix: string, found: readonly Encoded[], selection: Selection, limit: number, revision: number, count: number): Promise<ListResult> {
  const items: Encoded[] = []
  let more = selection.all && found.length > limit
  if (selection.all) items.push(...found.slice(0, limit))
  else {
    await eachPausing(found, (item) => {
      if (!selection.matches(item.object)) return true
      more = items.length === limit
      if (!more) items.push(item)
      return !more
    })
  }
  const whole = { items, resourceVersion: String(revision), continue: '', remaining: undefined }
  if (!more) return whole
  const after = items.at(-1)!.key.slice(prefix.length)
  return { ...whole, continue: encodeToken({ revision, after }), remaining: selection.all ? count - limit : undefined }
}

/** A page of the state at one revision: from the cache while nothing has changed since, then from the store's history. Compacted revisions are refused even if nothing changed. */
async function page(source: ListSource, selection: Selection, limit: number, { revision, after }: Token): Promise<ListResult> {
  const { objects } = source
  const forgotten = () => (after === '' ? expired('The resourceVersion for the provided list is too old.') : gone(encodeToken({ revision: -1, after })))
  if (revision < await source.store.compacted()) throw forgotten()
  if (revision <= (objects.closedAt ?? source.cache.revision()) && objects.changed <= revision) return newest(source, selection, limit, after, revision)
  try {
    return await past(source, selection, limit, revision, after)
  } catch (error) {
    if (error instanceof FutureRevisionError) throw tooNew(revision, error.current)
    if (!(error instanceof CompactedError)) throw error
    throw forgotten()
  }
}

async function past({ store, objects, decode, ready }: ListSource, selection: Selection, limit: number, revision: number, after: string): Promise<ListResult> {
  const found: Encoded[] = []
  const wanted = limit === 0 ? Infinity : limit + 1
  let last = after === '' ? undefined : objects.prefix + after
  for (;;) {
    const options = { revision, uncounted: true, ...(limit === 0 ? {} : { limit: limit + 1 }), ...(last === undefined ? {} : { after: last }) }
    const { entries, more } = await store.range(objects.prefix + selection.path, options)
    const spoiled = entries.find(({ problem }) => problem !== undefined)
    if (spoiled) throw internal(spoiled.problem!)
    const items: Encoded[] = []
    await eachPausing(entries, (entry) => void items.push(new Encoded(entry.key, entry.modRevision, withResourceVersion(decode(entry.value), String(entry.modRevision)))))
    if (selection.byFields) await ready?.(items)
    for (const item of await selected(items, selection)) found.push(item)
    last = entries.at(-1)?.key
    if (!more || found.length >= wanted) break
  }
  if (limit === 0) return { items: found, resourceVersion: String(revision), continue: '', remaining: undefined }
  const rest = await cut(objects.prefix, found, selection, limit, revision, 0)
  return { ...rest, remaining: undefined }
}

/** One object, at least as new as `resourceVersion` says. */
export async function getAt(source: Pick<ListSource, 'cache' | 'clock' | 'objects'>, path: string, resourceVersion: string): Promise<Encoded | undefined> {
  const wanted = parseRevision(resourceVersion)
  if (wanted > 0) await waitFor(source, wanted)
  return source.objects.get(path)
}

