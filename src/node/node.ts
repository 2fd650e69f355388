/** The node agent (kubelet) put together. */
import { mkdir, readFile } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { core } from '../api/index.ts'
import { createInformers, createRecorder } from '../client/index.ts'
import { createCgroups } from './cgroups.ts'
import type { NodeContext } from './context.ts'
import { createEvictions } from './eviction.ts'
import { createImageGc } from './images/gc.ts'
import { createImages } from './images/pull.ts'
import { rotateLogs } from './logs/rotate.ts'
import type { NodeAgent, NodeAgentOptions } from './options.ts'
import { createBackoff } from './pods/backoff.ts'
import { readHostDns } from './pods/dns.ts'
import { startPodManager } from './pods/manager.ts'
import type { PodWorker } from './pods/worker.ts'
import { createStatusWriter } from './pods/status-writer.ts'
import type { Tools } from './pods/tools.ts'
import { createProber } from './probes/prober.ts'
import { readMachine, type Machine } from './registration/machine.ts'
import { register } from './registration/register.ts'
import { startServer } from './server/server.ts'
import { limitedDriver } from './runtime/limited.ts'
import { isTmpfs, mountTmpfs } from './volumes/mounts.ts'
import { createVolumes } from './volumes/volumes.ts'

const logsEvery = 10_000
const evictionEvery = 10_000
const imagesEvery = 300_000
const hostDnsEvery = 10_000
const list = (value: string | readonly string[]): readonly string[] => (typeof value === 'string' ? (value === '' ? [] : [value]) : value)

/** Starts the agent: registers the node, adopts what runs, runs what is bound to it. Resolves when its server listens. */
export async function startNode(options: NodeAgentOptions): Promise<NodeAgent> {
  const { name, client, clock, log } = options
  const runtime = limitedDriver(options.runtime, Math.max(4, availableParallelism() * 2))
  const stopped = new AbortController()
  const signal = options.signal ? AbortSignal.any([options.signal, stopped.signal]) : stopped.signal
  const directories = await makeDirectories(options)
  const informers = createInformers(client, { clock, log })
  const pods = informers.for(core.pods, { fieldSelector: `spec.nodeName=${name}` })
  const nodes = informers.for(core.nodes, { fieldSelector: `metadata.name=${name}` })
  const services = informers.for(core.services)
  const context: NodeContext = {
    nodeName: name, owner: options.cgroupParent.replaceAll('/', ''), client, clock, log, runtime, directories,
    recorder: createRecorder(client, { component: 'kubelet', host: name, clock, log }),
    hostIPs: list(options.address),
    clusterDns: list(options.clusterDns),
    clusterDomain: options.clusterDomain,
    node: () => nodes.get(name),
    services: (namespace) => services.list(namespace),
  }
  const [machine, info] = await Promise.all([readMachine(directories.data), runtime.info()])
  const facts = {
    name, addresses: context.hostIPs, machine, maxPods: options.maxPods ?? 110, version: options.version ?? 'v1.36.0', runtime: info, labels: options.labels ?? {},
  }
  const workers = new Map<string, PodWorker>()
  const tools = await makeTools(options, context, machine, (uid) => workers.get(uid)?.wake(), signal)
  const server = await startServer({ context, workers, prober: tools.prober, addresses: context.hostIPs, port: options.port, maxPods: facts.maxPods, tls: options.tls })
  informers.start(signal)
  const registration = await register(context, { ...facts, port: server.port }, signal)
  await services.synced()
  const manager = await startPodManager(tools, pods, workers, signal)
  housekeeping(context, tools, workers, signal)
  return {
    ready: registration.ready,
    port: server.port,
    async stop() {
      stopped.abort()
      manager.stop()
      await Promise.all([server.stop(), registration.stop()])
    },
  }
}

async function makeDirectories({ dataDir, logDir }: NodeAgentOptions): Promise<NodeContext['directories']> {
  const directories = { data: dataDir, logs: logDir, memory: join(dataDir, 'memory') }
  for (const directory of [join(directories.data, 'pods'), directories.logs, directories.memory]) await mkdir(directory, { recursive: true, mode: 0o755 })
  if (!(await isTmpfs(directories.memory))) await mountTmpfs(directories.memory)
  return directories
}

async function makeTools(options: NodeAgentOptions, context: NodeContext, machine: Machine, wake: (uid: string) => void, signal: AbortSignal): Promise<Tools> {
  const { client, clock, log } = context
  const cgroups = createCgroups(options.cgroupParent, log)
  const allocatable = () => context.node()?.status.allocatable
  const read = (file: string) => readFile(file, 'utf8').catch(() => '')
  const hostDns = { now: await readHostDns(read) }
  void repeat(context, hostDnsEvery, 'reading the host\'s resolv.conf', async () => { hostDns.now = await readHostDns(read) }, signal)
  return {
    context,
    cgroups,
    images: createImages(context),
    prober: createProber(context, wake),
    volumes: createVolumes(context.directories, {
      client, clock, log, allocatable,
      addresses: (pod) => ({ hostIPs: context.hostIPs, podIPs: (pod.status.podIPs ?? []).map((p) => p.ip) }),
    }),
    crashes: createBackoff(clock),
    statuses: createStatusWriter(client, clock, log),
    env: {
      configMap: (namespace, name) => client.get(core.configmaps, name, { namespace }),
      secret: (namespace, name) => client.get(core.secrets, name, { namespace }),
      services: context.services,
      allocatable,
    },
    hostDns: () => hostDns.now,
    hostsFile: () => read('/etc/hosts'),
    seccompRoot: join(options.dataDir, 'seccomp'),
    machine: { memoryBytes: machine.memoryBytes, cgroupV2: cgroups.version === 2 },
  }
}

/** What is done every so often, whatever happens. */
function housekeeping(context: NodeContext, tools: Tools, workers: ReadonlyMap<string, PodWorker>, signal: AbortSignal): void {
  const gc = createImageGc(context)
  const evictions = createEvictions(context, workers, tools.volumes)
  void repeat(context, evictionEvery, 'looking for pods to evict', () => evictions.check(), signal)
  void repeat(context, logsEvery, 'rotating logs', () => rotateLogs(context, workers.values()), signal)
  void repeat(context, imagesEvery, 'collecting unused images', () => gc.collect().finally(() => tools.images.prune()), signal)
}

async function repeat({ clock, log }: NodeContext, ms: number, what: string, work: () => Promise<void>, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await clock.sleep(ms, signal).catch(() => undefined)
    if (!signal.aborted) await work().catch((error: unknown) => log.warn({ error: String(error) }, `${what} failed, it is tried again`))
  }
}
