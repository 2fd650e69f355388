/** Services. */
import type { core } from '../../../api/index.ts'
import { path, type FieldError } from '../../../machinery/field.ts'
import { dns1035Label } from '../../../machinery/names.ts'
import type { Strategy, StrategyEnvironment } from '../../strategy.ts'
import { ageColumn, labelsText, nameColumn, orNone, printer, text, wide } from '../printing.ts'
import { hasClusterIP, isHeadless, serviceAllocation } from './services-allocation.ts'
import { createAllocator } from './services-allocator.ts'
import { keepAllocated, serviceDefaults } from './services-defaults.ts'
import { balancerStatus, serviceSpec, serviceUpdate } from './services-validation.ts'

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

/** What this cluster, with addresses of one family, cannot give. */
function familyErrors({ spec }: core.Service, family: 'IPv4' | 'IPv6'): FieldError[] {
  const at = path('spec')
  if (!hasClusterIP(spec) || isHeadless(spec)) return []
  const missing = (spec.ipFamilies ?? []).flatMap((wanted, i) => (wanted === family ? [] : [at.at('ipFamilies').index(i).invalid(wanted, 'not configured on this cluster')]))
  if (spec.ipFamilyPolicy === 'RequireDualStack') return [at.at('ipFamilyPolicy').invalid(spec.ipFamilyPolicy, 'this cluster is not configured for dual-stack services')]
  return missing
}

/** What is said of a service and has no effect. */
function serviceWarnings(spec: core.ServiceSpec): string[] {
  const named = spec.type === 'ExternalName'
  const warnings: string[] = []
  if (named && spec.externalIPs?.length) warnings.push('spec.externalIPs is ignored when spec.type is "ExternalName"')
  if (!named && spec.externalName) warnings.push('spec.externalName is ignored when spec.type is not "ExternalName"')
  if (!isHeadless(spec)) return warnings
  if (spec.loadBalancerIP) warnings.push('spec.loadBalancerIP is ignored for headless services')
  if (spec.externalIPs?.length) warnings.push('spec.externalIPs is ignored for headless services')
  if (spec.sessionAffinity !== 'None') warnings.push('spec.SessionAffinity is ignored for headless services')
  return warnings
}

/** Services of a cluster with one range of addresses: the strategy owns the allocator of both addresses and node ports. */
export function services(env: StrategyEnvironment): Strategy<core.Service> {
  const allocator = createAllocator(env)
  const { family } = allocator.range
  return {
    default: (service) => serviceDefaults(service, family),
    prepareForUpdate: keepAllocated,
    validate: (service) => [...serviceSpec(service.spec), ...familyErrors(service, family)],
    validateUpdate: (next, current) => [...serviceUpdate(next, current), ...familyErrors(next, family)],
    validateStatusUpdate: (next) => [...balancerStatus(next)],
    createOnUpdate: true,
    counted: false,
    validateName: dns1035Label,
    warnings: (service) => serviceWarnings(service.spec),
    selectableFields: ({ spec }) => ({ 'spec.clusterIP': spec.clusterIP ?? '', 'spec.type': spec.type ?? '' }),
    printer: servicePrinter,
    allocation: serviceAllocation(allocator),
  }
}
