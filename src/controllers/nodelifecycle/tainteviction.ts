/** The taint eviction controller: pods that do not bear a node's NoExecute taints leave, at once or when their time is up. */
import { core } from '../../api/index.ts'
import { keyOf, runController, splitKey, watch, type Client, type Controller, type EventRecorder, type Informer, type Reconciler } from '../../client/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import { isNotFound } from '../../machinery/errors.ts'
import { rfc3339 } from '../../machinery/time.ts'
import { recorderOf, type ControllerContext } from '../shared/context.ts'
import { podInformer } from '../shared/pods.ts'
import { stay } from './taints.ts'

interface Environment { readonly client: Client; readonly recorder: EventRecorder; readonly clock: Clock; readonly pods: Informer<core.Pod>; readonly nodes: Informer<core.Node> }

const name = 'taint-eviction-controller'

const noExecute = (node: core.Node | undefined): readonly core.Taint[] => (node?.spec.taints ?? []).filter((taint) => taint.effect === 'NoExecute')

function taintEvictionReconciler({ client, recorder, clock, pods, nodes }: Environment): Reconciler {
  /** Since when a pod, by key, is counted as staying on a tainted node. */
  const since = new Map<string, { readonly uid: string; readonly at: number }>()

  async function evict(pod: core.Pod): Promise<void> {
    const { name: podName = '', namespace = '', uid = '' } = pod.metadata
    const time = rfc3339(clock.now())
    const condition: core.PodCondition = {
      type: 'DisruptionTarget', status: 'True', reason: 'DeletionByTaintManager', message: 'Taint manager: deleting due to NoExecute taint',
      lastProbeTime: null, lastTransitionTime: time, ...(pod.metadata.generation ? { observedGeneration: pod.metadata.generation } : {}),
    }
    recorder.event(pod, 'Normal', 'TaintManagerEviction', `Marking for deletion Pod ${namespace}/${podName}`)
    try {
      const conditions = [...(pod.status.conditions ?? []).filter((c) => c.type !== condition.type), condition]
      await client.updateStatus(core.pods, { ...pod, status: { ...pod.status, conditions } })
      await client.delete(core.pods, podName, { namespace, preconditions: { uid } })
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  return {
    async reconcile(key) {
      const pod = pods.get(key)
      const uid = pod?.metadata.uid ?? ''
      if (since.get(key)?.uid !== uid) since.delete(key)
      if (!pod) return
      const taints = noExecute(nodes.get(pod.spec.nodeName ?? ''))
      const limit = taints.length > 0 ? stay(pod, taints) : undefined
      if (pod.metadata.deletionTimestamp) return void since.delete(key)
      if (limit === undefined) {
        if (since.delete(key)) recorder.event(pod, 'Normal', 'TaintManagerEviction', `Cancelling deletion of Pod ${splitKey(key).namespace}/${splitKey(key).name}`)
        return
      }
      const start = since.get(key) ?? { uid, at: clock.now() }
      since.set(key, start)
      const left = start.at + limit - clock.now()
      if (left > 0) return { requeueAfter: left }
      await evict(pod)
      since.delete(key)
    },
  }
}

export function startTaintEvictionController(context: ControllerContext): Controller {
  const pods = podInformer(context.informers)
  const nodes = context.informers.for(core.nodes)
  const taints = (node: core.Node) => JSON.stringify(noExecute(node))
  return runController({
    name,
    reconciler: taintEvictionReconciler({ client: context.client(name), recorder: recorderOf(context, name), clock: context.clock, pods, nodes }),
    watches: [
      watch(pods, (pod) => (pod.spec.nodeName && noExecute(nodes.get(pod.spec.nodeName)).length > 0 ? [keyOf(pod)] : [])),
      watch(nodes, (node, { type, old, object }) => {
        const concerns = type === 'added' ? noExecute(node).length > 0 : type === 'updated' && old && taints(object) !== taints(old)
        return concerns ? pods.byIndex('node', node.metadata.name ?? '').map(keyOf) : []
      }),
    ],
    clock: context.clock,
    log: context.log,
    signal: context.signal,
  })
}
