/** A stolen node credential: what it must not read, write or create. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KeyPair } from '../../../src/cluster/certificate.ts'
import { attempt, issue, signingRequest, type Attempt } from '../../support/attackers.ts'
import { startTestControlPlane, type TestControlPlane } from '../../support/control-plane.ts'
import { eventually } from '../../support/host.ts'

let cluster: TestControlPlane
let thief: KeyPair
const merge = 'application/merge-patch+json'
const pod = (name: string, node: string, spec: object = {}, metadata: object = {}) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, ...metadata }, spec: { nodeName: node, serviceAccountName: 'app', containers: [{ name: 'c', image: 'x' }], ...spec } })
const secretVolume = (secretName: string) => ({ volumes: [{ name: 'v', secret: { secretName } }] })

beforeAll(async () => {
  cluster = await startTestControlPlane()
  thief = await issue(cluster.pki.ca, { name: 'system:node:stolen', groups: ['system:nodes'] })
  for (const name of ['stolen', 'other']) await cluster.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name, labels: { 'kubernetes.io/hostname': name } } })
  for (const name of ['app', 'admin-app']) await cluster.kubectl('create', 'serviceaccount', name)
  for (const name of ['mine', 'theirs', 'nobodys']) {
    await cluster.kubectl('create', 'secret', 'generic', name, '--from-literal=a=b')
    await cluster.kubectl('create', 'configmap', name)
  }
  await cluster.apply(pod('here', 'stolen', secretVolume('mine')))
  await cluster.apply(pod('there', 'other', { ...secretVolume('theirs'), serviceAccountName: 'admin-app' }))
})
afterAll(() => cluster?.stop())

const ask = async (path: string, one: Attempt = {}) => (await attempt(cluster, path, { cert: thief, ...one })).code
const patch = (path: string, body: object) => ask(path, { method: 'PATCH', body, contentType: merge })
const ns = '/api/v1/namespaces/default'

describe('a stolen node', () => {
  it('reads secrets and config maps of its own pods, one by one, and nothing else', async () => {
    expect(await ask(`${ns}/secrets/mine`)).toBe(200)
    for (const path of [`${ns}/secrets/theirs`, `${ns}/secrets/nobodys`, `${ns}/configmaps/theirs`, `${ns}/secrets`, '/api/v1/secrets', `${ns}/secrets?watch=true`, `${ns}/secrets?fieldSelector=metadata.name%3Dtheirs`,
      `${ns}/secrets?fieldSelector=metadata.name%3Dmine%2Cmetadata.name%3Dtheirs%2Ctype%21%3Dx&fieldSelector=`, `${ns}/secrets?labelSelector=a`, '/api/v1/namespaces/kube-system/secrets', '/api/v1/watch/namespaces/default/secrets/theirs', `${ns}/persistentvolumeclaims`, `${ns}/serviceaccounts`]) {
      const reply = await attempt(cluster, path, { cert: thief })
      if (reply.code === 200) expect(reply.json.items, path).toEqual([]) // two names at once select nothing
      else expect(reply.code, path).toBe(403)
    }
  })

  it('sees no pods and no nodes but its own', async () => {
    expect(await ask(`${ns}/pods/here`)).toBe(200)
    expect(await ask('/api/v1/pods?fieldSelector=spec.nodeName%3Dstolen')).toBe(200)
    expect(await ask('/api/v1/nodes/stolen')).toBe(200)
    for (const path of [`${ns}/pods/there`, `${ns}/pods/there/status`, '/api/v1/pods', `${ns}/pods`, '/api/v1/pods?fieldSelector=spec.nodeName%3Dother', '/api/v1/pods?fieldSelector=spec.nodeName%21%3Dother', '/api/v1/pods?fieldSelector=spec.nodeName%3Dstolen&fieldSelector=spec.nodeName%3Dother&watch=1&timeoutSeconds=1', '/api/v1/nodes', '/api/v1/nodes/other', '/api/v1/namespaces', '/apis/apps/v1/deployments']) {
      const reply = await attempt(cluster, path, { cert: thief })
      if (path.includes('&fieldSelector')) expect(reply.text, path).not.toContain('"there"')
      else expect(reply.code, path).toBe(403)
    }
  })

  it('writes its own Node, without labels and taints that draw pods, and no other', async () => {
    expect(await patch('/api/v1/nodes/stolen/status', { status: { conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: null, lastTransitionTime: null }] } })).toBe(200)
    for (const path of ['/api/v1/nodes/stolen', '/api/v1/nodes/stolen/status']) expect(await patch(path, { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'gone', uid: 'gone' }] } }), path).toBe(403)
    for (const path of ['/api/v1/nodes/other/status', '/api/v1/nodes/other']) expect(await patch(path, { metadata: { annotations: { a: 'b' } } }), path).toBe(403)
    for (const label of ['node-restriction.kubernetes.io/zone', 'node-role.kubernetes.io/control-plane', 'pool.k8s.io', 'kubernetes.io/anything']) {
      for (const path of ['/api/v1/nodes/stolen', '/api/v1/nodes/stolen/status']) {
        const reply = await attempt(cluster, path, { cert: thief, method: 'PATCH', body: { metadata: { labels: { [label.includes('/') ? label : `${label}/x`]: 'y' } } }, contentType: merge })
        expect([403], `${path} ${label}: ${reply.text}`).toContain(reply.code)
      }
    }
    expect(await patch('/api/v1/nodes/stolen', { spec: { taints: [] } })).toBe(await patch('/api/v1/nodes/stolen', { spec: {} }))
    expect(await patch('/api/v1/nodes/stolen', { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } })).toBe(403)
    expect(await ask('/api/v1/nodes', { body: { apiVersion: 'v1', kind: 'Node', metadata: { name: 'new' } } })).toBe(403)
    expect(await ask('/api/v1/nodes/other', { method: 'DELETE' })).toBe(403)
    expect(await ask('/api/v1/nodes', { method: 'DELETE' })).toBe(403)
  })

  it('writes the status of its own pods, deletes and evicts them, and no others', async () => {
    expect(await patch(`${ns}/pods/here/status`, { status: { message: 'x' } })).toBe(200)
    expect(await patch(`${ns}/pods/there/status`, { status: { phase: 'Failed' } })).toBe(403)
    expect(await patch(`${ns}/pods/here/status`, { metadata: { labels: { app: 'bank' } } })).toBe(403)
    expect(await patch(`${ns}/pods/here`, { metadata: { labels: { app: 'bank' } } })).toBe(403)
    expect(await ask(`${ns}/pods/there`, { method: 'DELETE' })).toBe(403)
    expect(await ask(`${ns}/pods/there/eviction`, { body: { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name: 'there' } } })).toBe(403)
    expect(await ask(`${ns}/pods/there/binding`, { body: { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'there' }, target: { kind: 'Node', name: 'stolen' } } })).toBe(403)
    for (const sub of ['exec?command=id', 'attach', 'portforward', 'log', 'proxy/', 'ephemeralcontainers', 'resize']) expect([403, 404], sub).toContain(await ask(`${ns}/pods/there/${sub}`, { method: sub.startsWith('log') || sub.startsWith('proxy') ? 'GET' : 'POST' }))
  })

  it('makes mirror pods for itself only, that use nothing', async () => {
    const { metadata: { uid } } = (await attempt(cluster, '/api/v1/nodes/stolen', { cert: cluster.pki.admin })).json as unknown as { readonly metadata: { readonly uid: string } }
    const mirror = { annotations: { 'kubernetes.io/config.mirror': 'abc', 'kubernetes.io/config.hash': 'abc' }, ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: 'stolen', uid, controller: true }] }
    const make = (name: string, node: string, spec: object, metadata: object = mirror) => ask(`${ns}/pods`, { body: { ...pod(name, node, { serviceAccountName: undefined, automountServiceAccountToken: false, ...spec }, metadata) } })
    expect(await make('honest', 'stolen', {})).toBe(201)
    expect(await make('no-mirror', 'stolen', {}, {})).toBe(403)
    expect(await make('elsewhere', 'other', {})).toBe(403)
    // Without a node it is no mirror pod, whoever makes it.
    expect(await make('unbound', '', { nodeName: undefined })).toBe(422)
    for (const [name, spec] of Object.entries({
      secret: secretVolume('theirs'), configmap: { volumes: [{ name: 'v', configMap: { name: 'theirs' } }] }, claim: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'x' } }] }, account: { serviceAccountName: 'admin-app' },
      projected: { volumes: [{ name: 'v', projected: { sources: [{ secret: { name: 'theirs' } }] } }] }, token: { serviceAccountName: 'admin-app', volumes: [{ name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }] },
      env: { containers: [{ name: 'c', image: 'x', env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'theirs', key: 'a' } } }] }] }, pull: { imagePullSecrets: [{ name: 'theirs' }] },
      init: { initContainers: [{ name: 'i', image: 'x', envFrom: [{ secretRef: { name: 'theirs' } }] }] }, csi: { volumes: [{ name: 'v', csi: { driver: 'd', nodePublishSecretRef: { name: 'theirs' } } }] },
      ephemeral: { volumes: [{ name: 'v', ephemeral: { volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } } } }] }, claims: { resourceClaims: [{ name: 'c', resourceClaimName: 'x' }] },
    })) expect(await make(name, 'stolen', spec), name).toBe(403)
    expect(await ask(`${ns}/secrets/theirs`)).toBe(403)
  })

  it('gets tokens of its pods\' accounts, bound to those pods, and no others', async () => {
    const token = (account: string, boundObjectRef?: object, namespace = 'default') => ask(`/api/v1/namespaces/${namespace}/serviceaccounts/${account}/token`, { body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: boundObjectRef ? { boundObjectRef } : {} } })
    const uid = await cluster.kubectl('get', 'pod', 'here', '-o', 'jsonpath={.metadata.uid}')
    const there = await cluster.kubectl('get', 'pod', 'there', '-o', 'jsonpath={.metadata.uid}')
    const reference = (name: string, id: string) => ({ kind: 'Pod', apiVersion: 'v1', name, uid: id })
    expect(await token('app', reference('here', uid))).toBe(201)
    expect(await token('app')).toBe(403)
    expect(await token('app', { kind: 'Pod', apiVersion: 'v1', name: 'here' })).toBe(403)
    expect(await token('admin-app', reference('there', there))).toBe(403)
    expect(await token('admin-app', reference('here', uid))).toBe(403)
    expect(await token('app', reference('here', there))).toBe(403)
    expect(await token('app', { kind: 'Node', apiVersion: 'v1', name: 'stolen' })).toBe(403)
    // For somebody whom the pod does not name.
    const vault = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: { audiences: ['vault'], boundObjectRef: reference('here', uid) } }
    expect(await ask(`${ns}/serviceaccounts/app/token`, { body: vault })).toBe(403)
    expect(await token('kube-proxy', { kind: 'Node', apiVersion: 'v1', name: 'other' }, 'kube-system')).toBe(403)
    expect(await token('kube-proxy', undefined, 'kube-system')).toBe(403)
    expect(await token('kube-proxy', { kind: 'Node', apiVersion: 'v1', name: 'stolen' }, 'kube-system')).toBe(201)
    expect(await token('namespace-controller', { kind: 'Node', apiVersion: 'v1', name: 'stolen' }, 'kube-system')).toBe(403)
  })

  it('keeps its own lease and CSINode, and touches no other', async () => {
    const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases'
    const lease = (name: string) => ({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name }, spec: { holderIdentity: name } })
    expect(await ask(leases, { body: lease('stolen') })).toBe(201)
    expect(await ask(leases, { body: lease('other') })).toBe(403)
    expect(await ask('/apis/coordination.k8s.io/v1/namespaces/kube-system/leases', { body: lease('stolen') })).toBe(403)
    expect(await patch('/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-scheduler', { spec: { holderIdentity: 'x' } })).toBe(403)
    expect(await ask('/apis/storage.k8s.io/v1/csinodes', { body: { apiVersion: 'storage.k8s.io/v1', kind: 'CSINode', metadata: { name: 'other' }, spec: { drivers: [] } } })).toBe(403)
  })

  it('asks for certificates of its own name only', async () => {
    const csrs = '/apis/certificates.k8s.io/v1/certificatesigningrequests'
    const csr = async (cn: string, groups: string[], signerName = 'kubernetes.io/kube-apiserver-client-kubelet') => ({ apiVersion: 'certificates.k8s.io/v1', kind: 'CertificateSigningRequest', metadata: { generateName: 'csr-' }, spec: { signerName, usages: ['digital signature', 'client auth'], request: await signingRequest(cn, groups) } })
    expect(await ask(csrs, { body: await csr('system:node:stolen', ['system:nodes']) })).toBe(201)
    expect(await ask(csrs, { body: await csr('system:node:other', ['system:nodes']) })).toBe(403)
    // One for more than a node is taken, and lies there: it is neither approved nor signed.
    const greedy = { ...(await csr('system:node:stolen', ['system:nodes', 'system:masters'])), metadata: { name: 'greedy' } }
    const modest = { ...(await csr('system:node:stolen', ['system:nodes'])), metadata: { name: 'modest' } }
    for (const body of [greedy, modest]) expect(await ask(csrs, { body })).toBe(201)
    const statusOf = async (name: string) => ((await attempt(cluster, `${csrs}/${name}`, { cert: cluster.pki.admin })).json as unknown as { status: { certificate?: string } }).status
    await eventually('the modest one is signed', async () => (await statusOf('modest')).certificate)
    expect(await statusOf('greedy')).toEqual({})
  })

  it('hands out no rights, and takes on nobody', async () => {
    expect(await ask('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', { body: { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name: 'x' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' }, subjects: [] } })).toBe(403)
    expect(await ask('/api/v1/nodes', { headers: ['Impersonate-User', 'system:node:other', 'Impersonate-Group', 'system:nodes'] })).toBe(403)
    expect(await ask('/api/v1/nodes/other/proxy/pods')).toBe(403)
  })
})

it('what the node was refused is counted', async () => {
  const { text } = await attempt(cluster, '/metrics', { cert: cluster.pki.admin })
  expect(text).toMatch(/skiff_component_refusals_total\{verb="get",group="",resource="secrets",subresource=""\} [1-9]/)
  expect(text).toMatch(/skiff_component_refusals_total\{verb="list",group="",resource="nodes",subresource=""\} [1-9]/)
})

it('who has the name of a node without its group, or the group without such a name, is no node', async () => {
  for (const who of [{ name: 'system:node:stolen' }, { name: 'eve', groups: ['system:nodes'] }, { name: 'system:node:', groups: ['system:nodes'] }]) {
    const cert = await issue(cluster.pki.ca, who)
    expect((await attempt(cluster, `${ns}/secrets/mine`, { cert })).code, JSON.stringify(who)).toBe(403)
    expect((await attempt(cluster, '/api/v1/nodes/stolen', { cert })).code, JSON.stringify(who)).toBe(403)
  }
})
