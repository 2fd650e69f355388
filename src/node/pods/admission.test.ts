import { expect, it } from 'vitest'
import { core } from '../../api/index.ts'
import { decodeObject } from '../../machinery/json.ts'
import { admitPod } from './admission.ts'

const node = decodeObject(core.nodes.type, { metadata: { name: 'n' }, status: { allocatable: { cpu: '2', memory: '1Gi', pods: '10', 'example.com/dongle': '1' } } }).object
const asking = (limits: Record<string, string>) => decodeObject(core.pods.type, { metadata: { name: 'p', uid: Object.keys(limits).join() }, spec: { containers: [{ name: 'c', image: 'x', resources: { limits } }] } }).object

it('counts the resources of others that the node has, and lets pass those it has not: somebody else counts them', () => {
  const [one, two] = [asking({ 'example.com/dongle': '1' }), asking({ 'example.com/dongle': '1', cpu: '1' })]
  expect(admitPod(one, [], node)).toBeUndefined()
  expect(admitPod(two, [one], node)).toEqual({ reason: 'OutOfexample.com/dongle', message: 'Pod was rejected: Node didn\'t have enough resource: example.com/dongle, requested: 1, used: 1, capacity: 1' })
  expect(admitPod(asking({ 'example.com/license': '5' }), [], node)).toBeUndefined()
  expect(admitPod(asking({ 'hugepages-2Mi': '4Mi' }), [], node)?.reason).toBe('OutOfhugepages-2Mi')
})
