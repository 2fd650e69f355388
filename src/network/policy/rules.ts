/**
 * The rules of NetworkPolicies: pure functions from policies and pods to parts of the nftables table.
 *
 *     forward ─▶ policy-egress  ─ ip saddr @isolated-egress  ─▶ pod-out/<hash of its policies> ─▶ np-out/<ns>/<policy> … accept
 *             ─▶ policy-ingress ─ ip daddr @isolated-ingress ─▶ pod-in/<hash of its policies>  ─▶ np-in/<ns>/<policy>  … accept
 *                                                                                              └▶ drop
 *
 * Traffic between a node and its own pods is never forwarded, so it is always allowed, as Kubernetes wants it.
 * https://kubernetes.io/docs/concepts/services-networking/network-policies/
 */
import { createHash } from 'node:crypto'
import type { core, networking } from '../../api/index.ts'
import type { Chain, Element, Fragment } from '../nft/ledger.ts'
import type { Family } from '../nft/family.ts'
import { mapNames } from '../proxy/base.ts'
import { directionsOf, isOnPodNetwork, pickedBy, selectedBy, type NamespaceLabels } from './select.ts'

export type Direction = 'Ingress' | 'Egress'

export interface PolicyView {
  readonly pods: readonly core.Pod[]
  readonly nodeName: string
  readonly namespaceLabels: NamespaceLabels
}

const isolated = { Ingress: 'isolated-ingress', Egress: 'isolated-egress' } as const
const short = { Ingress: 'in', Egress: 'out' } as const
/** nftables names have at most 255 characters, policy names 253. */
const longest = 150
const hashOf = (text: string) => createHash('sha256').update(text).digest('hex').slice(0, 16)

const idOf = (policy: networking.NetworkPolicy): string => {
  const id = `${policy.metadata.namespace}/${policy.metadata.name}`
  return id.length <= longest ? id : hashOf(id)
}

/** The pod's address in the family; undefined when it has none (yet, or any more). */
const addressOf = (pod: core.Pod, family: Family): string | undefined =>
  (isOnPodNetwork(pod) ? [...(pod.status.podIPs ?? []).map((p) => p.ip), pod.status.podIP ?? ''].find((ip) => family.has(ip)) : undefined)

/** The hooks, before the services' own filters. Established connections stay allowed. */
export function planPolicyBase(family: Family): Fragment {
  const f = family.table
  const hook = (direction: Direction, side: 'saddr' | 'daddr', priority: number): Chain => ({
    hook: `type filter hook forward priority ${priority}; policy accept;`,
    rules: ['ct state established,related accept', `${f} saddr . ${f} daddr @${mapNames.hairpin} accept`, `${f} ${side} vmap @${isolated[direction]}`],
  })
  return {
    maps: { [isolated.Ingress]: `type ${family.address} : verdict;`, [isolated.Egress]: `type ${family.address} : verdict;` },
    chains: { 'policy-egress': hook('Egress', 'saddr', -2), 'policy-ingress': hook('Ingress', 'daddr', -1) },
  }
}

/** One pod of this node and the policies that isolate it. Pods with the same policies share a chain. */
export function planPod(pod: core.Pod, policies: readonly networking.NetworkPolicy[], family: Family): Fragment | undefined {
  const ip = addressOf(pod, family)
  if (ip === undefined) return undefined
  const chains: Record<string, Chain> = {}
  const elements: Element[] = []
  for (const direction of ['Ingress', 'Egress'] as const) {
    const ids = policies.filter((p) => directionsOf(p).includes(direction) && selectedBy(p)(pod)).map(idOf).sort()
    if (ids.length === 0) continue
    const chain = `pod-${short[direction]}/${hashOf(ids.join(' '))}`
    chains[chain] = { rules: [...ids.map((id) => `jump np-${short[direction]}/${id}`), 'drop'] }
    elements.push({ in: isolated[direction], key: ip, value: `goto ${chain}` })
  }
  return elements.length > 0 ? { chains, elements } : undefined
}

interface Rule { readonly ports?: readonly networking.NetworkPolicyPort[] | undefined; readonly peers: readonly networking.NetworkPolicyPeer[] }

