/** Custom kinds with the real kubectl: the CronTab of Kubernetes's own documentation, from its definition to its end. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { startTestControlPlane } from '../support/control-plane.ts'
import type { TestControlPlane } from '../support/control-plane.ts'
import { json, lines, send, stream } from '../support/requests.ts'

let cluster: TestControlPlane
beforeAll(async () => {
  cluster = await startTestControlPlane()
  await cluster.apply(definition())
  await cluster.kubectl('wait', '--for', 'condition=Established', 'crd/crontabs.stable.example.com', '--timeout=10s')
})
afterAll(() => cluster?.stop())

const group = '/apis/stable.example.com/v1'
const collection = `${group}/namespaces/default/crontabs`
const column = (name: string, type: string, jsonPath: string, more: object = {}) => ({ name, type, jsonPath, ...more })
const schema = {
  type: 'object',
  properties: {
    spec: {
      type: 'object', description: 'What is wanted of it.',
      properties: { cronSpec: { type: 'string', description: 'When it runs.' }, image: { type: 'string' }, replicas: { type: 'integer', minimum: 1, maximum: 10 }, suspended: { type: 'boolean', default: false },
        hosts: { type: 'array', items: { type: 'object', required: ['name'], properties: { name: { type: 'string' }, port: { type: 'integer' } } }, 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['name'] } },
    },
    status: { type: 'object', properties: { replicas: { type: 'integer' }, labelSelector: { type: 'string' }, conditions: { type: 'array', items: { type: 'object', properties: { type: { type: 'string' }, status: { type: 'string' } } } } } },
  },
}
const version = (more: object = {}) => ({
  name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema },
  subresources: { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas', labelSelectorPath: '.status.labelSelector' } },
  additionalPrinterColumns: [
    column('Spec', 'string', '.spec.cronSpec'), column('Replicas', 'integer', '.spec.replicas'), column('Ready', 'string', '.status.conditions[?(@.type=="Ready")].status'),
    column('Age', 'date', '.metadata.creationTimestamp'), column('Image', 'string', '.spec.image', { priority: 1 }),
  ],
  selectableFields: [{ jsonPath: '.spec.image' }, { jsonPath: '.spec.suspended' }],
  ...more,
})
const definition = (spec: object = {}) => ({
  apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'crontabs.stable.example.com' },
  spec: { group: 'stable.example.com', scope: 'Namespaced', names: { plural: 'crontabs', singular: 'crontab', kind: 'CronTab', shortNames: ['ct'], categories: ['all'] }, versions: [version()], ...spec },
})
const crontab = (name: string, spec: object = {}, metadata: object = {}) =>
  ({ apiVersion: 'stable.example.com/v1', kind: 'CronTab', metadata: { name, ...metadata }, spec: { cronSpec: '* * * * */5', image: 'my-awesome-cron-image', replicas: 3, ...spec } })
interface Shown { readonly apiVersion: string; readonly kind: string; readonly metadata: { readonly generation: number; readonly resourceVersion: string; readonly managedFields?: readonly Record<string, unknown>[]; readonly labels?: object }; readonly spec: Record<string, unknown>; readonly status?: Record<string, unknown> }
const get = async (name: string, ...more: string[]): Promise<Shown> => JSON.parse(await cluster.kubectl('get', 'crontab', name, '-o', 'json', ...more)) as Shown
const rows = (text: string) => text.trimEnd().split('\n').map((line) => line.split(/\s{2,}/))

