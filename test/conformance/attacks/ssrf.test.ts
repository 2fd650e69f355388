/** Asking the server to connect where its client cannot: loopback, link-local and metadata addresses behind nodes, pods and services; redirects. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { attempt, issue } from '../../support/attackers.ts'
import { startTestControlPlane, type TestControlPlane } from '../../support/control-plane.ts'
import { startFakeKubelet, type FakeKubelet } from '../../support/fake-kubelet.ts'

let cluster: TestControlPlane
let secret: Server
let reached = 0
let port: number
beforeAll(async () => {
  cluster = await startTestControlPlane()
  secret = createServer((_request, response) => response.end('what only this host may see'))
  secret.on('connection', () => void reached++)
  await new Promise<void>((resolve) => secret.listen(0, '127.0.0.1', resolve))
  port = (secret.address() as AddressInfo).port
})
beforeEach(() => void (reached = 0))
afterAll(async () => {
  await cluster?.stop()
  secret?.close()
  secret?.closeAllConnections()
})

const admin = () => ({ cert: cluster.pki.admin })
const patchStatus = async (path: string, status: object) => {
  const { code, text } = await attempt(cluster, `${path}/status`, { ...admin(), method: 'PATCH', body: { status }, contentType: 'application/merge-patch+json' })
  return { code, text }
}
/** Every writing of addresses that must not be reached. */
const forbidden = ['127.0.0.1', '127.1.2.3', '0.0.0.0', '169.254.169.254', '169.254.0.1', '224.0.0.1', '::1', '::', 'fe80::1', '::ffff:127.0.0.1', '::ffff:169.254.169.254', 'fd00:ec2::254', '100.100.100.200']

describe('the proxy of a pod', () => {
  it('goes to none of these addresses, whoever wrote them into the pod\'s status', async () => {
    for (const [i, address] of forbidden.entries()) {
      const pod = `/api/v1/namespaces/default/pods/p${i}`
      await cluster.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: `p${i}` }, spec: { nodeName: 'n', containers: [{ name: 'c', image: 'x', ports: [{ containerPort: port }] }] } })
      const patched = await patchStatus(pod, { phase: 'Running', podIP: address, podIPs: [{ ip: address }] })
      if (patched.code !== 200) continue // refused already where it is written
      for (const target of [`p${i}`, `p${i}:${port}`, `http:p${i}:${port}`, `https:p${i}:${port}`]) {
        const { code, text } = await attempt(cluster, `/api/v1/namespaces/default/pods/${target}/proxy/x`, admin())
        expect(code, `${address} ${text}`).toBe(400)
        expect(text).toContain('address not allowed')
      }
      const upgrade = ['connection', 'Upgrade', 'upgrade', 'websocket', 'sec-websocket-version', '13', 'sec-websocket-key', 'x3JJHMbDL1EzLkh9GBhXDw==']
      expect((await attempt(cluster, `/api/v1/namespaces/default/pods/p${i}:${port}/proxy/x`, { ...admin(), headers: upgrade })).code).toBe(400)
    }
    expect(reached).toBe(0)
  })

  it('takes no address that is none', async () => {
    await cluster.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'odd' }, spec: { nodeName: 'n', containers: [{ name: 'c', image: 'x' }] } })
    for (const podIP of ['localhost', '2130706433', '0x7f.1', '127.0.0.1.nip.example', '127.1', '127.0.0.1@10.0.0.1', '010.0.0.1']) {
      const patched = await patchStatus('/api/v1/namespaces/default/pods/odd', { podIP, podIPs: [{ ip: podIP }] })
      if (patched.code === 200) expect((await attempt(cluster, `/api/v1/namespaces/default/pods/odd:${port}/proxy/`, admin())).code, podIP).toBe(400)
    }
    expect(reached).toBe(0)
  })
})

