import { expect, it } from 'vitest'
import { core } from '../../api/index.ts'
import { decodeObject } from '../../machinery/json.ts'
import { admitPod } from './admission.ts'

const node = decodeObject(core.nodes.type, { metadata: { name: 'n' }, status: { allocatable: { cpu: '2', memory: '1Gi', pods: '10', 'example.com/dongle': '1' } } }).object
const asking = (limits: Record<string, string>) => decodeObject(core.pods.type, { metadata: { name: 'p', uid: Object.keys(limits).join() }, spec: { containers: [{ name: 'c', image: 'x', resources: { limits } }] } }).object

it('counts the resources of others that the node has, and lets pass those it has not: somebody else counts them', () => {
  const [one, two] = [asking({ 'example.com/dongle': '1' }), asking({ 'example.com/dongle': '1', cpu: '1' })]
  expect(admitPod(one, [], node)).toBeUndefined()
  expect(admitPod(two, [one], node)).toEqual({ reason: 'OutOfexample.com/dongle', message: 'Node didn\'t have enough resource: example.com/dongle, requested: 1, used: 1, capacity: 1' })
  expect(admitPod(asking({ 'example.com/license': '5' }), [], node)).toBeUndefined()
  expect(admitPod(asking({ 'hugepages-2Mi': '4Mi' }), [], node)?.reason).toBe('OutOfhugepages-2Mi')
})

const pod = (spec: object, metadata: object = {}) => decodeObject(core.pods.type, { metadata: { name: 'p', uid: 'p', ...metadata }, spec: { containers: [{ name: 'c', image: 'x' }], ...spec } }).object
const nodeWith = (...parts: object[]) => Object.assign({}, node, ...parts) as core.Node

it('turns away what a taint would drive from the node at once', () => {
  const tainted = nodeWith({ spec: { taints: [{ key: 'maintenance', value: 'yes', effect: 'NoExecute' }, { key: 'other', effect: 'NoSchedule' }] } })
  expect(admitPod(pod({}), [], tainted)).toEqual({ reason: 'TaintToleration', message: 'Predicate TaintToleration failed: node(s) had taints that the pod didn\'t tolerate' })
  expect(admitPod(pod({ tolerations: [{ key: 'maintenance', operator: 'Exists' }] }), [], tainted)).toBeUndefined()
})

it('takes nothing in while the node runs out of disk, and of memory what asked for some', () => {
  const pressed = (...types: string[]) => nodeWith({ status: { ...node.status, conditions: types.map((type) => ({ type, status: 'True' })) } })
  const asks = { containers: [{ name: 'c', image: 'x', resources: { requests: { memory: '1Mi' } } }] }
  expect(admitPod(pod({}), [], pressed('MemoryPressure'))).toEqual({ reason: 'Evicted', message: 'The node had condition: [MemoryPressure]. ' })
  expect(admitPod(pod(asks), [], pressed('MemoryPressure'))).toBeUndefined()
  expect(admitPod(pod({ tolerations: [{ key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' }] }), [], pressed('MemoryPressure'))).toBeUndefined()
  expect(admitPod(pod(asks), [], pressed('MemoryPressure', 'DiskPressure'))?.message).toBe('The node had condition: [MemoryPressure DiskPressure]. ')
  expect(admitPod(pod({ priority: 2_000_000_000 }), [], pressed('DiskPressure'))).toBeUndefined()
})

it('tells of resources before places, and of CPU before the rest', () => {
  const greedy = { nodeSelector: { disk: 'ssd' }, containers: [{ name: 'c', image: 'x', resources: { requests: { memory: '2Gi', cpu: '3' } } }] }
  expect(admitPod(pod(greedy), [], node)?.reason).toBe('OutOfcpu')
  expect(admitPod(pod({ nodeSelector: { disk: 'ssd' } }), [], node)?.reason).toBe('NodeAffinity')
  expect(admitPod(pod({}, { labels: { 'kubernetes.io/os': 'windows' } }), [], node)?.reason).toBe('PodOSSelectorNodeLabelDoesNotMatch')
})
