/** Subresources over the wire: each changes its part of the object, and nothing else. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestControlPlane } from '../support/control-plane.ts'
import type { TestControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/host.ts'
import { json, send } from '../support/requests.ts'

let cluster: TestControlPlane
beforeAll(async () => void (cluster = await startTestControlPlane()))
afterAll(() => cluster?.stop())

const pods = '/api/v1/namespaces/default/pods'
const deployments = '/apis/apps/v1/namespaces/default/deployments'
const merge = { 'content-type': 'application/merge-patch+json' }
const strategic = { 'content-type': 'application/strategic-merge-patch+json' }
const applied = { 'content-type': 'application/apply-patch+yaml' }

interface Condition { readonly type: string; readonly status: string; readonly reason?: string }
interface Entry { readonly manager: string; readonly fieldsV1: Record<string, Record<string, unknown>> }
interface Container { readonly image: string; readonly resources: { readonly requests: Record<string, string> } }
/** Fields of what is asked for, and of the `Status` that comes instead. */
interface Answer {
  readonly http: number
  readonly metadata: { readonly labels?: object; readonly deletionTimestamp?: string; readonly deletionGracePeriodSeconds?: number; readonly managedFields: readonly Entry[] }
  readonly spec: { readonly replicas?: number; readonly paused?: boolean; readonly containers: readonly Container[] }
  readonly status: { readonly collisionCount?: number; readonly conditions: readonly Condition[] }
  readonly details?: { readonly causes?: readonly { readonly message: string }[] }
}
const ask = async (method: string, path: string, body?: object, headers?: Record<string, string>): Promise<Answer> => {
  const reply = await send(cluster, method, path, body, headers)
  return { ...json<Omit<Answer, 'http'>>(reply), http: reply.code }
}

async function runningPod(name: string, labels: Record<string, string> = {}): Promise<void> {
  await ask('POST', pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name, labels }, spec: { nodeName: 'n1', containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '100m' } } }] } })
  const running = await ask('PATCH', `${pods}/${name}/status`, { status: { phase: 'Running', conditions: [{ type: 'Ready', status: 'True' }] } }, merge)
  expect(running).toMatchObject({ http: 200, status: { phase: 'Running' } })
}

const deployment = (name: string) => ({
  apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name },
  spec: { replicas: 1, selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'x:1' }] } } },
})

describe('status', () => {
  it('takes the status and leaves the spec; the object itself takes the spec and leaves the status', async () => {
    await ask('POST', deployments, deployment('both'))
    const status = await ask('PATCH', `${deployments}/both/status`, { spec: { paused: true }, status: { collisionCount: 7 } }, merge)
    expect([status.spec.paused, status.status.collisionCount]).toEqual([undefined, 7])
    const spec = await ask('PATCH', `${deployments}/both`, { spec: { paused: true }, status: { collisionCount: 9 } }, merge)
    expect([spec.spec.paused, spec.status.collisionCount]).toEqual([true, 7])
  })
})

