import { describe, expect, it } from 'vitest'
import { core, storage, type Resource } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import type { Strategy } from '../../strategy.ts'
import { strategyFor } from '../strategies.ts'
import { complete, context, created, createErrors, environment, now, statusErrors, updated, updateErrors } from '../testing.ts'

const claims = core.persistentvolumeclaims
const metadata = { name: 'a', namespace: 'default' }
const plain = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
const claim = (spec: object = {}, more: object = {}) => ({ metadata: { ...metadata, ...more }, spec: { ...plain, ...spec } })
const boundTo = (spec: object) => ({ ...created(claims, claim({ volumeName: 'pv', ...spec })), status: { phase: 'Bound' as const, capacity: { storage: '1Gi' } } })
const strategyOf = <T extends ApiObject, I>(resource: Resource<T, I>) => strategyFor(resource as never, environment) as unknown as Strategy<T>

describe('the source of a claim', () => {
  const from = (spec: object) => {
    const { dataSource, dataSourceRef } = created(claims, claim(spec)).spec
    return { dataSource, dataSourceRef }
  }
  const other = { apiGroup: 'example.com', kind: 'Disk', name: 'd' }
  const snapshot = { apiGroup: 'snapshot.storage.k8s.io', kind: 'VolumeSnapshot', name: 's' }

  it('has both names when it is a claim, a snapshot, or anything under the new name', () => {
    expect(from({ dataSource: snapshot })).toEqual({ dataSource: snapshot, dataSourceRef: snapshot })
    expect(from({ dataSourceRef: other })).toEqual({ dataSource: other, dataSourceRef: other })
  })
  it('is passed over under the old name when it is anything else', () => {
    expect(from({ dataSource: other })).toEqual({ dataSource: undefined, dataSourceRef: undefined })
  })
  it('is never in another namespace', () => {
    expect(from({ dataSourceRef: { ...snapshot, namespace: 'theirs' } })).toEqual({ dataSource: undefined, dataSourceRef: undefined })
  })
  it('stays when an older client sends only what it knows', () => {
    expect(updated(claims, claim({ dataSource: other }), created(claims, claim({ dataSourceRef: other }))).spec.dataSourceRef).toEqual(other)
  })
})

describe('an update of a claim', () => {
  const frozen = expect.stringMatching(/^spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims/) as unknown as string
  it('of its size leaves other amounts alone', () => {
    expect(updateErrors(claims, claim({ volumeName: 'pv', resources: { requests: { storage: '2Gi' } } }), boundTo({}))).toEqual([])
    expect(updateErrors(claims, claim({ volumeName: 'pv', resources: { requests: { storage: '2Gi', 'example.com/x': '1' } } }), boundTo({}))).toEqual([frozen])
  })
  it('gives a class to one that said nothing of it, not to one that wants none', () => {
    expect(updateErrors(claims, claim({ volumeName: 'pv', storageClassName: 'fast' }), boundTo({}))).toEqual([])
    expect(updateErrors(claims, claim({ storageClassName: 'fast' }), created(claims, claim({ storageClassName: '' })))).toEqual([frozen])
  })
  it('gives no class but the one that the old annotation names', () => {
    const annotations = { 'volume.beta.kubernetes.io/storage-class': 'slow' }
    expect(updateErrors(claims, claim({ storageClassName: 'fast' }, { annotations }), created(claims, claim({}, { annotations })))).toEqual([frozen])
    expect(updateErrors(claims, claim({ storageClassName: 'slow' }, { annotations }), created(claims, claim({}, { annotations })))).toEqual([])
  })
  it('takes no class of attributes away', () => {
    expect(updateErrors(claims, claim({ volumeName: 'pv' }), boundTo({ volumeAttributesClassName: 'gold' }))).toEqual([frozen, 'spec.volumeAttributesClassName: Forbidden: update from non-nil value to nil is forbidden'])
  })
})

