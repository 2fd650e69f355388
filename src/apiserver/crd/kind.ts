/** A definition as what the registry serves: its versions over one cache, and the ways between them. */
import { createResource, type apiextensions, type Resource } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { forbidden } from '../../machinery/errors.ts'
import { decodeObject, parseJson } from '../../machinery/json.ts'
import type { OtherVersion } from '../admission/admission.ts'
import type { FindWebhook } from '../admission/webhooks/endpoint.ts'
import { Encoded } from '../cache/encoded.ts'
import { prefixOf } from '../cache/keys.ts'
import type { ResourceCache } from '../cache/resource-cache.ts'
import { compareVersions } from '../discovery/groups.ts'
import { intern } from '../registry/interning.ts'
import type { LateKind } from '../registry/registry.ts'
import type { Custom, Served } from '../registry/served.ts'
import type { Subresource } from '../registry/subresources.ts'
import { statusRules } from '../registry/update.ts'
import { isTerminating, type Definition } from './conditions.ts'
import { webhookConversion, type Convert } from './conversion.ts'
import { scaleOf } from './scale.ts'
import { compileSchema, type CustomSchema } from './schema/compile.ts'
import { customStrategy } from './strategy.ts'

type Version = apiextensions.CustomResourceDefinitionVersion

export interface KindOptions {
  readonly definition: Definition
  /** The definition as it is at present: whether it is going. */
  current(): Definition | undefined
  readonly find: FindWebhook
}

/** The prefix of the objects that a definition is about. */
export const prefixOfDefinition = ({ spec }: Definition): string => prefixOf({ group: spec.group, plural: spec.names.plural })

const groupVersionOf = ({ spec }: Definition, version: string): string => `${spec.group}/${version}`

/** What is known of each version: its schema, compiled when it is first needed. */
function createSchemas({ spec }: Definition) {
  const compiled = new Map<string, CustomSchema>()
  const storage = spec.versions.find((v) => v.storage) as Version
  return (name: string): CustomSchema => {
    let schema = compiled.get(name)
    if (!schema) {
      // Objects in a version that is no longer listed are read as those of the one that is stored now.
      const version = spec.versions.find((v) => v.name === name) ?? storage
      schema = compileSchema({ group: spec.group, version: version.name, kind: spec.names.kind, schema: version.schema?.openAPIV3Schema ?? { type: 'object' }, selectable: version.selectableFields?.map(({ jsonPath }) => jsonPath) ?? [] })
      compiled.set(name, schema)
    }
    return schema
  }
}

type Schemas = ReturnType<typeof createSchemas>

const versionName = (apiVersion: unknown): string => String(apiVersion).slice(String(apiVersion).indexOf('/') + 1)

/** The kind that a definition defines. Throws when one of its schemas cannot be compiled. */
export function customKind({ definition, current, find }: KindOptions): LateKind {
  const schemas = createSchemas(definition)
  const { conversion, versions } = definition.spec
  const storage = versions.find((v) => v.storage) as Version
  const convert = conversion?.strategy === 'Webhook' && conversion.webhook ? webhookConversion(conversion.webhook, find) : undefined
  const decode = (bytes: Uint8Array): ApiObject => {
    const { value } = parseJson(bytes)
    const schema = schemas(versionName((value as { apiVersion?: unknown }).apiVersion))
    return intern(schema.default(decodeObject(schema.type, value).object))
  }
  const resources = new Map(versions.filter((v) => v.served).map((version) => [version.name, resourceOf(definition, version, storage.name, schemas(version.name).type) as Resource]))
  return {
    stored: { prefix: prefixOfDefinition(definition), decode },
    versions: (cache) => versions.filter((v) => v.served).map((version) => servedVersion({ definition, version, storage: storage.name, schemas, resources, cache, decode, convert, current })),
  }
}

/** The other versions, for admission: what is converted is decoded by the schema of the version it is in. */
function othersOf({ definition, version, schemas, resources, convert }: VersionOptions): readonly OtherVersion[] {
  const inVersion = async (object: ApiObject, name: string): Promise<ApiObject> => {
    const apiVersion = groupVersionOf(definition, name)
    const [next = object] = convert ? await convert([object], apiVersion) : []
    return decodeObject(schemas(name).type, { ...next, apiVersion }).object
  }
  return [...resources].filter(([name]) => name !== version.name)
    .map(([name, resource]) => ({ resource, to: (object) => inVersion(object, name), from: (object) => inVersion(object, version.name) }))
}

interface VersionOptions {
  readonly definition: Definition
  readonly version: Version
  readonly storage: string
  readonly schemas: Schemas
  /** By version. */
  readonly resources: ReadonlyMap<string, Resource>
  readonly cache: ResourceCache
  readonly convert: Convert | undefined
  decode(bytes: Uint8Array): ApiObject
  current(): Definition | undefined
}

function resourceOf(definition: Definition, version: Version, storedVersion: string, type: CustomSchema['type']): Resource<ApiObject, ApiObject> {
  const { acceptedNames: names } = definition.status
  return createResource(definition.spec.group, version.name, type, {
    plural: names.plural,
    storedVersion,
    ...(names.singular ? { singular: names.singular } : {}),
    ...(names.listKind ? { listKind: names.listKind } : {}),
    short: names.shortNames ?? [],
    categories: names.categories ?? [],
    namespaced: definition.spec.scope === 'Namespaced',
    verbs: ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'],
    subresources: (['status', 'scale'] as const).filter((name) => version.subresources?.[name] !== undefined),
  })
}

