import { X509Certificate, webcrypto } from 'node:crypto'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { authorization, certificates } from '../../api/index.ts'
import { loadX509 } from '../../machinery/x509.ts'
import { createBench, settle, type Bench } from '../testing/bench.ts'
import { startCertificateControllers } from './certificates.ts'
import type { Signer } from './sign.ts'

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>
const pem = (label: string, der: ArrayBuffer) => `-----BEGIN ${label}-----\n${Buffer.from(der).toString('base64')}\n-----END ${label}-----\n`

let signer: Signer
beforeAll(async () => {
  const x509 = await loadX509()
  const keys = await newKeys()
  const cert = await x509.X509CertificateGenerator.createSelfSigned({ name: 'CN=test-ca', keys, signingAlgorithm: algorithm, notBefore: new Date('2020-01-01'), notAfter: new Date('2036-01-01'), extensions: [new x509.BasicConstraintsExtension(true, undefined, true)] })
  signer = { cert: cert.toString('pem'), key: pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)) }
})

let bench: Bench
let allowed: string[]
beforeEach(async () => {
  bench = createBench()
  allowed = []
  const create = bench.client.create.bind(bench.client)
  bench.client.create = (async (r: { plural: string }, object: never, o: never) => {
    if (r.plural !== authorization.subjectaccessreviews.plural) return create(r as never, object, o)
    const { spec } = object as { spec: { user: string; resourceAttributes: { subresource: string } } }
    return { status: { allowed: allowed.includes(`${spec.user} ${spec.resourceAttributes.subresource}`) } }
  }) as typeof bench.client.create
  await bench.start((context) => startCertificateControllers(context, signer))
})
afterEach(() => bench.stop())

async function request(subject: string, over: Partial<certificates.CertificateSigningRequestSpec> = {}, names: { type: 'dns' | 'ip' | 'email' | 'url'; value: string }[] = []): Promise<void> {
  const x509 = await loadX509()
  const csr = await x509.Pkcs10CertificateRequestGenerator.create({ name: subject, keys: await newKeys(), signingAlgorithm: algorithm, extensions: names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : [] })
  await bench.client.create(certificates.certificatesigningrequests, {
    metadata: { name: 'r' },
    spec: { request: Buffer.from(csr.toString('pem')).toString('base64'), signerName: 'kubernetes.io/kube-apiserver-client', usages: ['digital signature', 'client auth'], username: 'someone', ...over },
  })
}
const stored = () => bench.client.stored(certificates.certificatesigningrequests).get('r')
const approve = () => bench.client.edit(certificates.certificatesigningrequests, 'r', (r) => ({ ...r, status: { ...r.status, conditions: [{ type: 'Approved', status: 'True', lastUpdateTime: new Date(bench.clock.now()).toISOString().slice(0, 19) + 'Z', lastTransitionTime: null }] } }))
/** Signing takes real time, not the clock's. */
async function until(test: () => boolean): Promise<void> {
  for (let i = 0; i < 200 && !test(); i++) await new Promise((resolve) => { setTimeout(resolve, 5) })
}
const issued = () => (stored()?.status.certificate ? new X509Certificate(Buffer.from(stored()?.status.certificate ?? '', 'base64')) : undefined)
const conditions = () => (stored()?.status.conditions ?? []).map((c) => `${c.type} ${c.reason ?? ''}`)
const nodeClient = { signerName: 'kubernetes.io/kube-apiserver-client-kubelet', username: 'system:node:n1', groups: ['system:nodes'] }

type Row = [subject: string, over: Parameters<typeof request>[1], names: Parameters<typeof request>[2], why: string]
const nodeServing: Row[1] = { signerName: 'kubernetes.io/kubelet-serving', usages: ['digital signature', 'server auth'] }

