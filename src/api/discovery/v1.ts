import { bool, fill, int32, list, map, opt, req, root, setOf, string, struct, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { ObjectReference, Protocol } from '../core/shared.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const EndpointConditions = struct('EndpointConditions', {
  ready: opt(1, bool),
  serving: opt(2, bool),
  terminating: opt(3, bool),
})
export interface EndpointConditions extends Of<typeof EndpointConditions> {}

export const ForNode = struct('ForNode', {
  name: req(1, string),
})
export interface ForNode extends Of<typeof ForNode> {}

export const ForZone = struct('ForZone', {
  name: req(1, string),
})
export interface ForZone extends Of<typeof ForZone> {}

export const EndpointHints = struct('EndpointHints', {
  forZones: zero(1, list(ForZone)),
  forNodes: zero(2, list(ForNode)),
})
export interface EndpointHints extends Of<typeof EndpointHints> {}

export const Endpoint = struct('Endpoint', {
  addresses: req(1, setOf(string)),
  conditions: fill(2, EndpointConditions),
  hostname: opt(3, string),
  targetRef: opt(4, ObjectReference),
  deprecatedTopology: zero(5, map(string)),
  nodeName: opt(6, string),
  zone: opt(7, string),
  hints: opt(8, EndpointHints),
})
export interface Endpoint extends Of<typeof Endpoint> {}

export const EndpointPort = struct('EndpointPort', {
  name: opt(1, string),
  protocol: opt(2, Protocol),
  port: opt(3, int32),
  appProtocol: opt(4, string),
}, { atomic: true })
export interface EndpointPort extends Of<typeof EndpointPort> {}

export const EndpointSlice = root('EndpointSlice', {
  metadata: fill(1, ObjectMeta),
  addressType: req(4, string),
  endpoints: fill(2, list(Endpoint)),
  ports: fill(3, list(EndpointPort)),
})
export interface EndpointSlice extends Of<typeof EndpointSlice> {}

const gv = groupVersion('discovery.k8s.io', 'v1')

export const endpointslices = gv.resource(EndpointSlice, { plural: 'endpointslices', namespaced: true })
