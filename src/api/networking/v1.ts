import { fill, int32, intOrString, list, mapList, must, oneOf, opt, req, root, string, struct, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { Protocol, TypedLocalObjectReference } from '../core/shared.ts'
import { Condition, LabelSelector, ObjectMeta } from '../meta/meta.ts'

export const ServiceBackendPort = struct('ServiceBackendPort', {
  name: zero(1, string),
  number: zero(2, int32),
}, { atomic: true })
export interface ServiceBackendPort extends Of<typeof ServiceBackendPort> {}

export const IngressServiceBackend = struct('IngressServiceBackend', {
  name: req(1, string),
  port: fill(2, ServiceBackendPort),
})
export interface IngressServiceBackend extends Of<typeof IngressServiceBackend> {}

export const IngressBackend = struct('IngressBackend', {
  service: opt(4, IngressServiceBackend),
  resource: opt(3, TypedLocalObjectReference),
})
export interface IngressBackend extends Of<typeof IngressBackend> {}

export const HTTPIngressPath = struct('HTTPIngressPath', {
  path: zero(1, string),
  pathType: must(3, string),
  backend: req(2, IngressBackend),
})
export interface HTTPIngressPath extends Of<typeof HTTPIngressPath> {}

export const HTTPIngressRuleValue = struct('HTTPIngressRuleValue', {
  paths: req(1, list(HTTPIngressPath)),
})
export interface HTTPIngressRuleValue extends Of<typeof HTTPIngressRuleValue> {}

export const ParentReference = struct('ParentReference', {
  group: zero(1, string),
  resource: zero(2, string, { required: true }),
  namespace: zero(3, string),
  name: zero(4, string, { required: true }),
})
export interface ParentReference extends Of<typeof ParentReference> {}

export const IPAddressSpec = struct('IPAddressSpec', {
  parentRef: opt(1, ParentReference, { required: true }),
})
export interface IPAddressSpec extends Of<typeof IPAddressSpec> {}

export const IPAddress = root('IPAddress', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, IPAddressSpec, { required: true }),
})
export interface IPAddress extends Of<typeof IPAddress> {}

export const IPBlock = struct('IPBlock', {
  cidr: req(1, string),
  except: zero(2, list(string)),
})
export interface IPBlock extends Of<typeof IPBlock> {}

export const IngressRuleValue = struct('IngressRuleValue', {
  http: opt(1, HTTPIngressRuleValue),
})
export interface IngressRuleValue extends Of<typeof IngressRuleValue> {}

export const IngressRule = struct('IngressRule', {
  host: zero(1, string),
  ingressRuleValue: fill(2, IngressRuleValue, { inline: true }),
})
export interface IngressRule extends Of<typeof IngressRule> {}

export const IngressTLS = struct('IngressTLS', {
  hosts: zero(1, list(string)),
  secretName: zero(2, string),
})
export interface IngressTLS extends Of<typeof IngressTLS> {}

export const IngressSpec = struct('IngressSpec', {
  ingressClassName: opt(4, string),
  defaultBackend: opt(1, IngressBackend),
  tls: zero(2, list(IngressTLS)),
  rules: zero(3, list(IngressRule)),
})
export interface IngressSpec extends Of<typeof IngressSpec> {}

export const IngressPortStatus = struct('IngressPortStatus', {
  port: req(1, int32),
  protocol: req(2, Protocol),
  error: opt(3, string),
})
export interface IngressPortStatus extends Of<typeof IngressPortStatus> {}

export const IngressLoadBalancerIngress = struct('IngressLoadBalancerIngress', {
  ip: zero(1, string),
  hostname: zero(2, string),
  ports: zero(4, list(IngressPortStatus)),
})
export interface IngressLoadBalancerIngress extends Of<typeof IngressLoadBalancerIngress> {}

export const IngressLoadBalancerStatus = struct('IngressLoadBalancerStatus', {
  ingress: zero(1, list(IngressLoadBalancerIngress)),
})
export interface IngressLoadBalancerStatus extends Of<typeof IngressLoadBalancerStatus> {}

export const IngressStatus = struct('IngressStatus', {
  loadBalancer: fill(1, IngressLoadBalancerStatus),
})
export interface IngressStatus extends Of<typeof IngressStatus> {}

