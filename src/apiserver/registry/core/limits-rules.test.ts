import { describe, expect, it } from 'vitest'
import { apps, batch, core } from '../../../api/index.ts'
import { createErrors, created, environment, statusErrors, updateErrors } from '../testing.ts'
import { strategyFor } from '../strategies.ts'

const meta = { metadata: { name: 'a', namespace: 'default' } }

describe('a limit range', () => {
  const range = (item: object) => createErrors(core.limitranges, { ...meta, spec: { limits: [item] } })
  it.each<[string, object, string[]]>([
    ['type', { type: 'Node' }, ['type: Invalid value: "Node": must be a standard limit type or fully qualified']],
    ['resource of containers', { type: 'Container', max: { storage: '1' } }, ['max[storage]: Invalid value: "storage": must be a standard resource for containers', 'default[storage]: Invalid value: "storage": must be a standard resource for containers', 'defaultRequest[storage]: Invalid value: "storage": must be a standard resource for containers']],
    ['minimum above the maximum', { type: 'Pod', min: { cpu: '2' }, max: { cpu: '1' } }, ['min[cpu]: Invalid value: "2": min value 2 is greater than max value 1']],
    ['default of pods', { type: 'Pod', default: { cpu: '2' } }, ["default: Forbidden: may not be specified when `type` is 'Pod'"]],
    ['small ratio', { type: 'Pod', maxLimitRequestRatio: { cpu: '500m' } }, ['maxLimitRequestRatio[cpu]: Invalid value: "500m": ratio 500m is less than 1']],
    ['large ratio', { type: 'Pod', min: { cpu: '1' }, max: { cpu: '2' }, maxLimitRequestRatio: { cpu: '3' } }, ['maxLimitRequestRatio[cpu]: Invalid value: "3": ratio 3 is greater than max/min = 2.000000']],
  ])('refuses a wrong %s', (_, item, wrong) => {
    expect(range(item)).toEqual(wrong.map((line) => `spec.limits[0].${line}`))
  })
})

describe('a resource quota', () => {
  it.each<[string, object, string[]]>([
    ['resource', { hard: { apples: '1' } }, ['spec.hard[apples]: Invalid value: "apples": must be a standard resource type or fully qualified', 'spec.hard[apples]: Invalid value: "apples": must be a standard resource for quota']],
    ['half a pod', { hard: { pods: '500m' } }, ['spec.hard[pods]: Invalid value: "500m": must be an integer']],
    ['scope', { scopes: ['Some'] }, ['spec.scopes: Invalid value: ["Some"]: unsupported scope']],
    ['scope of other things', { hard: { services: '1' }, scopes: ['BestEffort'] }, ['spec.scopes: Invalid value: ["BestEffort"]: unsupported scope applied to resource']],
    ['operator', { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'X' }] } }, ['spec.scopeSelector.matchExpressions.operator: Invalid value: "X": not a valid selector operator']],
  ])('refuses a wrong %s', (_, spec, wrong) => {
    expect(createErrors(core.resourcequotas, { ...meta, spec })).toEqual(wrong)
  })
  it('keeps its scopes, in any order', () => {
    const current = created(core.resourcequotas, { ...meta, spec: { hard: { pods: '1' }, scopes: ['Terminating', 'NotBestEffort'] } })
    expect(updateErrors(core.resourcequotas, { ...meta, spec: { hard: { pods: '2' }, scopes: ['NotBestEffort', 'Terminating'] } }, current)).toEqual([])
    expect(updateErrors(core.resourcequotas, { ...meta, spec: { hard: { pods: '2' } } }, current)).toEqual(['spec.scopes: Invalid value: []: field is immutable'])
  })
})

