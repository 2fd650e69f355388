/**
 * The certificates of a node whose control plane is elsewhere. The first comes in its kubeconfig, or is requested with a bootstrap token;
 * the node requests later ones itself, by certificate signing requests, long before those it has expire.
 */
import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto'
import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join } from 'node:path'
import { certificates } from '../api/index.ts'
import type { Client } from '../client/client.ts'
import type { Clock } from '../machinery/clock.ts'
import { ApiError } from '../machinery/errors.ts'
import type { Component, Logger } from '../machinery/log.ts'
import { loadX509 } from '../machinery/x509.ts'
import { makeCertificate, type KeyPair } from './certificate.ts'
import { makeDirectory } from './paths.ts'
import { UserError } from './user-error.ts'

export interface NodeIdentity {
  readonly nodeName: string
  /** PEM of the cluster's authority. */
  readonly ca: string
  /** The directory where the node keeps its certificates. */
  readonly dir: string
  readonly clock: Clock
  readonly log: Logger
}

const csrs = certificates.certificatesigningrequests
const clientSigner = 'kubernetes.io/kube-apiserver-client-kubelet'
const servingSigner = 'kubernetes.io/kubelet-serving'
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const pollEvery = 1000
const lookEvery = 3_600_000
/** The fraction of a certificate's lifetime after which the next is requested. */
const renewAt = 0.8

/** Requests a certificate and waits until it is issued. Throws when the request is denied or failed. */
async function ask(client: Client, { nodeName, clock, log }: NodeIdentity, signerName: string, usage: 'client auth' | 'server auth', hosts: readonly string[], signal?: AbortSignal): Promise<KeyPair> {
  const x509 = await loadX509()
  const keys = (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: new x509.Name([{ O: ['system:nodes'] }, { CN: [`system:node:${nodeName}`] }]),
    keys,
    signingAlgorithm: algorithm,
    extensions: hosts.length > 0 ? [new x509.SubjectAlternativeNameExtension(hosts.map((value) => ({ type: isIP(value) ? 'ip' as const : 'dns' as const, value })))] : [],
  })
  const made = await client.create(csrs, {
    metadata: { generateName: 'csr-' },
    spec: { signerName, usages: ['digital signature', usage], request: Buffer.from(`${request.toString('pem')}\n`).toString('base64') },
  })
  const name = made.metadata.name ?? ''
  for (let waited = 0; ; waited++) {
    const { status } = await client.get(csrs, name, signal ? { signal } : {})
    const refusal = status.conditions?.find((c) => c.type === 'Denied' || c.type === 'Failed')
    if (refusal) throw new Error(`certificate signing request ${name} was not granted: ${refusal.message || refusal.reason || refusal.type}`)
    if (status.certificate) {
      const key = createPrivateKey({ key: Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)), format: 'der', type: 'pkcs8' }).export({ type: 'pkcs8', format: 'pem' }) as string
      return { cert: Buffer.from(status.certificate, 'base64').toString('utf8'), key }
    }
    if (waited === 10) log.warn({ request: name }, `waiting for a certificate; if it is not approved by itself: kubectl certificate approve ${name}`)
    await clock.sleep(pollEvery, signal)
  }
}

const clientFile = 'kubelet-client'
const servingFile = 'kubelet-server'
/** Both in one file: a crash leaves the old pair or the new one. */
const fileOf = (dir: string, name: string): string => join(dir, `${name}.pem`)

function save(dir: string, name: string, pair: KeyPair): void {
  makeDirectory(dir)
  const file = fileOf(dir, name)
  writeFileSync(`${file}.new`, `${pair.key.trim()}\n${pair.cert.trim()}\n`, { mode: 0o600, flush: true })
  renameSync(`${file}.new`, file)
}

function read(dir: string, name: string): KeyPair | undefined {
  const file = fileOf(dir, name)
  if (!existsSync(file)) return undefined
  const text = readFileSync(file, 'utf8')
  const at = text.indexOf('-----BEGIN CERTIFICATE-----')
  return { key: text.slice(0, at), cert: text.slice(at) }
}

/** The client certificate that the node requested; undefined while it uses the one in its kubeconfig. */
export const keptClientCertificate = (dir: string): KeyPair | undefined => read(dir, clientFile)

/** The kept certificate, if it is this node's, of this authority, and still valid. */
function load({ dir, nodeName, ca, clock }: NodeIdentity, name: string): KeyPair | undefined {
  const pair = read(dir, name)
  if (!pair) return undefined
  const certificate = new X509Certificate(pair.cert)
  const authority = new X509Certificate(ca)
  const holds = certificate.checkIssued(authority) && certificate.verify(authority.publicKey) && certificate.checkPrivateKey(createPrivateKey(pair.key))
  return holds && nodeOf(pair) === nodeName && lifeOf(pair).until > clock.now() ? pair : undefined
}

