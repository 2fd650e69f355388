import { connect } from 'node:http2'
import { request } from 'node:https'
import { connect as connectTls } from 'node:tls'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { TLSSocket } from 'node:tls'
import { core } from '../../api/index.ts'
import { selfSigned } from '../testing/self-signed.ts'
import { startTestServer, tester, type TestServer } from '../testing.ts'

let started: TestServer
let seen: string[] = []
let finished: string[] = []
const client = await selfSigned('me')

beforeEach(async () => {
  seen = []
  finished = []
  const tls = await selfSigned('localhost')
  started = await startTestServer({
    tls: { ...tls, clientCa: client.cert },
    edges: {
      authenticate: (raw) => {
        const socket = ('stream' in raw && raw.stream.session ? raw.stream.session.socket : raw.socket) as TLSSocket
        seen.push(socket.authorized ? String(socket.getPeerCertificate().subject.CN) : 'nobody')
        return tester
      },
      observer: { started: () => undefined, finished: ({ verb }) => void finished.push(verb) },
      routes: {
        handle: () => undefined,
        upgrade: () => async (_request, socket) => void socket.end('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\nhello'),
      },
    },
  })
  await started.server.listen()
})
afterEach(() => started.server.close())

const path = '/api/v1/namespaces/default/configmaps'

describe('HTTPS', () => {
  it('speaks HTTP/2 and HTTP/1.1 on one port, and knows clients by their certificates', async () => {
    const session = connect(started.server.url, { ca: [], rejectUnauthorized: false, key: client.key, cert: client.cert })
    const body = await new Promise<string>((resolve) => {
      const stream = session.request({ ':path': path })
      let text = ''
      stream.setEncoding('utf8').on('data', (chunk: string) => (text += chunk)).on('end', () => resolve(text))
    })
    expect(JSON.parse(body)).toMatchObject({ kind: 'ConfigMapList' })
    session.close()
    const code = await new Promise((resolve) => request(`${started.server.url}${path}`, { rejectUnauthorized: false }, (response) => {
      response.resume()
      resolve(response.statusCode)
    }).end())
    expect(code).toBe(200)
    expect(seen).toEqual(['me', 'nobody'])
  })

  it('does not speak what is older than TLS 1.2, nor without forward secrecy and authenticated encryption', async () => {
    const port = Number(new URL(started.server.url).port)
    const outcome = (options: object) => new Promise<string>((resolve) => {
      // The lowest security level is the client's: what is refused, the server refuses.
      const { ciphers = 'ALL', ...rest } = options as { ciphers?: string }
      const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ciphers: `${ciphers}:@SECLEVEL=0`, ...rest }, () => {
        resolve(`${socket.getProtocol()} ${socket.getCipher().standardName}`)
        socket.destroy()
      })
      socket.once('error', () => resolve('refused'))
    })
    expect(await outcome({ minVersion: 'TLSv1', maxVersion: 'TLSv1' })).toBe('refused')
    expect(await outcome({ minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1' })).toBe('refused')
    expect(await outcome({ maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384:ECDHE-ECDSA-AES128-CCM' })).toBe('refused')
    expect(await outcome({ maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256:AES256-SHA' })).toBe('refused')
    expect(await outcome({ maxVersion: 'TLSv1.2' })).toMatch(/^TLSv1\.2 TLS_ECDHE_ECDSA_WITH_(AES|CHACHA20)/)
    expect(await outcome({})).toMatch(/^TLSv1\.3 /)
  })

  it('takes long URLs: commands are in them', async () => {
    const long = `${path}?fieldSelector=metadata.name%3D${'a'.repeat(100_000)}`
    const session = connect(started.server.url, { rejectUnauthorized: false, settings: { maxHeaderListSize: 1 << 20 }, maxSendHeaderBlockLength: 1 << 20 })
    const code2 = await new Promise((resolve) => session.request({ ':path': long }).on('response', (headers) => resolve(headers[':status'])).resume())
    const code1 = await new Promise((resolve) => request(`${started.server.url}${long}`, { rejectUnauthorized: false }, (response) => {
      response.resume()
      resolve(response.statusCode)
    }).end())
    session.close()
    expect([code1, code2]).toEqual([200, 200])
  })

  it('streams watches over HTTP/2', async () => {
    const session = connect(started.server.url, { rejectUnauthorized: false })
    const stream = session.request({ ':path': `${path}?watch=1` })
    const lines: string[] = []
    const first = new Promise<void>((resolve) => stream.setEncoding('utf8').on('data', (chunk: string) => {
      lines.push(chunk)
      resolve()
    }))
    await new Promise((resolve) => stream.once('response', resolve))
    await started.client.create(core.configmaps, { metadata: { name: 'a', namespace: 'default' } })
    await first
    expect(JSON.parse(lines.join(''))).toMatchObject({ type: 'ADDED', object: { metadata: { name: 'a' } } })
    stream.close()
    session.close()
  })

  it('cuts HTTP/2 watchers off that do not read', async () => {
    const session = connect(started.server.url, { rejectUnauthorized: false })
    const stream = session.request({ ':path': `${path}?watch=1` }).on('error', () => undefined)
    await new Promise((resolve) => stream.once('response', resolve))
    await started.client.create(core.configmaps, { metadata: { name: 'big', namespace: 'default' }, data: { x: 'x'.repeat(1_000_000) } })
    const write = (i: number) => started.client.patch(core.configmaps, 'big', { type: 'merge', body: { data: { i: String(i) } } }, { namespace: 'default' })
    for (let i = 0; i < 40; i++) await write(i)
    await expect.poll(() => finished).toContain('WATCH')
    session.destroy()
  })

  it('ends HTTP/2 watches when it closes', async () => {
    const session = connect(started.server.url, { rejectUnauthorized: false })
    const stream = session.request({ ':path': `${path}?watch=1` })
    stream.resume()
    await new Promise((resolve) => stream.once('response', resolve))
    const ended = new Promise((resolve) => stream.once('end', resolve))
    await started.server.close()
    await ended
    session.destroy()
  })

  it('hands upgrades to the subresource that takes them, and answers others as if none were offered', async () => {
    const upgrade = (where: string) => new Promise<string>((resolve) => {
      const socket = connectTls({ port: started.server.port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }, () => {
        socket.write(`GET ${where} HTTP/1.1\r\nHost: x\r\nConnection: close, Upgrade\r\nUpgrade: echo\r\n\r\n`)
      })
      let text = ''
      socket.on('data', (chunk) => (text += chunk.toString())).on('close', () => resolve(text)).on('error', () => undefined)
    })
    expect(await upgrade('/api/v1/namespaces/default/pods/p/exec?command=ls')).toMatch(/^HTTP\/1.1 101 .*hello$/s)
    expect(await upgrade(path)).toMatch(/^HTTP\/1.1 200 .*"kind":"ConfigMapList"/s)
    expect(await upgrade('/nothing/here')).toMatch(/^HTTP\/1.1 404 /)
    expect(await upgrade('/api/v1/%zz')).toMatch(/^HTTP\/1.1 400 /)
  })
})
