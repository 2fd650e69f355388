/** Nothing is written, and nothing deleted, in namespaces that are not there. Off by default: NamespaceLifecycle says the same of what is created. */
import type { ServerEnvironment } from '../../options.ts'
import type { AdmissionPlugin } from '../admission.ts'
import { withNamespace } from '../namespaces.ts'

export function namespaceExists(env: Pick<ServerEnvironment, 'lister' | 'client'>): AdmissionPlugin {
  const inNamespace = withNamespace(env)
  return {
    name: 'NamespaceExists',
    handles: (a) => a.operation !== 'CONNECT' && a.namespace !== '' && a.resource.groupResource !== 'namespaces',
    validate: (a) => inNamespace(a.namespace, () => undefined),
  }
}
