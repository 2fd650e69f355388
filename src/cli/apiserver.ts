/** `skiff apiserver --memory`: an API server alone, for tests, until it is told to end. */
import { writeFileSync } from 'node:fs'
import { createLog } from '../cluster/log.ts'
import { startTestServer } from '../cluster/testing.ts'
import { UserError } from '../cluster/user-error.ts'
import type { ClusterOptions } from './options.ts'

export async function apiserver(options: ClusterOptions): Promise<void> {
  if (options.memory !== true) throw new UserError('only "skiff apiserver --memory" runs an API server alone; "skiff server --no-node" runs a control plane that remembers')
  const server = await startTestServer({ log: createLog('error'), ...(options.port === undefined ? {} : { port: options.port }) }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'EADDRINUSE') throw new UserError(`port ${options.port} is in use; stop what listens there, or choose another with --port`)
    throw error
  })
  if (options.kubeconfig === undefined) process.stdout.write(server.kubeconfig)
  else writeFileSync(options.kubeconfig, server.kubeconfig, { mode: 0o600 })
  await new Promise<void>((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve())
  })
  await server.stop()
}
