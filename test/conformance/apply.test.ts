/** Server-side apply with the real kubectl: who owns which field, and what happens when two want the same one. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestControlPlane } from '../support/control-plane.ts'
import type { TestControlPlane } from '../support/control-plane.ts'
import { json, send } from '../support/requests.ts'

let cluster: TestControlPlane
beforeAll(async () => void (cluster = await startTestControlPlane()))
afterAll(() => cluster?.stop())

const config = (name: string, data: object, extra: object = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...extra }, data })
const apply = (manifest: object, ...args: string[]) => cluster.tryKubectl(['apply', '--server-side', '-f', '-', ...args], JSON.stringify(manifest))
const get = async (...args: string[]) => JSON.parse(await cluster.kubectl('get', '-o', 'json', ...args))

interface Entry { readonly manager: string; readonly operation: string; readonly subresource?: string; readonly fieldsV1: Record<string, unknown> }
const managers = async (...args: string[]): Promise<Entry[]> => (await get('--show-managed-fields', ...args)).metadata.managedFields ?? []
const who = (entries: readonly Entry[]) => entries.map(({ manager, operation, subresource }) => `${manager} ${operation}${subresource ? ` ${subresource}` : ''}`)

const deployment = (name: string, spec: object = {}, image = 'x:1') => ({
  apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name },
  spec: { selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image, ports: [{ containerPort: 80 }] }] } }, ...spec },
})

describe('applied on the server', () => {
  it('an object is made, kept and changed', async () => {
    expect((await apply(config('one', { a: '1', b: '2' }))).stdout).toBe('configmap/one serverside-applied\n')
    const { resourceVersion } = (await get('configmap', 'one')).metadata
    expect((await apply(config('one', { a: '1', b: '2' }))).code).toBe(0)
    expect((await get('configmap', 'one')).metadata.resourceVersion).toBe(resourceVersion)
    await apply(config('one', { a: '3' }))
    expect((await get('configmap', 'one')).data).toEqual({ a: '3' })
  })

  it('an object says which fields are whose, when asked', async () => {
    await apply(config('owned', { a: '1' }, { labels: { app: 'x' } }))
    expect((await get('configmap', 'owned')).metadata.managedFields).toBeUndefined()
    expect(await managers('configmap', 'owned')).toEqual([
      { manager: 'kubectl', operation: 'Apply', apiVersion: 'v1', time: expect.any(String), fieldsType: 'FieldsV1', fieldsV1: { 'f:data': { 'f:a': {} }, 'f:metadata': { 'f:labels': { 'f:app': {} } } } },
    ])
  })

  it('lists with keys are merged by their keys', async () => {
    await apply(deployment('lists'), '--field-manager=one')
    const more = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'lists' }, spec: { template: { spec: { containers: [{ name: 'c', env: [{ name: 'A', value: '1' }] }, { name: 'side', image: 'y:1' }] } } } }
    expect((await apply(more, '--field-manager=two')).stderr).toBe('')
    const { containers } = (await get('deployment', 'lists')).spec.template.spec
    expect(containers.map(({ name, image }: { name: string; image: string }) => `${name} ${image}`)).toEqual(['c x:1', 'side y:1'])
    expect(containers[0]).toMatchObject({ env: [{ name: 'A', value: '1' }], ports: [{ containerPort: 80, protocol: 'TCP' }] })
    const second = (await managers('deployment', 'lists')).find(({ manager }) => manager === 'two')
    expect(second?.fieldsV1).toEqual({ 'f:spec': { 'f:template': { 'f:spec': { 'f:containers': {
      'k:{"name":"c"}': { '.': {}, 'f:env': { 'k:{"name":"A"}': { '.': {}, 'f:name': {}, 'f:value': {} } }, 'f:name': {} },
      'k:{"name":"side"}': { '.': {}, 'f:image': {}, 'f:name': {} },
    } } } } })
    await apply({ ...more, spec: {} }, '--field-manager=two')
    const left = (await get('deployment', 'lists')).spec.template.spec.containers
    expect(left).toHaveLength(1)
    expect(left[0].env).toBeUndefined()
  })

  it('an object keeps its name when its last field is given up, and what others own', async () => {
    await apply(config('shrunk', { a: '1', b: '1' }, { labels: { l: '1' }, finalizers: ['example.com/one'] }), '--field-manager=one')
    await apply(config('shrunk', { a: '1' }, { finalizers: ['example.com/two'] }), '--field-manager=two')
    expect((await apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shrunk' } }, '--field-manager=one')).stderr).toBe('')
    const { metadata, data } = await get('configmap', 'shrunk')
    expect([data, metadata.finalizers, metadata.labels]).toEqual([{ a: '1' }, ['example.com/two'], undefined])
    expect((await apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'shrunk' } }, '--field-manager=two')).stderr).toBe('')
    const empty = await get('configmap', 'shrunk')
    expect([empty.data, empty.metadata.finalizers, empty.metadata.name]).toEqual([undefined, undefined, 'shrunk'])
  })

  it('lists and maps that are owned whole are replaced whole', async () => {
    const role = (verb: string) => ({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'whole' }, rules: [{ apiGroups: [''], resources: ['pods'], verbs: [verb] }] })
    await apply(role('get'))
    await apply(role('list'))
    expect((await get('role', 'whole')).rules).toEqual(role('list').rules)
    const service = (selector: object) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'whole' }, spec: { selector, ports: [{ port: 80 }] } })
    await apply(service({ a: 'b' }), '--field-manager=one')
    expect((await apply(service({ c: 'd' }), '--field-manager=two')).stderr).toMatch(/^error: Apply failed with 1 conflict: conflict with "one": \.spec\.selector\n/)
  })

  it('the same key twice is refused', async () => {
    const twice = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'twice' }, spec: { ports: [{ name: 'a', port: 80 }, { name: 'b', port: 80 }] } }
    expect((await apply(twice)).stderr).toBe('Error from server (BadRequest): failed to create typed patch object (default/twice; /v1, Kind=Service): .spec.ports: duplicate entries for key [port=80,protocol="TCP"]\n')
  })

  it('--dry-run=server changes nothing', async () => {
    expect((await apply(config('dry', { a: '1' }), '--dry-run=server')).stdout).toBe('configmap/dry serverside-applied (server dry run)\n')
    expect((await cluster.tryKubectl(['get', 'configmap', 'dry'])).code).toBe(1)
  })
})

describe('two who want the same field', () => {
  it('conflict, and the answer says with whom and over what', async () => {
    await apply(config('contested', { a: '1' }), '--field-manager=first')
    const refused = await apply(config('contested', { a: '2' }), '--field-manager=second')
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/^error: Apply failed with 1 conflict: conflict with "first": \.data\.a\n/)
    expect((await get('configmap', 'contested')).data).toEqual({ a: '1' })
    const reply = await send(cluster, 'PATCH', '/api/v1/namespaces/default/configmaps/contested?fieldManager=second', config('contested', { a: '2' }), { 'content-type': 'application/apply-patch+yaml' })
    expect(json(reply)).toMatchObject({ kind: 'Status', code: 409, reason: 'Conflict', details: { causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "first"', field: '.data.a' }] } })
  })

  it('share it when they agree, and one takes it when forced', async () => {
    await apply(config('shared', { a: '1' }), '--field-manager=first')
    expect((await apply(config('shared', { a: '1' }), '--field-manager=second')).code).toBe(0)
    expect(who(await managers('configmap', 'shared')).toSorted()).toEqual(['first Apply', 'second Apply'])
    expect((await apply(config('shared', { a: '2' }), '--field-manager=second', '--force-conflicts')).stdout).toBe('configmap/shared serverside-applied\n')
    expect((await get('configmap', 'shared')).data).toEqual({ a: '2' })
    expect(who(await managers('configmap', 'shared'))).toEqual(['second Apply'])
  })

  it('are told apart from those who scale', async () => {
    await apply(deployment('scaled', { replicas: 2 }))
    await cluster.kubectl('scale', 'deployment', 'scaled', '--replicas=3')
    const refused = await apply(deployment('scaled', { replicas: 2 }))
    expect(refused.stderr).toMatch(/^error: Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps\/v1: \.spec\.replicas\n/)
    expect((await apply(deployment('scaled'))).code).toBe(0)
    expect((await get('deployment', 'scaled')).spec.replicas).toBe(3)
  })
})

describe('every write', () => {
  it('is tracked: create, patch and update belong to the client that made them', async () => {
    await cluster.kubectl('create', 'configmap', 'tracked', '--from-literal=a=1')
    await cluster.kubectl('label', 'configmap', 'tracked', 'x=y')
    await cluster.kubectl('patch', 'configmap', 'tracked', '--type=merge', '-p', '{"data":{"b":"2"}}')
    expect(who(await managers('configmap', 'tracked'))).toEqual(['kubectl-create Update', 'kubectl-label Update', 'kubectl-patch Update'])
  })

  it('without a field manager belongs to the user agent', async () => {
    await send(cluster, 'POST', '/api/v1/namespaces/default/configmaps', config('agent', { a: '1' }), { 'user-agent': 'my-tool/v1.2 (linux)' })
    expect(who(await managers('configmap', 'agent'))).toEqual(['my-tool Update'])
  })

  it('to the status belongs to the subresource', async () => {
    await apply(deployment('stated'))
    await cluster.kubectl('patch', 'deployment', 'stated', '--subresource=status', '--type=merge', '-p', '{"status":{"collisionCount":3}}')
    const mine = (await managers('deployment', 'stated')).find(({ manager }) => manager === 'kubectl-patch')
    expect(mine).toMatchObject({ operation: 'Update', subresource: 'status', fieldsV1: { 'f:status': { 'f:collisionCount': {} } } })
  })

  it('of the controllers is in the name of the controller manager', async () => {
    await apply(deployment('controlled', { replicas: 1 }))
    await cluster.kubectl('wait', '--for=jsonpath={.status.observedGeneration}=1', 'deployment/controlled', '--timeout=20s')
    expect(who(await managers('deployment', 'controlled'))).toContain('kube-controller-manager Update status')
  })
})

describe('an apply that makes no sense', () => {
  const path = '/api/v1/namespaces/default/configmaps/bad'
  const ask = async (query: string, body: string | object) => {
    const reply = await send(cluster, 'PATCH', `${path}${query}`, body, { 'content-type': 'application/apply-patch+yaml' })
    return json<{ code: number; message: string }>(reply)
  }
  it('is refused: without a field manager', async () => {
    expect(await ask('', config('bad', {}))).toMatchObject({ code: 422, message: 'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch' })
  })
  it('is refused: with a field that there is not', async () => {
    expect(await ask('?fieldManager=m', { ...config('bad', {}), datum: {} })).toMatchObject({ code: 400, message: 'failed to create typed patch object (/bad; /v1, Kind=ConfigMap): .datum: field not declared in schema' })
  })
  it('is refused: as another kind, or under another name', async () => {
    expect(await ask('?fieldManager=m', { ...config('bad', {}), kind: 'Secret' })).toMatchObject({ code: 400 })
    expect(await ask('?fieldManager=m', config('worse', {}))).toMatchObject({ code: 400 })
  })
  it('is refused: when it is no YAML', async () => {
    expect(await ask('?fieldManager=m', '{a: [')).toMatchObject({ code: 400 })
  })
  it('is accepted as YAML', async () => {
    const reply = await send(cluster, 'PATCH', `${path}?fieldManager=m`, 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: bad\ndata:\n  a: "1"\n', { 'content-type': 'application/apply-patch+yaml' })
    expect(reply.code).toBe(201)
  })
})

describe('from apply on the client to apply on the server', () => {
  it('kubectl takes over the fields that it applied before', async () => {
    await cluster.apply(config('moved', { a: '1', b: '2' }))
    expect((await apply(config('moved', { a: '5' }))).stdout).toBe('configmap/moved serverside-applied\n')
    expect((await get('configmap', 'moved')).data).toEqual({ a: '5' })
  })

  it('diff and view-last-applied show what they should', async () => {
    await cluster.apply(config('diffed', { a: '1' }))
    expect(JSON.parse(await cluster.kubectl('apply', 'view-last-applied', 'configmap/diffed', '-o', 'json')).data).toEqual({ a: '1' })
    const diff = await cluster.tryKubectl(['diff', '-f', '-'], JSON.stringify(config('diffed', { a: '2' })))
    expect(diff.code).toBe(1)
    expect(diff.stdout).toContain('-  a: "1"\n+  a: "2"\n')
    const serverSide = await cluster.tryKubectl(['diff', '--server-side', '--force-conflicts', '-f', '-'], JSON.stringify(config('diffed', { a: '2' })))
    expect(serverSide.stdout).toContain('+  a: "2"\n')
    expect((await cluster.tryKubectl(['diff', '-f', '-'], JSON.stringify(config('diffed', { a: '1' })))).code).toBe(0)
  })
})
