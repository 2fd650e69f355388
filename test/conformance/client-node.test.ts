/** The JavaScript client of Kubernetes against the API server: what programs do, rather than people. */
import { AppsV1Api, CoreV1Api, CustomObjectsApi, KubeConfig, KubernetesObjectApi, PatchStrategy, VersionApi, Watch, makeInformer, setHeaderOptions } from '@kubernetes/client-node'
import type { KubernetesObject, V1ConfigMap, V1Deployment } from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestControlPlane } from '../support/control-plane.ts'
import type { TestControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/host.ts'

let cluster: TestControlPlane
const config = new KubeConfig()
beforeAll(async () => {
  cluster = await startTestControlPlane()
  config.loadFromFile(cluster.kubeconfig)
})
afterAll(() => cluster?.stop())

const namespace = 'default'
const core = () => config.makeApiClient(CoreV1Api)
const apps = () => config.makeApiClient(AppsV1Api)
const configMap = (name: string, data: Record<string, string> = {}, labels: Record<string, string> = {}): V1ConfigMap => ({ metadata: { name, labels }, data })

const deployment = (name: string): V1Deployment => ({
  metadata: { name },
  spec: { replicas: 1, selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'x:1' }] } } },
})

/** What an ApiException says. */
const refusal = async (call: Promise<unknown>): Promise<{ code: number; reason: string; message: string }> => {
  const error = (await call.then(() => undefined, (e: unknown) => e)) as { code: number; body: string } | undefined
  if (!error) throw new Error('nothing was refused')
  const { reason, message } = JSON.parse(error.body) as { reason: string; message: string }
  return { code: error.code, reason, message }
}

describe('calls', () => {
  it('create, read, list, replace and delete', async () => {
    const api = core()
    const made = await api.createNamespacedConfigMap({ namespace, body: configMap('one', { a: '1' }, { set: 'calls' }) })
    expect(made.metadata?.creationTimestamp).toBeInstanceOf(Date)
    expect((await api.readNamespacedConfigMap({ namespace, name: 'one' })).data).toEqual({ a: '1' })
    const replaced = await api.replaceNamespacedConfigMap({ namespace, name: 'one', body: { ...made, data: { a: '2' } } })
    expect(replaced.data).toEqual({ a: '2' })
    expect(await refusal(api.replaceNamespacedConfigMap({ namespace, name: 'one', body: { ...made, data: { a: '3' } } }))).toMatchObject({ code: 409, reason: 'Conflict' })
    const listed = await api.listNamespacedConfigMap({ namespace, labelSelector: 'set=calls' })
    expect(listed.items.map((item) => item.metadata?.name)).toEqual(['one'])
    expect((await api.deleteNamespacedConfigMap({ namespace, name: 'one' })).status).toBe('Success')
    expect(await refusal(api.readNamespacedConfigMap({ namespace, name: 'one' }))).toMatchObject({ code: 404, reason: 'NotFound', message: 'configmaps "one" not found' })
  })

  it('list in pages', async () => {
    const api = core()
    for (let i = 0; i < 5; i++) await api.createNamespacedConfigMap({ namespace, body: configMap(`page-${i}`, {}, { set: 'pages' }) })
    const names: (string | undefined)[] = []
    let next: string | undefined
    do {
      const page = await api.listNamespacedConfigMap({ namespace, labelSelector: 'set=pages', limit: 2, ...(next ? { _continue: next } : {}) })
      names.push(...page.items.map((item) => item.metadata?.name))
      next = page.metadata?._continue
    } while (next)
    expect(names).toEqual([0, 1, 2, 3, 4].map((i) => `page-${i}`))
  })

  it('delete collections', async () => {
    const api = core()
    for (const name of ['x', 'y']) await api.createNamespacedConfigMap({ namespace, body: configMap(`many-${name}`, {}, { set: 'many' }) })
    await api.deleteCollectionNamespacedConfigMap({ namespace, labelSelector: 'set=many' })
    expect((await api.listNamespacedConfigMap({ namespace, labelSelector: 'set=many' })).items).toEqual([])
  })

  it('say which version the server has', async () => {
    expect(await config.makeApiClient(VersionApi).getCode()).toMatchObject({ major: '1', minor: '36' })
  })

  it('try with dryRun', async () => {
    await core().createNamespacedConfigMap({ namespace, body: configMap('dry'), dryRun: 'All' })
    expect(await refusal(core().readNamespacedConfigMap({ namespace, name: 'dry' }))).toMatchObject({ code: 404 })
  })
})