describe('a custom kind', () => {
  it('is created, read, changed and deleted by kubectl, under all its names', async () => {
    expect(await cluster.apply(crontab('one'))).toBe('crontab.stable.example.com/one created\n')
    expect(await cluster.apply(crontab('one'))).toBe('crontab.stable.example.com/one unchanged\n')
    expect(await cluster.apply(crontab('one', { replicas: 4 }))).toBe('crontab.stable.example.com/one configured\n')
    for (const name of ['ct', 'crontab', 'crontabs', 'crontabs.stable.example.com', 'crontabs.v1.stable.example.com']) expect(await cluster.kubectl('get', name, 'one', '-o', 'name')).toBe('crontab.stable.example.com/one\n')
    expect((await get('one')).spec).toEqual({ cronSpec: '* * * * */5', image: 'my-awesome-cron-image', replicas: 4, suspended: false })
    expect(await cluster.kubectl('patch', 'ct', 'one', '--type=merge', '-p', '{"spec":{"image":"b"}}')).toContain('patched')
    expect(await cluster.kubectl('patch', 'ct', 'one', '--type=json', '-p', '[{"op":"replace","path":"/spec/image","value":"c"}]')).toContain('patched')
    expect((await cluster.tryKubectl(['patch', 'ct', 'one', '--type=strategic', '-p', '{"spec":{"image":"d"}}'])).stderr).toContain('accepted media types include: application/json-patch+json, application/merge-patch+json, application/apply-patch+yaml')
    expect(await cluster.kubectl('label', 'ct', 'one', 'tier=a')).toContain('labeled')
    expect((await get('one')).spec['image']).toBe('c')
    expect(await cluster.kubectl('get', 'all', '-o', 'name')).toContain('crontab.stable.example.com/one')
    expect(await cluster.kubectl('get', 'ct', '-l', 'tier=a', '-o', 'name')).toBe('crontab.stable.example.com/one\n')
    expect(await cluster.kubectl('delete', 'ct', 'one')).toMatch(/^crontab\.stable\.example\.com "one" deleted( from default namespace)?\n$/)
    expect((await cluster.tryKubectl(['get', 'ct', 'one'])).stderr).toBe('Error from server (NotFound): crontabs.stable.example.com "one" not found\n')
  })

  it('prints the columns of its definition, the wide ones when asked', async () => {
    await cluster.apply(crontab('printed', {}))
    await cluster.kubectl('patch', 'ct', 'printed', '--subresource=status', '--type=merge', '-p', '{"status":{"conditions":[{"type":"Idle","status":"False"},{"type":"Ready","status":"True"}]}}')
    expect(rows(await cluster.kubectl('get', 'ct', 'printed'))).toEqual([['NAME', 'SPEC', 'REPLICAS', 'READY', 'AGE'], ['printed', '* * * * */5', '3', 'True', expect.stringMatching(/^\d+s$/)]])
    expect(rows(await cluster.kubectl('get', 'ct', 'printed', '-o', 'wide'))[1]?.at(-1)).toBe('my-awesome-cron-image')
  })

  it('is found by discovery and explained by its schema', async () => {
    expect(await cluster.kubectl('api-resources', '--api-group=stable.example.com', '--no-headers')).toMatch(/^crontabs\s+ct\s+stable\.example\.com\/v1\s+true\s+CronTab\s*$/)
    expect(await cluster.kubectl('api-versions')).toContain('stable.example.com/v1\n')
    const explained = await cluster.kubectl('explain', 'crontab.spec')
    expect(explained).toContain('What is wanted of it.')
    expect(explained).toMatch(/cronSpec\s+<string>\s+When it runs\./)
  })

  it('that is invalid is refused with what is wrong, field by field', async () => {
    const { code, stderr } = await cluster.tryKubectl(['create', '-f', '-'], JSON.stringify(crontab('bad', { cronSpec: 1, replicas: 11 })))
    expect(code).toBe(1)
    expect(stderr).toContain('The CronTab "bad" is invalid')
    expect(stderr).toContain('spec.cronSpec: Invalid value: "integer": spec.cronSpec in body must be of type string: "integer"')
    expect(stderr).toContain('spec.replicas: Invalid value: 11: spec.replicas in body should be less than or equal to 10')
    expect((await cluster.tryKubectl(['get', 'ct', 'bad'])).code).toBe(1)
  })

  it('loses what its schema does not know, with a warning or an error as the client asks', async () => {
    const odd = crontab('odd', { colour: 'red' })
    const strict = await cluster.tryKubectl(['create', '-f', '-', '--validate=strict'], JSON.stringify(odd))
    expect(strict.stderr).toContain('strict decoding error: unknown field "spec.colour"')
    const warned = await cluster.tryKubectl(['create', '-f', '-', '--validate=warn'], JSON.stringify(odd))
    expect(warned.stderr).toContain('Warning: unknown field "spec.colour"')
    expect((await get('odd')).spec['colour']).toBeUndefined()
  })

  it('can be tried without being stored', async () => {
    expect(await cluster.kubectl('create', '--dry-run=server', '-o', 'jsonpath={.spec.suspended}', '-f', await file(crontab('tried')))).toBe('false')
    expect((await cluster.tryKubectl(['get', 'ct', 'tried'])).code).toBe(1)
  })
})

