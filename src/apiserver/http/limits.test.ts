import { connect as connectHttp2, constants, type ClientHttp2Session } from 'node:http2'
import { connect, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterEach, describe, expect, it } from 'vitest'
import { selfSigned } from '../testing/self-signed.ts'
import { startTestServer, type TestServer, type TestServerOptions } from '../testing.ts'

const tls = await selfSigned('localhost')
let started: TestServer
afterEach(() => started.server.close())

async function start(options: TestServerOptions = {}): Promise<number> {
  started = await startTestServer(options)
  await started.server.listen()
  return started.server.port
}

const configmaps = '/api/v1/namespaces/default/configmaps'
const head = (method: string, path: string, ...headers: string[]) => `${[`${method} ${path} HTTP/1.1`, 'Host: x', ...headers].join('\r\n')}\r\n\r\n`

interface Peer { readonly socket: Socket; text(): string; readonly closed: Promise<void>; open(): boolean }

/** A connection on which everything is written by hand. */
function peer(socket: Socket): Peer {
  let text = ''
  let open = true
  socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')))
  socket.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => socket.once('close', () => {
    open = false
    resolve()
  }))
  return { socket, text: () => text, closed, open: () => open }
}
const dial = (port: number): Peer => peer(connect(port, '127.0.0.1'))
const dialTls = (port: number): Peer => peer(connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }))

/** Everybody else is served as if nothing were the matter. */
async function serves(): Promise<void> {
  const { server } = started
  const name = `ok-${Math.random().toString(36).slice(2)}`
  if (server.url.startsWith('http:')) expect((await fetch(`${server.url}${configmaps}`)).status).toBe(200)
  else {
    const other = dialTls(server.port)
    other.socket.write(head('GET', `${configmaps}/${name}`, 'Connection: close'))
    await other.closed
    expect(other.text()).toContain('404 Not Found')
  }
}

