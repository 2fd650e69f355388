/** Getting more rights than one has: through roles, bindings, aggregation, accounts, impersonation, certificate requests, webhooks and API services. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attempt, signingRequest, type Answer, type Attempt } from '../../support/attackers.ts'
import { startTestControlPlane, type TestControlPlane } from '../../support/control-plane.ts'
import { eventually } from '../../support/host.ts'

let cluster: TestControlPlane
const dir = mkdtempSync(join(tmpdir(), 'skiff-escalation-'))
const rolesPath = '/apis/rbac.authorization.k8s.io/v1'
const inMine = `${rolesPath}/namespaces/mine`
const rule = (verbs: string[], resources: string[], apiGroups = ['']) => ({ verbs, apiGroups, resources })
const role = (name: string, rules: object[], kind = 'Role') => ({ apiVersion: 'rbac.authorization.k8s.io/v1', kind, metadata: { name }, rules })
const binding = (name: string, to: string, kind = 'RoleBinding', roleKind = 'ClusterRole', user = 'mallory') => ({
  apiVersion: 'rbac.authorization.k8s.io/v1', kind, metadata: { name }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: roleKind, name: to }, subjects: [{ kind: 'User', name: user, apiGroup: 'rbac.authorization.k8s.io' }],
})

beforeAll(async () => {
  const users = ['mallory', 'writer', 'binder', 'editor', 'signer', 'hooker', 'labeller', 'changer']
  writeFileSync(join(dir, 'tokens.csv'), users.map((user) => `${user}-token,${user},,`).join('\n'))
  cluster = await startTestControlPlane({ apiServerArguments: { 'token-auth-file': join(dir, 'tokens.csv') } })
  await cluster.kubectl('create', 'namespace', 'mine')
  // Mallory is the administrator of one namespace. Writer may write cluster roles, binder bindings, and they hold nothing else.
  await cluster.kubectl('create', 'rolebinding', 'mallory', '-n', 'mine', '--clusterrole=admin', '--user=mallory')
  await cluster.apply({ apiVersion: 'v1', kind: 'List', items: [
    role('write-roles', [rule(['*'], ['clusterroles', 'clusterrolebindings', 'roles', 'rolebindings'], ['rbac.authorization.k8s.io']), rule(['get', 'list'], ['pods'])].map((r, i) => (i === 0 ? { ...r, verbs: ['get', 'list', 'create', 'update', 'patch', 'delete'] } : r)), 'ClusterRole'),
    binding('writer', 'write-roles', 'ClusterRoleBinding', 'ClusterRole', 'writer'),
    role('bind-view', [{ ...rule(['bind'], ['clusterroles'], ['rbac.authorization.k8s.io']), resourceNames: ['view'] }, rule(['create', 'get', 'update'], ['clusterrolebindings'], ['rbac.authorization.k8s.io'])], 'ClusterRole'),
    binding('binder', 'bind-view', 'ClusterRoleBinding', 'ClusterRole', 'binder'),
    role('csr', [rule(['create', 'get', 'update', 'patch', 'list'], ['certificatesigningrequests', 'certificatesigningrequests/approval', 'certificatesigningrequests/status'], ['certificates.k8s.io'])], 'ClusterRole'),
    binding('signer', 'csr', 'ClusterRoleBinding', 'ClusterRole', 'signer'),
    // Changer may change things, and make none.
    role('change', [rule(['get', 'update', 'patch'], ['configmaps', 'services']), rule(['get', 'update', 'patch'], ['leases'], ['coordination.k8s.io'])], 'ClusterRole'),
    binding('changer', 'change', 'ClusterRoleBinding', 'ClusterRole', 'changer'),
  ] })
})
afterAll(async () => {
  await cluster?.stop()
  rmSync(dir, { recursive: true })
})

const as = (user: string, path: string, one: Attempt = {}): Promise<Answer> => attempt(cluster, path, { token: `${user}-token`, ...one })
const codeOf = async (user: string, path: string, body: object, method = 'POST', contentType?: string): Promise<number> => (await as(user, path, { method, body, ...(contentType ? { contentType } : {}) })).code
const merge = 'application/merge-patch+json'

describe('roles', () => {
  it('hold no more than who writes them has', async () => {
    expect(await codeOf('mallory', `${inMine}/roles`, role('fine', [rule(['get'], ['pods'])]))).toBe(201)
    for (const [name, rules] of Object.entries({
      nodes: [rule(['get'], ['nodes'])], star: [rule(['*'], ['*'], ['*'])], verbs: [rule(['*'], ['secrets'])], impersonate: [rule(['impersonate'], ['users'])], escalate: [rule(['escalate'], ['roles'], ['rbac.authorization.k8s.io'])],
      bind: [rule(['bind'], ['clusterroles'], ['rbac.authorization.k8s.io'])], paths: [{ verbs: ['get'], nonResourceURLs: ['/metrics'] }], sub: [rule(['create'], ['*/token'])],
    })) {
      const reply = await as('mallory', `${inMine}/roles`, { body: role(name, rules) })
      expect([403, 422], `${name} ${reply.text}`).toContain(reply.code)
    }
    const refused = await as('mallory', `${inMine}/roles`, { body: role('x', [rule(['get', 'list'], ['nodes'])]) })
    expect(refused.json.message).toBe('roles.rbac.authorization.k8s.io "x" is forbidden: user "mallory" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["nodes"], Verbs:["get" "list"]}')
  })

  it('that exist do not grow either: by replacing, patching or applying', async () => {
    expect(await codeOf('mallory', `${inMine}/roles`, role('grow', [rule(['get'], ['pods'])]))).toBe(201)
    expect(await codeOf('mallory', `${inMine}/roles/grow`, role('grow', [rule(['*'], ['*'], ['*'])]), 'PUT')).toBe(403)
    expect(await codeOf('mallory', `${inMine}/roles/grow`, { rules: [rule(['*'], ['*'], ['*'])] }, 'PATCH', merge)).toBe(403)
    expect(await codeOf('mallory', `${inMine}/roles/grow`, [{ op: 'add', path: '/rules/0/verbs/-', value: '*' }] as unknown as object, 'PATCH', 'application/json-patch+json')).toBe(403)
    expect(await codeOf('mallory', `${inMine}/roles/grow?fieldManager=m&force=true`, role('grow', [rule(['*'], ['nodes'])]), 'PATCH', 'application/apply-patch+yaml')).toBe(403)
    expect(await codeOf('mallory', `${inMine}/roles/new?fieldManager=m`, role('new', [rule(['*'], ['nodes'])]), 'PATCH', 'application/apply-patch+yaml')).toBe(403)
    expect(await codeOf('mallory', `${inMine}/roles/grow`, { metadata: { labels: { a: 'b' } } }, 'PATCH', merge)).toBe(200)
  })

  it('do not grow by aggregation: neither by a selector nor by labels that one selects', async () => {
    const aggregating = { ...role('agg', [], 'ClusterRole'), aggregationRule: { clusterRoleSelectors: [{ matchLabels: { x: 'y' } }] } }
    expect(await codeOf('writer', `${rolesPath}/clusterroles`, aggregating)).toBe(403)
    const intoView = { ...role('into-view', [rule(['get'], ['nodes'])], 'ClusterRole'), metadata: { name: 'into-view', labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } } }
    expect(await codeOf('writer', `${rolesPath}/clusterroles`, intoView)).toBe(403)
    expect(await codeOf('writer', `${rolesPath}/clusterroles/view`, { aggregationRule: { clusterRoleSelectors: [{ matchExpressions: [{ key: 'kubernetes.io/bootstrapping', operator: 'Exists' }] }] } }, 'PATCH', merge)).toBe(403)
    // What is there already, and holds more than the writer, cannot be labelled into a role that everybody has.
    for (const path of ['cluster-admin', 'system:kube-controller-manager']) {
      expect(await codeOf('writer', `${rolesPath}/clusterroles/${path}`, { metadata: { labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } } }, 'PATCH', merge), path).toBe(403)
    }
    expect(await codeOf('writer', `${rolesPath}/clusterroles/admin`, { metadata: { annotations: { a: 'b' } } }, 'PATCH', merge)).toBe(403)
  })
})

