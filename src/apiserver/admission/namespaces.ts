/** The namespace that a request is about, as several plugins look it up. */
import { core } from '../../api/index.ts'
import { isNotFound, notFound } from '../../machinery/errors.ts'
import type { ServerEnvironment } from '../options.ts'

/** Calls `act` with the namespace: at once when the cache has it, otherwise when the server was asked. Throws (or rejects with) `ApiError` 404 when there is none. */
export type WithNamespace = <T>(name: string, act: (namespace: core.Namespace) => T) => T | Promise<T>

export function withNamespace(env: Pick<ServerEnvironment, 'lister' | 'client'>): WithNamespace {
  const namespaces = env.lister(core.namespaces)
  const find = async (name: string): Promise<core.Namespace> => {
    try {
      return await env.client.get(core.namespaces, name)
    } catch (error) {
      throw isNotFound(error) ? notFound(core.namespaces, name) : error
    }
  }
  return (name, act) => {
    const namespace = namespaces.get('', name)
    return namespace ? act(namespace) : find(name).then(act)
  }
}
