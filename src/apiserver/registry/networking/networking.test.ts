import { describe, expect, it } from 'vitest'
import { networking, policy, type Resource } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import type { Strategy } from '../../strategy.ts'
import { strategyFor } from '../strategies.ts'
import { complete, createErrors, created, environment, statusErrors, updateErrors } from '../testing.ts'

const any = <T extends ApiObject, I>(resource: Resource<T, I>) => resource as unknown as Resource<ApiObject>
const named = (body: object, name = 'a') => ({ metadata: { name, namespace: 'default' }, ...body })
const nameErrors = (resource: Resource<ApiObject>, name: string) => strategyFor(resource as never, environment).validateName?.(name)
const service = { service: { name: 'web', port: { number: 80 } } }
const ingress = (part: object) => ({ spec: { rules: [{ http: { paths: [{ path: '/', pathType: 'Prefix', backend: service, ...part }] } }] } })
const first = 'spec.rules[0].http.paths[0]'
const peer = (part: object) => ({ spec: { podSelector: {}, ingress: [{ ports: [part] }] } })

describe('what is wrong with', () => {
  it.each<[string, Resource<ApiObject>, object, string[]]>([
    ['an ingress path without a type: only that', any(networking.ingresses), ingress({ pathType: undefined, backend: {} }), [`${first}.pathType: Required value: pathType must be specified`]],
    ['an ingress path of another type', any(networking.ingresses), ingress({ pathType: 'X', path: 'a' }), [`${first}.pathType: Unsupported value: "X": supported values: "Exact", "ImplementationSpecific", "Prefix"`]],
    ['an ingress path with steps', any(networking.ingresses), ingress({ path: 'a//b/..' }), [
      `${first}.path: Invalid value: "a//b/..": must be an absolute path`, `${first}.path: Invalid value: "a//b/..": must not contain '//'`, `${first}.path: Invalid value: "a//b/..": cannot end with '/..'`,
    ]],
    ['an ingress backend of two ports', any(networking.ingresses), ingress({ backend: { service: { name: 'web', port: { name: 'http', number: 80 } } } }), [`${first}.backend: Invalid value: "": cannot set both port name & port number`]],
    ['an ingress without backend', any(networking.ingresses), ingress({ backend: {} }), [`${first}.backend: Invalid value: "": resource or service backend is required`]],
    ['an ingress backend of a resource', any(networking.ingresses), ingress({ backend: { resource: { apiGroup: 'G', kind: 'a/b', name: '' } } }), [
      expect.stringContaining(`${first}.backend.resource.apiGroup: Invalid value: "G": a lowercase RFC 1123 subdomain`) as unknown as string,
      `${first}.backend.resource.kind: Invalid value: "a/b": may not contain '/'`, `${first}.backend.resource.name: Required value`,
    ]],
    ['a class with a bad controller', any(networking.ingressclasses), { spec: { controller: 'a.io/?' } }, [`spec.controller: Invalid value: "a.io/?": Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')`]],
    ['a class without domain', any(networking.ingressclasses), { spec: { controller: 'nginx' } }, ['spec.controller: Invalid value: "nginx": must be a domain-prefixed path (such as "acme.io/foo")']],
    ['a class with parameters of nothing', any(networking.ingressclasses), { spec: { controller: 'a.io/x', parameters: { scope: 'Namespace' } } },
      ['spec.parameters.kind: Required value', 'spec.parameters.name: Required value', "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'"]],
    ['a class with parameters of another scope', any(networking.ingressclasses), { spec: { controller: 'a.io/x', parameters: { kind: 'K', name: 'n', scope: 'X', namespace: 'n' } } },
      ['spec.parameters.scope: Unsupported value: "X": supported values: "Cluster", "Namespace"']],
    ['a policy by another protocol', any(networking.networkpolicies), peer({ protocol: 'ICMP' }), ['spec.ingress[0].ports[0].protocol: Unsupported value: "ICMP": supported values: "TCP", "UDP", "SCTP"']],
    ['a policy of ports backwards', any(networking.networkpolicies), peer({ port: 80, endPort: 79 }), ['spec.ingress[0].ports[0].endPort: Invalid value: 79: must be greater than or equal to `port`']],
    ['a policy of another type', any(networking.networkpolicies), { spec: { podSelector: {}, policyTypes: ['X'] } }, ['spec.policyTypes[0]: Unsupported value: "X": supported values: "Ingress", "Egress"']],
    ['an address of a bad parent', any(networking.ipaddresses), { spec: { parentRef: { group: 'G_', resource: 'a/b', name: '', namespace: '..' } } }, [
      expect.stringContaining('spec.parentRef.group: Invalid value: "G_"') as unknown as string, `spec.parentRef.resource: Invalid value: "a/b": may not contain '/'`,
      'spec.parentRef.name: Required value', `spec.parentRef.namespace: Invalid value: "..": may not be '..'`,
    ]],
    ['a range with bits after its prefix', any(networking.servicecidrs), { spec: { cidrs: ['10.0.0.1/24', 'FD00::/64'] } },
      ['spec.cidrs[0]: Invalid value: "10.0.0.1/24": must not have bits set beyond the prefix length', 'spec.cidrs[1]: Invalid value: "FD00::/64": must be in canonical form ("fd00::/64")']],
    ['ranges of one family', any(networking.servicecidrs), { spec: { cidrs: ['10.0.0.0/24', '10.1.0.0/24'] } },
      ['spec.cidrs: Invalid value: ["10.0.0.0/24","10.1.0.0/24"]: may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64']],
    ['a budget of too much', any(policy.poddisruptionbudgets), { spec: { maxUnavailable: '101%', unhealthyPodEvictionPolicy: 'X' } },
      ['spec.maxUnavailable: Invalid value: "101%": must not be greater than 100%', 'spec.unhealthyPodEvictionPolicy: Unsupported value: "X": supported values: "AlwaysAllow", "IfHealthyBudget"']],
  ])('%s', (_, resource, written, errors) => {
    expect(createErrors(resource, named(written))).toEqual(errors)
  })
})