const lifeOf = ({ cert }: Pick<KeyPair, 'cert'>) => {
  const { validFrom, validTo } = new X509Certificate(cert)
  return { from: Date.parse(validFrom), until: Date.parse(validTo) }
}

/** The node that a certificate names, if any. */
export const nodeOf = ({ cert }: Pick<KeyPair, 'cert'>): string | undefined => /^CN=system:node:(.+)$/m.exec(new X509Certificate(cert).subject)?.[1]

/** Whether the node can serve with it. */
const serves = ({ cert }: KeyPair): boolean => new X509Certificate(cert).keyUsage?.includes('1.3.6.1.5.5.7.3.1') ?? false

/** The first client certificate: the kept one if it is valid for longer than the given one; with neither, a new one through the bootstrap client. */
export async function firstCertificate(identity: NodeIdentity, given: KeyPair | undefined, bootstrap: () => Client, signal?: AbortSignal): Promise<KeyPair> {
  const kept = load(identity, clientFile)
  if (given && (!kept || lifeOf(given).until >= lifeOf(kept).until)) return given
  if (kept) return kept
  const pair = await firstAnswer(identity, bootstrap(), signal)
  save(identity.dir, clientFile, pair)
  identity.log.info({ node: identity.nodeName, until: new Date(lifeOf(pair).until).toISOString() }, 'this node got its certificate')
  return pair
}

/** Waits until the control plane answers: after a power cut, hosts come back in any order. */
async function firstAnswer(identity: NodeIdentity, client: Client, signal?: AbortSignal): Promise<KeyPair> {
  for (let waited = false; ; waited = true) {
    try {
      return await ask(client, identity, clientSigner, 'client auth', [], signal)
    } catch (error) {
      const { message, code } = error as Error & { readonly code?: unknown }
      const silent = message.startsWith('cannot reach') || (error instanceof ApiError && Number(code) >= 500)
      if (!silent || signal?.aborted) throw new UserError(`this node could not get its certificate: ${message}`)
      if (!waited) identity.log.warn({ error: message }, 'the control plane does not answer yet, waiting for it')
      await identity.clock.sleep(pollEvery, signal)
    }
  }
}

export interface NodeCertificates extends Component {
  /** The first serving certificate. */
  readonly serving: KeyPair
  onServing(listener: (next: KeyPair) => void): void
}

/**
 * Keeps the node's certificates current. `client` is the node's own; `renewClient` gets its next certificate. `address`: the one in the
 * node's Node object.
 */
export function keepNodeCertificates(identity: NodeIdentity, options: { readonly client: Client; readonly first: KeyPair; readonly address: string; renewClient(pair: KeyPair): void }): NodeCertificates {
  const { clock, log, dir } = identity
  const { client, first, address, renewClient } = options
  const stopped = new AbortController()
  const listeners: ((next: KeyPair) => void)[] = []
  const kept = load(identity, servingFile)
  let current = first
  // A self-signed one serves until the authority has signed the first.
  let serving = serves(first) && !kept ? first : (kept ?? placeholder(identity))
  let asked = serving === first || kept !== undefined

  const isDue = (pair: KeyPair): boolean => {
    const { from, until } = lifeOf(pair)
    return clock.now() > from + (until - from) * renewAt
  }
  const say = (pair: KeyPair, what: string) => log.info({ until: new Date(lifeOf(pair).until).toISOString() }, `${what} was renewed`)
  async function look(): Promise<void> {
    if (isDue(current)) {
      current = await ask(client, identity, clientSigner, 'client auth', [], stopped.signal)
      save(dir, clientFile, current)
      renewClient(current)
      say(current, "the node's client certificate")
    }
    if (!asked || isDue(serving)) {
      serving = await ask(client, identity, servingSigner, 'server auth', [identity.nodeName, address], stopped.signal)
      asked = true
      save(dir, servingFile, serving)
      for (const listener of listeners) listener(serving)
      say(serving, "the node's serving certificate")
    }
  }
  async function run(): Promise<void> {
    while (!stopped.signal.aborted) {
      await look().catch((error: Error) => stopped.signal.aborted || log.warn({ error: error.message }, 'the certificates of the node could not be renewed; trying again'))
      await clock.sleep(asked ? lookEvery : lookEvery / 60, stopped.signal).catch(() => undefined)
    }
  }
  void run()
  return {
    serving,
    onServing: (listener) => void listeners.push(listener),
    async stop() { stopped.abort() },
  }
}

/** A self-signed certificate, which nobody trusts. */
const placeholder = ({ nodeName, clock }: NodeIdentity): KeyPair =>
  makeCertificate({ name: `system:node:${nodeName}`, for: 'client', serves: [nodeName], notBefore: new Date(clock.now()), notAfter: new Date(clock.now() + 365 * 24 * lookEvery) })
