import { describe, expect, it } from 'vitest'
import { core, declared, type Resource } from '../../api/index.ts'
import { FakeClock } from '../../machinery/clock.ts'
import { isApiError, notFound } from '../../machinery/errors.ts'
import type { Client } from '../../client/client.ts'
import { createAdmissionChain } from '../admission/chain.ts'
import { resourceQuota } from '../admission/plugins/resource-quota.ts'
import { attributesOf, environment, type Loose, type TestEnvironment, type Wanted } from '../testing/environment.ts'
import { keepQuotas } from './keeper.ts'
import { parseResourceQuota } from './limited.ts'
import { textOf } from './amounts.ts'
import { usageOf } from './usage.ts'

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
