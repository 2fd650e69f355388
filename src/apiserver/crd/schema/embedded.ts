/** Objects inside an object: they say what they are, and their metadata is valid. */
import type { meta } from '../../../api/index.ts'
import { path, type FieldError, type Path } from '../../../machinery/field.ts'
import { dns1035Label, pathSegmentName, validateObjectMeta } from '../../../machinery/names.ts'
import { additionalOf, isEmbedded, isObject, itemsOf, metaFields, type Obj, type Schema } from './props.ts'

type Look = (value: unknown, at: Path) => FieldError[]

/** The check of all embedded resources below a schema, `itself` included; undefined when there are none. */
export function compileEmbeddedChecks(schema: Schema, itself = false): ((object: unknown, at?: Path) => readonly FieldError[]) | undefined {
  const look = compile(schema, !itself)
  return look && ((object, at = path()) => look(object, at))
}

function compile(schema: Schema, root = false): Look | undefined {
  const children = new Map(Object.entries(schema.properties ?? {}).flatMap(([name, child]) => {
    const look = root && metaFields.has(name) ? undefined : compile(child)
    return look ? [[name, look] as const] : []
  }))
  const additional = additionalOf(schema)
  const others = additional && compile(additional)
  const items = itemsOf(schema)
  const element = items && compile(items)
  const own = !root && isEmbedded(schema)
  if (children.size === 0 && !others && !element && !own) return undefined
  return (value, at) => {
    if (Array.isArray(value)) return element ? value.flatMap((item, i) => element(item, at.index(i))) : []
    if (!isObject(value)) return []
    const errors = own ? resource(value, at) : []
    for (const [name, look] of children) if (Object.hasOwn(value, name)) errors.push(...look(value[name], at.at(name)))
    if (others) for (const name of Object.keys(value)) errors.push(...others(value[name], at.key(name)))
    return errors
  }
}

function resource(object: Obj, at: Path): FieldError[] {
  const { apiVersion, kind, metadata } = object
  return [...versionErrors(apiVersion, at.at('apiVersion')), ...kindErrors(kind, at.at('kind')), ...metadataErrors(metadata, at.at('metadata'))]
}

function versionErrors(value: unknown, at: Path): FieldError[] {
  if (value === undefined || value === '') return [at.required()]
  if (typeof value !== 'string') return [at.invalid(value, 'must be a string')]
  return value.split('/').length > 2 ? [at.invalid(value, `unexpected GroupVersion string: ${value}`)] : []
}

function kindErrors(value: unknown, at: Path): FieldError[] {
  if (value === undefined || value === '') return [at.required()]
  if (typeof value !== 'string') return [at.invalid(value, 'must be a string')]
  const problems = dns1035Label(value.toLowerCase())
  return problems.length === 0 ? [] : [at.invalid(value, `may have mixed case, but should otherwise match: ${problems.join(',')}`)]
}

function metadataErrors(value: unknown, at: Path): FieldError[] {
  if (!isObject(value)) return []
  const metadata = value as Partial<meta.ObjectMeta>
  return validateObjectMeta({ ...metadata, name: metadata.name || 'fakename' }, { namespaced: Boolean(metadata.namespace), nameRule: pathSegmentName, path: at })
}
