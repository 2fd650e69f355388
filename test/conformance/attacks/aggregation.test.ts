/** An extension API server that lies, and clients that want to speak to one as somebody else: the bytes on both sides as nobody's library would send them. */
import { connect, type ClientHttp2Session } from 'node:http2'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer, type Server, type TLSSocket } from 'node:tls'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { attempt, issue, type Attempt } from '../../support/attackers.ts'
import { startTestControlPlane, type TestControlPlane } from '../../support/control-plane.ts'
import { selfSigned } from '../../support/extension-server.ts'
import { eventually } from '../../support/host.ts'

let cluster: TestControlPlane
let server: Server
/** What came for the resource, as bytes (latin1), and what is said to it. */
let seen: string[]
let say: (socket: TLSSocket) => void
const dir = mkdtempSync(join(tmpdir(), 'skiff-liar-'))
const path = '/apis/liar.example/v1/things/x'
const good = (headers = '') => (socket: TLSSocket) => void socket.write(`HTTP/1.1 200 OK\r\n${headers}content-length: 2\r\n\r\nhi`)

beforeAll(async () => {
  writeFileSync(join(dir, 'tokens.csv'), 'zoe,Zoë,,\nfake,ZoÃ«,,\njapan,日本,,')
  cluster = await startTestControlPlane({ apiServerArguments: { 'token-auth-file': join(dir, 'tokens.csv') } })
  const pair = await selfSigned(['liar.extensions.svc'])
  const resources = JSON.stringify({ kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'liar.example/v1', resources: [{ name: 'things', singularName: 'thing', namespaced: false, kind: 'Thing', verbs: ['get', 'create'] }] })
  server = createServer(pair, (socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (data) => {
      const text = data.toString('latin1')
      if (!text.includes('/things')) return void socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${resources.length}\r\n\r\n${resources}`)
      seen.push(text)
      say(socket)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, resolve))
  await cluster.kubectl('create', 'namespace', 'extensions')
  await cluster.apply({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'liar', namespace: 'extensions' }, spec: { type: 'ExternalName', externalName: 'localhost' } })
  const { port } = server.address() as AddressInfo
  await cluster.apply({
    apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name: 'v1.liar.example' },
    spec: { group: 'liar.example', version: 'v1', groupPriorityMinimum: 100, versionPriority: 100, service: { namespace: 'extensions', name: 'liar', port }, caBundle: Buffer.from(pair.cert).toString('base64') },
  })
  await eventually('the API service', async () => ((await cluster.kubectl('get', 'apiservice', 'v1.liar.example', '-o', 'jsonpath={.status.conditions[*].status}')) === 'True' ? true : undefined))
  await cluster.kubectl('create', 'clusterrole', 'things', '--verb=*', '--resource=things.liar.example')
  await cluster.kubectl('create', 'clusterrolebinding', 'things', '--clusterrole=things', '--group=system:authenticated')
})
beforeEach(() => {
  seen = []
  say = good()
})
afterAll(async () => {
  await cluster?.stop()
  server?.close()
  rmSync(dir, { recursive: true })
})

const ask = (one: Attempt = { cert: cluster.pki.admin }) => attempt(cluster, path, one)
/** What the extension server makes of a header of the last request. */
const received = (name: string): string => Buffer.from(new RegExp(`^${name}: ?(.*)$`, 'im').exec(seen.at(-1) ?? '')?.[1]?.trim() ?? '', 'latin1').toString()

describe('an extension server', () => {
  it('that says what no server may say costs its client an answer, and nobody else anything', async () => {
    const lies: Record<string, string> = {
      'protocols switched unasked': 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: Upgrade\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nno',
      'a huge header': `HTTP/1.1 200 OK\r\nx: ${'a'.repeat(1 << 20)}\r\n\r\n`,
      'no HTTP': '\x00\x01 nonsense\r\n\r\n',
      'two lengths': 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ncontent-length: 9\r\n\r\nno',
      'a length and chunks': 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
      'a code that is none': 'HTTP/1.1 000 X\r\ncontent-length: 0\r\n\r\n',
    }
    for (const [name, lie] of Object.entries(lies)) {
      say = (socket) => void socket.write(Buffer.from(lie, 'latin1'))
      expect((await ask()).code, name).toBeGreaterThanOrEqual(500)
      say = good()
      expect((await ask()).text, name).toBe('hi')
    }
  })

  it('neither opens its answers to other sites, nor names the request, nor sends this server elsewhere', async () => {
    say = good('access-control-allow-origin: *\r\naccess-control-allow-credentials: true\r\naudit-id: forged\r\n')
    for (const upgrade of [[], ['connection', 'Upgrade', 'upgrade', 'websocket']]) {
      const { code, headers } = await ask({ cert: cluster.pki.admin, headers: upgrade })
      expect([code, headers['access-control-allow-origin'], headers['access-control-allow-credentials']]).toEqual([200, undefined, undefined])
      expect(headers['audit-id']).not.toBe('forged')
    }
    say = (socket) => void socket.write('HTTP/1.1 302 Found\r\nlocation: https://127.0.0.1:1/\r\ncontent-length: 0\r\n\r\n')
    expect(await ask()).toMatchObject({ code: 302, headers: { location: 'https://127.0.0.1:1/' } })
  })

  it('takes nobody for somebody else, whatever letters a name has', async () => {
    for (const [token, name] of [['zoe', 'Zoë'], ['fake', 'ZoÃ«'], ['japan', '日本']] as const) {
      expect((await ask({ token })).code, name).toBe(200)
      expect(received('x-remote-user')).toBe(name)
    }
    const sneaky = await issue(cluster.pki.ca, { name: 'a\r\nX-Remote-Group: system:masters' })
    expect((await ask({ cert: sneaky })).code).toBe(500)
    expect(seen.join('')).not.toContain('system:masters')
  })
})

describe('names in headers', () => {
  it('are the names that people wrote', async () => {
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' }
    const latin1 = (text: string) => Buffer.from(text).toString('latin1')
    const { json } = await attempt(cluster, '/apis/authentication.k8s.io/v1/selfsubjectreviews', { cert: cluster.pki.admin, body: review, headers: ['Impersonate-User', latin1('Zoë 日本'), 'Impersonate-Group', latin1('Gäste')] })
    expect((json as unknown as { status: { userInfo: object } }).status.userInfo).toMatchObject({ username: 'Zoë 日本', groups: ['Gäste', 'system:authenticated'] })
  })
})

describe('a request within a request', () => {
  const within = 'GET /apis/liar.example/v1/things/within HTTP/1.1\r\nHost: x\r\nX-Remote-User: root\r\nX-Remote-Group: system:masters\r\n\r\n'
  const session = (): ClientHttp2Session => connect(cluster.url, { ca: cluster.pki.ca.cert, cert: cluster.pki.admin.cert, key: cluster.pki.admin.key }).on('error', () => undefined)
  const send = (headers: Record<string, string>, body: string): Promise<number> => new Promise((resolve) => {
    const client = session()
    const stream = client.request({ ':path': path, ...headers }, { endStream: false })
    let code = 0
    stream.on('response', (received) => void (code = Number(received[':status'])))
    stream.on('error', () => undefined)
    stream.on('close', () => {
      client.destroy()
      resolve(code)
    })
    stream.resume()
    stream.end(body)
    setTimeout(() => stream.destroy(), 3000).unref()
  })
  /** The heads of the requests that reached the extension server: where lines begin with a method. */
  const reached = () => (seen.join('').match(/^[A-Z]+ \/apis\/liar\.example\/v1\/things\/\S+ HTTP\/1\.1$/gm) ?? [])

  it('reaches nobody over HTTP/2, by lengths that are wrong or methods that have no body', async () => {
    expect(await send({ ':method': 'POST', 'content-length': '2' }, 'hi')).toBe(200)
    seen = []
    await send({ ':method': 'POST', 'content-length': '3' }, `abc${within}`)
    await send({ ':method': 'GET' }, within)
    await send({ ':method': 'GET', 'content-length': '0' }, within)
    await send({ ':method': 'DELETE', 'content-length': '0' }, within)
    expect(reached().filter((head) => head.includes('within'))).toEqual([])
    // What ends too soon takes its connection with it, and is no beginning of the next request.
    await send({ ':method': 'POST', 'content-length': '5000' }, 'half')
    expect((await ask()).text).toBe('hi')
  })
})
