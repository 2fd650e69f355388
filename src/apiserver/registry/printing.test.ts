import { describe, expect, it } from 'vitest'
import { admissionregistration, apiregistration, core, discovery, flowcontrol, networking, storage, type Resource } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { complete, row } from './testing.ts'

const any = (resource: unknown) => resource as Resource<ApiObject>
const named = (written: object) => ({ metadata: { name: 'x', namespace: 'default' }, ...written })

describe('kubectl get', () => {
  const http = { paths: [{ path: '/', pathType: 'Prefix', backend: { service: { name: 's', port: { number: 80 } } } }] }
  const rules = (...hosts: readonly string[]) => ({ spec: { rules: hosts.map((host) => (host ? { host, http } : { http })) } })
  const binding = (paramRef: object) => ({ spec: { policyName: 'p', validationActions: ['Deny'], paramRef } })
  const limited = (limitResponse: object) => ({ spec: { type: 'Limited', limited: { nominalConcurrencyShares: 30, limitResponse } } })

  it.each<[string, unknown, object, object]>([
    ['only hosts that rules name', networking.ingresses, rules('a.example', '', 'b.example'), { Hosts: 'a.example,b.example' }],
    ['hosts of rules without paths', networking.ingresses, { spec: { rules: [{ host: 'a.example' }] } }, { Hosts: 'a.example' }],
    ['all hosts where no rule names one', networking.ingresses, rules('', ''), { Hosts: '*' }],
    ['three hosts and the number of further rules', networking.ingresses, rules('a', 'b', 'c', 'd', ''), { Hosts: 'a,b,c + 2 more...' }],
    ['three hosts when there are no more rules behind the third', networking.ingresses, rules('', 'a', 'b', 'c'), { Hosts: 'a,b,c' }],
    ['each address of an ingress once, in order', networking.ingresses,
      { status: { loadBalancer: { ingress: [{ ip: '10.0.0.2' }, { ip: '10.0.0.1' }, { ip: '10.0.0.2' }, {}, { hostname: 'lb' }] } } }, { Address: '10.0.0.1,10.0.0.2,lb' }],
    ['no class for an old annotation', networking.ingresses, { metadata: { name: 'x', annotations: { 'kubernetes.io/ingress.class': 'old' } } }, { Class: '<none>' }],
    ['nothing for endpoints of which none is ready', core.endpoints, { subsets: [{ notReadyAddresses: [{ ip: '10.0.0.1' }], ports: [{ port: 80 }] }] }, { Endpoints: '' }],
    ['names of ports of a slice that have no number', discovery.endpointslices, { addressType: 'IPv4', endpoints: [], ports: [{ name: 'web' }, { port: 80 }] }, { Ports: 'web,80' }],
    ['no ports where a slice is for all', discovery.endpointslices, { addressType: 'IPv4', endpoints: [], ports: [{}] }, { Ports: '<unset>' }],
    ['tokens for the server itself', storage.csidrivers, { spec: { tokenRequests: [{ audience: '' }] } }, { TokenRequests: '' }],
    ['that there are no tokens', storage.csidrivers, { spec: {} }, { TokenRequests: '<unset>', AttachRequired: true }],
    ['an attributes class that is empty', core.persistentvolumeclaims, { spec: { volumeAttributesClassName: '' } }, { VolumeAttributesClass: '' }],
    ['only limits as limits', core.resourcequotas, { status: { hard: { 'limits.cpu': '1', 'limitsofmine.example/x': '2' } } }, { Limit: 'limits.cpu: 0/1', Request: 'limitsofmine.example/x: 0/2' }],
    ['a condition that is not known', flowcontrol.flowschemas,
      { spec: { priorityLevelConfiguration: { name: 'l' } }, status: { conditions: [{ type: 'Dangling', status: 'Unknown' }] } }, { MissingPL: 'Unknown' }],
    ['counts of a level as numbers', flowcontrol.prioritylevelconfigurations, limited({ type: 'Queue', queuing: { queues: 64, handSize: 6, queueLengthLimit: 50 } }),
      { NominalConcurrencyShares: 30, Queues: 64, HandSize: 6, QueueLengthLimit: 50 }],
    ['no queues where there are none', flowcontrol.prioritylevelconfigurations, limited({ type: 'Reject' }), { NominalConcurrencyShares: 30, Queues: '<none>', HandSize: '<none>', QueueLengthLimit: '<none>' }],
    ['an API that cannot be reached, with the reason', apiregistration.apiservices, { spec: {}, status: { conditions: [{ type: 'Available', status: 'False', reason: 'Down' }] } }, { Available: 'False (Down)' }],
    ['an API that cannot be reached for no known reason', apiregistration.apiservices, { spec: {}, status: { conditions: [{ type: 'Available', status: 'False' }] } }, { Available: 'False' }],
    ['parents of addresses in small letters', networking.ipaddresses, { spec: { parentRef: { group: 'Example.com', resource: 'Gateways', name: 'G' } } }, { ParentRef: 'gateways.example.com/G' }],
    ['a parameter and where it is', admissionregistration.validatingadmissionpolicybindings, binding({ namespace: 'n', name: 'a' }), { ParamRef: 'n/a' }],
    ['a parameter of any namespace', admissionregistration.validatingadmissionpolicybindings, binding({ name: 'a' }), { ParamRef: '*/a' }],
    ['parameters that are selected', admissionregistration.validatingadmissionpolicybindings,
      binding({ namespace: 'n', selector: { matchLabels: { b: '2', a: '1' }, matchExpressions: [{ key: 'c', operator: 'In', values: ['x', 'y'] }] } }),
      { ParamRef: '&LabelSelector{MatchLabels:map[string]string{a: 1,b: 2,},MatchExpressions:[]LabelSelectorRequirement{LabelSelectorRequirement{Key:c,Operator:In,Values:[x y],},},}' }],
    ['the address of a pod that has only the old field', core.pods, { spec: { containers: [{ name: 'c', image: 'i' }] }, status: { podIP: '10.0.0.1' } }, { IP: '10.0.0.1' }],
  ])('shows %s', (_, resource, written, cells) => {
    expect(row(any(resource), complete(any(resource), named(written)))).toMatchObject(cells)
  })
})