describe('a request', () => {
  it('is signed once it is approved, for as long as it asks', async () => {
    await request('CN=jane,O=dev', { expirationSeconds: 3600 })
    await settle()
    expect(issued()).toBeUndefined()
    approve()
    await until(() => issued() !== undefined)
    const certificate = issued() as X509Certificate
    expect(certificate.checkIssued(new X509Certificate(signer.cert))).toBe(true)
    expect(certificate.verify(new X509Certificate(signer.cert).publicKey)).toBe(true)
    expect(certificate.subject.split('\n').sort()).toEqual(['CN=jane', 'O=dev'])
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2'])
    expect(certificate.ca).toBe(false)
    expect(Date.parse(certificate.validTo) - bench.clock.now()).toBe(3_600_000)
  })

  it('for what its signer does not sign fails, with the reason', async () => {
    await request('CN=jane', { usages: ['digital signature', 'server auth'] })
    approve()
    await until(() => conditions().length > 1)
    expect(conditions()).toEqual(['Approved ', 'Failed SignerValidationFailure'])
    expect(issued()).toBeUndefined()
  })

  it.each<Row>([
    ['CN=jane', { usages: ['digital signature', 'client auth', 'server auth'] }, [], 'invalid usage for client certificate: server auth'],
    ['CN=jane', { usages: ['digital signature'] }, [], 'missing required usage for client certificate: client auth'],
    ['CN=system:node:n1,O=a', nodeClient, [], 'subject organization is not system:nodes'],
    ['CN=n1,O=system:nodes', nodeClient, [], 'subject common name does not begin with system:node:'],
    ['CN=system:node:n1,O=system:nodes', nodeClient, [{ type: 'dns', value: 'a' }], 'DNS subjectAltNames are not allowed'],
    ['CN=system:node:n1,O=system:nodes', nodeClient, [{ type: 'ip', value: '10.0.0.1' }], 'IP subjectAltNames are not allowed'],
    ['CN=system:node:n1,O=system:nodes', { ...nodeClient, usages: ['client auth'] }, [], 'usages did not match [client auth digital signature key encipherment]'],
    ['CN=system:node:n1,O=system:nodes', nodeServing, [], 'DNS or IP subjectAltName is required'],
    ['CN=system:node:n1,O=system:nodes', nodeServing, [{ type: 'dns', value: 'a' }, { type: 'email', value: 'a@b.c' }], 'Email subjectAltNames are not allowed'],
    ['CN=system:node:n1,O=system:nodes', nodeServing, [{ type: 'dns', value: 'a' }, { type: 'url', value: 'http://a.b' }], 'URI subjectAltNames are not allowed'],
    ['CN=system:node:n1,CN=system:node:n2,O=system:nodes', nodeClient, [], 'unable to parse csr: the subject has more than one common name'],
    ['CN=system:node:n1,O=system:nodes,O=#1a0e73797374656d3a6d617374657273', nodeClient, [], 'unable to parse csr: the subject has a value that is no text'],
  ])('for %s is refused in Kubernetes\'s words', async (subject, over, names, why) => {
    await request(subject, over, names)
    approve()
    await until(() => conditions().length > 1)
    expect(stored()?.status.conditions?.[1]).toMatchObject({ type: 'Failed', message: why })
  })

  it('keeps the mail addresses and URIs that it asks for, and ends five minutes early if it is good for long', async () => {
    await request('CN=jane', { expirationSeconds: 8 * 3600 }, [{ type: 'email', value: 'a@b.c' }, { type: 'url', value: 'http://a.b' }])
    approve()
    await until(() => issued() !== undefined)
    expect(issued()?.subjectAltName).toBe('email:a@b.c, URI:http://a.b')
    expect(Date.parse(issued()?.validTo ?? '') - bench.clock.now()).toBe(8 * 3_600_000 - 300_000)
  })

  it('to a signer that is not ours is left alone', async () => {
    await request('CN=jane', { signerName: 'example.com/own' })
    approve()
    await settle(60)
    expect([issued(), conditions()]).toEqual([undefined, ['Approved ']])
  })

  it('of a node for its serving certificate carries its names', async () => {
    await request('CN=system:node:n1,O=system:nodes', { signerName: 'kubernetes.io/kubelet-serving', usages: ['digital signature', 'server auth'] }, [{ type: 'dns', value: 'n1' }, { type: 'ip', value: '10.0.0.1' }])
    approve()
    await until(() => issued() !== undefined)
    expect([issued()?.checkHost('n1'), issued()?.checkIP('10.0.0.1')]).toEqual(['n1', '10.0.0.1'])
  })
})