export const Ingress = root('Ingress', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, IngressSpec),
  status: fill(3, IngressStatus),
})
export interface Ingress extends Of<typeof Ingress> {}

export const IngressClassParametersReference = struct('IngressClassParametersReference', {
  apiGroup: opt(1, string),
  kind: req(2, string),
  name: req(3, string),
  scope: opt(4, string),
  namespace: opt(5, string),
})
export interface IngressClassParametersReference extends Of<typeof IngressClassParametersReference> {}

export const IngressClassSpec = struct('IngressClassSpec', {
  controller: zero(1, string),
  parameters: opt(2, IngressClassParametersReference),
})
export interface IngressClassSpec extends Of<typeof IngressClassSpec> {}

export const IngressClass = root('IngressClass', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, IngressClassSpec),
})
export interface IngressClass extends Of<typeof IngressClass> {}

export const NetworkPolicyPeer = struct('NetworkPolicyPeer', {
  podSelector: opt(1, LabelSelector),
  namespaceSelector: opt(2, LabelSelector),
  ipBlock: opt(3, IPBlock),
})
export interface NetworkPolicyPeer extends Of<typeof NetworkPolicyPeer> {}

export const NetworkPolicyPort = struct('NetworkPolicyPort', {
  protocol: opt(1, Protocol),
  port: opt(2, intOrString),
  endPort: opt(3, int32),
})
export interface NetworkPolicyPort extends Of<typeof NetworkPolicyPort> {}

export const NetworkPolicyEgressRule = struct('NetworkPolicyEgressRule', {
  ports: zero(1, list(NetworkPolicyPort)),
  to: zero(2, list(NetworkPolicyPeer)),
})
export interface NetworkPolicyEgressRule extends Of<typeof NetworkPolicyEgressRule> {}

export const NetworkPolicyIngressRule = struct('NetworkPolicyIngressRule', {
  ports: zero(1, list(NetworkPolicyPort)),
  from: zero(2, list(NetworkPolicyPeer)),
})
export interface NetworkPolicyIngressRule extends Of<typeof NetworkPolicyIngressRule> {}

export const PolicyType = oneOf('Ingress', 'Egress')
export type PolicyType = Of<typeof PolicyType>

export const NetworkPolicySpec = struct('NetworkPolicySpec', {
  podSelector: fill(1, LabelSelector),
  ingress: zero(2, list(NetworkPolicyIngressRule)),
  egress: zero(3, list(NetworkPolicyEgressRule)),
  policyTypes: zero(4, list(PolicyType)),
})
export interface NetworkPolicySpec extends Of<typeof NetworkPolicySpec> {}

export const NetworkPolicy = root('NetworkPolicy', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, NetworkPolicySpec),
})
export interface NetworkPolicy extends Of<typeof NetworkPolicy> {}

export const ServiceCIDRSpec = struct('ServiceCIDRSpec', {
  cidrs: zero(1, list(string)),
})
export interface ServiceCIDRSpec extends Of<typeof ServiceCIDRSpec> {}

export const ServiceCIDRStatus = struct('ServiceCIDRStatus', {
  conditions: zero(1, mapList(Condition, ['type']), { patch: 'merge', key: 'type' }),
})
export interface ServiceCIDRStatus extends Of<typeof ServiceCIDRStatus> {}

export const ServiceCIDR = root('ServiceCIDR', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, ServiceCIDRSpec),
  status: fill(3, ServiceCIDRStatus),
})
export interface ServiceCIDR extends Of<typeof ServiceCIDR> {}

const gv = groupVersion('networking.k8s.io', 'v1')

export const ipaddresses = gv.resource(IPAddress, { plural: 'ipaddresses', short: ['ip'] })
export const ingresses = gv.resource(Ingress, { plural: 'ingresses', short: ['ing'], namespaced: true, subresources: ['status'] })
export const ingressclasses = gv.resource(IngressClass, { plural: 'ingressclasses' })
export const networkpolicies = gv.resource(NetworkPolicy, { plural: 'networkpolicies', short: ['netpol'], namespaced: true })
export const servicecidrs = gv.resource(ServiceCIDR, { plural: 'servicecidrs', subresources: ['status'] })
