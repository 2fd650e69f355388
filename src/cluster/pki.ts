/**
 * The cluster's certificates: one authority that signs serving and client certificates, one for the front proxy, made at the first boot and kept.
 * Keys are P-256, files are readable by root alone.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createPrivateKey, generateKeyPairSync, randomBytes, webcrypto, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { firstAddress } from '../apiserver/bootstrap/kubernetes-service.ts'
import { loadX509 } from '../machinery/x509.ts'
import { checkKeys } from './modes.ts'
import type { Settings } from './settings.ts'

export interface KeyPair { readonly cert: string; readonly key: string }

/** Who a certificate speaks for, and where it may serve. */
interface Request {
  readonly file: string
  readonly name: string
  readonly groups?: readonly string[]
  readonly serves?: readonly string[]
}

export interface Pki {
  readonly ca: KeyPair
  /** The API server's serving certificate. */
  readonly server: KeyPair
  /** What the API server shows to kubelets. */
  readonly kubeletClient: KeyPair
  /** The first user: system:masters. */
  readonly admin: KeyPair
  /** The kubelet's serving and client certificate: system:node:<name>. */
  readonly node: KeyPair
  /** Signs service account tokens (PKCS#8 PEM). */
  readonly serviceAccountKey: string
  /** Who vouches for the proxy in front of extension API servers. An authority of its own: what it signs may speak for anybody. */
  readonly frontProxyCa: KeyPair
  /** What the API server shows to extension API servers. */
  readonly frontProxyClient: KeyPair
  /** Calls back when certificates were made anew while the cluster runs; there where somebody looks after them (`renewal.ts`). */
  onRenewal?(listener: () => void): void
}

/** The common name of the front proxy's certificate. */
export const frontProxyName = 'front-proxy-client'

const day = 24 * 3600 * 1000
const caLife = 3650 * day
const leafLife = 365 * day
/** A certificate with less than this left is made anew at boot. */
const renewBefore = 90 * day

/** The first address of the service network: the `kubernetes` service. */
export const firstServiceAddress = (settings: Settings): string => firstAddress(settings.serviceCidr)

/** Where certificates are kept, and as of when they are looked at. */
interface Place {
  readonly dir: string
  readonly now: number
  /** Whether the files must survive a crash of the machine. */
  readonly durable: boolean
}

/** Reads the cluster's certificates as of `now`, making those that are missing, near their end, or do not fit the node's addresses. */
export async function ensurePki(dir: string, settings: Settings, now = Date.now()): Promise<Pki> {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  checkKeys(dir)
  const place: Place = { dir, now, durable: true }
  const [ca, frontProxyCa] = await Promise.all([ensureAuthority(place), ensureAuthority(place, 'front-proxy-ca', 'skiff-front-proxy-ca')])
  const leaf = (request: Request) => ensureLeaf(place, ca, request)
  const [server, kubeletClient, admin, node, frontProxyClient] = await Promise.all([
    leaf(serverRequest(settings)),
    leaf({ file: 'apiserver-kubelet-client', name: 'kube-apiserver-kubelet-client' }),
    leaf(adminRequest),
    leaf(nodeRequest('node', settings.nodeName, settings.nodeAddress)),
    ensureLeaf(place, frontProxyCa, frontProxyRequest),
  ])
  return { ca, server, kubeletClient, admin, node, serviceAccountKey: ensureSigningKey(place, 'service-account.key'), frontProxyCa, frontProxyClient }
}

/**
 * The certificates of an API server without nodes that does not outlive its process, in less than half the time: one authority for everything,
 * and where a node would be met, the administrator.
 */
export async function shortLivedPki(dir: string, settings: Settings): Promise<Pki> {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  const place: Place = { dir, now: Date.now(), durable: false }
  const ca = await ensureAuthority(place)
  const [server, admin, frontProxyClient] = await Promise.all([serverRequest(settings), adminRequest, frontProxyRequest].map((request) => ensureLeaf(place, ca, request)))
  return { ca, server: server!, kubeletClient: admin!, admin: admin!, node: admin!, serviceAccountKey: ensureSigningKey(place, 'service-account.key'), frontProxyCa: ca, frontProxyClient: frontProxyClient! }
}

const serverRequest = (settings: Settings): Request => ({
  file: 'apiserver',
  name: 'kube-apiserver',
  serves: [
    'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', `kubernetes.default.svc.${settings.clusterDomain}`, 'localhost', settings.nodeName,
    '127.0.0.1', '::1', firstServiceAddress(settings), settings.nodeAddress,
  ],
})
const adminRequest: Request = { file: 'admin', name: 'kubernetes-admin', groups: ['system:masters'] }
const frontProxyRequest: Request = { file: 'front-proxy-client', name: frontProxyName }

