import { X509Certificate } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { ensurePki, firstServiceAddress } from './pki.ts'
import type { Settings } from './settings.ts'

const settings: Settings = {
  name: 'test', nodeName: 'node-1', nodeAddress: '192.0.2.7', port: 6443, kubeletPort: 10250,
  clusterCidr: '10.244.0.0/16', serviceCidr: '10.96.0.0/16', clusterDns: '10.96.0.10', clusterDomain: 'cluster.local', nodePorts: [30000, 32767],
}
let dir: string
beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'skiff-pki-'))))
afterEach(() => rmSync(dir, { recursive: true, force: true }))

it('signs every certificate with the cluster authority, for the right name and groups', async () => {
  const pki = ensurePki(dir, settings)
  const ca = new X509Certificate(pki.ca.cert)
  for (const leaf of [pki.server, pki.admin, pki.node, pki.kubeletClient]) expect(new X509Certificate(leaf.cert).verify(ca.publicKey)).toBe(true)
  expect(new X509Certificate(pki.admin.cert).subject).toBe('O=system:masters\nCN=kubernetes-admin')
  expect(new X509Certificate(pki.node.cert).subject).toBe('O=system:nodes\nCN=system:node:node-1')
})

it('lets the API server be reached by every name and address pods and users have for it', async () => {
  const server = new X509Certificate(ensurePki(dir, settings).server.cert)
  for (const name of ['kubernetes', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local', 'localhost']) expect(server.checkHost(name)).toBe(name)
  for (const address of ['127.0.0.1', '192.0.2.7', firstServiceAddress(settings)]) expect(server.checkIP(address)).toBe(address)
})

it('keeps its certificates over restarts, and makes a new one when the node has moved', async () => {
  const first = ensurePki(dir, settings)
  const again = ensurePki(dir, settings)
  expect(again).toEqual(first)
  const moved = ensurePki(dir, { ...settings, nodeAddress: '192.0.2.8' })
  expect(moved.ca).toEqual(first.ca)
  expect(moved.admin).toEqual(first.admin)
  expect(new X509Certificate(moved.server.cert).checkIP('192.0.2.8')).toBe('192.0.2.8')
})

it('keeps its keys from other users, and refuses one that they can read', async () => {
  ensurePki(dir, settings)
  expect(statSync(join(dir, 'ca.key')).mode & 0o777).toBe(0o600)
  chmodSync(join(dir, 'ca.key'), 0o644)
  expect(() => ensurePki(dir, settings)).toThrow(/ca\.key can be read by others/)
})
