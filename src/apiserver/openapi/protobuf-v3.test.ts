/** What is written is read back with another implementation of protobuf, by the published field numbers. */
import protobuf from 'protobufjs'
import { describe, expect, it } from 'vitest'
import { declared } from '../../api/index.ts'
import { openApiV3 } from './documents.ts'
import { encodeV3 } from './protobuf-v3.ts'

/** The part of `openapi.v3` that the documents use. */
const description = `
  syntax = "proto3";
  message GAny { string type_url = 1; bytes value = 2; }
  message Any { GAny value = 1; string yaml = 2; }
  message NamedAny { string name = 1; Any value = 2; }
  message Reference { string target = 1; string summary = 2; string description = 3; }
  message SchemaOrReference { oneof oneof { Schema schema = 1; Reference reference = 2; } }
  message NamedSchemaOrReference { string name = 1; SchemaOrReference value = 2; }
  message SchemasOrReferences { repeated NamedSchemaOrReference additional_properties = 1; }
  message Properties { repeated NamedSchemaOrReference additional_properties = 1; }
  message ItemsItem { repeated SchemaOrReference schema_or_reference = 1; }
  message AdditionalPropertiesItem { oneof oneof { SchemaOrReference schema_or_reference = 1; bool boolean = 2; } }
  message DefaultType { oneof oneof { double number = 1; bool boolean = 2; string string = 3; } }
  message Schema { bool nullable = 1; string title = 9; double multiple_of = 10; double maximum = 11; bool exclusive_maximum = 12; double minimum = 13; bool exclusive_minimum = 14; int64 max_length = 15; int64 min_length = 16; string pattern = 17; int64 max_items = 18; int64 min_items = 19; int64 max_properties = 21; int64 min_properties = 22; repeated SchemaOrReference any_of = 28; Schema not = 29; repeated string required = 23; repeated Any enum = 24; string type = 25; repeated SchemaOrReference all_of = 26; repeated SchemaOrReference one_of = 27; ItemsItem items = 30; Properties properties = 31; AdditionalPropertiesItem additional_properties = 32; DefaultType default = 33; string description = 34; string format = 35; repeated NamedAny specification_extension = 36; }
  message Components { SchemasOrReferences schemas = 1; }
  message Info { string title = 1; string version = 6; }
  message MediaType { SchemaOrReference schema = 1; }
  message NamedMediaType { string name = 1; MediaType value = 2; }
  message MediaTypes { repeated NamedMediaType additional_properties = 1; }
  message RequestBody { string description = 1; MediaTypes content = 2; bool required = 3; }
  message RequestBodyOrReference { oneof oneof { RequestBody request_body = 1; Reference reference = 2; } }
  message Parameter { string name = 1; string in = 2; string description = 3; bool required = 4; SchemaOrReference schema = 10; }
  message ParameterOrReference { oneof oneof { Parameter parameter = 1; Reference reference = 2; } }
  message Response { string description = 1; MediaTypes content = 3; }
  message ResponseOrReference { oneof oneof { Response response = 1; Reference reference = 2; } }
  message NamedResponseOrReference { string name = 1; ResponseOrReference value = 2; }
  message Responses { ResponseOrReference default = 1; repeated NamedResponseOrReference response_or_reference = 2; }
  message Operation { repeated string tags = 1; string description = 3; string operation_id = 5; repeated ParameterOrReference parameters = 6; RequestBodyOrReference request_body = 7; Responses responses = 8; repeated NamedAny specification_extension = 13; }
  message PathItem { Operation get = 4; Operation put = 5; Operation post = 6; Operation delete = 7; Operation patch = 10; }
  message NamedPathItem { string name = 1; PathItem value = 2; }
  message Paths { repeated NamedPathItem path = 1; }
  message Document { string openapi = 1; Info info = 2; Paths paths = 4; Components components = 5; }
`

interface Any { readonly yaml: string }
interface Named<T> { readonly name: string; readonly value: T }
interface Either { readonly schema?: Schema; readonly reference?: { readonly target: string; readonly description?: string } }
interface Schema extends Constraints {
  readonly anyOf?: Either[]
  readonly not?: Schema
  readonly required?: string[]
  readonly enum?: Any[]
  readonly type?: string
  readonly allOf?: Either[]
  readonly oneOf?: Either[]
  readonly items?: { readonly schemaOrReference: Either[] }
  readonly properties?: { readonly additionalProperties: Named<Either>[] }
  readonly additionalProperties?: { readonly schemaOrReference?: Either; readonly boolean?: boolean }
  readonly default?: Record<string, unknown>
  readonly description?: string
  readonly format?: string
  readonly specificationExtension?: Named<Any>[]
}
interface Constraints { readonly nullable?: boolean; readonly title?: string; readonly multipleOf?: number; readonly maximum?: number; readonly exclusiveMaximum?: boolean; readonly minimum?: number; readonly pattern?: string; readonly maxLength?: unknown; readonly maxItems?: unknown; readonly minProperties?: unknown }
interface Document {
  readonly openapi: string
  readonly components: { readonly schemas: { readonly additionalProperties: Named<Either>[] } }
  readonly paths: { readonly path: Named<Record<string, { readonly operationId: string; readonly specificationExtension: Named<Any>[] }>>[] }
}