/** What a kubelet shows: as a client it is the node, as a server it answers under the node's name and address. */
const nodeRequest = (file: string, name: string, address: string): Request => ({
  file,
  name: `system:node:${name}`,
  groups: ['system:nodes'],
  serves: [name, 'localhost', '127.0.0.1', address],
})

/** A certificate for a node on another machine. */
export const nodeCertificate = (dir: string, ca: KeyPair, name: string, address: string): Promise<KeyPair> =>
  ensureLeaf({ dir, now: Date.now(), durable: true }, ca, nodeRequest(`node-${name}`, name, address))

/** The cluster's authority, made before. */
export const authorityOf = (dir: string): KeyPair => pair(join(dir, 'ca'))

function ensureSigningKey({ dir, durable }: Place, name: string): string {
  const file = join(dir, name)
  if (!existsSync(file)) save(durable, file, generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string)
  return read(file)
}

async function ensureAuthority({ dir, now, durable }: Place, name = 'ca', commonName = 'skiff-ca'): Promise<KeyPair> {
  const file = join(dir, name)
  if (!existsSync(`${file}.crt`)) {
    const x509 = await loadX509()
    const keys = await newKeys()
    const certificate = await x509.X509CertificateGenerator.createSelfSigned({
      serialNumber: randomBytes(8).toString('hex'),
      name: `CN=${commonName}`,
      keys,
      signingAlgorithm: algorithm,
      ...validity(now, caLife),
      extensions: [
        new x509.BasicConstraintsExtension(true, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign | x509.KeyUsageFlags.digitalSignature, true),
        await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      ],
    })
    save(durable, `${file}.key`, await privatePem(keys.privateKey))
    save(durable, `${file}.crt`, `${certificate.toString('pem')}\n`)
  }
  return pair(file)
}

async function ensureLeaf({ dir, now, durable }: Place, authority: KeyPair, request: Request): Promise<KeyPair> {
  const file = join(dir, request.file)
  if (existsSync(`${file}.crt`) && fits(pair(file), authority, request, now)) return pair(file)
  const x509 = await loadX509()
  const keys = await newKeys()
  const issuer = new x509.X509Certificate(authority.cert)
  const usages = [x509.ExtendedKeyUsage.clientAuth, ...(request.serves ? [x509.ExtendedKeyUsage.serverAuth] : [])]
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomBytes(8).toString('hex'),
    subject: new x509.Name([...(request.groups ?? []).map((g) => ({ O: [g] })), { CN: [request.name] }]),
    issuer: issuer.subjectName,
    publicKey: keys.publicKey,
    signingKey: await privateKey(authority.key),
    signingAlgorithm: algorithm,
    ...validity(now, leafLife, issuer.notAfter.getTime()),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature | x509.KeyUsageFlags.keyEncipherment, true),
      new x509.ExtendedKeyUsageExtension(usages),
      await x509.AuthorityKeyIdentifierExtension.create(issuer.publicKey),
      ...(request.serves
        ? [new x509.SubjectAlternativeNameExtension([...new Set(request.serves)].map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value })))]
        : []),
    ],
  })
  save(durable, `${file}.key`, await privatePem(keys.privateKey))
  save(durable, `${file}.crt`, `${certificate.toString('pem')}\n`)
  return pair(file)
}

function fits({ cert, key }: KeyPair, authority: KeyPair, request: Request, now: number): boolean {
  const certificate = new X509Certificate(cert)
  const issued = certificate.checkIssued(new X509Certificate(authority.cert))
  const fresh = Date.parse(certificate.validTo) - now > renewBefore
  // A crash between the two files leaves a key that is another certificate's.
  const own = certificate.checkPrivateKey(createPrivateKey(key))
  const serves = (request.serves ?? []).every((name) => (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined)
  const groups = certificate.subject.split('\n').filter((part) => part.startsWith('O=')).map((part) => part.slice(2))
  const speaks = groups.length === (request.groups?.length ?? 0) && groups.every((group) => request.groups?.includes(group))
  return issued && fresh && own && serves && speaks
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>
/** Five minutes of the past are included, for clocks that go wrong. */
const validity = (now: number, life: number, end = Infinity) => ({ notBefore: new Date(now - 5 * 60_000), notAfter: new Date(Math.min(now + life, end)) })

async function privatePem(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key))
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ type: 'pkcs8', format: 'pem' }) as string
}

function privateKey(pem: string): Promise<webcrypto.CryptoKey> {
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' })
  return webcrypto.subtle.importKey('pkcs8', new Uint8Array(der), algorithm, false, ['sign'])
}

const read = (file: string) => readFileSync(file, 'utf8')
const pair = (file: string): KeyPair => ({ cert: read(`${file}.crt`), key: read(`${file}.key`) })

/** Whole or not at all: a crash in between leaves the old file. */
function save(durable: boolean, file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600, flush: durable })
  renameSync(`${file}.new`, file)
}
