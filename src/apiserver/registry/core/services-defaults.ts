/** Defaults of services, and what an update leaves to the system. */
import type { core } from '../../../api/index.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { each, orDefault, within } from '../defaulting.ts'
import { hasClusterIP, hasHealthCheckPort, hasNodePorts } from './services-allocation.ts'
import { agreeOnAddresses, withoutSecond } from './services-families.ts'
import { isExternal } from './services-validation.ts'

/** Defaults of a service that depend on nothing but itself. */
export function serviceDefaults(service: core.Service): core.Service {
  const specified = within(service, 'spec', specDefaults)
  return within(specified, 'status', (status) => within(status, 'loadBalancer', (balancer) => within(balancer, 'ingress', (points) =>
    points.map((point) => (point.ip ? orDefault(point, { ipMode: 'VIP' }) : point)))))
}

function specDefaults(spec: core.ServiceSpec): core.ServiceSpec {
  let next = orDefault(spec, { type: 'ClusterIP', sessionAffinity: 'None' })
  if (next.sessionAffinity === 'ClientIP') {
    const seconds = next.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10800
    next = { ...next, sessionAffinityConfig: { clientIP: { timeoutSeconds: seconds } } }
  } else if (next.sessionAffinity === 'None' && next.sessionAffinityConfig) next = { ...next, sessionAffinityConfig: undefined }
  if (next.type !== 'ExternalName') next = orDefault(next, { internalTrafficPolicy: 'Cluster' })
  if (isExternal(next)) next = orDefault(next, { externalTrafficPolicy: 'Cluster' })
  if (next.type === 'LoadBalancer') next = orDefault(next, { allocateLoadBalancerNodePorts: true })
  return each(next, 'ports', (port) => (port.targetPort === 0 || port.targetPort === '' ? { ...port, targetPort: port.port } : port))
}

/** What a client left out of an update although the system had given it: addresses, node ports. */
export function keepAllocated(next: core.Service, current: core.Service): core.Service {
  const was = current.spec
  let spec = dropped(agreeOnAddresses(next.spec, was), was)
  if (hasClusterIP(spec) && hasClusterIP(was)) {
    spec = orDefault(spec, { clusterIP: was.clusterIP })
    if (!spec.clusterIPs?.length && spec.clusterIP === was.clusterIP) spec = { ...spec, clusterIPs: was.clusterIPs }
  }
  spec = withoutSecond(spec, was)
  if (hasNodePorts(spec) && hasNodePorts(was)) spec = { ...spec, ports: withOldPorts(spec.ports ?? [], was.ports ?? []) }
  if (hasHealthCheckPort(spec) && hasHealthCheckPort(was)) spec = orDefault(spec, { healthCheckNodePort: was.healthCheckNodePort })
  // The address of a load balancer goes with it, although taking it down takes a while.
  const status = spec.type === 'LoadBalancer' || !next.status.loadBalancer.ingress ? next.status : { ...next.status, loadBalancer: {} }
  return { ...next, spec, status }
}

function withOldPorts(next: readonly core.ServicePort[], current: readonly core.ServicePort[]): readonly core.ServicePort[] {
  const taken = new Set(next.map((port) => port.nodePort ?? 0))
  return next.map((port) => {
    if (port.nodePort) return port
    const old = current.find((p) => p.protocol === port.protocol && p.port === port.port)?.nodePort
    return old && !taken.has(old) ? { ...port, nodePort: old } : port
  })
}

const without = (spec: core.ServiceSpec, ...names: readonly (keyof core.ServiceSpec)[]): core.ServiceSpec =>
  ({ ...spec, ...Object.fromEntries(names.map((name) => [name, undefined])) })

/** When the type changes, what belonged to the old one goes, unless the client asked for something new. */
function dropped(next: core.ServiceSpec, was: core.ServiceSpec): core.ServiceSpec {
  let spec = next
  const same = (name: keyof core.ServiceSpec) => deepEqual(next[name], was[name])
  if (hasClusterIP(was) && !hasClusterIP(next)) {
    if (same('clusterIP') && same('clusterIPs')) spec = without(spec, 'clusterIP', 'clusterIPs')
    if (same('ipFamilies')) spec = without(spec, 'ipFamilies')
    if (same('ipFamilyPolicy')) spec = without(spec, 'ipFamilyPolicy')
    if (same('internalTrafficPolicy')) spec = without(spec, 'internalTrafficPolicy')
  }
  const portsOpen = (s: core.ServiceSpec) => s.type === 'NodePort' || s.type === 'LoadBalancer'
  if (portsOpen(was) && !portsOpen(next)) {
    const old = new Set((was.ports ?? []).map((port) => `${port.protocol}/${port.port}/${port.nodePort}`))
    spec = { ...spec, ports: spec.ports?.map((p) => (old.has(`${p.protocol}/${p.port}/${p.nodePort}`) ? { ...p, nodePort: undefined } : p)) }
  }
  if (hasHealthCheckPort(was) && !hasHealthCheckPort(next) && same('healthCheckNodePort')) spec = without(spec, 'healthCheckNodePort')
  if (was.type === 'LoadBalancer' && next.type !== 'LoadBalancer') {
    if (same('allocateLoadBalancerNodePorts')) spec = without(spec, 'allocateLoadBalancerNodePorts')
    if (same('loadBalancerClass')) spec = without(spec, 'loadBalancerClass')
  }
  if (isExternal(was) && !isExternal(next) && same('externalTrafficPolicy')) spec = without(spec, 'externalTrafficPolicy')
  return spec
}
