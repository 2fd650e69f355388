/** `skiff server`: the cluster in the foreground. `skiff up` runs this in the background. */
import { parseArguments } from '../cluster/apiserver-arguments.ts'
import { runServer } from '../cluster/serve.ts'
import { needRoot, pathsFrom } from './options.ts'
import type { ControlPlaneOptions } from './options.ts'

export interface ServerOptions extends ControlPlaneOptions {
  readonly node: boolean
}

export async function server(options: ServerOptions): Promise<void> {
  if (options.node) needRoot('server')
  await runServer({
    paths: pathsFrom(options),
    request: {
      name: options.name,
      port: options.port,
      nodeAddress: options.nodeIp,
      runtimeEndpoint: options.containerRuntimeEndpoint,
      apiServerArguments: parseArguments(options.kubeApiserverArg ?? []),
    },
    node: options.node,
    logLevel: options.logLevel,
  })
}
