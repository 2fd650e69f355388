/**
 * The schema form: every API type is stated once, as data, with the functions in this file.
 * TypeScript types, JSON and protobuf codecs, defaulting, OpenAPI, patch and apply are derived from it.
 *
 * A field is stated as `<presence>(protobufNumber, type, doc | options)`. The presence says what is in the
 * object when the client sent nothing, and what is on the wire:
 *
 * | presence | client may leave it out | in the decoded object     | protobuf                  |
 * |----------|-------------------------|---------------------------|---------------------------|
 * | `req`    | no (OpenAPI: required)  | always; zero value if not sent | always written       |
 * | `must`   | no (OpenAPI: required)  | as sent; validation refuses its absence | written when present |
 * | `fill`   | yes                     | always; zero value if not sent | always written       |
 * | `zero`   | yes                     | absent when zero or empty | scalars always written, lists and maps when not empty |
 * | `opt`    | yes                     | absent or present, zero is a value | written when present |
 *
 * The zero value of a struct is the struct with its own zero values, of a list `[]`, of a map `{}`, of a time `null`.
 */

/** Types without parts of their own. The name decides the JSON form and the protobuf form. */
export type ScalarName =
  | 'string' | 'bool' | 'int32' | 'int64' | 'double'
  /** base64 text in JSON, raw bytes in protobuf; decoded objects hold the base64 text. */
  | 'bytes'
  /** RFC 3339, seconds; protobuf message {seconds=1, nanos=2}. */
  | 'time'
  /** RFC 3339 with microseconds; protobuf message {seconds=1, nanos=2}. */
  | 'microTime'
  /** Go duration text such as `1m30s`; protobuf message {duration=1} in nanoseconds. */
  | 'duration'
  /** Quantity text such as `500m`; JSON numbers are accepted; protobuf message {string=1}. */
  | 'quantity'
  /** number or text; protobuf message {type=1, intVal=2, strVal=3}. */
  | 'intOrString'
  /** Any JSON object, kept as sent; protobuf message {raw=1} holding JSON bytes. */
  | 'rawExtension'
  /** Any JSON value, kept as sent; protobuf message {raw=1} holding JSON bytes. */
  | 'json'
  /** The field set of a managedFields entry; protobuf message {Raw=1} holding JSON bytes. */
  | 'fieldsV1'
  /** JSON schema or boolean; protobuf message {allows=1, schema=2}. */
  | 'schemaOrBool'
  /** JSON schema or list of schemas; protobuf message {schema=1, jSONSchemas=2}. */
  | 'schemaOrArray'
  /** JSON schema or list of strings; protobuf message {schema=1, property=2}. */
  | 'schemaOrStringArray'

/** What every type carries at compile time only: `Out`, the decoded form, and `In`, what a client may write. */
interface Phantom<Out, In> {
  readonly _out?: Out
  readonly _in?: In
}

export interface ScalarType<T = unknown> extends Phantom<T, T> {
  readonly form: 'scalar'
  readonly name: ScalarName
  /** The closed set of values, if there is one. Checked by validation, not by the codecs. */
  readonly values?: readonly string[]
  /** Apply sees a value of this type as what it is: objects are merged key by key, everything else is replaced. */
  readonly deduced?: true
}

export interface ListType<Out = unknown, In = unknown> extends Phantom<readonly Out[], readonly In[]> {
  readonly form: 'list'
  readonly of: AnyType
  /** How apply merges it: atomic (replaced whole), set (union of scalars), map (by `keys`). */
  readonly kind: 'atomic' | 'set' | 'map'
  readonly keys?: readonly string[]
  /** In protobuf a named list inside another container is a message {items=1}. */
  readonly wrapped?: boolean
}

export interface MapType<Out = unknown, In = unknown>
  extends Phantom<{ readonly [key: string]: Out }, { readonly [key: string]: In }> {
  readonly form: 'map'
  readonly of: AnyType
  readonly kind: 'atomic' | 'granular'
}

export interface StructType<Out = unknown, In = unknown> extends Phantom<Out, In> {
  readonly form: 'struct'
  readonly name: string
  readonly doc: string
  readonly fields: Fields
  /** Root kinds carry `kind` and `apiVersion` ahead of their fields; they have no protobuf number. */
  readonly root: boolean
  /** Apply replaces an atomic struct whole. */
  readonly atomic: boolean
  /** The atomic type that this is, but for its fields being owned apart. */
  readonly granularOf?: StructType
  /** The type of properties that are not among the fields and are kept all the same; for apply. */
  readonly others?: AnyType
  /** Custom kinds are read and defaulted by closures of their own; the fields are there for apply. */
  readonly codec?: CustomCodec
}

