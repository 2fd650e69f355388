/** A node whose control plane runs elsewhere: everything it must know it reads from its kubeconfig and from the cluster. */
import { readFileSync } from 'node:fs'
import { X509Certificate } from 'node:crypto'
import { hostname } from 'node:os'
import { core } from '../api/index.ts'
import { createHttpsClient } from '../client/https.ts'
import type { HttpsClient } from '../client/https.ts'
import { parseKubeconfig } from '../client/kubeconfig.ts'
import { systemClock } from '../machinery/clock.ts'
import { clusterInfo } from './cluster-info.ts'
import { createLog } from './log.ts'
import { bringContainerd, startClusterNode } from './node.ts'
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
  const access = await parseKubeconfig(readFileSync(options.kubeconfig, 'utf8'))
  const { ca, cert, key } = access
  if (ca === undefined || cert === undefined || key === undefined) throw new UserError(`${options.kubeconfig} has no certificates; make one with "skiff kubeconfig --for-node <name> --node-ip <address>" on the control plane`)
  const client = createHttpsClient(access)
  try {
    const settings = await nodeSettings(options, client, String(cert))
    writePid(paths)
    const containerd = await bringContainerd(settings, paths, log)
    const node = await startClusterNode({
      settings,
      paths,
      ca: String(ca),
      certificate: { cert: String(cert), key: String(key) },
      client,
      networkClient: client,
      containerd,
      clock: systemClock,
      log,
    })
    log.info({ node: settings.nodeName, server: access.server }, 'the node runs')
    await new Promise<void>((resolve) => {
      for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve())
    })
    await node.stop()
    containerd.release()
    removePid(paths)
  } finally {
    client.close()
  }
  process.exit(0)
}

async function nodeSettings(options: AgentOptions, client: HttpsClient, certificate: string): Promise<Settings> {
  const info = await client.get(core.configmaps, clusterInfo.name, { namespace: clusterInfo.namespace }).catch((error: Error) => {
    throw new UserError(`the control plane does not answer as it should: ${error.message}`)
  })
  const shared = JSON.parse(info.data?.['settings'] ?? '{}') as Settings
  const own = await settle(options.paths, { name: options.name, nodeAddress: options.nodeAddress, runtimeEndpoint: options.runtimeEndpoint })
  const subject = new X509Certificate(certificate).subject
  const nodeName = /^CN=system:node:(.+)$/m.exec(subject)?.[1] ?? hostname().toLowerCase()
  const { clusterCidr, serviceCidr, clusterDns, clusterDomain, nodePorts } = shared
  return record(options.paths, { ...own, nodeName, clusterCidr, serviceCidr, clusterDns, clusterDomain, nodePorts })
}