const extensions = (list: Named<Any>[] | undefined) => Object.fromEntries((list ?? []).map((e) => [e.name, JSON.parse(e.value.yaml) as unknown]))
const plain = (e: Either): object => (e.reference ? { $ref: e.reference.target, ...(e.reference.description ? { description: e.reference.description } : {}) } : schema(e.schema as Schema))
const drop = (object: Record<string, unknown>) => Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))

const whole = (value: unknown): number | undefined => (value === undefined ? undefined : Number(value))

/** The JSON form of a decoded schema. */
function schema(s: Schema): object {
  const more = s.additionalProperties
  return drop({
    required: s.required,
    enum: s.enum?.map((e) => JSON.parse(e.yaml) as unknown),
    type: s.type,
    allOf: s.allOf?.map(plain),
    oneOf: s.oneOf?.map(plain),
    anyOf: s.anyOf?.map(plain),
    not: s.not && schema(s.not),
    nullable: s.nullable, title: s.title, multipleOf: s.multipleOf, maximum: s.maximum, exclusiveMaximum: s.exclusiveMaximum, minimum: s.minimum, pattern: s.pattern,
    maxLength: whole(s.maxLength), maxItems: whole(s.maxItems), minProperties: whole(s.minProperties),
    items: s.items && plain(s.items.schemaOrReference[0] as Either),
    properties: s.properties && Object.fromEntries(s.properties.additionalProperties.map((p) => [p.name, plain(p.value)])),
    additionalProperties: more && (more.schemaOrReference ? plain(more.schemaOrReference) : more.boolean),
    default: s.default && Object.values(s.default)[0],
    description: s.description,
    format: s.format,
    ...extensions(s.specificationExtension),
  })
}

/** Defaults that are objects have no place in the format. */
const sayable = (schemas: object) => JSON.parse(JSON.stringify(schemas).replaceAll(/"default":\{\},|,"default":\{\}/g, '')) as object

describe('OpenAPI v3 in protobuf', () => {
  it('says what a custom kind says of its values', async () => {
    const spec = {
      type: 'object', title: 'T', minProperties: 1, anyOf: [{ required: ['a'] }], not: { required: ['b'] }, 'x-kubernetes-validations': [{ rule: 'true' }],
      properties: { a: { type: 'string', maxLength: 300, pattern: '^a', nullable: true }, b: { type: 'number', minimum: -1.5, maximum: 5, exclusiveMaximum: true, multipleOf: 0.5 }, c: { type: 'array', maxItems: 3, items: { type: 'string' } } },
    }
    const type = protobuf.parse(description).root.lookupType('Document')
    const bytes = await encodeV3({ openapi: '3.0.0', info: { title: 'T', version: 'v' }, paths: {}, components: { schemas: { spec } } })
    const [read] = (type.toObject(type.decode(bytes)) as Document).components.schemas.additionalProperties
    expect(plain(read?.value as Either)).toEqual(spec)
  })

  it('says the same as in JSON', async () => {
    const type = protobuf.parse(description).root.lookupType('Document')
    const json = (await openApiV3(declared.filter((r) => r.apiVersion === 'v1' || r.apiVersion === 'apiextensions.k8s.io/v1'))) as { components: { schemas: Record<string, object> }; paths: Record<string, Record<string, { operationId: string }>> }
    const read = type.toObject(type.decode(await encodeV3(json))) as Document
    expect(read.openapi).toBe('3.0.0')
    expect(Object.fromEntries(read.components.schemas.additionalProperties.map((p) => [p.name, plain(p.value)]))).toEqual(sayable(json.components.schemas))
    const patch = read.paths.path.find((p) => p.name === '/api/v1/namespaces/{namespace}/pods/{name}')?.value['patch']
    expect(patch?.operationId).toBe('patchCoreV1NamespacedPod')
    expect(extensions(patch?.specificationExtension)).toMatchObject({ 'x-kubernetes-action': 'patch', 'x-kubernetes-group-version-kind': { group: '', version: 'v1', kind: 'Pod' } })
  })
})
