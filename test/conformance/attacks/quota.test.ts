/** Fifty who create, or grow what they have, at once: whatever the quota counts, no more of it gets in than there is. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attempt, type Attempt } from '../../support/attackers.ts'
import { startTestControlPlane, type TestControlPlane } from '../../support/control-plane.ts'

let cluster: TestControlPlane
beforeAll(async () => {
  cluster = await startTestControlPlane()
  for (const [name, value] of [['urgent', 1000], ['low', 1]] as const) await cluster.apply({ apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, value })
})
afterAll(() => cluster?.stop())

const fifty = Array.from({ length: 50 }, (_, i) => i)
const ask = (path: string, one: Attempt = {}) => attempt(cluster, path, { cert: cluster.pki.admin, ...one })
const codes = async (asked: readonly Promise<{ readonly code: number; readonly text: string }>[]): Promise<Record<string, number>> => {
  const counted: Record<string, number> = {}
  for (const { code, text } of await Promise.all(asked)) {
    expect(code < 300 || text.includes('exceeded quota') || code === 409, text).toBe(true)
    counted[code] = (counted[code] ?? 0) + 1
  }
  return counted
}
let namespaces = 0
/** A namespace with a quota; the path of what is in it. */
async function withQuota(hard: Record<string, string>, more: object = {}): Promise<(group: string, resource: string) => string> {
  const namespace = `q${namespaces++}`
  await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } })
  await cluster.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace } })
  await cluster.apply({ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'q', namespace }, spec: { hard, ...more } })
  return (group, resource) => `${group === '' ? '/api/v1' : `/apis/${group}/v1`}/namespaces/${namespace}/${resource}`
}
const pod = (name: string, spec: object = {}, requests?: object) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: { containers: [{ name: 'c', image: 'i', ...(requests ? { resources: { requests } } : {}) }], ...spec } })
const merge = 'application/merge-patch+json'
const apply = 'application/apply-patch+yaml'

describe('fifty creators at once', () => {
  it('of pods: by number, by what they ask for, in every way to make one', async () => {
    const at = await withQuota({ pods: '20', 'requests.cpu': '1' })
    const made = await codes(fifty.map((i) => {
      const body = pod(`p${i}`, {}, { cpu: '100m' })
      if (i % 3 === 0) return ask(at('', 'pods'), { body })
      if (i % 3 === 1) return ask(`${at('', 'pods')}/p${i}?fieldManager=m`, { method: 'PATCH', contentType: apply, body })
      return ask(at('', 'pods'), { body: { ...body, metadata: { generateName: 'g-' } } })
    }))
    expect(made).toEqual({ 201: 10, 403: 40 })
    expect((await ask(at('', 'pods'))).json.items).toHaveLength(10)
  })

  it('of what is only tried take no place', async () => {
    const at = await withQuota({ configmaps: '3' })
    const map = (i: number) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `m${i}` } })
    await Promise.all(fifty.map((i) => ask(`${at('', 'configmaps')}?dryRun=All`, { body: map(i) })))
    // The namespace's own certificate authority comes by itself, as long as there is room for it.
    const made = await codes(fifty.map((i) => ask(at('', 'configmaps'), { body: map(i) })))
    expect((await ask(at('', 'configmaps'))).json.items).toHaveLength(3)
    expect(made[201]).toBeGreaterThanOrEqual(2)
  })

  it('of one name make one, and it is counted once', async () => {
    const at = await withQuota({ secrets: '2' })
    const secret = (name: string) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name } })
    expect((await codes(fifty.map(() => ask(at('', 'secrets'), { body: secret('one') }))))[201]).toBe(1)
    await expect.poll(async () => (await ask(at('', 'secrets'), { body: secret('two') })).code, { timeout: 15_000, interval: 500 }).toBe(201)
    expect((await ask(at('', 'secrets'), { body: secret('three') })).code).toBe(403)
  }, 30_000)

  it('of pods of a priority class, beside others of none', async () => {
    const at = await withQuota({ pods: '5' }, { scopeSelector: { matchExpressions: [{ scopeName: 'PriorityClass', operator: 'In', values: ['urgent'] }] } })
    const made = await codes(fifty.map((i) => ask(at('', 'pods'), { body: pod(`p${i}`, { priorityClassName: i % 2 ? 'urgent' : 'low' }) })))
    expect(made).toEqual({ 201: 30, 403: 20 })
    const urgent = (await ask(at('', 'pods'))).json.items as unknown as { spec: { priorityClassName: string } }[]
    expect(urgent.filter((one) => one.spec.priorityClassName === 'urgent')).toHaveLength(5)
  })

  it.each<[string, string[], object, object]>([
    ['best effort', ['BestEffort'], {}, { requests: { cpu: '1m' } }],
    ['not best effort', ['NotBestEffort'], { requests: { cpu: '1m' } }, {}],
    ['terminating', ['Terminating'], { activeDeadlineSeconds: 60 }, {}],
    ['not terminating', ['NotTerminating'], {}, { activeDeadlineSeconds: 60 }],
  ])('of pods that are %s, beside others that are not', async (_, scopes, within, without) => {
    const at = await withQuota({ pods: '4' }, { scopes })
    const of = (i: number) => {
      const { requests, ...spec } = (i % 2 ? within : without) as { requests?: object }
      return pod(`p${i}`, spec, requests)
    }
    expect(await codes(fifty.map((i) => ask(at('', 'pods'), { body: of(i) })))).toEqual({ 201: 29, 403: 21 })
  })

  it('of custom and other kinds, by their number', async () => {
    const at = await withQuota({ 'count/deployments.apps': '7', 'count/jobs.batch': '3' })
    const template = { metadata: { labels: { a: 'b' } }, spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'i' }] } }
    expect(await codes(fifty.map((i) => ask(at('batch', 'jobs'), { body: { apiVersion: 'batch/v1', kind: 'Job', metadata: { name: `j${i}` }, spec: { suspend: true, template } } })))).toEqual({ 201: 3, 403: 47 })
    const deployment = (i: number) => ({ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: `d${i}` }, spec: { replicas: 0, selector: { matchLabels: { a: 'b' } }, template: { ...template, spec: { ...template.spec, restartPolicy: 'Always' } } } })
    expect(await codes(fifty.map((i) => ask(at('apps', 'deployments'), { body: deployment(i) })))).toEqual({ 201: 7, 403: 43 })
  })
})