describe('scale', () => {
  const scale = (name: string, replicas: number, metadata: object = {}) => ({ apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name, ...metadata }, spec: { replicas } })

  it('is read, replaced and patched', async () => {
    await ask('POST', deployments, deployment('scaled'))
    expect(await ask('GET', `${deployments}/scaled/scale`)).toMatchObject({ kind: 'Scale', apiVersion: 'autoscaling/v1', metadata: { name: 'scaled' }, spec: { replicas: 1 }, status: { selector: 'app=scaled' } })
    expect(await ask('PUT', `${deployments}/scaled/scale`, scale('scaled', 3))).toMatchObject({ http: 200, spec: { replicas: 3 } })
    expect(await ask('PATCH', `${deployments}/scaled/scale`, { spec: { replicas: 4 } }, merge)).toMatchObject({ http: 200, spec: { replicas: 4 } })
    expect((await ask('GET', `${deployments}/scaled`)).spec.replicas).toBe(4)
  })

  it('is refused for another object, an older one, or a number below zero', async () => {
    await ask('POST', deployments, deployment('refused'))
    const put = (body: object) => ask('PUT', `${deployments}/refused/scale`, body)
    expect(await put(scale('other', 2))).toMatchObject({ http: 400, message: 'the name of the object (other) does not match the name on the URL (refused)' })
    expect(await put(scale('refused', 2, { resourceVersion: '1' }))).toMatchObject({ http: 409, reason: 'Conflict' })
    expect(await put(scale('refused', -2))).toMatchObject({ http: 422, message: expect.stringContaining('spec.replicas: Invalid value: -2: must be greater than or equal to 0') })
    expect((await ask('GET', `${deployments}/refused`)).spec.replicas).toBe(1)
  })

  it('is applied, and its number has owners like any other field', async () => {
    await send(cluster, 'POST', `${deployments}?fieldManager=maker`, deployment('owned'))
    const apply = (query: string, labels?: object) => ask('PATCH', `${deployments}/owned/scale?fieldManager=scaler${query}`, scale('owned', 4, labels ? { labels } : {}), applied)
    expect(await apply('')).toMatchObject({ http: 409, message: 'Apply failed with 1 conflict: conflict with "maker" using apps/v1: .spec.replicas' })
    expect(await apply('&force=true', { smuggled: 'yes' })).toMatchObject({ http: 200, kind: 'Scale', spec: { replicas: 4 } })
    const { metadata, spec } = await ask('GET', `${deployments}/owned`)
    expect([spec.replicas, metadata.labels]).toEqual([4, undefined])
    expect(metadata.managedFields).toContainEqual(expect.objectContaining({ manager: 'scaler', operation: 'Apply', subresource: 'scale', apiVersion: 'apps/v1', fieldsV1: { 'f:spec': { 'f:replicas': {} } } }))
    const maker = metadata.managedFields.find(({ manager }) => manager === 'maker')!
    expect(maker.fieldsV1['f:spec']!['f:replicas']).toBeUndefined()
  })
})

