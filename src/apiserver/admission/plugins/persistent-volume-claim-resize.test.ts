import { expect, it } from 'vitest'
import { core } from '../../../api/index.ts'
import { attributesOf, environment, type Loose } from '../../testing/environment.ts'
import { createAdmissionChain } from '../chain.ts'
import { persistentVolumeClaimResize } from './persistent-volume-claim-resize.ts'

const storageClass = (name: string, allowVolumeExpansion: boolean): Loose => ({ kind: 'StorageClass', metadata: { name }, allowVolumeExpansion })
const chain = createAdmissionChain([persistentVolumeClaimResize(environment(storageClass('grows', true), storageClass('fixed', false)))])
const claim = (storage: string, more: { storageClassName?: string; annotations?: object; phase?: string }): Loose => ({
  kind: 'PersistentVolumeClaim', metadata: { name: 'c', namespace: 'x', annotations: more.annotations } as never,
  spec: { storageClassName: more.storageClassName, resources: { requests: { storage } } }, status: { phase: more.phase ?? 'Bound' },
})
const old = (name: string) => ({ annotations: { 'volume.beta.kubernetes.io/storage-class': name } })
const cannot = 'only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize'

it.each([
  ['grows where its class says so', { storageClassName: 'grows' }, undefined],
  ['does not grow where its class does not', { storageClassName: 'fixed' }, cannot],
  ['has the class of the old annotation', { ...old('fixed'), storageClassName: 'grows' }, cannot],
  ['grows with a class of the old annotation', old('grows'), undefined],
  ['does not grow without a class', {}, cannot],
  ['does not grow without a volume', { storageClassName: 'grows', phase: 'Pending' }, 'Only bound persistent volume claims can be expanded'],
])('a claim %s', (_, more, refusal) => {
  const grow = () => chain.validate(attributesOf(core.persistentvolumeclaims, claim('2Gi', more), { operation: 'UPDATE', old: claim('1Gi', more) }))
  if (refusal === undefined) expect(grow).not.toThrow()
  else expect(grow).toThrow(`persistentvolumeclaims "c" is forbidden: ${refusal}`)
})
