/** What a node agent is told when it starts. */
import type { Client } from '../client/index.ts'
import type { Clock } from '../machinery/clock.ts'
import type { Component, Logger } from '../machinery/log.ts'
import type { RuntimeDriver } from './runtime/driver.ts'

export interface NodeAgentOptions {
  readonly name: string
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  readonly runtime: RuntimeDriver
  /** The kubelet's directory: volumes and files of pods. */
  readonly dataDir: string
  /** Logs of containers. */
  readonly logDir: string
  /** The node's own address; more than one on a host of both families. */
  readonly address: string | readonly string[]
  /** Of the kubelet's HTTPS server. 0: any free port. */
  readonly port: number
  /** PEM: the server's key and certificate, and the authority of the clients it answers. */
  readonly tls: NodeTls
  readonly clusterDns: string | readonly string[]
  readonly clusterDomain: string
  /** `/skiff-<cluster>`: all cgroups of pods are below it. */
  readonly cgroupParent: string
  readonly labels?: Readonly<Record<string, string>>
  readonly maxPods?: number
  /** The kubelet version to report. */
  readonly version?: string
  readonly signal?: AbortSignal
}

export interface NodeTls {
  readonly key: string
  readonly cert: string
  readonly clientCa: string
  /** Calls back with another key and certificate, to be shown from then on. */
  readonly onRenewal?: (listener: (next: { readonly key: string; readonly cert: string }) => void) => void
}

export interface NodeAgent extends Component {
  /** Resolves once the node is reported Ready. */
  readonly ready: Promise<void>
  /** The port the kubelet's server listens on. */
  readonly port: number
  /** Ends the agent; pods go on running, and are adopted by the next one. */
  stop(): Promise<void>
}
