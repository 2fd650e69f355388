/** Request bodies to objects. */
import { declared, type StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { type ApiError, badRequest, invalid } from '../../machinery/errors.ts'
import { withManagersReset } from '../../machinery/apply.ts'
import { path } from '../../machinery/field.ts'
import { decodeObject, inTextOrder, parseJson } from '../../machinery/json.ts'
import { decodeMessage, unwrapUnknown } from '../../machinery/protobuf.ts'
import type { FieldValidation } from '../registry/call.ts'
import type { Media } from './negotiate.ts'
import { asOneError, repeatedIn } from './repeated.ts'

export interface Expected {
  readonly kind: string
  readonly apiVersion: string
  readonly type: StructType<ApiObject>
  /** The kind is the same in every group version. */
  readonly anyVersion?: boolean
  /** Other versions with the same kind; treated as `apiVersion`. */
  readonly also?: readonly string[]
  /** A custom kind: objects must state their kind, and another kind is invalid (422) rather than malformed (400). */
  readonly custom?: boolean
}

export interface DecodeOptions {
  readonly media: Media
  readonly validation: FieldValidation
  warn(text: string): void
}

const versionOf = (apiVersion: string): string => apiVersion.slice(apiVersion.indexOf('/') + 1)

const groupOf = (apiVersion: string): string => apiVersion.slice(0, Math.max(0, apiVersion.indexOf('/')))

/** Versions whose kinds Kubernetes still decodes, only to reject them as the wrong kind. */
const knows = (apiVersion: string, expected: Expected): boolean =>
  apiVersion === 'extensions/v1beta1' || (groupOf(apiVersion) === groupOf(expected.apiVersion) && /^v\d+((alpha|beta)\d+)?$/.test(versionOf(apiVersion)))

/** The Go package of a group's kinds. */
const packageOf = (apiVersion: string): string => (apiVersion.includes('/') ? apiVersion.split(/[./]/, 1)[0] ?? '' : 'core')

/** Throws `ApiError` 400 when the body states another kind than the expected one. */
function checkKind(kind: string, apiVersion: string, expected: Expected): void {
  if (kind === expected.kind && (expected.anyVersion || apiVersion === expected.apiVersion || expected.also?.includes(apiVersion))) return
  if (kind === expected.kind && knows(apiVersion, expected)) throw badRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${expected.apiVersion})`)
  const version = versionOf(apiVersion)
  // Options have their own scheme.
  if (expected.anyVersion) throw badRequest(`no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "k8s.io/apimachinery/pkg/apis/meta/internalversion/scheme/register.go:27"`)
  const why = declared.some((resource) => resource.kind === kind && resource.apiVersion === apiVersion)
    ? `converting (${version}.${kind}) to (${packageOf(expected.apiVersion)}.${expected.kind}): unknown conversion`
    : `no kind ${JSON.stringify(kind)} is registered for version ${JSON.stringify(apiVersion)} in scheme "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"`
  throw badRequest(`${kind} in version ${JSON.stringify(version)} cannot be handled as a ${expected.kind}: ${why}`)
}

/** The beginning of a body, for error messages: as text if it may be JSON, otherwise as bytes. */
function beginningOf(body: Buffer): string {
  if (body.length === 0) return '<empty>'
  const shown = body.subarray(0, 30).toString(body[0] === 0x7b ? 'utf8' : 'hex')
  return body.length > 30 ? `${shown} ...` : shown
}

const unrecognized = (body: Buffer, expected: Expected, why: string): ApiError =>
  badRequest(`the object provided is unrecognized (must be of type ${expected.kind}): ${why} (${beginningOf(body)})`)

/** The type that Kubernetes decodes first of every object. */
const typeMeta = 'struct { APIVersion string "json:\\"apiVersion,omitempty\\""; Kind string "json:\\"kind,omitempty\\"" }'
const wordOf = (value: unknown): string => (Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value === 'bigint' ? 'number' : typeof value)

/** The value with kind and apiVersion; missing ones are those of the expected kind. */
function stated(value: unknown, body: Buffer, expected: Expected): Record<string, unknown> {
  const unread = (why: string): ApiError => unrecognized(body, expected, `couldn't get version/kind; json parse error: json: cannot unmarshal ${why}`)
  if (value === null && expected.custom) throw unrecognized(body, expected, "Object 'Kind' is missing in 'null'")
  if (value === null) return { kind: expected.kind, apiVersion: expected.apiVersion }
  if (typeof value !== 'object' || Array.isArray(value)) throw unread(`${wordOf(value)} into Go value of type ${typeMeta}`)
  const { kind, apiVersion } = value as { kind?: unknown; apiVersion?: unknown }
  for (const [field, text] of Object.entries({ apiVersion, kind })) {
    if (text !== undefined && text !== null && typeof text !== 'string') throw unread(`${wordOf(text)} into Go struct field .${field} of type string`)
  }
  const named = { kind: kind || expected.kind, apiVersion: apiVersion || expected.apiVersion }
  if (expected.custom) checkCustom(value, body, { kind: kind as string ?? '', apiVersion: apiVersion as string ?? '' }, expected)
  else checkKind(named.kind as string, named.apiVersion as string, expected)
  return kind && apiVersion ? (value as Record<string, unknown>) : { ...value, ...named }
}

