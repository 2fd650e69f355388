/** kill -9 in the middle: pods go on, acknowledged writes stay, the next up carries on where it was. */
import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { buildExample, root, startCluster } from '../support/cluster.ts'
import type { TestCluster } from '../support/cluster.ts'
import { eventually } from '../support/host.ts'

let cluster: TestCluster
/** The pods, their containers and restarts before anything is killed. */
let before: string
beforeAll(async () => {
  cluster = await startCluster('killed')
  await buildExample(cluster, 'hello:1.0', 'examples/hello')
  await cluster.kubectl('apply', '-f', `${root}/examples/hello/k8s/hello.yaml`)
  await cluster.kubectl('rollout', 'status', 'deployment/hello', '--timeout=60s')
  before = await facts()
})
afterAll(() => cluster?.destroy())

const pidIn = (file: string) => Number(readFileSync(`/run/skiff/${cluster.name}/${file}`, 'utf8').trim().split(' ')[0])
const facts = () => cluster.kubectl('get', 'pods', '-l', 'app=hello', '-o', 'jsonpath={range .items[*]}{.metadata.name} {.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount}{"\\n"}{end}')
const curl = () => cluster.host.run('curl', ['-sS', '--max-time', '5', `http://${cluster.host.address}:30088/`])

describe('kill -9 of Skiff', () => {
  it('leaves pods running and reachable', async () => {
    process.kill(pidIn('skiff.pid'), 'SIGKILL')
    for (let i = 0; i < 5; i++) expect((await curl()).stdout).toBe('Hello from Skiff!\n')
  })

  it('is mended by up: the same containers, no restart, every write', async () => {
    const up = await cluster.up()
    expect(up.stderr).toBe('')
    expect(up.code).toBe(0)
    const after = await facts()
    expect(before.trim().split('\n').map((line) => line.split(' ')[2])).toEqual(['0', '0', '0'])
    expect(after).toBe(before)
    expect((await curl()).stdout).toBe('Hello from Skiff!\n')
  })

  it('in the middle of writes loses none that was acknowledged', async () => {
    const acknowledged: string[] = []
    const writers = Array.from({ length: 4 }, async (_, writer) => {
      for (let i = 0; ; i++) {
        const name = `storm-${writer}-${i}`
        const finished = await cluster.tryKubectl(['create', 'configmap', name, '--request-timeout=5s'])
        if (finished.code !== 0) return
        acknowledged.push(name)
      }
    })
    await eventually('some writes', () => (acknowledged.length >= 12 ? true : undefined))
    process.kill(pidIn('skiff.pid'), 'SIGKILL')
    await Promise.all(writers)
    expect((await cluster.up()).code).toBe(0)
    const there = new Set((await cluster.kubectl('get', 'configmaps', '-o', 'name')).trim().split('\n').map((name) => name.replace('configmap/', '')))
    expect(acknowledged.filter((name) => !there.has(name))).toEqual([])
  })
})

describe('kill -9 of containerd', () => {
  it('is noticed and mended; the pods go on', async () => {
    const before = await facts()
    process.kill(pidIn('containerd/containerd.pid'), 'SIGKILL')
    expect((await curl()).stdout).toBe('Hello from Skiff!\n')
    await cluster.kubectl('delete', 'pod', before.split(' ')[0] as string, '--wait=false')
    await eventually('a replacement', async () => {
      const lines = (await facts()).trim().split('\n')
      const ready = await cluster.kubectl('get', 'deploy', 'hello', '-o', 'jsonpath={.status.readyReplicas}')
      return lines.length === 3 && ready === '3' && !lines.some((line) => line.startsWith(before.split(' ')[0] as string)) ? true : undefined
    }, 60_000)
  })
})
