import { bool, fill, int32, list, map, opt, req, root, setOf, string, struct, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { ObjectReference, Protocol } from '../core/shared.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const EndpointConditions = struct('EndpointConditions', {
  ready: opt(1, bool, 'Whether it takes new traffic.'),
  serving: opt(2, bool, 'Whether it can serve, even on its way out.'),
  terminating: opt(3, bool, 'Whether it is on its way out.'),
}, 'Whether an endpoint is ready.')
export interface EndpointConditions extends Of<typeof EndpointConditions> {}

export const ForNode = struct('ForNode', {
  name: req(1, string, 'Of the node.'),
})
export interface ForNode extends Of<typeof ForNode> {}

export const ForZone = struct('ForZone', {
  name: req(1, string, 'Of the zone.'),
})
export interface ForZone extends Of<typeof ForZone> {}

export const EndpointHints = struct('EndpointHints', {
  forZones: zero(1, list(ForZone), 'For clients in these zones.'),
  forNodes: zero(2, list(ForNode), 'For clients on these nodes.'),
}, 'For whom an endpoint is best.')
export interface EndpointHints extends Of<typeof EndpointHints> {}

export const Endpoint = struct('Endpoint', {
  addresses: req(1, setOf(string), 'Its addresses.'),
  conditions: fill(2, EndpointConditions, 'Whether it is ready.'),
  hostname: opt(3, string, 'Its host name.'),
  targetRef: opt(4, ObjectReference, 'The pod behind it.'),
  deprecatedTopology: zero(5, map(string), 'No longer set.'),
  nodeName: opt(6, string, 'The node it is on.'),
  zone: opt(7, string, 'The zone it is in.'),
  hints: opt(8, EndpointHints, 'For whom it is best.'),
}, 'Where a service is reached.')
export interface Endpoint extends Of<typeof Endpoint> {}

export const EndpointPort = struct('EndpointPort', {
  name: opt(1, string, 'Its name.'),
  protocol: opt(2, Protocol, 'TCP, UDP or SCTP.'),
  port: opt(3, int32, 'Its number.'),
  appProtocol: opt(4, string, 'What is spoken on it.'),
}, { doc: 'A port.', atomic: true })
export interface EndpointPort extends Of<typeof EndpointPort> {}

export const EndpointSlice = root('EndpointSlice', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like; the label kubernetes.io/service-name names the service.'),
  addressType: req(4, string, 'IPv4, IPv6 or FQDN.'),
  endpoints: fill(2, list(Endpoint), 'The endpoints.'),
  ports: fill(3, list(EndpointPort), 'Ports that all of them have.'),
}, 'Some of the addresses of a service.')
export interface EndpointSlice extends Of<typeof EndpointSlice> {}

const gv = groupVersion('discovery.k8s.io', 'v1')

export const endpointslices = gv.resource(EndpointSlice, { plural: 'endpointslices', namespaced: true })
