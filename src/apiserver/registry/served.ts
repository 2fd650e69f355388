/** A served resource: its strategy, its cache, and the conversion between its version and the stored one. */
import { resolve, type Resource } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { applyDefaults } from '../../machinery/defaults.ts'
import type { ApiError } from '../../machinery/errors.ts'
import { decodeObject, parseJson } from '../../machinery/json.ts'
import { zeroOf } from '../../machinery/zero.ts'
import type { OtherVersion } from '../admission/admission.ts'
import { prefixOf } from '../cache/keys.ts'
import { Encoded } from '../cache/encoded.ts'
import type { Cache, StoredKind } from '../cache/cache.ts'
import type { ResourceCache } from '../cache/resource-cache.ts'
import type { Strategy } from '../strategy.ts'
import { conversions, storageOf, type Conversion } from './conversions.ts'
import { intern } from './interning.ts'
import { ruleOf, type Rule } from './rules.ts'
import type { Subresource } from './subresources.ts'

/** What custom kinds bring along. */
export interface Custom {
  /** Decodes stored bytes of any version. */
  decode(bytes: Uint8Array): ApiObject
  /** Resolves once `view` can show these items; undefined when it already can. Rejects with `ApiError` 500 when the conversion fails. Left out for kinds without a webhook. */
  readonly ready?: (items: readonly Encoded[]) => Promise<void> | undefined
  /** Converts an object from the served version to the stored one. Rejects with `ApiError` 500. */
  toStored(object: ApiObject): Promise<ApiObject> | ApiObject
  /** Whether the item is stored in an older version: then an update that changes nothing writes it again. */
  outdated(item: Encoded): boolean
  /** Why the verb is not available at present. */
  refusal(verb: string, name: string): ApiError | undefined
  /** The warning for clients of a deprecated version. */
  readonly deprecation: string | undefined
  subresource(name: string): Subresource | undefined
}

export interface Served {
  readonly resource: Resource
  /** The resource in the version that strategies and admission use: the stored one, or for a custom kind the served one, as in Kubernetes. */
  readonly storage: Resource
  readonly custom: Custom | undefined
  readonly strategy: Strategy
  readonly rule: Rule
  readonly cache: ResourceCache
  /** Whether `metadata.generation` is counted. */
  readonly counted: boolean
  readonly conversion: Conversion | undefined
  /** The other versions in which admission can see objects. */
  others(): readonly OtherVersion[]
  /** The object in the served version. */
  view(item: Encoded): Encoded
  /** The object in the version that strategies and admission use. */
  working(item: Encoded): Encoded
  /** A decoded object with its defaults, in the version that strategies and admission use. */
  complete(object: ApiObject): ApiObject
  /** The values that field selectors may ask for. */
  fields(object: ApiObject): Readonly<Record<string, string>>
  /** The paths that field selectors may name. */
  fieldPaths(): ReadonlySet<string>
}

/** Whether the resource's objects are stored: reviews and bindings are not. */
export const isStored = (resource: Resource): boolean => resource.verbs.includes('create') && resource.verbs.includes('get')

const typed = (resource: Resource) => resource.type as unknown as Parameters<typeof decodeObject<ApiObject>>[0]

const defaulted = (resource: Resource, strategy: Strategy, object: ApiObject): ApiObject => {
  const filled = applyDefaults(typed(resource), object)
  return strategy.default ? strategy.default(filled) : filled
}

/** What the watch cache needs to know of a stored resource. */
export const storedKind = (storage: Resource, strategy: Strategy): StoredKind => ({
  prefix: prefixOf(storage),
  decode(bytes) {
    const { object } = decodeObject(typed(storage), parseJson(bytes).value)
    const complete = defaulted(storage, strategy, object)
    // Defaults newer than the object are not at their place in the schema's order.
    return intern(complete === object ? object : decodeObject(typed(storage), complete, object).object)
  },
  revive: (json) => intern(parseJson(json).value as ApiObject),
})

const noOthers: readonly OtherVersion[] = []

function othersOf(storage: Resource): readonly OtherVersion[] {
  if (!converted.has(storage)) return noOthers
  return [...conversions].filter(([, c]) => c.storage === storage).map(([resource, c]) => ({ resource: resource as Resource, to: c.fromStorage, from: c.toStorage }))
}

/** The stored resources behind those of another version. */
const converted = new Set([...conversions.values()].map(({ storage }) => storage))

export interface ServedOptions {
  readonly resource: Resource
  readonly strategyFor: (resource: Resource) => Strategy
  readonly cache: Cache
}

/** Fields by the names that a version has for them. */
const renamed = (fields: Readonly<Record<string, string>>, labels: Conversion['labels']): Readonly<Record<string, string>> =>
  (labels ? Object.fromEntries(Object.entries(fields).filter(([name]) => Object.hasOwn(labels, name)).map(([name, value]) => [labels[name], value])) : fields)

/** Assembles a served resource. */
export function createServed({ resource, strategyFor, cache }: ServedOptions): Served {
  const storage = storageOf(resource)
  const conversion = storage === resource ? undefined : conversions.get(resource)
  const strategy = strategyFor(storage)
  const views = new WeakMap<Encoded, Encoded>()
  const topFields = Object.keys(resource.type.fields)
  let paths: ReadonlySet<string> | undefined

  const fields = (object: ApiObject): Readonly<Record<string, string>> => ({
    'metadata.name': object.metadata.name ?? '',
    'metadata.namespace': object.metadata.namespace ?? '',
    ...renamed(strategy.selectableFields?.(object) ?? {}, conversion?.labels),
  })
  return {
    resource,
    storage,
    strategy,
    conversion,
    rule: ruleOf(storage),
    custom: undefined,
    working: (item) => item,
    others: () => othersOf(storage),
    cache: cache.of(prefixOf(storage)),
    counted: strategy.counted ?? topFields.includes('spec'),
    view(item) {
      if (!conversion) return item
      let view = views.get(item)
      if (!view) views.set(item, (view = new Encoded(item.key, item.revision, conversion.fromStorage(item.object))))
      return view
    },
    complete: (object) => {
      if (!conversion) return defaulted(resource, strategy, object)
      return defaulted(storage, strategy, conversion.toStorage(applyDefaults(typed(resource), object)))
    },
    fields,
    fieldPaths: () => (paths ??= new Set(Object.keys(fields(zeroOf(resolve(storage.type) as never) as ApiObject)))),
  }
}
