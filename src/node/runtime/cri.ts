/** The runtime driver over CRI v1: containerd, or any other runtime that speaks it. */
import { containerMessage, containerOf, containerStatusOf, imageOf, items, resourcesMessage, sandboxMessage, sandboxOf, sandboxStatusOf, statsOf } from './cri-convert.ts'
import { enums, messages, methods } from './cri-descriptor.ts'
import { taskExits } from './containerd-events.ts'
import { grpcClient, type Message } from './grpc.ts'
import { RuntimeError, type ContainerEvent, type RuntimeDriver, type StreamRequest } from './driver.ts'

type Method = keyof typeof methods

/** Milliseconds a call may take; what pulls, unpacks or sets up networks takes longer. */
const usual = 120_000
const long = 240_000
const pullLimit = 30 * 60_000

const podUidLabel = 'io.kubernetes.pod.uid'

/** Connects lazily to the runtime's socket; every call rejects with `RuntimeError`. */
export function criDriver(socket: string): RuntimeDriver {
  const client = grpcClient(socket, { package: 'runtime.v1', messages, enums })
  const call = (method: Method, body: Message, timeoutMs = usual) => {
    const m = methods[method]
    return client.unary(`/runtime.v1.${m.service}/${method}`, m.request, m.response, body, timeoutMs)
  }
  const closing = new AbortController()
  const driver: RuntimeDriver = {
    ...runtimeCalls(call),
    ...containerCalls(call),
    ...streamingCalls(call),
    ...imageCalls(call),
    events: (signal) => events(driver, socket, AbortSignal.any([signal, closing.signal]), () => {
      const m = methods.GetContainerEvents
      return client.stream(`/runtime.v1.${m.service}/GetContainerEvents`, m.request, m.response, {}, signal)
    }),
    close() {
      closing.abort()
      client.close()
    },
  }
  return driver
}

type Call = (method: Method, body: Message, timeoutMs?: number) => Promise<Message>

/** `undefined` for what the runtime does not know. */
async function found<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    if (error instanceof RuntimeError && error.reason === 'notfound') return undefined
    throw error
  }
}

const selector = (podUid: string | undefined) => (podUid ? { label_selector: { [podUidLabel]: podUid } } : {})

function runtimeCalls(call: Call): Pick<RuntimeDriver, 'info' | 'conditions' | 'setPodCidr' | 'runSandbox' | 'stopSandbox' | 'removeSandbox' | 'sandboxStatus' | 'listSandboxes'> {
  return {
    async info() {
      const v = await call('Version', { version: 'v1' })
      return { name: v['runtime_name'] as string, version: v['runtime_version'] as string, apiVersion: v['runtime_api_version'] as string }
    },
    async conditions() {
      const { status } = await call('Status', {}) as { status: Message }
      return items(status, 'conditions').map((c) => ({ type: c['type'] as string, ready: c['status'] === true, reason: c['reason'] as string, message: c['message'] as string }))
    },
    async setPodCidr(cidr) { await call('UpdateRuntimeConfig', { runtime_config: { network_config: { pod_cidr: cidr } } }) },
    async runSandbox(config) {
      const answer = await call('RunPodSandbox', { config: sandboxMessage(config), runtime_handler: config.runtimeHandler ?? '' }, long)
      return answer['pod_sandbox_id'] as string
    },
    async stopSandbox(id) { await found(call('StopPodSandbox', { pod_sandbox_id: id }, long)) },
    async removeSandbox(id) { await found(call('RemovePodSandbox', { pod_sandbox_id: id }, long)) },
    async sandboxStatus(id) {
      const answer = await found(call('PodSandboxStatus', { pod_sandbox_id: id }))
      return answer && sandboxStatusOf(answer['status'] as Message)
    },
    async listSandboxes(filter) {
      return items(await call('ListPodSandbox', { filter: selector(filter?.podUid) }), 'items').map(sandboxOf)
    },
  }
}

function containerCalls(call: Call): Pick<RuntimeDriver,
  'createContainer' | 'startContainer' | 'stopContainer' | 'removeContainer' | 'containerStatus' | 'listContainers' | 'updateResources' | 'reopenLog' | 'stats'> {
  return {
    async createContainer(sandboxId, config, sandbox) {
      const answer = await call('CreateContainer', { pod_sandbox_id: sandboxId, config: containerMessage(config), sandbox_config: sandboxMessage(sandbox) }, long)
      return answer['container_id'] as string
    },
    async startContainer(id) { await call('StartContainer', { container_id: id }, long) },
    async stopContainer(id, graceSeconds) {
      // A grace beyond thirty years is more than durations hold, there and in between.
      const grace = Math.min(1e9, Math.max(0, Math.ceil(graceSeconds)))
      await found(call('StopContainer', { container_id: id, timeout: grace }, usual + grace * 1000))
    },
    async removeContainer(id) { await found(call('RemoveContainer', { container_id: id })) },
    async containerStatus(id) {
      const answer = await found(call('ContainerStatus', { container_id: id }))
      return answer && containerStatusOf(answer['status'] as Message)
    },
    async listContainers(filter) {
      const message = { ...selector(filter?.podUid), pod_sandbox_id: filter?.sandboxId ?? '' }
      return items(await call('ListContainers', { filter: message }), 'containers').map(containerOf)
    },
    async updateResources(id, resources) { await call('UpdateContainerResources', { container_id: id, linux: resourcesMessage(resources) }) },
    async reopenLog(id) { await found(call('ReopenContainerLog', { container_id: id })) },
    async stats() { return items(await call('ListContainerStats', {}), 'stats').map(statsOf) },
  }
}

