import { describe, expect, it } from 'vitest'
import { core, networking } from '../../api/index.ts'
import { decodeObject } from '../../machinery/json.ts'
import { ipv4, ipv6 } from '../nft/family.ts'
import { concerns } from './policies.ts'
import { planPod, planPolicy, type PolicyView } from './rules.ts'

const pod = (name: string, ip: string, labels: object = {}, over: { node?: string; namespace?: string; hostNetwork?: boolean; ports?: object[]; phase?: string } = {}): core.Pod => decodeObject(core.Pod, {
  metadata: { name, namespace: over.namespace ?? 'shop', labels },
  spec: { nodeName: over.node ?? 'here', hostNetwork: over.hostNetwork, containers: [{ name: 'c', ports: over.ports ?? [] }] },
  status: { phase: over.phase ?? 'Running', podIP: ip, podIPs: [{ ip }] },
}).object
const policy = (spec: object, name = 'p'): networking.NetworkPolicy => decodeObject(networking.NetworkPolicy, { metadata: { name, namespace: 'shop' }, spec }).object
const namespaces: Record<string, Record<string, string>> = { shop: { team: 'a' }, tools: { team: 'b' } }
const view = (...pods: core.Pod[]): PolicyView => ({ pods, nodeName: 'here', namespaceLabels: (name) => namespaces[name] })

const web = pod('web', '10.0.0.1', { app: 'web' }, { ports: [{ name: 'http', containerPort: 8080 }] })
const client = pod('client', '10.0.1.2', { app: 'client' }, { node: 'there' })
const tool = pod('tool', '10.0.1.3', { app: 'tool' }, { node: 'there', namespace: 'tools' })
const onHost = pod('agent', '192.0.2.1', { app: 'client' }, { hostNetwork: true })
const all = view(web, client, tool, onHost)
const plan = (spec: object, v = all) => planPolicy(policy({ podSelector: { matchLabels: { app: 'web' } }, ...spec }), v, ipv4)
const rules = (spec: object, chain = 'np-in/shop/p') => plan(spec)?.chains?.[chain]?.rules
const keys = (spec: object, set: string) => plan(spec)?.elements?.filter((e) => e.in === set).map((e) => e.key)

