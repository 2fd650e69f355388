/** Errors as Kubernetes answers them: every `ApiError` carries the `Status` that goes over the wire. */
import type { FieldError } from './field.ts'

export interface StatusCause { readonly reason?: string; readonly message?: string; readonly field?: string }

export interface StatusDetails {
  readonly name?: string
  readonly group?: string
  readonly kind?: string
  readonly uid?: string
  readonly causes?: readonly StatusCause[]
  readonly retryAfterSeconds?: number
}

/** `meta/v1.Status`, the failure form. */
export interface Status {
  readonly kind: 'Status'
  readonly apiVersion: 'v1'
  readonly metadata: Readonly<Record<string, never>>
  readonly status: 'Failure' | 'Success'
  readonly message: string
  readonly reason?: string
  readonly details?: StatusDetails
  readonly code: number
}

/** What names a resource in an error: `{ group: 'apps', plural: 'deployments' }`. A `Resource` fits. */
export interface ResourceName { readonly group: string; readonly plural: string }
/** What names a kind in an error: `{ group: 'apps', kind: 'Deployment' }`. A `Resource` fits. */
export interface KindName { readonly group: string; readonly kind: string }

/** An error that a client sees, with its HTTP code and its Kubernetes reason. */
export class ApiError extends Error {
  readonly status: Status

  constructor(code: number, reason: string, message: string, details?: StatusDetails) {
    super(message)
    this.name = 'ApiError'
    this.status = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, ...(reason ? { reason } : {}), ...(details ? { details } : {}), code }
  }

  get code(): number { return this.status.code }
  get reason(): string { return this.status.reason ?? '' }

  /** The error a server answered with, from the `Status` in the response body. */
  static fromStatus(status: Status): ApiError {
    const error = new ApiError(status.code, status.reason ?? '', status.message, status.details)
    return Object.assign(error, { status })
  }
}

const qualified = (r: ResourceName) => (r.group === '' ? r.plural : `${r.plural}.${r.group}`)
const qualifiedKind = (k: KindName) => (k.group === '' ? k.kind : `${k.kind}.${k.group}`)
/** A name as errors show it: quotes and backslashes in it escaped. */
const quote = (name: string): string => JSON.stringify(name)
const about = (r: ResourceName, name: string): StatusDetails => ({ ...(name ? { name } : {}), ...(r.group ? { group: r.group } : {}), kind: r.plural })

/** Kubernetes's standard errors, with its messages and details. */
export const notFound = (r: ResourceName, name: string) =>
  new ApiError(404, 'NotFound', `${qualified(r)} ${quote(name)} not found`, about(r, name))
export const alreadyExists = (r: ResourceName, name: string) =>
  new ApiError(409, 'AlreadyExists', `${qualified(r)} ${quote(name)} already exists`, about(r, name))
export const conflict = (r: ResourceName, name: string, why: string) =>
  new ApiError(409, 'Conflict', `Operation cannot be fulfilled on ${qualified(r)} ${quote(name)}: ${why}`, about(r, name))
/** The conflict of a stale resourceVersion, with the sentence every client matches on. */
export const modified = (r: ResourceName, name: string) =>
  conflict(r, name, 'the object has been modified; please apply your changes to the latest version and try again')
export const forbidden = (r: ResourceName, name: string, why: string) =>
  new ApiError(403, 'Forbidden', `${qualified(r)}${name ? ` ${quote(name)}` : ''} is forbidden: ${why}`, about(r, name))
export const unauthorized = (message = 'Unauthorized') => new ApiError(401, 'Unauthorized', message)
export const badRequest = (message: string) => new ApiError(400, 'BadRequest', message)
export const methodNotSupported = (r: ResourceName, action: string) =>
  new ApiError(405, 'MethodNotAllowed', `${action} is not supported on resources of kind "${qualified(r)}"`, { ...(r.group ? { group: r.group } : {}), kind: r.plural })
/** The path is there, but nothing answers to this method on it. */
export const methodNotAllowed = () => new ApiError(405, 'MethodNotAllowed', 'the server does not allow this method on the requested resource', {})
/** A path that nothing is served under. */
export const unknownResource = () => new ApiError(404, 'NotFound', 'the server could not find the requested resource', {})
export const notAcceptable = (message: string) => new ApiError(406, 'NotAcceptable', message)
export const unsupportedMediaType = (message: string) => new ApiError(415, 'UnsupportedMediaType', message)
export const tooLarge = (message: string) => new ApiError(413, 'RequestEntityTooLarge', message)
/** The history a client asked for is no longer kept: it lists again. */
export const expired = (message: string) => new ApiError(410, 'Expired', message)
export const gone = (message: string) => new ApiError(410, 'Gone', message)
export const internal = (message: string) => new ApiError(500, 'InternalError', `Internal error occurred: ${message}`, { causes: [{ message }] })
export const unavailable = (message: string) => new ApiError(503, 'ServiceUnavailable', message)
export const timedOut = (message: string, retryAfterSeconds = 1) => new ApiError(504, 'Timeout', message, { retryAfterSeconds })

/** 422: what the object's fields have wrong, each with its path, as Kubernetes words it. */
export function invalid(k: KindName, name: string, errors: readonly FieldError[]): ApiError {
  const lines = [...new Set(errors.map((e) => e.toString()))]
  const list = lines.length === 1 ? lines[0] : `[${lines.join(', ')}]`
  return new ApiError(422, 'Invalid', `${qualifiedKind(k)} ${quote(name)} is invalid: ${list}`, {
    ...(name ? { name } : {}),
    ...(k.group ? { group: k.group } : {}),
    kind: k.kind,
    causes: errors.map((e) => ({ reason: e.type, message: e.body(), field: e.field })),
  })
}

export const isApiError = (e: unknown): e is ApiError => e instanceof ApiError
export const isNotFound = (e: unknown): boolean => isApiError(e) && e.reason === 'NotFound'
export const isAlreadyExists = (e: unknown): boolean => isApiError(e) && e.reason === 'AlreadyExists'
export const isConflict = (e: unknown): boolean => isApiError(e) && e.reason === 'Conflict'
export const isExpired = (e: unknown): boolean => isApiError(e) && e.code === 410
