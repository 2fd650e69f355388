/** `skiff server`: the cluster in the foreground. `skiff up` runs this in the background. */
import { parseArguments } from '../cluster/apiserver-arguments.ts'
import { runServer } from '../cluster/serve.ts'
import { needRoot, pathsFrom } from './options.ts'
import type { ClusterOptions } from './options.ts'

export async function server(options: ClusterOptions): Promise<void> {
  if (options.node !== false) needRoot('server')
  await runServer({
    paths: pathsFrom(options),
    request: {
      name: options.name,
      port: options.port,
      nodeAddress: options.nodeIp,
      runtimeEndpoint: options.containerRuntimeEndpoint,
      apiServerArguments: parseArguments(options.kubeApiserverArg ?? []),
    },
    node: options.node !== false,
    logLevel: options.logLevel ?? 'info',
  })
}