function streamingCalls(call: Call): Pick<RuntimeDriver, 'exec' | 'execUrl' | 'attachUrl' | 'portForwardUrl'> {
  const request = (r: StreamRequest): Message => ({ container_id: r.containerId, tty: r.tty, stdin: r.stdin, stdout: r.stdout, stderr: r.stderr })
  return {
    async exec(id, command, timeoutSeconds) {
      const answer = await call('ExecSync', { container_id: id, cmd: command, timeout: Math.ceil(timeoutSeconds) }, timeoutSeconds > 0 ? timeoutSeconds * 1000 + 10_000 : usual)
      return { exitCode: answer['exit_code'] as number, stdout: Buffer.from(answer['stdout'] as Uint8Array), stderr: Buffer.from(answer['stderr'] as Uint8Array) }
    },
    async execUrl(r) { return (await call('Exec', { ...request(r), cmd: r.command ?? [] }))['url'] as string },
    async attachUrl(r) { return (await call('Attach', request(r)))['url'] as string },
    async portForwardUrl(sandboxId, ports) { return (await call('PortForward', { pod_sandbox_id: sandboxId, port: ports }))['url'] as string },
  }
}

function imageCalls(call: Call): Pick<RuntimeDriver, 'image' | 'images' | 'pull' | 'removeImage' | 'imageFilesystem'> {
  return {
    async image(reference) {
      const answer = await found(call('ImageStatus', { image: { image: reference } }))
      return answer?.['image'] ? imageOf(answer['image'] as Message) : undefined
    },
    async images() { return items(await call('ListImages', {}), 'images').map(imageOf) },
    async pull(reference, auth) {
      const answer = await call('PullImage', {
        image: { image: reference },
        auth: auth && { username: auth.username ?? '', password: auth.password ?? '', auth: auth.auth ?? '', identity_token: auth.identityToken ?? '', registry_token: auth.registryToken ?? '' },
      }, pullLimit)
      return answer['image_ref'] as string
    },
    async removeImage(reference) { await found(call('RemoveImage', { image: { image: reference } })) },
    async imageFilesystem() {
      const [first] = items(await call('ImageFsInfo', {}), 'image_filesystems')
      const mountpoint = (first?.['fs_id'] as Message | null)?.['mountpoint']
      return { path: (mountpoint as string | undefined) ?? '', usedBytes: Number((first?.['used_bytes'] as Message | null)?.['value'] ?? 0) }
    },
  }
}

/** Exits, each told once the runtime itself reports it: from containerd's events, or CRI's for other runtimes. */
async function* events(driver: RuntimeDriver, socket: string, signal: AbortSignal, criEvents: () => AsyncIterable<Message>): AsyncIterable<ContainerEvent> {
  const { name } = await driver.info()
  if (name !== 'containerd') {
    const kinds = ['created', 'started', 'stopped', 'deleted'] as const
    for await (const e of criEvents()) {
      const sandbox = e['pod_sandbox_status'] as Message | null
      const podUid = sandbox ? sandboxOf(sandbox).pod.uid : ''
      yield { type: kinds[e['container_event_type'] as number] ?? 'stopped', containerId: e['container_id'] as string, podUid }
    }
    return
  }
  for await (const id of merged(taskExits(socket, signal), (id) => settled(driver, id))) yield id
}

/** Applies `then` to each item as it comes, several at a time, and yields what they resolve to in order of completion. */
async function* merged<T, R>(source: AsyncIterable<T>, then: (item: T) => Promise<R | undefined>): AsyncIterable<R> {
  const ready: R[] = []
  let wake = () => {}
  const state: { done: boolean; error?: unknown; pending: number } = { done: false, pending: 0 }
  const finish = (result: R | undefined) => { state.pending--; if (result !== undefined) ready.push(result); wake() }
  void (async () => {
    try {
      for await (const item of source) {
        state.pending++
        void then(item).then(finish, () => finish(undefined))
      }
    } catch (error) {
      state.error = error
    }
    state.done = true
    wake()
  })()
  while (!state.done || state.pending > 0 || ready.length > 0) {
    const next = ready.shift()
    if (next !== undefined) yield next
    else await new Promise<void>((resolve) => { wake = resolve })
  }
  if (state.error) throw state.error
}

/** Waits until CRI reports as ended what containerd says has ended: it learns from the same event, a few milliseconds later. */
async function settled(driver: RuntimeDriver, id: string): Promise<ContainerEvent | undefined> {
  for (let wait = 1; wait < 2000; wait *= 2) {
    const container = await driver.containerStatus(id)
    if (container && container.state !== 'running') return { type: 'stopped', containerId: id, podUid: container.labels[podUidLabel] ?? '' }
    if (!container) {
      const sandbox = await driver.sandboxStatus(id)
      if (!sandbox) return undefined
      if (sandbox.state !== 'ready') return { type: 'stopped', containerId: id, podUid: sandbox.pod.uid }
    }
    await new Promise((resolve) => setTimeout(resolve, wait))
  }
  return undefined
}
