/** Requests and limits as the kernel's cgroups want them, and the quality of service they amount to. */
import type { core } from '../../api/index.ts'
import { parseQuantity } from '../../machinery/quantity.ts'
import type { LinuxResources } from '../runtime/driver.ts'

type Amounts = Readonly<Record<string, string>> | undefined
export type QosClass = 'Guaranteed' | 'Burstable' | 'BestEffort'

/** CPU in thousandths, memory in bytes; 0 when not given. */
export const milliCpu = (list: Amounts): number => (list?.['cpu'] === undefined ? 0 : Number(parseQuantity(list['cpu']).milliValue()))
export const memoryBytes = (list: Amounts): number => (list?.['memory'] === undefined ? 0 : Number(parseQuantity(list['memory']).value()))

const period = 100_000

/** Kubernetes's formulas: 1024 shares a CPU, at least 2 and at most 262144. */
export function cpuShares(milli: number): number {
  return milli === 0 ? 2 : Math.min(262_144, Math.max(2, Math.floor((milli * 1024) / 1000)))
}

/** Microseconds of CPU in each 100 ms; 0 (no limit) stays 0. */
export function cpuQuota(milli: number): number {
  return milli === 0 ? 0 : Math.max(1000, Math.floor((milli * period) / 1000))
}

/** The pod's class as Kubernetes computes it from CPU and memory of its containers (or of the pod itself). */
export function qosClass(pod: Pick<core.Pod, 'spec'>): QosClass {
  const all = pod.spec.resources ? [pod.spec.resources] : [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].map((c) => c.resources)
  const positive = (list: Amounts) => ['cpu', 'memory'].filter((name) => list?.[name] !== undefined && !parseQuantity(list[name]).isZero())
  if (all.every((r) => positive(r.limits).length === 0 && positive(r.requests).length === 0)) return 'BestEffort'
  const same = (r: core.ResourceRequirements, name: string) => {
    const limit = r.limits?.[name]
    return limit !== undefined && !parseQuantity(limit).isZero() && parseQuantity(r.requests?.[name] ?? limit).compare(parseQuantity(limit)) === 0
  }
  return all.every((r) => same(r, 'cpu') && same(r, 'memory')) ? 'Guaranteed' : 'Burstable'
}

/** How soon the kernel kills the container when memory runs out: -997 hardly ever, 1000 first. */
export function oomScoreAdjustment(pod: core.Pod, container: core.Container, memoryCapacity: number): number {
  const qos = qosClass(pod)
  if (qos === 'Guaranteed' || (pod.spec.priority ?? 0) >= 2_000_000_000) return -997
  if (qos === 'BestEffort') return 1000
  const score = 1000 - Math.floor((1000 * memoryBytes(container.resources.requests)) / Math.max(1, memoryCapacity))
  return score < 3 ? 3 : Math.min(score, 999)
}

/** A container's cgroup settings. */
export function containerResources(pod: core.Pod, container: core.Container, machine: { readonly memoryBytes: number; readonly cgroupV2: boolean }): LinuxResources {
  const { requests, limits } = container.resources
  const requested = requests?.['cpu'] === undefined ? milliCpu(limits) : milliCpu(requests)
  const pages = Object.entries(limits ?? {}).filter(([name]) => name.startsWith('hugepages-'))
  return {
    cpuShares: cpuShares(requested),
    cpuQuota: cpuQuota(milliCpu(limits)),
    cpuPeriod: period,
    memoryLimitBytes: memoryBytes(limits),
    oomScoreAdj: oomScoreAdjustment(pod, container, machine.memoryBytes),
    ...(machine.cgroupV2 ? { unified: { 'memory.oom.group': '1' } } : {}),
    ...(pages.length > 0 ? { hugepageLimits: pages.map(([name, amount]) => ({ pageSize: pageSize(name), limit: Number(parseQuantity(amount).value()) })) } : {}),
  }
}

/** `hugepages-2Mi` is the kernel's `2MB`. */
const pageSize = (name: string): string => name.slice('hugepages-'.length).replace(/i$/, 'B')

export interface PodLimits { readonly shares: number; readonly quota: number; readonly period: number; readonly memoryBytes: number }

/** What the pod as a whole may use: the sum of its containers, or the largest init container if that is more. Zero: no limit. */
export function podLimits(pod: core.Pod): PodLimits {
  const sidecars = (pod.spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')
  const running = [...pod.spec.containers, ...sidecars]
  const steps = (pod.spec.initContainers ?? []).filter((c) => c.restartPolicy !== 'Always')
  const total = (of: (list: core.Container) => number) => Math.max(running.reduce((sum, c) => sum + of(c), 0), ...steps.map(of))
  const limited = (name: string) => [...running, ...steps].every((c) => c.resources.limits?.[name] !== undefined)
  const own = pod.spec.resources
  const cpuLimit = own?.limits?.['cpu'] === undefined ? (limited('cpu') ? total((c) => milliCpu(c.resources.limits)) : 0) : milliCpu(own.limits)
  const memoryLimit = own?.limits?.['memory'] === undefined ? (limited('memory') ? total((c) => memoryBytes(c.resources.limits)) : 0) : memoryBytes(own.limits)
  const cpuRequest = own?.requests?.['cpu'] === undefined ? total((c) => milliCpu(c.resources.requests ?? c.resources.limits)) : milliCpu(own.requests)
  return { shares: cpuShares(cpuRequest), quota: cpuQuota(cpuLimit), period, memoryBytes: memoryLimit }
}
