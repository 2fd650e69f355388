import { describe, expect, it } from 'vitest'
import { rbac, storage, type Resource } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import type { Strategy } from '../../strategy.ts'
import { strategyFor } from '../strategies.ts'
import { complete, createErrors, created, environment, statusErrors, updateErrors } from '../testing.ts'

const any = <T extends ApiObject, I>(resource: Resource<T, I>) => resource as unknown as Resource<ApiObject>
const named = (body: object, name = 'a') => ({ metadata: { name, namespace: 'default' }, ...body })
const many = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`k${i}`, 'v']))
const term = (...keys: string[]) => ({ matchLabelExpressions: keys.map((key) => ({ key, values: ['a'] })) })
const attachment = (spec: object) => ({ spec: { attacher: 'csi.example.com', nodeName: 'n', source: { persistentVolumeName: 'pv' }, ...spec } })
const csiNode = (driver: object) => ({ spec: { drivers: [{ name: 'csi.example.com', nodeID: 'x', topologyKeys: [], ...driver }] } })
const label = expect.stringMatching(/name part must consist of/) as unknown as string

describe('what is wrong with', () => {
  it.each<[string, Resource<ApiObject>, object, string[]]>([
    ['a class of many parameters', any(storage.storageclasses), { provisioner: 'p', parameters: many(513) }, ['parameters: Too long: may not be more than 512 bytes']],
    ['a class of large parameters', any(storage.storageclasses), { provisioner: 'p', parameters: { a: 'x'.repeat(262_144) } }, ['parameters: Too long: may not be more than 262144 bytes']],
    ['a class of a nameless parameter', any(storage.storageclasses), { provisioner: 'p', parameters: { '': 'x' } }, ['parameters: Invalid value: "": field can not be empty.']],
    ['a class that recycles', any(storage.storageclasses), { provisioner: 'p', reclaimPolicy: 'Recycle' }, ['reclaimPolicy: Unsupported value: "Recycle": supported values: "Delete", "Retain"']],
    ['a class of places twice', any(storage.storageclasses), { provisioner: 'p', allowedTopologies: [term('zone'), term('zone'), term('a', 'a'), { matchLabelExpressions: [{ key: 'x', values: [] }, { key: 'y', values: ['a', 'a'] }] }] }, [
      'allowedTopologies[1].matchLabelExpressions: Duplicate value: ""', 'allowedTopologies[2].matchLabelExpressions[1].key: Duplicate value: "a"',
      'allowedTopologies[3].matchLabelExpressions[0].values: Required value', 'allowedTopologies[3].matchLabelExpressions[1].values[1]: Duplicate value: "a"',
    ]],
    ['attributes of no driver', any(storage.volumeattributesclasses), { driverName: '' }, ['driverName: Required value', 'parameters: Required value: must contain at least one key/value pair']],
    ['an attachment of nothing', any(storage.volumeattachments), attachment({ attacher: 'A_', nodeName: 'N', source: { persistentVolumeName: '' } }), [
      expect.stringMatching(/^spec.attacher: Invalid value: "A_": a lowercase/) as unknown as string,
      'spec.source.persistentVolumeName: Required value: must specify non empty persistentVolumeName', expect.stringMatching(/^spec.nodeName: Invalid value: "N"/) as unknown as string,
    ]],
    ['an attachment of both', any(storage.volumeattachments), attachment({ source: { persistentVolumeName: 'pv', inlineVolumeSpec: {} } }), ['spec.source: Forbidden: must specify exactly one of inlineVolumeSpec and persistentVolumeName']],
    ['a node of a long id', any(storage.csinodes), csiNode({ nodeID: 'x'.repeat(257), topologyKeys: ['a', 'a', '_'], allocatable: { count: -1 } }), [
      `spec.drivers[0].nodeID: Invalid value: "${'x'.repeat(257)}": must be 256 characters or less`, 'spec.drivers[0].allocatable.count: Invalid value: -1: must be greater than or equal to 0',
      'spec.drivers[0]: Duplicate value: "a"', label,
    ]],
    ['a driver of a long name', any(storage.csinodes), csiNode({ name: `${'x'.repeat(63)}.y` }), ['spec.drivers[0].name: Too long: may not be more than 63 bytes']],
    ['a driver with tokens', any(storage.csidrivers), { spec: { tokenRequests: [{ audience: '' }, { audience: '' }, { audience: 'a', expirationSeconds: 599 }, { audience: 'b', expirationSeconds: 4294967297 }] } }, [
      'spec.tokenRequests[1].audience: Duplicate value: ""', 'spec.tokenRequests[2].expirationSeconds: Invalid value: 599: may not specify a duration less than 10 minutes',
      'spec.tokenRequests[3].expirationSeconds: Invalid value: 4294967297: may not specify a duration larger than 2^32 seconds',
    ]],
    ['a driver of other modes', any(storage.csidrivers), { spec: { volumeLifecycleModes: ['X'], fsGroupPolicy: 'Y', nodeAllocatableUpdatePeriodSeconds: 9 } }, [
      'spec.fsGroupPolicy: Unsupported value: "Y": supported values: "File", "None", "ReadWriteOnceWithFSType"', 'spec.volumeLifecycleModes: Unsupported value: "X": supported values: "Persistent", "Ephemeral"',
      'spec.nodeAllocatableUpdatePeriodSeconds: Invalid value: 9: must be greater than or equal to 10 seconds',
    ]],
    ['a capacity below nothing', any(storage.csistoragecapacities), { storageClassName: 'fast', capacity: '-1Gi' }, ['capacity: Invalid value: "-1Gi": must be greater than or equal to 0']],
    ['nothing: the account of a binding without namespace', any(rbac.rolebindings), { roleRef: { kind: 'Role', name: 'r' }, subjects: [{ kind: 'ServiceAccount', name: 'sa' }] }, []],
    ['the account of a cluster-wide binding', any(rbac.clusterrolebindings), { roleRef: { kind: 'ClusterRole', name: 'r' }, subjects: [{ kind: 'ServiceAccount', name: 'S' }] }, [
      expect.stringMatching(/^subjects\[0\].name: Invalid value: "S"/) as unknown as string, 'subjects[0].namespace: Required value',
    ]],
    ['a role of roles', any(rbac.clusterroles), { rules: [], aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: '_' } }] } }, [expect.stringMatching(/^aggregationRule.clusterRoleSelectors\[0\].matchLabels: Invalid value: "_"/) as unknown as string, 'aggregationRule.clusterRoleSelectors[0]: Invalid value: null: invalid label selector.']],
  ])('%s', (_, resource, written, errors) => {
    expect(createErrors(resource, named(written))).toEqual(errors)
  })
})

