/** Short words for tests with pods on a real node. Everything runs the image of examples/hello, which is busybox. */
import type { TestCluster } from './cluster.ts'
import { eventually } from './host.ts'

export const image = 'hello:1.0'

type Fields = Readonly<Record<string, unknown>>

/** A container that runs a shell script. */
export const shell = (script: string, more: Fields = {}): Fields => ({ name: 'c', image, command: ['sh', '-c', script], ...more })

/** What keeps a container busy. It is PID 1, which no signal ends that it does not ask for, so it asks. */
export const idle = 'trap "exit 0" TERM; while true; do sleep 0.2; done'

/** A pod with one container, or with a spec of its own. It is not waited for when it is deleted. */
export function pod(name: string, container: Fields, spec: Fields = {}, metadata: Fields = {}): Fields {
  return { apiVersion: 'v1', kind: 'Pod', metadata: { name, ...metadata }, spec: { terminationGracePeriodSeconds: 0, containers: [container], ...spec } }
}

interface State {
  readonly waiting?: { readonly reason: string; readonly message?: string }
  readonly running?: { readonly startedAt: string }
  readonly terminated?: { readonly reason: string; readonly exitCode: number; readonly message?: string; readonly finishedAt: string; readonly startedAt: string }
}

export interface ContainerSeen {
  readonly name: string
  readonly state: State
  readonly lastState: State
  readonly restartCount: number
  readonly ready: boolean
  readonly started: boolean
}

export interface PodSeen {
  readonly metadata: { readonly name: string; readonly uid: string; readonly deletionTimestamp?: string }
  readonly spec: { readonly nodeName?: string; readonly unschedulable?: boolean }
  readonly status: {
    readonly phase: string
    readonly reason?: string
    readonly podIP?: string
    readonly hostIP?: string
    readonly qosClass?: string
    readonly conditions?: readonly { readonly type: string; readonly status: string; readonly reason?: string; readonly message?: string }[]
    readonly containerStatuses?: readonly ContainerSeen[]
    readonly initContainerStatuses?: readonly ContainerSeen[]
    readonly ephemeralContainerStatuses?: readonly ContainerSeen[]
  }
}

export interface EventSeen { readonly type: string; readonly reason: string; readonly message: string; readonly count?: number; readonly involvedObject: { readonly fieldPath?: string } }

export interface PodTools {
  apply(...objects: readonly object[]): Promise<string>
  get(name: string): Promise<PodSeen>
  /** The first container's status. */
  container(name: string): Promise<ContainerSeen>
  /** The columns NAME READY STATUS RESTARTS of kubectl's table. */
  row(name: string): Promise<readonly string[]>
  events(name: string): Promise<readonly EventSeen[]>
  ready(...names: readonly string[]): Promise<string>
  /** Waits until the table says so under STATUS. */
  shows(name: string, status: string, timeoutMs?: number): Promise<void>
  exec(name: string, script: string, ...options: readonly string[]): Promise<string>
}

/** The words for one cluster. */
export function podTools(cluster: () => TestCluster): PodTools {
  const kubectl = (...args: string[]) => cluster().kubectl(...args)
  const get = async (name: string) => JSON.parse(await kubectl('get', 'pod', name, '-o', 'json')) as PodSeen
  const row = async (name: string) => (await kubectl('get', 'pod', name, '--no-headers')).trim().split(/\s{2,}/).slice(0, 4)
  return {
    async apply(...objects) {
      const applied = await cluster().tryKubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }))
      if (applied.code !== 0) throw new Error(applied.stderr)
      return applied.stdout
    },
    get,
    async container(name) {
      const status = (await get(name)).status.containerStatuses?.[0]
      if (!status) throw new Error(`pod ${name} has no container status`)
      return status
    },
    row,
    async events(name) {
      const list = JSON.parse(await kubectl('get', 'events', '--field-selector', `involvedObject.name=${name}`, '-o', 'json')) as { items: EventSeen[] }
      return list.items
    },
    ready: (...names) => kubectl('wait', '--for=condition=Ready', '--timeout=60s', ...names.map((name) => `pod/${name}`)),
    async shows(name, status, timeoutMs = 30_000) {
      let seen = ''
      await eventually(`pod ${name} shows ${status}`, async () => {
        seen = (await row(name))[2] ?? ''
        if (seen !== status) throw new Error(`it shows ${seen}`)
        return true
      }, timeoutMs)
    },
    exec: (name, script, ...options) => kubectl('exec', name, ...options, '--', 'sh', '-c', script),
  }
}
