/** The documents that describe custom kinds: OpenAPI v2, and v3 by group version. What Kubernetes says of its own fields is left out. */
import type { Step } from '../exchange.ts'
import type { Suite } from '../suite.ts'
import { definition } from './definition.ts'

const group = 'openapi.example.com'
const text = { type: 'string', description: 'A text.' }
const spec = {
  type: 'object', description: 'What is wanted.', required: ['a'],
  properties: {
    a: text, i32: { type: 'integer', format: 'int32', minimum: 1, maximum: 5, exclusiveMinimum: true }, d: { type: 'string', default: 'x', pattern: '^x', minLength: 1, maxLength: 9 }, e: { type: 'string', enum: ['a', 'b'] }, n: { type: 'string', nullable: true },
    ios: { 'x-kubernetes-int-or-string': true }, iosTyped: { 'x-kubernetes-int-or-string': true, anyOf: [{ type: 'integer' }, { type: 'string' }] }, open: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true, properties: { a: text } }, any: { 'x-kubernetes-preserve-unknown-fields': true },
    res: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true }, res2: { type: 'object', 'x-kubernetes-embedded-resource': true, properties: { metadata: { type: 'object', description: 'Of it.' }, spec: { type: 'object' } } },
    set: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } }, map: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'], items: { type: 'object', required: ['k'], properties: { k: text } } }, few: { type: 'array', minItems: 1, maxItems: 4, items: { type: 'integer', multipleOf: 2 } },
    m: { type: 'object', additionalProperties: { type: 'integer' }, minProperties: 1, maxProperties: 3 }, closed: { type: 'object', additionalProperties: false }, loose: { type: 'object', additionalProperties: true }, atomic: { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { a: text } },
    one: { type: 'object', properties: { a: text, b: text }, oneOf: [{ required: ['a'] }, { required: ['b'] }] }, not: { type: 'string', not: { enum: ['x'] } }, all: { type: 'string', allOf: [{ minLength: 1 }, { pattern: 'a' }] },
    ruled: { type: 'string', 'x-kubernetes-validations': [{ rule: "self != 'x'", message: 'not x' }] }, titled: { type: 'string', title: 'T', example: 'e', externalDocs: { url: 'https://a.b', description: 'd' } }, nullableOpen: { type: 'object', nullable: true, properties: { n: { type: 'string', nullable: true } } }, when: { type: 'string', format: 'date-time' },
  },
}
const schema = { type: 'object', description: 'A thing.', required: ['spec'], properties: { apiVersion: { type: 'string' }, kind: { type: 'string', description: 'mine' }, metadata: { type: 'object' }, spec, status: { type: 'object', properties: { ready: { type: 'integer', format: 'int64' } } } } }
const version = (name: string, more: object = {}) => ({ name, served: true, storage: false, schema: { openAPIV3Schema: schema }, ...more })
const scale = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas', labelSelectorPath: '.status.selector' }

type Json = Readonly<Record<string, unknown>>
interface Document { readonly paths: Readonly<Record<string, Json>>; readonly definitions?: Json; readonly components?: { readonly schemas?: Json }; readonly [more: string]: unknown }

const ownWords = new Set(['apiVersion', 'kind', 'metadata'])

/** Kubernetes's descriptions of what it knows itself go, and the groups of what is in all of them: only the kinds here are compared. */
function wordless(value: unknown, inSpec = false): unknown {
  if (Array.isArray(value)) return value.map((item) => wordless(item, inSpec))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).flatMap(([name, inner]) => ((name === 'description' && typeof inner === 'string' && !inSpec) || (name === 'x-kubernetes-group-version-kind' && Array.isArray(inner) && inner.length > 9) ? [] : [[name, wordless(inner, (inSpec || name === 'spec') && !ownWords.has(name))]])))
}
const chosen = (all: Json | undefined, wanted: (name: string) => boolean): Json => Object.fromEntries(Object.entries(all ?? {}).filter(([name]) => wanted(name)).toSorted(([a], [b]) => (a < b ? -1 : 1)))
const mine = (name: string): boolean => name.includes('com.example.openapi')
/** What is done on a path, with all parameters of each operation in the order of their names: Kubernetes shares some, which says the same. */
function path(end: string): (body: never) => unknown {
  return ((body: Document) => {
    const { parameters: shared = [], ...operations } = (body.paths[end.startsWith('/apis') ? end : `/apis/${group}${end}`] ?? {}) as Readonly<Record<string, unknown>> & { readonly parameters?: readonly Json[] }
    const referred = (parameter: Json): Json => (typeof parameter['$ref'] === 'string' ? ((body['parameters'] as Readonly<Record<string, Json>>)[parameter['$ref'].replace('#/parameters/', '')] as Json) : parameter)
    const withAll = ([method, operation]: [string, unknown]) => {
      const { parameters = [], ...rest } = operation as { readonly parameters?: readonly Json[] }
      return [method, { ...rest, parameters: [...shared, ...parameters].map(referred).toSorted((a, b) => (String(a['name']) < String(b['name']) ? -1 : 1)) }]
    }
    return wordless(Object.fromEntries(Object.entries(operations).map(withAll)))
  }) as (body: never) => unknown
}
/** Without the 401: the recorded server asks nobody who they are. */
const authenticated = (pick: (body: never) => unknown) => ((body: never) => JSON.parse(JSON.stringify(pick(body)).replaceAll(',"401":{}', '')) as unknown) as (body: never) => unknown
const names = ((body: Document) => ({ paths: Object.keys(body.paths).filter((name) => name.includes(group)).toSorted(), definitions: Object.keys(chosen(body.definitions ?? body.components?.schemas, mine)) })) as (body: never) => unknown
const schemaOf = (name: string) => ((body: Document) => wordless((body.definitions ?? body.components?.schemas)?.[`com.example.openapi.${name}`])) as (body: never) => unknown
const allOf = (from: string[]) => ((body: Document) => wordless(chosen(body.components?.schemas ?? body.definitions, (name) => from.some((part) => name.endsWith(part))))) as (body: never) => unknown
const builtIn = ['', '/{name}', '/{name}/status'].map((end) => `/apis/apiextensions.k8s.io/v1/customresourcedefinitions${end}`)
const head = (({ paths: _paths, definitions: _definitions, components: _components, info: _info, parameters: _parameters, security: _security, securityDefinitions: _schemes, ...rest }: Document) => rest) as (body: never) => unknown
const there = ((body: Document) => typeof body === 'object' && ['v1', 'v1beta1', 'other'].every((name) => Object.keys(body.paths).some((key) => key.includes(`${group}/${name}`))) && Object.keys(body.paths).some((key) => key.includes('wides'))) as (body: never) => boolean
const at = '/v1/namespaces/{namespace}/things'
const paths = ['/v1/things', at, `${at}/{name}`, `${at}/{name}/status`, `${at}/{name}/scale`, '/v1/wides', '/v1/wides/{name}', '/v1/watch/things', '/v1/', '/', '/other/things', '/v1beta1/namespaces/{namespace}/things/{name}']