/** Throws `ApiError` 400 when a custom object does not state its kind, 422 when it is another kind of the same version. */
function checkCustom(value: object, body: Buffer, { kind, apiVersion }: { readonly kind: string; readonly apiVersion: string }, expected: Expected): void {
  if (kind === '') throw unrecognized(body, expected, `Object 'Kind' is missing in '${JSON.stringify(value)}'`)
  if (apiVersion !== expected.apiVersion) throw badRequest(`the API version in the data (${apiVersion}) does not match the expected API version (${expected.apiVersion})`)
  if (kind === expected.kind) return
  const { name } = ((value as { metadata?: { name?: unknown } | null }).metadata ?? {})
  const group = apiVersion.slice(0, apiVersion.lastIndexOf('/'))
  throw invalid({ group, kind }, typeof name === 'string' ? name : '', [path('kind').invalid(kind, `must be ${expected.kind}`)])
}

/** Parses JSON; YAML bodies were converted to JSON when they were read. */
function parseText(body: Buffer, validation: FieldValidation, expected: Expected): { readonly value: unknown; readonly duplicates: readonly string[] } {
  try {
    const { value, duplicateFields } = parseJson(body, { duplicates: validation !== 'Ignore' })
    return { value, duplicates: duplicateFields }
  } catch (error) {
    throw unrecognized(body, expected, `couldn't get version/kind; ${(error as Error).message}`)
  }
}

/**
 * The object in a request's body. Unknown fields are dropped, warned of or rejected, depending on `validation`.
 * Throws `ApiError` 400.
 */
export function decodeBody(body: Buffer, expected: Expected, { media, validation, warn }: DecodeOptions): ApiObject {
  if (media === 'protobuf') {
    const { apiVersion, kind, message } = unwrapUnknown(body)
    checkKind(kind || expected.kind, apiVersion || expected.apiVersion, expected)
    const named = { kind: expected.kind, apiVersion: expected.apiVersion }
    // They come first, as in every object: lists cut them off by their length.
    return Object.assign({ ...named }, decodeMessage(expected.type, message), named)
  }
  const { value, duplicates } = parseText(body, validation, expected)
  const { object, unknownFields } = decodeObject(expected.type, withManagersReset(stated(value, body, expected)))
  if (validation === 'Ignore') return object
  const lines = repeatedIn(body)
  if (!lines && duplicates.length === 0 && unknownFields.length === 0) return object
  // For custom kinds, Kubernetes reports duplicate fields first.
  const fields = expected.custom ? [...duplicates, ...unknownFields] : inTextOrder(body, duplicates, unknownFields)
  const problems = lines ? [...(validation === 'Strict' ? [asOneError(lines)] : lines), ...fields] : fields
  if (validation === 'Strict') {
    throw badRequest(`${expected.kind} in version ${JSON.stringify(versionOf(expected.apiVersion))} cannot be handled as a ${expected.kind}: strict decoding error: ${problems.join(', ')}`)
  }
  for (const problem of problems) warn(problem)
  return object
}
