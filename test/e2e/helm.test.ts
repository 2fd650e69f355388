/** Helm 3 and Helm 4 with pods: an operator as a chart, installed by an account with no more rights than it takes, and an application with hooks. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kubeconfigOf } from '../../src/cluster/kubeconfig.ts'
import { root, startCluster } from '../support/cluster.ts'
import type { TestCluster } from '../support/cluster.ts'
import { charts, helmUser, operatorChart } from '../support/helm.ts'
import type { HelmUser } from '../support/helm.ts'
import { eventually } from '../support/host.ts'
import { buildNodeImage } from '../support/node-image.ts'
import { helms } from '../support/released.ts'
import type { Helm } from '../support/released.ts'

const here = await helms()
/** The newest of each. */
const newest = [here.findLast((helm) => helm.major === 3), here.findLast((helm) => helm.major === 4)].filter((helm) => helm !== undefined)
if (newest.length === 0) it.skip('needs Helm, and there is none')

let cluster: TestCluster
const users: HelmUser[] = []
const kubectl = (...args: string[]) => cluster.kubectl(...args)
const userOf = (helm: Helm, namespace: string, kubeconfig = cluster.kubeconfig) => {
  const user = helmUser(helm, { kubeconfig, namespace, runs: cluster.host.run })
  users.push(user)
  return user
}
const apply = async (object: object, ...args: string[]) => cluster.tryKubectl(['apply', '-f', '-', ...args], JSON.stringify(object))

beforeAll(async () => {
  if (newest.length === 0) return
  cluster = await startCluster('helm', '172.31.88.2')
  await buildNodeImage(cluster, 'site-operator:1.0', join(root, 'test/support/pod-operator.ts'))
}, 400_000)
afterAll(async () => {
  for (const user of users) user.remove()
  await cluster?.destroy()
})

