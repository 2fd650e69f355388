import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, type TLSSocket } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { FakeClock, systemClock } from '../machinery/clock.ts'
import { quiet } from '../machinery/log.ts'
import { createMemoryStore } from '../store/memory.ts'
import { startApi } from './api.ts'
import { kubeconfigOf, mergeKubeconfig, renewMerged, writeKubeconfig } from './kubeconfig.ts'
import { ensurePki } from './pki.ts'
import { endOf, expiryOf, keepPki } from './renewal.ts'
import type { Settings } from './settings.ts'

const day = 24 * 3_600_000
const settings: Settings = {
  name: 'renewal', nodeName: 'n', nodeAddress: '127.0.0.1', port: 0, kubeletPort: 0, clusterCidr: '10.1.0.0/16', serviceCidr: '10.2.0.0/16', clusterDns: '10.2.0.10', clusterDomain: 'cluster.local', nodePorts: [30000, 30100],
}
let dir = ''
const newDir = () => (dir = mkdtempSync(join(tmpdir(), 'skiff-renewal-')))
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const handshake = (port: number, ca: string) => new Promise<TLSSocket>((resolve, reject) => {
  const socket = connect({ port, host: '127.0.0.1', ca }, () => resolve(socket))
  socket.on('error', reject)
})
const serialOf = (socket: TLSSocket) => socket.getPeerCertificate().serialNumber

it('a server shows its new certificate without a restart, and connections that are open go on', { timeout: 30_000 }, async () => {
  const clock = new FakeClock(Date.now())
  const pki = await keepPki(newDir(), settings, { clock, log: quiet })
  const api = await startApi({ settings, pki, store: createMemoryStore(), clock: systemClock, log: quiet, address: '127.0.0.1' })
  let renewals = 0
  pki.onRenewal(() => void renewals++)
  const before = { admin: pki.admin, server: pki.server, ca: pki.ca.cert }
  const open = await handshake(api.server.port, pki.ca.cert)
  const first = serialOf(open)
  await clock.advance(200 * day)
  expect(renewals).toBe(0)
  await clock.advance(80 * day)
  // Keys are made outside of the clock's time.
  await expect.poll(() => renewals).toBe(1)
  expect(pki.server.cert).not.toBe(before.server.cert)
  expect(pki.admin.cert).not.toBe(before.admin.cert)
  expect(pki.ca.cert).toBe(before.ca)
  expect(endOf(pki.server) - clock.now()).toBeGreaterThan(355 * day)
  expect(new X509Certificate(readFileSync(join(dir, 'apiserver.crt'))).serialNumber).toBe(new X509Certificate(pki.server.cert).serialNumber)
  expect(open.destroyed).toBe(false)
  // The new certificate does not hold before its time: it is looked at, not trusted.
  const later = await new Promise<TLSSocket>((resolve) => {
    const socket = connect({ port: api.server.port, host: '127.0.0.1', rejectUnauthorized: false }, () => resolve(socket))
  })
  expect(serialOf(later)).not.toBe(first)
  for (const socket of [open, later]) socket.destroy()
  await pki.stop()
  await api.stop()
})

it('no leaf outlives its authority, and the end of an authority is said a year before', async () => {
  const warned: object[] = []
  const log = { ...quiet, warn: (fields: object) => void warned.push(fields) }
  const clock = new FakeClock(Date.now())
  const pki = await keepPki(newDir(), settings, { clock, log })
  expect(warned).toEqual([])
  await pki.stop()
  const late = new FakeClock(Date.now() + 3400 * day)
  const next = await keepPki(dir, settings, { clock: late, log })
  expect(warned).toHaveLength(2)
  expect(endOf(next.server)).toBe(endOf(next.ca))
  expect(expiryOf(dir)).toEqual({ certificates: new Date(endOf(next.ca)).toISOString(), authority: new Date(endOf(next.ca)).toISOString() })
  expect(expiryOf(join(dir, 'none'))).toBeUndefined()
  await next.stop()
})

it('a key that is not the certificate\'s, as a crash between two files leaves it, is made anew', async () => {
  const first = ensurePki(newDir(), settings)
  writeFileSync(join(dir, 'apiserver.key'), readFileSync(join(dir, 'admin.key')))
  const second = ensurePki(dir, settings)
  expect(new X509Certificate(second.server.cert).publicKey.equals(new X509Certificate(first.server.cert).publicKey)).toBe(false)
  expect(second.admin).toEqual(first.admin)
})

it('a renewed certificate takes the place of the old one in the user\'s kubeconfig, and of nothing else', async () => {
  const first = ensurePki(newDir(), settings)
  const config = (user: typeof first.admin, name = 'c') => kubeconfigOf({ name, server: 'https://127.0.0.1:1', ca: first.ca.cert, user })
  const file = join(dir, 'config')
  mergeKubeconfig(file, config(first.admin))
  mergeKubeconfig(file, config(first.node, 'other'))
  const before = readFileSync(file, 'utf8')
  renewMerged(file, config(first.admin), config(first.server))
  const after = readFileSync(file, 'utf8')
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  expect(after).toContain(base64(first.server.cert))
  expect(after).toContain(base64(first.server.key))
  expect(after).not.toContain(base64(first.admin.cert))
  expect(after).toContain(base64(first.node.cert))
  renewMerged(file, before, config(first.kubeletClient))
  expect(readFileSync(file, 'utf8')).toBe(after)
  writeKubeconfig(file, 'apiVersion: v1\nkind: Config\n')
  renewMerged(file, config(first.admin), config(first.server))
  expect(readFileSync(file, 'utf8')).toBe('apiVersion: v1\nkind: Config\n')
})
