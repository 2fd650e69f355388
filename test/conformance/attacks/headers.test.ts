/** Headers that claim to be somebody: of authenticating proxies and of impersonation, in every writing, twice, over HTTP/1.1, HTTP/2 and upgrades. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { KeyPair } from '../../../src/cluster/certificate.ts'
import { attempt, attemptH2, issue, ownAuthority, type Answer } from '../../support/attackers.ts'
import { startTestControlPlane, type TestControlPlane } from '../../support/control-plane.ts'
import { startFakeKubelet, type FakeKubelet } from '../../support/fake-kubelet.ts'

let cluster: TestControlPlane
let proxies: KeyPair
let kubelet: FakeKubelet
const dir = mkdtempSync(join(tmpdir(), 'skiff-headers-'))
beforeAll(async () => {
  proxies = await ownAuthority('proxies')
  writeFileSync(join(dir, 'proxies.crt'), proxies.cert)
  writeFileSync(join(dir, 'tokens.csv'), 'mallory-token,mallory,,\nhelper-token,helper,,"helpers"\n')
  cluster = await startTestControlPlane({
    apiServerArguments: {
      'requestheader-client-ca-file': join(dir, 'proxies.crt'), 'requestheader-allowed-names': 'front', 'token-auth-file': join(dir, 'tokens.csv'),
      'requestheader-username-headers': 'X-Remote-User,X-My-User', 'requestheader-group-headers': 'X-Remote-Group', 'requestheader-extra-headers-prefix': 'X-Remote-Extra-', 'requestheader-uid-headers': 'X-Remote-Uid',
    },
  })
  // Somebody who may take one user's part, and no more.
  await cluster.kubectl('create', 'clusterrole', 'as-ana', '--verb=impersonate', '--resource=users', '--resource-name=ana')
  await cluster.kubectl('create', 'clusterrolebinding', 'as-ana', '--clusterrole=as-ana', '--user=helper')
  await cluster.kubectl('create', 'clusterrolebinding', 'ana', '--clusterrole=view', '--user=ana')
  kubelet = await startFakeKubelet(cluster.pki.node)
  const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } }
  await cluster.apply(node)
  const status = { status: { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: kubelet.port } } } }
  expect((await attempt(cluster, '/api/v1/nodes/node-1/status', { method: 'PATCH', cert: cluster.pki.admin, body: status, contentType: 'application/merge-patch+json' })).code).toBe(200)
})
afterAll(async () => {
  await cluster?.stop()
  await kubelet?.stop()
  rmSync(dir, { recursive: true })
})

const nodes = '/api/v1/nodes'
const whoami = '/apis/authentication.k8s.io/v1/selfsubjectreviews'
const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
interface Review { readonly status: { readonly userInfo: { readonly username: string; readonly uid?: string; readonly groups: readonly string[]; readonly extra?: object } } }
const userIn = (answer: Answer) => (answer.json as unknown as Review).status?.userInfo

describe('headers of an authenticating proxy', () => {
  const claims = ['X-Remote-User', 'root', 'X-Remote-Group', 'system:masters']
  const writings = [claims, ['x-remote-user', 'root', 'x-remote-group', 'system:masters'], ['X-REMOTE-USER', 'root', 'X-rEmOtE-gRoUp', 'system:masters'], ['X-My-User', 'root', 'X-Remote-Group', 'system:masters'],
    ['X_Remote_User', 'root', 'X_Remote_Group', 'system:masters'], [...claims, ...claims], ['X-Remote-User', 'root', 'X-Remote-User', 'kubernetes-admin', 'X-Remote-Group', 'system:masters']]

  it('of anybody else mean nothing: not of nobody, not of users, not of certificates of clients', async () => {
    const user = await issue(cluster.pki.ca, { name: 'front' })
    for (const headers of writings) {
      expect((await attempt(cluster, nodes, { headers })).code, String(headers)).toBe(403)
      expect((await attempt(cluster, nodes, { headers, token: 'mallory-token' })).code, String(headers)).toBe(403)
      expect((await attempt(cluster, nodes, { headers, cert: user })).code, String(headers)).toBe(403)
    }
    expect(userIn(await attempt(cluster, whoami, { headers: claims, token: 'mallory-token', body: review }))).toMatchObject({ username: 'mallory', groups: ['system:authenticated'] })
  })

  it('over HTTP/2 and on upgrades mean nothing either', async () => {
    const headers = { 'x-remote-user': 'root', 'x-remote-group': 'system:masters' }
    expect((await attemptH2(cluster, nodes, headers)).code).toBe(403)
    expect((await attemptH2(cluster, nodes, { ...headers, authorization: 'Bearer mallory-token' })).code).toBe(403)
    const upgrade = ['connection', 'Upgrade, X-Remote-User', 'upgrade', 'websocket', 'sec-websocket-version', '13', 'sec-websocket-key', 'x3JJHMbDL1EzLkh9GBhXDw==', ...claims]
    expect((await attempt(cluster, '/api/v1/namespaces/default/pods/p/exec?command=id', { headers: upgrade })).code).toBe(403)
    expect((await attempt(cluster, '/api/v1/namespaces/default/pods/p/exec?command=id', { headers: upgrade, token: 'mallory-token' })).code).toBe(403)
  })

  it('of a proxy say who it speaks for', async () => {
    const proxy = await issue(proxies, { name: 'front' })
    const headers = ['X-Remote-User', 'ana', 'X-Remote-Group', 'devs', 'X-Remote-Group', 'a, b', 'X-Remote-Uid', '7', 'X-Remote-Extra-Example.com%2fteam', 'red']
    expect(userIn(await attempt(cluster, whoami, { cert: proxy, headers, body: review }))).toEqual({ username: 'ana', uid: '7', groups: ['devs', 'a, b', 'system:authenticated'], extra: { 'example.com/team': ['red'] } })
    expect((await attempt(cluster, '/api/v1/namespaces/default/pods', { cert: proxy, headers: ['X-My-User', 'ana'] })).code).toBe(200)
    // Of two headers for the name the one counts that is configured first, whichever the client could slip in before.
    expect(userIn(await attempt(cluster, whoami, { cert: proxy, headers: ['X-My-User', 'root', 'X-Remote-User', 'ana'], body: review }))).toMatchObject({ username: 'ana' })
    expect(userIn(await attempt(cluster, whoami, { cert: proxy, headers: ['X-Remote-User', 'ana', 'X-My-User', 'root'], body: review }))).toMatchObject({ username: 'ana' })
    expect((await attemptH2(cluster, '/api/v1/namespaces/default/pods', { 'x-remote-user': 'ana' }, proxy)).code).toBe(200)
  })

  it('of a certificate that is no proxy\'s, or of a proxy that names nobody, are refused', async () => {
    for (const cert of [await issue(proxies, { name: 'another' }), await issue(proxies, { name: 'front', usages: ['server'] }), await issue(await ownAuthority('proxies'), { name: 'front' })]) {
      expect([0, 401]).toContain((await attempt(cluster, nodes, { cert, headers: claims })).code)
    }
    const proxy = await issue(proxies, { name: 'front', groups: ['system:masters'] })
    expect((await attempt(cluster, nodes, { cert: proxy })).code).toBe(401)
    expect((await attempt(cluster, nodes, { cert: proxy, headers: ['X-Remote-Group', 'system:masters'] })).code).toBe(401)
  })
})

it('extension API servers are told of this proxy and of the server\'s own', async () => {
  const { data } = JSON.parse(await cluster.kubectl('get', '-n', 'kube-system', 'configmap', 'extension-apiserver-authentication', '-o', 'json')) as { data: Record<string, string> }
  expect(data['requestheader-client-ca-file']).toContain(proxies.cert.trim())
  expect(data['requestheader-client-ca-file']).toContain(cluster.pki.frontProxyCa.cert.trim())
  expect(data).toMatchObject({ 'client-ca-file': cluster.pki.ca.cert, 'requestheader-allowed-names': '["front-proxy-client","front"]' })
})

it('headers with names that mean something to the language are headers like any other', async () => {
  for (const name of ['__proto__', 'constructor', 'toString', '%5f%5fproto%5f%5f', '%zz', '']) {
    for (const prefix of ['X-Remote-Extra-', 'Impersonate-Extra-']) {
      const headers = [`${prefix}${name}`, 'x', ...(prefix === 'Impersonate-Extra-' ? ['Impersonate-User', 'ana'] : [])]
      expect([401, 403], `${prefix}${name}`).toContain((await attempt(cluster, nodes, { headers })).code)
      expect([400, 403], `${prefix}${name}`).toContain((await attempt(cluster, nodes, { headers, token: 'mallory-token' })).code)
    }
  }
  const proxy = await issue(proxies, { name: 'front' })
  expect(userIn(await attempt(cluster, whoami, { cert: proxy, headers: ['X-Remote-User', 'ana', 'X-Remote-Extra-__proto__', 'a'], body: review }))?.username).toBe('ana')
})

describe('impersonation', () => {
  const as = (...headers: string[]) => attempt(cluster, nodes, { token: 'mallory-token', headers })
  it('without the right is refused, in every writing', async () => {
    for (const headers of [['Impersonate-User', 'kubernetes-admin'], ['impersonate-user', 'system:admin', 'impersonate-group', 'system:masters'], ['IMPERSONATE-USER', 'x', 'Impersonate-Group', 'system:masters'],
      ['Impersonate-User', 'mallory', 'Impersonate-Group', 'system:masters'], ['Impersonate-User', 'system:serviceaccount:kube-system:namespace-controller'], ['Impersonate-User', 'mallory', 'Impersonate-Uid', '0'],
      ['Impersonate-User', 'mallory', 'Impersonate-Extra-Scopes', 'all'], ['Impersonate-User', 'system:node:node-1', 'Impersonate-Group', 'system:nodes']]) {
      expect((await as(...headers)).code, String(headers)).toBe(403)
    }
    expect((await attemptH2(cluster, nodes, { authorization: 'Bearer mallory-token', 'impersonate-user': 'kubernetes-admin', 'impersonate-group': 'system:masters' })).code).toBe(403)
    expect((await attempt(cluster, nodes, { headers: ['Impersonate-User', 'kubernetes-admin', 'Impersonate-Group', 'system:masters'] })).code).toBeGreaterThanOrEqual(401)
  })

  it('of a group, an extra or a uid without a user is no request', async () => {
    for (const headers of [['Impersonate-Group', 'system:masters'], ['Impersonate-Uid', '1'], ['Impersonate-Extra-Scopes', 'all']]) expect((await as(...headers)).code, String(headers)).toBe(400)
  })

  it('of one user gives that user, and not a group beside', async () => {
    const helper = (...headers: string[]) => attempt(cluster, '/api/v1/namespaces/default/pods', { token: 'helper-token', headers })
    expect((await helper('Impersonate-User', 'ana')).code).toBe(200)
    expect((await helper()).code).toBe(403)
    expect((await helper('Impersonate-User', 'ana', 'Impersonate-Group', 'system:masters')).code).toBe(403)
    expect((await helper('Impersonate-User', 'ben')).code).toBe(403)
    expect((await helper('Impersonate-User', 'ana', 'Impersonate-User', 'kubernetes-admin')).code).toBe(403)
    expect((await attempt(cluster, nodes, { token: 'helper-token', headers: ['Impersonate-User', 'ana', 'X-Remote-User', 'root', 'X-Remote-Group', 'system:masters'] })).code).toBe(403)
  })

  it('on an upgrade is checked as well', async () => {
    const upgrade = ['connection', 'Upgrade', 'upgrade', 'websocket', 'sec-websocket-version', '13', 'sec-websocket-key', 'x3JJHMbDL1EzLkh9GBhXDw==']
    expect((await attempt(cluster, '/api/v1/namespaces/default/pods/p/exec?command=id', { token: 'mallory-token', headers: [...upgrade, 'Impersonate-User', 'kubernetes-admin', 'Impersonate-Group', 'system:masters'] })).code).toBe(403)
  })
})

it('who a request is from goes on to nodes neither as a credential nor as a claim', async () => {
  kubelet.asked.length = 0
  const reply = await attempt(cluster, '/api/v1/nodes/node-1/proxy/healthz', {
    cert: cluster.pki.admin, headers: ['Authorization', 'Bearer secret', 'X-Remote-User', 'root', 'x-remote-group', 'system:masters', 'X-Remote-Extra-A', 'b', 'X-My-User', 'root', 'Cookie', 'a=b', 'X-Harmless', 'yes', 'Proxy-Authorization', 'Basic eA=='],
  })
  // The bearer token is not known, and a certificate that holds decides before it.
  expect(reply.code).toBe(200)
  const { headers } = kubelet.asked[0] as FakeKubelet['asked'][number]
  expect(headers['x-harmless']).toBe('yes')
  for (const name of ['authorization', 'proxy-authorization', 'x-remote-user', 'x-remote-group', 'x-remote-extra-a', 'x-my-user', 'impersonate-user']) expect(headers[name], name).toBeUndefined()
})