describe.each(['http', 'https'] as const)('over %s', (scheme) => {
  const begin = (limits: TestServerOptions['limits'] = {}) => start({ limits, ...(scheme === 'https' ? { tls } : {}) })
  const open = (port: number) => (scheme === 'https' ? dialTls(port) : dial(port))

  it('a head that is too large is refused with 431', async () => {
    const port = await begin()
    const client = open(port)
    client.socket.write(head('GET', configmaps, `X-Big: ${'x'.repeat(300 * 1024)}`))
    await client.closed
    expect(client.text()).toMatch(/^HTTP\/1.1 431 Request Header Fields Too Large/)
    const long = open(port)
    long.socket.write(head('GET', `${configmaps}?labelSelector=${'x'.repeat(300 * 1024)}`))
    await long.closed
    expect(long.text()).toMatch(/^HTTP\/1.1 431 /)
    await serves()
  })

  it('too many headers are refused, not left out', async () => {
    const client = open(await begin({ headers: 50 }))
    client.socket.write(head('GET', configmaps, ...Array.from({ length: 60 }, (_, i) => `X-${i}: y`)))
    await client.closed
    expect(client.text()).toMatch(/^HTTP\/1.1 431 /)
    await serves()
  })

  it('a head that comes drop by drop is not waited for', async () => {
    const client = open(await begin({ headTime: 300 }))
    client.socket.write('GET /api HTTP/1.1\r\n')
    const timer = setInterval(() => client.socket.write('X: y\r\n'), 50)
    await client.closed
    clearInterval(timer)
    expect(client.text()).toMatch(/^HTTP\/1.1 408 Request Timeout/)
    await serves()
  })

  it('a connection on which nothing comes is closed', async () => {
    const client = open(await begin({ headTime: 300, handshakeTime: 300 }))
    await client.closed
    expect(client.text()).not.toContain('200')
    await serves()
  })

  it('a connection with nothing under way is closed after a while, one that watches is not', async () => {
    const port = await begin({ idleTime: 300 })
    const watch = open(port)
    watch.socket.write(head('GET', `${configmaps}?watch=1`))
    const idle = open(port)
    idle.socket.write(head('GET', configmaps))
    await idle.closed
    expect(idle.text()).toContain('200 OK')
    expect(watch.open()).toBe(true)
    watch.socket.destroy()
  })

  it('a body that comes drop by drop is answered when the time is over, and its connection closed', async () => {
    const client = open(await begin({ restTime: 100 }))
    client.socket.write(head('POST', `${configmaps}?timeout=500ms`, 'Content-Type: application/json', 'Content-Length: 1000'))
    const timer = setInterval(() => client.socket.write('x'), 50)
    await client.closed
    clearInterval(timer)
    expect(client.text()).toMatch(/^HTTP\/1.1 504 /)
    expect(client.text()).toContain('request did not complete within the allotted timeout')
    await serves()
  })

  it('what is left of a body that was refused is read for a moment only', async () => {
    const client = open(await begin())
    client.socket.write(head('POST', configmaps, 'Content-Type: application/json', 'Transfer-Encoding: chunked'))
    const chunk = Buffer.concat([Buffer.from('10000\r\n'), Buffer.alloc(65_536, 'x'), Buffer.from('\r\n')])
    const pump = () => { while (client.open() && client.socket.write(chunk)); }
    client.socket.on('drain', pump)
    pump()
    await client.closed
    expect(client.text()).toMatch(/^HTTP\/1.1 413 /)
    expect(client.text()).toContain('Request entity too large: limit is 3145728')
    await serves()
  })

  it('a body that an answer does not need is read for a moment only', async () => {
    const client = open(await begin({ restTime: 100 }))
    client.socket.write(head('GET', configmaps, 'Content-Length: 1000'))
    await client.closed
    expect(client.text()).toMatch(/^HTTP\/1.1 200 OK/)
  })

  it('connections beyond the limit are closed, those within it served', async () => {
    const port = await begin({ connections: 4 })
    const first = Array.from({ length: 4 }, () => open(port))
    first[0]!.socket.write(head('GET', configmaps))
    await expect.poll(() => first[0]!.text()).toContain('200 OK')
    const extra = open(port)
    await extra.closed
    for (const { socket } of first) socket.destroy()
    await expect.poll(async () => {
      const again = open(port)
      again.socket.write(head('GET', configmaps, 'Connection: close'))
      await again.closed
      return again.text()
    }).toContain('200 OK')
  })

  it('what is not HTTP, or says two things at once, is refused', async () => {
    const port = await begin()
    for (const text of [
      'hello\r\n\r\n', '\0\x01\x02\x03\r\n\r\n', `GE${'T'.repeat(100)} / HTTP/1.1\r\n\r\n`, 'GET / HTTP/9.9\r\n\r\n', 'GET /\tx HTTP/1.1\r\nHost: x\r\n\r\n',
      `${head('POST', configmaps, 'Content-Length: 5', 'Transfer-Encoding: chunked')}0\r\n\r\n`,
      `${head('POST', configmaps, 'Content-Length: 5', 'Content-Length: 6')}12345`,
      `${head('POST', configmaps, 'Content-Length: -1')}`, `${head('POST', configmaps, 'Transfer-Encoding: chunked')}zz\r\n`,
      head('GET', configmaps, 'X Y: z'), head('GET', configmaps, 'X: a\0b'),
    ]) {
      const client = open(port)
      client.socket.write(text)
      await client.closed
      expect(client.text(), JSON.stringify(text.slice(0, 60))).toMatch(/^(HTTP\/1.1 4\d\d |$)/)
    }
    await serves()
  })

  it('an upgrade that is reset at once harms nobody', async () => {
    const port = await begin()
    for (let i = 0; i < 20; i++) {
      const client = open(port)
      client.socket.write(head('GET', '/api/v1/namespaces/default/pods/x/exec', 'Connection: Upgrade', 'Upgrade: websocket'))
      await new Promise((resolve) => setTimeout(resolve, i % 4))
      if (scheme === 'http') client.socket.resetAndDestroy()
      else client.socket.destroy()
    }
    await serves()
  })

  it('clients that leave in the middle of anything harm nobody', async () => {
    const port = await begin()
    for (const text of ['GET', head('GET', `${configmaps}?watch=1`), head('POST', configmaps, 'Content-Type: application/json', 'Content-Length: 100') + '{"a', head('GET', configmaps).repeat(20)]) {
      for (let i = 0; i < 4; i++) {
        const client = open(port)
        client.socket.write(text)
        await new Promise((resolve) => setTimeout(resolve, i * 2))
        if (scheme === 'http' && i % 2) client.socket.resetAndDestroy()
        else client.socket.destroy()
      }
    }
    await serves()
  })
})

