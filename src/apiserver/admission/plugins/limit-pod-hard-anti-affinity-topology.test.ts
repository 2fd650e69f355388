import { expect, it } from 'vitest'
import { core } from '../../../api/index.ts'
import { attributesOf } from '../../testing/environment.ts'
import { createAdmissionChain } from '../chain.ts'
import { limitPodHardAntiAffinityTopology } from './limit-pod-hard-anti-affinity-topology.ts'

it('LimitPodHardAntiAffinityTopology lets pods keep others away from their node, not from more', () => {
  const chain = createAdmissionChain([limitPodHardAntiAffinityTopology()])
  const check = (kind: string, ...keys: string[]) => chain.validate(attributesOf(core.pods, { kind: 'Pod', metadata: { name: 'p', namespace: 'x' }, spec: { containers: [], affinity: { [kind]: { requiredDuringSchedulingIgnoredDuringExecution: keys.map((topologyKey) => ({ topologyKey })) } } } }))
  expect(check('podAntiAffinity', 'kubernetes.io/hostname')).toBeUndefined()
  expect(check('podAffinity', 'zone')).toBeUndefined()
  expect(() => check('podAntiAffinity', 'kubernetes.io/hostname', 'zone')).toThrow('pods "p" is forbidden: affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey zone but only key kubernetes.io/hostname is allowed')
})
