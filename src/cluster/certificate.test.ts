import { execFileSync } from 'node:child_process'
import { createPrivateKey, generateKeyPairSync, webcrypto, X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { loadX509 } from '../machinery/x509.ts'
import { makeCertificate, type KeyPair } from './certificate.ts'

const notBefore = new Date('2026-01-02T03:04:05Z')
const notAfter = new Date('2049-12-31T23:59:59Z')
const long = new Date('2050-01-01T00:00:00Z')
const serves = ['localhost', 'kubernetes.default.svc', '127.0.0.1', '10.96.0.1', '::1', 'fd00:10::a0b', ...Array.from({ length: 20 }, (_, i) => `name-${i}.example.com`)]
let dir: string
let authority: KeyPair
let leaf: KeyPair
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'skiff-certificate-'))
  authority = makeCertificate({ name: 'skiff-ca', for: 'signing', notBefore, notAfter: long })
  leaf = makeCertificate({ name: 'käpt’n', groups: ['system:nodes', 'crew'], authority, for: 'client', serves, notBefore, notAfter })
})
afterAll(() => rmSync(dir, { recursive: true, force: true }))

const file = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text)
  return join(dir, name)
}
const openssl = (...args: string[]): string => execFileSync('openssl', args, { encoding: 'utf8' })

it('makes chains that OpenSSL finds in order to the letter, for servers and clients', () => {
  const [root, end] = [file('ca.crt', authority.cert), file('leaf.crt', leaf.cert)]
  const at = String(notBefore.getTime() / 1000)
  for (const purpose of ['sslserver', 'sslclient']) expect(openssl('verify', '-x509_strict', '-attime', at, '-purpose', purpose, '-CAfile', root, end)).toContain('OK')
})

it('says what it was told: names, groups, hosts, addresses, and until when', () => {
  const certificate = new X509Certificate(leaf.cert)
  expect(certificate.subject).toBe('O=system:nodes\nO=crew\nCN=käpt’n')
  expect(certificate.issuer).toBe('CN=skiff-ca')
  for (const host of ['localhost', 'kubernetes.default.svc', 'name-19.example.com']) expect(certificate.checkHost(host)).toBe(host)
  for (const address of ['127.0.0.1', '10.96.0.1', '::1', 'fd00:10::a0b']) expect(certificate.checkIP(address)).toBe(address)
  expect(certificate.checkIP('10.96.0.2')).toBeUndefined()
  expect([certificate.validFromDate, certificate.validToDate]).toEqual([notBefore, notAfter])
  expect(new X509Certificate(authority.cert).validToDate).toEqual(long)
  expect(certificate.checkPrivateKey(createPrivateKey(leaf.key))).toBe(true)
})

it('lets an authority sign, and nobody else', () => {
  const [ca, other] = [new X509Certificate(authority.cert), makeCertificate({ name: 'skiff-ca', for: 'signing', notBefore, notAfter })]
  expect([ca.ca, new X509Certificate(leaf.cert).ca]).toEqual([true, false])
  expect(new X509Certificate(leaf.cert).verify(ca.publicKey)).toBe(true)
  expect(new X509Certificate(leaf.cert).verify(new X509Certificate(other.cert).publicKey)).toBe(false)
})

it('gives a client no right to serve', () => {
  const client = makeCertificate({ name: 'somebody', authority, for: 'client', notBefore, notAfter })
  expect(new X509Certificate(client.cert).keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
  expect(new X509Certificate(leaf.cert).keyUsage).toEqual(['1.3.6.1.5.5.7.3.2', '1.3.6.1.5.5.7.3.1'])
})

it('goes on with an authority that the certificate library made', async () => {
  const x509 = await loadX509()
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
  const extensions = [new x509.BasicConstraintsExtension(true, undefined, true), new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true), await x509.SubjectKeyIdentifierExtension.create(keys.publicKey)]
  const made = await x509.X509CertificateGenerator.createSelfSigned({ name: 'CN=older', keys, signingAlgorithm: algorithm, notBefore, notAfter, extensions })
  const key = createPrivateKey({ key: Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)), format: 'der', type: 'pkcs8' }).export({ type: 'pkcs8', format: 'pem' }) as string
  const older = { cert: made.toString('pem'), key }
  const next = makeCertificate({ name: 'next', authority: older, for: 'client', serves: ['localhost'], notBefore, notAfter })
  expect(new X509Certificate(next.cert).checkIssued(new X509Certificate(older.cert))).toBe(true)
  expect(openssl('verify', '-attime', String(notBefore.getTime() / 1000), '-CAfile', file('older.crt', older.cert), file('next.crt', next.cert))).toContain('OK')
})

it('refuses what it would get wrong', () => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  expect(() => makeCertificate({ name: 'x', authority: { ...authority, key: rsa }, for: 'client', notBefore, notAfter })).toThrow('an elliptic curve, not rsa')
  expect(() => makeCertificate({ name: 'x', authority, for: 'client', serves: ['fe80::1%eth0'], notBefore, notAfter })).toThrow('no certificate can be for the address fe80::1%eth0')
})
