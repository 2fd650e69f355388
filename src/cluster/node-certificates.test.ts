/** A node elsewhere and its certificates, against a real control plane: the first by a bootstrap token, the next by itself. */
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { certificates, core } from '../api/index.ts'
import { createHttpsClient, type HttpsClient } from '../client/https.ts'
import { FakeClock, systemClock } from '../machinery/clock.ts'
import { quiet } from '../machinery/log.ts'
import { createMemoryStore } from '../store/memory.ts'
import { startControlPlane, type ControlPlane } from './control-plane.ts'
import { networkToken } from './network-identity.ts'
import { firstCertificate, keepNodeCertificates, nodeOf, type NodeIdentity } from './node-certificates.ts'
import type { KeyPair } from './certificate.ts'
import { ensurePki, nodeCertificate, type Pki } from './pki.ts'
import type { Settings } from './settings.ts'

const settings: Settings = {
  name: 'nodes', nodeName: 'first', nodeAddress: '127.0.0.1', port: 0, kubeletPort: 0, clusterCidr: '10.1.0.0/16', serviceCidr: '10.2.0.0/16', clusterDns: '10.2.0.10', clusterDomain: 'cluster.local', nodePorts: [30000, 30100],
}
const day = 24 * 3_600_000
const dir = mkdtempSync(join(tmpdir(), 'skiff-node-certificates-'))
const opened: HttpsClient[] = []
let plane: ControlPlane
let pki: Pki
beforeAll(async () => {
  pki = ensurePki(join(dir, 'pki'), settings)
  plane = await startControlPlane({ settings, pki, store: createMemoryStore(), clock: systemClock, log: quiet, address: '127.0.0.1' })
  await plane.api.client.create(core.secrets, {
    metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' }, type: 'bootstrap.kubernetes.io/token',
    stringData: { 'token-id': 'abcdef', 'token-secret': '0123456789abcdef', 'usage-bootstrap-authentication': 'true', 'auth-extra-groups': 'system:bootstrappers:skiff:nodes' },
  })
})
afterAll(async () => {
  for (const client of opened) client.close()
  await plane?.stop()
  rmSync(dir, { recursive: true })
})

const open = (who: Partial<KeyPair> & { readonly token?: string | (() => Promise<string>) }): HttpsClient => {
  const client = createHttpsClient({ server: plane.api.url, ca: pki.ca.cert, ...who })
  opened.push(client)
  return client
}
const identity = (nodeName: string, clock = systemClock): NodeIdentity => ({ nodeName, ca: pki.ca.cert, dir: join(dir, nodeName), clock, log: quiet })
const register = async (name: string, address: string) => {
  const node = await plane.api.client.create(core.nodes, { metadata: { name } })
  await plane.api.client.updateStatus(core.nodes, { ...node, status: { ...node.status, addresses: [{ type: 'InternalIP', address }] } })
}
const requests = async (node: string) => (await plane.api.client.list(certificates.certificatesigningrequests)).items.filter((r) => r.spec.username === `system:node:${node}`)

describe('a node that comes with a bootstrap token', { timeout: 30_000 }, () => {
  it('gets a certificate of its own, keeps it for itself, and starts with it the next time', async () => {
    const pair = await firstCertificate(identity('joiner'), undefined, () => open({ token: 'abcdef.0123456789abcdef' }))
    expect(nodeOf(pair)).toBe('joiner')
    expect(new X509Certificate(pair.cert).checkIssued(new X509Certificate(pki.ca.cert))).toBe(true)
    expect((await open(pair).create(core.nodes, { metadata: { name: 'joiner' } })).metadata.name).toBe('joiner')
    const files = readdirSync(join(dir, 'joiner'))
    expect(files).toEqual(['kubelet-client.pem'])
    expect(statSync(join(dir, 'joiner', 'kubelet-client.pem')).mode & 0o777).toBe(0o600)
    const again = await firstCertificate(identity('joiner'), undefined, () => { throw new Error('nobody is asked') })
    expect(new X509Certificate(again.cert).serialNumber).toBe(new X509Certificate(pair.cert).serialNumber)
  })

  it('does not get the certificate of a node that is there and well', async () => {
    const node = await plane.api.client.create(core.nodes, { metadata: { name: 'busy' } })
    await plane.api.client.updateStatus(core.nodes, { ...node, status: { ...node.status, conditions: [{ type: 'Ready', status: 'True', lastHeartbeatTime: null, lastTransitionTime: null }] } })
    const giveUp = new AbortController()
    const asked = firstCertificate(identity('busy'), undefined, () => open({ token: 'abcdef.0123456789abcdef' }), giveUp.signal)
    const pending = await expect.poll(async () => (await plane.api.client.list(certificates.certificatesigningrequests)).items.filter((r) => !r.status.certificate && r.spec.username === 'system:bootstrap:abcdef').length).toBe(1).then(() => plane.api.client.list(certificates.certificatesigningrequests))
    await new Promise((resolve) => setTimeout(resolve, 500))
    const request = pending.items.find((r) => !r.status.certificate) as certificates.CertificateSigningRequest
    expect((await plane.api.client.get(certificates.certificatesigningrequests, request.metadata.name ?? '')).status.conditions ?? []).toEqual([])
    giveUp.abort()
    await expect(asked).rejects.toThrow('this node could not get its certificate')
    await plane.api.client.delete(certificates.certificatesigningrequests, request.metadata.name ?? '')
  })

  it('gets none with a token that does not hold', async () => {
    await expect(firstCertificate(identity('stranger'), undefined, () => open({ token: 'abcdef.fedcba9876543210' }))).rejects.toThrow('this node could not get its certificate')
  })

  it('gets its serving certificate once its Node says where it is', async () => {
    const first = await firstCertificate(identity('server'), undefined, () => open({ token: 'abcdef.0123456789abcdef' }))
    await register('server', '10.20.0.5')
    const kept = keepNodeCertificates(identity('server'), { client: open(first), first, address: '10.20.0.5', renewClient: () => undefined })
    expect(new X509Certificate(kept.serving.cert).checkIssued(new X509Certificate(pki.ca.cert))).toBe(false)
    const next = await new Promise<KeyPair>((resolve) => kept.onServing(resolve))
    const certificate = new X509Certificate(next.cert)
    expect(certificate.checkIP('10.20.0.5')).toBeDefined()
    expect(certificate.checkHost('server')).toBeDefined()
    expect(certificate.verify(new X509Certificate(pki.ca.cert).publicKey)).toBe(true)
    await kept.stop()
  })
})