describe('a persistent volume', () => {
  const volume = (spec: object) => createErrors(core.persistentvolumes, { metadata: { name: 'v' }, spec: { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], ...spec } })
  it.each<[string, object, string[]]>([
    ['capacity', { capacity: undefined, hostPath: { path: '/x' } }, ['capacity: Required value', 'capacity: Unsupported value: {}: supported values: "storage"']],
    ['mode', { accessModes: ['X'], hostPath: { path: '/x' } }, ['accessModes: Unsupported value: "X": supported values: "ReadOnlyMany", "ReadWriteMany", "ReadWriteOnce", "ReadWriteOncePod"']],
    ['driver', { csi: { driver: 'd', volumeHandle: '', nodeStageSecretRef: {}, nodePublishSecretRef: { name: 's' } } }, ['csi.volumeHandle: Required value', 'csi.nodePublishSecretRef.namespace: Required value']],
    ['disk', { gcePersistentDisk: { pdName: '' } }, ['persistentDisk.pdName: Required value']],
    ['monitor', { rbd: { image: 'i', monitors: [] } }, ['rbd.monitors: Required value']],
    ['class of attributes', { hostPath: { path: '/x' }, volumeAttributesClassName: 'a' }, ['csi: Required value: has to be specified when using volumeAttributesClassName']],
  ])('refuses a wrong %s', (_, spec, wrong) => {
    expect(volume(spec)).toEqual(wrong.map((line) => `spec.${line}`))
  })
  it('may be given the secret for growing later', () => {
    const spec = { capacity: { storage: '1Gi' }, accessModes: ['ReadWriteOnce'], csi: { driver: 'd', volumeHandle: 'h' } }
    const current = created(core.persistentvolumes, { metadata: { name: 'v' }, spec })
    const csi = { ...spec.csi, controllerExpandSecretRef: { name: 's', namespace: 'n' } }
    expect(updateErrors(core.persistentvolumes, { metadata: { name: 'v' }, spec: { ...spec, csi } }, current)).toEqual([])
  })
})

describe('a secret with the login of a registry', () => {
  it.each([['', 'unexpected end of JSON input'], ['hunter2', 'invalid JSON'], ['[]', 'json: cannot unmarshal array into Go value of type map[string]interface {}']])('%j is refused without being shown', (text, why) => {
    expect(createErrors(core.secrets, { ...meta, type: 'kubernetes.io/dockerconfigjson', stringData: { '.dockerconfigjson': text } })).toEqual([`data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": ${why}`])
  })
})

describe('a node', () => {
  it.each<[string, object, string[]]>([
    ['taint twice', { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }, { key: 'a', value: 'b', effect: 'NoSchedule' }] } }, ['metadata.taints[1]: Duplicate value: {"key":"a","value":"b","effect":"NoSchedule"}: taints must be unique by key and effect pair']],
    ['blocks of one family', { spec: { podCIDRs: ['10.0.0.0/24', '10.0.1.0/24'] } }, ['spec.podCIDRs: Invalid value: ["10.0.0.0/24","10.0.1.0/24"]: may specify no more than one CIDR for each IP family']],
    ['half a pod', { status: { capacity: { pods: '500m' }, allocatable: { pods: '1' } } }, ['status.capacity.pods: Invalid value: "500m": must be an integer']],
  ])('refuses %s', (_, node, wrong) => {
    expect(createErrors(core.nodes, { metadata: { name: 'n' }, ...node })).toEqual(wrong)
  })
})

describe('the status of a workload', () => {
  const spec = { selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'i' }] } } }
  it('counts no pods that are not there, and no fewer collisions', () => {
    const strategy = strategyFor(apps.deployments as never, environment) as import('../../strategy.ts').Strategy<apps.Deployment>
    const current = { ...created(apps.deployments, { ...meta, spec }), status: { collisionCount: 2 } }
    expect(statusErrors(strategy, { ...current, status: { replicas: 1, readyReplicas: 2, collisionCount: 1 } }, current)).toEqual([
      'status.readyReplicas: Invalid value: 2: cannot be greater than status.replicas', 'status.collisionCount: Invalid value: 1: cannot be decremented',
    ])
  })
})

describe('a job', () => {
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } }
  const job = (name: string, spec: object) => createErrors(batch.jobs, { metadata: { name, namespace: 'default', uid: 'u' }, spec: { template, ...spec } })
  it('with a number for each pod has a name that leaves room for it', () => {
    expect(job('a'.repeat(62), { completionMode: 'Indexed', completions: 2, parallelism: 1 })).toEqual(['metadata.name: Invalid value: "' + 'a'.repeat(62) + '": will not able to create pod with invalid DNS label: ' + 'a'.repeat(62) + '-1'])
  })
  it('with very many completions keeps little of each', () => {
    expect(job('a', { completionMode: 'Indexed', completions: 100001, parallelism: 10001, backoffLimitPerIndex: 1 })).toEqual([
      'spec.maxFailedIndexes: Required value: must be specified when completions is above 100000',
      'spec.parallelism: Invalid value: 10001: must be less than or equal to 10000 when completions are above 100000 and used with backoff limit per index',
    ])
  })
  it('of a cron job has no selector of its own', () => {
    const jobTemplate = { spec: { template, selector: { matchLabels: { a: 'b' } } } }
    expect(createErrors(batch.cronjobs, { ...meta, spec: { schedule: '@daily', jobTemplate } })).toEqual(['spec.jobTemplate.spec.selector: Invalid value: {"matchLabels":{"a":"b"}}: `selector` will be auto-generated'])
  })
})
