import { describe, expect, it } from 'vitest'
import { core, declared, dra, type Resource } from '../../api/index.ts'
import { FakeClock } from '../../machinery/clock.ts'
import { isApiError, notFound } from '../../machinery/errors.ts'
import type { Client } from '../../client/client.ts'
import { createAdmissionChain } from '../admission/chain.ts'
import { resourceQuota } from '../admission/plugins/resource-quota.ts'
import { attributesOf, environment, type Loose, type TestEnvironment, type Wanted } from '../testing/environment.ts'
import { keepQuotas } from './keeper.ts'
import { parseResourceQuota } from './limited.ts'
import { textOf } from './amounts.ts'
import { usageOf as usageIn } from './usage.ts'

const usageOf = (resource: Pick<Resource, 'groupResource'>, object: unknown, now = 0) => usageIn(resource, object, { now, extendedResource: () => undefined })
let uids = 0
const quota = (hard: Record<string, string>, more: object = {}): Loose => ({ kind: 'ResourceQuota', metadata: { name: 'q', namespace: 'x' }, spec: { hard, ...more }, status: {} })
const pod = (name: string, resources: object = {}, spec: object = {}, status: object = {}): Loose =>
  ({ kind: 'Pod', metadata: { name, namespace: 'x', uid: `uid-${uids++}` } as never, spec: { containers: [{ name: 'a', resources }], ...spec }, status })
const map = (name: string): Loose => ({ kind: 'ConfigMap', metadata: { name, namespace: 'x', uid: `uid-${uids++}` } as never })

async function verdict(env: TestEnvironment | ReturnType<typeof createAdmissionChain>, resource: unknown, object: Loose, wanted: Wanted = {}): Promise<string> {
  const chain = 'validate' in env ? env : createAdmissionChain([resourceQuota(env)])
  return (async () => chain.validate(attributesOf(resource, object, wanted)))().then(() => 'admitted', (error: unknown) => (isApiError(error) ? error.message : String(error)))
}

