/** Listens for DNS over UDP and TCP. */
import { createSocket } from 'node:dgram'
import { createServer, type Socket } from 'node:net'
import type { Component, Logger } from '../../machinery/log.ts'
import type { Resolver } from './resolver.ts'

export interface DnsServerOptions {
  readonly address: string
  readonly port: number
  readonly resolver: Resolver
  readonly log: Logger
}

/** An idle TCP connection is closed after this many milliseconds. */
const idle = 10_000
const maxConnections = 500

async function listenUdp({ address, port, resolver }: DnsServerOptions): Promise<() => Promise<void>> {
  const socket = createSocket({ type: address.includes(':') ? 'udp6' : 'udp4' })
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject)
    socket.bind(port, address, () => {
      socket.off('error', reject)
      resolve()
    })
  })
  // The client left before its answer: nothing to do.
  socket.on('error', () => {})
  socket.on('message', (bytes, from) => {
    const send = (answer: Buffer | undefined) => { if (answer) socket.send(answer, from.port, from.address, () => {}) }
    const answer = resolver(bytes, 'udp')
    if (answer instanceof Promise) void answer.then(send)
    else send(answer)
  })
  return () => new Promise((resolve) => { socket.close(() => resolve()) })
}

/** Each message is preceded by its length in two bytes; answers may come out of order (RFC 7766). */
function serve(socket: Socket, resolver: Resolver): void {
  let received = Buffer.alloc(0)
  const send = (answer: Buffer | undefined) => {
    if (!answer || socket.destroyed) return
    const head = Buffer.alloc(2)
    head.writeUInt16BE(answer.length)
    socket.write(Buffer.concat([head, answer]))
  }
  socket.setTimeout(idle, () => socket.destroy())
  socket.on('error', () => socket.destroy())
  socket.on('data', (chunk) => {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk])
    while (received.length >= 2 && received.length >= 2 + received.readUInt16BE(0)) {
      const end = 2 + received.readUInt16BE(0)
      const message = received.subarray(2, end)
      received = received.subarray(end)
      void Promise.resolve(resolver(message, 'tcp')).then(send)
    }
  })
}

async function listenTcp({ address, port, resolver, log }: DnsServerOptions): Promise<() => Promise<void>> {
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.once('close', () => open.delete(socket))
    serve(socket, resolver)
  })
  server.maxConnections = maxConnections
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, address, () => {
      server.off('error', reject)
      resolve()
    })
  })
  server.on('error', (error) => log.error({ error: error.message }, 'cluster DNS over TCP'))
  return () => new Promise((resolve) => {
    server.close(() => resolve())
    for (const socket of open) socket.destroy()
  })
}

/** Resolves when both listen; rejects, with neither left open, when the address or port is not available. */
export async function startDnsServer(options: DnsServerOptions): Promise<Component> {
  const closeUdp = await listenUdp(options)
  const closeTcp = await listenTcp(options).catch(async (error: unknown) => {
    await closeUdp()
    throw error
  })
  let stopped: Promise<unknown> | undefined
  return {
    async stop() {
      stopped ??= Promise.all([closeUdp(), closeTcp()])
      await stopped
    },
  }
}
