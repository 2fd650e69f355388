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
  name: zero(1, string, 'The name; needed when there are several ports.'),
  protocol: zero(2, Protocol, { doc: 'TCP (the default), UDP or SCTP.', default: 'TCP' }),
  appProtocol: opt(6, string, 'What is spoken on it.'),
  port: req(3, int32, 'The port of the service.'),
  targetPort: fill(4, intOrString, 'The port of the pods, by number or by name. Default: the same.'),
  nodePort: zero(5, int32, 'The port on each node, given by the server unless asked for.'),
}, 'A port of a service.')
export interface ServicePort extends Of<typeof ServicePort> {}

export const ServiceType = oneOf('ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName')
export type ServiceType = Of<typeof ServiceType>

export const ClientIPConfig = struct('ClientIPConfig', {
  timeoutSeconds: opt(1, int32, 'For how long, up to a day. Default 10800.'),
}, 'Settings for affinity by client address.')
export interface ClientIPConfig extends Of<typeof ClientIPConfig> {}

export const SessionAffinityConfig = struct('SessionAffinityConfig', {
  clientIP: opt(1, ClientIPConfig, 'Settings for ClientIP.'),
}, 'For how long a client is remembered.')
export interface SessionAffinityConfig extends Of<typeof SessionAffinityConfig> {}

export const ServiceSpec = struct('ServiceSpec', {
  ports: zero(1, mapList(ServicePort, ['port', 'protocol']), { doc: 'The ports of the service.', patch: 'merge', key: 'port' }),
  selector: zero(2, atomicMap(string), 'Labels of the pods it leads to. Without a selector somebody else makes its endpoints.'),
  clusterIP: zero(3, string, 'Its address inside the cluster, given by the server unless asked for; None for no address (headless).'),
  clusterIPs: zero(18, list(string), 'Its addresses, one of each family; the first is clusterIP.'),
  type: zero(4, ServiceType, 'ClusterIP (the default), NodePort, LoadBalancer or ExternalName.'),
  externalIPs: zero(5, list(string), 'Addresses of nodes that also lead to it.'),
  sessionAffinity: zero(7, ServiceAffinity, 'None (the default), or ClientIP to send a client to the same pod each time.'),
  loadBalancerIP: zero(8, string, 'Deprecated: the address a load balancer should have.'),
  loadBalancerSourceRanges: zero(9, list(string), 'Clients a load balancer lets in.'),
  externalName: zero(10, string, 'The name it stands for, for type ExternalName.'),
  externalTrafficPolicy: zero(11, ServiceExternalTrafficPolicy, 'Cluster (the default), or Local to keep traffic from outside on the node it came to, and the address of the client with it.'),
  healthCheckNodePort: zero(12, int32, 'A port of each node that says whether it has pods of the service.'),
  publishNotReadyAddresses: zero(13, bool, 'Whether pods that are not ready are listed too.'),
  sessionAffinityConfig: opt(14, SessionAffinityConfig, 'For how long a client is remembered.'),
  ipFamilies: zero(19, list(IPFamily), 'IPv4, IPv6 or both, in order of preference.'),
  ipFamilyPolicy: opt(17, IPFamilyPolicy, 'SingleStack (the default), PreferDualStack or RequireDualStack.'),
  allocateLoadBalancerNodePorts: opt(20, bool, 'Whether a load balancer gets node ports. Default true.'),
  loadBalancerClass: opt(21, string, 'Who makes the load balancer.'),
  internalTrafficPolicy: opt(22, ServiceInternalTrafficPolicy, 'Cluster (the default), or Local to stay on the node of the client.'),
  trafficDistribution: opt(23, string, 'Which pods to prefer: PreferSameZone, PreferSameNode.'),
}, 'What is wanted of a service.')
export interface ServiceSpec extends Of<typeof ServiceSpec> {}

export const PortStatus = struct('PortStatus', {
  port: req(1, int32, 'The port.'),
  protocol: req(2, Protocol, 'Its protocol.'),
  error: opt(3, string, 'What is wrong with it.'),
}, 'How a port stands.')
export interface PortStatus extends Of<typeof PortStatus> {}

export const LoadBalancerIngress = struct('LoadBalancerIngress', {
  ip: zero(1, string, 'Its address.'),
  hostname: zero(2, string, 'Its name.'),
  ipMode: opt(3, string, 'VIP or Proxy: how traffic to the address arrives.'),
  ports: zero(4, list(PortStatus), 'Its ports.'),
}, 'Where a load balancer is reached.')
export interface LoadBalancerIngress extends Of<typeof LoadBalancerIngress> {}

export const LoadBalancerStatus = struct('LoadBalancerStatus', {
  ingress: zero(1, list(LoadBalancerIngress), 'Its addresses or names.'),
}, 'Where a load balancer is reached.')
export interface LoadBalancerStatus extends Of<typeof LoadBalancerStatus> {}

export const ServiceStatus = struct('ServiceStatus', {
  loadBalancer: fill(1, LoadBalancerStatus, 'Where the load balancer is reached.'),
  conditions: zero(2, mapList(Condition, ['type']), { doc: 'Statements about its state.', patch: 'merge', key: 'type' }),
}, 'What is known of a service.')
export interface ServiceStatus extends Of<typeof ServiceStatus> {}

export const Service = root('Service', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, ServiceSpec, 'What is wanted.'),
  status: fill(3, ServiceStatus, 'What is, reported by load balancers.'),
}, 'A name and an address for a set of pods.')
export interface Service extends Of<typeof Service> {}

export const EndpointAddress = struct('EndpointAddress', {
  ip: req(1, string, 'The address.'),
  hostname: zero(3, string, 'Its host name.'),
  nodeName: opt(4, string, 'The node it is on.'),
  targetRef: opt(2, ObjectReference, 'The pod behind it.'),
}, { doc: 'An address.', atomic: true })
export interface EndpointAddress extends Of<typeof EndpointAddress> {}

export const EndpointPort = struct('EndpointPort', {
  name: zero(1, string, 'Its name.'),
  port: req(2, int32, 'Its number.'),
  protocol: zero(3, Protocol, 'TCP, UDP or SCTP.'),
  appProtocol: opt(4, string, 'What is spoken on it.'),
}, { doc: 'A port.', atomic: true })
export interface EndpointPort extends Of<typeof EndpointPort> {}

export const EndpointSubset = struct('EndpointSubset', {
  addresses: zero(1, list(EndpointAddress), 'Addresses that are ready.'),
  notReadyAddresses: zero(2, list(EndpointAddress), 'Addresses that are not ready.'),
  ports: zero(3, list(EndpointPort), 'The ports.'),
}, 'Addresses that all have the same ports.')
export interface EndpointSubset extends Of<typeof EndpointSubset> {}

export const Endpoints = root('Endpoints', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  subsets: zero(2, list(EndpointSubset), 'Addresses and ports; each address has all ports of its subset.'),
}, 'The addresses of a service in one object. EndpointSlices have replaced it.')
export interface Endpoints extends Of<typeof Endpoints> {}

const gv = groupVersion('', 'v1')

export const services = gv.resource(Service, { plural: 'services', short: ['svc'], categories: ['all'], namespaced: true, subresources: ['status', 'proxy'] })
export const endpoints = gv.resource(Endpoints, { plural: 'endpoints', short: ['ep'], namespaced: true })
