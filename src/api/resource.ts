/** A resource: a kind that is served, with the names and the verbs under which clients find it. */
import type { StructType } from './schema.ts'

export type Verb = 'create' | 'delete' | 'deletecollection' | 'get' | 'list' | 'patch' | 'update' | 'watch'

const everyVerb: readonly Verb[] = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']

/** One served resource. `Out` and `In` are the decoded form and what a client may write. */
export interface Resource<Out = unknown, In = unknown> {
  /** Empty for the core group. */
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly singular: string
  /** The kind of its lists; the kind and `List` when left out. */
  readonly listKind?: string
  /** The version that objects are stored in, of a kind in several; its own when left out. */
  readonly storedVersion?: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
  readonly verbs: readonly Verb[]
  readonly subresources: readonly string[]
  readonly type: StructType<Out, In>
  /** `v1`, `apps/v1`: as written in `apiVersion`. */
  readonly apiVersion: string
  /** `pods`, `deployments.apps`: one per resource, whatever the version; the key in stores and caches. */
  readonly groupResource: string
}

export interface ResourceOptions {
  readonly plural: string
  readonly singular?: string
  readonly listKind?: string
  readonly storedVersion?: string
  readonly short?: readonly string[]
  readonly categories?: readonly string[]
  readonly namespaced?: boolean
  readonly verbs?: readonly Verb[]
  readonly subresources?: readonly string[]
}

/** `('apps', 'v1')` becomes `apps/v1`, `('', 'v1')` becomes `v1`. */
const apiVersionOf = (group: string, version: string): string => (group === '' ? version : `${group}/${version}`)

/** Every resource that was declared, in order of declaration: discovery and the registry read it. */
export const declared: Resource[] = []

/** A resource that is nowhere declared: a kind that comes while the server runs. */
export function createResource<Out, In>(group: string, version: string, type: StructType<Out, In>, options: ResourceOptions): Resource<Out, In> {
  return {
    group,
    version,
    kind: type.name,
    plural: options.plural,
    singular: options.singular ?? type.name.toLowerCase(),
    ...(options.listKind ? { listKind: options.listKind } : {}),
    ...(options.storedVersion ? { storedVersion: options.storedVersion } : {}),
    shortNames: options.short ?? [],
    categories: options.categories ?? [],
    namespaced: options.namespaced ?? false,
    verbs: options.verbs ?? everyVerb,
    subresources: options.subresources ?? [],
    type,
    apiVersion: apiVersionOf(group, version),
    groupResource: group === '' ? options.plural : `${options.plural}.${group}`,
  }
}

/** A group version, to declare resources in. */
export function groupVersion(group: string, version: string) {
  return {
    resource<Out, In>(type: StructType<Out, In>, options: ResourceOptions): Resource<Out, In> {
      const resource = createResource(group, version, type, options)
      declared.push(resource)
      return resource
    },
  }
}
