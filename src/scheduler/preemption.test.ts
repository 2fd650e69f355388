import { describe, expect, it } from 'vitest'
import { core, policy } from '../api/index.ts'
import { decodeObject } from '../machinery/json.ts'
import { createCycle, enough, explain } from './cycle.ts'
import { createNominations } from './nominations.ts'
import { podInfo } from './pod-info.ts'
import { plugins } from './plugins/index.ts'
import { findPreemption } from './preemption.ts'
import { createState } from './state.ts'

type Json = Record<string, unknown>

const podOf = (name: string, cpu: string, priority: number, over: { spec?: Json; status?: Json; labels?: Json } = {}) => decodeObject(core.Pod, {
  metadata: { name, namespace: 'default', uid: name, labels: over.labels ?? {} },
  spec: { containers: [{ name: 'main', image: 'x', resources: { requests: { cpu } } }], priority, ...over.spec },
  status: over.status ?? {},
}).object

const budget = (labels: Json, disruptionsAllowed: number) => decodeObject(policy.PodDisruptionBudget, {
  metadata: { name: 'keep', namespace: 'default' }, spec: { selector: { matchLabels: labels } }, status: { disruptionsAllowed },
}).object

/** Tries to schedule a pod on nodes of two CPUs with these pods on them, and then to preempt. */
function preempt(pods: Readonly<Record<string, readonly core.Pod[]>>, incoming: core.Pod, budgets: readonly policy.PodDisruptionBudget[] = [], taints: Readonly<Record<string, Json[]>> = {}) {
  const state = createState({ namespaceLabels: () => ({}), claim: () => undefined, volume: () => undefined, volumes: () => [], storageClass: () => undefined, siblings: () => undefined })
  for (const name of Object.keys(pods)) {
    const node = { metadata: { name, labels: { 'kubernetes.io/hostname': name } }, spec: { taints: taints[name] ?? [] }, status: { allocatable: { cpu: '2', memory: '8Gi', pods: '110' } } }
    state.setNode(decodeObject(core.Node, node).object)
    for (const pod of pods[name]!) state.setPod({ ...pod, spec: { ...pod.spec, nodeName: name } })
  }
  const nominations = createNominations()
  const info = podInfo(incoming)
  const outcome = createCycle({ plugins, nominations, random: () => 0 })(info, state.cluster)
  if (!('diagnosis' in outcome)) throw new Error('the pod fits without preemption')
  const result = findPreemption({ plugins, nominations, budgets: () => budgets }, info, state.cluster, outcome.diagnosis)
  if ('message' in result) return explain(outcome.diagnosis, result.message)
  return `${result.preemption.node}: ${result.preemption.victims.map((v) => v.metadata.name).join(' ')}`
}

const vip = podOf('vip', '1', 100)

describe('preemption', () => {
  it('spares whoever can stay, the more important first', () => {
    expect(preempt({ a: [podOf('low', '500m', 1), podOf('mid', '500m', 5), podOf('high', '1', 9)] }, podOf('vip', '500m', 100))).toBe('a: low')
    expect(preempt({ a: [podOf('low', '500m', 1), podOf('mid', '500m', 5), podOf('high', '1', 9)] }, vip)).toBe('a: mid low')
  })

  it('never ends pods that matter as much', () => {
    expect(preempt({ a: [podOf('same', '2', 100)] }, vip)).toBe('0/1 nodes are available: 1 Insufficient cpu. preemption: 0/1 nodes are available: 1 No preemption victims found for incoming pod.')
  })

  it('prefers nodes where no disruption budget is broken, and there breaks as few as it can', () => {
    const web = { labels: { app: 'web' } }
    expect(preempt({ a: [podOf('kept', '2', 1, web)], b: [podOf('free', '2', 50)] }, vip, [budget({ app: 'web' }, 0)])).toBe('b: free')
    expect(preempt({ a: [podOf('kept', '1', 1, web), podOf('free', '1', 50)] }, vip, [budget({ app: 'web' }, 0)])).toBe('a: free')
    expect(preempt({ a: [podOf('kept', '2', 1, web)], b: [podOf('free', '2', 50)] }, vip, [budget({ app: 'web' }, 1)])).toBe('a: kept')
  })

  it('knows that no budget covers a pod without labels', () => {
    const all = decodeObject(policy.PodDisruptionBudget, {
      metadata: { name: 'keep', namespace: 'default' }, spec: { selector: { matchExpressions: [{ key: 'app', operator: 'DoesNotExist' }] } }, status: { disruptionsAllowed: 0 },
    }).object
    expect(preempt({ a: [podOf('bare', '2', 1)], b: [podOf('free', '2', 50, { labels: { tier: 'x', app: 'y' } })] }, vip, [all])).toBe('a: bare')
  })

  it('then looks at the highest priority, the sum, the number and the age of the victims', () => {
    expect(preempt({ a: [podOf('a1', '2', 20)], b: [podOf('b1', '1', 10), podOf('b2', '1', 10)] }, podOf('vip', '2', 100))).toBe('b: b1 b2')
    expect(preempt({ a: [podOf('a1', '1', 10), podOf('a2', '1', 10)], b: [podOf('b1', '2', 10)] }, podOf('vip', '2', 100))).toBe('b: b1')
    const started = (time: string) => ({ status: { startTime: time } })
    expect(preempt({ a: [podOf('old', '2', 10, started('2026-01-01T00:00:00Z'))], b: [podOf('young', '2', 10, started('2026-01-02T00:00:00Z'))] }, vip)).toBe('b: young')
  })

  it('does not look where ending pods would not help', () => {
    const taint = { key: 'x', effect: 'NoSchedule' }
    expect(preempt({ a: [podOf('low', '2', 1)] }, vip, [], { a: [taint] }))
      .toBe('0/1 nodes are available: 1 node(s) had untolerated taint(s). preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.')
  })

  it('makes way for pods that cannot stand each other', () => {
    const shy = { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ topologyKey: 'kubernetes.io/hostname', labelSelector: { matchLabels: { app: 'web' } } }] } } }
    expect(preempt({ a: [podOf('web', '100m', 1, { labels: { app: 'web' } }), podOf('other', '100m', 1)] }, podOf('vip', '100m', 100, { spec: shy }))).toBe('a: web')
  })

  it('waits while the victims of an earlier preemption are on their way out', () => {
    const leaving = podOf('leaving', '2', 1, { status: { conditions: [{ type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler' }] } })
    const going = { ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } }
    const promised = podOf('vip', '1', 100, { status: { nominatedNodeName: 'a' } })
    expect(preempt({ a: [going], b: [podOf('low', '2', 1)] }, promised)).toContain('preemption: not eligible due to a terminating pod on the nominated node.')
    const hopeless = podOf('vip', '1', 100, { status: { nominatedNodeName: 'a' }, spec: { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'none' } }] } })
    expect(preempt({ a: [going] }, hopeless)).toContain('preemption: 0/1 nodes are available: 1 Preemption is not helpful for scheduling.')
  })
})

describe('how many nodes are looked at', () => {
  it('is all of a hundred, and a shrinking share of more', () => {
    expect([3, 100, 101, 300, 1000, 1100, 5000, 20_000].map(enough)).toEqual([3, 100, 100, 144, 420, 462, 500, 1000])
  })
})
