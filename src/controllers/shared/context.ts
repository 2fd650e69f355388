/** What every control loop is given. */
import type { Resource } from '../../api/index.ts'
import { createRecorder, type Client, type EventRecorder, type Informers } from '../../client/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import type { Logger } from '../../machinery/log.ts'

/** Settings of the cluster for its controllers. */
export interface ControllerSettings {
  /** Pod addresses, from which each node gets a part: `10.42.0.0/16`. Without it nodes get none. */
  readonly clusterCidr?: string
  /** How many leading bits a node's part has (24 for IPv4, 64 for IPv6). */
  readonly nodeCidrMaskSize?: number
  /** PEM of the cluster's authority: published as the ConfigMap `kube-root-ca.crt` in every namespace. */
  readonly rootCa?: string
  /** PEM of the authority that signs certificate requests, with its key. Without it none are approved or signed. */
  readonly signer?: { readonly cert: string; readonly key: string }
  /** Finished pods beyond this many are removed, oldest first (12500); 0 keeps all. */
  readonly terminatedPodThreshold?: number
  /** Milliseconds without a heartbeat after which a node is Unknown (40 s; Kubernetes waits 50 s since v1.32). */
  readonly nodeMonitorGracePeriod?: number
  /** Milliseconds a new node has for its first heartbeat (60 s). */
  readonly nodeStartupGracePeriod?: number
  /** Every resource whose objects can own, be owned or be deleted with their namespace; called again from time to time. */
  readonly resources: () => readonly Resource[]
  /** The group versions (`metrics.k8s.io/v1beta1`) whose contents are unknown because their server does not answer. */
  readonly undiscovered?: () => readonly string[]
}

export interface ControllerContext {
  /** The client of a controller's own identity, by its Kubernetes name: `deployment-controller`. */
  client(name: string): Client
  /** Shared by all controllers. */
  readonly informers: Informers
  readonly clock: Clock
  readonly log: Logger
  readonly signal: AbortSignal
  readonly settings: ControllerSettings
}

/** The event recorder of a controller, writing with that controller's identity (`name`); `component` is the source that events show, where Kubernetes calls it otherwise. */
export const recorderOf = (context: ControllerContext, name: string, component = name): EventRecorder =>
  createRecorder(context.client(name), { component, clock: context.clock, log: context.log })