/** A manifest on disk. */
async function file(manifest: object): Promise<string> {
  const { writeFile } = await import('node:fs/promises')
  const path = `${cluster.kubeconfig}.manifest.json`
  await writeFile(path, JSON.stringify(manifest))
  return path
}

describe('its status and its scale', () => {
  it('are written through their own endpoints', async () => {
    await cluster.apply({ ...crontab('parts'), status: { replicas: 9 } })
    const before = await get('parts')
    expect([before.status, before.metadata.generation]).toEqual([undefined, 1])
    await cluster.kubectl('patch', 'ct', 'parts', '--subresource=status', '--type=merge', '-p', '{"metadata":{"labels":{"from":"status"}},"spec":{"image":"ignored"},"status":{"replicas":2,"labelSelector":"app=parts"}}')
    const after = await get('parts')
    expect(after).toMatchObject({ spec: { image: 'my-awesome-cron-image' }, status: { replicas: 2 }, metadata: { generation: 1 } })
    expect(after.metadata.labels).toBeUndefined()
    await cluster.kubectl('patch', 'ct', 'parts', '--type=merge', '-p', '{"spec":{"image":"b"},"status":{"replicas":7}}')
    expect(await get('parts')).toMatchObject({ spec: { image: 'b' }, status: { replicas: 2 }, metadata: { generation: 2 } })
  })

  it('a status that the schema has a default for is there from the beginning, and is nobody\'s', async () => {
    const waiting = { phase: 'Waiting' }
    const pending = { ...version(), subresources: { status: {} }, selectableFields: [], additionalPrinterColumns: [],
      schema: { openAPIV3Schema: { type: 'object', properties: { spec: { type: 'object' }, status: { type: 'object', default: waiting, properties: { phase: { type: 'string' } } } } } } }
    await cluster.apply({ ...definition({ names: { plural: 'pendings', kind: 'Pending' }, versions: [pending] }), metadata: { name: 'pendings.stable.example.com' } })
    await cluster.kubectl('wait', '--for', 'condition=Established', 'crd/pendings.stable.example.com', '--timeout=10s')
    const made = await cluster.kubectl('create', '-o', 'json', '-f', await file({ apiVersion: 'stable.example.com/v1', kind: 'Pending', metadata: { name: 'one' }, status: { phase: 'Said' } }))
    const seen = JSON.parse(await cluster.kubectl('get', 'pending', 'one', '-o', 'json', '--show-managed-fields')) as Shown
    expect([(JSON.parse(made) as Shown).status, seen.status]).toEqual([waiting, waiting])
    expect(JSON.stringify(seen.metadata.managedFields ?? [])).not.toContain('f:status')
    await cluster.kubectl('delete', 'crd', 'pendings.stable.example.com')
  })

  it('the scale is what the paths of the definition lead to', async () => {
    await cluster.apply(crontab('scaled'))
    await cluster.kubectl('patch', 'ct', 'scaled', '--subresource=status', '--type=merge', '-p', '{"status":{"replicas":2,"labelSelector":"app=scaled"}}')
    expect(await cluster.kubectl('scale', '--replicas=5', 'ct/scaled')).toBe('crontab.stable.example.com/scaled scaled\n')
    const scale = json<{ spec: object; status: object; metadata: object }>(await send(cluster, 'GET', `${collection}/scaled/scale`))
    expect(scale).toMatchObject({ kind: 'Scale', apiVersion: 'autoscaling/v1', spec: { replicas: 5 }, status: { replicas: 2, selector: 'app=scaled' }, metadata: { name: 'scaled', namespace: 'default' } })
    const patched = await send(cluster, 'PATCH', `${collection}/scaled/scale`, { spec: { replicas: 6 } }, { 'content-type': 'application/merge-patch+json' })
    expect(json(patched)).toMatchObject({ spec: { replicas: 6 } })
    expect((await get('scaled'))).toMatchObject({ spec: { replicas: 6 }, metadata: { generation: 3 } })
    const negative = await send(cluster, 'PATCH', `${collection}/scaled/scale`, { spec: { replicas: -1 } }, { 'content-type': 'application/merge-patch+json' })
    expect([negative.code, json<{ message: string }>(negative).message]).toEqual([422, expect.stringContaining('spec.replicas: Invalid value: -1')])
    const over = await send(cluster, 'PATCH', `${collection}/scaled/scale`, { spec: { replicas: 50 } }, { 'content-type': 'application/merge-patch+json' })
    expect([over.code, json<{ message: string }>(over).message]).toEqual([422, expect.stringContaining('should be less than or equal to 10')])
    await cluster.apply({ apiVersion: 'stable.example.com/v1', kind: 'CronTab', metadata: { name: 'unscaled' }, spec: { image: 'a' } })
    const unknown = await send(cluster, 'GET', `${collection}/unscaled/scale`)
    expect([unknown.code, json<{ message: string }>(unknown).message]).toEqual([500, 'Internal error occurred: the spec replicas field ".spec.replicas" does not exist'])
    expect(await cluster.kubectl('scale', '--replicas=2', 'ct/unscaled')).toContain('scaled')
    expect((await get('unscaled')).spec['replicas']).toBe(2)
  })
})

