/**
 * healthCheckNodePort: a load balancer asks each node whether it has endpoints of a service under externalTrafficPolicy Local.
 * https://kubernetes.io/docs/tasks/access-application-cluster/create-external-load-balancer/#preserving-the-client-source-ip
 */
import { createServer, type Server } from 'node:http'
import type { Logger } from '../../machinery/log.ts'

export interface HealthTarget { readonly port: number; readonly namespace: string; readonly name: string; readonly localEndpoints: number }

export interface HealthServers {
  /** The service's port and number of local endpoints; undefined when it needs no health check any more. */
  set(service: string, target: HealthTarget | undefined): void
  close(): Promise<void>
}

interface Listening { readonly server: Server; target: HealthTarget }

export function createHealthServers(log: Logger): HealthServers {
  const open = new Map<string, Listening>()
  const close = (server: Server) => new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })

  function listen(service: string, target: HealthTarget): void {
    const server = createServer((_request, response) => {
      const { namespace, name, localEndpoints } = entry.target
      response.writeHead(localEndpoints > 0 ? 200 : 503, {
        'content-type': 'application/json',
        'x-content-type-options': 'nosniff',
        'x-load-balancing-endpoint-weight': String(localEndpoints),
      })
      response.end(`${JSON.stringify({ service: { namespace, name }, localEndpoints, serviceProxyHealthy: true })}\n`)
    })
    const entry: Listening = { server, target }
    server.on('error', (error) => {
      log.error({ service, port: target.port, error: error.message }, 'cannot answer on the health check node port')
      if (open.get(service) === entry) open.delete(service)
    })
    server.listen(target.port)
    server.unref()
    open.set(service, entry)
  }

  return {
    set(service, target) {
      const entry = open.get(service)
      if (entry && entry.target.port === target?.port) {
        entry.target = target
        return
      }
      if (entry) {
        open.delete(service)
        void close(entry.server)
      }
      if (target) listen(service, target)
    },
    async close() {
      const all = [...open.values()]
      open.clear()
      await Promise.all(all.map((entry) => close(entry.server)))
    },
  }
}
