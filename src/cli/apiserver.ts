/** `skiff apiserver --memory`: an API server alone, for tests, until it is told to end. */
import { writeFileSync } from 'node:fs'
import { createLog } from '../cluster/log.ts'
import { startTestServer } from '../cluster/testing.ts'
import { UserError } from '../cluster/user-error.ts'
import { portTaken } from './options.ts'

export interface ApiServerOptions {
  readonly memory?: boolean
  readonly port?: number
  readonly kubeconfig?: string
}

export async function apiserver(options: ApiServerOptions): Promise<void> {
  if (options.memory !== true) throw new UserError('"skiff apiserver" needs --memory; for a control plane that keeps its data, run "skiff server --no-node"')
  const server = await startTestServer({ log: createLog('error'), ...(options.port === undefined ? {} : { port: options.port }) }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE' && options.port !== undefined) throw portTaken(options.port)
    throw error
  })
  if (options.kubeconfig === undefined) process.stdout.write(server.kubeconfig)
  else writeFileSync(options.kubeconfig, server.kubeconfig, { mode: 0o600 })
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve())
  })
  await server.stop()
}
