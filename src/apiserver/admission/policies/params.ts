/** The parameters that a binding gives its policy: one object by name, several by labels, in whatever kind the policy names. */
import { declared, type admissionregistration, type Resource } from '../../../api/index.ts'
import type { ApiObject, Client } from '../../../client/client.ts'
import { isNotFound } from '../../../machinery/errors.ts'
import { fromLabelSelector } from '../../../machinery/labels.ts'
import type { Lister, ServerEnvironment } from '../../options.ts'

/** What keeps a binding from being applied; the policy's failure policy decides what that means. */
export class ConfigurationError extends Error {
  /** No binding is applied: the policy itself is at fault. */
  readonly ofPolicy: boolean
  constructor(message: string, ofPolicy = false) {
    super(message)
    this.ofPolicy = ofPolicy
  }
}

/** The error of a misconfigured policy or binding, in Kubernetes's words. */
export const configurationMessage = ({ message, ofPolicy }: ConfigurationError): string => `failed to configure ${ofPolicy ? 'policy' : 'binding'}: ${message}`

export type FindParams = (kind: admissionregistration.ParamKind | undefined, ref: admissionregistration.ParamRef | undefined, namespace: string) => Promise<readonly (ApiObject | null)[]>

/** One `null` where the policy has no parameters; empty where there are none and the binding does not mind. Rejects with `ConfigurationError`. */
export function createFindParams(env: Pick<ServerEnvironment, 'lister' | 'resources' | 'client'>): FindParams {
  const listers = new WeakMap<Resource, Lister>()
  const listerOf = (resource: Resource): Lister => {
    let lister = listers.get(resource)
    if (!lister) listers.set(resource, (lister = env.lister(resource) as unknown as Lister))
    return lister
  }
  return async (kind, ref, namespace) => {
    if (!kind) return [null]
    const resource = env.resources().find((r) => r.apiVersion === kind.apiVersion && r.kind === kind.kind && r.verbs.includes('list'))
    if (!resource) throw new ConfigurationError(`failed to find resource referenced by paramKind: '${gvk(kind)}'`, true)
    if (!ref) return [null]
    if (ref.namespace && !resource.namespaced) throw new ConfigurationError('paramRef.namespace must not be provided for a cluster-scoped `paramKind`')
    const place = resource.namespaced ? ref.namespace || namespace : ''
    if (resource.namespaced && place === '') throw new ConfigurationError('cannot use namespaced paramRef in policy binding that matches cluster-scoped resources')
    // Listers show objects in the version that is stored. Of a built-in kind that is the one policies name; others are asked for in theirs.
    const found = declared.includes(resource) ? select(listerOf(resource), ref, place) : await ask(env.client, resource, ref, place)
    if (found.length === 0 && ref.parameterNotFoundAction === 'Deny') throw new ConfigurationError('no params found for policy binding with `Deny` parameterNotFoundAction')
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

async function ask(client: Client, resource: Resource, ref: admissionregistration.ParamRef, namespace: string): Promise<readonly ApiObject[]> {
  const where = namespace ? { namespace } : {}
  const typed = resource as unknown as Resource<ApiObject>
  try {
    if (ref.name) return [await client.get(typed, ref.name, where)]
    return (await client.list(typed, { ...where, labelSelector: fromLabelSelector(ref.selector).toString() })).items
  } catch (error) {
    if (isNotFound(error)) return []
    throw new ConfigurationError(error instanceof Error ? error.message : String(error))
  }
}

const gvk = ({ apiVersion = '', kind = '' }: admissionregistration.ParamKind): string => `${apiVersion}, Kind=${kind}`
