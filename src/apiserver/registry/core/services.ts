/** Services. */
import type { core } from '../../../api/index.ts'
import { dns1123Label } from '../../../machinery/names.ts'
import type { Strategy, StrategyEnvironment } from '../../strategy.ts'
import { ageColumn, labelsText, nameColumn, orNone, printer, text, wide } from '../printing.ts'
import { serviceAllocation } from './services-allocation.ts'
import { createAllocator } from './services-allocator.ts'
import { keepAllocated, serviceDefaults } from './services-defaults.ts'
import { agreeOnAddresses, chooseFamilies, familyErrors } from './services-families.ts'
import { annotatedRanges, balancerStatus, serviceSpec, serviceUpdate } from './services-validation.ts'
import { serviceWarnings } from './services-warnings.ts'

const servicePrinter = printer<core.Service>(
  nameColumn,
  text('Type', 'How the service is reached: ClusterIP, NodePort, LoadBalancer or ExternalName.', (o) => o.spec.type ?? ''),
  text('Cluster-IP', 'Its address inside the cluster.', (o) => orNone(o.spec.clusterIPs?.[0] ?? o.spec.clusterIP)),
  text('External-IP', 'Its addresses outside the cluster.', externalAddress),
  text('Port(s)', 'Its ports, with their node ports.', (o) => portsText(o.spec.ports ?? [])),
  ageColumn,
  wide(text('Selector', 'Which pods it leads to.', (o) => labelsText(o.spec.selector))),
)

/** Addresses of a load balancer are listed in order, each once, before those that the service declares. */
function externalAddress(service: core.Service): string {
  const declared = service.spec.externalIPs ?? []
  if (service.spec.type === 'ExternalName') return orNone(service.spec.externalName)
  if (service.spec.type !== 'LoadBalancer') return orNone(declared.join(','))
  const balancers = [...new Set((service.status.loadBalancer.ingress ?? []).map((i) => i.ip || i.hostname || '').filter(Boolean))].toSorted()
  return [...balancers, ...declared].join(',') || '<pending>'
}

const portsText = (ports: readonly core.ServicePort[]): string =>
  orNone(ports.map((p) => (p.nodePort ? `${p.port}:${p.nodePort}/${p.protocol}` : `${p.port}/${p.protocol}`)).join(','))

/** Services: the strategy owns the allocator of both addresses and node ports. */
export function services(env: StrategyEnvironment): Strategy<core.Service> {
  const allocator = createAllocator(env)
  const { families } = allocator
  const withFamilies = (service: core.Service, was?: core.ServiceSpec): core.Service => ({ ...service, spec: chooseFamilies(service.spec, was, families) })
  return {
    default: serviceDefaults,
    prepareForCreate: (service) => withFamilies({ ...service, spec: agreeOnAddresses(service.spec, undefined) }),
    prepareForUpdate: (next, current) => withFamilies(keepAllocated(next, current), current.spec),
    validate: (service, root) => {
      serviceSpec(service.spec, root)
      annotatedRanges(service, root)
      familyErrors(service.spec, families, root)
    },
    validateUpdate: (next, current, root) => {
      serviceUpdate(next, current, root)
      familyErrors(next.spec, families, root)
    },
    validateStatusUpdate: (next, current, root) => balancerStatus(next, current, root),
    createOnUpdate: true,
    counted: false,
    validateName: dns1123Label,
    warnings: serviceWarnings,
    selectableFields: ({ spec }) => ({ 'spec.clusterIP': spec.clusterIP ?? '', 'spec.type': spec.type ?? '' }),
    printer: servicePrinter,
    allocation: serviceAllocation(allocator),
  }
}
