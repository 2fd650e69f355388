/** What every part of the node agent is given. */
import type { core } from '../api/index.ts'
import type { Client, EventRecorder } from '../client/index.ts'
import type { Clock } from '../machinery/clock.ts'
import type { Logger } from '../machinery/log.ts'
import type { RuntimeDriver } from './runtime/driver.ts'

export interface Directories {
  /** The kubelet's directory: `pods/<uid>/…`. */
  readonly data: string
  /** Pod logs: `<namespace>_<name>_<uid>/<container>/<attempt>.log`. */
  readonly logs: string
  /** A tmpfs of this node: secrets and tokens never touch a disk. */
  readonly memory: string
}

export interface NodeContext {
  readonly nodeName: string
  /** Marks what belongs to this node in a runtime that others use too: the cgroup parent without its slash, `skiff-<cluster>`. */
  readonly owner: string
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  readonly runtime: RuntimeDriver
  readonly recorder: EventRecorder
  readonly directories: Directories
  /** Addresses of the node, the primary one first. */
  readonly hostIPs: readonly string[]
  readonly clusterDns: readonly string[]
  readonly clusterDomain: string
  /** This node's object, as last seen. */
  node(): core.Node | undefined
  /** Services whose addresses containers find in their environment. */
  services(namespace: string): readonly core.Service[]
}

/** `name_namespace(uid)`: how Kubernetes writes a pod in messages. */
export const podText = (pod: core.Pod): string => `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`

export const podUid = (pod: core.Pod): string => pod.metadata.uid ?? ''
export const podName = (pod: core.Pod): string => pod.metadata.name ?? ''
export const podNamespace = (pod: core.Pod): string => pod.metadata.namespace ?? ''

/** Containers of every sort with the path of their field, as events name them. */
export interface AnyContainer { readonly container: core.Container; readonly kind: 'init' | 'app' | 'ephemeral'; readonly fieldPath: string }

/** The init, app and ephemeral containers of a pod. */
export function allContainers(pod: core.Pod): readonly AnyContainer[] {
  return [
    ...(pod.spec.initContainers ?? []).map((container) => ({ container, kind: 'init' as const, fieldPath: `spec.initContainers{${container.name}}` })),
    ...pod.spec.containers.map((container) => ({ container, kind: 'app' as const, fieldPath: `spec.containers{${container.name}}` })),
    ...(pod.spec.ephemeralContainers ?? []).map((container) => ({ container: container as core.Container, kind: 'ephemeral' as const, fieldPath: `spec.ephemeralContainers{${container.name}}` })),
  ]
}

/** Init containers that keep running beside the others (restartPolicy Always). */
export const isSidecar = (container: core.Container): boolean => container.restartPolicy === 'Always'