describe.each(newest)('the chart of an operator with Helm $version', (helm) => {
  const installer = 'system:serviceaccount:site-system:installer'
  let user: HelmUser
  let chart: string
  const wait = ['--wait', '--timeout', '90s']

  /** What the chart's objects take, and what its roles give: nobody gives what they have not. */
  const rightsOf = (given: boolean) => {
    const verbs = ['get', 'list', 'watch', 'create', 'patch', 'update', 'delete']
    const rule = (apiGroup: string, resources: string[], ...verbs: string[]) => ({ apiGroups: [apiGroup], resources, verbs })
    const cluster = [
      rule('apiextensions.k8s.io', ['customresourcedefinitions'], ...verbs),
      rule('rbac.authorization.k8s.io', ['clusterroles', 'clusterrolebindings'], ...verbs),
      rule('admissionregistration.k8s.io', ['mutatingwebhookconfigurations', 'validatingwebhookconfigurations'], ...verbs),
      ...(given ? [
        rule('sites.example.com', ['sites'], ...verbs), rule('sites.example.com', ['sites/status'], 'patch'), rule('apps', ['deployments'], 'list', 'watch', 'create', 'patch'),
        rule('', ['configmaps'], 'create', 'patch'), rule('events.k8s.io', ['events'], 'create'),
      ] : []),
    ]
    const namespaced = [
      rule('', ['serviceaccounts', 'secrets', 'configmaps', 'services'], ...verbs), rule('apps', ['deployments'], ...verbs), rule('rbac.authorization.k8s.io', ['roles', 'rolebindings'], ...verbs),
      rule('coordination.k8s.io', ['leases'], 'create', 'get', 'update'), rule('apps', ['replicasets'], 'list', 'get', 'watch'), rule('', ['pods'], 'list', 'get', 'watch'),
    ]
    const subjects = [{ kind: 'ServiceAccount', name: 'installer', namespace: 'site-system' }]
    const both = (prefix: string, namespace: object, rules: object[]) => [
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: `${prefix}Role`, metadata: { name: 'installer', ...namespace }, rules },
      { apiVersion: 'rbac.authorization.k8s.io/v1', kind: `${prefix}RoleBinding`, metadata: { name: 'installer', ...namespace }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: `${prefix}Role`, name: 'installer' }, subjects },
    ]
    return { apiVersion: 'v1', kind: 'List', items: [...both('Cluster', {}, cluster), ...both('', { namespace: 'site-system' }, namespaced)] }
  }

  beforeAll(async () => {
    await kubectl('create', 'namespace', 'site-system')
    await kubectl('label', 'namespace', 'site-system', 'pod-security.kubernetes.io/enforce=restricted')
    await kubectl('-n', 'site-system', 'create', 'serviceaccount', 'installer')
    const config = JSON.parse(await kubectl('config', 'view', '--raw', '-o', 'json')) as { clusters: { cluster: { server: string; 'certificate-authority-data': string } }[] }
    const { server, 'certificate-authority-data': ca } = config.clusters[0]!.cluster
    const token = (await kubectl('-n', 'site-system', 'create', 'token', 'installer')).trim()
    const file = join(cluster.dataDir, 'installer.kubeconfig')
    writeFileSync(file, kubeconfigOf({ name: 'installer', server, ca: Buffer.from(ca, 'base64').toString(), user: { token } }), { mode: 0o600 })
    user = userOf(helm, 'site-system', file)
    chart = operatorChart(user)
  })
  afterAll(() => kubectl('delete', 'namespace', 'site-system', '--timeout=60s'))

  it('is refused to an account that has not what the chart would give', async () => {
    expect((await apply(rightsOf(false))).code).toBe(0)
    const refused = await user.tryHelm('install', 'operator', chart)
    expect(refused.stderr).toContain(`clusterroles.rbac.authorization.k8s.io "site-operator" is forbidden: user "${installer}" (groups=["system:serviceaccounts" "system:serviceaccounts:site-system" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:`)
    expect(await kubectl('get', 'clusterrolebindings', '-o', 'name')).not.toContain('/site-operator\n')
    await user.helm('uninstall', 'operator', ...wait)
  })

  it('is installed with just that, waits for its pods, and works', async () => {
    expect((await apply(rightsOf(true))).code).toBe(0)
    expect(await user.helm('install', 'operator', chart, ...wait)).toContain('STATUS: deployed')
    expect(await kubectl('-n', 'site-system', 'get', 'deployment', 'site-operator', '-o', 'jsonpath={.status.readyReplicas} {.status.updatedReplicas}')).toBe('2 2')
    await kubectl('create', 'namespace', 'shop')
    const site = (title: string) => ({ apiVersion: 'sites.example.com/v1', kind: 'Site', metadata: { name: 'front', namespace: 'shop' }, spec: { title, pages: { index: 'welcome' } } })
    // Its webhooks and its conversion have the certificate that the chart has drawn.
    expect((await apply(site('casino'))).stderr).toContain('admission webhook "decent.sites.example.com" denied the request')
    expect(await apply(site('Shop'))).toMatchObject({ code: 0, stderr: '' })
    expect(await kubectl('-n', 'shop', 'get', 'sites.v1alpha1.sites.example.com', 'front', '-o', 'jsonpath={.spec.text} {.metadata.labels}')).toBe('welcome {"sites.example.com/made-in":"v1"}')
    await kubectl('-n', 'shop', 'wait', '--for=condition=Ready', 'site/front', '--timeout=60s')
  })

  it('is upgraded under the objects of its kind, and keeps its certificate', async () => {
    const certificate = () => kubectl('-n', 'site-system', 'get', 'secret', 'site-operator-tls', '-o', 'jsonpath={.data.tls\\.crt}')
    const before = await certificate()
    await user.helm('upgrade', 'operator', chart, '--set', 'replicas=1', ...wait)
    expect(await certificate()).toBe(before)
    expect(await kubectl('-n', 'site-system', 'get', 'deployment', 'site-operator', '-o', 'jsonpath={.status.readyReplicas}')).toBe('1')
    await user.helm('rollback', 'operator', '1', ...wait)
    expect(await certificate()).toBe(before)
    expect(await kubectl('-n', 'shop', 'get', 'site', 'front', '-o', 'jsonpath={.spec.title}')).toBe('Shop')
  })

  it('is taken away, and leaves nothing', async () => {
    await kubectl('-n', 'shop', 'delete', 'site', 'front', '--timeout=30s')
    await user.helm('uninstall', 'operator', ...wait)
    expect(await kubectl('get', 'crd,clusterroles,clusterrolebindings,validatingwebhookconfigurations,mutatingwebhookconfigurations', '-o', 'name')).not.toContain('site')
    await eventually('its pods are gone', async () => ((await kubectl('-n', 'site-system', 'get', 'all,secrets,roles', '-o', 'name')) === 'role.rbac.authorization.k8s.io/installer\n' ? true : undefined))
    await kubectl('delete', 'namespace', 'shop', '--timeout=60s')
  })
})

