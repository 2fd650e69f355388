/** What callers of exec, attach and port-forward over WebSockets do wrong, on purpose or not: it costs them their connection, and nobody else anything. */
import { randomBytes } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { controlFrame, dataFrame, readFrame } from './spdy.ts'
import { translate } from './websocket.ts'

const megabyte = 1024 * 1024
let upstream: Server
let agent: Server
/** Connections to the runtime that are open, and what it wrote to them that was taken. */
let open: Set<Duplex>
let written: number
let crashed: unknown[]
const crash = (error: unknown) => void crashed.push(error)
const port = (server: Server) => (server.address() as AddressInfo).port

/** A runtime: `/echo` sends standard input back, `/flood` writes without end, `/deaf` reads nothing, `/liar` sends a frame that is none. */
function serve(socket: Duplex, path: string): void {
  let bytes = Buffer.alloc(0)
  let streams = 0
  const block = Buffer.alloc(64 * 1024, 'x')
  const flood = () => {
    while (!socket.destroyed && written < 256 * megabyte) {
      written += block.length
      if (!socket.write(dataFrame(3, 0, block))) return void socket.once('drain', flood)
    }
  }
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk])
    for (let frame = readFrame(bytes); frame; frame = readFrame(bytes)) {
      bytes = bytes.subarray(frame.size)
      if (!frame.isControl) socket.write(dataFrame(5, 0, frame.data))
      else if (++streams === 3) {
        if (path === '/flood') flood()
        if (path === '/deaf') socket.pause()
        if (path === '/liar') socket.write(controlFrame(3, 0, Buffer.alloc(2)))
      }
    }
  })
}

beforeEach(async () => {
  open = new Set()
  written = 0
  crashed = []
  process.on('uncaughtException', crash)
  upstream = createServer()
  upstream.on('upgrade', (request, socket: Duplex) => {
    open.add(socket)
    socket.on('close', () => open.delete(socket)).on('error', () => socket.destroy()).on('end', () => socket.destroy())
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: SPDY/3.1\r\n\r\n')
    serve(socket, request.url ?? '')
  })
  agent = createServer()
  agent.on('upgrade', (request, socket: Duplex, head) => {
    const url = new URL(request.url ?? '', 'http://kubelet')
    translate(request, socket, head, `http://127.0.0.1:${port(upstream)}${url.pathname}`, url.searchParams).catch(() => socket.destroy())
  })
  for (const server of [upstream, agent]) await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
})
afterEach(() => {
  process.off('uncaughtException', crash)
  for (const socket of open) socket.destroy()
  upstream.close()
  agent.close()
  expect(crashed).toEqual([])
})

const query = '?input=1&output=1'
async function exec(path: string): Promise<WebSocket> {
  const ws = new WebSocket(`ws://127.0.0.1:${port(agent)}${path}${query}`, 'v5.channel.k8s.io')
  ws.on('error', () => undefined)
  await new Promise((resolve) => ws.once('open', resolve))
  return ws
}
/** Somebody who does everything right is served. */
async function expectServed(): Promise<void> {
  const ws = await exec('/echo')
  const answer = new Promise((resolve) => ws.once('message', (data: Buffer) => resolve(data.toString())))
  ws.send(Buffer.from('\u0000hello'))
  expect(await answer).toBe('\u0001hello')
  ws.terminate()
}

/** A connection whose every byte is the caller's. */
async function raw(protocol: string, ...more: string[]): Promise<{ readonly socket: Socket; readonly closed: Promise<void>; readonly received: () => Buffer }> {
  const socket = connect(port(agent), '127.0.0.1')
  const received: Buffer[] = []
  socket.on('data', (chunk: Buffer) => void received.push(chunk)).on('error', () => undefined)
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  const lines = ['GET /echo?input=1&output=1 HTTP/1.1', 'host: x', 'connection: Upgrade', 'upgrade: websocket', `sec-websocket-protocol: ${protocol}`, ...(more.length > 0 ? more : ['sec-websocket-version: 13', 'sec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw=='])]
  socket.write(`${lines.join('\r\n')}\r\n\r\n`)
  return { socket, closed, received: () => Buffer.concat(received) }
}

/** A frame with any first byte and any length, masked or not. */
function frame(first: number, payload: Buffer, { masked = true, length = payload.length }: { masked?: boolean; length?: number } = {}): Buffer {
  const mask = randomBytes(4)
  const size = Buffer.alloc(9)
  size[0] = (masked ? 0x80 : 0) | 127
  size.writeBigUInt64BE(BigInt(length), 1)
  const body = masked ? Buffer.from(payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0))) : payload
  const short = length < 126
  return Buffer.concat([Buffer.from([first]), short ? Buffer.from([(masked ? 0x80 : 0) | length]) : size, ...(masked ? [mask] : []), body])
}

