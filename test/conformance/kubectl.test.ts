/** The verbs of the real kubectl against the API server. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestControlPlane } from '../support/control-plane.ts'
import type { TestControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/host.ts'

let cluster: TestControlPlane
beforeAll(async () => void (cluster = await startTestControlPlane()))
afterAll(() => cluster?.stop())
const kubectl = (...args: string[]) => cluster.kubectl(...args)
const get = async (...args: string[]) => JSON.parse(await kubectl('get', '-o', 'json', ...args))

const deployment = (name: string, extra: object = {}) => ({
  apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, labels: { app: name } },
  spec: { replicas: 2, selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image: 'x:1', ports: [{ containerPort: 80 }] }] } }, ...extra },
})

describe('discovery', () => {
  it('says which version it speaks', async () => {
    const version = JSON.parse(await kubectl('version', '-o', 'json'))
    expect(version.serverVersion).toMatchObject({ major: '1', minor: '36' })
  })

  it('lists every kind with its short names', async () => {
    const rows = (await kubectl('api-resources', '--no-headers')).trim().split('\n').map((row) => row.trim().split(/\s+/))
    const find = (name: string) => rows.find((row) => row[0] === name)
    expect(find('pods')).toEqual(['pods', 'po', 'v1', 'true', 'Pod'])
    expect(find('deployments')).toEqual(['deployments', 'deploy', 'apps/v1', 'true', 'Deployment'])
    expect(find('namespaces')).toEqual(['namespaces', 'ns', 'v1', 'false', 'Namespace'])
    for (const name of ['cronjobs', 'ingresses', 'networkpolicies', 'poddisruptionbudgets', 'clusterroles', 'storageclasses', 'customresourcedefinitions', 'endpointslices', 'leases', 'resourceclaims', 'validatingadmissionpolicies', 'flowschemas', 'certificatesigningrequests']) {
      expect(find(name), name).toBeDefined()
    }
    expect(rows.length).toBeGreaterThan(60)
  })

  it('explains fields', async () => {
    const text = await kubectl('explain', 'deployment.spec.strategy')
    expect(text).toMatch(/KIND:\s+Deployment/)
    expect(text).toMatch(/rollingUpdate\s+<RollingUpdateDeployment>/)
  })
})

describe('objects', () => {
  it('are created, shown, changed and deleted', async () => {
    expect(await kubectl('create', 'configmap', 'first', '--from-literal=a=1')).toBe('configmap/first created\n')
    const made = await get('configmap', 'first')
    expect(made).toMatchObject({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'first', namespace: 'default' }, data: { a: '1' } })
    expect(made.metadata.uid).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect(Date.parse(made.metadata.creationTimestamp)).toBeGreaterThan(Date.now() - 60_000)
    await kubectl('patch', 'configmap', 'first', '--type=merge', '-p', '{"data":{"b":"2"}}')
    await kubectl('patch', 'configmap', 'first', '--type=json', '-p', '[{"op":"remove","path":"/data/a"}]')
    expect((await get('configmap', 'first')).data).toEqual({ b: '2' })
    expect(await kubectl('delete', 'configmap', 'first')).toMatch(/^configmap "first" deleted( from default namespace)?\n$/)
    expect((await cluster.tryKubectl(['get', 'configmap', 'first'])).stderr).toBe('Error from server (NotFound): configmaps "first" not found\n')
  })

  it('are applied from a file: created, unchanged, configured', async () => {
    const config = (data: object) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data })
    expect(await cluster.apply(config({ a: '1', b: '2' }))).toBe('configmap/applied created\n')
    expect(await cluster.apply(config({ a: '1', b: '2' }))).toBe('configmap/applied unchanged\n')
    expect(await cluster.apply(config({ a: '3' }))).toBe('configmap/applied configured\n')
    expect((await get('configmap', 'applied')).data).toEqual({ a: '3' })
  })

  it('are merged by key when a deployment is patched strategically', async () => {
    await cluster.apply(deployment('patched'))
    await kubectl('patch', 'deployment', 'patched', '-p', '{"spec":{"template":{"spec":{"containers":[{"name":"c","env":[{"name":"A","value":"1"}]},{"name":"d","image":"y:1"}]}}}}')
    const { containers } = (await get('deployment', 'patched')).spec.template.spec
    expect(containers.map((c: { name: string; image: string }) => [c.name, c.image])).toEqual([['c', 'x:1'], ['d', 'y:1']])
    expect(containers[0].env).toEqual([{ name: 'A', value: '1' }])
    expect(containers[0].ports).toEqual([{ containerPort: 80, protocol: 'TCP' }])
  })

  it('carry the defaults that Kubernetes documents', async () => {
    await cluster.apply(deployment('defaulted'))
    const { spec } = await get('deployment', 'defaulted')
    expect(spec).toMatchObject({ revisionHistoryLimit: 10, progressDeadlineSeconds: 600, strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } } })
    expect(spec.template.spec).toMatchObject({ restartPolicy: 'Always', dnsPolicy: 'ClusterFirst', terminationGracePeriodSeconds: 30, schedulerName: 'default-scheduler', securityContext: {} })
    expect(spec.template.spec.containers[0]).toMatchObject({ imagePullPolicy: 'IfNotPresent', terminationMessagePath: '/dev/termination-log', terminationMessagePolicy: 'File', resources: {} })
  })

  it('are selected by labels and fields', async () => {
    for (const [name, tier] of [['sel-a', 'web'], ['sel-b', 'db'], ['sel-c', 'web']]) await kubectl('create', 'configmap', name as string).then(() => kubectl('label', 'configmap', name as string, `tier=${tier}`))
    const names = async (...args: string[]) => (await kubectl('get', 'configmaps', '-o', 'name', ...args)).trim().split('\n').filter((n) => n.includes('sel-'))
    expect(await names('-l', 'tier=web')).toEqual(['configmap/sel-a', 'configmap/sel-c'])
    expect(await names('-l', 'tier in (db)')).toEqual(['configmap/sel-b'])
    expect(await names('-l', 'tier,tier!=db')).toEqual(['configmap/sel-a', 'configmap/sel-c'])
    expect(await names('--field-selector', 'metadata.name=sel-b')).toEqual(['configmap/sel-b'])
    expect(await kubectl('delete', 'configmaps', '-l', 'tier')).toContain('configmap "sel-c" deleted')
  })

  it('get names of their own with generateName', async () => {
    const created = await cluster.tryKubectl(['create', '-f', '-', '-o', 'name'], JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'some-' } }))
    expect(created.stdout).toMatch(/^configmap\/some-[bcdfghjklmnpqrstvwxz2456789]{5}$/m)
  })

  it('come in chunks that form one consistent list', async () => {
    for (let i = 0; i < 7; i++) await kubectl('create', 'configmap', `chunk-${i}`)
    const rows = await kubectl('get', 'configmaps', '--chunk-size=2', '-o', 'name')
    expect(rows.trim().split('\n').filter((n) => n.includes('chunk-'))).toHaveLength(7)
  })

  it('are only tried with --dry-run=server', async () => {
    expect(await kubectl('create', 'configmap', 'tried', '--dry-run=server')).toBe('configmap/tried created (server dry run)\n')
    expect((await cluster.tryKubectl(['get', 'configmap', 'tried'])).code).toBe(1)
  })

  it('are scaled through the scale subresource', async () => {
    await cluster.apply(deployment('scaled'))
    expect(await kubectl('scale', 'deployment', 'scaled', '--replicas=4')).toBe('deployment.apps/scaled scaled\n')
    expect((await get('deployment', 'scaled')).spec.replicas).toBe(4)
    const scale = JSON.parse(await kubectl('get', '--raw', '/apis/apps/v1/namespaces/default/deployments/scaled/scale'))
    expect(scale).toMatchObject({ kind: 'Scale', apiVersion: 'autoscaling/v1', spec: { replicas: 4 } })
  })

  it('keep a deleted object while it has finalizers', async () => {
    await cluster.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'held', finalizers: ['example.com/hold'] } })
    await kubectl('delete', 'configmap', 'held', '--wait=false')
    expect((await get('configmap', 'held')).metadata.deletionTimestamp).toBeDefined()
    await kubectl('patch', 'configmap', 'held', '--type=json', '-p', '[{"op":"remove","path":"/metadata/finalizers"}]')
    expect((await cluster.tryKubectl(['get', 'configmap', 'held'])).stderr).toContain('not found')
  })
})

describe('namespaces', () => {
  it('take everything in them along', async () => {
    await kubectl('create', 'namespace', 'short-lived')
    await kubectl('create', 'configmap', 'inside', '-n', 'short-lived')
    await eventually('the default service account', async () => ((await cluster.tryKubectl(['get', 'serviceaccount', 'default', '-n', 'short-lived'])).code === 0 ? true : undefined))
    await kubectl('delete', 'namespace', 'short-lived', '--timeout=30s')
    expect((await cluster.tryKubectl(['get', 'namespace', 'short-lived'])).stderr).toContain('namespaces "short-lived" not found')
  })

  it('refuse objects when they are not there', async () => {
    const refused = await cluster.tryKubectl(['create', 'configmap', 'x', '-n', 'nowhere'])
    expect(refused.stderr).toContain('namespaces "nowhere" not found')
  })
})

describe('owners', () => {
  it('take what they own along, unless it is orphaned', async () => {
    await cluster.apply(deployment('owner'))
    await eventually('a replica set', async () => ((await kubectl('get', 'rs', '-l', 'app=owner', '-o', 'name')).trim() || undefined))
    await kubectl('delete', 'deployment', 'owner', '--cascade=foreground', '--timeout=30s')
    expect((await kubectl('get', 'rs,pods', '-l', 'app=owner', '-o', 'name')).trim()).toBe('')
    await cluster.apply(deployment('parent'))
    await eventually('a replica set', async () => ((await kubectl('get', 'rs', '-l', 'app=parent', '-o', 'name')).trim() || undefined))
    await kubectl('delete', 'deployment', 'parent', '--cascade=orphan', '--timeout=30s')
    expect((await kubectl('get', 'rs', '-l', 'app=parent', '-o', 'name')).trim()).toMatch(/^replicaset.apps\/parent-/)
  })
})

describe('services', () => {
  it('get a cluster IP and a node port, and keep them', async () => {
    await cluster.apply({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' }, spec: { type: 'NodePort', selector: { app: 'web' }, ports: [{ port: 80 }] } })
    const { spec } = await get('service', 'web')
    expect(spec.clusterIP).toMatch(/^10\.96\./)
    expect(spec).toMatchObject({ clusterIPs: [spec.clusterIP], ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack', sessionAffinity: 'None', internalTrafficPolicy: 'Cluster' })
    expect(spec.ports[0]).toMatchObject({ port: 80, protocol: 'TCP', targetPort: 80 })
    expect(spec.ports[0].nodePort).toBeGreaterThanOrEqual(30000)
    await kubectl('patch', 'service', 'web', '--type=json', '-p', '[{"op":"replace","path":"/spec/ports/0/port","value":81}]')
    expect((await get('service', 'web')).spec.clusterIP).toBe(spec.clusterIP)
  })
})
