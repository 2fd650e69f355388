/** CEL's types, with the maximum sizes of their values. */

/** A field of an object type. `json` is the name in the JSON object where CEL has to escape it. */
export interface CelField {
  readonly type: CelType
  readonly json: string
  /** The schema gives it a value or demands one: `has()` on it is still allowed. */
  readonly required?: boolean
}

/**
 * `max` is the most elements (list, map), characters (string) or bytes that a value of the type can have: the schema's `maxItems`,
 * `maxLength`, `maxProperties`. Left out: unknown, so cost estimates treat it as unbounded.
 */
export type CelType =
  | { readonly kind: 'int' | 'uint' | 'double' | 'bool' | 'null' | 'error' }
  /** `max`: the characters of its text, where it is one. */
  | { readonly kind: 'timestamp' | 'duration'; readonly max?: number | undefined }
  /** A value of any type; `max` as a text, where it can be one. */
  | { readonly kind: 'dyn'; readonly max?: number | undefined }
  | { readonly kind: 'string' | 'bytes'; readonly max?: number | undefined }
  | CelListType
  | CelMapType
  | CelObjectType
  | { readonly kind: 'optional'; readonly value: CelType }
  | { readonly kind: 'type'; readonly value: CelType }
  | { readonly kind: 'opaque'; readonly name: string }
  | { readonly kind: 'param'; readonly name: string }

export interface CelListType {
  readonly kind: 'list'
  readonly element: CelType
  readonly max?: number | undefined
  /** `x-kubernetes-list-type`: equality of sets and maps does not look at the order, and `+` merges. */
  readonly listType?: 'atomic' | 'set' | 'map' | undefined
  readonly keys?: readonly string[] | undefined
}

export interface CelMapType { readonly kind: 'map'; readonly key: CelType; readonly value: CelType; readonly max?: number | undefined }

export interface CelObjectType {
  readonly kind: 'object'
  readonly name: string
  readonly fields: ReadonlyMap<string, CelField>
  /** Fields that are not declared are there too, of dynamic type (`x-kubernetes-preserve-unknown-fields`). */
  readonly open?: boolean | undefined
  /** A field that is null is not there: so it is with objects that a schema describes. */
  readonly nullsAbsent?: boolean | undefined
  /** Objects that an expression puts into field `f` are of the type `<name>.f`: how mutating policies write objects. */
  readonly nested?: boolean | undefined
}

export const INT: CelType = { kind: 'int' }
export const UINT: CelType = { kind: 'uint' }
export const DOUBLE: CelType = { kind: 'double' }
export const BOOL: CelType = { kind: 'bool' }
export const STRING: CelType = { kind: 'string' }
export const BYTES: CelType = { kind: 'bytes' }
export const NULL: CelType = { kind: 'null' }
export const DYN: CelType = { kind: 'dyn' }
export const ERROR: CelType = { kind: 'error' }
export const TIMESTAMP: CelType = { kind: 'timestamp' }
export const DURATION: CelType = { kind: 'duration' }

/** A list type. `listOf(STRING, { max: 10 })` */
export const listOf = (element: CelType, options: Omit<CelListType, 'kind' | 'element'> = {}): CelListType => ({ kind: 'list', element, ...options })
/** A map type; the keys are strings unless said otherwise. */
export const mapOf = (value: CelType, options: { readonly key?: CelType; readonly max?: number | undefined } = {}): CelMapType =>
  ({ kind: 'map', key: options.key ?? STRING, value, ...(options.max === undefined ? {} : { max: options.max }) })
/** A string of at most `max` characters. */
export const stringOf = (max?: number): CelType => (max === undefined ? STRING : { kind: 'string', max })
/** Bytes, at most `max` of them. */
export const bytesOf = (max?: number): CelType => (max === undefined ? BYTES : { kind: 'bytes', max })
export const optionalOf = (value: CelType): CelType => ({ kind: 'optional', value })
export const typeOf = (value: CelType): CelType => ({ kind: 'type', value })
export const opaque = (name: string): CelType => ({ kind: 'opaque', name })
export const param = (name: string): CelType => ({ kind: 'param', name })

/**
 * An object type with declared fields, given by their JSON names. Names that are no CEL identifiers are escaped the way Kubernetes does
 * (`a-b` is `a__dash__b`); what cannot be escaped cannot be reached. `verbatim`: the names are CEL's already.
 */
export function objectOf(name: string, properties: Readonly<Record<string, CelType | { readonly type: CelType; readonly required?: boolean }>>, options: { readonly open?: boolean; readonly nullsAbsent?: boolean; readonly nested?: boolean; readonly verbatim?: boolean } = {}): CelObjectType {
  const { verbatim = false, ...flags } = options
  const fields = new Map<string, CelField>()
  for (const [json, property] of Object.entries(properties)) {
    const escaped = verbatim ? json : escapeName(json)
    if (escaped !== undefined) fields.set(escaped, 'kind' in property ? { type: property, json } : { ...property, json })
  }
  return { kind: 'object', name, fields, ...flags }
}

const reserved = new Set('true false null in as break const continue else for function if import let loop package namespace return var void while'.split(' '))

/** The CEL name of a JSON property; undefined when there is none. https://kubernetes.io/docs/reference/using-api/cel/#escaping */
export function escapeName(json: string): string | undefined {
  if (reserved.has(json)) return `__${json}__`
  if (!/^[A-Za-z_.\-/][A-Za-z0-9_.\-/]*$/.test(json)) return undefined
  return json.replaceAll(/__|\.|-|\//g, (found) => (found === '__' ? '__underscores__' : found === '.' ? '__dot__' : found === '-' ? '__dash__' : '__slash__'))
}

/** The JSON name that a CEL name stands for. */
export const unescapeName = (name: string): string =>
  name.replaceAll(/__(dot|dash|slash|underscores)__/g, (_, what: string) => (what === 'dot' ? '.' : what === 'dash' ? '-' : what === 'slash' ? '/' : '__'))
    .replace(/^__(\w+)__$/, (all, word: string) => (reserved.has(word) ? word : all))

/** How cel-go writes a type in its messages: `list(int)`, `map(string, dyn)`, `optional_type(int)`. */
export function typeName(type: CelType): string {
  switch (type.kind) {
    case 'list': return `list(${typeName(type.element)})`
    case 'map': return `map(${typeName(type.key)}, ${typeName(type.value)})`
    case 'optional': return `optional_type(${typeName(type.value)})`
    case 'type': return `type(${typeName(type.value)})`
    case 'object': case 'opaque': case 'param': return type.name
    case 'error': return '!error!'
    default: return type.kind
  }
}

export const isDyn = (type: CelType): boolean => type.kind === 'dyn' || type.kind === 'error'

/** Whether two types are the same one; sizes do not count. */
export function sameType(a: CelType, b: CelType): boolean {
  if (a === b) return true
  if (a.kind !== b.kind) return false
  if (a.kind === 'list') return sameType(a.element, (b as CelListType).element)
  if (a.kind === 'map') return sameType(a.key, (b as CelMapType).key) && sameType(a.value, (b as CelMapType).value)
  if (a.kind === 'optional' || a.kind === 'type') return sameType(a.value, (b as typeof a).value)
  if (a.kind === 'object' || a.kind === 'opaque' || a.kind === 'param') return a.name === (b as typeof a).name
  return true
}
