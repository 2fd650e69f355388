import { setHeaderOptions, AppsV1Api, CoreV1Api, KubeConfig, PatchStrategy, Watch, makeInformer } from '@kubernetes/client-node'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../testing.ts'

let started: TestServer
let config: KubeConfig

beforeEach(async () => {
  started = await startTestServer()
  await started.server.listen()
  config = new KubeConfig()
  config.loadFromOptions({
    clusters: [{ name: 'c', server: started.server.url, skipTLSVerify: true }], users: [{ name: 'u' }],
    contexts: [{ name: 'x', cluster: 'c', user: 'u' }], currentContext: 'x',
  })
})
afterEach(() => started.server.close())

const namespace = 'default'
const map = (name: string, data: Record<string, string> = {}) => ({ metadata: { name, namespace }, data })

describe('a client that others wrote', () => {
  it('creates, reads, replaces, patches, lists and deletes', async () => {
    const api = config.makeApiClient(CoreV1Api)
    const made = await api.createNamespacedConfigMap({ namespace, body: map('a', { x: '1' }) })
    expect(made.metadata!.creationTimestamp).toBeInstanceOf(Date)
    const replaced = await api.replaceNamespacedConfigMap({ name: 'a', namespace, body: { ...made, data: { x: '2' } } })
    expect(replaced.data).toEqual({ x: '2' })
    await expect(api.replaceNamespacedConfigMap({ name: 'a', namespace, body: { ...made, data: { x: '3' } } })).rejects.toMatchObject({ code: 409 })
    const patched = await api.patchNamespacedConfigMap({ name: 'a', namespace, body: { data: { y: '3' } } }, setHeaderOptions('Content-Type', PatchStrategy.MergePatch))
    expect(patched.data).toEqual({ x: '2', y: '3' })
    expect((await api.listNamespacedConfigMap({ namespace, limit: 1 })).items).toHaveLength(1)
    expect((await api.deleteNamespacedConfigMap({ name: 'a', namespace })).status).toBe('Success')
    await expect(api.readNamespacedConfigMap({ name: 'a', namespace })).rejects.toMatchObject({ code: 404 })
  })

  it('scales', async () => {
    const api = config.makeApiClient(AppsV1Api)
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x' }] } }
    await api.createNamespacedDeployment({ namespace, body: { metadata: { name: 'web' }, spec: { selector: { matchLabels: { a: 'b' } }, template } } })
    const scale = await api.readNamespacedDeploymentScale({ name: 'web', namespace })
    await api.replaceNamespacedDeploymentScale({ name: 'web', namespace, body: { ...scale, spec: { replicas: 6 } } })
    expect((await api.readNamespacedDeployment({ name: 'web', namespace })).spec!.replicas).toBe(6)
  })

  it('follows an informer through changes', async () => {
    const api = config.makeApiClient(CoreV1Api)
    await api.createNamespacedConfigMap({ namespace, body: map('a') })
    const informer = makeInformer(config, `/api/v1/namespaces/${namespace}/configmaps`, () => api.listNamespacedConfigMap({ namespace }))
    const seen: string[] = []
    const until = (text: string) => new Promise<void>((resolve) => {
      for (const verb of ['add', 'update', 'delete'] as const) informer.on(verb, (o) => {
        seen.push(`${verb} ${o.metadata!.name}`)
        if (seen.at(-1) === text) resolve()
      })
    })
    const over = until('delete b')
    await informer.start()
    await api.createNamespacedConfigMap({ namespace, body: map('b') })
    await api.patchNamespacedConfigMap({ name: 'a', namespace, body: { data: { z: '1' } } }, setHeaderOptions('Content-Type', PatchStrategy.StrategicMergePatch))
    await api.deleteNamespacedConfigMap({ name: 'b', namespace })
    await over
    await informer.stop()
    expect(seen).toEqual(['add a', 'add b', 'update a', 'delete b'])
  })

  it('watches with a selector', async () => {
    const events: string[] = []
    const api = config.makeApiClient(CoreV1Api)
    const first = Promise.withResolvers<void>()
    const stop = await new Watch(config).watch('/api/v1/configmaps', { labelSelector: 'on=yes' }, (type, object: { metadata: { name: string } }) => {
      events.push(`${type} ${object.metadata.name}`)
      first.resolve()
    }, () => undefined)
    await api.createNamespacedConfigMap({ namespace, body: map('no') })
    await api.createNamespacedConfigMap({ namespace, body: { ...map('yes'), metadata: { name: 'yes', labels: { on: 'yes' } } } })
    await first.promise
    stop.abort()
    expect(events).toEqual(['ADDED yes'])
  })
})
