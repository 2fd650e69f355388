/** `skiff agent`: a node for a control plane that runs elsewhere. */
import { existsSync } from 'node:fs'
import { requirements } from '../cluster/requirements.ts'
import { UserError } from '../cluster/user-error.ts'
import { needRoot, pathsFrom } from './options.ts'
import type { BootOptions } from './options.ts'
import { provide } from './provide.ts'

export interface AgentOptions extends BootOptions {
  readonly kubeconfig: string
  readonly nodeName?: string
}

export async function agent(options: AgentOptions): Promise<void> {
  needRoot('agent')
  const { kubeconfig, logLevel } = options
  if (!existsSync(kubeconfig)) throw new UserError(`there is no ${kubeconfig}; make one with "skiff kubeconfig --for-node" or "--bootstrap" where the control plane runs, and copy it here`)
  await provide(requirements({ externalRuntime: options.containerRuntimeEndpoint !== undefined, kubectl: false }), { yes: false })
  const { runAgent } = await import('../cluster/agent.ts')
  await runAgent({ paths: pathsFrom(options), name: options.name, kubeconfig, nodeName: options.nodeName, nodeAddress: options.nodeIp, runtimeEndpoint: options.containerRuntimeEndpoint, logLevel })
}