it('the status of a claim says of amounts only what can be', () => {
  const next = { ...complete(claims, claim()), status: { capacity: { storage: '-1' }, allocatedResourceStatuses: { cpu: 'X', 'example.com/x': 'NodeResizePending' }, allocatedResources: { memory: '1', storage: '-2' } } } as unknown as core.PersistentVolumeClaim
  expect(statusErrors(strategyOf(claims), next, complete(claims, claim()))).toEqual([
    'status.capacity[storage]: Invalid value: -1: must be a valid resource quantity',
    'status.allocatedResourceStatus: Unsupported value: "cpu": supported values: "storage"',
    'status.allocatedResourceStatus: Unsupported value: "cpu": supported values: "ControllerResizeInProgress", "ControllerResizeInfeasible", "NodeResizeInProgress", "NodeResizeInfeasible", "NodeResizePending"',
    'status.allocatedResources: Unsupported value: "memory": supported values: "storage"',
    'status.allocatedResources[storage]: Invalid value: -2: must be a valid resource quantity',
  ])
})

describe('the phase of a volume', () => {
  const volumes = core.persistentvolumes
  const written = { metadata: { name: 'v' }, spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], hostPath: { path: '/data' } } }
  const volume = created(volumes, written)
  const to = (status: object, later: number) => strategyOf(volumes).prepareForStatusUpdate?.({ ...volume, status: { ...volume.status, ...status } }, volume, context({ now: now + later })).status.lastPhaseTransitionTime

  it('has the time at which it began', () => {
    expect(volume.status).toEqual({ phase: 'Pending', lastPhaseTransitionTime: '2026-01-01T12:00:00Z' })
    expect(to({ phase: 'Available' }, 60_000)).toBe('2026-01-01T12:01:00Z')
    expect(to({ message: 'm' }, 60_000)).toBe('2026-01-01T12:00:00Z')
    expect(to({ phase: 'Bound', lastPhaseTransitionTime: '2025-01-01T00:00:00Z' }, 60_000)).toBe('2025-01-01T00:00:00Z')
  })
})

describe('warnings', () => {
  const warnings = <T extends ApiObject, I>(resource: Resource<T, I>, object: object) => strategyOf(resource).warnings?.(complete(resource, object))
  const zone = 'failure-domain.beta.kubernetes.io/zone'
  const instead = 'deprecated since v1.17; use "topology.kubernetes.io/zone" instead'
  const annotations = { 'volume.beta.kubernetes.io/storage-class': 'slow' }
  const annotated = 'metadata.annotations[volume.beta.kubernetes.io/storage-class]: deprecated since v1.8; use "storageClassName" attribute instead'

  it('tell what is old about a volume', () => {
    const spec = { capacity: { storage: '1Gi' }, persistentVolumeReclaimPolicy: 'Recycle', rbd: { monitors: [], image: 'i' }, nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: zone, operator: 'Exists' }] }] } } }
    expect(warnings(core.persistentvolumes, { metadata: { name: 'v', annotations }, spec })).toEqual([
      annotated, 'spec.persistentVolumeReclaimPolicy: The Recycle reclaim policy is deprecated. Instead, the recommended approach is to use dynamic provisioning.',
      `spec.nodeAffinity.required.nodeSelectorTerms[0].matchExpressions[0].key: ${zone} is ${instead}`, 'spec.rbd: deprecated in v1.28, non-functional in v1.31+',
    ])
  })
  it('tell of a claim for parts of bytes', () => {
    expect(warnings(claims, claim({ resources: { requests: { storage: '1500m' } } }, { annotations }))).toEqual([annotated, 'spec.resources.requests[storage]: fractional byte value "1500m" is invalid, must be an integer'])
  })
  it('tell of old labels of nodes in a class and a capacity', () => {
    expect(warnings(storage.storageclasses, { metadata: { name: 'c' }, provisioner: 'p', allowedTopologies: [{ matchLabelExpressions: [{ key: zone, values: ['a'] }] }] })).toEqual([`allowedTopologies[0].matchLabelExpressions[0].key: ${instead}`])
    expect(warnings(storage.csistoragecapacities, { metadata, storageClassName: 'c', nodeTopology: { matchLabels: { [zone]: 'a' } } })).toEqual([`nodeTopology.matchLabels.${zone}: ${instead}`])
  })
})

it('a driver gets tokens as secrets only when it gets tokens', () => {
  const driver = (spec: object) => ({ metadata: { name: 'd.example.com' }, spec })
  expect(createErrors(storage.csidrivers, driver({ serviceAccountTokenInSecrets: true }))).toEqual(['spec.serviceAccountTokenInSecrets: Invalid value: true: serviceAccountTokenInSecrets is set but no tokenRequests are specified'])
  expect(createErrors(storage.csidrivers, driver({ serviceAccountTokenInSecrets: true, tokenRequests: [{ audience: '' }] }))).toEqual([])
})
