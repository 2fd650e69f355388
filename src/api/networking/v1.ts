import { fill, int32, intOrString, list, mapList, must, oneOf, opt, req, root, string, struct, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { Protocol, TypedLocalObjectReference } from '../core/shared.ts'
import { Condition, LabelSelector, ObjectMeta } from '../meta/meta.ts'

export const ServiceBackendPort = struct('ServiceBackendPort', {
  name: zero(1, string, 'The name.'),
  number: zero(2, int32, 'The number.'),
}, { doc: 'A port, by name or number.', atomic: true })
export interface ServiceBackendPort extends Of<typeof ServiceBackendPort> {}

export const IngressServiceBackend = struct('IngressServiceBackend', {
  name: req(1, string, 'The name of the service.'),
  port: fill(2, ServiceBackendPort, 'The port of the service.'),
}, 'A port of a service.')
export interface IngressServiceBackend extends Of<typeof IngressServiceBackend> {}

export const IngressBackend = struct('IngressBackend', {
  service: opt(4, IngressServiceBackend, 'The service.'),
  resource: opt(3, TypedLocalObjectReference, 'The object, instead of a service.'),
}, 'A service, or another object.')
export interface IngressBackend extends Of<typeof IngressBackend> {}

export const HTTPIngressPath = struct('HTTPIngressPath', {
  path: zero(1, string, 'The path.'),
  pathType: must(3, string, 'Exact, Prefix or ImplementationSpecific.'),
  backend: req(2, IngressBackend, 'Where they go.'),
}, 'Where requests for a path go.')
export interface HTTPIngressPath extends Of<typeof HTTPIngressPath> {}

export const HTTPIngressRuleValue = struct('HTTPIngressRuleValue', {
  paths: req(1, list(HTTPIngressPath), 'The paths.'),
}, 'Paths of a host.')
export interface HTTPIngressRuleValue extends Of<typeof HTTPIngressRuleValue> {}

export const ParentReference = struct('ParentReference', {
  group: zero(1, string, 'Its API group.'),
  resource: zero(2, string, { doc: 'Its resource.', required: true }),
  namespace: zero(3, string, 'Its namespace.'),
  name: zero(4, string, { doc: 'Its name.', required: true }),
}, 'An object.')
export interface ParentReference extends Of<typeof ParentReference> {}

export const IPAddressSpec = struct('IPAddressSpec', {
  parentRef: opt(1, ParentReference, { doc: 'The object that has it.', required: true }),
}, 'Who has an address.')
export interface IPAddressSpec extends Of<typeof IPAddressSpec> {}

export const IPAddress = root('IPAddress', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like; the name is the address.'),
  spec: fill(2, IPAddressSpec, { doc: 'Who has it.', required: true }),
}, 'A service address that is in use.')
export interface IPAddress extends Of<typeof IPAddress> {}

export const IPBlock = struct('IPBlock', {
  cidr: req(1, string, 'The range.'),
  except: zero(2, list(string), 'Parts of it that are not meant.'),
}, 'A range of addresses.')
export interface IPBlock extends Of<typeof IPBlock> {}

export const IngressRuleValue = struct('IngressRuleValue', {
  http: opt(1, HTTPIngressRuleValue, 'Rules by path.'),
}, 'Rules for a host.')
export interface IngressRuleValue extends Of<typeof IngressRuleValue> {}

export const IngressRule = struct('IngressRule', {
  host: zero(1, string, 'The host, or *.example.com; empty for all.'),
  ingressRuleValue: fill(2, IngressRuleValue, { inline: true }),
}, 'Rules for one host.')
export interface IngressRule extends Of<typeof IngressRule> {}

export const IngressTLS = struct('IngressTLS', {
  hosts: zero(1, list(string), 'The hosts.'),
  secretName: zero(2, string, 'The secret with the certificate.'),
}, 'A certificate for some hosts.')
export interface IngressTLS extends Of<typeof IngressTLS> {}

export const IngressSpec = struct('IngressSpec', {
  ingressClassName: opt(4, string, 'The class of the controller that serves it.'),
  defaultBackend: opt(1, IngressBackend, 'Where requests go that no rule takes.'),
  tls: zero(2, list(IngressTLS), 'Certificates for hosts.'),
  rules: zero(3, list(IngressRule), 'Rules by host and path.'),
}, 'What is wanted of an ingress.')
export interface IngressSpec extends Of<typeof IngressSpec> {}

export const IngressPortStatus = struct('IngressPortStatus', {
  port: req(1, int32, 'The port.'),
  protocol: req(2, Protocol, 'TCP, UDP or SCTP.'),
  error: opt(3, string, 'What is wrong with it.'),
})
export interface IngressPortStatus extends Of<typeof IngressPortStatus> {}

export const IngressLoadBalancerIngress = struct('IngressLoadBalancerIngress', {
  ip: zero(1, string, 'An address.'),
  hostname: zero(2, string, 'A name.'),
  ports: zero(4, list(IngressPortStatus), 'The ports there.'),
})
export interface IngressLoadBalancerIngress extends Of<typeof IngressLoadBalancerIngress> {}

export const IngressLoadBalancerStatus = struct('IngressLoadBalancerStatus', {
  ingress: zero(1, list(IngressLoadBalancerIngress), 'Its addresses or names.'),
}, 'Where an ingress is reached.')
export interface IngressLoadBalancerStatus extends Of<typeof IngressLoadBalancerStatus> {}

export const IngressStatus = struct('IngressStatus', {
  loadBalancer: fill(1, IngressLoadBalancerStatus, 'Where it is reached.'),
}, 'What is known of an ingress.')
export interface IngressStatus extends Of<typeof IngressStatus> {}

