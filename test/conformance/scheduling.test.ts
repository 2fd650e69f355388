import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestControlPlane } from '../support/control-plane.ts'
import type { TestControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/host.ts'

let plane: TestControlPlane
const kubectl = (...args: string[]) => plane.kubectl(...args)

/** Nodes without anybody behind them: they are Ready because we say so. */
async function node(name: string, cpu: string): Promise<void> {
  await plane.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { 'kubernetes.io/hostname': name } } })
  const now = new Date().toISOString().replace(/\.\d+/, '')
  const status = {
    allocatable: { cpu, memory: '8Gi', pods: '110' }, capacity: { cpu, memory: '8Gi', pods: '110' },
    conditions: [{ type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'ready', lastHeartbeatTime: now, lastTransitionTime: now }],
  }
  await kubectl('patch', 'node', name, '--subresource=status', '--type=merge', '-p', JSON.stringify({ status }))
  await eventually(`${name} without taints`, async () => ((await kubectl('get', 'node', name, '-o', 'jsonpath={.spec.taints}')) === '' ? true : undefined))
}

const pod = (name: string, cpu: string, spec: object = {}) => ({
  apiVersion: 'v1', kind: 'Pod', metadata: { name },
  spec: { containers: [{ name: 'main', image: 'busybox', resources: { requests: { cpu } } }], ...spec },
})
const nodeOf = (name: string) => kubectl('get', 'pod', name, '-o', 'jsonpath={.spec.nodeName}')
const onNode = (name: string, wanted: string) => eventually(`${name} on ${wanted}`, async () => ((await nodeOf(name)) === wanted ? true : undefined))

beforeAll(async () => {
  plane = await startTestControlPlane()
  await node('small', '1')
  await node('large', '4')
})
afterAll(() => plane?.stop())

describe('scheduling, as kubectl shows it', () => {
  it('assigns a pod and says so in its events', async () => {
    await plane.apply(pod('first', '2'))
    await onNode('first', 'large')
    await eventually('the event', async () => ((await kubectl('describe', 'pod', 'first')).match(/Normal\s+Scheduled\s+\S+\s+default-scheduler\s+Successfully assigned default\/first to large/) ? true : undefined))
  })

  it('shows why a pod is pending, in its events and its condition', async () => {
    await plane.apply(pod('huge', '16'))
    const message = '0/2 nodes are available: 2 Insufficient cpu. preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.'
    await eventually('the condition', async () => ((await kubectl('get', 'pod', 'huge', '-o', 'jsonpath={.status.conditions[?(@.type=="PodScheduled")].message}')) === message ? true : undefined))
    const described = await eventually('the event', async () => {
      const text = await kubectl('describe', 'pod', 'huge')
      return text.includes('FailedScheduling') ? text : undefined
    })
    expect(described).toMatch(/Warning\s+FailedScheduling\s+\S+\s+default-scheduler\s+0\/2 nodes are available: 2 Insufficient cpu\./)
    expect(await kubectl('get', 'pod', 'huge', '--no-headers')).toMatch(/huge\s+0\/1\s+Pending\s+0/)
    await kubectl('delete', 'pod', 'huge')
  })

  it('keeps pods off cordoned nodes until they are uncordoned', async () => {
    await kubectl('cordon', 'small')
    await plane.apply(pod('picky', '100m', { nodeSelector: { 'kubernetes.io/hostname': 'small' } }))
    await eventually('the reason', async () => ((await kubectl('get', 'pod', 'picky', '-o', 'jsonpath={.status.conditions[0].message}')).includes('1 node(s) were unschedulable') ? true : undefined))
    expect(await nodeOf('picky')).toBe('')
    await kubectl('uncordon', 'small')
    await onNode('picky', 'small')
  })

  it('keeps pods off tainted nodes, and lets those on that tolerate it', async () => {
    await kubectl('taint', 'node', 'large', 'dedicated=db:NoSchedule')
    await plane.apply(pod('stranger', '1', { nodeSelector: { 'kubernetes.io/hostname': 'large' } }))
    await plane.apply(pod('friend', '1', { nodeSelector: { 'kubernetes.io/hostname': 'large' }, tolerations: [{ key: 'dedicated', value: 'db' }] }))
    await onNode('friend', 'large')
    expect(await nodeOf('stranger')).toBe('')
    await kubectl('taint', 'node', 'large', 'dedicated-')
    await onNode('stranger', 'large')
  })

  it('schedules a pod once its label is there', async () => {
    await plane.apply(pod('ssd', '10m', { nodeSelector: { disk: 'ssd' } }))
    await eventually('the reason', async () => ((await kubectl('get', 'pod', 'ssd', '-o', 'jsonpath={.status.conditions[0].message}')).includes("2 node(s) didn't match Pod's node affinity/selector") ? true : undefined))
    await kubectl('label', 'node', 'small', 'disk=ssd')
    await onNode('ssd', 'small')
  })

  it('leaves gated pods alone until the gate opens', async () => {
    await plane.apply(pod('gated', '10m', { schedulingGates: [{ name: 'example.com/wait' }] }))
    expect(await kubectl('get', 'pod', 'gated', '--no-headers')).toMatch(/gated\s+0\/1\s+SchedulingGated\s+0/)
    await kubectl('patch', 'pod', 'gated', '--type=json', '-p', '[{"op":"remove","path":"/spec/schedulingGates"}]')
    await eventually('a node', async () => ((await nodeOf('gated')) === '' ? undefined : true))
  })
})
