/** Paths that climb: in proxies, logs, names and namespaces, plain, encoded and twice encoded. What is authorized is what is reached. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attempt, attemptH2 } from '../../support/attackers.ts'
import { startTestControlPlane, type TestControlPlane } from '../../support/control-plane.ts'
import { startFakeKubelet, type FakeKubelet } from '../../support/fake-kubelet.ts'

let cluster: TestControlPlane
let kubelet: FakeKubelet
const dir = mkdtempSync(join(tmpdir(), 'skiff-paths-'))
beforeAll(async () => {
  writeFileSync(join(dir, 'tokens.csv'), 'mallory-token,mallory,,\n')
  cluster = await startTestControlPlane({ apiServerArguments: { 'token-auth-file': join(dir, 'tokens.csv') } })
  kubelet = await startFakeKubelet(cluster.pki.node)
  await cluster.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'node-1' } })
  const status = { status: { addresses: [{ type: 'InternalIP', address: '127.0.0.1' }], daemonEndpoints: { kubeletEndpoint: { Port: kubelet.port } } } }
  await attempt(cluster, '/api/v1/nodes/node-1/status', { method: 'PATCH', cert: cluster.pki.admin, body: status, contentType: 'application/merge-patch+json' })
  for (const namespace of ['mine', 'theirs']) await cluster.kubectl('create', 'namespace', namespace)
  await cluster.kubectl('create', 'secret', 'generic', 'gold', '-n', 'theirs', '--from-literal=a=b')
  // Mallory may do anything in one namespace.
  await cluster.kubectl('create', 'rolebinding', 'mallory', '--clusterrole=admin', '--user=mallory', '-n', 'mine')
  await cluster.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'p', namespace: 'mine' }, spec: { nodeName: 'node-1', containers: [{ name: 'c', image: 'x' }, { name: 'd', image: 'x' }] } })
})
afterAll(async () => {
  await cluster?.stop()
  await kubelet?.stop()
  rmSync(dir, { recursive: true })
})

const token = 'mallory-token'

describe('a path that climbs', () => {
  const climbs = ['..', '%2e%2e', '%2E%2e', '.%2e', '%252e%252e', '..%2f', '%2e%2e%2f', '..;', '..%00', '..\\', '%c0%ae%c0%ae', '.']
  it('out of a namespace reaches nothing of another', async () => {
    for (const up of climbs) {
      for (const path of [
        `/api/v1/namespaces/mine/${up}/theirs/secrets/gold`, `/api/v1/namespaces/mine/secrets/${up}/${up}/theirs/secrets/gold`, `/api/v1/namespaces/mine/secrets/${up}%2ftheirs%2fgold`,
        `/api/v1/namespaces/mine/pods/p/${up}/${up}/${up}/theirs/secrets/gold`, `/api/v1/namespaces/mine%2f${up}%2ftheirs/secrets/gold`, `/api/v1/${up}/v1/namespaces/theirs/secrets/gold`, `/${up}/api/v1/namespaces/theirs/secrets/gold`,
      ]) {
        for (const { code, text } of [await attempt(cluster, path, { token }), await attemptH2(cluster, path, { authorization: `Bearer ${token}` })]) {
          expect([400, 403, 404, 405], `${path}: ${text}`).toContain(code)
          expect(text).not.toContain('"gold"},"data"')
        }
      }
    }
  })

  it('names in them are one part each: what is encoded is no other path', async () => {
    for (const path of ['/api/v1/secrets/theirs%2Fgold', '/api/v1/namespaces/mine/secrets/theirs%2Fgold', '/api/v1/namespaces/theirs%2Fgold/secrets', '/api/v1/namespaces/theirs%2F/secrets/gold', '/api/v1//namespaces/theirs/secrets/gold', '/api/v1/namespaces//theirs/secrets/gold']) {
      const admin = await attempt(cluster, path, { cert: cluster.pki.admin })
      if (!path.includes('//')) expect([400, 404], `${path}: ${admin.text}`).toContain(admin.code)
      expect([400, 403, 404], path).toContain((await attempt(cluster, path, { token })).code)
    }
  })

  it('through the proxy of a pod stays with the pod, as it was sent', async () => {
    for (const up of climbs) {
      const path = `/api/v1/namespaces/mine/pods/p/proxy/${up}/${up}/${up}/theirs/secrets/gold`
      const { code, text } = await attempt(cluster, path, { token })
      expect(text).not.toContain('"gold"')
      // The pod has no address: whatever comes after "proxy" was taken for the pod's.
      expect([400, 404, 503], `${path}: ${text}`).toContain(code)
    }
  })

  it('through the proxy of a node goes to that node, as it was sent, for those who may', async () => {
    for (const up of climbs) {
      kubelet.asked.length = 0
      expect([400, 403]).toContain((await attempt(cluster, `/api/v1/nodes/node-1/proxy/logs/${up}/${up}/etc/shadow`, { token })).code)
      expect(kubelet.asked).toEqual([])
    }
    const { code } = await attempt(cluster, '/api/v1/nodes/node-1/proxy/logs/../../etc/passwd', { cert: cluster.pki.admin })
    expect(code).toBe(200)
    expect(kubelet.asked.map((a) => a.url)).toEqual(['/logs/../../etc/passwd'])
    // Rights to another part of nodes are none to the proxy, however the path is written.
    await cluster.kubectl('create', 'clusterrole', 'stats', '--verb=get', '--resource=nodes/stats', '--resource=nodes')
    await cluster.kubectl('create', 'clusterrolebinding', 'stats', '--clusterrole=stats', '--user=mallory')
    for (const path of ['/api/v1/nodes/node-1/stats/../proxy/run', '/api/v1/nodes/node-1/stats/%2e%2e/proxy/run', '/api/v1/nodes/node-1/stats%2f..%2fproxy/run', '/api/v1/nodes/node-1/proxy%2frun', '/api/v1/nodes/node-1/Proxy/run']) {
      expect([400, 403, 404, 405], path).toContain((await attempt(cluster, path, { token })).code)
    }
    expect(kubelet.asked).toHaveLength(1)
  })

  it('through the proxy of a node runs nothing there for those who may only look', async () => {
    await cluster.kubectl('create', 'clusterrole', 'looker', '--verb=get', '--resource=nodes/proxy')
    await cluster.kubectl('create', 'clusterrolebinding', 'looker', '--clusterrole=looker', '--user=mallory')
    expect((await attempt(cluster, '/api/v1/nodes/node-1/proxy/pods', { token })).code).toBe(200)
    kubelet.asked.length = 0
    for (const upgrade of ['websocket', 'SPDY/3.1']) {
      const headers = ['connection', 'Upgrade', 'upgrade', upgrade, 'sec-websocket-version', '13', 'sec-websocket-key', 'x3JJHMbDL1EzLkh9GBhXDw==']
      expect((await attempt(cluster, '/api/v1/nodes/node-1/proxy/exec/mine/p/c?command=id', { token, headers })).code).toBe(403)
    }
    expect((await attempt(cluster, '/api/v1/nodes/node-1/proxy/exec/mine/p/c?command=id', { token, method: 'POST' })).code).toBe(403)
    expect(kubelet.asked).toEqual([])
    await cluster.kubectl('delete', 'clusterrolebinding', 'looker')
  })

  it('in the parameters of logs and exec names no container, and no other path of the node', async () => {
    kubelet.asked.length = 0
    for (const container of ['../../mine/p/d', '..%2f..%2fx', 'c/../d', 'c%00', 'c?follow=true', '%2e%2e']) {
      expect((await attempt(cluster, `/api/v1/namespaces/mine/pods/p/log?container=${container}`, { token })).code, container).toBe(400)
      expect((await attempt(cluster, `/api/v1/namespaces/mine/pods/p/exec?command=id&container=${container}`, { token, method: 'POST', headers: ['connection', 'Upgrade', 'upgrade', 'SPDY/3.1'] })).code, container).toBe(400)
    }
    expect(kubelet.asked).toEqual([])
    expect((await attempt(cluster, '/api/v1/namespaces/mine/pods/p/log?container=c&tailLines=3&extra=../x', { token })).code).toBe(200)
    expect(kubelet.asked.map((a) => a.url)).toEqual(['/containerLogs/mine/p/c?tailLines=3'])
  })

  it('is no path to what needs no credentials', async () => {
    for (const path of ['/healthz/../api/v1/secrets', '/healthz/%2e%2e/metrics', '/version/../api', '/livez/../../api/v1/nodes', '//api/v1/nodes', '/./api/v1/nodes', '/HEALTHZ', '/api/v1/nodes#/healthz', '/api/v1/nodes?/healthz', '/healthz%2f..%2fapi']) {
      const { code, text } = await attempt(cluster, path)
      expect([400, 401, 403, 404], `${path}: ${text}`).toContain(code)
    }
  })
})

describe('an unreadable path', () => {
  it('is a bad request, and the server goes on', async () => {
    for (const path of ['/api/v1/namespaces/%', '/api/v1/namespaces/%zz/pods', '/%ff%fe', `/${'a/'.repeat(5000)}`, '*', 'http://elsewhere.example/api', '/api/v1/namespaces/%00/pods', '/api/v1/namespaces/mine/secrets/%0a', '/api/v1/namespaces/mine/secrets/\u{1F600}']) {
      const { code } = await attempt(cluster, encodeURI(path).replaceAll('%25', '%'), { token })
      expect(code < 500, `${path}: ${code}`).toBe(true)
    }
    expect((await attempt(cluster, '/readyz')).code).toBe(200)
  })
})
