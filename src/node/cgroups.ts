/** Cgroups of pods: one directory per pod under its quality of service, in the cluster's own parent. Versions 1 and 2. */
import { existsSync } from 'node:fs'
import { mkdir, readdir, readFile, rmdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { core } from '../api/index.ts'
import type { Logger } from '../machinery/log.ts'
import { podUid } from './context.ts'
import { podLimits, qosClass, type PodLimits } from './pods/resources.ts'

export interface Cgroups {
  readonly version: 1 | 2
  /** The pod's cgroup as the runtime is told: `/skiff-x/burstable/pod<uid>`. */
  podPath(pod: core.Pod): string
  /** Makes it, with the pod's limits, or for a while without: the limits of its containers cannot pass those of the pod while they change. */
  create(pod: core.Pod, options?: { readonly unlimited: boolean }): Promise<void>
  /** Removes it and what is below it; what still has processes stays. */
  remove(uid: string): Promise<void>
  /** Removes everything under the cluster's parent, and the parent. */
  removeAll(): Promise<void>
}

const root = '/sys/fs/cgroup'
const tiers = ['', 'burstable', 'besteffort']
/** In place of a limit: what there was is taken away. Version 1 says it so. */
const none = -1

/** `parent` is the cluster's cgroup, such as `/skiff-dev`. */
export function createCgroups(parent: string, log: Logger): Cgroups {
  const version = existsSync(join(root, 'cgroup.controllers')) ? 2 : 1
  const tierOf = (pod: core.Pod) => ({ Guaranteed: '', Burstable: 'burstable', BestEffort: 'besteffort' })[qosClass(pod)]
  const podPath = (pod: core.Pod) => join(parent, tierOf(pod), `pod${podUid(pod)}`)
  const hierarchies = async () => (version === 2 ? [root] : (await readdir(root, { withFileTypes: true })).filter((e) => e.isDirectory()).map((e) => join(root, e.name)))

  return {
    version,
    podPath,
    async create(pod, options) {
      const limits = options?.unlimited ? { ...podLimits(pod), quota: none, memoryBytes: none } : podLimits(pod)
      try {
        if (version === 2) await createV2(podPath(pod), limits)
        else await createV1(podPath(pod), limits)
      } catch (error) {
        log.warn({ pod: pod.metadata.name, namespace: pod.metadata.namespace, error: String(error) }, 'limits of the whole pod could not be set; those of its containers are')
      }
    },
    async remove(uid) {
      for (const hierarchy of await hierarchies()) for (const tier of tiers) await removeTree(join(hierarchy, parent, tier, `pod${uid}`))
    },
    async removeAll() { for (const hierarchy of await hierarchies()) await removeTree(join(hierarchy, parent)) },
  }
}

async function createV1(path: string, limits: PodLimits): Promise<void> {
  const cpu = join(root, 'cpu', path)
  await mkdir(cpu, { recursive: true })
  await writeFile(join(cpu, 'cpu.shares'), String(limits.shares))
  if (limits.quota !== 0) await writeFile(join(cpu, 'cpu.cfs_quota_us'), String(limits.quota))
  if (limits.memoryBytes === 0) return
  const memory = join(root, 'memory', path)
  await mkdir(memory, { recursive: true })
  await writeFile(join(memory, 'memory.limit_in_bytes'), String(limits.memoryBytes))
}

async function createV2(path: string, limits: PodLimits): Promise<void> {
  let directory = root
  for (const part of path.split('/').filter(Boolean)) {
    await enableControllers(directory)
    directory = join(directory, part)
    await mkdir(directory, { recursive: true })
  }
  const set = async (file: string, value: string) => { if (existsSync(join(directory, file))) await writeFile(join(directory, file), value) }
  // Shares 2..262144 become weights 1..10000.
  await set('cpu.weight', String(Math.floor(1 + ((limits.shares - 2) * 9999) / 262_142)))
  const amount = (limit: number) => (limit === none ? 'max' : String(limit))
  if (limits.quota !== 0) await set('cpu.max', `${amount(limits.quota)} ${limits.period}`)
  if (limits.memoryBytes !== 0) await set('memory.max', amount(limits.memoryBytes))
}

async function enableControllers(directory: string): Promise<void> {
  const wanted = ['cpuset', 'cpu', 'io', 'memory', 'hugetlb', 'pids', 'rdma']
  const offered = (await readFile(join(directory, 'cgroup.controllers'), 'utf8')).trim().split(' ')
  const enabled = (await readFile(join(directory, 'cgroup.subtree_control'), 'utf8')).trim().split(' ')
  const missing = wanted.filter((c) => offered.includes(c) && !enabled.includes(c))
  // One by one: a controller that cannot be had (cpu beside real-time processes, say) must not keep the others away.
  for (const controller of missing) {
    await writeFile(join(directory, 'cgroup.subtree_control'), `+${controller}`).catch((error: NodeJS.ErrnoException) => {
      if (!['EBUSY', 'EINVAL', 'ENOENT', 'EOPNOTSUPP'].includes(error.code ?? '')) throw error
    })
  }
}

/** Removes a cgroup and those below it. One with processes in it, or gone already, is left. */
async function removeTree(directory: string): Promise<void> {
  const entries = await readdir(directory, { withFileTypes: true }).catch(() => [])
  for (const entry of entries) if (entry.isDirectory()) await removeTree(join(directory, entry.name))
  await rmdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT' && error.code !== 'EBUSY') throw error
  })
}