describe('fifty who let what they have grow at once', () => {
  it('get no more node ports than there are', async () => {
    const at = await withQuota({ 'services.nodeports': '6' })
    for (const i of fifty) expect((await ask(at('', 'services'), { body: { apiVersion: 'v1', kind: 'Service', metadata: { name: `s${i}` }, spec: { ports: [{ port: 80 }] } } })).code).toBe(201)
    const grown = await codes(fifty.map((i) => ask(`${at('', 'services')}/s${i}`, { method: 'PATCH', contentType: merge, body: { spec: { type: 'NodePort' } } })))
    expect(grown).toEqual({ 200: 6, 403: 44 })
    // One that shrinks gives its place to another.
    const list = (await ask(at('', 'services'))).json.items as unknown as { metadata: { name: string }; spec: { type: string } }[]
    const big = list.find((one) => one.spec.type === 'NodePort')!.metadata.name
    const small = list.filter((one) => one.spec.type === 'ClusterIP').map((one) => one.metadata.name)
    expect((await ask(`${at('', 'services')}/${big}`, { method: 'PATCH', contentType: merge, body: { spec: { type: 'ClusterIP' } } })).code).toBe(200)
    expect(await codes(small.map((name) => ask(`${at('', 'services')}/${name}`, { method: 'PATCH', contentType: merge, body: { spec: { type: 'NodePort' } } })))).toEqual({ 200: 1, 403: 43 })
  })

  it('get no more cores for their pods than there are, while those run', async () => {
    const at = await withQuota({ 'requests.cpu': '10' })
    for (const i of fifty) expect((await ask(at('', 'pods'), { body: pod(`p${i}`, {}, { cpu: '100m' }) })).code).toBe(201)
    const resize = (i: number) => ask(`${at('', 'pods')}/p${i}/resize`, { method: 'PATCH', contentType: 'application/strategic-merge-patch+json', body: { spec: { containers: [{ name: 'c', resources: { requests: { cpu: '600m' } } }] } } })
    expect(await codes(fifty.map(resize))).toEqual({ 200: 10, 403: 40 })
  })
})