/** How objects of a custom kind are read: types are left to validation, what the schema does not know is dropped. */
export interface CustomCodec {
  /** The value in normal form; counts unknown fields. Throws what the decoders of `machinery/json` throw. */
  decode(value: unknown, findings: { unknown: number }): unknown
  /** The slow walk: says which fields are unknown, and why a value that `decode` threw at cannot be read. */
  diagnose(value: unknown): { readonly unknownFields: readonly string[]; readonly typeError?: string }
  /** The decoded value with its defaults; the same one when there was nothing to fill in. */
  default(value: unknown): unknown
}

/** A reference to a type stated later: the way out of a cycle. */
export interface LazyType<Out = unknown, In = unknown> extends Phantom<Out, In> {
  readonly form: 'lazy'
  readonly get: () => AnyType
}

export type AnyType = ScalarType | ListType | MapType | StructType | LazyType

export type Presence = 'req' | 'must' | 'fill' | 'zero' | 'opt'

export interface FieldOptions {
  readonly doc?: string
  /** Used by defaulting when the client left the field out. Defaults that depend on other fields live beside the kind's strategy. */
  readonly default?: unknown
  /** Strategic merge patch: lists with `merge` are merged by `key` (or as sets of scalars), others replaced. */
  readonly patch?: 'merge' | 'replace' | 'retainKeys' | 'merge,retainKeys'
  readonly key?: string
  /** The feature gate that Kubernetes puts this field behind. */
  readonly gate?: string
  /** The field's parts stand in the parent's JSON object (ProbeHandler in Probe); one message in protobuf. */
  readonly inline?: boolean
  /** OpenAPI lists it as required although its presence says otherwise. */
  readonly required?: boolean
  /** null is a value like others, and apply sets it: fields of custom kinds. */
  readonly nullable?: boolean
}

export interface Field<P extends Presence = Presence, T extends AnyType = AnyType> extends FieldOptions {
  readonly presence: P
  /** Protobuf field number; 0: the type has no protobuf form. */
  readonly no: number
  readonly type: T
}

export interface Fields { readonly [name: string]: Field }

type OutOf<T> = T extends Phantom<infer Out, unknown> ? Out : never
type InOf<T> = T extends Phantom<unknown, infer In> ? In : never
/** The zero value of a time is null, so a time that is always there may be null. */
type Always<T> = T extends ScalarType ? (T['name'] extends 'time' | 'microTime' | 'rawExtension' ? OutOf<T> | null : OutOf<T>) : OutOf<T>

type Keys<F extends Fields, P extends Presence> = { [K in keyof F]: F[K] extends Field<P> ? (F[K]['inline'] extends true ? never : K) : never }[keyof F]
type InlineKeys<F extends Fields> = { [K in keyof F]: F[K] extends { readonly inline: true } ? K : never }[keyof F]
type UnionToIntersection<U> = (U extends unknown ? (k: U) => void : never) extends (k: infer I) => void ? I : never
type InlineOut<F extends Fields> = [InlineKeys<F>] extends [never] ? unknown : UnionToIntersection<OutOf<F[InlineKeys<F>]['type']>>
type InlineIn<F extends Fields> = [InlineKeys<F>] extends [never] ? unknown : UnionToIntersection<InOf<F[InlineKeys<F>]['type']>>

type StructOut<F extends Fields> =
  & { readonly [K in Keys<F, 'req' | 'must' | 'fill'>]: Always<F[K]['type']> }
  & { readonly [K in Keys<F, 'zero' | 'opt'>]?: OutOf<F[K]['type']> | undefined }
  & InlineOut<F>
type StructIn<F extends Fields> =
  & { readonly [K in Keys<F, 'req' | 'must'>]: InOf<F[K]['type']> }
  & { readonly [K in Keys<F, 'fill' | 'zero' | 'opt'>]?: InOf<F[K]['type']> | null | undefined }
  & InlineIn<F>
type Flat<T> = { [K in keyof T]: T[K] }

/** The decoded form of a schema type: what caches hold and reconcilers read. */
export type Of<T> = OutOf<T>
/** What a client may write for a schema type: everything that is filled in may be left out. */
export type In<T> = InOf<T>

const scalar = <T>(name: ScalarName): ScalarType<T> & { readonly name: ScalarName } => ({ form: 'scalar', name })
/** A scalar whose zero value is null rather than '' or 0; the literal name lets `Always` see it. */
const nullable = <T, N extends ScalarName>(name: N): ScalarType<T> & { readonly name: N } => ({ form: 'scalar', name })

/** Any value JSON can hold. */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }
export type JsonObject = { readonly [key: string]: Json }

