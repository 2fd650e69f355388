/** Nothing is created in namespaces that are missing or going away; the namespaces the cluster lives in cannot be deleted. */
import { core } from '../../../api/index.ts'
import { ApiError, forbidden, isNotFound, notFound } from '../../../machinery/errors.ts'
import type { ServerEnvironment } from '../../options.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'

const immortal = new Set(['default', 'kube-system', 'kube-public'])

export function namespaceLifecycle(env: Pick<ServerEnvironment, 'lister' | 'client'>): AdmissionPlugin {
  const namespaces = env.lister(core.namespaces)
  const isNamespace = (a: AdmissionAttributes) => a.resource.groupResource === 'namespaces'

  /** The namespace as the cache has it, or as the store has it when the cache does not know it yet. */
  async function find(name: string): Promise<core.Namespace> {
    const cached = namespaces.get('', name)
    if (cached) return cached
    try {
      return await env.client.get(core.namespaces, name)
    } catch (error) {
      throw isNotFound(error) ? notFound(core.namespaces, name) : error
    }
  }

  async function check(a: AdmissionAttributes): Promise<void> {
    const namespace = await find(a.namespace)
    if (a.operation !== 'CREATE' || !isTerminating(namespace)) return
    const error = forbidden(a.resource, a.object?.metadata.name ?? a.name, `unable to create new content in namespace ${a.namespace} because it is being terminated`)
    throw new ApiError(error.code, error.reason, error.message, {
      ...error.status.details,
      causes: [{ reason: 'NamespaceTerminating', message: `namespace ${a.namespace} is being terminated`, field: 'metadata.namespace' }],
    })
  }

  return {
    name: 'NamespaceLifecycle',
    handles: (a) => a.operation !== 'CONNECT' && (isNamespace(a) ? a.operation === 'DELETE' : a.namespace !== '' && a.operation !== 'DELETE' && !isLocalReview(a)),
    // Before any other plugin looks for things in a namespace that is not there.
    async mutate(a) {
      if (!isNamespace(a)) await check(a)
      return a.object as NonNullable<typeof a.object>
    },
    validate(a) {
      if (isNamespace(a) && immortal.has(a.name) && a.subresource === '') throw forbidden(a.resource, a.name, 'this namespace may not be deleted')
    },
  }
}

/** A review may ask about a namespace that is not there. */
const isLocalReview = (a: AdmissionAttributes): boolean => a.resource.groupResource === 'localsubjectaccessreviews.authorization.k8s.io'

const isTerminating = (namespace: core.Namespace): boolean =>
  namespace.status.phase === 'Terminating' || Boolean(namespace.metadata.deletionTimestamp)
