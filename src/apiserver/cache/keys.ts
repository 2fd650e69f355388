/** Where objects are in the store: `/registry/<group or core>/<plural>/<namespace>/<name>`. */
import type { Resource } from '../../api/index.ts'

export const registryPrefix = '/registry/'

/** The prefix of all objects of a resource. */
export const prefixOf = (resource: Pick<Resource, 'group' | 'plural'>): string => `${registryPrefix}${resource.group || 'core'}/${resource.plural}/`

/** What follows the resource's prefix: `namespace/name`, or `name` for a cluster-scoped object. */
export const pathOf = (namespace: string, name: string): string => (namespace === '' ? name : `${namespace}/${name}`)

/** The resource's prefix of a key; undefined when it has none. */
export function prefixOfKey(key: string): string | undefined {
  const group = key.indexOf('/', registryPrefix.length)
  const plural = group < 0 ? -1 : key.indexOf('/', group + 1)
  return plural < 0 ? undefined : key.slice(0, plural + 1)
}
