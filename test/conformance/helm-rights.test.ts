/** Helm against the API server: charts that bring kinds and rights of their own, by users who have no more rights than they need; and the way from Helm 3 to Helm 4. */
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { kubeconfigOf } from '../../src/cluster/kubeconfig.ts'
import { startTestControlPlane } from '../support/control-plane.ts'
import type { TestControlPlane } from '../support/control-plane.ts'
import { charts, helmUser } from '../support/helm.ts'
import type { HelmUser } from '../support/helm.ts'
import { helms } from '../support/released.ts'

const here = await helms()
let cluster: TestControlPlane
const users: HelmUser[] = []
beforeAll(async () => void (cluster = await startTestControlPlane()))
afterAll(async () => {
  for (const user of users) user.remove()
  await cluster?.stop()
})
const kubectl = (...args: string[]) => cluster.kubectl(...args)
const userOf = (...given: Parameters<typeof helmUser>) => {
  const user = helmUser(...given)
  users.push(user)
  return user
}

if (here.length === 0) it.skip('needs Helm, and there is none')

// The oldest has its turn in helm.test.ts.
describe.each(here.slice(1))('with Helm $version', (helm) => {
  const namespace = `rights-${helm.version.replace('.', '-')}`
  let user: HelmUser
  beforeAll(async () => {
    await kubectl('create', 'namespace', namespace)
    user = userOf(helm, { kubeconfig: cluster.kubeconfig, namespace })
  })

  it('installs a kind and objects of it in one go, and keeps the kind when the objects go', async () => {
    const garden = user.copy('garden', ['web'])
    await user.helm('install', 'park', garden)
    expect(await kubectl('-n', namespace, 'get', 'beds', '-o', 'jsonpath={range .items[*]}{.metadata.name} {.spec.plants} {.spec.soil}{"\\n"}{end}')).toBe('park-roses 3 loam\npark-tulips 5 loam\n')
    await kubectl('-n', namespace, 'patch', 'bed', 'park-roses', '--type=merge', '-p', '{"spec":{"soil":"sand"}}')
    await user.helm('upgrade', 'park', garden, '--set', 'beds.roses=4,beds.tulips=null,beds.lilies=1,web.enabled=true')
    expect(await kubectl('-n', namespace, 'get', 'beds', '-o', 'jsonpath={range .items[*]}{.metadata.name} {.spec.plants} {.spec.soil} {.spec.notes[0]}{"\\n"}{end}'))
      .toBe('park-lilies 1 loam planted in revision 2\npark-roses 4 sand planted in revision 2\n')
    expect(await kubectl('-n', namespace, 'get', 'deployment', 'park', '-o', 'jsonpath={.spec.replicas}')).toBe('0')
    const refused = await user.tryHelm('upgrade', 'park', garden, '--set', 'beds.roses=0,beds.tulips=null,beds.lilies=1,web.enabled=true')
    expect(refused.stderr).toMatch(/Bed(\.garden\.example\.com)? "park-roses" is invalid: spec\.plants: Invalid value: 0: spec\.plants in body should be greater than or equal to 1/)
    // Another release finds the kind there.
    await user.helm('install', 'yard', garden)
    await user.helm('uninstall', 'park')
    expect(await kubectl('-n', namespace, 'get', 'beds', '-o', 'name')).toBe('bed.garden.example.com/yard-roses\nbed.garden.example.com/yard-tulips\n')
    await user.helm('uninstall', 'yard')
    expect(await kubectl('get', 'crd', 'beds.garden.example.com', '-o', 'jsonpath={.spec.names.kind}')).toBe('Bed')
    await kubectl('delete', 'crd', 'beds.garden.example.com')
  })

  it('refuses a chart for another Kubernetes, and objects of kinds or with fields that there are not', async () => {
    const future = user.chart('future', { 'Chart.yaml': 'apiVersion: v2\nname: future\nversion: 1.0.0\nkubeVersion: ">=1.37.0-0"\n' })
    expect((await user.tryHelm('install', 'x', future)).stderr).toContain('chart requires kubeVersion: >=1.37.0-0 which is incompatible with Kubernetes v1.36.')
    const unknown = user.chart('unknown', { 'templates/x.yaml': 'apiVersion: policy/v1beta1\nkind: PodSecurityPolicy\nmetadata: { name: x }\n' })
    expect((await user.tryHelm('install', 'x', unknown)).stderr).toContain('no matches for kind "PodSecurityPolicy" in version "policy/v1beta1"')
    const typo = user.chart('typo', { 'templates/x.yaml': 'apiVersion: v1\nkind: Service\nmetadata: { name: x }\nspec: { portz: [], ports: [{ port: 80 }] }\n' })
    const told = await user.tryHelm('install', 'x', typo)
    // Helm 3 tells the server's warning and goes on; what Helm 4 has the server apply has no such field.
    if (helm.major === 3) expect(told).toMatchObject({ code: 0, stderr: expect.stringContaining('unknown field "spec.portz"') })
    else expect(told.stderr).toContain('.spec.portz: field not declared in schema')
    await user.helm('uninstall', 'x')
    expect(await kubectl('-n', namespace, 'get', 'services,secrets', '-o', 'name')).toBe('')
  })

  it('keeps what a chart says is to be kept, and finds it again', async () => {
    const kept = user.chart('kept', {
      'templates/kept.yaml': 'apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: { name: kept, annotations: { helm.sh/resource-policy: keep } }\nspec: { accessModes: [ReadWriteOnce], resources: { requests: { storage: 1Mi } } }\n',
    })
    expect((await user.tryHelm('install', 'k', kept)).stderr).not.toContain('Error')
    const said = await user.tryHelm('uninstall', 'k')
    expect(`${said.stdout}${said.stderr}`).toMatch(/kept due to the resource policy:\n\[PersistentVolumeClaim\] kept/)
    expect(await kubectl('-n', namespace, 'get', 'pvc', '-o', 'name')).toBe('persistentvolumeclaim/kept\n')
    await user.helm('install', 'k', kept)
    await kubectl('-n', namespace, 'delete', 'pvc', 'kept', '--wait=false')
    await user.helm('uninstall', 'k')
  })

  it('needs no more rights than a chart is about, and gives nobody more than its user has', async () => {
    const shop = `shop-${namespace}`
    await kubectl('create', 'namespace', shop)
    await kubectl('-n', shop, 'create', 'serviceaccount', 'installer')
    const token = (await kubectl('-n', shop, 'create', 'token', 'installer')).trim()
    const kubeconfig = join(dirname(cluster.kubeconfig), `${shop}.kubeconfig`)
    writeFileSync(kubeconfig, kubeconfigOf({ name: 'shop', server: cluster.url, ca: cluster.pki.ca.cert, user: { token } }), { mode: 0o600 })
    const installer = userOf(helm, { kubeconfig, namespace: shop })
    const install = () => installer.tryHelm('upgrade', '--install', 'site', join(charts, 'web'), '--set', 'replicas=0')
    const may = async (rules: object) => {
      await cluster.apply({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', metadata: { name: 'installer', namespace: shop }, rules })
      await cluster.apply({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', metadata: { name: 'installer', namespace: shop }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'installer' }, subjects: [{ kind: 'ServiceAccount', name: 'installer', namespace: shop }] })
    }
    const me = `User "system:serviceaccount:${shop}:installer"`
    expect((await install()).stderr).toContain(`secrets is forbidden: ${me} cannot list resource "secrets" in API group "" in the namespace "${shop}"`)

    const verbs = ['get', 'list', 'create', 'update', 'patch', 'delete']
    const rules = [
      { apiGroups: [''], resources: ['secrets', 'serviceaccounts', 'services'], verbs },
      { apiGroups: ['apps'], resources: ['deployments'], verbs },
      { apiGroups: ['networking.k8s.io'], resources: ['ingresses', 'networkpolicies'], verbs },
      { apiGroups: ['policy'], resources: ['poddisruptionbudgets'], verbs },
      { apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings'], verbs },
    ]
    // The chart reads nodes, and its role has rights to config maps.
    await cluster.apply({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: `${shop}-nodes` }, rules: [{ apiGroups: [''], resources: ['nodes'], verbs: ['list'] }] })
    await may([...rules, { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'create', 'update', 'patch', 'delete'] }])
    expect((await install()).stderr).toContain(`nodes is forbidden: ${me} cannot list resource "nodes" in API group "" at the cluster scope`)
    await kubectl('create', 'clusterrolebinding', `${shop}-nodes`, `--clusterrole=${shop}-nodes`, `--serviceaccount=${shop}:installer`)
    const escalating = await install()
    expect(escalating.stderr).toContain(`roles.rbac.authorization.k8s.io "site" is forbidden: user "system:serviceaccount:${shop}:installer" (groups=["system:serviceaccounts" "system:serviceaccounts:${shop}" "system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["configmaps"], ResourceNames:["site"], Verbs:["watch"]}`)
    expect(await kubectl('-n', shop, 'get', 'roles', '-o', 'name')).toBe('role.rbac.authorization.k8s.io/installer\n')
    await installer.helm('uninstall', 'site')

    await may([...rules, { apiGroups: [''], resources: ['configmaps'], verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'] }])
    expect((await install()).stderr).not.toContain('Error')
    expect(await kubectl('-n', shop, 'get', 'role', 'site', '-o', 'jsonpath={.rules[0].verbs}')).toBe('["get","watch"]')
    expect((await install()).code).toBe(0)
    await installer.helm('uninstall', 'site')
    expect(await kubectl('-n', shop, 'get', 'deployments,services,roles,secrets', '-o', 'name')).toBe('role.rbac.authorization.k8s.io/installer\n')
    expect((await installer.tryHelm('list', '-A')).stderr).toContain(`secrets is forbidden: ${me} cannot list resource "secrets" in API group "" at the cluster scope`)
  })
})

const [three, four] = [here.findLast((helm) => helm.major === 3), here.findLast((helm) => helm.major === 4)]
describe.runIf(three && four)('a release that Helm 3 made', () => {
  const web = join(charts, 'web')
  const managers = async () => (JSON.parse(await kubectl('-n', 'moving', 'get', 'configmap', 'site', '-o', 'json', '--show-managed-fields')) as { metadata: { managedFields: { manager: string; operation: string }[] } })
    .metadata.managedFields.map(({ manager, operation }) => `${manager} ${operation}`)
  const data = async () => Object.keys(JSON.parse(await kubectl('-n', 'moving', 'get', 'configmap', 'site', '-o', 'jsonpath={.data}')) as object).filter((key) => key !== 'about' && key !== 'index.html')

  it('is upgraded by Helm 4 in the way of Helm 3, then by the server, and back', async () => {
    await kubectl('create', 'namespace', 'moving')
    const [old, next] = [three!, four!].map((helm) => userOf(helm, { kubeconfig: cluster.kubeconfig, namespace: 'moving' })) as [HelmUser, HelmUser]
    const set = (pages: string) => ['--set', `replicas=0,pages.${pages}=text`]
    await old.helm('install', 'site', web, ...set('one'))
    expect(await managers()).toEqual(['helm Update'])
    await next.helm('upgrade', 'site', web, ...set('two'))
    expect([await managers(), await data()]).toEqual([['helm Update'], ['two']])
    await next.helm('upgrade', 'site', web, '--server-side=true', ...set('three'))
    expect([await managers(), await data()]).toEqual([['helm Apply'], ['three']])
    await next.helm('upgrade', 'site', web, ...set('four'))
    expect([await managers(), await data()]).toEqual([['helm Apply'], ['four']])
    expect(await next.helm('list', '--short')).toBe('site\n')
    await next.helm('rollback', 'site', '1', '--server-side=true')
    expect(await data()).toEqual(['one'])
    await old.helm('upgrade', 'site', web, ...set('five'))
    expect(await data()).toEqual(['five'])
    await old.helm('uninstall', 'site')
    expect(await kubectl('-n', 'moving', 'get', 'all,secrets', '-o', 'name')).toBe('')
  })
})
