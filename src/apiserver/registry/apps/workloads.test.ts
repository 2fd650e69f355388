import { describe, expect, it } from 'vitest'
import { apps, core, type Resource } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import { strategyFor } from '../strategies.ts'
import { complete, created, createErrors, environment, row, statusErrors, updateErrors, updated } from '../testing.ts'

const template = { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'nginx:1' }] } }
const selector = { matchLabels: { app: 'web' } }
const object = (spec: object) => ({ metadata: { name: 'web', namespace: 'default' }, spec: { selector, template, ...spec } })

describe('deployments', () => {
  it('get what Kubernetes fills in, in their template too', () => {
    const { spec } = complete(apps.deployments, object({}))
    expect(spec).toMatchObject({
      replicas: 1, revisionHistoryLimit: 10, progressDeadlineSeconds: 600, strategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' } },
      template: { spec: { restartPolicy: 'Always', dnsPolicy: 'ClusterFirst' } },
    })
    expect(spec.template.spec.enableServiceLinks).toBeUndefined()
  })
  it('complete half a strategy, and leave Recreate alone', () => {
    expect(complete(apps.deployments, object({ strategy: { rollingUpdate: { maxSurge: 1 } } })).spec.strategy.rollingUpdate).toEqual({ maxUnavailable: '25%', maxSurge: 1 })
    expect(complete(apps.deployments, object({ strategy: { type: 'Recreate' } })).spec.strategy).toEqual({ type: 'Recreate' })
  })
  it.each<[string, object, string[]]>([
    ['no selector', { selector: undefined }, ['spec.selector: Required value', 'spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`']],
    ['a selector that cannot be used', { selector: { matchExpressions: [{ key: 'app', operator: 'In' }] } },
      ["spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'", 'spec.selector: Invalid value: {"matchExpressions":[{"key":"app","operator":"In"}]}: invalid label selector']],
    ['another selector', { selector: { matchLabels: { app: 'x' } } }, ['spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`']],
    ['empty selector', { selector: {} }, ['spec.selector: Invalid value: {}: empty selector is invalid for deployment']],
    ['negative replicas', { replicas: -1 }, ['spec.replicas: Invalid value: -1: must be greater than or equal to 0']],
    ['restart policy', { template: { ...template, spec: { ...template.spec, restartPolicy: 'Never' } } }, ['spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"']],
    ['strategy', { strategy: { type: 'Magic' } }, ['spec.strategy.type: Unsupported value: "Magic": supported values: "Recreate", "RollingUpdate"']],
    ['rolling nothing', { strategy: { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } }, ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: 0: may not be 0 when `maxSurge` is 0']],
    ['rolling too much', { strategy: { rollingUpdate: { maxUnavailable: '101%' } } }, ['spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%']],
    ['recreate with numbers', { strategy: { type: 'Recreate', rollingUpdate: {} } }, ["spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'"]],
    ['deadline', { minReadySeconds: 600 }, ['spec.progressDeadlineSeconds: Invalid value: 600: must be greater than minReadySeconds']],
    ['the template', { template: { ...template, spec: { containers: [] } } }, ['spec.template.spec.containers: Required value']],
  ])('refuse %s', (_, spec, errors) => {
    expect(createErrors(apps.deployments, object(spec))).toEqual(errors)
  })
  it('keep their selector', () => {
    const current = created(apps.deployments, object({}))
    const labels = { app: 'web', tier: 'a' }
    expect(updateErrors(apps.deployments, object({ selector: { matchLabels: labels }, template: { ...template, metadata: { labels } } }), current))
      .toEqual(['spec.selector: Invalid value: {"matchLabels":{"app":"web","tier":"a"}}: field is immutable'])
  })
  it('leave their status to the system', () => {
    expect(created(apps.deployments, { ...object({}), status: { replicas: 3 } }).status).toEqual({})
  })
  it('show how far they are', () => {
    const deployment = complete(apps.deployments, { ...object({ replicas: 3 }), status: { readyReplicas: 2, updatedReplicas: 3, availableReplicas: 1 } })
    expect(row(apps.deployments, deployment)).toMatchObject({ Ready: '2/3', 'Up-to-date': 3, Available: 1, Containers: 'c', Images: 'nginx:1', Selector: 'app=web' })
  })
})

describe('stateful sets', () => {
  const claim = { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }
  const mounting = { ...template, spec: { containers: [{ name: 'c', image: 'a', volumeMounts: [{ name: 'data', mountPath: '/data' }] }] } }
  it('get what Kubernetes fills in, in their claims too', () => {
    expect(complete(apps.statefulsets, object({ volumeClaimTemplates: [claim] })).spec).toMatchObject({
      replicas: 1, podManagementPolicy: 'OrderedReady', revisionHistoryLimit: 10, updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 0 } },
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Retain', whenScaled: 'Retain' },
      volumeClaimTemplates: [{ kind: 'PersistentVolumeClaim', apiVersion: 'v1', spec: { volumeMode: 'Filesystem' }, status: { phase: 'Pending' } }],
    })
  })
  it('have names that are hosts, replace some pods at least, and may keep all revisions', () => {
    const strategy = strategyFor(apps.statefulsets as never, environment)
    expect(strategy.validateName?.('a.b')).toHaveLength(1)
    expect(createErrors(apps.statefulsets, object({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '0%' } } }))).toEqual(['spec.updateStrategy.rollingUpdate.maxUnavailable: Invalid value: "0%": cannot be 0'])
    const keeping = complete(apps.statefulsets, object({ revisionHistoryLimit: -1 }))
    expect(createErrors(apps.statefulsets, object({ revisionHistoryLimit: -1 }))).toEqual([])
    expect(strategy.warnings?.(keeping)).toEqual(['spec.revisionHistoryLimit: a negative value retains all historical revisions; a value >= 0 is recommended'])
  })
  it('let containers mount what they claim', () => {
    expect(createErrors(apps.statefulsets, object({ volumeClaimTemplates: [claim], template: mounting }))).toEqual([])
    expect(createErrors(apps.statefulsets, object({ template: mounting }))).toEqual(['spec.template.spec.containers[0].volumeMounts[0].name: Not found: "data"'])
  })
  it('say in the known sentence what may change', () => {
    const current = created(apps.statefulsets, object({ serviceName: 'a' }))
    expect(updateErrors(apps.statefulsets, object({ serviceName: 'a', replicas: 5 }), current)).toEqual([])
    expect(updateErrors(apps.statefulsets, object({ serviceName: 'b' }), current)).toEqual([
      "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    ])
  })
})