describe('a quota', () => {
  it('lets in what fits and refuses what does not, with the numbers', async () => {
    const env = environment(quota({ 'pods': '3', 'requests.cpu': '1' }), pod('a', { requests: { cpu: '400m' } }), pod('b', { requests: { cpu: '400m' } }))
    expect(await verdict(env, core.pods, pod('c', { requests: { cpu: '200m' } }))).toBe('admitted')
    expect(await verdict(env, core.pods, pod('c', { requests: { cpu: '300m' } }))).toBe('pods "c" is forbidden: exceeded quota: q, requested: requests.cpu=300m, used: requests.cpu=800m, limited: requests.cpu=1')
  })

  it('holds against fifty creators at once', async () => {
    const chain = createAdmissionChain([resourceQuota(environment(quota({ 'count/configmaps': '10' })))])
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => verdict(chain, core.configmaps, map(`m${i}`))))
    expect(answers.filter((a) => a === 'admitted')).toHaveLength(10)
    expect(answers.at(-1)).toBe('configmaps "m49" is forbidden: exceeded quota: q, requested: count/configmaps=1, used: count/configmaps=10, limited: count/configmaps=10')
  })

  it('holds against fifty who let what they have grow at once', async () => {
    const service = (name: string, type: string, resourceVersion: string): Loose => ({ kind: 'Service', metadata: { name, namespace: 'x', resourceVersion } as never, spec: { type, ports: [{ port: 1 }] } })
    const env = environment(quota({ 'services.nodeports': '10' }), ...Array.from({ length: 50 }, (_, i) => service(`s${i}`, 'ClusterIP', '1')))
    const chain = createAdmissionChain([resourceQuota(env)])
    const grow = (i: number) => verdict(chain, core.services, service(`s${i}`, 'NodePort', '1'), { operation: 'UPDATE', old: service(`s${i}`, 'ClusterIP', '1') })
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => grow(i)))
    expect(answers.filter((a) => a === 'admitted')).toHaveLength(10)
    // They are counted once when they are there; and one that shrinks again gives its place to another.
    for (const [i, object] of env.objects.entries()) if (i > 0 && i <= 10) env.objects[i] = service(object.metadata.name, i === 1 ? 'ClusterIP' : 'NodePort', '2')
    expect([await grow(20), await grow(21)]).toEqual(['admitted', expect.stringContaining('used: services.nodeports=10')])
  })

  it('counts what was let in once, also when it is there', async () => {
    const env = environment(quota({ configmaps: '2' }))
    const chain = createAdmissionChain([resourceQuota(env)])
    const first = map('m1')
    expect(await verdict(chain, core.configmaps, first)).toBe('admitted')
    env.objects.push(first)
    expect(await verdict(chain, core.configmaps, map('m2'))).toBe('admitted')
    expect(await verdict(chain, core.configmaps, map('m3'))).toContain('exceeded quota')
  })

  it('gives back the place of a write that came to nothing', async () => {
    const env = environment(quota({ configmaps: '1' }))
    const chain = createAdmissionChain([resourceQuota(env)])
    expect(await verdict(chain, core.configmaps, map('m1'))).toBe('admitted')
    expect(await verdict(chain, core.configmaps, map('m2'))).toContain('exceeded quota')
    await env.clock.advance(11_000)
    expect(await verdict(chain, core.configmaps, map('m2'))).toBe('admitted')
  })

  it('on an amount makes every container say the amount', async () => {
    const env = environment(quota({ 'limits.memory': '1Gi', 'requests.cpu': '1' }))
    expect(await verdict(env, core.pods, pod('a', { requests: { cpu: '1' } }))).toBe('pods "a" is forbidden: failed quota: q: must specify limits.memory for: a')
    expect(await verdict(env, core.pods, pod('a'))).toBe('pods "a" is forbidden: failed quota: q: must specify limits.memory for: a; requests.cpu for: a')
  })

  it('does not keep what is over it already from changing', async () => {
    const claim = (storage: string): Loose => ({ kind: 'PersistentVolumeClaim', metadata: { name: 'c', namespace: 'x', uid: 'c' } as never, spec: { resources: { requests: { storage } } }, status: {} })
    const env = environment(quota({ 'requests.storage': '5Gi' }), claim('10Gi'))
    expect(await verdict(env, core.persistentvolumeclaims, claim('10Gi'), { operation: 'UPDATE', old: claim('10Gi') })).toBe('admitted')
    expect(await verdict(env, core.persistentvolumeclaims, claim('11Gi'), { operation: 'UPDATE', old: claim('10Gi') })).toContain('requested: requests.storage=1Gi, used: requests.storage=10Gi')
  })

  it('of another namespace, or of another scope, is none', async () => {
    const elsewhere: Loose = { ...quota({ pods: '0' }), metadata: { name: 'q', namespace: 'y' } }
    expect(await verdict(environment(elsewhere), core.pods, pod('a'))).toBe('admitted')
    const env = environment(quota({ pods: '0' }, { scopes: ['BestEffort'] }))
    expect(await verdict(env, core.pods, pod('a', { requests: { cpu: '1' } }))).toBe('admitted')
    expect(await verdict(env, core.pods, pod('a'))).toContain('exceeded quota')
    const urgent = environment(quota({ pods: '0' }, { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }] } }))
    expect(await verdict(urgent, core.pods, pod('a', {}, { priorityClassName: 'low' }))).toBe('admitted')
    expect(await verdict(urgent, core.pods, pod('a', {}, { priorityClassName: 'high' }))).toContain('exceeded quota')
  })
})

