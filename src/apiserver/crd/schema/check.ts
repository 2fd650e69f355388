/**
 * Validation by a schema, compiled once into closures. A check returns the issues with their paths; a valid value allocates
 * no strings and no arrays. Given the old value (`old`), errors in unchanged parts are tolerated (ratcheting).
 */
import { deepEqual } from '../../../machinery/meta.ts'
import { itemCorrelation } from './correlation.ts'
import { isKnownFormat } from './formats.ts'
import { issue, joined, none, withPart, type Check, type Issues } from './issue.ts'
import { junctors } from './junctors.ts'
import { additionalOf, isIntOrString, isObject, itemsOf, type Obj, type Schema } from './props.ts'
import { compileSame, type Same } from './same.ts'
import { jsonTypeOf, numberChecks, stringChecks } from './scalars.ts'

/** The check of a schema, including everything below it. */
export function compileCheck(schema: Schema): Check {
  const type = typeCheck(schema)
  let same: Same | undefined
  const values = enumeration(schema)
  const parts: Check[] = [junctors(schema), stringChecks(schema), numberChecks(schema), lists(schema), values, objects(schema)].flatMap((part) => part ?? [])
  return (value, old) => {
    let issues = type(value)
    if (value === null) issues = joined(issues, values?.(value, old))
    else for (const part of parts) issues = joined(issues, part(value, old))
    return issues && old !== none && (same ??= compileSame(schema))(value, old) ? undefined : issues
  }
}

/** Kubernetes's name for the format of a decoded number. */
const foundFormats: Readonly<Record<string, string>> = { integer: 'int64', number: 'float64' }

/** `spec.replicas in body must be of type integer: "string"`. If there is a format, Kubernetes names that instead, except for strings and lists. */
function typeCheck(schema: Schema): (value: unknown) => Issues {
  const wanted = isIntOrString(schema) ? ['integer', 'string'] : schema.type ? [schema.type] : []
  const format = schema.format && isKnownFormat(schema) ? schema.format : ''
  if (wanted.length === 0 && format === '') return () => undefined
  const nullable = schema.nullable === true || wanted.length === 0
  const types = wanted.join(',')
  const wrong = (type: string, found: string): Issues => [issue((name, at) => at.typeInvalid(found, `${name} in body must be of type ${type}: ${JSON.stringify(found)}`))]
  return (value) => {
    const is = jsonTypeOf(value)
    if (is === 'null') return nullable ? undefined : wrong(types, is)
    if (wanted.includes(is) || (is === 'integer' && wanted.includes('number'))) return undefined
    if (is === 'string' || is === 'array') return wanted.length === 0 ? undefined : wrong(types, is)
    return format === '' ? wrong(types, is) : wrong(format, foundFormats[is] ?? '')
  }
}

function enumeration(schema: Schema): Check | undefined {
  const values = schema.enum
  if (!values || values.length === 0) return undefined
  const shown = values.map((value) => (typeof value === 'string' ? value : JSON.stringify(value)))
  // As in Kubernetes, a null matches no value, even if null is listed.
  return (value) => (value !== null && values.some((one) => deepEqual(one, value)) ? undefined : [issue((_, at) => at.notSupported(value, shown))])
}

function lists(schema: Schema): Check | undefined {
  const items = itemsOf(schema)
  const { minItems, maxItems, uniqueItems } = schema
  if (!items && minItems === undefined && maxItems === undefined && !uniqueItems) return undefined
  let element: Check | undefined
  const correlate = itemCorrelation(schema)
  return (value, old) => {
    if (!Array.isArray(value)) return undefined
    let issues: Issues
    if (items) {
      element ??= compileCheck(items)
      const before = old === none ? undefined : correlate(old)
      for (let i = 0; i < value.length; i++) issues = withPart(issues, element(value[i], before ? before(value[i], i) : none), `[${i}]`)
    }
    const size = value.length
    if (minItems !== undefined && size < minItems) issues = joined(issues, [issue((name, at) => at.invalid(size, `${name} in body should have at least ${minItems} items`))])
    if (maxItems !== undefined && size > maxItems) issues = joined(issues, [issue((_, at) => at.tooMany(size, maxItems))])
    if (uniqueItems && hasDuplicates(value)) issues = joined(issues, [issue((name, at) => at.invalid('', `${name} in body shouldn't contain duplicates`))])
    return issues
  }
}

const hasDuplicates = (list: readonly unknown[]): boolean => list.some((item, i) => list.slice(0, i).some((before) => deepEqual(before, item)))

/** The check of a property; undefined for unspecified ones. */
type CheckOf = (name: string) => Check | undefined

/** Compiles each part on first use: most objects use little of a big schema. */
function checksOf(schema: Schema): CheckOf {
  const { properties } = schema
  const additional = additionalOf(schema)
  const known = new Map<string, Check>()
  let others: Check | undefined
  return (name) => {
    const child = properties && Object.hasOwn(properties, name) ? properties[name] : undefined
    if (!child) return additional && (others ??= compileCheck(additional))
    let check = known.get(name)
    if (!check) known.set(name, (check = compileCheck(child)))
    return check
  }
}

function objects(schema: Schema): Check | undefined {
  const { minProperties, maxProperties, required = [] } = schema
  const closed = schema.additionalProperties === false
  if (!schema.properties && !additionalOf(schema) && required.length === 0 && minProperties === undefined && maxProperties === undefined && !closed) return undefined
  const checks = checksOf(schema)
  return (value, old) => {
    if (!isObject(value)) return undefined
    const size = minProperties === undefined && maxProperties === undefined ? 0 : Object.keys(value).length
    if (minProperties !== undefined && size < minProperties) return [issue((name, at) => at.invalid(size, `${name} in body should have at least ${minProperties} properties`))]
    if (maxProperties !== undefined && size > maxProperties) return [issue((_, at) => at.tooMany(size, maxProperties))]
    const issues = properties(value, isObject(old) ? old : none, checks, required)
    return closed ? joined(issues, forbidden(value, schema.properties ?? {})) : issues
  }
}

function properties(value: Obj, old: Obj | typeof none, checks: CheckOf, required: readonly string[]): Issues {
  let issues: Issues
  for (const name in value) {
    const check = value[name] === undefined ? undefined : checks(name)
    const found = check?.(value[name], old !== none && Object.hasOwn(old, name) ? old[name] : none)
    if (found) issues = withPart(issues, found, `.${name}`)
  }
  for (const name of required) {
    if (!Object.hasOwn(value, name) || value[name] === undefined) issues = withPart(issues, [issue((_, at) => at.required())], `.${name}`)
  }
  return issues
}

const forbidden = (value: Obj, known: object): Issues => {
  const unknown = Object.keys(value).filter((name) => !Object.hasOwn(known, name))
  return unknown.length === 0 ? undefined : unknown.map((key) => issue((name, at) => at.invalid(key, `${name}.${key} in body is a forbidden property`)))
}
