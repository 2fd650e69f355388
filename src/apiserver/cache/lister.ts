/** Synchronous looks into the cache, for authorization and admission. */
import type { Resource } from '../../api/index.ts'
import type { Lister } from '../options.ts'
import type { RegistryEnvironment } from '../registry/call.ts'
import { pathOf } from './keys.ts'

/** Throws when the resource is none that is stored. */
export function createLister<T>(env: Pick<RegistryEnvironment, 'find'>, resource: Resource): Lister<T> {
  const served = env.find(resource.group, resource.version, resource.plural)
  if (!served) throw new Error(`${resource.groupResource} is not kept in the store`)
  const { cache } = served
  return {
    get: (namespace, name) => cache.get(pathOf(resource.namespaced ? namespace : '', name))?.object as T | undefined,
    list: (namespace) => cache.objects(namespace ? `${namespace}/` : '') as readonly T[],
    revision: () => cache.changed,
    since: (revision) => cache.since(revision)?.map(({ type, current }) => ({ object: current.object as T, gone: type === 'delete' })),
  }
}