describe('bindings', () => {
  it('give no more than who writes them has, nor a role that one may not bind', async () => {
    expect(await codeOf('mallory', `${inMine}/rolebindings`, binding('fine', 'view', 'RoleBinding', 'ClusterRole', 'ben'))).toBe(201)
    for (const to of ['cluster-admin', 'system:node', 'system:controller:namespace-controller']) expect(await codeOf('mallory', `${inMine}/rolebindings`, binding('x', to)), to).toBe(403)
    expect(await codeOf('mallory', `${rolesPath}/clusterrolebindings`, binding('x', 'view', 'ClusterRoleBinding'))).toBe(403)
    expect(await codeOf('writer', `${rolesPath}/clusterrolebindings`, binding('x', 'cluster-admin', 'ClusterRoleBinding'))).toBe(403)
    expect(await codeOf('writer', `${rolesPath}/clusterrolebindings`, binding('x', 'none-yet', 'ClusterRoleBinding'))).toBe(404)
    expect(await codeOf('binder', `${rolesPath}/clusterrolebindings`, binding('b1', 'view', 'ClusterRoleBinding', 'ClusterRole', 'ben'))).toBe(201)
    expect(await codeOf('binder', `${rolesPath}/clusterrolebindings`, binding('b2', 'edit', 'ClusterRoleBinding'))).toBe(403)
  })

  it('that exist are not turned to another role, nor to more subjects than one may bind', async () => {
    expect(await codeOf('writer', `${rolesPath}/clusterrolebindings/cluster-admin`, { subjects: [{ kind: 'User', name: 'writer', apiGroup: 'rbac.authorization.k8s.io' }] }, 'PATCH', merge)).toBe(403)
    expect([403, 422]).toContain(await codeOf('writer', `${rolesPath}/clusterrolebindings/writer`, { roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' } }, 'PATCH', merge))
  })

  it('whose role comes later give that role only to those it was bound for by somebody who had it', async () => {
    // A role that is deleted and made again with more in it: who makes it must have that.
    expect(await codeOf('mallory', `${inMine}/roles`, role('shell', [rule(['get'], ['pods'])]))).toBe(201)
    expect(await codeOf('mallory', `${inMine}/rolebindings`, binding('shell', 'shell', 'RoleBinding', 'Role'))).toBe(201)
    expect((await as('mallory', `${inMine}/roles/shell`, { method: 'DELETE' })).code).toBe(200)
    expect(await codeOf('mallory', `${inMine}/roles`, role('shell', [rule(['get'], ['nodes'])]))).toBe(403)
  })
})

describe('the right to change', () => {
  it('is none to create, although applies and some replacements make what is not there', async () => {
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'applied' }, data: { a: 'b' } }
    const refused = await as('changer', '/api/v1/namespaces/mine/configmaps/applied?fieldManager=m', { method: 'PATCH', body: map, contentType: 'application/apply-patch+yaml' })
    expect([refused.code, refused.json.message]).toEqual([403, 'configmaps "applied" is forbidden: User "changer" cannot create resource "configmaps" in API group "" in the namespace "mine"'])
    const lease = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'put' }, spec: {} }
    expect(await codeOf('changer', '/apis/coordination.k8s.io/v1/namespaces/mine/leases/put', lease, 'PUT')).toBe(403)
    expect((await cluster.tryKubectl(['get', 'configmap/applied', 'lease/put', '-n', 'mine'])).stdout).toBe('')
    // Whoever may do both makes them, and then the right to change is enough.
    expect(await codeOf('mallory', '/api/v1/namespaces/mine/configmaps/applied?fieldManager=m', map, 'PATCH', 'application/apply-patch+yaml')).toBe(201)
    expect(await codeOf('changer', '/api/v1/namespaces/mine/configmaps/applied?fieldManager=m', map, 'PATCH', 'application/apply-patch+yaml')).toBe(200)
  })
})

