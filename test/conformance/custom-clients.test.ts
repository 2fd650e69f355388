/** Custom kinds with other clients than today's kubectl: the JavaScript client, metadata informers, and every kubectl that is here. */
import { ApiextensionsV1Api, CustomObjectsApi, KubeConfig, makeInformer } from '@kubernetes/client-node'
import type { KubernetesObject, V1CustomResourceDefinition } from '@kubernetes/client-node'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { meta } from '../../src/api/index.ts'
import { decodeMessage, decodeWatchEvent, unwrapUnknown } from '../../src/machinery/protobuf.ts'
import { startTestControlPlane } from '../support/control-plane.ts'
import type { TestControlPlane } from '../support/control-plane.ts'
import { eventually, run } from '../support/host.ts'
import { kubectls } from '../support/kubectls.ts'
import { prefixed, send, stream } from '../support/requests.ts'

const group = 'stable.example.com'
const place = { group, version: 'v1', namespace: 'default', plural: 'crontabs' }
const definition: V1CustomResourceDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'crontabs.stable.example.com' },
  spec: {
    group, scope: 'Namespaced', names: { plural: 'crontabs', singular: 'crontab', kind: 'CronTab', shortNames: ['ct'] },
    versions: [{
      name: 'v1', served: true, storage: true, subresources: { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } },
      schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object', properties: { cronSpec: { type: 'string', description: 'When it runs.' }, replicas: { type: 'integer' } } }, status: { type: 'object', properties: { replicas: { type: 'integer' } } } } } },
    }],
  },
}
const crontab = (name: string, labels: Record<string, string> = {}) => ({ apiVersion: `${group}/v1`, kind: 'CronTab', metadata: { name, labels }, spec: { cronSpec: '* * * * *', replicas: 1 } })

let cluster: TestControlPlane
const config = new KubeConfig()
beforeAll(async () => {
  cluster = await startTestControlPlane()
  config.loadFromFile(cluster.kubeconfig)
  const api = config.makeApiClient(ApiextensionsV1Api)
  await api.createCustomResourceDefinition({ body: definition })
  await eventually('the kind to be established', async () => (await api.readCustomResourceDefinition({ name: 'crontabs.stable.example.com' })).status?.conditions?.some((c) => c.type === 'Established' && c.status === 'True') || undefined)
})
afterAll(() => cluster?.stop())

describe('the JavaScript client', () => {
  it('creates, reads, replaces, lists and deletes', async () => {
    const api = config.makeApiClient(CustomObjectsApi)
    const made = await api.createNamespacedCustomObject({ ...place, body: crontab('js', { set: 'js' }) }) as KubernetesObject & { spec: object }
    expect(made.metadata?.uid).toBeDefined()
    await api.replaceNamespacedCustomObject({ ...place, name: 'js', body: { ...made, spec: { cronSpec: 'later' } } })
    expect(await api.getNamespacedCustomObject({ ...place, name: 'js' })).toMatchObject({ spec: { cronSpec: 'later' } })
    const list = await api.listNamespacedCustomObject({ ...place, labelSelector: 'set=js', limit: 10 }) as { items: KubernetesObject[] }
    expect(list.items.map((o) => o.metadata?.name)).toEqual(['js'])
    await api.replaceNamespacedCustomObjectStatus({ ...place, name: 'js', body: { ...(await api.getNamespacedCustomObject({ ...place, name: 'js' }) as object), status: { replicas: 4 } } })
    expect(await api.getNamespacedCustomObject({ ...place, name: 'js' })).toMatchObject({ status: { replicas: 4 } })
    await api.deleteNamespacedCustomObject({ ...place, name: 'js' })
    expect((await api.listNamespacedCustomObject({ ...place, labelSelector: 'set=js' }) as { items: object[] }).items).toEqual([])
  })

  it('keeps an informer', async () => {
    const api = config.makeApiClient(CustomObjectsApi)
    const path = `/apis/${group}/v1/namespaces/default/crontabs`
    const informer = makeInformer<KubernetesObject>(config, path, async () => (await api.listNamespacedCustomObject(place)) as never)
    const seen: string[] = []
    for (const event of ['add', 'update', 'delete'] as const) informer.on(event, (object: KubernetesObject) => void seen.push(`${event} ${object.metadata?.name}`))
    await informer.start()
    await api.createNamespacedCustomObject({ ...place, body: crontab('informed') })
    await cluster.kubectl('scale', '--replicas=3', 'ct/informed')
    await api.deleteNamespacedCustomObject({ ...place, name: 'informed' })
    await eventually('all events', () => (seen.length >= 3 ? true : undefined))
    expect(seen).toEqual(['add informed', 'update informed', 'delete informed'])
    await informer.stop()
  })
})

it('a metadata informer reads lists and watches in protobuf', async () => {
  await send(cluster, 'POST', `/apis/${group}/v1/namespaces/default/crontabs`, crontab('meta', { set: 'meta' }))
  const accept = (kind: string) => ({ accept: `application/vnd.kubernetes.protobuf;as=${kind};g=meta.k8s.io;v=v1,application/json;as=${kind};g=meta.k8s.io;v=v1,application/json` })
  const path = `/apis/${group}/v1/crontabs?labelSelector=set%3Dmeta`
  const list = await send(cluster, 'GET', path, undefined, accept('PartialObjectMetadataList'))
  expect(unwrapUnknown(list.bytes)).toMatchObject({ kind: 'PartialObjectMetadataList', apiVersion: 'meta.k8s.io/v1' })
  const watch = await stream(cluster, `${path}&watch=1`, prefixed, accept('PartialObjectMetadata'))
  const [frame] = await watch.take(1)
  const { type, object } = decodeWatchEvent(frame as Buffer)
  const { kind, message } = unwrapUnknown(object)
  expect([type, kind, decodeMessage(meta.PartialObjectMetadata, message).metadata.name]).toEqual(['ADDED', 'PartialObjectMetadata', 'meta'])
  watch.close()
})

describe.each(kubectls)('kubectl $version', ({ minor, path }) => {
  const name = `old-${minor}`
  const kubectl = async (args: readonly string[], input?: object) => {
    const { code, stdout, stderr } = await run(path, args, { env: { KUBECONFIG: cluster.kubeconfig, HOME: `${cluster.kubeconfig}-${minor}` }, ...(input ? { input: JSON.stringify(input) } : {}) })
    if (code !== 0) throw new Error(stderr)
    return stdout
  }
  it('applies, changes, scales, explains, prints and deletes', async () => {
    expect(await kubectl(['apply', '-f', '-'], crontab(name))).toContain('created')
    expect(await kubectl(['apply', '-f', '-'], { ...crontab(name), spec: { cronSpec: 'changed', replicas: 1 } })).toContain('configured')
    expect(await kubectl(['scale', '--replicas=2', `crontab/${name}`])).toContain('scaled')
    expect(await kubectl(['get', 'ct', name, '-o', 'jsonpath={.spec.cronSpec} {.spec.replicas}'])).toBe('changed 2')
    expect(await kubectl(['explain', 'crontab.spec.cronSpec'])).toContain('When it runs.')
    expect(await kubectl(['get', 'ct', name])).toMatch(/^NAME\s+AGE\n/)
    expect(await kubectl(['apply', '--server-side', '--force-conflicts', '-f', '-'], crontab(name))).toContain('serverside-applied')
    expect(await kubectl(['delete', 'ct', name])).toContain('deleted')
  })
})