describe('server-side apply', () => {
  const apply = (manifest: object, ...args: string[]) => cluster.tryKubectl(['apply', '--server-side', '-f', '-', ...args], JSON.stringify(manifest))
  const part = (name: string, spec: object) => ({ apiVersion: 'stable.example.com/v1', kind: 'CronTab', metadata: { name }, spec })

  it('knows the lists of the schema, and who owns what', async () => {
    await apply(part('applied', { image: 'a', hosts: [{ name: 'x', port: 1 }] }), '--field-manager=first')
    expect((await apply(part('applied', { hosts: [{ name: 'y', port: 2 }] }), '--field-manager=second')).stderr).toBe('')
    expect((await get('applied')).spec['hosts']).toEqual([{ name: 'x', port: 1 }, { name: 'y', port: 2 }])
    const conflict = await apply(part('applied', { image: 'b' }), '--field-manager=second')
    expect(conflict.stderr).toContain('conflict with "first": .spec.image')
    expect((await apply(part('applied', { image: 'b' }), '--field-manager=second', '--force-conflicts')).code).toBe(0)
    expect((await get('applied')).spec).toMatchObject({ image: 'b', hosts: [{ name: 'x', port: 1 }] })
    const managers = (await get('applied', '--show-managed-fields')).metadata.managedFields ?? []
    expect(managers.map((m) => [m['manager'], m['operation'], m['apiVersion']])).toEqual([['first', 'Apply', 'stable.example.com/v1'], ['second', 'Apply', 'stable.example.com/v1']])
  })

  it('applies the status and the scale too', async () => {
    await apply(part('appliedparts', { image: 'a', replicas: 2 }), '--field-manager=owner')
    const status = { apiVersion: 'stable.example.com/v1', kind: 'CronTab', metadata: { name: 'appliedparts', labels: { not: 'here' } }, status: { replicas: 1 } }
    expect((await apply(status, '--subresource=status', '--field-manager=controller')).code).toBe(0)
    const scale = await send(cluster, 'PATCH', `${collection}/appliedparts/scale?fieldManager=scaler&force=true`,
      JSON.stringify({ apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'appliedparts', namespace: 'default' }, spec: { replicas: 4 } }), { 'content-type': 'application/apply-patch+yaml' })
    expect(scale.code).toBe(200)
    const object = await get('appliedparts', '--show-managed-fields')
    expect(object).toMatchObject({ spec: { replicas: 4 }, status: { replicas: 1 } })
    expect(object.metadata.managedFields?.find((m) => m['manager'] === 'scaler')).toMatchObject({ subresource: 'scale', fieldsV1: { 'f:spec': { 'f:replicas': {} } } })
    expect(object.metadata.managedFields?.find((m) => m['manager'] === 'controller')).toMatchObject({ subresource: 'status', fieldsV1: { 'f:status': { 'f:replicas': {} } } })
    expect(object.metadata.labels).toBeUndefined()
  })
})

