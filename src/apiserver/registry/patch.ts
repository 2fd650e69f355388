/** Patch: a document that says how the next object differs from the current one. */
import { ApiError, badRequest, invalid, unsupportedMediaType } from '../../machinery/errors.ts'
import { path } from '../../machinery/field.ts'
import { decodeObject, parseJson } from '../../machinery/json.ts'
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch } from '../../machinery/patch.ts'
import type { JsonObject, StructType } from '../../api/index.ts'
import type { ApiObject, Patch } from '../../client/client.ts'
import type { Call, RegistryEnvironment } from './call.ts'
import type { Served } from './served.ts'
import type { Subresource } from './subresources.ts'
import { applied, appliedTo, type Configuration } from './managed.ts'
import { objectRules, update, type Updated, type UpdateRules } from './update.ts'

/** By media type. */
export const patchTypes: Readonly<Record<string, Patch['type']>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
  'application/apply-patch+yaml': 'apply',
  'application/apply-patch+json': 'apply',
}

/** Throws the 415 that names the patches there are. */
export function unknownPatch({ custom }: Pick<Served, 'custom'>): ApiError {
  // What a strategic merge goes by is said of built-in types only.
  const known = Object.keys(patchTypes).filter((type) => !custom || (patchTypes[type] !== 'strategic' && type !== 'application/apply-patch+json'))
  return unsupportedMediaType(`the body of the request was in an unknown format - accepted media types include: ${known.join(', ')}`)
}

/** The patch in a request's body. Throws `ApiError` 400 for a body that is no such patch. */
export function parsePatch(type: Patch['type'], body: Buffer, force: boolean): Patch {
  // Of merge patches Kubernetes says what stands in them twice.
  const { value, duplicateFields } = parseJson(body, { duplicates: type === 'merge' })
  if (type === 'json') {
    if (!Array.isArray(value)) throw badRequest('error decoding patch: json: cannot unmarshal object into Go value of type []handlers.jsonPatchOp')
    return { type, body: value as JsonObject[] }
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badRequest('error decoding patch: a patch of this type is an object')
  const patch: Patch = type === 'apply' ? { type, body: value as JsonObject, force } : { type, body: value as JsonObject }
  if (duplicateFields.length > 0) repeated.set(patch, duplicateFields)
  return patch
}

/** The fields that stand twice in a patch, as the client sent it. */
const repeated = new WeakMap<Patch, readonly string[]>()

function withPatch(type: StructType<ApiObject>, current: ApiObject, patch: Patch): unknown {
  switch (patch.type) {
    case 'json': return applyJsonPatch(current as never, patch.body as never)
    case 'merge': return applyMergePatch(current as never, patch.body as never)
    case 'strategic': return applyStrategicMergePatch(type, current as never, patch.body as never)
    case 'apply': throw unsupportedMediaType('an apply is no patch of the current object')
  }
}

/** 422: a custom object is of another kind after a patch. */
function renamed({ name, served: { resource } }: Call, { kind, apiVersion }: Pick<Shown, 'kind' | 'apiVersion'>, object: ApiObject): ApiError {
  const wrong = ([['kind', kind], ['apiVersion', apiVersion]] as const).filter(([field, is]) => object[field] !== is)
  const version = String(object.apiVersion ?? '')
  return invalid({ group: version.includes('/') ? version.slice(0, version.indexOf('/')) : '', kind: object.kind ?? resource.kind }, name, wrong.map(([field, is]) => path(field).invalid(object[field] ?? '', `must be ${is}`)))
}

/** The patched object, decoded; `isNormal`: the current one is as a decode would leave it. Unknown fields are dropped, warned of or refused as the call says. Throws `ApiError` 400, 415, 422. */
function patched(call: Call, { type, kind, apiVersion }: Shown, current: ApiObject, isNormal: boolean, patch: Patch): ApiObject {
  const { object, unknownFields } = decodeObject(type, withPatch(type, current, patch), isNormal ? current : undefined)
  if (object.kind !== kind || object.apiVersion !== apiVersion) {
    if (call.served.custom && apiVersion === call.served.resource.apiVersion) throw renamed(call, { kind, apiVersion }, object)
    throw badRequest(`the patch changes the object from ${apiVersion}, Kind=${kind} to ${object.apiVersion}, Kind=${object.kind}`)
  }
  const problems = [...(repeated.get(patch) ?? []), ...unknownFields]
  if (problems.length && call.fieldValidation === 'Strict') {
    throw invalid({ group: '', kind: '' }, '', [path('patch').invalid(JSON.stringify(patch.body), `strict decoding error: ${problems.join(', ')}`)])
  }
  if (call.fieldValidation === 'Warn') for (const text of problems) call.warn(text)
  return object
}

type Shown = Pick<Subresource, 'type' | 'kind' | 'apiVersion'>

/** Patches the object that the call names, or the subresource of it; an apply creates what is not there. Throws `ApiError` 400, 404, 409, 415, 422. */
export function patchObject(env: RegistryEnvironment, call: Call, sub: Subresource | undefined, patch: Patch): Promise<Updated> {
  const { served } = call
  if (patch.type === 'strategic' && served.custom) throw unknownPatch(served)
  const { kind, apiVersion, type } = served.resource
  const shown: Shown = sub ?? { kind, apiVersion, type: type as unknown as StructType<ApiObject> }
  const rules = sub?.rules(served) ?? objectRules(served)
  if (patch.type === 'apply') return apply(env, call, sub, rules, { body: patch.body, force: patch.force ?? false })
  const isNormal = !sub?.show && !served.custom && !served.conversion
  return update(env, call, rules, (current) => {
    const after = patched(call, shown, sub?.show?.(current) ?? current, isNormal, patch)
    return sub?.put?.(after, current) ?? after
  })
}

function apply(env: RegistryEnvironment, call: Call, sub: Subresource | undefined, rules: UpdateRules, configuration: Configuration): Promise<Updated> {
  const missing = () => applied(call, sub, undefined, configuration)
  return update(env, call, rules, (current) => appliedTo(call, sub, current, configuration), { managed: true, ...(sub ? {} : { missing }) })
}
