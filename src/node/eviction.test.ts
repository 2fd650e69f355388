import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { core } from '../api/index.ts'
import { createEvictions, diskUsage, rank, storageExcess } from './eviction.ts'
import type { PodVolumes } from './volumes/volumes.ts'
import { startTestNode, type TestNode } from './testing/node.ts'

let directory: string
let node: TestNode
let volumes: PodVolumes
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'skiff-evict-'))
  volumes = { podDirectory: (uid) => join(directory, uid), prepare: async () => new Map(), refresh: async () => [], cleanup: async () => undefined }
  node = await startTestNode()
})
afterEach(async () => { node.close(); await rm(directory, { recursive: true }) })

const contextOf = () => ({ clock: node.clock, runtime: node.runtime, directories: { data: directory, logs: directory, memory: directory } }) as never
const calm = async () => ({ memory: false, disk: false, pid: false })

describe('eviction', () => {
  it('counts what is on disk, not what links lead to', async () => {
    await mkdir(join(directory, 'a'))
    await writeFile(join(directory, 'a', 'x'), Buffer.alloc(100_000))
    await symlink('/usr', join(directory, 'a', 'link'))
    const used = await diskUsage(directory)
    expect(used).toBeGreaterThanOrEqual(100_000)
    expect(used).toBeLessThan(200_000)
    expect(await diskUsage(join(directory, 'nothing'))).toBe(0)
  })

  it('ends a pod whose emptyDir outgrew its limit, with Kubernetes\'s reason', async () => {
    await node.create('big', { volumes: [{ name: 'v', emptyDir: { sizeLimit: '50Ki' } }] })
    const { uid = '' } = node.pod('big').metadata
    const evictions = createEvictions(contextOf(), node.workers, volumes, calm)
    await evictions.check()
    expect(node.pod('big').status.phase).toBe('Running')
    await mkdir(join(directory, uid, 'volumes/kubernetes.io~empty-dir/v'), { recursive: true })
    await writeFile(join(directory, uid, 'volumes/kubernetes.io~empty-dir/v/x'), Buffer.alloc(100_000))
    await evictions.check()
    await node.pass(31_000)
    expect(node.pod('big').status).toMatchObject({ phase: 'Failed', reason: 'Evicted', message: 'Usage of EmptyDir volume "v" exceeds the limit "50Ki". ' })
    expect(node.pod('big').status.conditions).toContainEqual(expect.objectContaining({ type: 'DisruptionTarget', status: 'True', reason: 'TerminationByKubelet' }))
    expect(node.runtime.container('main')?.state).toBe('exited')
  })

  it('holds pods and their containers to ephemeral-storage limits, the pod to the sum of those there are', async () => {
    const limited = (name: string, limit?: string) => ({ name, image: 'app:1', resources: limit ? { limits: { 'ephemeral-storage': limit } } : {} })
    const used = (name: string, filesystemUsedBytes: number) => ({ name, podUid: '', id: '', at: 0, cpuNanoseconds: 0, memoryWorkingSetBytes: 0, memoryUsageBytes: 0, memoryRssBytes: 0, filesystemUsedBytes })
    const excess = (name: string, ...stats: ReturnType<typeof used>[]) => storageExcess(node.pod(name), volumes, directory, stats)
    await node.create('web', { containers: [limited('main', '1Ki'), limited('other', '7Ki')] })
    expect(await excess('web', used('main', 5000))).toBe('Container main exceeded its local ephemeral storage limit "1Ki". ')
    expect(await excess('web', used('main', 1000), used('other', 9000))).toBe('Pod ephemeral local storage usage exceeds the total limit of containers 8Ki. ')
    expect(await excess('web')).toBeUndefined()
    await node.create('half', { containers: [limited('main', '1Ki'), limited('other')] })
    expect(await excess('half', used('other', 5000))).toBe('Pod ephemeral local storage usage exceeds the total limit of containers 1Ki. ')
    await node.create('none', { containers: [limited('main', '0')] })
    expect(await excess('none', used('main', 5000))).toBeUndefined()
  })

  it('takes one pod when memory runs out: over its request first, then the least important', async () => {
    const pod = (name: string, priority: number, request?: string) =>
      ({ metadata: { name }, spec: { priority, containers: [{ name: 'c', resources: request ? { requests: { memory: request } } : {} }] } }) as unknown as core.Pod
    const usages = [
      { pod: pod('modest', 0, '1Gi'), memory: 100, disk: 0 }, { pod: pod('important', 10), memory: 900, disk: 0 },
      { pod: pod('small', 0), memory: 100, disk: 0 }, { pod: pod('large', 0), memory: 500, disk: 0 }, { pod: pod('system', 2_000_001_000), memory: 9000, disk: 0 },
    ]
    expect(rank(usages, 'memory').map((u) => u.pod.metadata.name)).toEqual(['large', 'small', 'important', 'modest'])
    await node.create('web', {})
    await createEvictions(contextOf(), node.workers, volumes, async () => ({ memory: true, disk: false, pid: false })).check()
    await node.pass(31_000)
    expect(node.pod('web').status).toMatchObject({ phase: 'Failed', reason: 'Evicted', message: 'The node was low on resource: memory. ' })
  })
})
