/** For tests: an issuer of JSON web tokens and other servers that decide, on loopback with certificates of their own authority. */
import { generateKeyPairSync, randomUUID, type KeyObject } from 'node:crypto'
import { createServer, type Server } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, SignJWT } from 'jose'
import { loadX509 } from '../../machinery/x509.ts'

export interface TestServer {
  readonly url: string
  /** PEM. */
  readonly ca: string
  close(): Promise<void>
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }

/** A certificate of its own authority, for loopback. */
export async function selfSigned(): Promise<{ readonly cert: string; readonly key: string }> {
  const x509 = await loadX509()
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    name: 'CN=localhost', keys, signingAlgorithm: algorithm, notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000),
    extensions: [new x509.BasicConstraintsExtension(true), new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }, { type: 'ip', value: '127.0.0.1' }])],
  })
  const der = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return { cert: certificate.toString('pem'), key: `-----BEGIN PRIVATE KEY-----\n${der}\n-----END PRIVATE KEY-----\n` }
}

/** An HTTPS server on a free port of loopback. It asks for certificates, and takes any. */
export async function startServer(answer: (request: IncomingMessage, response: ServerResponse) => void): Promise<TestServer> {
  const { cert, key } = await selfSigned()
  const server: Server = createServer({ cert, key, requestCert: true, rejectUnauthorized: false }, answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    ca: cert,
    close: () => new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    }),
  }
}

export interface TestIssuer extends TestServer {
  /** Paths that were asked for. */
  readonly asked: string[]
  /** Makes a token; `by`: another key than the current one. */
  token(claims: Readonly<Record<string, unknown>>, by?: { readonly key: KeyObject; readonly kid: string }): Promise<string>
  /** A new key from now on; the old ones are published no more. */
  rotate(): { readonly key: KeyObject; readonly kid: string }
  /** Texts at further paths, and with which `Authorization` these were asked for. */
  readonly places: Map<string, string>
  readonly shown: Map<string, string | undefined>
  /** What the discovery document says differently. */
  readonly lies: { issuer?: string; jwks_uri?: string; redirect?: string }
}

/** An OpenID Connect issuer: discovery document, keys, tokens that last an hour. */
export async function startIssuer(): Promise<TestIssuer> {
  const asked: string[] = []
  const lies: TestIssuer['lies'] = {}
  const places = new Map<string, string>()
  const shown = new Map<string, string | undefined>()
  const newKey = () => ({ ...generateKeyPairSync('rsa', { modulusLength: 2048 }), kid: randomUUID() })
  let current = newKey()
  const server = await startServer((request, response) => {
    asked.push(request.url ?? '')
    const send = (value: unknown) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(value))
    if (lies.redirect) return void response.writeHead(302, { location: lies.redirect }).end()
    if (request.url === '/.well-known/openid-configuration') return void send({ issuer: lies.issuer ?? server.url, jwks_uri: lies.jwks_uri ?? `${server.url}/keys` })
    if (request.url === '/keys') return void exportJWK(current.publicKey).then((jwk) => send({ keys: [{ ...jwk, kid: current.kid, alg: 'RS256', use: 'sig' }] }))
    shown.set(request.url ?? '', request.headers.authorization)
    const place = places.get(request.url ?? '')
    response.writeHead(place === undefined ? 404 : 200, { 'content-type': 'application/jwt' }).end(place)
  })
  return {
    ...server,
    places,
    shown,
    asked,
    lies,
    token: (claims, by = { key: current.privateKey, kid: current.kid }) => {
      const now = Math.floor(Date.now() / 1000)
      return new SignJWT({ iss: server.url, aud: 'skiff', sub: 'ana', iat: now, exp: now + 3600, ...claims }).setProtectedHeader({ alg: 'RS256', kid: by.kid }).sign(by.key)
    },
    rotate() {
      const before = current
      current = newKey()
      return { key: before.privateKey, kid: before.kid }
    },
  }
}