describe('reading', () => {
  it('selects by the fields that the definition names, in lists, watches and deletions', async () => {
    for (const [name, image, suspended] of [['sel-a', 'red', false], ['sel-b', 'blue', false], ['sel-c', 'red', true]] as const) await cluster.apply(crontab(name, { image, suspended }, { labels: { of: 'selection' } }))
    const names = async (selector: string) => (await cluster.kubectl('get', 'ct', '-l', 'of=selection', '--field-selector', selector, '-o', 'name')).trim().split('\n').map((line) => line.split('/')[1])
    expect(await names('spec.image=red')).toEqual(['sel-a', 'sel-c'])
    expect(await names('spec.image=red,spec.suspended=true')).toEqual(['sel-c'])
    expect(await names('spec.image!=red')).toEqual(['sel-b'])
    expect((await cluster.tryKubectl(['get', 'ct', '--field-selector', 'spec.replicas=3'])).stderr).toContain('field label not supported: spec.replicas')
    const watch = await stream(cluster, `${collection}?watch=1&fieldSelector=spec.image%3Dred&labelSelector=of%3Dselection`, lines)
    expect((await watch.take(2)).map((frame) => JSON.parse(frame.toString()).object.metadata.name)).toEqual(['sel-a', 'sel-c'])
    await cluster.kubectl('patch', 'ct', 'sel-a', '--type=merge', '-p', '{"spec":{"image":"green"}}')
    expect((await watch.take(1)).map((frame) => JSON.parse(frame.toString()).type)).toEqual(['DELETED'])
    watch.close()
    expect((await send(cluster, 'DELETE', `${collection}?fieldSelector=spec.image%3Dred&labelSelector=of%3Dselection`)).code).toBe(200)
    expect((await cluster.kubectl('get', 'ct', '-l', 'of=selection', '-o', 'name')).trim().split('\n')).toEqual(['crontab.stable.example.com/sel-a', 'crontab.stable.example.com/sel-b'])
  })

  it('has JSON and YAML, and protobuf only for what is not of its own type', async () => {
    await cluster.apply(crontab('encoded'))
    const at = (accept: string, path = `${collection}/encoded`) => send(cluster, 'GET', path, undefined, { accept })
    const refused = await at('application/vnd.kubernetes.protobuf')
    expect([refused.code, refused.bytes.toString()]).toEqual([406, expect.stringContaining('only the following media types are accepted: application/json, application/yaml')])
    expect((await at('application/vnd.kubernetes.protobuf,application/json')).headers['content-type']).toBe('application/json')
    expect((await at('application/yaml')).bytes.toString()).toContain('kind: CronTab')
    const metadata = 'application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1'
    expect((await at(metadata, collection)).headers['content-type']).toBe('application/vnd.kubernetes.protobuf')
    const partial = json<{ kind: string; items: { kind: string }[] }>(await at('application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1', collection))
    expect([partial.kind, partial.items[0]?.kind]).toEqual(['PartialObjectMetadataList', 'PartialObjectMetadata'])
    const sent = await send(cluster, 'POST', collection, Buffer.from('k8s\0'), { 'content-type': 'application/vnd.kubernetes.protobuf' })
    expect(sent.code).toBe(415)
  })

  it('lists objects that say what they are', async () => {
    const list = json<{ kind: string; apiVersion: string; items: Shown[] }>(await send(cluster, 'GET', collection))
    expect([list.kind, list.apiVersion]).toEqual(['CronTabList', 'stable.example.com/v1'])
    expect(new Set(list.items.map((o) => `${o.apiVersion} ${o.kind}`))).toEqual(new Set(['stable.example.com/v1 CronTab']))
  })

  it('answers 404 and 405 as Kubernetes does', async () => {
    const code = async (method: string, path: string, body?: object) => (await send(cluster, method, path, body)).code
    expect(await code('GET', '/apis/stable.example.com/v2/crontabs')).toBe(404)
    expect(await code('GET', `${group}/others`)).toBe(404)
    expect(await code('POST', `${group}/crontabs`, crontab('nowhere'))).toBe(404)
    expect(await code('GET', `${group}/crontabs`)).toBe(200)
    expect(await code('GET', `${collection}/encoded/log`)).toBe(404)
    expect(await code('POST', `${collection}/encoded`, crontab('encoded'))).toBe(405)
    const stale = await send(cluster, 'PUT', `${collection}/encoded`, crontab('encoded'))
    expect([stale.code, json<{ message: string }>(stale).message]).toEqual([422, expect.stringContaining('metadata.resourceVersion: Invalid value: 0: must be specified for an update')])
  })
})