describe('service accounts', () => {
  const token = (namespace: string, name: string) => `/api/v1/namespaces/${namespace}/serviceaccounts/${name}/token`
  const ask = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} }

  it('of others give no tokens', async () => {
    expect(await codeOf('mallory', token('kube-system', 'default'), ask)).toBe(403)
    expect(await codeOf('editor', token('mine', 'default'), ask)).toBe(403)
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'steal', annotations: { 'kubernetes.io/service-account.name': 'namespace-controller' } }, type: 'kubernetes.io/service-account-token' }
    expect(await codeOf('mallory', '/api/v1/namespaces/kube-system/secrets', secret)).toBe(403)
    expect([403, 404]).toContain(await codeOf('mallory', '/api/v1/namespaces/mine/secrets', secret))
  })

  it('are not taken on by a name alone', async () => {
    for (const name of ['system:serviceaccount:kube-system:namespace-controller', 'system:kube-controller-manager', 'system:node:node-1', 'kubernetes-admin']) {
      expect((await as('mallory', '/api/v1/nodes', { headers: ['Impersonate-User', name] })).code, name).toBe(403)
    }
    expect((await as('mallory', '/api/v1/namespaces/mine/pods', { headers: ['Impersonate-User', 'system:serviceaccount:mine:default'] })).code).not.toBe(200)
  })
})