const meta = ['v1.DeleteOptions', 'v1.Preconditions', 'v1.Status', 'v1.StatusDetails', 'v1.StatusCause', 'v1.ListMeta', 'v1.ObjectMeta', 'v1.ManagedFieldsEntry', 'v1.OwnerReference', 'v1.Patch', 'v1.FieldsV1', 'v1.Time', 'autoscaling.v1.Scale', 'v1.ScaleSpec', 'v1.ScaleStatus']
const v2 = (pick: (body: never) => unknown): Step => ['GET', '/openapi/v2', undefined, { pick, until: there }]
const v3 = (name: string, pick: (body: never) => unknown): Step => ['GET', `/openapi/v3/apis/${group}/${name}`, undefined, { pick, until: ((body: Document, code: number) => code === 200 && (name !== 'v1' || Object.keys(body.paths).some((key) => key.includes('wides')))) as (body: never, code: number) => boolean }]

const suite: Suite = {
  definitions: [
    definition({ group, versions: [version('v1', { storage: true, subresources: { status: {}, scale } }), version('v1beta1', { deprecated: true }), version('other', { schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } }, selectableFields: [] })] }),
    definition({ group, kind: 'Wide', scope: 'Cluster', schema: { type: 'object', properties: { a: text } }, names: { listKind: 'Many' }, version: { selectableFields: [{ jsonPath: '.a' }] } }),
  ],
  cases: {
    'names in v2': [v2(names)],
    'the head of v2': [v2(head)],
    'paths in v2': paths.map((end) => v2(path(end))),
    'paths of built-in kinds in v2': builtIn.map((end) => v2(authenticated(path(end)))),
    'paths of built-in kinds in v3': builtIn.map((end): Step => ['GET', '/openapi/v3/apis/apiextensions.k8s.io/v1', undefined, { pick: authenticated(path(end)) }]),
    'schemas in v2': ['v1.Thing', 'v1.ThingList', 'v1beta1.Thing', 'other.Thing', 'v1.Wide', 'v1.Many'].map((name) => v2(schemaOf(name))),
    'names in v3': ['v1', 'v1beta1', 'other'].map((name) => v3(name, names)),
    'the head of v3': [v3('v1', head)],
    'paths in v3': paths.map((end) => v3('v1', path(end))),
    'paths of other versions in v3': [v3('v1beta1', path('/v1beta1/namespaces/{namespace}/things/{name}')), v3('other', path('/other/things'))],
    'schemas in v3': ['v1.Thing', 'v1.ThingList', 'v1.Wide', 'v1.Many'].map((name) => v3('v1', schemaOf(name))),
    'schemas of other versions in v3': [v3('v1beta1', schemaOf('v1beta1.Thing')), v3('other', schemaOf('other.Thing')), v3('other', schemaOf('other.ThingList'))],
    'schemas of Kubernetes in v3': meta.map((name) => v3('v1', allOf([name]))),
    'groups and versions that are not there': [['GET', '/openapi/v3/apis/openapi.example.com/v9'], ['GET', '/openapi/v3/apis/nothing.example.com/v1'], ['GET', '/openapi/v3/nothing']],
    'the index of v3': [['GET', '/openapi/v3', undefined, { pick: ((body: { paths: Json }) => Object.entries(body.paths).filter(([name]) => name.includes(group)).toSorted().map(([name, value]) => [name, JSON.stringify(value).replace(/[0-9A-F]{128}/, 'HASH')])) as (body: never) => unknown }]],
    'forms of the index': ['application/json', 'application/yaml', 'text/html', '*/*', 'application/com.github.proto-openapi.spec.v3@v1.0+protobuf'].map((accept) => ['GET', '/openapi/v3', undefined, { accept, pick: () => 'an index' }]),
    'forms of v3': ['application/json', 'application/yaml', 'text/html', '*/*', '', 'application/com.github.proto-openapi.spec.v3@v1.0+protobuf', 'application/com.github.proto-openapi.spec.v3.v1.0+protobuf'].map((accept) => ['GET', `/openapi/v3/apis/${group}/v1`, undefined, { accept, pick: () => 'a document' }]),
    'forms of v2': ['application/json', 'application/yaml', 'text/html', '*/*', '', 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf', 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf'].map((accept) => ['GET', '/openapi/v2', undefined, { accept, pick: () => 'a document' }]),
  },
}
export default suite
