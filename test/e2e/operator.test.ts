/** An operator as charts ship it: one file with its rights, kinds, webhooks and program is applied, and works with no right more than it has. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { root, startCluster, type TestCluster } from '../support/cluster.ts'
import { selfSigned } from '../support/extension-server.ts'
import { eventually } from '../support/host.ts'
import { buildNodeImage } from '../support/node-image.ts'

let cluster: TestCluster
let manifest: string
const kubectl = (...args: string[]) => cluster.kubectl(...args)
const base64 = (text: string) => Buffer.from(text).toString('base64')
const operatorUser = 'system:serviceaccount:site-system:site-operator'

const site = (name: string, spec: object, version = 'v1') => ({ apiVersion: `sites.example.com/${version}`, kind: 'Site', metadata: { name, namespace: 'shop' }, spec })
const applied = (object: object, ...args: string[]) => cluster.tryKubectl(['apply', '-f', '-', ...args], JSON.stringify(object))
interface Read { readonly apiVersion: string; readonly metadata: { readonly labels?: object; readonly annotations?: object; readonly finalizers?: string[]; readonly uid: string }; readonly spec: object; readonly status?: object }
const get = async (what: string, name: string, namespace = 'shop') => JSON.parse(await kubectl('-n', namespace, 'get', what, name, '-o', 'json')) as Read
const register = async () => ((await get('configmap', 'site-register', 'site-system')) as { data?: Record<string, string> }).data ?? {}
const leader = () => kubectl('-n', 'site-system', 'get', 'lease', 'site-operator', '-o', 'jsonpath={.spec.holderIdentity}')
const versions = () => kubectl('get', '-f', manifest, '-o', 'jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.resourceVersion}{"\\n"}{end}')
const page = async (path: string) => {
  const pod = await kubectl('-n', 'shop', 'get', 'pods', '-l', 'sites.example.com/site=front', '--field-selector=status.phase=Running', '-o', 'jsonpath={.items[0].metadata.name}')
  return kubectl('get', '--raw', `/api/v1/namespaces/shop/pods/${pod}:8080/proxy/${path}`)
}

beforeAll(async () => {
  cluster = await startCluster('operator', '172.31.92.2')
  await buildNodeImage(cluster, 'site-operator:1.0', join(root, 'test/support/pod-operator.ts'))
  const pair = await selfSigned(['site-operator.site-system.svc'])
  manifest = join(cluster.dataDir, 'operator.yaml')
  writeFileSync(manifest, readFileSync(join(root, 'test/support/operator.yaml'), 'utf8').replaceAll('CA_BUNDLE', base64(pair.cert)).replaceAll('TLS_KEY', base64(pair.key)))
}, 400_000)
afterAll(() => cluster?.destroy())

it('is installed by one file, without a warning', async () => {
  const { code, stdout, stderr } = await cluster.tryKubectl(['apply', '-f', manifest])
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout.trim().split('\n').filter((line) => !line.endsWith(' created'))).toEqual([])
  await kubectl('-n', 'site-system', 'rollout', 'status', 'deployment/site-operator', '--timeout=90s')
  await kubectl('wait', '--for=condition=Established', 'crd/sites.sites.example.com', '--timeout=10s')
})

it('is the same when it is applied again, and differs in nothing', async () => {
  const before = await eventually('its status has settled', async () => {
    const text = await versions()
    await new Promise((resolve) => setTimeout(resolve, 500))
    return (await versions()) === text ? text : undefined
  })
  const { code, stdout, stderr } = await cluster.tryKubectl(['apply', '-f', manifest])
  expect([code, stderr, stdout.trim().split('\n').filter((line) => !line.endsWith(' unchanged'))]).toEqual([0, '', []])
  expect(await versions()).toBe(before)
  expect(await cluster.tryKubectl(['diff', '-f', manifest])).toMatchObject({ code: 0, stdout: '' })
})

it('is the same when the server applies it, as Helm 4 has it do', async () => {
  const contents = () => kubectl('get', '-f', manifest, '-o', 'jsonpath={range .items[*]}{.metadata.uid} {.spec} {.rules} {.webhooks} {.data}{"\\n"}{end}')
  const before = await contents()
  for (let i = 0; i < 2; i++) {
    const { code, stdout, stderr } = await cluster.tryKubectl(['apply', '--server-side', '--force-conflicts', '--field-manager=helm', '-f', manifest])
    expect([code, stderr, stdout.trim().split('\n').filter((line) => !line.endsWith(' serverside-applied'))]).toEqual([0, '', []])
  }
  expect(await contents()).toBe(before)
  expect(await cluster.tryKubectl(['diff', '--server-side', '--force-conflicts', '--field-manager=helm', '-f', manifest])).toMatchObject({ code: 0, stdout: '' })
})

it('has one leader of two, both alive, and tells its figures', async () => {
  const name = await eventually('one leads', async () => (await leader()) || undefined)
  const pods = (await kubectl('-n', 'site-system', 'get', 'pods', '-l', 'app=site-operator', '-o', 'jsonpath={.items[*].metadata.name}')).split(' ')
  expect(pods).toHaveLength(2)
  expect(pods).toContain(name)
  const figures = await Promise.all(pods.map((pod) => kubectl('get', '--raw', `/api/v1/namespaces/site-system/pods/${pod}:8080/proxy/metrics`)))
  expect(figures.map((text) => /leader (\d)/.exec(text)?.[1]).toSorted()).toEqual(['0', '1'])
})

it('gets nothing that it was not given', async () => {
  const log = await eventually('it has tried', async () => {
    const text = await kubectl('-n', 'site-system', 'logs', '-l', 'app=site-operator', '--tail=-1')
    return (text.match(/^tried /gm) ?? []).length >= 12 ? text : undefined
  })
  const told = [...new Set(log.split('\n').filter((line) => line.startsWith('tried ')))].map((line) => line.replace(`User "${operatorUser}"`, 'it'))
  expect(told).toEqual([
    'tried GET /api/v1/namespaces/kube-system/secrets: 403 secrets is forbidden: it cannot list resource "secrets" in API group "" in the namespace "kube-system"',
    'tried GET /api/v1/namespaces/site-system/secrets/site-operator-tls: 403 secrets "site-operator-tls" is forbidden: it cannot get resource "secrets" in API group "" in the namespace "site-system"',
    'tried POST /apis/rbac.authorization.k8s.io/v1/clusterrolebindings: 403 clusterrolebindings.rbac.authorization.k8s.io is forbidden: it cannot create resource "clusterrolebindings" in API group "rbac.authorization.k8s.io" at the cluster scope',
    'tried PATCH /apis/rbac.authorization.k8s.io/v1/clusterroles/site-operator: 403 clusterroles.rbac.authorization.k8s.io "site-operator" is forbidden: it cannot patch resource "clusterroles" in API group "rbac.authorization.k8s.io" at the cluster scope',
    'tried DELETE /apis/apps/v1/namespaces/default/deployments/any: 403 deployments.apps "any" is forbidden: it cannot delete resource "deployments" in API group "apps" in the namespace "default"',
    expect.stringMatching(/^tried PATCH \/api\/v1\/namespaces\/site-system\/services\/mine: 403 services "mine" is forbidden: it cannot create resource "services" in API group "" in the namespace "site-system"/),
  ])
  expect(await kubectl('get', 'clusterrolebindings', '-o', 'name')).not.toContain('/mine\n')
})

it('makes of an object what it stands for, for whoever may edit in a namespace', async () => {
  await kubectl('create', 'namespace', 'shop')
  await kubectl('label', 'namespace', 'shop', 'pod-security.kubernetes.io/enforce=restricted')
  await kubectl('-n', 'shop', 'create', 'rolebinding', 'ana', '--clusterrole=edit', '--user=ana')
  const { code, stderr } = await applied(site('front', { title: 'Shop', pages: { index: 'welcome', about: 'us' } }), '--as=ana')
  expect([code, stderr]).toEqual([0, ''])
  await kubectl('-n', 'shop', 'wait', '--for=condition=Ready', 'site/front', '--timeout=60s')
  const made = await get('site', 'front')
  expect(made).toMatchObject({ metadata: { finalizers: ['sites.example.com/register'], labels: { 'sites.example.com/made-in': 'v1' } }, spec: { replicas: 1 }, status: { observedGeneration: 1, readyReplicas: 1 } })
  const owner = { apiVersion: 'sites.example.com/v1', kind: 'Site', name: 'front', uid: made.metadata.uid, controller: true, blockOwnerDeletion: true }
  expect(await get('configmap', 'front')).toMatchObject({ metadata: { ownerReferences: [owner] }, data: { index: 'Shop: welcome', about: 'Shop: us' } })
  expect(await get('deployment', 'front')).toMatchObject({ metadata: { ownerReferences: [owner] } })
  expect(await page('index')).toBe('Shop: welcome')
  expect(await register()).toEqual({ 'shop.front': 'Shop' })
  expect(await kubectl('-n', 'shop', 'events', '--for', 'site/front', '--no-headers')).toMatch(/Normal\s+Reconciled\s+Site\/front\s+2 pages are served by 1 pods/)
  expect(await kubectl('-n', 'shop', 'get', 'st')).toMatch(/NAME\s+TITLE\s+READY\s+AGE\nfront\s+Shop\s+True\s/)
})

it('is one object in both versions, and nothing is lost between them', async () => {
  const old = await get('sites.v1alpha1.sites.example.com', 'front')
  expect(old).toMatchObject({ apiVersion: 'sites.example.com/v1alpha1', metadata: { annotations: { 'sites.example.com/pages': '{"about":"us"}' } }, spec: { title: 'Shop', replicas: 1, text: 'welcome' } })
  const { code, stderr } = await cluster.tryKubectl(['-n', 'shop', 'patch', 'sites.v1alpha1.sites.example.com', 'front', '--type=merge', '-p', '{"spec":{"text":"come in"}}'])
  expect([code, stderr]).toEqual([0, 'Warning: sites.example.com/v1alpha1 Site is deprecated; write v1\n'])
  expect((await get('site', 'front')).spec).toEqual({ title: 'Shop', replicas: 1, pages: { index: 'come in', about: 'us' } })
  await eventually('the new page is served', async () => ((await page('index')) === 'Shop: come in' ? true : undefined))
  const alpha = await applied(site('second', { title: 'Old', text: 'hello' }, 'v1alpha1'))
  expect(alpha.code).toBe(0)
  expect(await get('sites.v1.sites.example.com', 'second')).toMatchObject({ metadata: { labels: { 'sites.example.com/made-in': 'v1' } }, spec: { pages: { index: 'hello' } } })
})

it('is refused by the rules of its kind and by its webhook, in either version', async () => {
  const refused = async (object: object) => (await applied(object)).stderr
  expect(await refused(site('front', { title: 'Other' }))).toContain('spec.title: Forbidden: a site keeps its title')
  expect(await refused(site('many', { title: 'Many', replicas: 3 }))).toContain('spec: Invalid value: 3 replicas of a site without an index')
  expect(await refused(site('many', { title: 'Many', replicas: 9, pages: { index: '' } }))).toContain('spec.replicas: Invalid value: 9: spec.replicas in body should be less than or equal to 5')
  for (const version of ['v1', 'v1alpha1']) {
    expect(await refused(site('bad', { title: 'casino' }, version))).toContain('admission webhook "decent.sites.example.com" denied the request: a site of kubernetes-admin is no casino')
  }
  expect((await kubectl('-n', 'shop', 'get', 'sites', '-o', 'name')).split('\n').filter(Boolean)).toEqual(['site.sites.example.com/front', 'site.sites.example.com/second'])
})

it('goes on under another leader, and scales', async () => {
  const before = await leader()
  await kubectl('-n', 'site-system', 'delete', 'pod', before)
  const after = await eventually('another leads', async () => {
    const name = await leader()
    return name !== '' && name !== before ? name : undefined
  })
  expect(after).not.toBe(before)
  await kubectl('-n', 'shop', 'scale', 'site/front', '--replicas=2')
  await eventually('two serve', async () => ((await get('site', 'front')).status as { readyReplicas: number }).readyReplicas === 2 || undefined)
  await kubectl('-n', 'site-system', 'rollout', 'status', 'deployment/site-operator', '--timeout=60s')
})

it('cleans up behind an object that is deleted, and behind a namespace', async () => {
  await kubectl('-n', 'shop', 'delete', 'site', 'front', '--timeout=30s')
  expect(Object.keys(await register())).toEqual(['shop.second'])
  await eventually('what it owned is gone', async () => ((await kubectl('-n', 'shop', 'get', 'deployments,replicasets,pods,configmaps', '-l', 'sites.example.com/site=front', '-o', 'name')) === '' ? true : undefined))
  await kubectl('delete', 'namespace', 'shop', '--timeout=60s')
  expect(await register()).toEqual({})
  // What the operator wrote into its own objects since is no difference to the file.
  expect(await cluster.tryKubectl(['diff', '-f', manifest])).toMatchObject({ code: 0, stdout: '' })
})

it('is removed by the same file, and leaves nothing', async () => {
  await kubectl('delete', '-f', manifest, '--ignore-not-found', '--timeout=90s')
  expect(await kubectl('get', '-f', manifest, '--ignore-not-found', '-o', 'name').catch((error: Error) => error.message)).not.toContain('site-operator')
  expect(await kubectl('api-resources', '-o', 'name')).not.toContain('sites.example.com')
  expect(await kubectl('get', 'all,leases,roles,rolebindings', '-A', '-o', 'name')).not.toContain('site-operator')
  expect(await kubectl('get', 'clusterrole', 'edit', '-o', 'jsonpath={.rules[*].apiGroups[*]}')).not.toContain('sites.example.com')
})