/** An HTTP/2 frame. */
function frame(type: number, flags: number, stream: number, payload: Buffer = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.alloc(9)
  bytes.writeUIntBE(payload.length, 0, 3)
  bytes[3] = type
  bytes[4] = flags
  bytes.writeUInt32BE(stream, 5)
  return Buffer.concat([bytes, payload])
}
const preface = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0)])
/** `:method: GET`, `:scheme: https`, `:path: /`, `:authority: x`, as HPACK has them. */
const headers = Buffer.from([0x82, 0x87, 0x84, 0x41, 0x01, 0x78])
const dialFrames = (port: number): Peer => peer(connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] }))

/** Writes as fast as the server takes it, until it closes or so many frames are out. Resolves with how many were. */
async function flood(client: Peer, count: number, next: (i: number) => Buffer): Promise<number> {
  client.socket.write(preface)
  let sent = 0
  while (client.open() && sent < count) {
    const some = Buffer.concat(Array.from({ length: 100 }, (_, i) => next(sent + i)))
    sent += 100
    if (!client.socket.write(some)) await Promise.race([client.closed, new Promise((resolve) => client.socket.once('drain', resolve))])
    await new Promise((resolve) => setImmediate(resolve))
  }
  return sent
}

describe('over HTTP/2', () => {
  const session = (port: number): ClientHttp2Session => connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
  const get = (client: ClientHttp2Session, path: string, extra: Record<string, string> = {}) => new Promise<number>((resolve, reject) => {
    const stream = client.request({ ':path': path, ...extra })
    stream.on('response', (answer) => resolve(Number(answer[':status']))).on('error', reject).on('close', () => reject(new Error(`closed with ${stream.rstCode}`))).resume().end()
  })

  it('streams that are opened and taken back in a flood end their connection', async () => {
    const port = await start({ tls, limits: { resets: 200, resetsPerSecond: 10 } })
    const client = dialFrames(port)
    const cancel = Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL])
    const sent = await flood(client, 200_000, (i) => Buffer.concat([frame(1, 5, 2 * i + 1, headers), frame(3, 0, 2 * i + 1, cancel)]))
    await client.closed
    expect(sent).toBeLessThan(200_000)
    await serves()
  })

  it.each([
    ['pings', () => frame(6, 0, 0, Buffer.alloc(8))],
    ['settings', () => frame(4, 0, 0)],
  ] as const)('%s without end, and without reading the answers, end their connection', async (_, make) => {
    const port = await start({ tls })
    const client = dialFrames(port)
    client.socket.pause()
    const frames = make()
    const sent = await flood(client, 2_000_000, () => frames)
    client.socket.resume()
    await client.closed
    expect(sent).toBeLessThan(2_000_000)
    await serves()
  }, 30_000)

  it('headers that are continued without end end their connection', async () => {
    const port = await start({ tls })
    const client = dialFrames(port)
    const sent = await flood(client, 100_000, (i) => (i === 0 ? frame(1, 1, 1, headers) : frame(9, 0, 1, Buffer.from([0x00, 0x01, 0x61, 0x01, 0x62]))))
    await client.closed
    expect(sent).toBeLessThan(100_000)
    await serves()
  })

  it('frames that make no sense end their connection', async () => {
    const port = await start({ tls })
    for (const bytes of [Buffer.alloc(100, 0xff), frame(0, 0, 0, Buffer.from('x')), frame(1, 4, 2, headers), frame(8, 0, 0, Buffer.alloc(4)), Buffer.concat([frame(1, 4, 1, Buffer.alloc(50, 0xff))])]) {
      const client = dialFrames(port)
      client.socket.write(Buffer.concat([preface, bytes]))
      await client.closed
    }
    await serves()
  })

  it('a connection has so many streams at a time and no more', async () => {
    const port = await start({ tls, limits: { streams: 5 } })
    const client = session(port)
    await get(client, configmaps)
    expect(client.remoteSettings.maxConcurrentStreams).toBe(5)
    await new Promise((resolve) => setTimeout(resolve, 100))
    const watches = Array.from({ length: 5 }, () => client.request({ ':path': `${configmaps}?watch=1` }))
    await Promise.all(watches.map((watch) => new Promise((resolve) => watch.once('response', resolve))))
    let answered = false
    const waiting = get(client, configmaps).catch((error: Error) => error.message).finally(() => (answered = true))
    await serves()
    expect(answered).toBe(false)
    watches[0]!.close()
    // Node counts a stream until it has seen its end through; a client that is that quick is asked to come again.
    expect([200, 'Stream closed with error code NGHTTP2_ENHANCE_YOUR_CALM']).toContain(await waiting)
    await expect.poll(() => get(client, configmaps).catch(() => 0)).toBe(200)
    client.destroy()
  })

  it('too many or too large headers are refused', async () => {
    const port = await start({ tls, limits: { headers: 50 } })
    const client = session(port)
    client.on('error', () => undefined)
    const many = Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`x-${i}`, 'y']))
    const refused = await get(client, configmaps, many).catch((error: Error) => error.message)
    expect([431, 'Stream closed with error code NGHTTP2_ENHANCE_YOUR_CALM']).toContain(refused)
    const large = session(port)
    large.on('error', () => undefined)
    await expect(get(large, configmaps, { 'x-big': 'x'.repeat(300 * 1024) })).rejects.toThrow()
    client.destroy()
    large.destroy()
    await serves()
  })

  it('a connection with nothing under way is closed after a while, one that watches is not', async () => {
    const port = await start({ tls, limits: { idleTime: 300 } })
    const idle = session(port)
    const watching = session(port)
    const closed = new Promise((resolve) => idle.once('close', resolve))
    const watch = watching.request({ ':path': `${configmaps}?watch=1` })
    await new Promise((resolve) => watch.once('response', resolve))
    expect(await get(idle, configmaps)).toBe(200)
    await closed
    await new Promise((resolve) => setTimeout(resolve, 400))
    expect(watching.closed).toBe(false)
    expect(await get(watching, configmaps)).toBe(200)
    watching.destroy()
  })

  it('a body that was refused is not read to its end', async () => {
    const port = await start({ tls })
    const client = session(port)
    const stream = client.request({ ':method': 'POST', ':path': configmaps, 'content-type': 'application/json' })
    const status = new Promise<unknown>((resolve) => stream.once('response', (answer) => resolve(answer[':status'])))
    stream.on('error', () => undefined)
    const chunk = Buffer.alloc(65_536, 'x')
    const pump = () => { while (!stream.closed && stream.write(chunk)); }
    stream.on('drain', pump)
    pump()
    stream.resume()
    expect(await status).toBe(413)
    await expect.poll(() => stream.closed, { timeout: 10_000 }).toBe(true)
    expect(await get(client, configmaps)).toBe(200)
    client.destroy()
  })
})

it('bytes that are not TLS are not waited for', async () => {
  const port = await start({ tls, limits: { handshakeTime: 300 } })
  const silent = dial(port)
  const noisy = dial(port)
  noisy.socket.write(head('GET', '/api'))
  await Promise.all([silent.closed, noisy.closed])
  await serves()
})

it('a connection that is to be left by chance takes no new request, and ends what it has', async () => {
  const port = await start({ tls, limits: { goawayChance: 1 } })
  const session = connectHttp2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
  session.on('error', () => undefined)
  const goaway = new Promise<number>((resolve) => session.once('goaway', resolve))
  const stream = session.request({ ':path': configmaps })
  const answered = new Promise<unknown>((resolve) => stream.once('response', (headers) => resolve(headers[':status'])))
  stream.resume().end()
  expect(await goaway).toBe(constants.NGHTTP2_NO_ERROR)
  expect(await answered).toBe(200)
  session.destroy()
  await serves()
})
