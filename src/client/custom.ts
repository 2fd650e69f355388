/** Custom kinds for programs: a resource to call the client with, without a schema. */
import { createResource, fill, meta, root, type Resource, type StructType } from '../api/index.ts'
import type { ApiObject } from './client.ts'

export interface CustomResourceNames {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  /** Default true. */
  readonly namespaced?: boolean
}

/**
 * The resource of a CustomResourceDefinition: `const crontabs = customResource<CronTab>({ group: 'stable.example.com', version: 'v1', kind: 'CronTab', plural: 'crontabs' })`.
 * What objects contain is up to the definition's schema; `T` only tells the compiler.
 */
export function customResource<T extends ApiObject>({ group, version, kind, plural, namespaced = true }: CustomResourceNames): Resource<T, Partial<T>> {
  const type = root(kind, { metadata: fill(1, meta.ObjectMeta) }) as unknown as StructType<T, Partial<T>>
  return createResource(group, version, type, { plural, namespaced, subresources: ['status', 'scale'] })
}
