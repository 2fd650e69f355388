/** Where a node's agent is reached. */
import https from 'node:https'
import { checkServerIdentity, type PeerCertificate } from 'node:tls'
import { core } from '../../api/index.ts'
import { ApiError, notFound } from '../../machinery/errors.ts'
import type { Lister } from '../options.ts'
import type { Destination } from './forward.ts'

/** The certificates of the connections to the nodes' agents. */
export interface KubeletTls {
  readonly cert: string | Buffer
  readonly key: string | Buffer
  /** Who signs the agents' serving certificates. */
  readonly ca: string | Buffer
}

export interface KubeletPlace { readonly address: string; readonly port: number; readonly tls: https.AgentOptions; readonly agent: https.Agent }

/** The order in which a node's addresses are tried. */
const preferred = ['InternalIP', 'ExternalIP', 'Hostname', 'InternalDNS', 'ExternalDNS'] as const
const defaultPort = 10_250

export interface Kubelets {
  /** Throws 404 for a node that is not there, 500 for one without an address. */
  find(node: string): KubeletPlace
  destination(node: string, path: string, query?: URLSearchParams): Destination
}

interface Connection { readonly from: KubeletTls; readonly tls: https.AgentOptions; readonly agent: https.Agent }
const connectionOf = ({ tls, agent }: Connection) => ({ tls, agent })

/** Drops the connections of nodes that are gone. */
function forget(connections: Map<string, Connection>, nodes: Lister<core.Node>): void {
  for (const [name, { agent }] of connections) {
    if (nodes.get('', name)) continue
    agent.destroy()
    connections.delete(name)
  }
}

/**
 * The other side must be the agent of this very node, whatever address the node gave: its certificate is for the address, and names the node.
 * A node that lies about its address leads nowhere, neither to another node nor to something else that the authority knows.
 */
const isNode = (name: string) => (host: string, certificate: PeerCertificate): Error | undefined => {
  const subject = ([] as string[]).concat(certificate.subject.CN ?? []).at(-1)
  if (subject !== `system:node:${name}`) return new Error(`the certificate at ${host} is for ${JSON.stringify(subject ?? '')}, not for node ${JSON.stringify(name)}`)
  return checkServerIdentity(host, certificate)
}

/** `tls` is asked for each connection: another object means other certificates. */
export function createKubelets(nodes: Lister<core.Node>, tls: () => KubeletTls): Kubelets {
  const connections = new Map<string, Connection>()
  /** Connections are kept per node: one to another node that claims the same address is not its. */
  const connect = (node: string): Connection => {
    const from = tls()
    let connection = connections.get(node)
    if (connection?.from !== from) {
      connection?.agent.destroy()
      const options: https.AgentOptions = { cert: from.cert, key: from.key, ca: from.ca, checkServerIdentity: isNode(node) }
      connection = { from, tls: options, agent: new https.Agent({ ...options, keepAlive: true, maxFreeSockets: 16 }) }
      connections.set(node, connection)
      forget(connections, nodes)
    }
    return connection
  }
  const find = (name: string): KubeletPlace => {
    const node = nodes.get('', name)
    if (!node) throw notFound(core.nodes, name)
    const addresses = node.status.addresses ?? []
    const address = preferred.map((type) => addresses.find((a) => a.type === type)?.address).find(Boolean)
    if (!address) throw new ApiError(500, 'InternalError', `no preferred addresses found; known addresses: ${JSON.stringify(addresses)}`)
    return { address, port: node.status.daemonEndpoints?.kubeletEndpoint?.Port || defaultPort, ...connectionOf(connect(name)) }
  }
  return {
    find,
    destination(node, path, query) {
      const text = query?.toString()
      return { scheme: 'https', ...find(node), path: text ? `${path}?${text}` : path }
    },
  }
}
