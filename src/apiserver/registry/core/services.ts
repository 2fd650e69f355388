/** Services. */
import type { core } from '../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { ageColumn, labelsText, nameColumn, orNone, printer, text, wide } from '../printing.ts'

const servicePrinter = printer<core.Service>(
  nameColumn,
  text('Type', 'How the service is reached: ClusterIP, NodePort, LoadBalancer or ExternalName.', (o) => o.spec.type ?? ''),
  text('Cluster-IP', 'Its address inside the cluster.', (o) => orNone(o.spec.clusterIPs?.[0] ?? o.spec.clusterIP)),
  text('External-IP', 'Its addresses outside the cluster.', externalAddress),
  text('Port(s)', 'Its ports, with their node ports.', (o) => portsText(o.spec.ports ?? [])),
  ageColumn,
  wide(text('Selector', 'Which pods it leads to.', (o) => labelsText(o.spec.selector))),
)

/** Addresses of a load balancer are listed in order and cut to fit the column, as kubectl does. */
function externalAddress(service: core.Service): string {
  const declared = service.spec.externalIPs ?? []
  if (service.spec.type === 'ExternalName') return orNone(service.spec.externalName)
  if (service.spec.type !== 'LoadBalancer') return orNone(declared.join(','))
  const balancers = [...new Set((service.status.loadBalancer.ingress ?? []).map((i) => i.ip || i.hostname || '').filter(Boolean))].toSorted()
  return [...balancers, ...declared].join(',') || '<pending>'
}

const portsText = (ports: readonly core.ServicePort[]): string =>
  orNone(ports.map((p) => (p.nodePort ? `${p.port}:${p.nodePort}/${p.protocol}` : `${p.port}/${p.protocol}`)).join(','))

export const services: Strategy<core.Service> = { printer: servicePrinter }