describe('a node with a certificate', { timeout: 60_000 }, () => {
  it('renews both before their end, and goes on with the new ones', async () => {
    const clock = new FakeClock(Date.now())
    const first = nodeCertificate(join(dir, 'pki'), pki.ca, 'old', '10.20.0.6')
    await register('old', '10.20.0.6')
    const client = open(first)
    let renewed: KeyPair | undefined
    let served: KeyPair | undefined
    const kept = keepNodeCertificates(identity('old', clock), { client, first, address: '10.20.0.6', renewClient: (pair) => client.renew((renewed = pair)) })
    kept.onServing((pair) => void (served = pair))
    expect(kept.serving).toBe(first)
    await clock.advance(280 * day)
    expect(await requests('old')).toEqual([])
    // Keys and signatures take time that is not the clock's.
    await expect.poll(async () => (await clock.advance(day), served), { timeout: 20_000, interval: 100 }).toBeDefined()
    expect(new X509Certificate(renewed?.cert ?? '').serialNumber).not.toBe(new X509Certificate(first.cert).serialNumber)
    expect(nodeOf(renewed as KeyPair)).toBe('old')
    expect((await client.get(core.nodes, 'old')).metadata.name).toBe('old')
    expect((await requests('old')).map((r) => r.spec.signerName).toSorted()).toEqual(['kubernetes.io/kube-apiserver-client-kubelet', 'kubernetes.io/kubelet-serving'])
    await kept.stop()
  })

  it('is not given one for another\'s name or address, nor for the API server\'s', async () => {
    const first = nodeCertificate(join(dir, 'pki'), pki.ca, 'greedy', '10.20.0.7')
    await register('greedy', '10.20.0.7')
    await register('victim', '10.20.0.8')
    for (const address of ['10.20.0.8', '10.2.0.1', '127.0.0.1', '10.99.0.1']) {
      const kept = keepNodeCertificates({ ...identity('greedy'), dir: join(dir, `greedy-${address}`) }, { client: open(first), first: { ...first, cert: pki.kubeletClient.cert }, address, renewClient: () => undefined })
      await expect.poll(async () => (await requests('greedy')).length).toBeGreaterThan(0)
      await new Promise((resolve) => setTimeout(resolve, 300))
      for (const { metadata, status } of await requests('greedy')) {
        expect(status.conditions ?? [], address).toEqual([])
        await plane.api.client.delete(certificates.certificatesigningrequests, metadata.name ?? '')
      }
      await kept.stop()
    }
  })

  it('runs its network as another, who sees services and pods and none of the node\'s secrets', async () => {
    const first = nodeCertificate(join(dir, 'pki'), pki.ca, 'networked', '10.20.0.9')
    await register('networked', '10.20.0.9')
    const own = open(first)
    const token = networkToken(own, 'networked', systemClock, new AbortController().signal)
    const network = open({ token })
    expect((await network.list(core.pods)).items).toEqual([])
    expect((await network.list(core.services)).items.length).toBeGreaterThan(0)
    await expect(network.list(core.secrets)).rejects.toMatchObject({ code: 403 })
    await expect(own.list(core.pods)).rejects.toMatchObject({ code: 403 })
    expect((await own.list(core.pods, { fieldSelector: 'spec.nodeName=networked' })).items).toEqual([])
    await plane.api.client.delete(core.nodes, 'networked')
    const stale = await token()
    await expect(open({ token: stale }).list(core.pods)).rejects.toMatchObject({ code: 401 })
  })
})
