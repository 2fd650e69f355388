/** Environment variables that tell a container the addresses of services, as Kubernetes and the older Docker links name them. */
import type { core } from '../../api/index.ts'

const hasAddress = (service: core.Service): boolean => Boolean(service.spec.clusterIP) && service.spec.clusterIP !== 'None'

const upper = (name: string): string => name.toUpperCase().replaceAll('-', '_')

/** Variables of the pod's own namespace unless `enableServiceLinks` is false, and always those of default/kubernetes. */
export function serviceVariables(services: (namespace: string) => readonly core.Service[], namespace: string, links: boolean): Map<string, string> {
  const master = services('default').filter((s) => s.metadata.name === 'kubernetes')
  const chosen = new Map(master.filter(hasAddress).map((s) => [s.metadata.name, s]))
  if (links) for (const service of services(namespace)) if (hasAddress(service)) chosen.set(service.metadata.name, service)
  return new Map([...chosen.values()].flatMap(variablesOf))
}

function variablesOf(service: core.Service): [string, string][] {
  const ports = service.spec.ports ?? []
  const [first] = ports
  if (!first) return []
  const name = upper(service.metadata.name ?? '')
  const ip = service.spec.clusterIP as string
  const host = ip.includes(':') ? `[${ip}]` : ip
  const url = (port: core.ServicePort) => `${(port.protocol ?? 'TCP').toLowerCase()}://${host}:${port.port}`
  return [
    [`${name}_SERVICE_HOST`, ip],
    [`${name}_SERVICE_PORT`, String(first.port)],
    ...ports.filter((p) => p.name).map((p): [string, string] => [`${name}_SERVICE_PORT_${upper(p.name as string)}`, String(p.port)]),
    [`${name}_PORT`, url(first)],
    ...ports.flatMap((p): [string, string][] => {
      const prefix = `${name}_PORT_${p.port}_${p.protocol ?? 'TCP'}`
      return [[prefix, url(p)], [`${prefix}_PROTO`, (p.protocol ?? 'TCP').toLowerCase()], [`${prefix}_PORT`, String(p.port)], [`${prefix}_ADDR`, ip]]
    }),
  ]
}