describe('patches', () => {
  const patch = (name: string, body: object, type: string) => apps().patchNamespacedDeployment({ namespace, name, body, ...(type === PatchStrategy.ServerSideApply ? { fieldManager: 'js', force: true } : {}) }, setHeaderOptions('Content-Type', type))
  const containers = async (name: string) => (await apps().readNamespacedDeployment({ namespace, name })).spec!.template.spec!.containers.map((c) => `${c.name} ${c.image}`)
  const side = { spec: { template: { spec: { containers: [{ name: 'side', image: 'y:1' }] } } } }

  it.each([
    ['JSON patch', PatchStrategy.JsonPatch, [{ op: 'replace', path: '/spec/template/spec/containers/0/image', value: 'x:2' }], ['c x:2']],
    ['merge patch', PatchStrategy.MergePatch, side, ['side y:1']],
    ['strategic merge patch', PatchStrategy.StrategicMergePatch, side, ['side y:1', 'c x:1']],
    ['server-side apply', PatchStrategy.ServerSideApply, { apiVersion: 'apps/v1', kind: 'Deployment', ...side }, ['c x:1', 'side y:1']],
  ])('%s', async (what, type, body, wanted) => {
    const name = what.toLowerCase().replace(/\W/g, '-')
    await apps().createNamespacedDeployment({ namespace, body: deployment(name) })
    await patch(name, 'kind' in body ? { ...body, metadata: { name } } : body, type)
    expect(await containers(name)).toEqual(wanted)
  })

  it('of the scale and of the status leave the rest alone', async () => {
    await apps().createNamespacedDeployment({ namespace, body: deployment('parts') })
    const scale = await apps().patchNamespacedDeploymentScale({ namespace, name: 'parts', body: { spec: { replicas: 3 } } }, setHeaderOptions('Content-Type', PatchStrategy.MergePatch))
    expect(scale.spec?.replicas).toBe(3)
    await apps().patchNamespacedDeploymentStatus({ namespace, name: 'parts', body: { spec: { replicas: 9 }, status: { collisionCount: 4 } } }, setHeaderOptions('Content-Type', PatchStrategy.MergePatch))
    const { spec, status } = await apps().readNamespacedDeployment({ namespace, name: 'parts' })
    expect([spec?.replicas, status?.collisionCount]).toEqual([3, 4])
  })
})

interface Event { readonly phase: string; readonly object: KubernetesObject }

/** Watches config maps of a set; `events` grows as they come. */
async function watching(set: string, query: Record<string, string | boolean> = {}) {
  const events: Event[] = []
  let end: (error: unknown) => void
  const ended = new Promise<unknown>((resolve) => (end = resolve))
  const controller = await new Watch(config).watch(
    `/api/v1/namespaces/${namespace}/configmaps`, { labelSelector: `set=${set}`, ...query },
    (phase: string, object: KubernetesObject) => void events.push({ phase, object }), (error: unknown) => end(error),
  )
  return { events, ended, stop: () => controller.abort() }
}
const told = (events: readonly Event[]) => events.map(({ phase, object }) => `${phase} ${object.metadata?.name}`)