function servedVersion(options: VersionOptions): Served {
  const { version, schemas, cache } = options
  const schema = schemas(version.name)
  const strategy = customStrategy(version, schema)
  const resource = options.resources.get(version.name) as Resource
  const views = createViews(options)
  const fields = (object: ApiObject): Readonly<Record<string, string>> => ({
    'metadata.name': object.metadata.name ?? '',
    'metadata.namespace': object.metadata.namespace ?? '',
    ...strategy.selectableFields?.(views.of(object)),
  })
  const paths = new Set(['metadata.name', 'metadata.namespace', ...(version.selectableFields ?? []).map(({ jsonPath }) => jsonPath.replace(/^\./, ''))])
  return {
    resource, storage: resource, strategy, cache, fields,
    rule: {},
    counted: true,
    conversion: undefined,
    custom: customPart(options, resource, views),
    view: views.item,
    working: views.item,
    others: () => othersOf(options),
    complete: (object) => schema.default(object),
    fieldPaths: () => paths,
  }
}

function customPart({ definition, version, storage, schemas, decode, convert, current }: VersionOptions, resource: Resource, views: Views): Custom {
  const stored = groupVersionOf(definition, storage)
  const subresources = subresourcesOf(resource, version)
  return {
    decode,
    ...(views.ready ? { ready: views.ready } : {}),
    outdated: ({ object }) => object.apiVersion !== stored,
    async toStored(object) {
      if (object.apiVersion === stored) return object
      const [next = object] = convert ? await convert([object], stored) : []
      const schema = schemas(storage)
      // What is read back has the defaults of the version it is stored in.
      return schema.default(decodeObject(schema.type, { ...next, apiVersion: stored }).object)
    },
    refusal(verb, name) {
      const definition = current()
      if (verb !== 'create' || !definition || !isTerminating(definition)) return undefined
      return forbidden(resource, name, `${verb} not allowed while custom resource definition is terminating`)
    },
    deprecation: deprecationOf(definition, version),
    subresource: (name) => subresources[name],
  }
}

function subresourcesOf({ kind, apiVersion, type }: Resource, { subresources }: Version): Readonly<Record<string, Subresource | undefined>> {
  return {
    status: subresources?.status && { kind, apiVersion, type: type as unknown as Subresource['type'], verbs: ['get', 'update'], rules: statusRules },
    scale: subresources?.scale && scaleOf(subresources.scale),
  }
}

/** What users of a deprecated version are told: its own words, or which version to use. */
function deprecationOf({ spec }: Definition, { name, deprecated, deprecationWarning }: Version): string | undefined {
  if (!deprecated) return undefined
  if (deprecationWarning) return deprecationWarning
  const better = spec.versions.filter((v) => v.served && !v.deprecated && compareVersions(v.name, name) < 0).map((v) => v.name).toSorted(compareVersions)[0]
  return `${spec.group}/${name} ${spec.names.kind} is deprecated${better ? `; use ${spec.group}/${better} ${spec.names.kind}` : ''}`
}

/** Objects as one version shows them. */
interface Views {
  item(item: Encoded): Encoded
  of(object: ApiObject): ApiObject
  readonly ready: Custom['ready']
}

function createViews({ definition, version, schemas, convert }: VersionOptions): Views {
  const shown = groupVersionOf(definition, version.name)
  const { type } = schemas(version.name)
  /** By the object that is stored. */
  const views = new WeakMap<ApiObject, Encoded>()
  const underWay = new WeakMap<ApiObject, Promise<void>>()
  const put = ({ key, revision, object }: Encoded, next: object): Encoded => {
    const view = new Encoded(key, revision, decodeObject(type, { ...next, apiVersion: shown }).object)
    views.set(object, view)
    return view
  }
  const item = (from: Encoded): Encoded => {
    if (from.object.apiVersion === shown) return from
    const known = views.get(from.object)
    if (known) return known
    if (convert) throw new Error(`${from.key} was not converted to ${shown}`)
    return put(from, from.object)
  }
  const convertAll = async (items: readonly Encoded[]) => {
    const next = await convert!(items.map(({ object }) => object), shown)
    for (const [i, from] of items.entries()) put(from, next[i] as ApiObject)
  }
  const ready = (items: readonly Encoded[]): Promise<void> | undefined => {
    const missing = items.filter(({ object }) => object.apiVersion !== shown && !views.has(object))
    if (missing.length === 0) return undefined
    const fresh = missing.filter(({ object }) => !underWay.has(object))
    if (fresh.length > 0) {
      const promise = convertAll(fresh).finally(() => fresh.forEach(({ object }) => underWay.delete(object)))
      for (const { object } of fresh) underWay.set(object, promise)
    }
    return Promise.all(missing.map(({ object }) => underWay.get(object))).then(() => undefined)
  }
  return {
    item,
    of: (object) => (object.apiVersion === shown ? object : (views.get(object)?.object ?? object)),
    ready: convert && ready,
  }
}