export const Ingress = root('Ingress', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, IngressSpec, 'What is wanted.'),
  status: fill(3, IngressStatus, 'What is.'),
}, 'Rules by which HTTP requests from outside reach services.')
export interface Ingress extends Of<typeof Ingress> {}

export const IngressClassParametersReference = struct('IngressClassParametersReference', {
  apiGroup: opt(1, string, 'Of the object; empty for the core group.'),
  kind: req(2, string, 'Of the object.'),
  name: req(3, string, 'Of the object.'),
  scope: opt(4, string, 'Cluster or Namespace.'),
  namespace: opt(5, string, 'Of the object, if it has one.'),
})
export interface IngressClassParametersReference extends Of<typeof IngressClassParametersReference> {}

export const IngressClassSpec = struct('IngressClassSpec', {
  controller: zero(1, string, 'The controller that serves its ingresses.'),
  parameters: opt(2, IngressClassParametersReference, 'An object with more settings.'),
}, 'What an ingress class is.')
export interface IngressClassSpec extends Of<typeof IngressClassSpec> {}

export const IngressClass = root('IngressClass', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, IngressClassSpec, 'What it is.'),
}, 'A kind of ingress controller.')
export interface IngressClass extends Of<typeof IngressClass> {}

export const NetworkPolicyPeer = struct('NetworkPolicyPeer', {
  podSelector: opt(1, LabelSelector, 'Pods, by their labels.'),
  namespaceSelector: opt(2, LabelSelector, 'Namespaces, by their labels; with podSelector: pods in them.'),
  ipBlock: opt(3, IPBlock, 'Addresses.'),
}, 'Somebody at the other end.')
export interface NetworkPolicyPeer extends Of<typeof NetworkPolicyPeer> {}

export const NetworkPolicyPort = struct('NetworkPolicyPort', {
  protocol: opt(1, Protocol, 'TCP (the default), UDP or SCTP.'),
  port: opt(2, intOrString, 'The port, by number or by name; all when left out.'),
  endPort: opt(3, int32, 'The last port of a range.'),
}, 'A port.')
export interface NetworkPolicyPort extends Of<typeof NetworkPolicyPort> {}

export const NetworkPolicyEgressRule = struct('NetworkPolicyEgressRule', {
  ports: zero(1, list(NetworkPolicyPort), 'Ports it may go to; all when left out.'),
  to: zero(2, list(NetworkPolicyPeer), 'Where it may go; anywhere when left out.'),
}, 'Something that may go out.')
export interface NetworkPolicyEgressRule extends Of<typeof NetworkPolicyEgressRule> {}

export const NetworkPolicyIngressRule = struct('NetworkPolicyIngressRule', {
  ports: zero(1, list(NetworkPolicyPort), 'Ports of the pods; all when left out.'),
  from: zero(2, list(NetworkPolicyPeer), 'Where it may come from; anywhere when left out.'),
}, 'Something that may come in.')
export interface NetworkPolicyIngressRule extends Of<typeof NetworkPolicyIngressRule> {}

export const PolicyType = oneOf('Ingress', 'Egress')
export type PolicyType = Of<typeof PolicyType>

export const NetworkPolicySpec = struct('NetworkPolicySpec', {
  podSelector: fill(1, LabelSelector, 'The pods it is about; an empty selector is all of the namespace.'),
  ingress: zero(2, list(NetworkPolicyIngressRule), 'What may come in.'),
  egress: zero(3, list(NetworkPolicyEgressRule), 'What may go out.'),
  policyTypes: zero(4, list(PolicyType), 'Ingress, Egress or both: which directions it is about.'),
}, 'What a network policy allows. What no policy allows is forbidden for the pods it is about.')
export interface NetworkPolicySpec extends Of<typeof NetworkPolicySpec> {}

export const NetworkPolicy = root('NetworkPolicy', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, NetworkPolicySpec, 'What is wanted.'),
}, 'Who may speak to some pods, and to whom they may speak.')
export interface NetworkPolicy extends Of<typeof NetworkPolicy> {}

export const ServiceCIDRSpec = struct('ServiceCIDRSpec', {
  cidrs: zero(1, list(string), 'The range, in CIDR notation; one of each family.'),
}, 'A range of service addresses.')
export interface ServiceCIDRSpec extends Of<typeof ServiceCIDRSpec> {}

export const ServiceCIDRStatus = struct('ServiceCIDRStatus', {
  conditions: zero(1, mapList(Condition, ['type']), { doc: 'What is true of it at the moment, by type.', patch: 'merge', key: 'type' }),
})
export interface ServiceCIDRStatus extends Of<typeof ServiceCIDRStatus> {}

export const ServiceCIDR = root('ServiceCIDR', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, ServiceCIDRSpec, 'The range.'),
  status: fill(3, ServiceCIDRStatus, 'What is known of it.'),
}, 'A range of service addresses.')
export interface ServiceCIDR extends Of<typeof ServiceCIDR> {}

const gv = groupVersion('networking.k8s.io', 'v1')

export const ipaddresses = gv.resource(IPAddress, { plural: 'ipaddresses', short: ['ip'] })
export const ingresses = gv.resource(Ingress, { plural: 'ingresses', short: ['ing'], namespaced: true, subresources: ['status'] })
export const ingressclasses = gv.resource(IngressClass, { plural: 'ingressclasses' })
export const networkpolicies = gv.resource(NetworkPolicy, { plural: 'networkpolicies', short: ['netpol'], namespaced: true })
export const servicecidrs = gv.resource(ServiceCIDR, { plural: 'servicecidrs', subresources: ['status'] })
