/** The pod garbage collector: removes pods whose node is gone, that were never placed, or that finished long ago. */
import { core } from '../../api/index.ts'
import { type Client, type Informer } from '../../client/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import { isConflict, isNotFound } from '../../machinery/errors.ts'
import type { Component, Logger } from '../../machinery/log.ts'
import { rfc3339 } from '../../machinery/time.ts'
import type { ControllerContext } from '../shared/context.ts'
import { loop } from '../shared/loop.ts'
import { isFinished, podInformer } from '../shared/pods.ts'

const period = 20_000
/** A node that is missing may only be late: its pods are left alone for this long. */
const quarantine = 40_000
const defaultThreshold = 12_500
const outOfService = 'node.kubernetes.io/out-of-service'

interface Environment {
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  readonly pods: Informer<core.Pod>
  readonly nodes: Informer<core.Node>
  readonly threshold: number
}

const isEvicted = ({ status }: core.Pod): boolean => status.phase === 'Failed' && status.reason === 'Evicted'
/** Evicted pods before others, which somebody may still want to read; then by age. */
const evictedFirst = (a: core.Pod, b: core.Pod): number =>
  Number(isEvicted(b)) - Number(isEvicted(a)) || (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '') || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1)

/** One round over all pods. */
function createPodCollector({ client, clock, log, pods, nodes, threshold }: Environment): () => Promise<void> {
  const missingSince = new Map<string, number>()

  /** Deletes without grace: there is nobody to wait for. A pod that was not finished is failed first, so that nobody counts it as running. */
  async function remove(pod: core.Pod, why?: string): Promise<void> {
    const { name = '', namespace = '', uid = '' } = pod.metadata
    try {
      if (!isFinished(pod)) {
        const disrupted: core.PodCondition = { type: 'DisruptionTarget', status: 'True', reason: 'DeletionByPodGC', message: why ?? '', lastProbeTime: null, lastTransitionTime: rfc3339(clock.now()) }
        const conditions = [...(pod.status.conditions ?? []).filter((c) => c.type !== disrupted.type), ...(why ? [disrupted] : [])]
        await client.updateStatus(core.pods, { ...pod, status: { ...pod.status, phase: 'Failed', conditions } })
      }
      await client.delete(core.pods, name, { namespace, gracePeriodSeconds: 0, preconditions: { uid } })
      log.info({ pod: `${namespace}/${name}`, why: why ?? 'finished or never placed' }, 'removed pod')
    } catch (error) {
      if (!isNotFound(error) && !isConflict(error)) log.warn({ pod: `${namespace}/${name}`, error: String(error) }, 'pod could not be removed')
    }
  }

  async function removeFinished(): Promise<void> {
    const finished = pods.list().filter((pod) => isFinished(pod) && !pod.metadata.deletionTimestamp)
    for (const pod of [...finished].sort(evictedFirst).slice(0, Math.max(0, finished.length - threshold))) await remove(pod)
  }

  /** The nodes that pods name, that are missing for long enough, and that the server does not know either. */
  async function goneNodes(): Promise<ReadonlySet<string>> {
    const named = new Set(pods.list().map((pod) => pod.spec.nodeName ?? '').filter(Boolean))
    for (const node of missingSince.keys()) if (!named.has(node) || nodes.get(node)) missingSince.delete(node)
    const gone = new Set<string>()
    for (const node of named) {
      if (nodes.get(node)) continue
      const since = missingSince.get(node) ?? clock.now()
      missingSince.set(node, since)
      if (clock.now() - since >= quarantine && await isGone(node)) gone.add(node)
    }
    return gone
  }

  const isGone = (node: string): Promise<boolean> => client.get(core.nodes, node).then(() => false, (error: unknown) => {
    if (isNotFound(error)) return true
    throw error
  })

  return async () => {
    if (threshold > 0) await removeFinished()
    const gone = await goneNodes()
    for (const pod of pods.list()) {
      const node = pod.spec.nodeName ?? ''
      if (node === '') {
        if (pod.metadata.deletionTimestamp) await remove(pod)
      } else if (gone.has(node)) await remove(pod, 'PodGC: node no longer exists')
      else if (pod.metadata.deletionTimestamp && isOutOfService(nodes.get(node))) await remove(pod)
    }
  }
}

const isOutOfService = (node: core.Node | undefined): boolean =>
  (node?.spec.taints?.some((t) => t.key === outOfService) ?? false) && node?.status.conditions?.find((c) => c.type === 'Ready')?.status !== 'True'

export function startPodGarbageCollector(context: ControllerContext): Component {
  const { clock, informers, settings } = context
  const name = 'pod-garbage-collector'
  const log = context.log.child({ controller: name })
  const pods = podInformer(informers)
  const nodes = informers.for(core.nodes)
  const work = createPodCollector({ client: context.client(name), clock, log, pods, nodes, threshold: settings.terminatedPodThreshold ?? defaultThreshold })
  return loop({ name, period, work, sources: [pods, nodes], clock, log, signal: context.signal })
}