describe('daemon sets', () => {
  it('replace one pod at a time', () => {
    expect(complete(apps.daemonsets, object({})).spec.updateStrategy).toEqual({ type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1, maxSurge: 0 } })
  })
  it('cannot surge and be unavailable at once', () => {
    expect(createErrors(apps.daemonsets, object({ updateStrategy: { rollingUpdate: { maxSurge: 1 } } })))
      .toEqual(['spec.updateStrategy.rollingUpdate.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero'])
  })
  it('count changes of their template', () => {
    const current = created(apps.daemonsets, object({}))
    const of = (o: apps.DaemonSet) => o.metadata.annotations?.['deprecated.daemonset.template.generation']
    expect(of(current)).toBe('1')
    expect(of(updated(apps.daemonsets, object({ minReadySeconds: 1 }), current))).toBe('1')
    expect(of(updated(apps.daemonsets, object({ template: { ...template, spec: { ...template.spec, hostNetwork: true } } }), current))).toBe('2')
  })
})

describe('replica sets and replication controllers', () => {
  it('refuse a selector that finds other pods', () => {
    expect(createErrors(apps.replicasets, object({ selector: { matchLabels: { a: 'b' } } }))).toEqual(['spec.template.metadata.labels: Invalid value: {"app":"web"}: `selector` does not match template `labels`'])
  })
  it('take selector and labels from the template where they have none', () => {
    expect(complete(core.replicationcontrollers, { metadata: { name: 'a', namespace: 'b' }, spec: { template } })).toMatchObject({ metadata: { labels: { app: 'web' } }, spec: { replicas: 1, selector: { app: 'web' } } })
  })
})

describe('warnings', () => {
  it('are about names of pods when something is made, and about the template when it may have changed', () => {
    const of = (next: apps.Deployment, current?: apps.Deployment) => strategyFor(apps.deployments as never, environment).warnings?.(next as never, current as never) ?? []
    const short = { ...template, spec: { ...template.spec, terminationGracePeriodSeconds: -1 } }
    const at = (generation: number, name = 'web') => complete(apps.deployments, { ...object({ template: short }), metadata: { name, namespace: 'default', generation } })
    expect(of(at(1, 'a.b')).map((text) => text.split(':')[0])).toEqual(['metadata.name', 'spec.template.spec.terminationGracePeriodSeconds'])
    expect([of(at(1), at(1)), of(at(2, 'a.b'), at(1, 'a.b')).length]).toEqual([[], 1])
  })
})

describe('a status with wrong counts', () => {
  it.each<[string, Resource<ApiObject>, object, string[]]>([
    ['a daemon set', apps.daemonsets as never, { desiredNumberScheduled: -1, numberUnavailable: -2, collisionCount: 1 }, ['desiredNumberScheduled: Invalid value: -1: must be greater than or equal to 0', 'numberUnavailable: Invalid value: -2: must be greater than or equal to 0',
      'collisionCount: Invalid value: 1: cannot be decremented']],
    ['a replication controller', core.replicationcontrollers as never, { replicas: 1, readyReplicas: 2, availableReplicas: 3, observedGeneration: -1 }, ['observedGeneration: Invalid value: -1: must be greater than or equal to 0',
      'readyReplicas: Invalid value: 2: cannot be greater than status.replicas', 'availableReplicas: Invalid value: 3: cannot be greater than status.replicas', 'availableReplicas: Invalid value: 3: cannot be greater than readyReplicas']],
    ['a deployment', apps.deployments as never, { terminatingReplicas: -1, collisionCount: 2 }, ['terminatingReplicas: Invalid value: -1: must be greater than or equal to 0']],
    ['a replica set', apps.replicasets as never, { replicas: 1, terminatingReplicas: -1, observedGeneration: -1 }, ['terminatingReplicas: Invalid value: -1: must be greater than or equal to 0', 'observedGeneration: Invalid value: -1: must be greater than or equal to 0']],
  ])('is refused of %s', (_, resource, status, errors) => {
    const having = (counts: object) => complete(resource, { ...object(resource.kind === 'ReplicationController' ? { selector: undefined } : {}), status: counts })
    expect(statusErrors(strategyFor(resource, environment), having(status), having({ collisionCount: 2 }))).toEqual(errors.map((line) => `status.${line}`))
  })
})