const rulesOf = (policy: networking.NetworkPolicy, direction: Direction): readonly Rule[] =>
  (direction === 'Ingress'
    ? (policy.spec.ingress ?? []).map((r) => ({ ports: r.ports, peers: r.from ?? [] }))
    : (policy.spec.egress ?? []).map((r) => ({ ports: r.ports, peers: r.to ?? [] })))

interface Draft { readonly sets: Record<string, string>; readonly elements: Element[] }

interface Scope {
  readonly policy: networking.NetworkPolicy
  readonly direction: Direction
  readonly view: PolicyView
  readonly family: Family
  readonly draft: Draft
}

/** The match for one peer: a set of pod addresses, kept up to date, or an ipBlock without its exceptions. Undefined: of the other family. */
function peerMatch({ policy, direction, view, family, draft }: Scope, peer: networking.NetworkPolicyPeer, name: string): string | undefined {
  const side = `${family.table} ${direction === 'Ingress' ? 'saddr' : 'daddr'}`
  const pick = pickedBy(peer, policy.metadata.namespace ?? '', view.namespaceLabels)
  if (!pick) {
    const { cidr = '', except = [] } = peer.ipBlock ?? {}
    if (!family.has(cidr)) return undefined
    const without = except.filter((e) => family.has(e))
    return `${side} ${cidr}${without.length > 0 ? ` ${side} != { ${without.join(', ')} }` : ''}`
  }
  draft.sets[name] = `type ${family.address};`
  for (const pod of view.pods.filter(pick)) {
    const ip = addressOf(pod, family)
    if (ip !== undefined) draft.elements.push({ in: name, key: ip })
  }
  return `${side} @${name}`
}

/** A named port has its own number in each pod: a set of address, protocol and number. */
function namedPort({ policy, direction, view, family, draft }: Scope, port: networking.NetworkPolicyPort, name: string): string {
  const protocol = port.protocol ?? 'TCP'
  const receives = direction === 'Ingress' ? selectedBy(policy) : isOnPodNetwork
  draft.sets[name] = `type ${family.address} . inet_proto . inet_service;`
  for (const pod of view.pods.filter(receives)) {
    const ip = addressOf(pod, family)
    const ports = pod.spec.containers.flatMap((c) => c.ports ?? []).filter((p) => p.name === port.port && (p.protocol ?? 'TCP') === protocol)
    if (ip !== undefined) for (const p of ports) draft.elements.push({ in: name, key: `${ip} . ${protocol.toLowerCase()} . ${p.containerPort}` })
  }
  return `${family.table} daddr . meta l4proto . th dport @${name}`
}

function portMatch(scope: Scope, port: networking.NetworkPolicyPort, name: string): string {
  const protocol = (port.protocol ?? 'TCP').toLowerCase()
  if (port.port === undefined) return `meta l4proto ${protocol}`
  if (typeof port.port === 'string') return namedPort(scope, port, name)
  return `meta l4proto ${protocol} th dport ${port.port}${port.endPort === undefined ? '' : `-${port.endPort}`}`
}

/** The rules of a policy; undefined while it selects no pod of this node. */
export function planPolicy(policy: networking.NetworkPolicy, view: PolicyView, family: Family): Fragment | undefined {
  const selects = selectedBy(policy)
  if (!view.pods.some((pod) => pod.spec.nodeName === view.nodeName && selects(pod) && addressOf(pod, family) !== undefined)) return undefined
  const draft: Draft = { sets: {}, elements: [] }
  const chains: Record<string, Chain> = {}
  for (const direction of directionsOf(policy)) {
    const scope: Scope = { policy, direction, view, family, draft }
    const id = `${short[direction]}/${idOf(policy)}`
    const rules = rulesOf(policy, direction).flatMap((rule, r) => {
      const peers = rule.peers.length === 0 ? [''] : rule.peers.map((peer, p) => peerMatch(scope, peer, `peer-${id}/${r}/${p}`)).filter((m) => m !== undefined)
      const ports = rule.ports?.length ? rule.ports.map((port, p) => portMatch(scope, port, `port-${id}/${r}/${p}`)) : ['']
      return peers.flatMap((peer) => ports.map((port) => [peer, port, 'accept'].filter(Boolean).join(' ')))
    })
    chains[`np-${id}`] = { rules }
  }
  return { ...draft, chains }
}
