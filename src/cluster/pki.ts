/**
 * The cluster's certificates: one authority that signs serving and client certificates, one for the front proxy, made at the first boot and kept.
 * Keys are P-256, files are readable by root only.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { firstAddress } from '../apiserver/bootstrap/kubernetes-service.ts'
import { makeCertificate, newKey, type CertificateOptions, type KeyPair } from './certificate.ts'
import { checkKeys } from './modes.ts'
import type { Settings } from './settings.ts'

/** Who a certificate speaks for, and where it may serve. */
interface Request extends Pick<CertificateOptions, 'name' | 'groups' | 'serves'> {
  readonly file: string
}

export interface Pki {
  readonly ca: KeyPair
  /** The API server's serving certificate. */
  readonly server: KeyPair
  /** The API server's client certificate for kubelets. */
  readonly kubeletClient: KeyPair
  /** The administrator's: system:masters. */
  readonly admin: KeyPair
  /** The kubelet's serving and client certificate: system:node:<name>. */
  readonly node: KeyPair
  /** Signs service account tokens (PKCS#8 PEM). */
  readonly serviceAccountKey: string
  /** The front proxy's authority. One of its own, because what it signs may speak for anybody. */
  readonly frontProxyCa: KeyPair
  /** The API server's client certificate for extension API servers. */
  readonly frontProxyClient: KeyPair
  /** Calls back when certificates were renewed while the cluster runs; only where somebody renews them (`renewal.ts`). */
  onRenewal?(listener: () => void): void
}

/** The common name of the front proxy's certificate. */
export const frontProxyName = 'front-proxy-client'
const authorityName = 'skiff-ca'

const day = 24 * 3600 * 1000
const caLife = 3650 * day
const leafLife = 365 * day
/** A certificate with less than this left is renewed at boot. */
const renewBefore = 90 * day

/** The first address of the service network: the `kubernetes` service. */
export const firstServiceAddress = (settings: Settings): string => firstAddress(settings.serviceCidr)

/** The directory of the certificates, and the time at which they are checked. */
interface Place {
  readonly dir: string
  readonly now: number
}

/** Reads the cluster's certificates as of `now`, and makes those that are missing, about to expire, or not valid for the node's addresses. */
export function ensurePki(dir: string, settings: Settings, now = Date.now()): Pki {
  mkdirSync(dir, { recursive: true, mode: 0o700 })
  checkKeys(dir)
  const place: Place = { dir, now }
  const ca = ensureAuthority(place, 'ca', authorityName)
  const frontProxyCa = ensureAuthority(place, 'front-proxy-ca', 'skiff-front-proxy-ca')
  const leaf = (request: Request) => ensureLeaf(place, ca, request)
  return {
    ca,
    server: leaf(serverRequest(settings)),
    kubeletClient: leaf({ file: 'apiserver-kubelet-client', name: 'kube-apiserver-kubelet-client' }),
    admin: leaf(adminRequest),
    node: leaf(nodeRequest('node', settings.nodeName, settings.nodeAddress)),
    serviceAccountKey: ensureSigningKey(join(dir, 'service-account.key')),
    frontProxyCa,
    frontProxyClient: ensureLeaf(place, frontProxyCa, frontProxyRequest),
  }
}

/**
 * The certificates of an API server without nodes that lives as long as its process, kept nowhere: one authority for everything, and the
 * administrator's certificate in place of a node's.
 */
export function shortLivedPki(settings: Settings): Pki {
  const now = Date.now()
  const ca = newAuthority(now, authorityName)
  // It listens on 127.0.0.1 only; without ::1 Node need not compile its regular expression for IPv6.
  const serving = { ...serverRequest(settings), serves: serverNames(settings).filter((name) => name !== '::1') }
  const [server, admin, frontProxyClient] = [serving, adminRequest, frontProxyRequest].map((request) => newLeaf(now, ca, request)) as [KeyPair, KeyPair, KeyPair]
  return { ca, server, kubeletClient: admin, admin, node: admin, serviceAccountKey: newKey(), frontProxyCa: ca, frontProxyClient }
}

