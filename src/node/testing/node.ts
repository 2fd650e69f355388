/** A node for tests: real workers on a fake runtime, a memory client and a clock that is turned by hand. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { core, type In } from '../../api/index.ts'
import { createInformers, createRecorder } from '../../client/index.ts'
import { createMemoryClient, type MemoryClient } from '../../client/testing/memory-client.ts'
import { FakeClock } from '../../machinery/clock.ts'
import { quiet } from '../../machinery/log.ts'
import type { Cgroups } from '../cgroups.ts'
import type { NodeContext } from '../context.ts'
import { createImages } from '../images/pull.ts'
import { createBackoff } from '../pods/backoff.ts'
import { startPodManager } from '../pods/manager.ts'
import { createStatusWriter } from '../pods/status-writer.ts'
import type { Tools } from '../pods/tools.ts'
import type { PodWorker } from '../pods/worker.ts'
import { createProber, type Prober } from '../probes/prober.ts'
import { createVolumes } from '../volumes/volumes.ts'
import { createFakeRuntime, type FakeRuntime } from './fake-runtime.ts'

export interface TestNode {
  readonly client: MemoryClient
  readonly clock: FakeClock
  /** Of volumes; `logs` is in it. */
  readonly directory: string
  readonly runtime: FakeRuntime
  readonly workers: ReadonlyMap<string, PodWorker>
  create(name: string, spec: Partial<In<typeof core.PodSpec>>, metadata?: object): Promise<void>
  /** Asks for deletion as a user does; the object stays until the node has let go of it. */
  delete(name: string): Promise<void>
  pod(name: string): core.Pod
  events(name: string): readonly string[]
  /** What `/metrics/probes` shows. */
  probeMetrics(): Promise<string>
  /** Lets `ms` pass on the node's clock, and all that follows from it happen. */
  pass(ms: number): Promise<void>
  /** Whether the node has asked for the pod's final deletion. */
  released(name: string): boolean
  /** Ends the agent and starts another on the same runtime. */
  restart(): Promise<void>
  close(): void
}

const noCgroups: Cgroups = { version: 2, podPath: (pod) => `/test/pod${pod.metadata.uid}`, create: async () => undefined, remove: async () => undefined, removeAll: async () => undefined }
export async function startTestNode(options: { readonly images?: readonly string[]; readonly node?: In<typeof core.Node>; hostsFile?(): string } = {}): Promise<TestNode> {
  const directory = mkdtempSync(join(tmpdir(), 'skiff-node-test-'))
  const clock = new FakeClock()
  const client = createMemoryClient(clock)
  const runtime = createFakeRuntime(clock, options.images)
  const node = options.node ? await client.create(core.nodes, options.node) : undefined
  let stop = new AbortController()
  let workers = new Map<string, PodWorker>()
  let prober: Prober | undefined

  const start = async () => {
    stop = new AbortController()
    workers = new Map()
    const informers = createInformers(client, { clock, log: quiet })
    const pods = informers.for(core.pods, { fieldSelector: 'spec.nodeName=node' })
    informers.start(stop.signal)
    const context: NodeContext = {
      nodeName: 'node', owner: 'test', client, clock, log: quiet, runtime, hostIPs: ['192.0.2.1'], clusterDns: ['10.96.0.10'], clusterDomain: 'cluster.local',
      directories: { data: directory, logs: join(directory, 'logs'), memory: join(directory, 'memory') },
      recorder: createRecorder(client, { component: 'kubelet', host: 'node', clock, log: quiet }),
      node: () => node, services: () => [],
    }
    prober = createProber(context, (uid) => workers.get(uid)?.wake())
    const tools: Tools = {
      context, cgroups: noCgroups, images: createImages(context), prober,
      volumes: createVolumes(context.directories, { client, clock, log: quiet, allocatable: () => undefined, addresses: () => ({ podIPs: [], hostIPs: [] }) }),
      crashes: createBackoff(clock), statuses: createStatusWriter(client, clock, quiet),
      env: {
        configMap: (namespace, name) => client.get(core.configmaps, name, { namespace }), secret: (namespace, name) => client.get(core.secrets, name, { namespace }),
        services: () => [], allocatable: () => undefined,
      },
      hostDns: () => ({ servers: ['192.0.2.53'], searches: [], options: [] }), hostsFile: async () => options.hostsFile?.() ?? '', seccompRoot: '/seccomp', machine: { memoryBytes: 8 * 2 ** 30, cgroupV2: true },
    }
    await startPodManager(tools, pods, workers, stop.signal)
  }
  /** Files and sockets take real time, whatever the clock says: waits until nothing has happened for a while and no worker is in a step. */
  const settle = async () => {
    const happened = () => runtime.calls.length + client.calls.length
    for (let quiet = 0, rounds = 0, before = -1; quiet < 5 && rounds < 400; rounds++) {
      await new Promise((resolve) => setTimeout(resolve, 1))
      // A step that waits for the clock stays busy: then a longer silence has to do.
      const busy = [...workers.values()].some((w) => w.busy)
      quiet = happened() === before ? quiet + (busy ? 0.04 : 1) : 0
      before = happened()
    }
  }
  const pass = async (ms: number) => {
    await settle()
    for (let left = ms; left > 0; left -= ms / 5) { await clock.advance(ms / 5); await settle() }
    if (ms === 0) { await clock.advance(0); await settle() }
  }
  await start()

  return {
    client, clock, directory, runtime, pass,
    get workers() { return workers },
    async create(name, spec, metadata = {}) {
      await client.create(core.pods, { metadata: { name, namespace: 'default', ...metadata }, spec: { nodeName: 'node', containers: [{ name: 'main', image: 'app:1' }], ...spec } })
      await pass(0)
    },
    async delete(name) {
      client.edit(core.pods, `default/${name}`, (p) => ({ ...p, metadata: { ...p.metadata, finalizers: ['test/grace'] } }))
      await client.delete(core.pods, name, { namespace: 'default' })
      await pass(0)
    },
    pod(name) {
      const pod = client.stored(core.pods).get(`default/${name}`)
      if (!pod) throw new Error(`no pod ${name}`)
      return pod
    },
    events: (name) => [...client.stored(core.events).values()].filter((e) => e.involvedObject.name === name).map((e) => `${e.reason}: ${e.message}`),
    probeMetrics: async () => (await prober!.metrics()).text,
    released: (name) => client.calls.some((c) => c.verb === 'delete' && c.name === name && (c.object as { gracePeriodSeconds?: number }).gracePeriodSeconds === 0),
    async restart() {
      stop.abort()
      for (const worker of workers.values()) worker.release()
      await start()
      await pass(0)
    },
    close() {
      stop.abort()
      rmSync(directory, { recursive: true, force: true })
    },
  }
}
