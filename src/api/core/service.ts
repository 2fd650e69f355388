import { atomicMap, bool, fill, int32, intOrString, list, mapList, oneOf, opt, req, root, string, struct, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { ObjectReference, Protocol } from './shared.ts'
import { Condition, ObjectMeta } from '../meta/meta.ts'

export const IPFamily = oneOf('IPv4', 'IPv6', '')
export type IPFamily = Of<typeof IPFamily>

export const IPFamilyPolicy = oneOf('SingleStack', 'PreferDualStack', 'RequireDualStack')
export type IPFamilyPolicy = Of<typeof IPFamilyPolicy>

export const ServiceAffinity = oneOf('ClientIP', 'None')
export type ServiceAffinity = Of<typeof ServiceAffinity>

export const ServiceExternalTrafficPolicy = oneOf('Cluster', 'Local')
export type ServiceExternalTrafficPolicy = Of<typeof ServiceExternalTrafficPolicy>

export const ServiceInternalTrafficPolicy = oneOf('Cluster', 'Local')
export type ServiceInternalTrafficPolicy = Of<typeof ServiceInternalTrafficPolicy>

export const ServicePort = struct('ServicePort', {
  name: zero(1, string),
  protocol: zero(2, Protocol, { default: 'TCP' }),
  appProtocol: opt(6, string),
  port: req(3, int32),
  targetPort: fill(4, intOrString),
  nodePort: zero(5, int32),
})
export interface ServicePort extends Of<typeof ServicePort> {}

export const ServiceType = oneOf('ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName')
export type ServiceType = Of<typeof ServiceType>

export const ClientIPConfig = struct('ClientIPConfig', {
  timeoutSeconds: opt(1, int32),
})
export interface ClientIPConfig extends Of<typeof ClientIPConfig> {}

export const SessionAffinityConfig = struct('SessionAffinityConfig', {
  clientIP: opt(1, ClientIPConfig),
})
export interface SessionAffinityConfig extends Of<typeof SessionAffinityConfig> {}

export const ServiceSpec = struct('ServiceSpec', {
  ports: zero(1, mapList(ServicePort, ['port', 'protocol']), { patch: 'merge', key: 'port' }),
  selector: zero(2, atomicMap(string)),
  clusterIP: zero(3, string),
  clusterIPs: zero(18, list(string)),
  type: zero(4, ServiceType),
  externalIPs: zero(5, list(string)),
  sessionAffinity: zero(7, ServiceAffinity),
  loadBalancerIP: zero(8, string),
  loadBalancerSourceRanges: zero(9, list(string)),
  externalName: zero(10, string),
  externalTrafficPolicy: zero(11, ServiceExternalTrafficPolicy),
  healthCheckNodePort: zero(12, int32),
  publishNotReadyAddresses: zero(13, bool),
  sessionAffinityConfig: opt(14, SessionAffinityConfig),
  ipFamilies: zero(19, list(IPFamily)),
  ipFamilyPolicy: opt(17, IPFamilyPolicy),
  allocateLoadBalancerNodePorts: opt(20, bool),
  loadBalancerClass: opt(21, string),
  internalTrafficPolicy: opt(22, ServiceInternalTrafficPolicy),
  trafficDistribution: opt(23, string),
})
export interface ServiceSpec extends Of<typeof ServiceSpec> {}

export const PortStatus = struct('PortStatus', {
  port: req(1, int32),
  protocol: req(2, Protocol),
  error: opt(3, string),
})
export interface PortStatus extends Of<typeof PortStatus> {}

export const LoadBalancerIngress = struct('LoadBalancerIngress', {
  ip: zero(1, string),
  hostname: zero(2, string),
  ipMode: opt(3, string),
  ports: zero(4, list(PortStatus)),
})
export interface LoadBalancerIngress extends Of<typeof LoadBalancerIngress> {}

export const LoadBalancerStatus = struct('LoadBalancerStatus', {
  ingress: zero(1, list(LoadBalancerIngress)),
})
export interface LoadBalancerStatus extends Of<typeof LoadBalancerStatus> {}

export const ServiceStatus = struct('ServiceStatus', {
  loadBalancer: fill(1, LoadBalancerStatus),
  conditions: zero(2, mapList(Condition, ['type']), { patch: 'merge', key: 'type' }),
})
export interface ServiceStatus extends Of<typeof ServiceStatus> {}

export const Service = root('Service', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, ServiceSpec),
  status: fill(3, ServiceStatus),
})
export interface Service extends Of<typeof Service> {}

export const EndpointAddress = struct('EndpointAddress', {
  ip: req(1, string),
  hostname: zero(3, string),
  nodeName: opt(4, string),
  targetRef: opt(2, ObjectReference),
}, { atomic: true })
export interface EndpointAddress extends Of<typeof EndpointAddress> {}

export const EndpointPort = struct('EndpointPort', {
  name: zero(1, string),
  port: req(2, int32),
  protocol: zero(3, Protocol),
  appProtocol: opt(4, string),
}, { atomic: true })
export interface EndpointPort extends Of<typeof EndpointPort> {}

export const EndpointSubset = struct('EndpointSubset', {
  addresses: zero(1, list(EndpointAddress)),
  notReadyAddresses: zero(2, list(EndpointAddress)),
  ports: zero(3, list(EndpointPort)),
})
export interface EndpointSubset extends Of<typeof EndpointSubset> {}

export const Endpoints = root('Endpoints', {
  metadata: fill(1, ObjectMeta),
  subsets: zero(2, list(EndpointSubset)),
})
export interface Endpoints extends Of<typeof Endpoints> {}

const gv = groupVersion('', 'v1')

export const services = gv.resource(Service, { plural: 'services', short: ['svc'], categories: ['all'], namespaced: true, subresources: ['status', 'proxy'] })
export const endpoints = gv.resource(Endpoints, { plural: 'endpoints', short: ['ep'], namespaced: true })