describe('eviction', () => {
  const eviction = (name: string, extra: object = {}) => ({ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name }, ...extra })
  const evict = (name: string, body = eviction(name)) => ask('POST', `${pods}/${name}/eviction`, body)

  it('deletes the pod gracefully, and says so among its conditions', async () => {
    await runningPod('evicted')
    expect(await evict('evicted', eviction('evicted', { deleteOptions: { dryRun: ['All'] } }))).toMatchObject({ http: 201 })
    expect((await ask('GET', `${pods}/evicted`)).metadata.deletionTimestamp).toBeUndefined()
    expect(await evict('evicted')).toMatchObject({ http: 201, status: 'Success' })
    const { metadata, status } = await ask('GET', `${pods}/evicted`)
    expect(metadata.deletionGracePeriodSeconds).toBe(30)
    expect(status.conditions).toContainEqual(expect.objectContaining({ type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting' }))
  })

  it('waits for the disruption budget', async () => {
    await runningPod('guarded', { guard: 'on' })
    await ask('POST', '/apis/policy/v1/namespaces/default/poddisruptionbudgets', { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata: { name: 'guard' }, spec: { minAvailable: 1, selector: { matchLabels: { guard: 'on' } } } })
    const refused = await eventually('the budget to be counted', async () => {
      const answer = await evict('guarded')
      return answer.details?.causes?.[0]?.message?.includes('still being processed') ? undefined : answer
    })
    expect(refused).toMatchObject({ http: 429, reason: 'TooManyRequests', message: 'Cannot evict pod as it would violate the pod\'s disruption budget.', details: { causes: [{ reason: 'DisruptionBudget' }] } })
    expect((await ask('GET', `${pods}/guarded`)).metadata.deletionTimestamp).toBeUndefined()
  })

  it('may be asked for in the words of clients before v1.22', async () => {
    await runningPod('evicted-of-old')
    expect(await evict('evicted-of-old', { ...eviction('evicted-of-old'), apiVersion: 'policy/v1beta1' })).toMatchObject({ http: 201, status: 'Success' })
    expect((await ask('GET', `${pods}/evicted-of-old`)).metadata.deletionTimestamp).toBeDefined()
    expect(await evict('evicted-of-old', { ...eviction('evicted-of-old'), apiVersion: 'policy/v1alpha1' })).toMatchObject({
      http: 400, message: 'the API version in the data (policy/v1alpha1) does not match the expected API version (policy/v1)',
    })
  })

  it('is refused for another pod, and for none', async () => {
    await runningPod('here')
    expect(await evict('here', eviction('there'))).toMatchObject({ http: 400, message: 'name in URL does not match name in Eviction object' })
    expect(await evict('nowhere')).toMatchObject({ http: 404, reason: 'NotFound' })
  })
})

describe('pods', () => {
  it('get ephemeral containers through their own subresource only', async () => {
    await runningPod('debugged')
    const add = (name: string) => ({ spec: { ephemeralContainers: [{ name, image: 'y', targetContainerName: 'c' }] } })
    expect(await ask('PATCH', `${pods}/debugged`, add('dbg'), strategic)).toMatchObject({ http: 422 })
    expect(await ask('PATCH', `${pods}/debugged/ephemeralcontainers`, add('dbg'), strategic)).toMatchObject({ http: 200, spec: { ephemeralContainers: [{ name: 'dbg', image: 'y' }] } })
    expect(await ask('PATCH', `${pods}/debugged/ephemeralcontainers`, add('c'), strategic)).toMatchObject({ http: 422, message: expect.stringContaining('spec.ephemeralContainers[0].name: Duplicate value: "c"') })
  })

  it('are resized through their own subresource only', async () => {
    await ask('POST', '/api/v1/nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: 'n1' } })
    expect(await ask('PATCH', '/api/v1/nodes/n1/status', { status: { allocatable: { cpu: '1', memory: '1Gi' } } }, merge)).toMatchObject({ http: 200 })
    await runningPod('resized')
    const resize = { spec: { containers: [{ name: 'c', image: 'other', resources: { requests: { cpu: '200m' } } }] } }
    const { spec, http } = await ask('PATCH', `${pods}/resized/resize`, resize, strategic)
    expect([http, spec.containers[0]!.image, spec.containers[0]!.resources.requests['cpu']]).toEqual([200, 'x', '200m'])
    expect(await ask('PATCH', `${pods}/resized`, { spec: { containers: [{ name: 'c', resources: { requests: { cpu: '300m' } } }] } }, strategic)).toMatchObject({ http: 422 })
    expect(await ask('PATCH', `${pods}/resized/resize`, { spec: { containers: [{ name: 'c', resources: { requests: { cpu: '2' } } }] } }, strategic)).toMatchObject({ http: 403, details: { causes: [{ reason: 'NodeCapacity' }] } })
  })

  it('are bound once', async () => {
    await ask('POST', pods, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'free' }, spec: { schedulerName: 'nobody', containers: [{ name: 'c', image: 'x' }] } })
    const bind = (node: string, path = `${pods}/free/binding`) => ask('POST', path, { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'free' }, target: { kind: 'Node', name: node } })
    expect(await bind('n1')).toMatchObject({ http: 201, status: 'Success' })
    expect(await bind('n2')).toMatchObject({ http: 409, message: 'Operation cannot be fulfilled on pods/binding "free": pod free is already assigned to node "n1"' })
    expect(await bind('n2', '/api/v1/namespaces/default/bindings')).toMatchObject({ http: 409 })
    expect(await ask('GET', `${pods}/free`)).toMatchObject({ spec: { nodeName: 'n1' }, status: { conditions: [{ type: 'PodScheduled', status: 'True' }] } })
  })
})

describe('methods that a path has not', () => {
  it.each([
    ['PUT', pods], ['PATCH', pods], ['POST', `${pods}/x`], ['DELETE', `${pods}/x/status`], ['POST', `${pods}/x/status`], ['GET', `${pods}/x/binding`], ['DELETE', '/api/v1/pods'], ['POST', '/api/v1/componentstatuses'],
    ['GET', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews'],
  ])('%s %s', async (method, path) => {
    expect(await ask(method, path, {})).toMatchObject({ http: 405, kind: 'Status', reason: 'MethodNotAllowed', message: 'the server does not allow this method on the requested resource' })
  })
})
