/** The node lifecycle controller: notices nodes that went silent, taints them, and tells their pods' services. */
import { coordination, core } from '../../api/index.ts'
import { keyOf, type Client, type EventRecorder, type Informer } from '../../client/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import { isConflict, isNotFound } from '../../machinery/errors.ts'
import type { Component, Logger } from '../../machinery/log.ts'
import { rfc3339 } from '../../machinery/time.ts'
import { recorderOf, type ControllerContext } from '../shared/context.ts'
import { loop } from '../shared/loop.ts'
import { isReady, podInformer } from '../shared/pods.ts'
import { createEvictionRate } from './eviction-rate.ts'
import { createHealth, silentConditions, type HealthOptions } from './health.ts'
import { desiredTaints, notReady, readiness, unreachable } from './taints.ts'

/** How often the nodes are looked at. */
const period = 5000
/** A longer time between two looks means that the controller itself was not running. */
const longestPause = 4 * period
export const leaseNamespace = 'kube-node-lease'

export interface MonitorEnvironment {
  readonly client: Client
  readonly recorder: EventRecorder
  readonly clock: Clock
  readonly log: Logger
  readonly nodes: Informer<core.Node>
  readonly leases: Informer<coordination.Lease>
  readonly pods: Informer<core.Pod>
}

const evicts = (node: core.Node): boolean => node.spec.taints?.some((t) => t.effect === 'NoExecute' && (t.key === notReady || t.key === unreachable)) ?? false

/** One look at all nodes. */
export function createMonitor(env: MonitorEnvironment, options: HealthOptions): () => Promise<void> {
  const { client, recorder, clock, nodes, leases, pods } = env
  const health = createHealth(options)
  const rate = createEvictionRate()
  /** The nodes that were there at the last look, by uid. */
  const before = new Map<string, core.Node>()
  /** Those whose pods are still to be told that they do not serve. */
  const untold = new Set<string>()

  async function markSilent(node: core.Node): Promise<core.Node> {
    const conditions = silentConditions(node, rfc3339(clock.now()))
    if (!conditions) return node
    return client.updateStatus(core.nodes, { ...node, status: { ...node.status, conditions } })
  }

  /** Services stop sending to what cannot be reached; whether the containers still run is for the node to say later. */
  async function markPodsNotReady(node: core.Node): Promise<void> {
    for (const pod of pods.byIndex('node', node.metadata.name ?? '').filter(isReady)) {
      const time = rfc3339(clock.now())
      const conditions = (pod.status.conditions ?? []).map((c) => (c.type === 'Ready' ? { ...c, status: 'False', lastTransitionTime: time } : c))
      recorder.event(pod, 'Warning', 'NodeNotReady', 'Node is not ready')
      await client.updateStatus(core.pods, { ...pod, status: { ...pod.status, conditions } })
        .catch((error: unknown) => { if (!isNotFound(error) && !isConflict(error)) throw error })
    }
  }

  async function taint(node: core.Node, evict: boolean): Promise<void> {
    const taints = desiredTaints(node, rfc3339(clock.now()), evict)
    if (!taints) return
    const body = { metadata: { resourceVersion: node.metadata.resourceVersion ?? '' }, spec: { taints: taints.length > 0 ? taints.map((t) => ({ ...t })) : null } }
    await client.patch(core.nodes, node.metadata.name ?? '', { type: 'merge', body: body as never })
  }

  const quietly = async (node: core.Node, work: () => Promise<void>): Promise<void> => {
    try {
      await work()
    } catch (error) {
      // A conflict means that the node just wrote: the next look sees what.
      if (!isConflict(error) && !isNotFound(error)) env.log.warn({ node: node.metadata.name, error: String(error) }, 'node could not be updated')
    }
  }

  const about = (node: core.Node, reason: string, what: string) => recorder.event(node, 'Normal', reason, `Node ${node.metadata.name} ${what}`)

  /** `fell`: it was ready, and went silent. A node that says itself that it is not ready says so of its pods too, where it is so. */
  async function tell(node: core.Node, fell: boolean): Promise<void> {
    const uid = node.metadata.uid ?? ''
    const isNew = !before.has(uid)
    if (fell) about(node, 'NodeNotReady', 'status is now: NodeNotReady')
    if (isNew) about(node, 'RegisteredNode', `event: Registered Node ${node.metadata.name} in Controller`)
    before.set(uid, node)
    if (readiness(node) === 'True') untold.delete(uid)
    else if (fell || isNew) untold.add(uid)
    if (!untold.has(uid)) return
    await markPodsNotReady(node)
    untold.delete(uid)
  }

  function forgetGone(uids: ReadonlySet<string>): void {
    for (const [uid, node] of before) {
      if (uids.has(uid)) continue
      about(node, 'RemovingNode', `event: Removing Node ${node.metadata.name} from Controller`)
      before.delete(uid)
      untold.delete(uid)
    }
  }

  let lookedAt: number | undefined
  return async () => {
    const now = clock.now()
    if (lookedAt !== undefined && now - lookedAt > longestPause) health.forgive(now - lookedAt - period)
    lookedAt = now
    const looked = await Promise.all(nodes.list().filter((node) => !node.metadata.deletionTimestamp).map(async (node) => {
      let current = node
      const lease = leases.get(`${leaseNamespace}/${node.metadata.name}`)
      if (health.isSilent(node, lease, now)) await quietly(node, async () => { current = await markSilent(node) })
      return { node: current, fell: readiness(node) === 'True' && readiness(current) !== 'True' }
    }))
    const current = looked.map(({ node }) => node)
    const allowed = rate.allowed(current, evicts, now)
    for (const { node, fell } of looked) {
      await quietly(node, () => taint(node, allowed.has(node)))
      await quietly(node, () => tell(node, fell))
    }
    const uids = new Set(current.map((node) => node.metadata.uid ?? ''))
    health.keepOnly(uids)
    forgetGone(uids)
  }
}

/** Starts the node lifecycle controller. */
export function startNodeLifecycleController(context: ControllerContext): Component {
  const { informers, clock, settings } = context
  const name = 'node-controller'
  const log = context.log.child({ controller: name })
  const env = {
    client: context.client(name), recorder: recorderOf(context, name), clock, log,
    nodes: informers.for(core.nodes), pods: podInformer(informers),
    leases: informers.for(coordination.leases, { namespace: leaseNamespace }),
  }
  const look = createMonitor(env, { gracePeriod: settings.nodeMonitorGracePeriod ?? 40_000, startupGracePeriod: settings.nodeStartupGracePeriod ?? 60_000 })
  const running = loop({ name, period, work: look, sources: [env.nodes, env.pods, env.leases], clock, log, signal: context.signal })
  // A node that turns ready or is cordoned should not wait for the next look.
  const shape = (node: core.Node) => JSON.stringify([keyOf(node), node.spec.unschedulable, node.spec.taints, node.status.conditions?.map((c) => [c.type, c.status])])
  const unsubscribe = env.nodes.onChange(({ type, object, old }) => { if (type === 'added' || (type === 'updated' && old && shape(object) !== shape(old))) running.now() })
  return {
    async stop() {
      unsubscribe()
      await running.stop()
    },
  }
}
