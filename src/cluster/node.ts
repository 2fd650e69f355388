/** A node in one process: containerd, the node agent, the network. */
import type { Client } from '../client/client.ts'
import { core } from '../api/index.ts'
import type { Clock } from '../machinery/clock.ts'
import type { Component, Logger } from '../machinery/log.ts'
import { startNetwork } from '../network/index.ts'
import { startNode } from '../node/index.ts'
import { criDriver } from '../node/runtime/cri.ts'
import { startContainerd } from '../node/runtime/containerd.ts'
import type { Containerd } from '../node/runtime/containerd.ts'
import type { RuntimeDriver } from '../node/runtime/driver.ts'
import type { KeyPair } from './certificate.ts'
import { findCniPlugins } from './requirements.ts'
import type { Paths } from './paths.ts'
import type { Settings } from './settings.ts'
import { UserError } from './user-error.ts'

export interface NodeOptions {
  readonly settings: Settings
  readonly paths: Paths
  readonly ca: string
  /** The node's serving and client certificate. */
  readonly certificate: KeyPair
  /** Calls back with each new one. */
  readonly onRenewal?: ((listener: (next: KeyPair) => void) => void) | undefined
  readonly client: Client
  /** For the network, which reads more than this node's pods. */
  readonly networkClient: Client
  readonly containerd: Containerd
  readonly clock: Clock
  readonly log: Logger
}

/** Starts or adopts the cluster's containerd. Rejects with one line when it does not start. */
export async function bringContainerd(settings: Settings, paths: Paths, log: Logger): Promise<Containerd> {
  const plugins = findCniPlugins()
  if (plugins === undefined) throw new UserError('the CNI plugins are missing; install them with "apt-get install containernetworking-plugins"')
  return startContainerd({
    cluster: settings.name,
    rootDir: paths.containerdRoot,
    runDir: paths.containerdRun,
    cniConfDir: paths.cniConf,
    cniBinDir: plugins,
    log: log.child({ component: 'containerd' }),
    ...(settings.runtimeEndpoint === undefined ? {} : { socket: settings.runtimeEndpoint }),
  }).catch((error: Error) => {
    throw new UserError(error.message)
  })
}

/** The cgroup that holds every pod of the cluster on this host. */
export const cgroupParent = (settings: Settings): string => `/skiff-${settings.name}`

/** Starts the node agent and the network; resolves when both run (the node may not be Ready yet). */
export async function startClusterNode(options: NodeOptions): Promise<Component> {
  const runtime = criDriver(options.containerd.socket)
  const ended = new AbortController()
  const starting = [startNodeNetwork(options, ended.signal), startNodeAgent(options, runtime)] as const
  try {
    const [network, node] = await Promise.all(starting)
    return {
      async stop() {
        await node.stop()
        await network.stop()
        ended.abort()
        runtime.close()
      },
    }
  } catch (error) {
    // One of the two did not start: stop the other.
    ended.abort()
    for (const part of await Promise.allSettled(starting)) if (part.status === 'fulfilled') await part.value.stop()
    runtime.close()
    throw error
  }
}

function startNodeNetwork({ settings, paths, clock, log, networkClient }: NodeOptions, signal: AbortSignal): Promise<Component> {
  return startNetwork({
    client: networkClient,
    clock,
    log: log.child({ component: 'network' }),
    nodeName: settings.nodeName,
    clusterName: settings.name,
    clusterCidr: settings.clusterCidr,
    serviceCidr: settings.serviceCidr,
    clusterDnsAddress: settings.clusterDns,
    clusterDomain: settings.clusterDomain,
    cniConfDir: paths.cniConf,
    dataDir: paths.network,
    nodeAddress: settings.nodeAddress,
    signal,
  })
}

function startNodeAgent({ settings, paths, clock, log, client, certificate, ca, onRenewal }: NodeOptions, runtime: RuntimeDriver): Promise<Component> {
  return startNode({
    name: settings.nodeName,
    client,
    clock,
    log: log.child({ component: 'node' }),
    runtime,
    dataDir: paths.kubelet,
    logDir: paths.podLogs,
    address: settings.nodeAddress,
    port: settings.kubeletPort,
    tls: { ...certificate, clientCa: ca, ...(onRenewal ? { onRenewal } : {}) },
    clusterDns: settings.clusterDns,
    clusterDomain: settings.clusterDomain,
    cgroupParent: cgroupParent(settings),
  })
}

/** Resolves when the node's Ready condition is True. */
export async function nodeReady(client: Client, name: string, signal: AbortSignal): Promise<void> {
  const isReady = (node: core.Node) => node.status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') === true
  const nodes = await client.list(core.nodes, { fieldSelector: `metadata.name=${name}` })
  if (nodes.items.some(isReady)) return
  for await (const event of client.watch(core.nodes, { fieldSelector: `metadata.name=${name}`, resourceVersion: nodes.metadata.resourceVersion ?? '', signal })) {
    if (event.type !== 'BOOKMARK' && event.type !== 'DELETED' && isReady(event.object)) return
  }
  throw new UserError(`node ${name} did not become Ready`)
}