describe('what cannot change', () => {
  it.each<[string, Resource<ApiObject>, object, object, string[]]>([
    ['the driver of attributes', any(storage.volumeattributesclasses), { driverName: 'a', parameters: { a: 'b' } }, { driverName: 'b', parameters: { a: 'c' } },
      ['driverName: Forbidden: updates to driverName are forbidden.', 'parameters: Forbidden: updates to parameters are forbidden.']],
    ['whether a driver attaches', any(storage.csidrivers), { spec: {} }, { spec: { attachRequired: false } }, ['spec.attachedRequired: Invalid value: false: field is immutable']],
    ['the id of a node', any(storage.csinodes), csiNode({ allocatable: { count: 1 } }), csiNode({ nodeID: 'y' }),
      ['spec.drivers: Invalid value: {"name":"csi.example.com","nodeID":"y","topologyKeys":[]}: field is immutable']],
    ['nothing: how much a node can take', any(storage.csinodes), csiNode({ allocatable: { count: 1 } }), csiNode({ allocatable: { count: 2 } }), []],
    ['where a volume is attached', any(storage.volumeattachments), attachment({}), attachment({ nodeName: 'm' }),
      ['spec: Invalid value: {"attacher":"csi.example.com","source":{"persistentVolumeName":"pv"},"nodeName":"m"}: field is immutable']],
  ])('%s', (_, resource, before, after, errors) => {
    expect(updateErrors(resource, named(after), created(resource, named(before)))).toEqual(errors)
  })
})

it('the status of an attachment holds so much', () => {
  const strategy = strategyFor(any(storage.volumeattachments) as never, environment) as unknown as Strategy<ApiObject>
  const next = complete(any(storage.volumeattachments), named({ ...attachment({}), status: { attached: true, attachmentMetadata: { a: 'x'.repeat(262_144) }, attachError: { message: 'm', errorCode: -1 } } }))
  expect(statusErrors(strategy, next, next)).toEqual([
    'status.attachmentMetadata: Too long: may not be more than 262144 bytes', 'status.attachError.errorCode: Invalid value: -1: must be between 0 and 2147483647, inclusive',
  ])
})
