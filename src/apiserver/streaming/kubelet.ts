/** Where a node's agent is reached. */
import https from 'node:https'
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

export function createKubelets(nodes: Lister<core.Node>, tls: () => KubeletTls): Kubelets {
  let connection: { readonly tls: https.AgentOptions; readonly agent: https.Agent } | undefined
  const connect = () => {
    if (!connection) {
      const options = { ...tls() }
      connection = { tls: options, agent: new https.Agent({ ...options, keepAlive: true, maxFreeSockets: 16 }) }
    }
    return connection
  }
  const find = (name: string): KubeletPlace => {
    const node = nodes.get('', name)
    if (!node) throw notFound(core.nodes, name)
    const addresses = node.status.addresses ?? []
    const address = preferred.map((type) => addresses.find((a) => a.type === type)?.address).find(Boolean)
    if (!address) throw new ApiError(500, 'InternalError', `no preferred addresses found; known addresses: ${JSON.stringify(addresses)}`)
    return { address, port: node.status.daemonEndpoints?.kubeletEndpoint?.Port || defaultPort, ...connect() }
  }
  return {
    find,
    destination(node, path, query) {
      const text = query?.toString()
      return { scheme: 'https', ...find(node), path: text ? `${path}?${text}` : path }
    },
  }
}