const serverNames = (settings: Settings): readonly string[] => [
  'kubernetes', 'kubernetes.default', 'kubernetes.default.svc', `kubernetes.default.svc.${settings.clusterDomain}`, 'localhost', settings.nodeName,
  '127.0.0.1', '::1', firstServiceAddress(settings), settings.nodeAddress,
]
const serverRequest = (settings: Settings): Request => ({ file: 'apiserver', name: 'kube-apiserver', serves: serverNames(settings) })
const adminRequest: Request = { file: 'admin', name: 'kubernetes-admin', groups: ['system:masters'] }
const frontProxyRequest: Request = { file: 'front-proxy-client', name: frontProxyName }

/** A kubelet's certificate: as a client it is the node, as a server it has the node's name and address. */
const nodeRequest = (file: string, name: string, address: string): Request => ({
  file,
  name: `system:node:${name}`,
  groups: ['system:nodes'],
  serves: [name, 'localhost', '127.0.0.1', address],
})

/** A certificate for a node on another machine. */
export const nodeCertificate = (dir: string, ca: KeyPair, name: string, address: string): KeyPair =>
  ensureLeaf({ dir, now: Date.now() }, ca, nodeRequest(`node-${name}`, name, address))

/** The cluster's authority, which must exist. */
export const authorityOf = (dir: string): KeyPair => pair(join(dir, 'ca'))

function ensureSigningKey(file: string): string {
  if (!existsSync(file)) save(file, newKey())
  return read(file)
}

function ensureAuthority({ dir, now }: Place, name: string, commonName: string): KeyPair {
  const file = join(dir, name)
  if (!existsSync(`${file}.crt`)) savePair(file, newAuthority(now, commonName))
  return pair(file)
}

function ensureLeaf({ dir, now }: Place, authority: KeyPair, request: Request): KeyPair {
  const file = join(dir, request.file)
  if (existsSync(`${file}.crt`) && fits(pair(file), authority, request, now)) return pair(file)
  savePair(file, newLeaf(now, authority, request))
  return pair(file)
}

const newAuthority = (now: number, name: string): KeyPair => makeCertificate({ name, for: 'signing', ...validity(now, caLife) })

const newLeaf = (now: number, authority: KeyPair, { name, groups, serves }: Request): KeyPair => makeCertificate({
  name, authority, for: 'client', ...validity(now, leafLife, Date.parse(new X509Certificate(authority.cert).validTo)),
  ...(groups ? { groups } : {}), ...(serves ? { serves } : {}),
})

function fits({ cert, key }: KeyPair, authority: KeyPair, request: Request, now: number): boolean {
  const certificate = new X509Certificate(cert)
  const issued = certificate.checkIssued(new X509Certificate(authority.cert))
  const fresh = Date.parse(certificate.validTo) - now > renewBefore
  // A crash between the two files leaves a key that does not match the certificate.
  const own = certificate.checkPrivateKey(createPrivateKey(key))
  const serves = (request.serves ?? []).every((name) => (isIP(name) ? certificate.checkIP(name) : certificate.checkHost(name)) !== undefined)
  const groups = certificate.subject.split('\n').filter((part) => part.startsWith('O=')).map((part) => part.slice(2))
  const speaks = groups.length === (request.groups?.length ?? 0) && groups.every((group) => request.groups?.includes(group))
  return issued && fresh && own && serves && speaks
}

/** Valid from five minutes ago, for clocks that are off. */
const validity = (now: number, life: number, end = Infinity) => ({ notBefore: new Date(now - 5 * 60_000), notAfter: new Date(Math.min(now + life, end)) })

const read = (file: string) => readFileSync(file, 'utf8')
const pair = (file: string): KeyPair => ({ cert: read(`${file}.crt`), key: read(`${file}.key`) })

function savePair(file: string, { cert, key }: KeyPair): void {
  save(`${file}.key`, key)
  save(`${file}.crt`, cert)
}

/** Atomic: a crash leaves the old file. */
function save(file: string, text: string): void {
  writeFileSync(`${file}.new`, text, { mode: 0o600, flush: true })
  renameSync(`${file}.new`, file)
}
