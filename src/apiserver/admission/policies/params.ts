/** The parameters that a binding gives its policy: one object by name, several by labels, in whatever kind the policy names. */
import type { admissionregistration, Resource } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import { fromLabelSelector } from '../../../machinery/labels.ts'
import type { Lister, ServerEnvironment } from '../../options.ts'

export class ParamError extends Error {}

export type FindParams = (kind: admissionregistration.ParamKind | undefined, ref: admissionregistration.ParamRef | undefined, namespace: string) => readonly (ApiObject | null)[]

/** One `null` where the policy has no parameters; empty where there are none and the binding does not mind. Throws `ParamError`. */
export function createFindParams(env: Pick<ServerEnvironment, 'lister' | 'resources'>): FindParams {
  const listers = new WeakMap<Resource, Lister>()
  const listerOf = (resource: Resource): Lister => {
    let lister = listers.get(resource)
    if (!lister) listers.set(resource, (lister = env.lister(resource) as unknown as Lister))
    return lister
  }
  return (kind, ref, namespace) => {
    if (!kind || !ref) return [null]
    const resource = env.resources().find((r) => r.apiVersion === kind.apiVersion && r.kind === kind.kind && r.verbs.includes('list'))
    if (!resource) throw new ParamError(`failed to find resource referenced by paramKind: '${gvk(kind)}'`)
    if (ref.namespace && !resource.namespaced) throw new ParamError('paramRef.namespace must not be provided for a cluster-scoped `paramKind`')
    const place = resource.namespaced ? ref.namespace || namespace : ''
    if (resource.namespaced && place === '') throw new ParamError('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources')
    const found = select(listerOf(resource), ref, place)
    if (found.length === 0 && ref.parameterNotFoundAction === 'Deny') throw new ParamError('no params found for policy binding with `Deny` parameterNotFoundAction')
    return found
  }
}

function select(lister: Lister, ref: admissionregistration.ParamRef, namespace: string): readonly ApiObject[] {
  if (ref.name) {
    const found = lister.get(namespace, ref.name)
    return found ? [found] : []
  }
  const selector = fromLabelSelector(ref.selector)
  return lister.list(namespace || undefined).filter((object) => selector.matches(object.metadata.labels))
}

const gvk = ({ apiVersion = '', kind = '' }: admissionregistration.ParamKind): string => `${apiVersion}, Kind=${kind}`
