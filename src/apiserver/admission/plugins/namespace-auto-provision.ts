/** Whatever is created makes its namespace where there is none. Off by default: a slip of the pen is a new namespace, and whoever may create anything makes them. */
import { core } from '../../../api/index.ts'
import { isAlreadyExists, isApiError } from '../../../machinery/errors.ts'
import type { ServerEnvironment } from '../../options.ts'
import type { AdmissionPlugin } from '../admission.ts'
import { refused } from '../pods.ts'

export function namespaceAutoProvision(env: Pick<ServerEnvironment, 'lister' | 'client'>): AdmissionPlugin {
  const namespaces = env.lister(core.namespaces)
  return {
    name: 'NamespaceAutoProvision',
    handles: (a) => a.operation === 'CREATE' && a.namespace !== '' && a.resource.groupResource !== 'namespaces' && !a.context.dryRun && !namespaces.get('', a.namespace),
    async mutate(a) {
      try {
        await env.client.create(core.namespaces, { metadata: { name: a.namespace } })
      } catch (error) {
        if (!isApiError(error)) throw error
        if (!isAlreadyExists(error)) throw refused(a, error.message)
      }
      return a.object
    },
  }
}
