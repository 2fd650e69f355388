/** What attackers send: requests with any credential, any header twice, any path as it is, over HTTP/1.1, HTTP/2 and upgrades; certificates of any make. */
import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto'
import { connect, type OutgoingHttpHeaders } from 'node:http2'
import { request as httpsRequest } from 'node:https'
import { loadX509 } from '../../src/machinery/x509.ts'
import type { KeyPair } from '../../src/cluster/certificate.ts'
import type { TestControlPlane } from './control-plane.ts'

export interface Answer {
  readonly code: number
  readonly text: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The body as JSON; an empty object when it is none. */
  readonly json: Record<string, never> & { readonly message?: string; readonly reason?: string; readonly items?: readonly object[] }
}

export interface Attempt {
  readonly method?: string
  readonly body?: object | string
  readonly token?: string
  readonly cert?: KeyPair
  /** Names and values in turn: a name may stand there twice, in any writing. */
  readonly headers?: readonly string[]
  readonly contentType?: string
}

const answerOf = (code: number, text: string, headers: Answer['headers']): Answer => {
  let json: Answer['json'] = {} as never
  try {
    json = JSON.parse(text) as Answer['json']
  } catch {
    // No JSON: a page, or nothing.
  }
  return { code, text, headers, json }
}

const bodyOf = ({ body }: Attempt): string | undefined => (body === undefined || typeof body === 'string' ? body : JSON.stringify(body))

/** One request over HTTP/1.1, its path as it is. Code 0: the server did not even answer. */
export function attempt(cluster: TestControlPlane, path: string, one: Attempt = {}): Promise<Answer> {
  const text = bodyOf(one)
  const url = new URL(cluster.url)
  const headers = [
    'host', url.host, ...(one.token ? ['authorization', `Bearer ${one.token}`] : []), ...(one.headers ?? []),
    ...(text === undefined ? [] : ['content-type', one.contentType ?? 'application/json', 'content-length', String(Buffer.byteLength(text))]),
  ]
  return new Promise((resolve) => {
    const call = httpsRequest({ host: url.hostname, port: url.port, path, method: one.method ?? (text === undefined ? 'GET' : 'POST'), headers, ca: cluster.pki.ca.cert, cert: one.cert?.cert, key: one.cert?.key, agent: false, timeout: 20_000 })
    call.on('error', () => resolve(answerOf(0, '', {})))
    call.on('timeout', () => call.destroy())
    call.on('upgrade', (response, socket) => {
      socket.destroy()
      resolve(answerOf(response.statusCode ?? 0, '', response.headers))
    })
    call.on('response', (response) => {
      let answer = ''
      response.on('data', (chunk: Buffer) => void (answer += chunk.toString()))
      response.on('end', () => resolve(answerOf(response.statusCode ?? 0, answer, response.headers)))
      response.on('error', () => resolve(answerOf(response.statusCode ?? 0, answer, response.headers)))
    })
    // As bytes: the headers stay as they are.
    call.end(text === undefined ? undefined : Buffer.from(text))
  })
}

/** One request over HTTP/2. */
export function attemptH2(cluster: TestControlPlane, path: string, headers: OutgoingHttpHeaders, cert?: KeyPair): Promise<Answer> {
  return new Promise((resolve) => {
    const session = connect(cluster.url, { ca: cluster.pki.ca.cert, ...(cert ? { cert: cert.cert, key: cert.key } : {}) })
    session.on('error', () => resolve(answerOf(0, '', {})))
    const stream = session.request({ ':path': path, ...headers })
    let text = ''
    let code = 0
    stream.on('response', (received) => (code = Number(received[':status'])))
    stream.on('data', (chunk: Buffer) => void (text += chunk.toString()))
    stream.on('error', () => undefined)
    stream.on('close', () => {
      session.close()
      resolve(answerOf(code, text, {}))
    })
    stream.end()
  })
}

export interface CertificateOptions {
  readonly name: string
  readonly groups?: readonly string[]
  /** Extended usages; none when empty. Client authentication when left out. */
  readonly usages?: readonly ('client' | 'server')[]
  /** Milliseconds from now; negative: it has run out. */
  readonly until?: number
  readonly from?: number
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const newKeys = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>
const pemOfKey = async (key: webcrypto.CryptoKey): Promise<string> =>
  createPrivateKey({ key: Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)), format: 'der', type: 'pkcs8' }).export({ type: 'pkcs8', format: 'pem' }) as string

/** A certificate of the authority. */
export async function issue(authority: KeyPair, { name, groups = [], usages = ['client'], until = 3_600_000, from = -3_600_000 }: CertificateOptions): Promise<KeyPair> {
  const x509 = await loadX509()
  const keys = await newKeys()
  const issuer = new x509.X509Certificate(authority.cert)
  const signingKey = await webcrypto.subtle.importKey('pkcs8', new Uint8Array(createPrivateKey(authority.key).export({ type: 'pkcs8', format: 'der' })), algorithm, false, ['sign'])
  const now = Date.now()
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomBytes(8).toString('hex'), issuer: issuer.subjectName, publicKey: keys.publicKey, signingKey, signingAlgorithm: algorithm,
    subject: new x509.Name([...groups.map((g) => ({ O: [g] })), ...(name ? [{ CN: [name] }] : [])]),
    notBefore: new Date(now + from), notAfter: new Date(now + until),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      ...(usages.length > 0 ? [new x509.ExtendedKeyUsageExtension(usages.map((u) => (u === 'client' ? x509.ExtendedKeyUsage.clientAuth : x509.ExtendedKeyUsage.serverAuth)))] : []),
    ],
  })
  return { cert: certificate.toString('pem'), key: await pemOfKey(keys.privateKey) }
}

/** The base64 of a certificate signing request, as `spec.request` holds it. */
export async function signingRequest(name: string, groups: readonly string[], hosts: readonly string[] = []): Promise<string> {
  const x509 = await loadX509()
  const keys = await newKeys()
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: new x509.Name([...groups.map((g) => ({ O: [g] })), { CN: [name] }]), keys, signingAlgorithm: algorithm,
    extensions: hosts.length > 0 ? [new x509.SubjectAlternativeNameExtension(hosts.map((value) => ({ type: /^[\d.]+$/.test(value) ? 'ip' as const : 'dns' as const, value })))] : [],
  })
  return Buffer.from(request.toString('pem')).toString('base64')
}

/** An authority of the attacker's own, with any name. */
export async function ownAuthority(name: string): Promise<KeyPair> {
  const x509 = await loadX509()
  const keys = await newKeys()
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01', name: `CN=${name}`, keys, signingAlgorithm: algorithm, notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000),
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  })
  return { cert: certificate.toString('pem'), key: await pemOfKey(keys.privateKey) }
}
