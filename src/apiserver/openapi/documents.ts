/** OpenAPI documents, v2 (one for all) and v3 (one for each group version), of the resources that are served. */
import { setImmediate } from 'node:timers/promises'
import { meta, type Resource, type StructType } from '../../api/index.ts'
import { versionInfo } from '../health/version.ts'
import { operationsOf, type Operation, type Parameter, type Payload } from './operations.ts'
import { createDefinitions, type Definitions, type SchemaObject } from './schemas.ts'

const info = { title: 'Kubernetes', version: versionInfo.gitVersion }
const jsonLike = ['application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf'] as const
const streams = ['application/json;stream=watch', 'application/vnd.kubernetes.protobuf;stream=watch'] as const
const patchTypes = ['application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json', 'application/apply-patch+yaml'] as const
/** Custom kinds have no protobuf form, and nothing that a strategic merge could go by. */
const textLike = jsonLike.filter((type) => !type.endsWith('protobuf'))
const customPatchTypes = patchTypes.filter((type) => !type.includes('strategic'))
const codeWords: Readonly<Record<number, string>> = { 200: 'OK', 201: 'Created', 202: 'Accepted' }
const anyTypes = ['*/*'] as const

/** What an operation takes, and what it answers in. */
const taken = (o: Operation): readonly string[] => (o.body === 'text' ? (o.custom ? customPatchTypes : patchTypes) : o.custom ? textLike : anyTypes)
const answered = (o: Operation): readonly string[] => (o.response === 'text' ? anyTypes : o.custom ? textLike : o.action === 'list' ? [...jsonLike, ...streams] : jsonLike)

const bodyOf = (definitions: Definitions, body: Payload): SchemaObject => (body === 'text' ? definitions.patch() : schemaOf(definitions, body))
const schemaOf = (definitions: Definitions, payload: Payload): SchemaObject =>
  payload === 'text' ? { type: 'string' } : 'listOf' in payload ? definitions.listOf(payload.listOf) : definitions.refTo(payload.type)

/** The v3 document of one group version. */
export async function openApiV3(resources: readonly Resource[]): Promise<object> {
  const definitions = createDefinitions('v3')
  const paths = await pathsOf(resources, (operation) => operationV3(operation, definitions))
  definitions.refTo(meta.Status as StructType)
  return {
    openapi: '3.0.0',
    info,
    paths,
    components: { schemas: definitions.all(), securitySchemes: { BearerToken: bearerToken } },
  }
}

/** The v2 document of everything. */
export async function openApiV2(resources: readonly Resource[]): Promise<object> {
  const definitions = createDefinitions('v2')
  const paths = await pathsOf(resources, (operation) => operationV2(operation, definitions))
  return {
    swagger: '2.0',
    info,
    paths,
    definitions: definitions.all(),
    securityDefinitions: { BearerToken: bearerToken },
    security: [{ BearerToken: [] }],
  }
}

const bearerToken = { type: 'apiKey', description: 'Bearer token authentication', name: 'authorization', in: 'header' }

/** The paths of all resources, in alphabetical order. Lets others run in between: the whole API takes tens of milliseconds. */
async function pathsOf(resources: readonly Resource[], render: (operation: Operation) => object): Promise<Record<string, object>> {
  const paths: Record<string, Record<string, object>> = {}
  for (const resource of resources) {
    for (const operation of operationsOf(resource)) (paths[operation.path] ??= {})[operation.method] = render(operation)
    await setImmediate()
  }
  return Object.fromEntries(Object.entries(paths).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

const common = (o: Operation) => ({ description: o.description, operationId: o.id, tags: [o.tag] })
const extensions = (o: Operation) => ({ 'x-kubernetes-action': o.action, 'x-kubernetes-group-version-kind': o.kind })

function operationV3(o: Operation, definitions: Definitions): object {
  const parameter = ({ name, in: place, type, description }: Parameter) =>
    ({ name, in: place, description, ...(place === 'path' ? { required: true } : {}), schema: { type, uniqueItems: true } })
  const contentOf = (types: readonly string[], schema: SchemaObject) => Object.fromEntries(types.map((t) => [t, { schema }]))
  const answer = contentOf(answered(o), schemaOf(definitions, o.response))
  const body = o.body && contentOf(taken(o), bodyOf(definitions, o.body))
  return {
    ...common(o),
    parameters: o.parameters.map(parameter),
    ...(body ? { requestBody: { content: body, ...(o.method === 'delete' ? {} : { required: true }) } } : {}),
    responses: {
      ...Object.fromEntries(o.codes.map((code) => [code, { description: codeWords[code], content: answer }])),
      401: { description: 'Unauthorized' },
    },
    ...extensions(o),
  }
}

function operationV2(o: Operation, definitions: Definitions): object {
  const parameter = ({ name, in: place, type, description }: Parameter) =>
    ({ uniqueItems: true, type, description, name, in: place, ...(place === 'path' ? { required: true } : {}) })
  const schema = o.body && bodyOf(definitions, o.body)
  const body = schema ? [{ name: 'body', in: 'body', ...(o.method === 'delete' ? {} : { required: true }), schema }] : []
  const answer = schemaOf(definitions, o.response)
  return {
    ...common(o),
    consumes: taken(o),
    produces: answered(o),
    schemes: ['https'],
    parameters: [...body, ...o.parameters.map(parameter)],
    responses: {
      ...Object.fromEntries(o.codes.map((code) => [code, { description: codeWords[code], schema: answer }])),
      401: { description: 'Unauthorized' },
    },
    ...extensions(o),
  }
}
