/** Who owns which field: `metadata.managedFields`, kept on every write, and server-side apply. */
import type { JsonObject, StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { applyConfiguration, updateManagedFields } from '../../machinery/apply.ts'
import { badRequest, invalid } from '../../machinery/errors.ts'
import { path } from '../../machinery/field.ts'
import { intern, internEntries } from './interning.ts'
import { bodyOf, withMeta } from './meta.ts'
import type { Call } from './call.ts'
import type { Subresource } from './subresources.ts'
import type { UpdateRules } from './update.ts'

const typeOf = (call: Call) => call.served.storage.type as unknown as StructType<ApiObject>

const withStatus = (object: ApiObject, status: unknown): ApiObject => {
  if (bodyOf(object)['status'] === status) return object
  const { status: _, ...rest } = object as ApiObject & { status?: unknown }
  return status === undefined ? rest : ({ ...rest, status } as ApiObject)
}

/** Whether the status of the kind is written through its own endpoint only. */
const hasOwnStatus = ({ served }: Call): boolean => served.storage.subresources.includes('status') && 'status' in served.storage.type.fields

/** A new object with its creator as the owner of its fields. Stored version, before admission adds what nobody owns. */
export function trackCreate(call: Call, object: ApiObject): ApiObject {
  const written = hasOwnStatus(call) ? withStatus(object, undefined) : object
  const { managedFields } = updateManagedFields(typeOf(call), undefined, written, call.fieldManager, call.now).metadata
  return withMeta(object, { managedFields: internEntries(managedFields) })
}

/** The next object with what changes through this endpoint given to who changes it. */
export function trackUpdate(call: Call, next: ApiObject, current: ApiObject, rules: UpdateRules): ApiObject {
  const written = !call.subresource ? (hasOwnStatus(call) ? withStatus(next, bodyOf(current)['status']) : next) : rules.prepare(next, current, call)
  const { managedFields } = updateManagedFields(typeOf(call), current, written, call.fieldManager, call.now, call.subresource).metadata
  return withMeta(next, { managedFields: internEntries(managedFields) })
}

/** The configuration without what this endpoint does not write: nobody comes to own that through it, or conflicts over it. */
function writable(call: Call, body: JsonObject): JsonObject {
  // A custom object's metadata is written through the object alone; here it only says which one is meant.
  if (call.subresource === 'status' && call.served.custom) return { apiVersion: body['apiVersion'], kind: body['kind'], metadata: identityOf(body), status: body['status'] } as JsonObject
  const writes = (field: string): boolean => {
    if (call.subresource === 'status') return field === 'status' || !(field in call.served.resource.type.fields) || field === 'metadata'
    return Boolean(call.subresource) || field !== 'status' || !hasOwnStatus(call)
  }
  return Object.fromEntries(Object.entries(body).filter(([field]) => writes(field)))
}

/** Throws `ApiError` 422 when an apply does not say who applies. */
export function checkApply(fieldManager: string | null): void {
  if (!fieldManager) {
    throw invalid({ group: 'meta.k8s.io', kind: 'PatchOptions' }, '', [path('fieldManager').required('is required for apply patch')])
  }
}

/** Throws `ApiError` 400 when a configuration is of another kind, or of none. */
function checkConfiguration({ kind, apiVersion }: { readonly kind: string; readonly apiVersion: string }, body: JsonObject): void {
  for (const [field, name] of [['apiVersion', 'apiVersion'], ['kind', 'Kind']] as const) {
    if (!body[field]) throw badRequest(`Object '${name}' is missing in '${JSON.stringify(body)}'`)
  }
  if (body['apiVersion'] !== apiVersion) {
    throw badRequest(`Incorrect version specified in apply patch. Specified patch version: ${String(body['apiVersion'])}, expected: ${apiVersion}`)
  }
  if (body['kind'] !== kind) throw badRequest(`the kind of the configuration (${String(body['kind'])}) does not match the kind on the URL (${kind})`)
}

export interface Configuration { readonly body: JsonObject; readonly force: boolean }

/** Of the metadata of a configuration what says which object is meant. */
const identityOf = ({ metadata = {} }: { readonly metadata?: unknown }): JsonObject =>
  Object.fromEntries(Object.entries(metadata as JsonObject).filter(([field]) => field === 'name' || field === 'namespace' || field === 'uid' || field === 'resourceVersion'))

/** A configuration of what is shown of an object (a scale) as one of the object itself, where its fields have their owners. Throws `ApiError` 400. */
function withinObject(call: Call, { type, stated }: Subresource, body: JsonObject): JsonObject {
  applyConfiguration(type, undefined, body, { manager: call.fieldManager, now: call.now })
  const { kind, apiVersion } = call.served.resource
  const { spec = {} } = body as { readonly spec?: JsonObject }
  return { apiVersion, kind, metadata: identityOf(body), ...(stated ? stated(body) : { spec }) }
}

/**
 * What applying a configuration makes of the object (undefined: there is none), managed fields included. In the version that was called for.
 * Throws `ApiError` 400, 409 with the owners of fields that are in conflict.
 */
export function applied(call: Call, sub: Subresource | undefined, current: ApiObject | undefined, { body, force }: Configuration): ApiObject {
  checkConfiguration(sub ?? call.served.resource, body)
  const type = call.served.resource.type as unknown as StructType<ApiObject>
  if (sub?.show) return applied(call, undefined, current, { body: withinObject(call, sub, body), force })
  return intern(applyConfiguration(type, current, writable(call, body), { manager: call.fieldManager, now: call.now, force, subresource: call.subresource }))
}