describe('what clients know of it', () => {
  interface Index { readonly paths: Readonly<Record<string, { readonly serverRelativeURL: string }>> }
  const place = 'apis/stable.example.com/v1'
  const index = async () => json<Index>(await send(cluster, 'GET', '/openapi/v3'))

  it('is one definition in OpenAPI, and no strategic patch', async () => {
    const { components, paths } = json<{ components: { schemas: object }; paths: Record<string, Record<string, { requestBody?: { content: object } }>> }>(await send(cluster, 'GET', `/openapi/v3/${place}`))
    expect(Object.keys(components.schemas).filter((name) => name.includes('CronTab'))).toEqual(['com.example.stable.v1.CronTab', 'com.example.stable.v1.CronTabList'])
    expect(Object.keys(paths[`/${place}/namespaces/{namespace}/crontabs/{name}`]?.['patch']?.requestBody?.content ?? {})).not.toContain('application/strategic-merge-patch+json')
  })

  it('changes with the definition, and nothing else does', async () => {
    const before = await index()
    const longer = { ...schema, properties: { ...schema.properties, note: { type: 'string', description: 'For people.' } } }
    await cluster.apply(definition({ versions: [version({ schema: { openAPIV3Schema: longer } })] }))
    const after = await vi.waitFor(async () => {
      const now = await index()
      expect(now.paths[place]).not.toEqual(before.paths[place])
      return now
    })
    expect(after.paths['apis/apps/v1']).toEqual(before.paths['apis/apps/v1'])
    expect(await cluster.kubectl('explain', 'crontab.note')).toContain('For people.')
    await cluster.apply(definition())
  })

  it('says of objects what they were stored as', async () => {
    const { resources } = json<{ resources: { name: string; storageVersionHash?: string }[] }>(await send(cluster, 'GET', group))
    expect(resources.map(({ name, storageVersionHash }) => [name, storageVersionHash])).toEqual([['crontabs', expect.stringMatching(/^.{11}=$/)], ['crontabs/status', undefined], ['crontabs/scale', undefined]])
    const core = json<{ resources: { name: string; storageVersionHash?: string }[] }>(await send(cluster, 'GET', '/api/v1'))
    expect(core.resources.find(({ name }) => name === 'pods')?.storageVersionHash).toBe('xPOwRZ+Yhw8=')
  })
})