describe('a node', () => {
  it('gets its client certificate without anyone looking, when it is allowed to', async () => {
    allowed = ['system:node:n1 selfnodeclient']
    await request('CN=system:node:n1,O=system:nodes', nodeClient)
    await until(() => issued() !== undefined)
    expect(stored()?.status.conditions).toMatchObject([{ type: 'Approved', reason: 'AutoApproved', message: 'Auto approving self kubelet client certificate after SubjectAccessReview.' }])
  })

  it('does not get another node\'s, nor one with more in it', async () => {
    allowed = ['system:node:n1 selfnodeclient']
    await request('CN=system:node:n2,O=system:nodes', nodeClient)
    await new Promise((resolve) => { setTimeout(resolve, 60) })
    expect(conditions()).toEqual([])
    await bench.client.delete(certificates.certificatesigningrequests, 'r')
    await request('CN=system:node:n1,O=system:nodes,O=system:masters', nodeClient)
    await new Promise((resolve) => { setTimeout(resolve, 60) })
    expect(conditions()).toEqual([])
  })

  it('gets no other name beside its own', async () => {
    allowed = ['system:node:n1 selfnodeclient', 'system:node:n1 nodeclient']
    for (const subject of ['CN=system:node:n1,CN=system:node:n2,O=system:nodes', 'CN=system:node:n1,CN=admin,O=system:nodes', 'CN=admin,CN=system:node:n1,O=system:nodes']) {
      await request(subject, nodeClient)
      await new Promise((resolve) => { setTimeout(resolve, 60) })
      expect([conditions(), issued()], subject).toEqual([[], undefined])
      await bench.client.delete(certificates.certificatesigningrequests, 'r')
    }
  })

  it('that joins gets its first one when the bootstrap identity may ask for it', async () => {
    allowed = ['system:bootstrap:abc nodeclient']
    await request('CN=system:node:n9,O=system:nodes', { ...nodeClient, username: 'system:bootstrap:abc' })
    await until(() => issued() !== undefined)
    expect(conditions()).toEqual(['Approved AutoApproved'])
  })
})

describe('requests that are over', () => {
  it('are removed: an hour after they were signed, a day after nobody decided', async () => {
    await request('CN=jane')
    await bench.clock.advance(23 * 3_600_000)
    expect(stored()).toBeDefined()
    await bench.clock.advance(2 * 3_600_000)
    expect(stored()).toBeUndefined()
    await request('CN=jane')
    approve()
    await until(() => issued() !== undefined)
    await bench.clock.advance(2 * 3_600_000 + 1000)
    expect(stored()).toBeUndefined()
  })

  it('wait for their signer when they were approved, however long that takes', async () => {
    await request('CN=jane', { signerName: 'example.com/slow' })
    approve()
    for (let i = 0; i < 30; i++) await bench.clock.advance(3_600_000)
    expect(stored()).toBeDefined()
  })

  it('are removed with the certificate that was issued for them', async () => {
    await request('CN=jane', { expirationSeconds: 600 })
    approve()
    await until(() => issued() !== undefined)
    // Approved anew in the meantime, it would stay for another hour.
    await bench.clock.advance(50 * 60_000)
    approve()
    await bench.clock.advance(11 * 60_000)
    expect(stored()).toBeUndefined()
  })
})