describe('nobody gets around a quota', () => {
  const scoped = (scope: string, hard: Record<string, string>) => quota(hard, { scopes: [scope] })
  const claim = (more: { annotations?: object; spec?: object; status?: object }): Loose =>
    ({ kind: 'PersistentVolumeClaim', metadata: { name: 'c', namespace: 'x', annotations: more.annotations } as never, spec: { resources: { requests: { storage: '2Gi' } }, ...more.spec }, status: more.status ?? {} })

  it('by asking for nothing in so many words', async () => {
    const none = pod('a', { requests: { cpu: '0' } })
    expect(await verdict(environment(scoped('BestEffort', { pods: '0' })), core.pods, none)).toContain('exceeded quota')
    expect(await verdict(environment(scoped('NotBestEffort', { pods: '0' })), core.pods, none)).toBe('admitted')
    const env = environment(quota({ 'requests.cpu': '1', 'limits.cpu': '1' }))
    expect(await verdict(env, core.pods, pod('a', {}, { resources: { requests: {} } }))).toContain('must specify limits.cpu for: a; requests.cpu for: a')
    expect(await verdict(env, core.pods, pod('a', {}, { resources: { requests: { cpu: '1' } } }))).toBe('admitted')
  })

  it('by a deadline that a pod is given while it runs', async () => {
    const running = pod('a')
    const ending = { ...running, spec: { ...(running['spec'] as object), activeDeadlineSeconds: 9 } }
    const env = environment(scoped('Terminating', { pods: '0' }), running)
    expect(await verdict(env, core.pods, ending, { operation: 'UPDATE', old: running })).toContain('exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0')
    expect(await verdict(env, core.pods, ending, { operation: 'UPDATE', old: ending })).toBe('admitted')
    expect(await verdict(env, core.pods, running, { operation: 'UPDATE', old: running })).toBe('admitted')
  })

  it('by the old way to name a storage class, which is the one that counts', async () => {
    const gold = quota({ 'gold.storageclass.storage.k8s.io/requests.storage': '1Gi' })
    const annotations = { 'volume.beta.kubernetes.io/storage-class': 'gold' }
    expect(await verdict(environment(gold), core.persistentvolumeclaims, claim({ annotations, spec: { storageClassName: 'free', resources: { requests: { storage: '2Gi' } } } }))).toContain('exceeded quota')
    expect(await verdict(environment(gold), core.persistentvolumeclaims, claim({ annotations: { 'volume.beta.kubernetes.io/storage-class': 'free' }, spec: { storageClassName: 'gold' } }))).toBe('admitted')
  })

  it('by naming another attributes class while the volume still has the dear one', () => {
    const fast = quota({ 'requests.storage': '5Gi' }, { scopeSelector: { matchExpressions: [{ scopeName: 'VolumeAttributesClass', operator: 'In', values: ['fast'] }] } })
    const more = (name: string, status: object) => verdict(environment(fast, { ...claim({ spec: { volumeAttributesClassName: name }, status }), metadata: { name: 'other', namespace: 'x' } }),
      core.persistentvolumeclaims, claim({ spec: { volumeAttributesClassName: 'fast', resources: { requests: { storage: '4Gi' } } } }))
    return Promise.all([
      expect(more('slow', {})).resolves.toBe('admitted'),
      expect(more('slow', { currentVolumeAttributesClassName: 'fast' })).resolves.toContain('used: requests.storage=2Gi'),
      expect(more('slow', { modifyVolumeStatus: { targetVolumeAttributesClassName: 'fast', status: 'InProgress' } })).resolves.toContain('used: requests.storage=2Gi'),
    ])
  })

  it('by asking for less of what the node has not taken back yet', async () => {
    const held = { containerStatuses: [{ name: 'a', resources: { requests: { cpu: '3' }, limits: { cpu: '3' } }, allocatedResources: { cpu: '3' } }] }
    const env = environment(quota({ 'requests.cpu': '4' }), pod('a', { requests: { cpu: '1' } }, {}, held))
    expect(await verdict(env, core.pods, pod('b', { requests: { cpu: '2' } }))).toContain('used: requests.cpu=3')
    env.objects[1] = pod('a', { requests: { cpu: '1' } })
    expect(await verdict(env, core.pods, pod('b', { requests: { cpu: '2' } }))).toBe('admitted')
  })

  it('by what the node could not give once', async () => {
    const status = { conditions: [{ type: 'PodResizePending', reason: 'Infeasible' }], containerStatuses: [{ name: 'a', resources: { requests: { cpu: '1' } }, allocatedResources: { cpu: '1' } }] }
    const old = pod('a', { requests: { cpu: '50' } }, {}, status)
    const env = environment(quota({ 'requests.cpu': '2' }), old)
    expect(await verdict(env, core.pods, pod('b', { requests: { cpu: '1' } }))).toBe('admitted')
    const resize = (cpu: string) => verdict(environment(quota({ 'requests.cpu': '2' }), old), core.pods, pod('a', { requests: { cpu } }, {}, status), { operation: 'UPDATE', subresource: 'resize', old })
    expect([await resize('2'), await resize('3')]).toEqual(['admitted', expect.stringContaining('requested: requests.cpu=2, used: requests.cpu=1')])
  })

  it('by a resize that says nothing of what is counted', async () => {
    const old = pod('a', { requests: { memory: '1Gi' } })
    expect(await verdict(environment(quota({ 'limits.memory': '9Gi' }), old), core.pods, pod('a', { requests: { memory: '2Gi' } }), { operation: 'UPDATE', subresource: 'resize', old })).toContain('must specify limits.memory for: a')
  })

  it('with devices, which claims use under three names', async () => {
    const devices = (...requests: object[]): Loose => ({ kind: 'ResourceClaim', metadata: { name: 'c', namespace: 'x' }, spec: { devices: { requests } } })
    const one = (deviceClassName: string, count: number) => ({ name: `${deviceClassName}${count}`, deviceClassName, allocationMode: 'ExactCount', count })
    const classes: Loose = { kind: 'DeviceClass', metadata: { name: 'gpu' }, spec: { extendedResourceName: 'example.com/gpu' } }
    const wanted = devices({ name: 'a', exactly: one('gpu', 2) }, { name: 'b', firstAvailable: [one('gpu', 1), one('gpu', 3), one('cheap', 1)] })
    for (const name of ['gpu.deviceclass.resource.k8s.io/devices', 'requests.deviceclass.resource.kubernetes.io/gpu', 'requests.example.com/gpu']) {
      expect(await verdict(environment(quota({ [name]: '5' }), classes), dra.resourceclaims, wanted)).toBe('admitted')
      expect(await verdict(environment(quota({ [name]: '6' }), classes, { ...wanted, metadata: { name: 'there', namespace: 'x' } }), dra.resourceclaims, wanted))
        .toBe(`resourceclaims.resource.k8s.io "c" is forbidden: exceeded quota: q, requested: ${name}=5, used: ${name}=5, limited: ${name}=6`)
    }
    expect(await verdict(environment(quota({ 'gpu.deviceclass.resource.k8s.io/devices': '31' })), dra.resourceclaims, devices({ name: 'a', exactly: { deviceClassName: 'gpu', allocationMode: 'All' } }))).toContain('devices=32')
  })
})

