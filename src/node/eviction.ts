/**
 * Pods that take too much: local storage above a limit of their own ends the pod that used it; a node that runs out of memory
 * or disk ends one pod at a time, those first that use more than they asked for and matter least.
 */
import { lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { core } from '../api/index.ts'
import { parseQuantity, quantityOf } from '../machinery/quantity.ts'
import { podUid, type NodeContext } from './context.ts'
import { podLogDirectory } from './pods/names.ts'
import { memoryBytes } from './pods/resources.ts'
import type { PodWorker } from './pods/worker.ts'
import { readPressure, type Pressure } from './registration/machine.ts'
import type { ContainerStats } from './runtime/driver.ts'
import type { PodVolumes } from './volumes/volumes.ts'

export interface Usage { readonly pod: core.Pod; readonly memory: number; readonly disk: number }

/** Bytes on disk below a directory, without following links or entering other file systems. */
export async function diskUsage(directory: string): Promise<number> {
  const root = await lstat(directory).catch(() => undefined)
  if (!root?.isDirectory()) return 0
  let total = 0
  for (const entry of await readdir(directory, { withFileTypes: true }).catch(() => [])) {
    const path = join(directory, entry.name)
    const info = await lstat(path).catch(() => undefined)
    if (!info || info.dev !== root.dev) continue
    total += info.blocks * 512
    if (info.isDirectory()) total += await diskUsage(path)
  }
  return total
}

/** Which pod goes first: over its request before under it, low priority before high, and the one that is most over it. */
export function rank(usages: readonly Usage[], resource: 'memory' | 'ephemeral-storage'): readonly Usage[] {
  const used = (u: Usage) => (resource === 'memory' ? u.memory : u.disk)
  const requested = (u: Usage) => u.pod.spec.containers.reduce((sum, c) => sum + (resource === 'memory' ? memoryBytes(c.resources.requests) : bytes(c.resources.requests?.[resource])), 0)
  const over = (u: Usage) => used(u) - requested(u)
  const isExempt = (u: Usage) => (u.pod.spec.priority ?? 0) >= 2_000_000_000
  return usages.filter((u) => !isExempt(u)).toSorted((a, b) =>
    Number(over(b) > 0) - Number(over(a) > 0) || (a.pod.spec.priority ?? 0) - (b.pod.spec.priority ?? 0) || over(b) - over(a))
}

const bytes = (text: string | undefined): number => (text === undefined ? 0 : Number(parseQuantity(text).value()))

/** Why the pod is over a limit of its own storage, in Kubernetes's words; undefined when it is not. A limit of zero is none. */
export async function storageExcess(pod: core.Pod, volumes: PodVolumes, logs: string, stats: readonly ContainerStats[]): Promise<string | undefined> {
  const emptyDirs = (pod.spec.volumes ?? []).filter((v) => v.emptyDir && v.emptyDir.medium !== 'Memory')
  const limits = pod.spec.containers.flatMap((c) => c.resources.limits?.['ephemeral-storage'] ?? [])
  if (!emptyDirs.some((v) => v.emptyDir?.sizeLimit) && limits.length === 0) return undefined
  let total = 0
  for (const v of emptyDirs) {
    const used = await diskUsage(join(volumes.podDirectory(podUid(pod)), 'volumes', 'kubernetes.io~empty-dir', v.name))
    const limit = v.emptyDir?.sizeLimit
    if (limit && bytes(limit) > 0 && used > bytes(limit)) return `Usage of EmptyDir volume ${JSON.stringify(v.name)} exceeds the limit ${JSON.stringify(limit)}. `
    total += used
  }
  const usage = new Map<string, number>()
  for (const { name } of pod.spec.containers) usage.set(name, (stats.find((s) => s.name === name)?.filesystemUsedBytes ?? 0) + (await diskUsage(join(podLogDirectory(logs, pod), name))))
  total += usage.values().reduce((a, b) => a + b, 0)
  const whole = limits.map(parseQuantity).reduce((a, b) => a.add(b), quantityOf(0, 'BinarySI'))
  if (!whole.isZero() && total > Number(whole.value())) return `Pod ephemeral local storage usage exceeds the total limit of containers ${whole.toString()}. `
  const over = pod.spec.containers.find((c) => { const most = bytes(c.resources.limits?.['ephemeral-storage']); return most > 0 && (usage.get(c.name) ?? 0) > most })
  return over && `Container ${over.name} exceeded its local ephemeral storage limit ${JSON.stringify(over.resources.limits?.['ephemeral-storage'])}. `
}

export interface Evictions { check(): Promise<void> }

/** `pressure` is asked each time; the default asks the machine. */
export function createEvictions(context: NodeContext, workers: ReadonlyMap<string, PodWorker>, volumes: PodVolumes, pressure: () => Promise<Pressure> = () => readPressure([context.directories.data])): Evictions {
  const isActive = (w: PodWorker) => w.current().status.phase === 'Running' && !w.pod.metadata.deletionTimestamp
  return {
    async check() {
      const active = [...workers.values()].filter(isActive)
      const now = await pressure()
      const limited = active.some((w) => (w.pod.spec.volumes ?? []).some((v) => v.emptyDir?.sizeLimit) || w.pod.spec.containers.some((c) => c.resources.limits?.['ephemeral-storage']))
      if (!limited && !now.memory && !now.disk) return
      const stats = Map.groupBy(await context.runtime.stats(), (s) => s.podUid)
      for (const worker of active) {
        const why = await storageExcess(worker.pod, volumes, context.directories.logs, stats.get(podUid(worker.pod)) ?? [])
        if (why) return worker.evict('Evicted', why)
      }
      if (!now.memory && !now.disk) return
      const resource = now.memory ? 'memory' : 'ephemeral-storage'
      const usages = active.map((w) => ({ pod: w.pod, memory: sum(stats.get(podUid(w.pod)), (s) => s.memoryWorkingSetBytes), disk: sum(stats.get(podUid(w.pod)), (s) => s.filesystemUsedBytes) }))
      const [first] = rank(usages, resource)
      if (first) workers.get(podUid(first.pod))?.evict('Evicted', `The node was low on resource: ${resource}. `)
    },
  }
}

const sum = (stats: readonly ContainerStats[] | undefined, of: (s: ContainerStats) => number): number => (stats ?? []).reduce((total, s) => total + of(s), 0)
