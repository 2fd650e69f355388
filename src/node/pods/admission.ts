/** The node's own last word on a pod: whether it fits here. The scheduler asked the same; pods bound by hand were not asked. */
import type { core } from '../../api/index.ts'
import { parseQuantity, quantityOf, type Quantity } from '../../machinery/quantity.ts'
import { qosClass } from './resources.ts'

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

/** Why the pod cannot run on this node beside the others, in Kubernetes's reasons and in its order; undefined when it can. */
export function admitPod(pod: core.Pod, others: readonly core.Pod[], node: core.Node | undefined): Refusal | undefined {
  if (!node) return undefined
  const active = others.filter((p) => !isOver(p) && p.metadata.uid !== pod.metadata.uid)
  return underPressure(pod, node) ?? beyondThisNode(pod, node) ?? lacking(pod, active, node) ?? misplaced(pod, active, node)
}

/** A node that runs out of something takes nothing in but what the system cannot do without; one short of memory alone, what has a request or bears it. */
function underPressure(pod: core.Pod, node: core.Node): Refusal | undefined {
  const conditions = ['MemoryPressure', 'DiskPressure', 'PIDPressure'].filter((type) => node.status.conditions?.some((c) => c.type === type && c.status === 'True'))
  if (conditions.length === 0 || (pod.spec.priority ?? 0) >= 2_000_000_000) return undefined
  const isMemoryAlone = conditions.length === 1 && conditions[0] === 'MemoryPressure'
  if (isMemoryAlone && (qosClass(pod) !== 'BestEffort' || bears(pod, { key: 'node.kubernetes.io/memory-pressure', effect: 'NoSchedule' }))) return undefined
  return { reason: 'Evicted', message: `The node had condition: [${conditions.join(' ')}]. ` }
}

/** What no node of this kind can do. */
function beyondThisNode({ spec, metadata }: core.Pod, node: core.Node): Refusal | undefined {
  const sysctl = (spec.securityContext?.sysctls ?? []).find((s) => !isSafeSysctl(s.name, spec))
  if (sysctl) return { reason: 'SysctlForbidden', message: `forbidden sysctl: ${JSON.stringify(sysctl.name)} not allowlisted` }
  const label = metadata.labels?.['kubernetes.io/os']
  if (label !== undefined && label !== 'linux') return { reason: 'PodOSSelectorNodeLabelDoesNotMatch', message: 'Failed to admit pod as the `kubernetes.io/os` label doesn\'t match node label' }
  if (spec.os && spec.os.name !== 'linux') return { reason: 'PodOSNotSupported', message: 'Failed to admit pod as the OS field doesn\'t match node OS' }
  if (spec.securityContext?.supplementalGroupsPolicy === 'Strict' && !node.status.features?.supplementalGroupsPolicy) {
    return { reason: 'SupplementalGroupsPolicyNotSupported', message: 'SupplementalGroupsPolicy=Strict is not supported in this node' }
  }
  return undefined
}

/** What the others have left too little of. */
function lacking(pod: core.Pod, active: readonly core.Pod[], node: core.Node): Refusal | undefined {
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

/** What the pod asks of its node, and the node of its pods. */
function misplaced(pod: core.Pod, active: readonly core.Pod[], node: core.Node): Refusal | undefined {
  const failed = (reason: string, why: string): Refusal => ({ reason, message: `Predicate ${reason} failed: ${why}` })
  const labels = node.metadata.labels ?? {}
  const selector = Object.entries(pod.spec.nodeSelector ?? {})
  if (!selector.every(([key, value]) => labels[key] === value) || !affinityFits(pod, node)) return failed('NodeAffinity', 'node(s) didn\'t match Pod\'s node affinity/selector')
  const taken = active.flatMap(hostPorts)
  if (hostPorts(pod).some((wanted) => taken.some((one) => sharePort(one, wanted)))) return failed('NodePorts', 'node(s) didn\'t have free ports for the requested pod ports')
  const driven = (node.spec.taints ?? []).some((taint) => taint.effect === 'NoExecute' && !bears(pod, taint))
  return driven ? failed('TaintToleration', 'node(s) had taints that the pod didn\'t tolerate') : undefined
}

/** Whether the pod tolerates the taint. */
const bears = ({ spec }: core.Pod, taint: Pick<core.Taint, 'key' | 'effect' | 'value'>): boolean => (spec.tolerations ?? []).some((t) => {
  if ((t.effect && t.effect !== taint.effect) || (t.key && t.key !== taint.key)) return false
  if (t.operator === 'Exists') return true
  if (!t.key) return false
  const [borne, value] = [t.value ?? '', taint.value ?? '']
  if (t.operator !== 'Lt' && t.operator !== 'Gt') return borne === value
  return integer.test(borne) && integer.test(value) && (t.operator === 'Lt' ? BigInt(value) < BigInt(borne) : BigInt(value) > BigInt(borne))
})

const integer = /^-?\d+$/

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

function isSafeSysctl(name: string, spec: core.PodSpec): boolean {
  const dotted = name.replaceAll('/', '.')
  return safeSysctls.has(dotted) && !(dotted.startsWith('net.') ? spec.hostNetwork : spec.hostIPC)
}

const outOf = (resource: string, requested: bigint, used: bigint, capacity: bigint): Refusal => ({
  reason: `OutOf${resource}`,
  message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
})

/** CPU, memory and storage first: the first that lacks is the one that is told. */
function requestedResources(pod: core.Pod): readonly string[] {
  const lists = [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].flatMap((c) => [c.resources.requests, c.resources.limits])
  const named = new Set([...lists, pod.spec.resources?.requests, pod.spec.overhead].flatMap((list) => Object.keys(list ?? {})))
  return [...new Set(['cpu', 'memory', 'ephemeral-storage', ...named])].filter((name) => named.has(name))
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