describe('the proxy of a service', () => {
  const slice = (name: string, address: string, more: object = {}) => ({
    apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice', metadata: { name, labels: { 'kubernetes.io/service-name': name } }, addressType: address.includes(':') ? 'IPv6' : 'IPv4',
    ports: [{ name: '', port }], endpoints: [{ addresses: [address], conditions: { ready: true }, ...more }],
  })
  const service = (name: string, spec: object = {}) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports: [{ port }], ...spec } })

  it('goes to no address that somebody wrote into an endpoint slice', async () => {
    for (const [i, address] of ['127.0.0.1', '169.254.169.254', '10.1.2.3'].entries()) {
      await cluster.apply(service(`s${i}`))
      const made = await attempt(cluster, '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', { ...admin(), body: slice(`s${i}`, address) })
      // Slices with loopback and link-local addresses are not even taken.
      if (made.code === 201) expect(address).toBe('10.1.2.3')
      else expect(made.code).toBe(422)
      const { code, text } = await attempt(cluster, `/api/v1/namespaces/default/services/s${i}:${port}/proxy/`, admin())
      expect(code, text).toBe(503)
    }
    expect(reached).toBe(0)
  })

  it('goes to no pod of the name that has another address, or that is in another namespace', async () => {
    await cluster.apply(service('by-pod'))
    await cluster.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'behind' }, spec: { nodeName: 'n', containers: [{ name: 'c', image: 'x' }] } })
    await patchStatus('/api/v1/namespaces/default/pods/behind', { phase: 'Running', podIP: '10.244.0.9', podIPs: [{ ip: '10.244.0.9' }] })
    await attempt(cluster, '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices', { ...admin(), body: slice('by-pod', '10.9.9.9', { targetRef: { kind: 'Pod', name: 'behind', namespace: 'default' } }) })
    expect((await attempt(cluster, `/api/v1/namespaces/default/services/by-pod:${port}/proxy/`, admin())).code).toBe(503)
  })

  it('follows no external name', async () => {
    await cluster.apply(service('outside', { type: 'ExternalName', externalName: 'localhost' }))
    const { code } = await attempt(cluster, `/api/v1/namespaces/default/services/outside:${port}/proxy/`, admin())
    expect([400, 503]).toContain(code)
    expect(reached).toBe(0)
  })
})

describe('a node that lies about where it is', () => {
  let kubelet: FakeKubelet
  let liar: FakeKubelet
  beforeAll(async () => {
    kubelet = await startFakeKubelet(cluster.pki.node)
    liar = await startFakeKubelet(await issue(cluster.pki.ca, { name: 'system:node:liar', groups: ['system:nodes'], usages: ['client', 'server'] }))
    for (const name of ['node-1', 'liar']) await cluster.apply({ apiVersion: 'v1', kind: 'Node', metadata: { name } })
    await place('node-1', '127.0.0.1', kubelet.port)
  })
  afterAll(async () => {
    await kubelet?.stop()
    await liar?.stop()
  })
  const place = (node: string, address: string, at: number) => patchStatus(`/api/v1/nodes/${node}`, { addresses: [{ type: 'InternalIP', address }], daemonEndpoints: { kubeletEndpoint: { Port: at } } })
  const logsOf = (node: string) => attempt(cluster, `/api/v1/nodes/${node}/proxy/logs/`, admin())

  it('leads to no other node: the certificate at the other end must name it', async () => {
    expect((await logsOf('node-1')).code).toBe(200)
    await place('liar', '127.0.0.1', kubelet.port)
    kubelet.asked.length = 0
    const { code, text } = await logsOf('liar')
    expect(code).toBe(503)
    expect(text).toContain('is for \\"system:node:node-1\\", not for node \\"liar\\"')
    expect(kubelet.asked).toEqual([])
    expect((await logsOf('node-1')).code).toBe(200)
  })

  it('leads to nothing that is no agent of the cluster', async () => {
    await place('liar', '127.0.0.1', port)
    expect((await logsOf('liar')).code).toBe(503)
    await place('liar', '127.0.0.1', Number(new URL(cluster.url).port))
    expect((await logsOf('liar')).code).toBe(503)
  })

  it('opens no other port of loopback', async () => {
    await place('node-1', '127.0.0.1', kubelet.port)
    for (const target of [`node-1:${port}`, `http:node-1:${port}`, `https:node-1:${port}`]) expect((await attempt(cluster, `/api/v1/nodes/${target}/proxy/`, admin())).code, target).toBe(400)
    expect(reached).toBe(0)
  })

  it('that answers with a redirect sends the client, not the server', async () => {
    for (const location of [`http://127.0.0.1:${port}/`, 'http://169.254.169.254/latest/meta-data/', `//127.0.0.1:${port}/`]) {
      kubelet.answer = { code: 302, headers: { location } }
      const reply = await logsOf('node-1')
      expect(reply.code).toBe(302)
      expect(reply.text).not.toContain('only this host')
      kubelet.answer = { code: 307, headers: { location } }
      await cluster.apply({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'here' }, spec: { nodeName: 'node-1', containers: [{ name: 'c', image: 'x' }] } })
      const log = await attempt(cluster, '/api/v1/namespaces/default/pods/here/log', admin())
      expect(log.text).not.toContain('only this host')
      expect(log.code).toBeGreaterThanOrEqual(300)
    }
    expect(reached).toBe(0)
  })
})