describe('the rest of the cluster', () => {
  it('counts them in quotas', async () => {
    await cluster.kubectl('create', 'namespace', 'counted')
    await cluster.kubectl('create', 'quota', 'few', '-n', 'counted', '--hard=count/crontabs.stable.example.com=1')
    await cluster.kubectl('create', '-n', 'counted', '-f', await file(crontab('first')))
    const second = await cluster.tryKubectl(['create', '-n', 'counted', '-f', await file(crontab('second'))])
    expect(second.stderr).toContain('exceeded quota: few, requested: count/crontabs.stable.example.com=1, used: count/crontabs.stable.example.com=1, limited: count/crontabs.stable.example.com=1')
    await vi.waitFor(async () => expect(await cluster.kubectl('get', 'quota', 'few', '-n', 'counted', '-o', 'jsonpath={.status.used.count/crontabs\\.stable\\.example\\.com}')).toBe('1'), { timeout: 10_000 })
  })

  it('lets only those at them who may', async () => {
    const role = (name: string, labels: object, rules: object[]) => ({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name, labels }, rules })
    await cluster.kubectl('create', 'rolebinding', 'viewer', '--clusterrole=view', '--user=ana')
    const may = async () => (await cluster.tryKubectl(['get', 'ct', '--as=ana'])).code
    expect(await may()).toBe(1)
    await cluster.apply(role('crontab-view', { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' }, [{ apiGroups: ['stable.example.com'], resources: ['crontabs'], verbs: ['get', 'list', 'watch'] }]))
    await vi.waitFor(async () => expect(await may()).toBe(0), { timeout: 10_000 })
    expect((await cluster.tryKubectl(['delete', 'ct', '--all', '--as=ana'])).stderr).toContain('cannot delete resource "crontabs" in API group "stable.example.com"')
  })

  it('deletes what an object owns, and what a namespace holds', async () => {
    await cluster.apply(crontab('owner'))
    const uid = await cluster.kubectl('get', 'ct', 'owner', '-o', 'jsonpath={.metadata.uid}')
    const owned = [{ apiVersion: 'stable.example.com/v1', kind: 'CronTab', name: 'owner', uid }]
    await cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'owned', ownerReferences: owned } })
    await cluster.apply(crontab('owned', {}, { ownerReferences: owned }))
    await cluster.kubectl('delete', 'ct', 'owner')
    await vi.waitFor(async () => expect((await cluster.tryKubectl(['get', 'ct/owned', 'cm/owned', '--ignore-not-found', '-o', 'name'])).stdout).toBe(''), { timeout: 20_000, interval: 200 })
    await cluster.kubectl('delete', 'namespace', 'counted', '--timeout=30s')
    expect((await cluster.kubectl('get', 'ct', '-A', '-o', 'jsonpath={.items[*].metadata.namespace}'))).not.toContain('counted')
  }, 60_000)
})

describe('its end', () => {
  it('takes all objects along', async () => {
    await cluster.apply(crontab('last'))
    expect(await cluster.kubectl('delete', 'crd', 'crontabs.stable.example.com', '--timeout=20s')).toContain('deleted')
    expect((await send(cluster, 'GET', `${group}/crontabs`)).code).toBe(404)
    expect(await cluster.kubectl('api-resources', '--api-group=stable.example.com', '-o', 'name', '--cached=false')).toBe('')
    await cluster.apply(definition())
    await cluster.kubectl('wait', '--for', 'condition=Established', 'crd/crontabs.stable.example.com', '--timeout=10s')
    expect(json<{ items: object[] }>(await send(cluster, 'GET', `${group}/crontabs`)).items).toEqual([])
  })
})
