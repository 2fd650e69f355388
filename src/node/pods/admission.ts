/** The node's own last word on a pod: whether it fits here. The scheduler asked the same; pods bound by hand were not asked. */
import type { core } from '../../api/index.ts'
import { parseQuantity, quantityOf, type Quantity } from '../../machinery/quantity.ts'

export interface Refusal { readonly reason: string; readonly message: string }

/** What a pod asks for: the sum of its containers, or its largest init container if that is more. */
function podRequest(pod: core.Pod, resource: string): Quantity {
  const of = (c: core.Container): Quantity => parseQuantity(c.resources.requests?.[resource] ?? c.resources.limits?.[resource] ?? '0')
  const none = quantityOf(0)
  const init = pod.spec.initContainers ?? []
  const sidecars = init.filter((c) => c.restartPolicy === 'Always')
  const sum = [...pod.spec.containers, ...sidecars].reduce((total, c) => total.add(of(c)), none)
  const largest = init.filter((c) => c.restartPolicy !== 'Always').map(of).reduce((a, b) => (a.compare(b) > 0 ? a : b), sum)
  const whole = pod.spec.resources?.requests?.[resource]
  return (whole === undefined ? largest : parseQuantity(whole)).add(parseQuantity(pod.spec.overhead?.[resource] ?? '0'))
}

/** A resource under a domain of somebody else's. */
const isExtended = (resource: string): boolean => resource.includes('/') && !resource.includes('kubernetes.io/')

const isOver = (pod: core.Pod) => pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed'

/** Why the pod cannot run on this node beside the others, in Kubernetes's reasons; undefined when it can. */
export function admitPod(pod: core.Pod, others: readonly core.Pod[], node: core.Node | undefined): Refusal | undefined {
  if (!node) return undefined
  const labels = node.metadata.labels ?? {}
  const selector = Object.entries(pod.spec.nodeSelector ?? {})
  if (!selector.every(([key, value]) => labels[key] === value) || !affinityFits(pod, node)) {
    return { reason: 'NodeAffinity', message: 'Pod was rejected: Predicate NodeAffinity failed: node(s) didn\'t match Pod\'s node affinity/selector' }
  }
  const active = others.filter((p) => !isOver(p) && p.metadata.uid !== pod.metadata.uid)
  const taken = active.flatMap(hostPorts)
  if (hostPorts(pod).some((wanted) => taken.some((one) => sharePort(one, wanted)))) {
    return { reason: 'NodePorts', message: 'Pod was rejected: Predicate NodePorts failed: node(s) didn\'t have free ports for the requested pod ports' }
  }
  const os = pod.spec.os?.name
  if (os !== undefined && os !== 'linux') return { reason: 'PodOSNotSupported', message: 'Pod was rejected: Failed to admit pod as the OS field doesn\'t match node OS' }
  const sysctl = (pod.spec.securityContext?.sysctls ?? []).find((s) => !isSafeSysctl(s.name, pod))
  if (sysctl) return { reason: 'SysctlForbidden', message: `Pod was rejected: forbidden sysctl: ${JSON.stringify(sysctl.name)} not allowlisted` }
  if (pod.spec.securityContext?.supplementalGroupsPolicy === 'Strict') {
    return { reason: 'SupplementalGroupsPolicyNotSupported', message: 'Pod was rejected: SupplementalGroupsPolicy=Strict is not supported in this node' }
  }
  const allocatable = node.status.allocatable ?? {}
  const most = allocatable['pods']
  if (most !== undefined && BigInt(active.length + 1) > parseQuantity(most).value()) return outOf('pods', 1n, BigInt(active.length), parseQuantity(most).value())
  for (const resource of requestedResources(pod)) {
    const wanted = podRequest(pod, resource)
    // What a scheduler's extender counts by itself is in no node's capacity: the node lets it pass.
    if (wanted.isZero() || (isExtended(resource) && !(resource in allocatable))) continue
    const capacity = parseQuantity(allocatable[resource] ?? '0')
    const used = active.reduce((total, p) => total.add(podRequest(p, resource)), quantityOf(0))
    const amount = (q: Quantity) => (resource === 'cpu' ? q.milliValue() : q.value())
    if (used.add(wanted).compare(capacity) > 0) return outOf(resource, amount(wanted), amount(used), amount(capacity))
  }
  return undefined
}

/** The ports of the node that a pod's containers take, its sidecars' among them; the others of its init containers are gone when it runs. */
const hostPorts = ({ spec }: core.Pod): readonly core.ContainerPort[] =>
  [...spec.containers, ...(spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')].flatMap((c) => c.ports ?? []).filter((p) => p.hostPort)

const anywhere = new Set(['', '0.0.0.0'])

/** Whether two host ports cannot be had at once: the same port and protocol, at the same address or at any. */
function sharePort(a: core.ContainerPort, b: core.ContainerPort): boolean {
  const [one, other] = [a.hostIP ?? '', b.hostIP ?? '']
  return a.hostPort === b.hostPort && (a.protocol ?? 'TCP') === (b.protocol ?? 'TCP') && (one === other || anywhere.has(one) || anywhere.has(other))
}

/** Sysctls that belong to a pod's own namespaces and harm nobody else: Kubernetes's list. */
const safeSysctls: ReadonlySet<string> = new Set([
  'kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.tcp_syncookies', 'net.ipv4.ping_group_range', 'net.ipv4.ip_unprivileged_port_start', 'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_keepalive_intvl', 'net.ipv4.tcp_keepalive_probes', 'net.ipv4.tcp_rmem', 'net.ipv4.tcp_wmem',
])

function isSafeSysctl(name: string, { spec }: core.Pod): boolean {
  const dotted = name.replaceAll('/', '.')
  return safeSysctls.has(dotted) && !(dotted.startsWith('net.') ? spec.hostNetwork : spec.hostIPC)
}

const outOf = (resource: string, requested: bigint, used: bigint, capacity: bigint): Refusal => ({
  reason: `OutOf${resource}`,
  message: `Pod was rejected: Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
})

function requestedResources(pod: core.Pod): Set<string> {
  const lists = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].flatMap((c) => [c.resources.requests, c.resources.limits])
  return new Set([...lists, pod.spec.resources?.requests, pod.spec.overhead].flatMap((list) => Object.keys(list ?? {})))
}

function affinityFits(pod: core.Pod, node: core.Node): boolean {
  const required = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  if (!required) return true
  const labels = node.metadata.labels ?? {}
  return required.nodeSelectorTerms.some((term) => {
    const expressions = term.matchExpressions ?? []
    const fields = term.matchFields ?? []
    if (expressions.length + fields.length === 0) return false
    return expressions.every((r) => requirementFits(r, labels[r.key])) && fields.every((r) => requirementFits(r, r.key === 'metadata.name' ? node.metadata.name : undefined))
  })
}

function requirementFits(r: core.NodeSelectorRequirement, value: string | undefined): boolean {
  const values = r.values ?? []
  switch (r.operator) {
    case 'In': return value !== undefined && values.includes(value)
    case 'NotIn': return value === undefined || !values.includes(value)
    case 'Exists': return value !== undefined
    case 'DoesNotExist': return value === undefined
    case 'Gt': return value !== undefined && Number(value) > Number(values[0])
    case 'Lt': return value !== undefined && Number(value) < Number(values[0])
    default: return false
  }
}
