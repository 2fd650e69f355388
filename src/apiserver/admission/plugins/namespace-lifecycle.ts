/** Nothing is created in namespaces that are missing or going away; the namespaces the cluster lives in cannot be deleted. */
import type { core } from '../../../api/index.ts'
import { ApiError, forbidden } from '../../../machinery/errors.ts'
import type { ServerEnvironment } from '../../options.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { withNamespace } from '../namespaces.ts'
import { calledName } from '../pods.ts'

const immortal = new Set(['default', 'kube-system', 'kube-public'])

export function namespaceLifecycle(env: Pick<ServerEnvironment, 'lister' | 'client'>): AdmissionPlugin {
  const inNamespace = withNamespace(env)
  const isNamespace = (a: AdmissionAttributes) => a.resource.groupResource === 'namespaces'

  function check(a: AdmissionAttributes, namespace: core.Namespace): AdmissionAttributes['object'] {
    if (a.operation !== 'CREATE' || !isTerminating(namespace)) return a.object
    const error = forbidden(a.resource, calledName(a), `unable to create new content in namespace ${a.namespace} because it is being terminated`)
    throw new ApiError(error.code, error.reason, error.message, {
      ...error.status.details,
      causes: [{ reason: 'NamespaceTerminating', message: `namespace ${a.namespace} is being terminated`, field: 'metadata.namespace' }],
    })
  }

  return {
    name: 'NamespaceLifecycle',
    handles: (a) => a.operation !== 'CONNECT' && (isNamespace(a) ? a.operation === 'DELETE' : a.namespace !== '' && a.operation !== 'DELETE' && !isLocalReview(a)),
    // Before any other plugin looks for things in a namespace that is not there.
    mutate(a) {
      if (isNamespace(a)) return a.object
      return inNamespace(a.namespace, (namespace) => check(a, namespace))
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
