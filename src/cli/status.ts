/** `skiff status`: what runs, and how it is. Exit code 0: up and Ready; 1: not. */
import { readFileSync } from 'node:fs'
import { core } from '../api/index.ts'
import { createHttpsClient } from '../client/https.ts'
import { parseKubeconfig } from '../client/kubeconfig.ts'
import { runningPid } from '../cluster/daemon.ts'
import { keptClientCertificate } from '../cluster/node-certificates.ts'
import { expiryOf, type Expiry } from '../cluster/renewal.ts'
import { existing } from './options.ts'
import type { ClusterOptions } from './options.ts'

export interface Report {
  readonly name: string
  readonly state: 'down' | 'not answering' | 'up'
  readonly server: string
  readonly pid?: number
  /** Resident memory of Skiff's own process, in MB; containerd apart. */
  readonly memoryMB?: number
  readonly version?: string
  /** When the certificates end; they are renewed long before, the authority is not. */
  readonly expiry?: Expiry
  readonly nodes?: readonly { readonly name: string; readonly ready: boolean; readonly address: string }[]
  readonly pods?: Readonly<Record<string, number>>
}

export interface StatusOptions extends ClusterOptions {
  readonly output: 'text' | 'json'
}

/** `skiff status` */
export async function status(options: StatusOptions): Promise<void> {
  const report = await inspect(options)
  if (options.output === 'json') console.log(JSON.stringify(report, null, 2))
  else print(report)
  process.exitCode = report.state === 'up' && report.nodes?.every((node) => node.ready) ? 0 : 1
}

/** Looks at the cluster: its process, and what its API server says. Throws when there is no such cluster. */
export async function inspect(options: ClusterOptions): Promise<Report> {
  const { paths, settings } = existing(options)
  const pid = runningPid(paths)
  const access = settings.agentKubeconfig === undefined ? undefined : await parseKubeconfig(readFileSync(settings.agentKubeconfig, 'utf8'))
  const expiry = expiryOf(paths.pki)
  const head = { ...(expiry ? { expiry } : {}), name: settings.name, server: access?.server ?? `https://127.0.0.1:${settings.port}` }
  if (pid === undefined) return { ...head, state: 'down' }
  const memoryMB = residentMB(pid)
  const kept = access === undefined ? undefined : keptClientCertificate(paths.pki)
  const client = createHttpsClient(access ? { ...access, ...kept } : (await parseKubeconfig(readFileSync(paths.kubeconfig, 'utf8'))))
  try {
    const signal = AbortSignal.timeout(5000)
    // A node elsewhere sees itself and its own pods.
    const [nodesOf, podsOf] = access === undefined ? [{}, {}] : [{ fieldSelector: `metadata.name=${settings.nodeName}` }, { fieldSelector: `spec.nodeName=${settings.nodeName}` }]
    const [version, nodes, pods] = await Promise.all([client.raw('/version', { signal }), client.list(core.nodes, { signal, ...nodesOf }), client.list(core.pods, { signal, ...podsOf })])
    return {
      ...head,
      state: 'up',
      pid,
      memoryMB,
      version: (JSON.parse(version) as { gitVersion: string }).gitVersion,
      nodes: nodes.items.map((node) => ({
        name: node.metadata.name ?? '',
        ready: node.status.conditions?.some((condition) => condition.type === 'Ready' && condition.status === 'True') ?? false,
        address: node.status.addresses?.find((address) => address.type === 'InternalIP')?.address ?? '',
      })),
      pods: Object.fromEntries(Object.entries(Object.groupBy(pods.items, (pod) => pod.status.phase ?? 'Unknown')).map(([phase, group]) => [phase, group?.length ?? 0])),
    }
  } catch {
    return { ...head, state: 'not answering', pid, memoryMB }
  } finally {
    client.close()
  }
}

function print(report: Report): void {
  const line = (name: string, value: string) => console.log(`${name.padEnd(9)}${value}`)
  line('cluster', `${report.name}: ${report.state}`)
  line('server', report.server)
  if (report.pid !== undefined) line('process', `pid ${report.pid}, ${report.memoryMB} MB`)
  if (report.version) line('version', report.version)
  if (report.expiry) line('certs', expiryText(report.expiry))
  for (const node of report.nodes ?? []) line('node', `${node.name} ${node.address} ${node.ready ? 'Ready' : 'NotReady'}`)
  if (report.pods) line('pods', Object.entries(report.pods).map(([phase, count]) => `${count} ${phase}`).join(', ') || 'none')
  if (report.state === 'down') console.log('start it with "skiff up"')
  if (report.state === 'not answering') console.log('see "skiff logs"')
}

function expiryText({ certificates, authority }: Expiry): string {
  const day = (text: string) => text.slice(0, 10)
  const soon = authority !== undefined && Date.parse(authority) - Date.now() < 365 * 24 * 3_600_000
  return `valid until ${day(certificates)}, renewed automatically${authority === undefined ? '' : `; authority valid until ${day(authority)}${soon ? ' and not renewed: create the cluster anew before then' : ''}`}`
}

function residentMB(pid: number): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '0'
  return Math.round(Number(kilobytes) / 1024)
}
