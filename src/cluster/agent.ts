/** A node whose control plane runs elsewhere: all it needs comes from its kubeconfig and from the cluster. */
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { dirname, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { core } from '../api/index.ts'
import { createHttpsClient } from '../client/https.ts'
import type { HttpsClient, HttpsClientOptions } from '../client/https.ts'
import { parseKubeconfig } from '../client/kubeconfig.ts'
import { systemClock } from '../machinery/clock.ts'
import { ApiError } from '../machinery/errors.ts'
import type { Component, Logger } from '../machinery/log.ts'
import { clusterInfo } from './cluster-info.ts'
import { createLog } from './log.ts'
import { networkToken } from './network-identity.ts'
import { bringContainerd, startClusterNode } from './node.ts'
import { firstCertificate, keepNodeCertificates, nodeOf } from './node-certificates.ts'
import type { NodeIdentity } from './node-certificates.ts'
import type { NodeOptions } from './node.ts'
import { writePid, removePid, runningPid } from './daemon.ts'
import type { Paths } from './paths.ts'
import { record, settle } from './settings.ts'
import type { Settings } from './settings.ts'
import { UserError } from './user-error.ts'

export interface AgentOptions {
  readonly paths: Paths
  readonly name: string
  readonly kubeconfig: string
  /** The node's name when its kubeconfig does not say it. */
  readonly nodeName: string | undefined
  readonly nodeAddress: string | undefined
  readonly runtimeEndpoint: string | undefined
  readonly logLevel: string
}

/** Runs a node until the process is told to stop; its pods keep running. */
export async function runAgent(options: AgentOptions): Promise<void> {
  const { paths } = options
  const other = runningPid(paths)
  if (other !== undefined) throw new UserError(`a node of cluster "${options.name}" is already running here (pid ${other})`)
  const log = createLog(options.logLevel)
  const ending = new AbortController()
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => ending.abort())
  process.on('unhandledRejection', (error) => log.error({ error: error instanceof Error ? error.stack : String(error) }, 'a background task failed'))
  const access = await parseKubeconfig(readFileSync(options.kubeconfig, 'utf8'), { folder: dirname(options.kubeconfig) }).catch((error: Error) => {
    throw new UserError(`${options.kubeconfig} cannot be used: ${error.message}`)
  })
  const { ca, cert, key } = access
  const given = cert === undefined || key === undefined ? undefined : { cert, key }
  if (ca === undefined || (!given && access.token === undefined)) throw new UserError(`${options.kubeconfig} has neither certificates nor a bootstrap token; make one with "skiff kubeconfig --for-node <name> --node-ip <address>" on the control plane`)
  const named = given && nodeOf(given)
  if (named !== undefined && options.nodeName !== undefined && named !== options.nodeName) throw new UserError(`${options.kubeconfig} is for a node called ${named}; leave out --node-name`)
  const nodeName = named ?? options.nodeName ?? hostname().toLowerCase()
  const identity: NodeIdentity = { nodeName, ca, dir: paths.pki, clock: systemClock, log: log.child({ component: 'certificates' }) }
  // While it waits for a certificate, nothing else keeps the process alive.
  const alive = setInterval(() => undefined, 60_000)
  const opened: HttpsClient[] = []
  const open = (more: Partial<HttpsClientOptions>): HttpsClient => {
    const client = createHttpsClient({ server: access.server, ca, servername: access.servername, ...more })
    opened.push(client)
    return client
  }
  try {
    writePid(paths)
    const first = await firstCertificate(identity, given, () => open({ token: access.token }), ending.signal)
    const client = open(first)
    const info = await published(client, log, ending.signal)
    if (info === undefined) return
    const settings = await nodeSettings(options, info, nodeName)
    const kept = keepNodeCertificates(identity, { client, first, address: settings.nodeAddress, renewClient: (pair) => client.renew(pair) })
    const networkClient = open({ token: networkToken(client, nodeName, systemClock, ending.signal) })
    const node = await startOn({ settings, paths, client, networkClient, log, ca, certificate: kept.serving, onRenewal: (listener) => kept.onServing(listener) })
    log.info({ node: settings.nodeName, server: access.server }, 'the node runs')
    await aborted(ending.signal)
    log.info({}, 'ending')
    systemClock.after(endLimit, () => process.exit(0))
    await kept.stop()
    await node.stop()
  } finally {
    clearInterval(alive)
    removePid(paths)
    for (const client of opened) client.close()
  }
  process.exit(0)
}

/** How long an orderly shutdown may take. */
const endLimit = 20_000

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** Starts containerd and the node on it; `stop` lets go of both, and the pods keep running. */
async function startOn(parts: Pick<NodeOptions, 'settings' | 'paths' | 'log' | 'ca' | 'certificate' | 'onRenewal' | 'client' | 'networkClient'>): Promise<Component> {
  const containerd = await bringContainerd(parts.settings, parts.paths, parts.log)
  try {
    const node = await startClusterNode({ ...parts, containerd, clock: systemClock })
    return {
      async stop() {
        await node.stop()
        containerd.release()
      },
    }
  } catch (error) {
    containerd.release()
    throw error
  }
}

/**
 * What the control plane tells its nodes. Waits until it is reachable: after a power cut, hosts come back in any order.
 * Undefined when the process is told to stop meanwhile. Throws when the control plane answers and refuses.
 */
async function published(client: HttpsClient, log: Logger, ending: AbortSignal): Promise<core.ConfigMap | undefined> {
  for (let waited = false; !ending.aborted; waited = true) {
    try {
      return await client.get(core.configmaps, clusterInfo.name, { namespace: clusterInfo.namespace })
    } catch (error) {
      const { message } = error as Error
      if (error instanceof ApiError && error.code < 500) throw new UserError(`the control plane refused this node: ${message}`)
      if (!waited) log.warn({ error: message }, 'the control plane does not answer yet, waiting for it')
    }
    // A timer that keeps the process alive: nothing else does yet.
    await sleep(1000, undefined, { signal: ending }).catch(() => undefined)
  }
  return undefined
}

async function nodeSettings(options: AgentOptions, info: core.ConfigMap, nodeName: string): Promise<Settings> {
  const shared = JSON.parse(info.data?.['settings'] ?? '{}') as Settings
  const own = await settle(options.paths, { name: options.name, nodeAddress: options.nodeAddress, runtimeEndpoint: options.runtimeEndpoint })
  const { clusterCidr, serviceCidr, clusterDns, clusterDomain, nodePorts } = shared
  return record(options.paths, { ...own, agentKubeconfig: resolve(options.kubeconfig), nodeName, clusterCidr, serviceCidr, clusterDns, clusterDomain, nodePorts })
}