describe('certificate requests', () => {
  const csrs = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
  const csr = async (name: string, signerName: string, cn: string, groups: string[], usages = ['client auth', 'digital signature']) =>
    ({ apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata: { name }, spec: { signerName, usages, request: await signingRequest(cn, groups) } })
  const approve = (user: string, name: string) => codeOf(user, `${csrs}/${name}/approval`, { status: { conditions: [{ type: 'Approved', status: 'True', reason: 'x', message: 'y' }] } }, 'PATCH', merge)

  it('for masters are refused when they are made', async () => {
    expect(await codeOf('signer', csrs, await csr('m', 'kubernetes.io/kube-apiserver-client', 'eve', ['system:masters']))).toBe(403)
  })

  it('say who made them, whatever the body says', async () => {
    const made = await csr('who', 'kubernetes.io/kube-apiserver-client', 'eve', ['devs'])
    const reply = await as('signer', csrs, { body: { ...made, spec: { ...made.spec, username: 'system:node:node-1', groups: ['system:nodes', 'system:masters'], uid: '0', extra: { a: ['b'] } } } })
    expect(reply.code).toBe(201)
    expect(reply.json).toMatchObject({ spec: { username: 'signer', groups: ['system:authenticated'] } })
    expect((reply.json as unknown as { spec: { extra?: object } }).spec.extra).toBeUndefined()
  })

  it('are not approved, nor signed, by those who have no right to the signer', async () => {
    expect(await codeOf('signer', csrs, await csr('self', 'kubernetes.io/kube-apiserver-client', 'eve', []))).toBe(201)
    expect(await approve('signer', 'self')).toBe(403)
    expect(await codeOf('signer', `${csrs}/self/status`, { status: { certificate: Buffer.from(cluster.pki.admin.cert).toString('base64') } }, 'PATCH', merge)).toBe(403)
    // An approval in the body of the creation means nothing.
    const made = await csr('sneak', 'kubernetes.io/kube-apiserver-client', 'eve', [])
    const reply = await as('signer', csrs, { body: { ...made, status: { conditions: [{ type: 'Approved', status: 'True', reason: 'x', message: 'y' }] } } })
    expect(reply.json).toMatchObject({ status: {} })
    expect((reply.json as unknown as { status: { conditions?: object[] } }).status.conditions ?? []).toEqual([])
  })

  it('for a node are not approved by themselves for anybody who is none', async () => {
    expect(await codeOf('signer', csrs, await csr('node', 'kubernetes.io/kube-apiserver-client-kubelet', 'system:node:node-9', ['system:nodes']))).toBe(201)
    const serving = ['server auth', 'digital signature']
    expect(await codeOf('signer', csrs, { ...(await csr('serving', 'kubernetes.io/kubelet-serving', 'system:node:node-9', ['system:nodes'], serving)), spec: { signerName: 'kubernetes.io/kubelet-serving', usages: serving, request: await signingRequest('system:node:node-9', ['system:nodes'], ['kubernetes.default.svc']) } })).toBe(201)
    // One that is approved by itself shows that the controller has been here.
    await cluster.apply({ apiVersion: 'v1', kind: 'List', items: [role('self-nodes', [rule(['create'], ['certificatesigningrequests/nodeclient'], ['certificates.k8s.io'])], 'ClusterRole'), { ...binding('self-nodes', 'self-nodes', 'ClusterRoleBinding', 'ClusterRole', 'kubernetes-admin') }] })
    expect((await attempt(cluster, csrs, { cert: cluster.pki.admin, body: await csr('allowed', 'kubernetes.io/kube-apiserver-client-kubelet', 'system:node:node-8', ['system:nodes']) })).code).toBe(201)
    const conditions = async (name: string) => ((await attempt(cluster, `${csrs}/${name}`, { cert: cluster.pki.admin })).json as unknown as { status: { conditions?: { type: string }[] } }).status.conditions ?? []
    await eventually('the controller approves what it may', async () => ((await conditions('allowed')).length > 0 ? true : undefined))
    expect(await conditions('node')).toEqual([])
    expect(await conditions('serving')).toEqual([])
  })
})

