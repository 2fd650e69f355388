/** Synchronous reads of the cache, for authorization and admission. */
import type { Resource } from '../../api/index.ts'
import type { Lister } from '../options.ts'
import type { RegistryEnvironment } from '../registry/call.ts'
import { pathOf } from './keys.ts'

/** Throws when the resource is not stored. */
export function createLister<T>(env: Pick<RegistryEnvironment, 'find'>, resource: Resource): Lister<T> {
  const served = env.find(resource.group, resource.version, resource.plural)
  if (!served) throw new Error(`${resource.groupResource} is not kept in the store`)
  if (served.custom) return lateLister(env, resource)
  const { cache } = served
  return {
    get: (namespace, name) => cache.get(pathOf(resource.namespaced ? namespace : '', name))?.object as T | undefined,
    list: (namespace) => cache.objects(namespace ? `${namespace}/` : '') as readonly T[],
    revision: () => cache.changed,
    since: (revision) => cache.since(revision)?.map(({ type, current }) => ({ object: current.object as T, gone: type === 'delete' })),
  }
}

/** For a kind added at run time: a replaced kind has another cache, a removed one no objects. */
function lateLister<T>(env: Pick<RegistryEnvironment, 'find'>, { group, version, plural, namespaced }: Resource): Lister<T> {
  const cache = () => env.find(group, version, plural)?.cache
  return {
    get: (namespace, name) => cache()?.get(pathOf(namespaced ? namespace : '', name))?.object as T | undefined,
    list: (namespace) => (cache()?.objects(namespace ? `${namespace}/` : '') ?? []) as readonly T[],
    revision: () => cache()?.changed ?? 0,
    since: () => undefined,
  }
}
