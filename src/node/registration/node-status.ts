/** The Node object as its kubelet writes it. Pure. */
import type { core, JsonObject } from '../../api/index.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { canonicalQuantity } from '../../machinery/quantity.ts'
import { rfc3339 } from '../../machinery/time.ts'
import type { Image, RuntimeCondition, RuntimeInfo } from '../runtime/driver.ts'
import type { Machine, Pressure } from './machine.ts'

export interface NodeFacts {
  readonly name: string
  readonly addresses: readonly string[]
  readonly port: number
  readonly machine: Machine
  readonly maxPods: number
  readonly version: string
  readonly runtime: RuntimeInfo
  readonly labels: Readonly<Record<string, string>>
}

/** The labels that a kubelet puts on its node. */
export const nodeLabels = ({ name, machine, labels }: NodeFacts): Record<string, string> => ({
  'kubernetes.io/hostname': name,
  'kubernetes.io/os': 'linux',
  'kubernetes.io/arch': machine.architecture,
  'beta.kubernetes.io/os': 'linux',
  'beta.kubernetes.io/arch': machine.architecture,
  ...labels,
})

/** As the API writes it: 4Gi, not 4194304Ki. */
const kibibytes = (bytes: number): string => canonicalQuantity(`${Math.floor(bytes / 1024)}Ki`)

/**
 * What the machine has and what of it pods can get. Of `given`, the capacity that the API has, the resources under a domain are somebody
 * else's to say (a device plugin, an administrator who patched the node), and pods can get all of them.
 */
function nodeCapacity({ machine, maxPods }: NodeFacts, given: Readonly<Record<string, string>> = {}): { readonly capacity: Record<string, string>; readonly allocatable: Record<string, string> } {
  const pages = Object.fromEntries(Object.entries(machine.hugepages).map(([size, bytes]) => [`hugepages-${size}`, bytes === 0 ? '0' : kibibytes(bytes)]))
  const extended = Object.fromEntries(Object.entries(given).filter(([name]) => name.includes('/')))
  const capacity = { ...extended, cpu: String(machine.cpus), 'ephemeral-storage': kibibytes(machine.storageBytes), ...pages, memory: kibibytes(machine.memoryBytes), pods: String(maxPods) }
  // The last 100 MiB of memory and 5 % of the disk are not for pods: below that the node is under pressure. Huge pages are memory that is given away already.
  const inPages = Object.values(machine.hugepages).reduce((sum, bytes) => sum + bytes, 0)
  return { capacity, allocatable: { ...capacity, memory: kibibytes(Math.max(0, machine.memoryBytes - 100 * 2 ** 20 - inPages)), 'ephemeral-storage': String(Math.floor(machine.storageBytes * 0.95)) } }
}

export interface Health { readonly conditions: readonly RuntimeCondition[]; readonly pressure: Pressure }

/** The reason of a runtime that does not answer. */
export const unreachable = 'Unreachable'

type Word = readonly [type: string, isTrue: boolean, reason: string, message: string]

/** The four conditions; the time of transition is kept while the status is. */
function nodeConditions(health: Health, old: readonly core.NodeCondition[], now: number): core.NodeCondition[] {
  const { memory, disk, pid } = health.pressure
  const words: Word[] = [
    ['MemoryPressure', memory, memory ? 'KubeletHasInsufficientMemory' : 'KubeletHasSufficientMemory', memory ? 'kubelet has insufficient memory available' : 'kubelet has sufficient memory available'],
    ['DiskPressure', disk, disk ? 'KubeletHasDiskPressure' : 'KubeletHasNoDiskPressure', disk ? 'kubelet has disk pressure' : 'kubelet has no disk pressure'],
    ['PIDPressure', pid, pid ? 'KubeletHasInsufficientPID' : 'KubeletHasSufficientPID', pid ? 'kubelet has insufficient PID available' : 'kubelet has sufficient PID available'],
    readyWord(health.conditions),
  ]
  return words.map(([type, isTrue, reason, message]) => {
    const status = isTrue ? 'True' : 'False'
    const before = old.find((c) => c.type === type)
    return { type, status, lastHeartbeatTime: rfc3339(now), lastTransitionTime: before?.status === status ? before.lastTransitionTime : rfc3339(now), reason, message }
  })
}