describe.each(newest)('the chart of an application with Helm $version', (helm) => {
  const namespace = `app-${helm.major}`
  const web = join(charts, 'web')
  const back = helm.major === 3 ? '--atomic' : '--rollback-on-failure'
  const hooks = ['--set', 'hooks.enabled=true', '--timeout', '100s']
  let user: HelmUser
  const jobs = async () => (await kubectl('-n', namespace, 'get', 'jobs', '-o', 'name')).split('\n').filter((name) => name !== '')
  const page = async () => (await cluster.host.run('curl', ['-sS', '--max-time', '5', `http://${await kubectl('-n', namespace, 'get', 'service', 'site', '-o', 'jsonpath={.spec.clusterIP}')}/index.html`])).stdout
  /** What Skiff's log complains of. */
  const warnings = async () => (await cluster.skiff('logs', '--tail', '100000')).stdout.split('\n').filter((line) => /"level":"(warn|error|fatal)"/.test(line))
  /** The hooks that have run, in their order: each ran in a pod that was watched to its end. */
  const ran = async () => {
    const events = JSON.parse(await kubectl('-n', namespace, 'get', 'events', '--field-selector=reason=Completed', '-o', 'json')) as { items: { involvedObject: { kind: string; name: string }; firstTimestamp?: string; eventTime?: string }[] }
    return events.items.filter((event) => event.involvedObject.kind === 'Job').map((event) => event.involvedObject.name)
  }
  beforeAll(async () => {
    user = userOf(helm, namespace)
  })

  it('runs its hooks before and after, and waits until it answers', async () => {
    await user.helm('install', 'site', web, '--create-namespace', '--wait', ...hooks)
    expect(await page()).toBe('Hello')
    expect(await jobs()).toEqual([])
    expect((await ran()).toSorted()).toEqual(['site-post-install', 'site-pre-install'])
    expect(await kubectl('-n', namespace, 'get', 'configmap', 'site-prepared', '-o', 'jsonpath={.data.revision}')).toBe('1')
  })

  it('is tested by its own test', async () => {
    const out = await user.helm('test', 'site', '--logs', '--timeout', '60s')
    expect(out).toMatch(/TEST SUITE:\s+site-answers\n(.*\n)*Phase:\s+Succeeded\n(.*\n)*Hello/)
  })

  it('stays what it was when a hook fails', async () => {
    const failed = await user.tryHelm('upgrade', 'site', web, back, '--set', 'title=Bad,hooks.fail=pre-upgrade', ...hooks)
    expect(failed.stderr).toMatch(/pre-upgrade hooks failed/)
    expect(await page()).toBe('Hello')
  })

  // It takes all the time that it is given.
  it.runIf(helm === newest.at(-1))('goes back to what it was when its pods do not get ready', async () => {
    const never = await user.tryHelm('upgrade', 'site', web, back, '--set', 'title=Bad,colour=red,service.port=81,image=nowhere.example/none:1', '--set', 'hooks.enabled=false', '--timeout', '10s')
    expect(never.code).toBe(1)
    expect(never.stderr).toMatch(/release site failed, and has been rolled back due to (atomic|rollback-on-failure) being set/)
    expect(await page()).toBe('Hello')
    expect(await kubectl('-n', namespace, 'get', 'service', 'site', '-o', 'jsonpath={.spec.ports[0].port}')).toBe('80')
  })

  it('is upgraded, and taken away with its pods', async () => {
    await user.helm('upgrade', 'site', web, '--wait', '--set', 'title=Better,replicas=2', ...hooks)
    expect(await page()).toBe('Better')
    expect(await user.helm('history', 'site', '-o', 'json')).toContain('"description":"Upgrade complete"')
    const before = (await warnings()).length
    await user.helm('uninstall', 'site', '--wait', '--cascade', 'foreground', '--timeout', '100s')
    expect((await warnings()).slice(before)).toEqual([])
    expect(await ran()).toContain('site-pre-delete')
    expect(await kubectl('-n', namespace, 'get', 'all,jobs', '-o', 'name')).toBe('pod/site-answers\n')
    await kubectl('delete', 'namespace', namespace, '--wait=false')
  })
})
