import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { inflateSync, constants } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { controlFrame, dataFrame, readFrame } from './spdy.ts'
import { startTestNode } from '../testing/node.ts'
import { joinStreams, streamUrl } from './streams.ts'
import { isTranslated, translate } from './websocket.ts'

/** A runtime's streaming server: it notes the streams that are opened, echoes stdin to stdout, and reports success at its end. */
function runtime(): Server {
  const server = createServer((_request, response) => response.writeHead(403).end('no'))
  server.on('upgrade', (request, socket: Duplex) => {
    if (request.url === '/refuse') { socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 4\r\n\r\nnope'); return }
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: Upgrade\r\nupgrade: SPDY/3.1\r\n\r\n')
    if (request.url === '/echo') { socket.pipe(socket); return }
    serveSpdy(socket)
  })
  return server
}

function serveSpdy(socket: Duplex): void {
  const types = new Map<string, number>()
  let headers = Buffer.alloc(0)
  let bytes = Buffer.alloc(0)
  socket.on('data', (chunk: Buffer) => {
    bytes = Buffer.concat([bytes, chunk])
    for (let frame = readFrame(bytes); frame; frame = readFrame(bytes)) {
      bytes = bytes.subarray(frame.size)
      if (frame.isControl && frame.type === 1) {
        headers = Buffer.concat([headers, frame.data.subarray(10)])
        const text = inflateSync(headers, { finishFlush: constants.Z_SYNC_FLUSH }).toString()
        types.set(/(error|stdin|stdout|stderr|resize)$/.exec(text)?.[1] ?? '', frame.data.readUInt32BE(0))
        socket.write(controlFrame(2, 0, Buffer.alloc(4)))
      } else if (!frame.isControl) {
        if (frame.data.length > 0) socket.write(dataFrame(types.get('stdout') ?? 0, 0, frame.data))
        if (frame.flags & 1) socket.end(dataFrame(types.get('error') ?? 0, 1, Buffer.from(`{"status":"Success","streams":"${[...types.keys()].join()}"}`)))
      }
    }
  })
}

let upstream: Server
let kubelet: Server
const port = (server: Server) => (server.address() as AddressInfo).port
beforeEach(async () => {
  upstream = runtime()
  kubelet = createServer()
  kubelet.on('upgrade', (request, socket: Duplex, head) => {
    const url = new URL(request.url ?? '', 'http://kubelet')
    const target = `http://127.0.0.1:${port(upstream)}${url.pathname}`
    if (!isTranslated(request)) return joinStreams(request, socket, head, target)
    translate(request, socket, head, target, url.searchParams).catch((error: Error) => socket.end(`HTTP/1.1 500 Error\r\ncontent-length: ${error.message.length}\r\n\r\n${error.message}`))
  })
  for (const server of [upstream, kubelet]) await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
})
afterEach(() => { upstream.close(); kubelet.close() })

describe('streaming', () => {
  it('speaks the current WebSocket protocol to callers, end of input included', async () => {
    const ws = new WebSocket(`ws://127.0.0.1:${port(kubelet)}/exec?input=1&output=1&error=1`, 'v5.channel.k8s.io')
    const messages: string[] = []
    ws.on('message', (data: Buffer) => messages.push(`${data[0]}:${data.subarray(1).toString()}`))
    await new Promise((resolve) => ws.once('open', resolve))
    ws.send(Buffer.concat([Buffer.from([0]), Buffer.from('hello')]))
    ws.send(Buffer.from([255, 0]))
    await new Promise((resolve) => ws.once('close', resolve))
    expect(messages).toEqual(['1:hello', '3:{"status":"Success","streams":"error,stdin,stdout,stderr"}'])
  })

  it('asks for a terminal\'s streams when there is one', async () => {
    const ws = new WebSocket(`ws://127.0.0.1:${port(kubelet)}/exec?input=1&output=1&error=1&tty=1`, 'v5.channel.k8s.io')
    const messages: string[] = []
    ws.on('message', (data: Buffer) => messages.push(data.subarray(1).toString()))
    await new Promise((resolve) => ws.once('open', resolve))
    ws.send(Buffer.from([255, 0]))
    await new Promise((resolve) => ws.once('close', resolve))
    expect(messages).toEqual(['{"status":"Success","streams":"error,stdin,stdout,resize"}'])
  })

  it('says so when the runtime refuses', async () => {
    const ws = new WebSocket(`ws://127.0.0.1:${port(kubelet)}/refuse?output=1`, 'v5.channel.k8s.io')
    const error = await new Promise<Error>((resolve) => ws.once('error', resolve))
    expect(error.message).toBe('Unexpected server response: 500')
  })

  it('passes any other upgrade through byte for byte', async () => {
    const { connect } = await import('node:net')
    const socket = connect(port(kubelet), '127.0.0.1')
    socket.write('POST /echo HTTP/1.1\r\nhost: x\r\nconnection: Upgrade\r\nupgrade: SPDY/3.1\r\n\r\n')
    const received: string[] = []
    socket.on('data', (data) => received.push(data.toString()))
    await new Promise((resolve) => socket.once('data', resolve))
    socket.write('ping')
    await expect.poll(() => received.join('')).toMatch(/^HTTP\/1.1 101 [^]*\r\n\r\nping$/)
    socket.destroy()
  })
})

it('finds running containers only, however often they ran before', async () => {
  const node = await startTestNode()
  await node.create('web', {})
  const attach = () => streamUrl(node.runtime, () => [...node.workers.values()][0], new URL('https://node/attach/default/web/main?output=1'))
  expect(await attach()).toMatch(/attach/)
  node.runtime.exit('main', 1)
  await expect(attach()).rejects.toThrow('container not found ("main")')
  await node.pass(0)
  expect(node.pod('web').status.containerStatuses?.[0]?.restartCount).toBe(1)
  expect(await attach()).toMatch(/attach/)
  node.close()
})

it('streams to the pod that is meant, not to another of its name', async () => {
  const node = await startTestNode()
  await node.create('web', {})
  const uid = node.pod('web').metadata.uid
  const stream = (path: string) => streamUrl(node.runtime, (_, name) => [...node.workers.values()].find((w) => w.pod.metadata.name === name), new URL(`https://node${path}`))
  expect(await stream(`/exec/default/web/${uid}/main?output=1&command=ls`)).toMatch(/exec/)
  expect(await stream(`/portForward/default/web/${uid}?port=80`)).toMatch(/.+/)
  await expect(stream('/exec/default/web/other/main?output=1&command=ls')).rejects.toThrow('container not found ("main")')
  await expect(stream(`/attach/default/web/x/${uid}/main?output=1`)).rejects.toThrow('container not found ("main")')
  await expect(stream('/portForward/default/web/other?port=80')).rejects.toMatchObject({ code: 404, message: 'pod not found' })
  await expect(stream('/portForward/default/gone?port=80')).rejects.toMatchObject({ code: 404, message: 'pod does not exist' })
  for (const query of ['', '?tty=1', '?tty=1&error=1']) await expect(stream(`/attach/default/gone/main${query}`)).rejects.toMatchObject({ code: 400, message: 'you must specify at least 1 of stdin, stdout, stderr' })
  node.close()
})