describe('what would see or change everything', () => {
  it('is for administrators only: webhooks, policies, API services, definitions, nodes, namespaces, priority classes', async () => {
    for (const [path, kind] of Object.entries({
      '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations': 'MutatingWebhookConfiguration', '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations': 'ValidatingWebhookConfiguration',
      '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies': 'ValidatingAdmissionPolicy', '/apis/apiregistration.k8s.io/v1/apiservices': 'APIService', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions': 'CustomResourceDefinition',
      '/api/v1/nodes': 'Node', '/api/v1/namespaces': 'Namespace', '/api/v1/persistentvolumes': 'PersistentVolume', '/apis/flowcontrol.apiserver.k8s.io/v1/flowschemas': 'FlowSchema', '/apis/scheduling.k8s.io/v1/priorityclasses': 'PriorityClass',
    })) {
      const group = path.startsWith('/api/') ? 'v1' : path.split('/').slice(2, 4).join('/')
      expect(await codeOf('mallory', path, { apiVersion: group, kind, metadata: { name: 'x' } }), path).toBe(403)
    }
    expect(await codeOf('mallory', '/apis/apiregistration.k8s.io/v1/apiservices/v1.apps', { spec: { service: { namespace: 'mine', name: 'evil' } } }, 'PATCH', merge)).toBe(403)
    expect(await codeOf('mallory', '/api/v1/namespaces/mine', { metadata: { labels: { 'pod-security.kubernetes.io/enforce': 'privileged' } } }, 'PATCH', merge)).toBe(403)
    expect(await codeOf('mallory', '/api/v1/namespaces/mine/resourcequotas', { apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name: 'x' } })).toBe(403)
  })

  it('is not reached by a binding of a pod to a node, nor by tokens, nor by the proxy of nodes', async () => {
    expect(await codeOf('mallory', '/api/v1/namespaces/mine/pods/x/binding', { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'x' }, target: { kind: 'Node', name: 'node-1' } })).toBe(403)
    for (const path of ['/api/v1/nodes/node-1/proxy/pods', '/metrics', '/logs/', '/debug/pprof/', '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication']) expect([403, 404], path).toContain((await as('mallory', path)).code)
  })
})
