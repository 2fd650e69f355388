/** Who owns which field: `metadata.managedFields`, updated on every write, and server-side apply. */
import type { JsonObject, StructType, meta } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { applyConfiguration, compareObjects, entryIn, updateManagedFields, withoutFieldsOf, type Elsewhere } from '../../machinery/apply.ts'
import { badRequest, invalid } from '../../machinery/errors.ts'
import { path } from '../../machinery/field.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { zeroOf } from '../../machinery/zero.ts'
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

/** Whether the kind's status is written only through its subresource. */
const hasOwnStatus = ({ served }: Call): boolean => served.storage.subresources.includes('status') && 'status' in served.storage.type.fields

/** A new object with its creator as the owner of its fields. Stored version, before admission adds what nobody owns. */
export function trackCreate(call: Call, object: ApiObject): ApiObject {
  // An empty status has no owner in any case.
  const written = hasOwnStatus(call) && !isUntouched(call, bodyOf(object)['status']) ? withStatus(object, undefined) : object
  return withEntriesOf(updateManagedFields(typeOf(call), undefined, written, { manager: call.fieldManager, now: call.now }), written, object)
}

/** The object with the managed fields of `tracked`, which is `written` with its owners. */
function withEntriesOf(tracked: ApiObject, written: ApiObject, object: ApiObject): ApiObject {
  const managedFields = internEntries(tracked.metadata.managedFields)
  return written === object && managedFields === tracked.metadata.managedFields ? tracked : withMeta(object, { managedFields })
}

/** Whether the status is the initial one of every object of the kind. */
const isUntouched = (call: Call, status: unknown): boolean => status !== undefined && deepEqual(status, bodyOf(zeroOf(typeOf(call)))['status'])

/** The next object, with the fields that change through this endpoint owned by who changes them. */
export function trackUpdate(call: Call, next: ApiObject, current: ApiObject, rules: UpdateRules): ApiObject | Promise<ApiObject> {
  const written = !call.subresource ? (hasOwnStatus(call) ? withStatus(next, bodyOf(current)['status']) : next) : rules.prepare(next, current, call)
  const tracked = (others?: Elsewhere) => {
    return withEntriesOf(updateManagedFields(typeOf(call), current, written, { manager: call.fieldManager, now: call.now, subresource: call.subresource, elsewhere: others }), written, next)
  }
  return hasForeignOwners(call, current) ? elsewhere(call, current, written).then(tracked) : tracked()
}

/** The configuration without what this endpoint does not write, so that applying it neither owns nor conflicts over that. */
function writable(call: Call, body: JsonObject): JsonObject {
  // A custom object's metadata is written only through the object itself; here it just identifies it.
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
  if (body['apiVersion'] === apiVersion && body['kind'] === kind) return
  const version = String(body['apiVersion'] ?? '')
  throw badRequest(`invalid object type: ${version.includes('/') ? '' : '/'}${version}, Kind=${String(body['kind'] ?? '')}`)
}

export interface Configuration { readonly body: JsonObject; readonly force: boolean }

/** The part of a configuration's metadata that identifies the object. */
const identityOf = ({ metadata = {} }: { readonly metadata?: unknown }): JsonObject =>
  Object.fromEntries(Object.entries(metadata as JsonObject).filter(([field]) => field === 'name' || field === 'namespace' || field === 'uid' || field === 'resourceVersion'))

/** A configuration of a view (a scale) as one of the object itself, where fields have their owners. Throws `ApiError` 400. */
function withinObject(call: Call, { type, stated }: Subresource, body: JsonObject): JsonObject {
  applyConfiguration(type, undefined, body, { manager: call.fieldManager, now: call.now })
  const { kind, apiVersion } = call.served.resource
  const { spec = {} } = body as { readonly spec?: JsonObject }
  return { apiVersion, kind, metadata: identityOf(body), ...(stated ? stated(body) : { spec }) }
}

/**
 * Applies a configuration to the object (undefined: there is none), including managed fields, in the version of the call.
 * Throws `ApiError` 400, and 409 with the owners of conflicting fields.
 */
export function applied(call: Call, sub: Subresource | undefined, current: ApiObject | undefined, { body, force }: Configuration, others?: Elsewhere): ApiObject {
  checkConfiguration(sub ?? call.served.resource, body)
  const type = call.served.resource.type as unknown as StructType<ApiObject>
  if (sub?.show) return applied(call, undefined, current, { body: withinObject(call, sub, body), force }, others)
  return intern(applyConfiguration(type, current, writable(call, body), { manager: call.fieldManager, now: call.now, force, subresource: call.subresource, elsewhere: others }))
}

/** The same for an existing object, whose owners may have written in other versions. */
export async function appliedTo(call: Call, sub: Subresource | undefined, current: ApiObject, configuration: Configuration): Promise<ApiObject> {
  if (!hasForeignOwners(call, current)) return applied(call, sub, current, configuration)
  const own = await withOwnEntry(call, current)
  // The result does not depend on whose fields it takes.
  const outcome = applied(call, sub, own, { ...configuration, force: true })
  return applied(call, sub, own, configuration, await elsewhere(call, own, outcome))
}

const asType = ({ type }: { readonly type: unknown }) => type as StructType<ApiObject>

/** Whether the object has owners that wrote in another version, which takes a webhook to compare with this one. */
const hasForeignOwners = ({ served }: Call, { metadata }: ApiObject): boolean =>
  served.custom?.ready !== undefined && (metadata.managedFields?.some(({ apiVersion }) => apiVersion !== served.resource.apiVersion) ?? false)

/** How a change looks in the versions that other owners wrote in. */
async function elsewhere({ served }: Call, current: ApiObject, next: ApiObject): Promise<Elsewhere> {
  const versions = new Set(current.metadata.managedFields?.map(({ apiVersion }) => apiVersion))
  const others = served.others().filter(({ resource }) => versions.has(resource.apiVersion))
  return new Map(await Promise.all(others.map(async ({ resource, to }) => [resource.apiVersion, compareObjects(asType(resource), await to(current), await to(next))] as const)))
}

/** The object with the applier's entry rewritten to the version in which it applies now. */
async function withOwnEntry(call: Call, current: ApiObject): Promise<ApiObject> {
  const { resource, others } = call.served
  const isOwn = (e: meta.ManagedFieldsEntry) => e.operation === 'Apply' && e.manager === call.fieldManager && (e.subresource ?? '') === call.subresource && e.apiVersion !== resource.apiVersion
  const entry = current.metadata.managedFields?.find(isOwn)
  const version = entry && others().find((other) => other.resource.apiVersion === entry.apiVersion)
  if (!entry || !version) return current
  const rest = await version.from(withoutFieldsOf(asType(version.resource), await version.to(current), entry))
  const own = entryIn(asType(resource), entry, resource.apiVersion, current, rest)
  return withMeta(current, { managedFields: current.metadata.managedFields?.map((e) => (e === entry ? own : e)) })
}