describe('frames', () => {
  const input = Buffer.from('\u0000x')
  it.each<[string, Buffer]>([
    ['without a mask', frame(0x82, input, { masked: false })],
    ['of a kind that there is not', frame(0x83, input)],
    ['with bits that mean nothing here', frame(0xf2, input)],
    ['that continue nothing', frame(0x80, input)],
    ['that begin within another message', Buffer.concat([frame(0x02, input), frame(0x82, input)])],
    ['of text that is none', frame(0x81, Buffer.from([0xff, 0xfe]))],
    ['of control that are too long', frame(0x89, Buffer.alloc(200))],
    ['of control in pieces', frame(0x09, input)],
    ['longer than anything', frame(0x82, Buffer.alloc(10), { length: 2 ** 53 })],
    ['longer than a message may be', frame(0x82, Buffer.alloc(10), { length: 33 * megabyte })],
    ['that say why they close in no way', frame(0x88, Buffer.from([0]))],
  ])('%s end their connection, and the runtime\'s with it', async (_, bytes) => {
    const { socket, closed } = await raw('v5.channel.k8s.io')
    await expect.poll(() => open.size).toBe(1)
    socket.write(bytes)
    await closed
    await expect.poll(() => open.size).toBe(0)
    await expectServed()
  })

  it('in thousands of pieces are one message, and their sum has an end', async () => {
    const { socket, received, closed } = await raw('v5.channel.k8s.io')
    const piece = (first: number, text: string) => frame(first, Buffer.from(text))
    socket.write(Buffer.concat([piece(0x02, '\u0000'), ...Array.from({ length: 5000 }, () => piece(0x00, 'ab')), piece(0x80, 'end')]))
    await expect.poll(() => received().includes('ababend')).toBe(true)
    const more = frame(0x00, Buffer.alloc(megabyte))
    socket.write(frame(0x02, input))
    for (let i = 0; i < 33; i++) socket.write(more)
    await closed
    await expectServed()
  })

  it('for channels that nobody has mean nothing', async () => {
    const ws = await exec('/echo')
    const answers: string[] = []
    ws.on('message', (data: Buffer) => void answers.push(data.toString()))
    for (let i = 0; i < 5000; i++) ws.send(Buffer.from([1 + (i % 254), 120]))
    for (let i = 0; i < 256; i++) ws.send(Buffer.from([255, i === 0 ? 9 : i]))
    ws.send(Buffer.from([255]))
    ws.send(Buffer.alloc(0))
    ws.send(Buffer.from('\u0000still here'))
    await expect.poll(() => answers.at(-1)).toBe('\u0001still here')
    ws.terminate()
  })

  it('that the runtime makes up end the connection, not the agent', async () => {
    const ws = await exec('/liar')
    await new Promise((resolve) => ws.once('close', resolve))
    await expectServed()
  })
})

describe('a handshake', () => {
  it.each([
    ['of another version', ['sec-websocket-version: 7', 'sec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==']],
    ['without a key', ['sec-websocket-version: 13']],
    ['with a key that is none', ['sec-websocket-version: 13', 'sec-websocket-key: nonsense']],
  ])('%s is refused, and nothing is left running for it', async (_, headers) => {
    for (const protocol of ['v5.channel.k8s.io', 'SPDY/3.1+portforward.k8s.io']) {
      const { closed, received } = await raw(protocol, ...headers)
      await closed
      expect(received().toString()).toMatch(/^HTTP\/1\.1 4\d\d /)
      await expect.poll(() => open.size).toBe(0)
    }
  })

  it('of a caller who is gone again leaves nothing running', async () => {
    for (let i = 0; i < 20; i++) (await raw('v5.channel.k8s.io')).socket.destroy()
    await expectServed()
    await expect.poll(() => open.size).toBe(0)
  })
})

describe('a side that does not read', () => {
  it('is not written for without end: the runtime waits', async () => {
    const ws = await exec('/flood')
    ws.pause()
    const settled = await still(() => written)
    expect(settled).toBeLessThan(64 * megabyte)
    await expectServed()
    // When the caller reads again, it goes on.
    ws.resume()
    await expect.poll(() => written).toBeGreaterThan(settled + 8 * megabyte)
    ws.terminate()
  })

  it('gets everything in its order when it reads again', async () => {
    const ws = await exec('/echo')
    const numbers: number[] = []
    let bytes = 0
    ws.on('message', (data: Buffer) => {
      bytes += data.length - 1
      if (data.length > 5) numbers.push(data.readUInt32BE(1))
    })
    ws.pause()
    for (let i = 0; i < 200; i++) {
      const message = Buffer.alloc(1 + 128 * 1024)
      message.writeUInt32BE(i, 1)
      ws.send(message)
    }
    await expectServed()
    ws.resume()
    await expect.poll(() => bytes, { timeout: 20_000 }).toBe(200 * 128 * 1024)
    expect(numbers).toEqual(Array.from({ length: 200 }, (_, i) => i))
    ws.terminate()
  })

  it('in a container is not written for without end either: the caller waits', async () => {
    const ws = await exec('/deaf')
    const block = Buffer.alloc(megabyte)
    let sent = 0
    for (let i = 0; i < 96; i++) ws.send(block, (error) => { if (!error) sent++ })
    expect(await still(() => sent)).toBeLessThan(64)
    await expectServed()
    ws.terminate()
  })

  it('at the end of a tunnel is treated the same', async () => {
    const tunnel = connect(port(agent), '127.0.0.1')
    tunnel.write('GET /deaf HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: x3JJHMbDL1EzLkh9GBhXDw==\r\nsec-websocket-protocol: SPDY/3.1+portforward.k8s.io\r\n\r\n')
    await new Promise((resolve) => tunnel.once('data', resolve))
    for (let i = 0; i < 3; i++) tunnel.write(frame(0x82, controlFrame(6, 0, Buffer.alloc(4))))
    let sent = 0
    const block = frame(0x82, dataFrame(1, 0, Buffer.alloc(megabyte)))
    for (let i = 0; i < 96; i++) tunnel.write(block, (error) => { if (!error) sent++ })
    expect(await still(() => sent)).toBeLessThan(64)
    tunnel.destroy()
    await expectServed()
  })
})

/** The number when it has stopped growing: it is the same for two seconds. */
async function still(read: () => number): Promise<number> {
  let before = -1
  let since = 0
  await expect.poll(() => {
    const now = performance.now()
    if (read() !== before) since = now
    before = read()
    return before > 0 && now - since > 2000
  }, { interval: 100, timeout: 20_000 }).toBe(true)
  return before
}