describe('what may be used only where a quota covers it', () => {
  const limited = parseResourceQuota(`apiVersion: apiserver.config.k8s.io/v1
kind: ResourceQuotaConfiguration
limitedResources:
- {resource: pods, matchContains: [requests.memory]}
- {resource: pods, matchScopes: [{scopeName: PriorityClass, operator: In, values: [urgent, high]}]}
- {resource: persistentvolumeclaims, matchContains: [.storageclass.storage.k8s.io/requests.storage]}
`)
  const judge = (objects: Loose[], resource: unknown, object: Loose, wanted?: Wanted) => verdict(createAdmissionChain([resourceQuota(environment(...objects), limited)]), resource, object, wanted)
  const urgent = pod('a', {}, { priorityClassName: 'urgent' })

  it('is refused where none does, in a namespace without quotas too', async () => {
    expect(await judge([], core.pods, pod('a'))).toBe('admitted')
    expect(await judge([], core.pods, pod('a', { requests: { memory: '1Gi' } }))).toBe('pods "a" is forbidden: insufficient quota to consume: requests.memory')
    expect(await judge([quota({ pods: '5' })], core.pods, pod('a', { requests: { memory: '1Gi' } }))).toContain('insufficient quota')
    expect(await judge([quota({ 'requests.memory': '2Gi' })], core.pods, pod('a', { requests: { memory: '1Gi' } }))).toBe('admitted')
    expect(await judge([quota({ 'requests.memory': '2Gi' })], core.pods, pod('a', { requests: { memory: '3Gi' } }))).toContain('exceeded quota')
  })

  it('goes by priority classes as well', async () => {
    expect(await judge([quota({ pods: '5' })], core.pods, urgent)).toBe('insufficient quota to match these scopes: [{PriorityClass In [urgent high]}]')
    const covering = quota({ pods: '1' }, { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['urgent'] }] } })
    expect(await judge([covering], core.pods, urgent)).toBe('admitted')
    expect(await judge([covering], core.pods, pod('a', {}, { priorityClassName: 'high' }))).toContain('insufficient quota to match')
    expect(await judge([covering], core.pods, pod('a', {}, { priorityClassName: 'low' }))).toBe('admitted')
  })

  it('is said before how much there is', async () => {
    expect(await judge([quota({ pods: '0' })], core.pods, pod('a', { requests: { memory: '1Gi' } }))).toContain('insufficient quota to consume: requests.memory')
  })

  it('is asked of what grows, not of what stays as it is', async () => {
    const claim = (storage: string): Loose => ({ kind: 'PersistentVolumeClaim', metadata: { name: 'c', namespace: 'x' }, spec: { storageClassName: 'gold', resources: { requests: { storage } } }, status: {} })
    const change = (storage: string) => judge([claim('1Gi')], core.persistentvolumeclaims, claim(storage), { operation: 'UPDATE', old: claim('1Gi') })
    expect(await change('1Gi')).toBe('admitted')
    expect(await change('2Gi')).toContain('insufficient quota to consume: gold.storageclass.storage.k8s.io/requests.storage')
  })

  it.each([['nothing limited', 'limitedResources: [{matchContains: [a]}]', 'limitedResources[0].resource: Required value'], ['another kind', '', 'it must say']])('is refused with %s', (name, text, message) =>
    expect(() => parseResourceQuota(`apiVersion: apiserver.config.k8s.io/v1\nkind: ${name === 'another kind' ? 'Configuration' : 'ResourceQuotaConfiguration'}\n${text}`)).toThrow(message))

  it('may be written in its older group', () => {
    expect(parseResourceQuota('apiVersion: resourcequota.admission.k8s.io/v1beta1\nkind: Configuration\nlimitedResources: [{resource: pods}]')).toEqual([{ resource: 'pods' }])
  })
})

