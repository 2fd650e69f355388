/** Patch: a document that says how the next object differs from the current one. */
import { ApiError, badRequest, invalid, isApiError, unsupportedMediaType } from '../../machinery/errors.ts'
import { omitted, path } from '../../machinery/field.ts'
import { withManagersReset } from '../../machinery/apply.ts'
import { goText } from '../../machinery/go-text.ts'
import { decodeObject, parseJson, type Parsed } from '../../machinery/json.ts'
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch } from '../../machinery/patch.ts'
import type { JsonObject, StructType } from '../../api/index.ts'
import type { ApiObject, Patch } from '../../client/client.ts'
import { asOneError, repeatedIn } from '../encoding/repeated.ts'
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
  const { value, duplicateFields } = parsed(type, body)
  const word = Array.isArray(value) ? 'array' : typeof value === 'boolean' ? 'bool' : typeof value
  if (type === 'json') {
    if (value !== null && !Array.isArray(value)) throw badRequest(`error decoding patch: json: cannot unmarshal ${word} into Go value of type []handlers.jsonPatchOp`)
    const patch: Patch = { type, body: (value ?? []) as JsonObject[] }
    if (duplicateFields.length > 0) repeated.set(patch, duplicateFields.map((text) => `json patch ${text}`))
    return patch
  }
  if (value === null) throw badRequest(type === 'apply' ? 'invalid object type: /, Kind=' : 'Invalid JSON Patch')
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw badRequest(`error decoding ${type === 'apply' ? 'YAML: error unmarshaling JSON: while decoding JSON' : 'patch'}: json: cannot unmarshal ${word} into Go value of type map[string]interface {}`)
  }
  const patch: Patch = type === 'apply' ? { type, body: value as JsonObject, force } : { type, body: value as JsonObject }
  const lines = type === 'apply' ? repeatedIn(body) : undefined
  if (lines) repeated.set(patch, lines)
  if (duplicateFields.length > 0) repeated.set(patch, duplicateFields)
  return patch
}

/** Of merge and JSON patches Kubernetes says what stands in them twice. */
function parsed(type: Patch['type'], body: Buffer): Parsed {
  if (type === 'apply' && body.length === 0) return { value: null, duplicateFields: [] }
  try {
    return parseJson(body, { duplicates: type === 'merge' || type === 'json' })
  } catch (error) {
    throw badRequest((error as Error).message.replace(/^json parse error/, type === 'apply' ? 'error decoding YAML' : 'error decoding patch'))
  }
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
  const next = withManagersReset(withPatch(type, current, patch))
  const refused = (why: string): ApiError => invalid({ group: '', kind: '' }, '', [path('patch').invalid(call.served.resource.groupResource === 'secrets' ? omitted : (patch.type === 'strategic' ? goText(patch.body) : JSON.stringify(sorted(next))), why)])
  const { object, unknownFields } = decodedAs(type, next, isNormal ? current : undefined, refused)
  if (object.kind !== kind || object.apiVersion !== apiVersion) {
    if (call.served.custom && apiVersion === call.served.resource.apiVersion) throw renamed(call, { kind, apiVersion }, object)
    throw badRequest(`the patch changes the object from ${apiVersion}, Kind=${kind} to ${object.apiVersion}, Kind=${object.kind}`)
  }
  const problems = [...(repeated.get(patch) ?? []), ...unknownFields]
  if (problems.length && call.fieldValidation === 'Strict') {
    throw refused(`strict decoding error: ${problems.join(', ')}`)
  }
  if (call.fieldValidation === 'Warn') for (const text of problems) call.warn(text)
  return object
}

/** What a patch has made of an object is not the fault of its form: of wrong types it is invalid. */
function decodedAs(type: StructType<ApiObject>, next: unknown, current: ApiObject | undefined, refused: (why: string) => ApiError): ReturnType<typeof decodeObject<ApiObject>> {
  try {
    return decodeObject(type, next, current)
  } catch (error) {
    throw isApiError(error) && error.code === 400 ? refused(error.message.replace(/^.*? cannot be handled as a \w+: /, '')) : error
  }
}

/** A value with the keys of its objects in order. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.keys(value).toSorted().map((key) => [key, sorted((value as Readonly<Record<string, unknown>>)[key])]))
}

type Shown = Pick<Subresource, 'type' | 'kind' | 'apiVersion'>

/** Patches the object that the call names, or the subresource of it; an apply creates what is not there. Throws `ApiError` 400, 404, 409, 415, 422. */
export function patchObject(env: RegistryEnvironment, call: Call, sub: Subresource | undefined, patch: Patch): Promise<Updated> {
  const { served } = call
  if (patch.type === 'strategic' && served.custom) throw unknownPatch(served)
  const { kind, apiVersion, type } = served.resource
  const shown: Shown = sub ?? { kind, apiVersion, type: type as unknown as StructType<ApiObject> }
  const rules = sub?.rules(served) ?? objectRules(served)
  if (patch.type === 'apply') return apply(env, call, sub, rules, { body: patch.body, force: patch.force ?? false }, repeated.get(patch) ?? [])
  const isNormal = !sub?.show && !served.custom && !served.conversion
  return update(env, call, rules, (current) => {
    const after = patched(call, shown, sub?.show?.(current) ?? current, isNormal, patch)
    return sub?.put?.(after, current) ?? after
  })
}

/** `lines`: keys that stand twice in the configuration. Kubernetes looks for them once it could be applied. */
function apply(env: RegistryEnvironment, call: Call, sub: Subresource | undefined, rules: UpdateRules, configuration: Configuration, lines: readonly string[]): Promise<Updated> {
  const checked = (object: ApiObject): ApiObject => {
    if (lines.length > 0 && call.fieldValidation === 'Strict') throw badRequest(`error strict decoding YAML: error converting YAML to JSON: ${asOneError(lines)}`)
    return object
  }
  if (call.fieldValidation === 'Warn') for (const line of lines) call.warn(line)
  const missing = () => checked(applied(call, sub, undefined, configuration))
  return update(env, call, rules, async (current) => checked(await appliedTo(call, sub, current, configuration)), { managed: true, ...(sub ? {} : { missing }) })
}
