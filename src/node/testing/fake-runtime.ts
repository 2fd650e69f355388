/** A container runtime in memory, for tests: containers run until they are told to end. */
import type { Clock } from '../../machinery/clock.ts'
import {
  RuntimeError, type Container, type ContainerConfig, type ContainerEvent, type ContainerStatus, type Image, type RuntimeDriver, type Sandbox, type SandboxConfig, type SandboxStatus,
} from '../runtime/driver.ts'
import { label } from '../pods/names.ts'

export interface FakeRuntime extends RuntimeDriver {
  /** Every call that changes something, in order: `run web`, `create main 0`, `start main`, `stop main 30`, … */
  readonly calls: string[]
  readonly configs: Map<string, ContainerConfig>
  /** Ends the newest container of that name. */
  exit(name: string, exitCode: number): void
  /** The newest container of that name. */
  container(name: string): ContainerStatus | undefined
  /** What `exec` answers; throwing makes it fail. */
  onExec: (id: string, command: readonly string[]) => number
  /** Called before each change; throwing makes it fail. */
  onCall: (call: string) => void
  /** Containers of these names ignore SIGTERM. */
  readonly stubborn: Set<string>
  images(): Promise<Image[]>
}

const imageOf = (reference: string): Image => ({ id: `sha256:${reference}`, tags: [reference], digests: [], size: 1000, pinned: false, uid: 0 })

/** `images` are those on the node; others can be pulled unless `onCall` throws. */
export function createFakeRuntime(clock: Clock, present: readonly string[] = ['app:1']): FakeRuntime {
  const sandboxes = new Map<string, SandboxStatus>()
  const containers = new Map<string, ContainerStatus>()
  const configs = new Map<string, ContainerConfig>()
  const images = new Map(present.map((name) => [name, imageOf(name)]))
  const listeners = new Set<(event: ContainerEvent) => void>()
  const calls: string[] = []
  let serial = 0
  const act = (call: string) => { fake.onCall(call); calls.push(call) }
  const existing = <T>(map: Map<string, T>, id: string): T => {
    const found = map.get(id)
    if (!found) throw new RuntimeError('notfound', `${id} not found`)
    return found
  }
  const change = (id: string, part: Partial<ContainerStatus>): void => void containers.set(id, { ...existing(containers, id), ...part })
  const end = (id: string, exitCode: number): void => {
    const c = existing(containers, id)
    change(id, { state: 'exited', exitCode, finishedAt: clock.now(), reason: exitCode === 0 ? 'Completed' : 'Error' })
    for (const listener of listeners) listener({ type: 'stopped', containerId: id, podUid: c.labels[label.podUid] ?? '' })
  }
  const newest = (name: string) => [...containers.values()].filter((c) => c.name === name).toSorted((a, b) => b.attempt - a.attempt)[0]
  const inPod = (uid: string | undefined) => (x: { labels: Readonly<Record<string, string>> }) => uid === undefined || x.labels[label.podUid] === uid

  const fake: FakeRuntime = {
    calls, configs, stubborn: new Set(), onExec: () => 0, onCall: () => undefined,
    exit: (name, exitCode) => end(newest(name)?.id ?? '', exitCode),
    container: newest,
    info: async () => ({ name: 'fake', version: '1', apiVersion: 'v1' }),
    conditions: async () => ['RuntimeReady', 'NetworkReady'].map((type) => ({ type, ready: true, reason: '', message: '' })),
    setPodCidr: async () => undefined,
    async runSandbox(config: SandboxConfig) {
      act(`run ${config.pod.name}`)
      const id = `sandbox-${++serial}`
      const sandbox: Sandbox = { id, pod: config.pod, state: 'ready', createdAt: clock.now(), labels: config.labels, annotations: config.annotations }
      sandboxes.set(id, { ...sandbox, ips: [`10.0.0.${serial}`], networkMode: 'pod' })
      return id
    },
    async stopSandbox(id) {
      const s = sandboxes.get(id)
      if (s?.state !== 'ready') return
      act(`stop sandbox ${s.pod.name}`)
      sandboxes.set(id, { ...s, state: 'notready' })
      for (const c of containers.values()) if (c.sandboxId === id && c.state === 'running') end(c.id, 137)
    },
    async removeSandbox(id) {
      act(`remove sandbox`)
      for (const c of containers.values()) if (c.sandboxId === id) containers.delete(c.id)
      sandboxes.delete(id)
    },
    sandboxStatus: async (id) => sandboxes.get(id),
    listSandboxes: async (filter) => [...sandboxes.values()].filter(inPod(filter?.podUid)),
    async createContainer(sandboxId, config) {
      act(`create ${config.name} ${config.attempt}`)
      const id = `${config.name}-${++serial}`
      const container: Container = {
        id, sandboxId, name: config.name, attempt: config.attempt, image: config.userSpecifiedImage, imageRef: config.image, state: 'created', createdAt: clock.now(), labels: config.labels, annotations: config.annotations,
      }
      containers.set(id, { ...container, startedAt: 0, finishedAt: 0, exitCode: 0, reason: '', message: '', logPath: '', mounts: config.mounts })
      configs.set(config.name, config)
      return id
    },
    async startContainer(id) {
      act(`start ${existing(containers, id).name}`)
      change(id, { state: 'running', startedAt: clock.now() })
    },
    async stopContainer(id, graceSeconds) {
      const c = containers.get(id)
      if (c?.state !== 'running') return
      act(`stop ${c.name} ${graceSeconds}`)
      if (fake.stubborn.has(c.name)) await clock.sleep(graceSeconds * 1000)
      if (containers.get(id)?.state === 'running') end(id, fake.stubborn.has(c.name) ? 137 : 143)
    },
    async removeContainer(id) { act(`remove ${containers.get(id)?.name}`); containers.delete(id) },
    containerStatus: async (id) => containers.get(id),
    listContainers: async (filter) => [...containers.values()].filter(inPod(filter?.podUid)),
    async updateResources(id, resources) { act(`resize ${existing(containers, id).name} ${resources.cpuQuota}`) },
    reopenLog: async () => undefined,
    stats: async () => [],
    exec: async (id, command) => ({ exitCode: fake.onExec(id, command), stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) }),
    execUrl: async () => 'http://127.0.0.1:1/exec',
    attachUrl: async () => 'http://127.0.0.1:1/attach',
    portForwardUrl: async () => 'http://127.0.0.1:1/portforward',
    image: async (reference) => images.get(reference) ?? [...images.values()].find((i) => i.id === reference),
    images: async () => [...images.values()],
    async pull(reference) {
      act(`pull ${reference}`)
      images.set(reference, imageOf(reference))
      return reference
    },
    async removeImage(reference) { act(`remove image ${reference}`); images.delete(reference) },
    imageFilesystem: async () => ({ path: '/', usedBytes: 0 }),
    async *events(signal) {
      const queue: ContainerEvent[] = []
      let wake = () => {}
      const listener = (event: ContainerEvent) => { queue.push(event); wake() }
      listeners.add(listener)
      signal.addEventListener('abort', () => wake(), { once: true })
      while (!signal.aborted) {
        for (let next = queue.shift(); next; next = queue.shift()) yield next
        if (!signal.aborted) await new Promise<void>((resolve) => { wake = resolve })
      }
      listeners.delete(listener)
    },
    close: () => undefined,
  }
  return fake
}