function readyWord(conditions: readonly RuntimeCondition[]): Word {
  if (conditions.some((c) => c.reason === unreachable)) return ['Ready', false, 'KubeletNotReady', 'container runtime is down']
  const problems = ['RuntimeReady', 'NetworkReady'].flatMap((type) => {
    const found = conditions.find((c) => c.type === type)
    const subject = type === 'RuntimeReady' ? 'container runtime not ready' : 'container runtime network not ready'
    if (!found) return [`${subject}: ${type} is not reported`]
    return found.ready ? [] : [`${subject}: ${type}=false reason:${found.reason} message:${found.message}`]
  })
  if (problems.length === 0) return ['Ready', true, 'KubeletReady', 'kubelet is posting ready status']
  return ['Ready', false, 'KubeletNotReady', problems.length === 1 ? problems.join() : `[${problems.join(', ')}]`]
}

/** What an event says of a condition that changed: `NodeHasDiskPressure`. */
export const conditionEvents: Readonly<Record<string, readonly [isTrue: string, isFalse: string]>> = {
  MemoryPressure: ['NodeHasInsufficientMemory', 'NodeHasSufficientMemory'],
  DiskPressure: ['NodeHasDiskPressure', 'NodeHasNoDiskPressure'],
  PIDPressure: ['NodeHasInsufficientPID', 'NodeHasSufficientPID'],
}

const mostNames = 5
const mostImages = 50

/** The largest images, by all their names. */
function nodeImages(images: readonly Image[]): core.ContainerImage[] {
  return images.toSorted((a, b) => b.size - a.size).slice(0, mostImages).map((i) => ({ names: [...i.digests, ...i.tags].slice(0, mostNames), sizeBytes: i.size }))
}

/** The status as this node says it; `old` is what the API has. */
export function nodeStatus(facts: NodeFacts, health: Health, images: readonly Image[], old: core.NodeStatus | undefined, now: number): core.NodeStatus {
  const { machine, runtime } = facts
  return {
    ...nodeCapacity(facts, old?.capacity),
    conditions: nodeConditions(health, old?.conditions ?? [], now),
    addresses: [...facts.addresses.map((address) => ({ type: 'InternalIP', address })), { type: 'Hostname', address: facts.name }],
    daemonEndpoints: { kubeletEndpoint: { Port: facts.port } },
    nodeInfo: {
      machineID: machine.machineID, systemUUID: machine.systemUUID, bootID: machine.bootID, kernelVersion: machine.kernelVersion, osImage: machine.osImage,
      containerRuntimeVersion: `${runtime.name}://${runtime.version}`, kubeletVersion: facts.version, kubeProxyVersion: '', operatingSystem: 'linux', architecture: machine.architecture,
    },
    images: nodeImages(images),
  }
}

/** What the kubelet says of a node, without the times at which it looked. */
const said = ({ capacity, allocatable, conditions, addresses, daemonEndpoints, nodeInfo, images }: core.NodeStatus, types: readonly string[]) => ({
  capacity, allocatable, addresses, daemonEndpoints, nodeInfo, images,
  conditions: conditions?.filter((c) => types.includes(c.type)).map((c) => ({ ...c, lastHeartbeatTime: null })).toSorted((a, b) => (a.type < b.type ? -1 : 1)),
})

/** Whether the API has something else than what the node says: it changed, or somebody else changed it there. */
export function differs(there: core.NodeStatus, status: core.NodeStatus): boolean {
  const types = (status.conditions ?? []).map((c) => c.type)
  return !deepEqual(said(there, types), said(status, types))
}

/** The change that makes of `there` what the node says. Resources that are others' to say are not in it, except that pods get no more of what is gone. */
export function statusChange(there: core.NodeStatus | undefined, status: core.NodeStatus): JsonObject {
  const gone = (before: Readonly<Record<string, string>> = {}, now: Readonly<Record<string, string>> = {}) =>
    Object.fromEntries(Object.keys(before).filter((name) => !(name in now)).map((name) => [name, null]))
  const own = Object.fromEntries(Object.entries(status.capacity ?? {}).filter(([name]) => !name.includes('/')))
  const changed = { ...status, capacity: { ...gone(there?.capacity, status.capacity), ...own }, allocatable: { ...gone(there?.allocatable, status.allocatable), ...status.allocatable } }
  return { status: changed } as unknown as JsonObject
}
