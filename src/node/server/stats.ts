/** `/stats/summary`, `/metrics/resource` and `/metrics/cadvisor`: what pods and the node use. */
import { readFile, statfs } from 'node:fs/promises'
import { rfc3339 } from '../../machinery/time.ts'
import type { NodeContext } from '../context.ts'
import type { PodWorker } from '../pods/worker.ts'
import type { ContainerStats } from '../runtime/driver.ts'

interface Previous { readonly at: number; readonly cpu: number }

export interface Stats {
  summary(): Promise<object>
  /** Prometheus text of `/metrics/resource`. */
  resourceMetrics(): Promise<string>
  /** Prometheus text of `/metrics/cadvisor`: what dashboards of containers read. */
  containerMetrics(): Promise<string>
}

export function createStats(context: NodeContext, workers: ReadonlyMap<string, PodWorker>): Stats {
  const before = new Map<string, Previous>()

  /** Nanocores: how much of a CPU was used since the last look; 0 the first time. */
  const rate = (key: string, at: number, cpu: number): number => {
    const last = before.get(key)
    if (!last || at - last.at >= 1000) before.set(key, { at, cpu })
    return last && at > last.at ? Math.max(0, Math.round(((cpu - last.cpu) / (at - last.at)) * 1000)) : 0
  }
  const cpuOf = (key: string, at: number, cpu: number) => ({ time: rfc3339(at), usageNanoCores: rate(key, at, cpu), usageCoreNanoSeconds: cpu })
  const running = async () => (await context.runtime.stats()).filter((s) => workers.has(s.podUid))

  const podSummary = (uid: string, stats: readonly ContainerStats[]) => {
    const pod = workers.get(uid)?.pod
    const at = Math.max(...stats.map((s) => s.at))
    const sum = (of: (s: ContainerStats) => number) => stats.reduce((total, s) => total + of(s), 0)
    return {
      podRef: { name: pod?.metadata.name, namespace: pod?.metadata.namespace, uid },
      startTime: pod?.status.startTime ?? null,
      containers: stats.map((s) => ({
        name: s.name, startTime: null, cpu: cpuOf(s.id, s.at, s.cpuNanoseconds),
        memory: { time: rfc3339(s.at), usageBytes: s.memoryUsageBytes, workingSetBytes: s.memoryWorkingSetBytes, rssBytes: s.memoryRssBytes },
        rootfs: { time: rfc3339(s.at), usedBytes: s.filesystemUsedBytes },
      })),
      cpu: cpuOf(`pod/${uid}`, at, sum((s) => s.cpuNanoseconds)),
      memory: { time: rfc3339(at), usageBytes: sum((s) => s.memoryUsageBytes), workingSetBytes: sum((s) => s.memoryWorkingSetBytes), rssBytes: sum((s) => s.memoryRssBytes) },
    }
  }

  return {
    async summary() {
      const [stats, node, fs, image] = await Promise.all([running(), nodeUsage(), statfs(context.directories.data), context.runtime.imageFilesystem()])
      const now = context.clock.now()
      const byPod = Map.groupBy(stats, (s) => s.podUid)
      return {
        node: {
          nodeName: context.nodeName,
          cpu: cpuOf('node', now, node.cpuNanoseconds),
          memory: { time: rfc3339(now), availableBytes: node.available, usageBytes: node.total - node.free, workingSetBytes: node.total - node.available },
          fs: { time: rfc3339(now), availableBytes: fs.bavail * fs.bsize, capacityBytes: fs.blocks * fs.bsize, usedBytes: (fs.blocks - fs.bfree) * fs.bsize },
          runtime: { imageFs: { time: rfc3339(now), usedBytes: image.usedBytes } },
        },
        pods: [...byPod].map(([uid, list]) => podSummary(uid, list)),
      }
    },
    async resourceMetrics() {
      const [stats, node] = await Promise.all([running(), nodeUsage()])
      const labels = (s: ContainerStats) => {
        const m = workers.get(s.podUid)?.pod.metadata
        return `container="${s.name}",namespace="${m?.namespace}",pod="${m?.name}"`
      }
      const pods = [...Map.groupBy(stats, (s) => s.podUid)].map(([uid, list]) => ({ list, m: workers.get(uid)?.pod.metadata }))
      const total = (list: readonly ContainerStats[], of: (s: ContainerStats) => number) => list.reduce((sum, s) => sum + of(s), 0)
      return [
        ...metric('container_cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed by the container in core-seconds', stats.map((s) => `{${labels(s)}} ${s.cpuNanoseconds / 1e9} ${s.at}`)),
        ...metric('container_memory_working_set_bytes', 'gauge', 'Current working set of the container in bytes', stats.map((s) => `{${labels(s)}} ${s.memoryWorkingSetBytes} ${s.at}`)),
        ...metric('pod_cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed by the pod in core-seconds', pods.map(({ list, m }) => `{namespace="${m?.namespace}",pod="${m?.name}"} ${total(list, (s) => s.cpuNanoseconds) / 1e9}`)),
        ...metric('pod_memory_working_set_bytes', 'gauge', 'Current working set of the pod in bytes', pods.map(({ list, m }) => `{namespace="${m?.namespace}",pod="${m?.name}"} ${total(list, (s) => s.memoryWorkingSetBytes)}`)),
        ...metric('node_cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed by the node in core-seconds', [` ${node.cpuNanoseconds / 1e9}`]),
        ...metric('node_memory_working_set_bytes', 'gauge', 'Current working set of the node in bytes', [` ${node.total - node.available}`]),
        ...metric('resource_scrape_error', 'gauge', '1 if there was an error while getting container metrics, 0 otherwise', [' 0']),
      ].join('\n').concat('\n')
    },
    async containerMetrics() {
      const [stats, containers] = await Promise.all([running(), context.runtime.listContainers()])
      const images = new Map(containers.map((c) => [c.id, c.image]))
      const rows = (of: (s: ContainerStats) => number) => stats.map((s) => {
        const m = workers.get(s.podUid)?.pod.metadata
        return `{container="${s.name}",id="${s.id}",image="${images.get(s.id) ?? ''}",name="${s.id}",namespace="${m?.namespace}",pod="${m?.name}"} ${of(s)} ${s.at}`
      })
      return [
        ...metric('container_cpu_usage_seconds_total', 'counter', 'Cumulative cpu time consumed in seconds.', rows((s) => s.cpuNanoseconds / 1e9)),
        ...metric('container_memory_usage_bytes', 'gauge', 'Current memory usage in bytes, including all memory regardless of when it was accessed', rows((s) => s.memoryUsageBytes)),
        ...metric('container_memory_working_set_bytes', 'gauge', 'Current working set in bytes.', rows((s) => s.memoryWorkingSetBytes)),
        ...metric('container_memory_rss', 'gauge', 'Size of RSS in bytes.', rows((s) => s.memoryRssBytes)),
        ...metric('container_fs_usage_bytes', 'gauge', 'Number of bytes that are consumed by the container on this filesystem.', rows((s) => s.filesystemUsedBytes)),
      ].join('\n').concat('\n')
    },
  }
}

const metric = (name: string, type: string, help: string, samples: readonly string[]): string[] => [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`, ...samples.map((s) => name + s)]

async function nodeUsage(): Promise<{ cpuNanoseconds: number; total: number; free: number; available: number }> {
  const [stat, memory] = await Promise.all([readFile('/proc/stat', 'utf8'), readFile('/proc/meminfo', 'utf8')])
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0, steal = 0] = (/^cpu +(.*)$/m.exec(stat)?.[1] ?? '').split(' ').map(Number)
  const kilobytes = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(memory)?.[1] ?? 0) * 1024
  // Hundredths of a second, Linux's clock tick.
  return { cpuNanoseconds: (user + nice + system + irq + softirq + steal) * 1e7, total: kilobytes('MemTotal'), free: kilobytes('MemFree'), available: kilobytes('MemAvailable') }
}