describe('what cannot change', () => {
  it.each<[string, Resource<ApiObject>, object, object, string[]]>([
    ['a range', any(networking.servicecidrs), { spec: { cidrs: ['10.0.0.0/24'] } }, { spec: { cidrs: ['10.1.0.0/24'] } }, ['spec.cidrs[0]: Invalid value: "10.1.0.0/24": field is immutable']],
    ['a range that gets a second', any(networking.servicecidrs), { spec: { cidrs: ['10.0.0.0/24'] } }, { spec: { cidrs: ['10.0.0.0/24', 'fd00::/64'] } }, []],
    ['ranges that become one', any(networking.servicecidrs), { spec: { cidrs: ['10.0.0.0/24', 'fd00::/64'] } }, { spec: { cidrs: ['10.0.0.0/24'] } }, ['spec.cidrs: Invalid value: ["10.0.0.0/24"]: field is immutable']],
    ['the controller of a class', any(networking.ingressclasses), { spec: { controller: 'a.io/x' } }, { spec: { controller: 'a.io/y' } }, ['spec.controller: Invalid value: "a.io/y": field is immutable']],
    ['who has an address', any(networking.ipaddresses), { spec: { parentRef: { resource: 'services', name: 'a' } } }, { spec: { parentRef: { resource: 'services', name: 'b' } } },
      ['spec.parentRef: Invalid value: {"resource":"services","name":"b"}: field is immutable']],
  ])('%s', (_, resource, before, after, errors) => {
    expect(updateErrors(resource, named(after), created(resource, named(before)))).toEqual(errors)
  })
})

it('addresses are named as they are written', () => {
  expect(['10.0.0.1', '2001:db8::1', '2001:DB8::1', '::ffff:10.0.0.1', 'x'].map((name) => nameErrors(any(networking.ipaddresses), name))).toEqual([
    [], [], ['must be in canonical form ("2001:db8::1")'], ['must not be an IPv4-mapped IPv6 address'], ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
  ])
})

it('budgets have any name that can stand in a path', () => {
  expect(nameErrors(any(policy.poddisruptionbudgets), 'My_Budget')).toEqual([])
})

const errorsOfStatus = (resource: Resource<ApiObject>, spec: object, status: object) => {
  const strategy = strategyFor(resource as never, environment) as unknown as Strategy<ApiObject>
  const current = complete(resource, named(spec))
  return statusErrors(strategy, complete(resource, named({ ...spec, status })), current)
}

it('a status is checked too', () => {
  expect(errorsOfStatus(any(networking.ingresses), ingress({}), { loadBalancer: { ingress: [{ ip: 'x' }, { hostname: '10.0.0.1' }] } })).toEqual([
    'status.loadBalancer.ingress[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
    'status.loadBalancer.ingress[1].hostname: Invalid value: "10.0.0.1": must be a DNS name, not an IP address',
  ])
  expect(errorsOfStatus(any(policy.poddisruptionbudgets), { spec: {} }, { currentHealthy: -1, conditions: [{ type: 'a', status: 'X', reason: '', message: '' }] })).toEqual([
    'status.conditions[0].status: Unsupported value: "X": supported values: "False", "True", "Unknown"', 'status.conditions[0].lastTransitionTime: Required value: must be set',
    'status.conditions[0].reason: Required value: must be set', 'status.currentHealthy: Invalid value: -1: must be greater than or equal to 0',
  ])
})