describe('usage', () => {
  const requests = (cpu: string) => ({ requests: { cpu } })

  it('of a pod is the larger of running and starting, with sidecars and overhead', () => {
    const spec = { initContainers: [{ name: 's', restartPolicy: 'Always', resources: requests('1') }, { name: 'i', resources: requests('3') }], overhead: { cpu: '100m' } }
    expect(textOf(usageOf(core.pods, pod('a', requests('2'), spec)))).toBe('count/pods=1,cpu=4100m,pods=1,requests.cpu=4100m')
  })

  it('of a pod that has ended is its object', () => {
    expect(textOf(usageOf(core.pods, pod('a', requests('1'), {}, { phase: 'Succeeded' })))).toBe('count/pods=1')
  })

  it('of a pod that should be gone by now is its object', () => {
    const going = { ...pod('a', requests('1')), metadata: { name: 'a', deletionTimestamp: '1970-01-01T00:01:00Z', deletionGracePeriodSeconds: 30 } }
    expect(textOf(usageOf(core.pods, going, 90_000))).toContain('requests.cpu=1')
    expect(textOf(usageOf(core.pods, going, 90_001))).toBe('count/pods=1')
  })

  it('of a pod that stays is added up once, however many writers ask', () => {
    const [staying, going] = [pod('a'), { ...pod('b'), metadata: { deletionTimestamp: '1970-01-01T00:01:00Z', deletionGracePeriodSeconds: 30 } }]
    expect(usageOf(core.pods, staying, 1)).toBe(usageOf(core.pods, staying, 0))
    expect(usageOf(core.pods, going, 1)).not.toBe(usageOf(core.pods, going, 0))
  })

  it('of a pod has the names that quotas can limit', () => {
    const asks = { requests: { 'example.com/gpu': '1', 'kubernetes.io/x': '1', 'hugepages-2Mi': '2Mi' }, limits: { 'example.com/gpu': '1', 'hugepages-2Mi': '2Mi' } }
    expect(textOf(usageOf(core.pods, pod('a', asks)))).toBe('count/pods=1,hugepages-2Mi=2Mi,pods=1,requests.example.com/gpu=1,requests.hugepages-2Mi=2Mi')
  })

  it('of a claim is what its volume may have grown to, in whole bytes', () => {
    const claim = (storage: string, status: object) => textOf(usageOf(core.persistentvolumeclaims, { metadata: {}, spec: { resources: { requests: { storage } } }, status }))
    expect(claim('1Gi', { allocatedResources: { storage: '3Gi' } })).toContain('requests.storage=3Gi')
    expect(claim('100m', {})).toContain('requests.storage=1')
  })

  it('of a service is its ports on nodes', () => {
    const service = (type: string) => textOf(usageOf(core.services, { spec: { type, ports: [{ port: 1 }, { port: 2 }] } }))
    expect(service('ClusterIP')).toBe('count/services=1,services=1')
    expect(service('NodePort')).toBe('count/services=1,services=1,services.nodeports=2')
    expect(service('LoadBalancer')).toBe('count/services=1,services=1,services.loadbalancers=1,services.nodeports=2')
  })
})

it('is told to people in the status of the quota', async () => {
  const objects = [quota({ pods: '5', 'count/configmaps': '2' }), pod('a'), map('m')]
  const written: unknown[] = []
  const client = {
    list: async ({ kind }: Resource, { namespace }: { namespace?: string } = {}) => ({ metadata: {}, items: objects.filter((o) => o.kind === kind && (namespace === undefined || o.metadata.namespace === namespace)) }),
    updateStatus: async (_: Resource, object: Loose) => {
      if (written.push(object['status']) > 1) throw notFound(core.resourcequotas, 'q')
      return Object.assign(objects[0] as object, { status: object['status'] })
    },
  } as unknown as Client
  await keepQuotas(client, new FakeClock(), declared)
  expect(written).toEqual([{ hard: { pods: '5', 'count/configmaps': '2' }, used: { pods: '1', 'count/configmaps': '1' } }])
  await keepQuotas(client, new FakeClock(), declared)
  expect(written).toHaveLength(1)
})