describe('a watch', () => {
  it('is told every change, and resumes where it stopped', async () => {
    const api = core()
    const first = await watching('watched')
    await api.createNamespacedConfigMap({ namespace, body: configMap('w1', { n: '1' }, { set: 'watched' }) })
    await eventually('the first event', () => (first.events.length === 1 ? true : undefined))
    first.stop()
    const { resourceVersion = '' } = first.events[0]!.object.metadata!
    await api.patchNamespacedConfigMap({ namespace, name: 'w1', body: { data: { n: '2' } } }, setHeaderOptions('Content-Type', PatchStrategy.MergePatch))
    await api.createNamespacedConfigMap({ namespace, body: configMap('w2', {}, { set: 'watched' }) })
    await api.deleteNamespacedConfigMap({ namespace, name: 'w1' })
    const second = await watching('watched', { resourceVersion })
    await eventually('three more', () => (second.events.length === 3 ? true : undefined))
    expect(told(second.events)).toEqual(['MODIFIED w1', 'ADDED w2', 'DELETED w1'])
    second.stop()
  })

  it('ends after its time, without an error', async () => {
    const { ended } = await watching('timed', { timeoutSeconds: '1' })
    expect(await ended).toBeFalsy()
  })
})

describe('an informer', () => {
  it('has what there is, follows what happens, and starts again when the connection breaks', async () => {
    const api = core()
    await api.createNamespacedConfigMap({ namespace, body: configMap('i1', { n: '1' }, { set: 'informed' }) })
    const labelSelector = 'set=informed'
    const informer = makeInformer<V1ConfigMap>(config, `/api/v1/namespaces/${namespace}/configmaps`, () => api.listNamespacedConfigMap({ namespace, labelSelector }), labelSelector)
    const seen: string[] = []
    for (const verb of ['add', 'update', 'delete'] as const) informer.on(verb, (object) => void seen.push(`${verb} ${object.metadata?.name}`))
    informer.on('error', () => void informer.start())
    await informer.start()
    await eventually('the first one', () => (seen.includes('add i1') ? true : undefined))
    await api.createNamespacedConfigMap({ namespace, body: configMap('i2', {}, { set: 'informed' }) })
    await api.patchNamespacedConfigMap({ namespace, name: 'i1', body: { data: { n: '2' } } }, setHeaderOptions('Content-Type', PatchStrategy.MergePatch))
    await api.deleteNamespacedConfigMap({ namespace, name: 'i2' })
    await eventually('all of it', () => (seen.includes('delete i2') ? true : undefined))
    expect(seen.filter((line) => line.endsWith('i2'))).toEqual(['add i2', 'delete i2'])
    expect(informer.get('i1', namespace)?.data).toEqual({ n: '2' })
    expect(informer.list().map((object) => object.metadata?.name)).toEqual(['i1'])
    await informer.stop()
  })
})

describe('clients that know no types', () => {
  it('apply objects of any kind', async () => {
    const client = KubernetesObjectApi.makeApiClient(config)
    const object = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'any', namespace }, spec: { ports: [{ port: 80 }], selector: { a: 'b' } } }
    const made = await client.create(object)
    expect(made).toMatchObject({ kind: 'Service', spec: { type: 'ClusterIP', clusterIP: expect.stringMatching(/^10\.96\./) } })
    await client.patch({ ...object, spec: { ports: [{ port: 81 }] } } as KubernetesObject, undefined, undefined, undefined, undefined, PatchStrategy.MergePatch)
    expect(await client.read({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'any', namespace } })).toMatchObject({ spec: { ports: [{ port: 81 }] } })
    expect((await client.list('v1', 'Service', namespace)).items.map((item) => item.metadata?.name)).toContain('any')
    await client.delete(object)
    expect(await refusal(client.read({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'any', namespace } }))).toMatchObject({ code: 404 })
  })

  it('list through the path', async () => {
    const custom = config.makeApiClient(CustomObjectsApi)
    const list = (await custom.listNamespacedCustomObject({ group: 'apps', version: 'v1', namespace, plural: 'deployments' })) as { kind: string }
    expect(list.kind).toBe('DeploymentList')
  })
})
