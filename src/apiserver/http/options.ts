/** The options in a request's query: create, update, patch, delete, list and watch options, checked as Kubernetes checks them. */
import { meta, type StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { badRequest, invalid, isApiError } from '../../machinery/errors.ts'
import { path } from '../../machinery/field.ts'
import { parseInt64 } from '../../machinery/int64.ts'
import type { ListQuery } from '../cache/list.ts'
import type { SelectionOptions } from '../cache/selection.ts'
import type { WatchQuery } from '../cache/watch.ts'
import { decodeBody } from '../encoding/decode.ts'
import { bodyMedia } from '../encoding/negotiate.ts'
import type { IncludeObject } from '../encoding/table.ts'
import type { FieldValidation } from '../registry/call.ts'
import type { Deletion } from '../registry/delete.ts'
import { readBody } from './body.ts'
import type { ApiRequest } from './request.ts'
import { isTrue } from './request-info.ts'

const optionsInvalid = (kind: string, field: string, value: string | readonly string[], supported: readonly string[]) =>
  invalid({ group: 'meta.k8s.io', kind }, '', [path(field).notSupported(value, supported)])

/** Whether `dryRun=All` is given. Throws `ApiError` 422 for any other value. */
function dryRunOf(values: readonly string[], kind: string): boolean {
  if (values.some((value) => value !== 'All')) throw optionsInvalid(kind, 'dryRun', values, ['All'])
  return values.includes('All')
}

export interface WriteQuery {
  readonly dryRun: boolean
  readonly fieldManager: string
  readonly fieldValidation: FieldValidation
  /** The same as an object, for admission. */
  readonly options: Readonly<Record<string, unknown>>
}

const isApply = (contentType = '') => contentType.startsWith('application/apply-patch')

/** Characters that cannot stand in the name of a field manager, and where. */
function unprintable(name: string): readonly string[] {
  if (/^[ -~]*$/.test(name)) return printable
  return [...name].flatMap((character, i) => (/[^\P{C}]|[^\P{Z} ]/u.test(character)
    ? [`invalid character U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')} (at position ${i})`] : []))
}

const printable: readonly string[] = []
const validations: readonly string[] = ['', 'Ignore', 'Strict', 'Warn']

/** The options of a write. Without a field manager it is the client's user agent up to its first slash. Throws `ApiError` 422. */
export function writeQuery(request: ApiRequest, kind: string): WriteQuery {
  const { query, headers } = request
  const dryRun = query.size > 0 && dryRunOf(query.getAll('dryRun'), kind)
  const fieldValidation = query.get('fieldValidation') || 'Warn'
  if (!validations.includes(fieldValidation)) throw optionsInvalid(kind, 'fieldValidation', fieldValidation, validations)
  const fieldManager = query.get('fieldManager') || (headers['user-agent'] ?? 'unknown').split('/')[0]!.slice(0, 128)
  const faults = [
    ...(Buffer.byteLength(fieldManager) > 128 ? [path('fieldManager').tooLong(128)] : []),
    ...unprintable(fieldManager).map((why) => path('fieldManager').invalid(fieldManager, why)),
    ...(kind === 'PatchOptions' && query.has('force') && !isApply(headers['content-type']) ? [path('force').forbidden('may not be specified for non-apply patch')] : []),
  ]
  if (faults.length > 0) throw invalid({ group: 'meta.k8s.io', kind }, '', faults)
  const given = (name: string) => (query.get(name) ? { [name]: query.get(name) } : {})
  const options = query.size > 0 ? { kind, apiVersion: 'meta.k8s.io/v1', ...(dryRun ? { dryRun: ['All'] } : {}), ...given('fieldManager'), ...given('fieldValidation') } : { kind, apiVersion: 'meta.k8s.io/v1' }
  return { dryRun, fieldManager, fieldValidation: fieldValidation as FieldValidation, options }
}

const integer = (query: URLSearchParams, name: string): number | undefined => {
  const text = query.get(name)
  if (text === null) return undefined
  const value = parseInt64(text)
  if (typeof value === 'string') throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(text)}: ${value}`)
  return Number(value)
}

/** What a list, watch or deletecollection is about. A name in the path of a watch selects that one object. */
export function selectionQuery({ info, query }: ApiRequest): SelectionOptions {
  return {
    namespace: info.namespace,
    ...(info.verb === 'watch' && info.name && info.path.endsWith(`/${encodeURIComponent(info.name)}`) ? { name: info.name } : {}),
    labelSelector: query.get('labelSelector') ?? '',
    fieldSelector: query.get('fieldSelector') ?? '',
  }
}

/** Throws `ApiError` 400 for numbers that are none. */
export function listQuery({ query }: ApiRequest): ListQuery {
  integer(query, 'timeoutSeconds')
  return {
    limit: Math.max(0, integer(query, 'limit') ?? 0),
    continue: query.get('continue') ?? '',
    resourceVersion: query.get('resourceVersion') ?? '',
    match: query.get('resourceVersionMatch') ?? '',
    ...(query.has('sendInitialEvents') ? { sendInitialEvents: isTrue(query.get('sendInitialEvents')) } : {}),
  }
}

/** The options of a watch. Throws `ApiError` 400 or 422. */
export function watchQuery({ query }: ApiRequest): WatchQuery & { readonly timeoutSeconds: number | undefined } {
  const initial = query.get('sendInitialEvents')
  return {
    resourceVersion: query.get('resourceVersion') ?? '',
    match: query.get('resourceVersionMatch') ?? '',
    continue: query.get('continue') ?? '',
    bookmarks: isTrue(query.get('allowWatchBookmarks')),
    sendInitialEvents: initial === null ? undefined : isTrue(initial),
    timeoutSeconds: integer(query, 'timeoutSeconds'),
  }
}

const deleteOptions = {
  kind: 'DeleteOptions',
  apiVersion: 'v1',
  type: meta.DeleteOptions as unknown as StructType<ApiObject>,
  anyVersion: true,
}

const unsafeOption = 'ignoreStoreReadErrorWithClusterBreakingPotential'

/** The options of a delete: its body, or where it has none its query. Throws `ApiError` 400, 422. */
export async function deleteQuery(request: ApiRequest): Promise<{ readonly deletion: Deletion; readonly dryRun: boolean; readonly options: Readonly<Record<string, unknown>> }> {
  const body = await readBody(request)
  const { query } = request
  const sent = body.length === 0 ? {} : decodeDeleteOptions(body, request)
  if (body.length > 0) request.trail?.requestObject(sent)
  const orphan = query.get('orphanDependents')
  const fromQuery: Deletion = {
    gracePeriodSeconds: integer(query, 'gracePeriodSeconds'),
    propagationPolicy: query.get('propagationPolicy') ?? undefined,
    orphanDependents: orphan === null ? undefined : isTrue(orphan),
    ...(query.has(unsafeOption) ? { [unsafeOption]: isTrue(query.get(unsafeOption)) } : {}),
  }
  const deletion: Deletion = body.length === 0 ? fromQuery : sent
  const dryRun = dryRunOf([...((sent as { dryRun?: readonly string[] }).dryRun ?? []), ...query.getAll('dryRun')], 'DeleteOptions')
  return { deletion, dryRun, options: { ...deletion, kind: 'DeleteOptions', apiVersion: 'meta.k8s.io/v1', ...(dryRun ? { dryRun: ['All'] } : {}) } }
}

/** DeleteOptions is registered in every group version; clients send it under any of them. */
function decodeDeleteOptions(body: Buffer, { headers }: ApiRequest): Deletion {
  try {
    return decodeBody(body, deleteOptions, { media: bodyMedia(headers['content-type']), validation: 'Ignore', warn: () => undefined }) as unknown as Deletion
  } catch (error) {
    // Of what is no object at all no more is said than why.
    const why = isApiError(error) ? /^the object provided is unrecognized \(must be of type DeleteOptions\): (couldn't get .*) \(.*\)$/s.exec(error.message)?.[1] : undefined
    throw why === undefined ? error : badRequest(why)
  }
}

const includes: readonly string[] = ['Metadata', 'Object', 'None']

/** What the rows of a table carry. Throws `ApiError` 400 for what is no such policy. */
export function includeOf(query: URLSearchParams): IncludeObject {
  const text = query.get('includeObject') || 'Metadata'
  if (!includes.includes(text)) throw badRequest(`Unable to convert to Table as requested: includeObject: Invalid value: ${JSON.stringify(text)}: must be 'Metadata', 'Object', 'None', or empty`)
  return text as IncludeObject
}

/** Whether the answer is indented: on request, and for people with curl or a browser. */
export function prettyOf({ query, headers }: ApiRequest): boolean {
  const asked = query.get('pretty')
  if (asked !== null) return isTrue(asked)
  const agent = headers['user-agent'] ?? ''
  return agent.startsWith('curl') || agent.startsWith('Wget') || agent.startsWith('Mozilla/5.0')
}