export const string: ScalarType<string> = scalar('string')
export const bool: ScalarType<boolean> = scalar('bool')
export const int32: ScalarType<number> = scalar('int32')
/** Decoded to a number; a value beyond 2^53, which a number does not keep, is a bigint at run time. Code that computes with one that no rule bounds says `Number(value)`. */
export const int64: ScalarType<number> = scalar('int64')
export const double: ScalarType<number> = scalar('double')
export const bytes: ScalarType<string> = scalar('bytes')
export const time = nullable<string, 'time'>('time')
export const microTime = nullable<string, 'microTime'>('microTime')
export const duration: ScalarType<string> = scalar('duration')
export const quantity: ScalarType<string> = scalar('quantity')
export const intOrString: ScalarType<number | string> = scalar('intOrString')
export const rawExtension = nullable<JsonObject, 'rawExtension'>('rawExtension')
export const json: ScalarType<Json> = scalar('json')
/** Any value, merged by apply as what it is: the parts of custom objects that their schema says nothing about. */
export const deduced: ScalarType<Json> = { form: 'scalar', name: 'json', deduced: true }
export const fieldsV1: ScalarType<JsonObject> = scalar('fieldsV1')

/** A string with a closed set of values. */
export const oneOf = <const V extends readonly string[]>(...values: V): ScalarType<V[number]> => ({ form: 'scalar', name: 'string', values })

/** A list that apply replaces whole. */
export const list = <T extends AnyType>(of: T): ListType<OutOf<T>, InOf<T>> => ({ form: 'list', of, kind: 'atomic' })
/** A list of distinct scalars: apply merges it as a set. */
export const setOf = <T extends AnyType>(of: T): ListType<OutOf<T>, InOf<T>> => ({ form: 'list', of, kind: 'set' })
/** A list of structs that apply merges by the values of `keys`. */
export const mapList = <T extends AnyType>(of: T, keys: readonly string[]): ListType<OutOf<T>, InOf<T>> => ({ form: 'list', of, kind: 'map', keys })
/** A list type with a name of its own: where protobuf needs a message it is {items=1}. */
export const wrappedList = <T extends AnyType>(of: T): ListType<OutOf<T>, InOf<T>> => ({ form: 'list', of, kind: 'atomic', wrapped: true })
/** A map from text to `of`, merged key by key. */
export const map = <T extends AnyType>(of: T): MapType<OutOf<T>, InOf<T>> => ({ form: 'map', of, kind: 'granular' })
/** A map that apply replaces whole. */
export const atomicMap = <T extends AnyType>(of: T): MapType<OutOf<T>, InOf<T>> => ({ form: 'map', of, kind: 'atomic' })
/** A type stated later in the file, or in a cycle. */
export const lazy = <Out, In = Out>(get: () => AnyType): LazyType<Out, In> => ({ form: 'lazy', get })

type FieldMaker<P extends Presence> = <T extends AnyType, const O extends FieldOptions = Record<never, never>>(no: number, type: T, options?: string | O) => Field<P, T> & O
const maker = <P extends Presence>(presence: P): FieldMaker<P> => (no, type, options) =>
  ({ presence, no, type, ...(typeof options === 'string' ? { doc: options } : options) }) as never

/** Required of the client; always in the object. */
export const req = maker('req')
/** Required of the client, with no zero value to stand in for it. */
export const must = maker('must')
/** Filled in when left out; always in the object. */
export const fill = maker('fill')
/** Left out when zero or empty. */
export const zero = maker('zero')
/** Absent and zero are different things. */
export const opt = maker('opt')

export interface StructOptions { readonly doc?: string; readonly atomic?: boolean }
const optionsOf = (o?: string | StructOptions) => ({ doc: typeof o === 'string' ? o : (o?.doc ?? ''), atomic: typeof o === 'object' && o.atomic === true })

/** A type with fields. */
export function struct<const F extends Fields>(name: string, fields: F, options?: string | StructOptions): StructType<Flat<StructOut<F>>, Flat<StructIn<F>>> {
  return { form: 'struct', name, fields, root: false, ...optionsOf(options) }
}

/** An atomic type, in a place where its fields are owned apart. */
export const granular = <T extends StructType>(type: T): T => ({ ...type, atomic: false, granularOf: type })

/** What every root kind has. */
export interface TypeMeta { readonly kind: string; readonly apiVersion: string }
/** What a client may leave out: `client/` and the API server fill it in from the resource it is sent to. */
export interface TypeMetaIn { readonly kind?: string | undefined; readonly apiVersion?: string | undefined }

/** A root kind: a struct that carries `kind` and `apiVersion`. */
export function root<const F extends Fields>(name: string, fields: F, options?: string | StructOptions): StructType<Flat<TypeMeta & StructOut<F>>, Flat<TypeMetaIn & StructIn<F>>> {
  return { form: 'struct', name, fields, root: true, ...optionsOf(options) }
}

/** A lazy type's target, any other type as it is. */
export function resolve(type: AnyType): Exclude<AnyType, LazyType> {
  let t = type
  while (t.form === 'lazy') t = t.get()
  return t
}
