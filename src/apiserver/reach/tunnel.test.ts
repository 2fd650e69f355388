import { createServer, type Server } from 'node:https'
import http from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { WebSocketServer, type WebSocket } from 'ws'
import type { core } from '../../api/index.ts'
import type { Kubelets } from '../streaming/kubelet.ts'
import { selfSigned } from '../testing/self-signed.ts'
import { createTunnels, throughTunnel } from './tunnel.ts'

const pod = (name: string, spec: object) => ({ metadata: { name, namespace: 'default' }, spec: { nodeName: 'n', ...spec } }) as unknown as core.Pod
const pods = new Map([['web', pod('web', {})], ['host', pod('host', { hostNetwork: true })], ['waiting', pod('waiting', { nodeName: undefined })]])
let agent: Server
let paths: string[]
/** What the agent's side does with a connection that is open. */
let serve: (socket: WebSocket) => void
let tunnels: ReturnType<typeof createTunnels>

beforeAll(async () => {
  const pair = await selfSigned('localhost')
  agent = createServer(pair)
  const sockets = new WebSocketServer({ server: agent, handleProtocols: (offered) => (offered.has('v4.channel.k8s.io') ? 'v4.channel.k8s.io' : false) })
  sockets.on('connection', (socket, request) => {
    paths.push(request.url ?? '')
    for (const channel of [0, 1]) socket.send(Buffer.from([channel, 0x90, 0x1f]))
    serve(socket)
  })
  agent.listen(0)
  await once(agent, 'listening')
  const kubelets = { find: () => ({ address: 'localhost', port: (agent.address() as AddressInfo).port, tls: { ca: pair.cert, checkServerIdentity: () => undefined } }) } as unknown as Kubelets
  tunnels = createTunnels({ get: (_: string, name: string) => pods.get(name), list: () => [...pods.values()], revision: () => 1 } as never, kubelets)
})
afterAll(() => {
  agent.close()
  agent.closeAllConnections()
})
beforeEach(() => void (paths = []))

/** The data of a frame from the client. */
const dataOf = (message: unknown): string => (message as Buffer).subarray(1).toString()

it('carries a request to a port of a pod, and its answer back', async () => {
  serve = (socket) => socket.once('message', (message) => {
    expect(dataOf(message)).toMatch(/^GET \/x HTTP\/1\.1\r\n/)
    for (const part of ['HTTP/1.1 200 OK\r\ncontent-', 'length: 5\r\n\r\nhel', 'lo']) socket.send(Buffer.concat([Buffer.from([0]), Buffer.from(part)]))
  })
  const request = http.request({ host: '10.0.0.1', path: '/x', ...throughTunnel(tunnels.to('default', 'web', 8080)!, undefined) }).end()
  const [response] = (await once(request, 'response')) as [http.IncomingMessage]
  response.setEncoding('utf8')
  let text = ''
  for await (const chunk of response) text += chunk
  expect([response.statusCode, text, paths]).toEqual([200, 'hello', ['/portForward/default/web?port=8080']])
})

it('says what went wrong at the other side', async () => {
  serve = (socket) => socket.send(Buffer.concat([Buffer.from([1]), Buffer.from('connection refused in the pod')]))
  const request = http.request({ host: '10.0.0.1', ...throughTunnel(tunnels.to('default', 'web', 9)!, undefined) }).end()
  const [error] = (await once(request, 'error')) as [Error]
  expect(error.message).toBe('connection refused in the pod')
})

it('is not for pods on the network of their node, nor for those on none', () => {
  expect([tunnels.to('default', 'host', 80), tunnels.to('default', 'waiting', 80), tunnels.to('default', 'gone', 80)]).toEqual([undefined, undefined, undefined])
})
