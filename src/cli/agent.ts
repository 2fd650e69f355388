/** `skiff agent`: a node for a control plane that runs elsewhere. */
import { existsSync } from 'node:fs'
import { requirements } from '../cluster/requirements.ts'
import { UserError } from '../cluster/user-error.ts'
import { needRoot, pathsFrom } from './options.ts'
import type { ClusterOptions } from './options.ts'
import { provide } from './provide.ts'

export async function agent(options: ClusterOptions): Promise<void> {
  needRoot('agent')
  const kubeconfig = options.kubeconfig as string
  if (!existsSync(kubeconfig)) throw new UserError(`${kubeconfig} is not there; copy the node's kubeconfig from the control plane`)
  await provide(requirements({ externalRuntime: options.containerRuntimeEndpoint !== undefined, kubectl: false }), { yes: false })
  const { runAgent } = await import('../cluster/agent.ts')
  await runAgent({ paths: pathsFrom(options), name: options.name, kubeconfig, nodeName: options.nodeName, nodeAddress: options.nodeIp, runtimeEndpoint: options.containerRuntimeEndpoint, logLevel: options.logLevel ?? 'info' })
}
