/** A node whose control plane runs elsewhere: everything it must know it reads from its kubeconfig and from the cluster. */
import { readFileSync } from 'node:fs'
import { X509Certificate } from 'node:crypto'
import { hostname } from 'node:os'
import { dirname, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { core } from '../api/index.ts'
import { createHttpsClient } from '../client/https.ts'
import type { HttpsClient } from '../client/https.ts'
import { parseKubeconfig } from '../client/kubeconfig.ts'
import { systemClock } from '../machinery/clock.ts'
import { ApiError } from '../machinery/errors.ts'
import type { Component, Logger } from '../machinery/log.ts'
import { clusterInfo } from './cluster-info.ts'
import { createLog } from './log.ts'
import { bringContainerd, startClusterNode } from './node.ts'
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
  readonly nodeAddress: string | undefined
  readonly runtimeEndpoint: string | undefined
  readonly logLevel: string
}

/** Runs a node until the process is told to end; its pods stay. */
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
  if (ca === undefined || cert === undefined || key === undefined) throw new UserError(`${options.kubeconfig} has no certificates; make one with "skiff kubeconfig --for-node <name> --node-ip <address>" on the control plane`)
  const client = createHttpsClient(access)
  try {
    writePid(paths)
    const info = await published(client, log, ending.signal)
    if (info === undefined) return
    const settings = await nodeSettings(options, info, String(cert))
    const node = await startOn({ settings, paths, client, log, ca: String(ca), certificate: { cert: String(cert), key: String(key) } })
    log.info({ node: settings.nodeName, server: access.server }, 'the node runs')
    await aborted(ending.signal)
    log.info({}, 'ending')
    systemClock.after(endLimit, () => process.exit(0))
    await node.stop()
  } finally {
    removePid(paths)
    client.close()
  }
  process.exit(0)
}

/** How long ending in good order may take. */
const endLimit = 20_000

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** Brings up containerd and the node on it; `stop` lets go of both, and what runs goes on. */
async function startOn(parts: Pick<NodeOptions, 'settings' | 'paths' | 'log' | 'ca' | 'certificate' | 'client'>): Promise<Component> {
  const containerd = await bringContainerd(parts.settings, parts.paths, parts.log)
  try {
    const node = await startClusterNode({ ...parts, networkClient: parts.client, containerd, clock: systemClock })
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
 * What the control plane says to its nodes. Waits for one that is not reachable yet: after a power cut, hosts come back in any order.
 * Undefined when the process is told to end meanwhile. Throws when the control plane answers and refuses.
 */
async function published(client: HttpsClient, log: Logger, ending: AbortSignal): Promise<core.ConfigMap | undefined> {
  for (let waited = false; !ending.aborted; waited = true) {
    try {
      return await client.get(core.configmaps, clusterInfo.name, { namespace: clusterInfo.namespace })
    } catch (error) {
      const { message } = error as Error
      if (error instanceof ApiError && error.code < 500) throw new UserError(`the control plane does not take this node: ${message}`)
      if (!waited) log.warn({ error: message }, 'the control plane does not answer yet, waiting for it')
    }
    // A timer that keeps the process: nothing else does yet.
    await sleep(1000, undefined, { signal: ending }).catch(() => undefined)
  }
  return undefined
}

async function nodeSettings(options: AgentOptions, info: core.ConfigMap, certificate: string): Promise<Settings> {
  const shared = JSON.parse(info.data?.['settings'] ?? '{}') as Settings
  const own = await settle(options.paths, { name: options.name, nodeAddress: options.nodeAddress, runtimeEndpoint: options.runtimeEndpoint })
  const subject = new X509Certificate(certificate).subject
  const nodeName = /^CN=system:node:(.+)$/m.exec(subject)?.[1] ?? hostname().toLowerCase()
  const { clusterCidr, serviceCidr, clusterDns, clusterDomain, nodePorts } = shared
  return record(options.paths, { ...own, agentKubeconfig: resolve(options.kubeconfig), nodeName, clusterCidr, serviceCidr, clusterDns, clusterDomain, nodePorts })
}
