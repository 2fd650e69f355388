/** The agent of a node that only writes down what it is asked: to see what the API server sends where. */
import { createServer } from 'node:https'
import type { IncomingHttpHeaders } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import type { KeyPair } from '../../src/cluster/certificate.ts'

export interface Asked { readonly method: string; readonly url: string; readonly headers: IncomingHttpHeaders }

export interface FakeKubelet {
  readonly port: number
  readonly asked: Asked[]
  /** Connections that came, whether they got anywhere or not. */
  readonly connections: () => number
  /** What it answers; 200 with the path when not set. */
  answer?: { readonly code: number; readonly headers?: Record<string, string> }
  stop(): Promise<void>
}

/** Listens on loopback with this certificate. */
export async function startFakeKubelet(pair: KeyPair): Promise<FakeKubelet> {
  const asked: Asked[] = []
  let connections = 0
  const server = createServer({ cert: pair.cert, key: pair.key }, (request, response) => {
    asked.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers })
    const { code, headers } = kubelet.answer ?? { code: 200, headers: {} }
    response.writeHead(code, { 'content-type': 'text/plain', ...headers }).end(`at ${request.url}`)
  })
  server.on('connection', () => void connections++)
  server.on('upgrade', (request, socket: Socket) => {
    asked.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers })
    socket.end('HTTP/1.1 403 Forbidden\r\ncontent-length: 0\r\nconnection: close\r\n\r\n')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const kubelet: FakeKubelet = {
    port: (server.address() as AddressInfo).port,
    asked,
    connections: () => connections,
    stop: () => new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    }),
  }
  return kubelet
}