describe('the rules of a network policy', () => {
  it('allow nothing without rules and everything by an empty rule', () => {
    expect(rules({ policyTypes: ['Ingress'] })).toEqual([])
    expect(rules({ ingress: [{}] })).toEqual(['accept'])
  })

  it('isolate for ingress always, for egress when egress rules say so or the types do', () => {
    expect(Object.keys(plan({})?.chains ?? {})).toEqual(['np-in/shop/p'])
    expect(Object.keys(plan({ egress: [{}] })?.chains ?? {})).toEqual(['np-in/shop/p', 'np-out/shop/p'])
    expect(Object.keys(plan({ policyTypes: ['Egress'] })?.chains ?? {})).toEqual(['np-out/shop/p'])
  })

  it('name pods by label within the namespace, never those on the host network', () => {
    const spec = { ingress: [{ from: [{ podSelector: { matchLabels: { app: 'client' } } }] }] }
    expect(rules(spec)).toEqual(['ip saddr @peer-in/shop/p/0/0 accept'])
    expect(keys(spec, 'peer-in/shop/p/0/0')).toEqual(['10.0.1.2'])
  })

  it('name pods of namespaces by the labels of both', () => {
    expect(keys({ ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'b' } } }] }] }, 'peer-in/shop/p/0/0')).toEqual(['10.0.1.3'])
    expect(keys({ ingress: [{ from: [{ namespaceSelector: {}, podSelector: { matchLabels: { app: 'client' } } }] }] }, 'peer-in/shop/p/0/0')).toEqual(['10.0.1.2'])
  })

  it('name blocks of addresses with exceptions, of their own family', () => {
    const ingress = [{ from: [{ ipBlock: { cidr: '192.0.2.0/24', except: ['192.0.2.128/25'] } }, { ipBlock: { cidr: 'fd00::/8' } }] }]
    expect(rules({ ingress })).toEqual(['ip saddr 192.0.2.0/24 ip saddr != { 192.0.2.128/25 } accept'])
    expect(rules({ ingress: [{ from: [{ ipBlock: { cidr: 'fd00::/8' } }] }] })).toEqual([])
  })

  it('combine every peer with every port', () => {
    expect(rules({ egress: [{ to: [{ ipBlock: { cidr: '192.0.2.1/32' } }, { ipBlock: { cidr: '192.0.2.2/32' } }], ports: [{ port: 53, protocol: 'UDP' }, { port: 8000, endPort: 8080 }, { protocol: 'TCP' }] }] }, 'np-out/shop/p')).toEqual([
      'ip daddr 192.0.2.1/32 meta l4proto udp th dport 53 accept',
      'ip daddr 192.0.2.1/32 meta l4proto tcp th dport 8000-8080 accept',
      'ip daddr 192.0.2.1/32 meta l4proto tcp accept',
      'ip daddr 192.0.2.2/32 meta l4proto udp th dport 53 accept',
      'ip daddr 192.0.2.2/32 meta l4proto tcp th dport 8000-8080 accept',
      'ip daddr 192.0.2.2/32 meta l4proto tcp accept',
    ])
  })

  it('find a named port in the pods that receive', () => {
    const spec = { ingress: [{ ports: [{ port: 'http' }, { port: 'none' }] }] }
    expect(rules(spec)).toEqual(['ip daddr . meta l4proto . th dport @port-in/shop/p/0/0 accept', 'ip daddr . meta l4proto . th dport @port-in/shop/p/0/1 accept'])
    expect(keys(spec, 'port-in/shop/p/0/0')).toEqual(['10.0.0.1 . tcp . 8080'])
    expect(keys(spec, 'port-in/shop/p/0/1')).toEqual([])
  })

  it('are none where the policy selects no pod of this node', () => {
    expect(plan({}, view(pod('web', '10.0.0.1', { app: 'web' }, { node: 'there' })))).toBeUndefined()
    expect(plan({}, view(pod('web', '10.0.0.1', { app: 'web' }, { phase: 'Succeeded' })))).toBeUndefined()
    expect(planPolicy(policy({ podSelector: {} }), all, ipv6)).toBeUndefined()
  })
})

describe('an isolated pod', () => {
  it('passes through all its policies, then is dropped; the same policies make the same chain', () => {
    const policies = [policy({ podSelector: {} }, 'b'), policy({ podSelector: {}, policyTypes: ['Ingress', 'Egress'] }, 'a')]
    const first = planPod(web, policies, ipv4)
    const second = planPod(pod('other', '10.0.0.9'), [...policies].reverse(), ipv4)
    const [ingress, egress] = first?.elements ?? []
    expect([ingress?.in, ingress?.key, egress?.in]).toEqual(['isolated-ingress', '10.0.0.1', 'isolated-egress'])
    expect(first?.chains?.[ingress?.value?.slice('goto '.length) ?? '']?.rules).toEqual(['jump np-in/shop/a', 'jump np-in/shop/b', 'drop'])
    expect(first?.chains?.[egress?.value?.slice('goto '.length) ?? '']?.rules).toEqual(['jump np-out/shop/a', 'drop'])
    expect(second?.elements?.map((e) => e.value)).toEqual(first?.elements?.map((e) => e.value))
  })

  it('is free when no policy selects it', () => {
    expect(planPod(web, [policy({ podSelector: { matchLabels: { app: 'x' } } })], ipv4)).toBeUndefined()
    expect(planPod(onHost, [policy({ podSelector: {} })], ipv4)).toBeUndefined()
  })
})

describe('a policy is looked at again', () => {
  it('when one of its own pods or peers changes, and for named ports outside when any does', () => {
    const labels = (name: string) => namespaces[name]
    const p = policy({ podSelector: { matchLabels: { app: 'web' } }, ingress: [{ from: [{ podSelector: { matchLabels: { app: 'client' } } }] }] })
    expect([web, client, tool].map((x) => concerns(p, x, labels))).toEqual([true, true, false])
    expect(concerns(policy({ podSelector: {}, egress: [{ ports: [{ port: 'dns' }] }] }), tool, labels)).toBe(true)
  })
})
