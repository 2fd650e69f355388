import { expect, it } from 'vitest'
import { core } from '../../../api/index.ts'
import { attributesOf, environment, type Loose } from '../../testing/environment.ts'
import { createAdmissionChain } from '../chain.ts'
import { nodeDeclaredFeatureValidator } from './node-declared-feature-validator.ts'

const feature = 'InPlacePodLevelResourcesVerticalScaling'
const node = (name: string, declaredFeatures?: string[]): Loose => ({ kind: 'Node', metadata: { name }, status: { declaredFeatures } })
const chain = createAdmissionChain([nodeDeclaredFeatureValidator(environment(node('able', ['Other', feature]), node('plain')))])
const pod = (nodeName: string | undefined, cpu: string | undefined): Loose =>
  ({ kind: 'Pod', metadata: { name: 'p', namespace: 'x' }, spec: { nodeName, containers: [{ name: 'a', resources: {} }], resources: cpu === undefined ? undefined : { requests: { cpu } } }, status: {} })
const resize = (nodeName: string | undefined, from: string | undefined, to: string | undefined) => () =>
  void chain.validate(attributesOf(core.pods, pod(nodeName, to), { operation: 'UPDATE', subresource: 'resize', old: pod(nodeName, from) }))

it('changes what a pod may use as a whole only on nodes that can follow', () => {
  expect(resize('able', '2', '1')).not.toThrow()
  expect(resize('plain', '2', '1')).toThrow(`pods "p" is forbidden: pod update requires features ${feature} which are not available on node "plain"`)
  expect(resize('plain', undefined, '1')).toThrow('not available')
  expect(resize('gone', '2', '1')).toThrow('pods "p" is forbidden: node "gone" not found')
})

it('is not asked where there is no node yet, or nothing of it changes', () => {
  expect(resize(undefined, '2', '1')).not.toThrow()
  expect(resize('plain', '2', '2')).not.toThrow()
  expect(resize('gone', undefined, undefined)).not.toThrow()
})
