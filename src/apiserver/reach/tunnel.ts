/**
 * The way to pods from a host that has none of its own (`skiff server --no-node`): through the agent of the pod's node, which forwards ports to
 * whoever this server's certificate lets in. What runs in the pod must listen on all of its addresses, or on loopback.
 */
import { Duplex } from 'node:stream'
import type { RequestOptions } from 'node:http'
import { connect as connectTls, type ConnectionOptions } from 'node:tls'
import { callbackify } from 'node:util'
import { WebSocket, type RawData } from 'ws'
import type { core } from '../../api/index.ts'
import type { Lister } from '../options.ts'
import type { KubeletPlace, Kubelets } from '../streaming/kubelet.ts'

/** Opens one connection. Rejects when it cannot be had. */
export type Connect = () => Promise<Duplex>

export interface Tunnels {
  /** How a port of the pod is reached; undefined for pods that are on their node's own network, where no tunnel is needed. */
  to(namespace: string, name: string, port: number): Connect | undefined
}

/** Opens connections to pods through their nodes' agents. */
export function createTunnels(pods: Lister<core.Pod>, kubelets: Kubelets): Tunnels {
  return {
    to(namespace, name, port) {
      const pod = pods.get(namespace, name)
      const node = pod?.spec.nodeName
      if (!pod || !node || pod.spec.hostNetwork) return undefined
      return async () => open(kubelets.find(node), `/portForward/${encodeURIComponent(namespace)}/${encodeURIComponent(name)}?port=${port}`)
    },
  }
}

const channels = { data: 0, error: 1 } as const
/** How long the agent may take to open the way. */
const patience = 10_000

/** A connection over the agent's WebSocket: frames of one channel carry the bytes, the other says what went wrong. */
function open({ address, port, tls }: KubeletPlace, path: string): Promise<Duplex> {
  const host = address.includes(':') ? `[${address}]` : address
  const socket = new WebSocket(`wss://${host}:${port}${path}`, ['v4.channel.k8s.io'], { ...tls, perMessageDeflate: false, handshakeTimeout: patience })
  const { promise, resolve, reject } = Promise.withResolvers<Duplex>()
  const stream = overSocket(socket)
  socket.once('open', () => resolve(stream))
  socket.once('error', (error) => reject(error))
  socket.once('unexpected-response', (_, response) => {
    reject(new Error(`the node's agent answered ${response.statusCode}`))
    socket.terminate()
  })
  return promise
}

function overSocket(socket: WebSocket): Duplex {
  /** The first frame of each channel only repeats the port. */
  const begun = new Set<number>()
  const data = Buffer.from([channels.data])
  const stream = new Duplex({
    read: () => socket.resume(),
    write: (chunk: Buffer, _, done) => socket.send(Buffer.concat([data, chunk]), done),
    // There is no half-closed WebSocket: what comes back after this side has ended is waited for by whoever ends it.
    final: (done) => done(),
    destroy(error, done) {
      socket.terminate()
      done(error)
    },
  })
  socket.on('message', (message: RawData) => {
    const bytes = message as Buffer
    const channel = bytes[0] ?? -1
    if (!begun.has(channel)) return void begun.add(channel)
    if (channel === channels.error) stream.destroy(new Error(bytes.subarray(1).toString('utf8')))
    else if (!stream.push(bytes.subarray(1))) socket.pause()
  })
  socket.on('close', () => stream.push(null))
  socket.on('error', (error) => stream.destroy(error))
  return stream
}

/** What a request is given so that it goes over such a connection, with TLS inside where `tls` is given. It must have no agent of its own. */
export function throughTunnel(connect: Connect, tls: ConnectionOptions | undefined): Pick<RequestOptions, 'createConnection'> {
  const opened = callbackify(async (): Promise<Duplex> => {
    const socket = await connect()
    return tls ? connectTls({ ...tls, socket }) : socket
  })
  return {
    createConnection(_, done) {
      opened(done as (error: Error | null, socket: Duplex) => void)
      return undefined
    },
  }
}
