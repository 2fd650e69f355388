/** Translates informers' changes for the scheduler: what each means for nodes, queue and waiting pods. */
import { core } from '../api/index.ts'
import type { storage } from '../api/index.ts'
import type { Change, Informer, Informers } from '../client/informer.ts'
import { deepEqual, keyOf } from '../machinery/meta.ts'
import type { NominationBook } from './nominations.ts'
import { podInfo } from './pod-info.ts'
import type { ClusterEvent } from './plugin.ts'
import type { Queue } from './queue.ts'
import type { State } from './state.ts'

export interface Following {
  readonly informers: Informers
  readonly state: State
  readonly queue: Queue
  readonly nominations: NominationBook
  /** The scheduler's name. */
  readonly name: string
  readonly classes: Informer<storage.StorageClass>
  readonly claims: Informer<core.PersistentVolumeClaim>
  readonly volumes: Informer<core.PersistentVolume>
  readonly namespaces: Informer<core.Namespace>
}

const finished = (pod: core.Pod) => pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed'
const assigned = (pod: core.Pod) => Boolean(pod.spec.nodeName) && !finished(pod)
const gated = (pod: core.Pod) => (pod.spec.schedulingGates ?? []).length > 0

/** Which events an update of a node stands for; a heartbeat is none. */
function nodeEvents(before: core.Node, now: core.Node): ClusterEvent[] {
  const events: ClusterEvent[] = []
  if (!deepEqual(before.status.allocatable, now.status.allocatable)) events.push('node allocatable')
  if (!deepEqual(before.metadata.labels, now.metadata.labels)) events.push('node labels')
  if (!deepEqual(before.spec.taints, now.spec.taints) || before.spec.unschedulable !== now.spec.unschedulable) events.push('node taints')
  return events
}

function followNodes({ informers, state, queue }: Following): void {
  informers.for(core.nodes).onChange(({ type, object, old }) => {
    if (type === 'deleted') {
      state.removeNode(object.metadata.name ?? '')
      return queue.happened('node deleted')
    }
    state.setNode(object)
    const events: ClusterEvent[] = type === 'added' ? ['node added'] : nodeEvents(old!, object)
    for (const event of events) queue.happened(event)
  })
}

/** A pod that has a node counts there. */
function place({ state, queue }: Following, pod: core.Pod, old: core.Pod | undefined): void {
  const key = keyOf(pod)
  const known = old !== undefined && assigned(old)
  state.setPod(pod)
  queue.remove(key)
  if (!known) return queue.happened('pod assigned')
  if (!deepEqual(old.metadata.labels, pod.metadata.labels)) queue.happened('pod labels')
  const [was, is] = [podInfo(old).requests, podInfo(pod).requests]
  if (is.milliCpu < was.milliCpu || is.memory < was.memory) queue.happened('pod resized')
}

function followPods(following: Following): void {
  const { informers, state, queue, nominations, name } = following
  const own = (pod: core.Pod) => (pod.spec.schedulerName || name) === name
  const gone = (pod: core.Pod) => {
    const key = keyOf(pod)
    queue.remove(key)
    nominations.remove(key)
    state.removePod(key)
    if (pod.spec.nodeName || pod.status.nominatedNodeName) queue.happened('pod deleted')
  }
  const waits = (pod: core.Pod, old: core.Pod | undefined) => {
    const key = keyOf(pod)
    if (!own(pod) || gated(pod) || pod.metadata.deletionTimestamp) {
      nominations.remove(key)
      return queue.remove(key)
    }
    if (state.isAssumed(key)) return
    if (pod.status.nominatedNodeName) nominations.set(podInfo(pod), pod.status.nominatedNodeName)
    else if (old?.status.nominatedNodeName) nominations.remove(key)
    queue.set(pod)
  }
  informers.for(core.pods).onChange(({ type, object, old }: Change<core.Pod>) => {
    if (type === 'deleted') return gone(object)
    if (finished(object)) {
      if (!old || !finished(old)) gone(object)
    } else if (assigned(object)) {
      nominations.remove(keyOf(object))
      place(following, object, old)
    } else waits(object, old)
  })
}

/** Keeps state and queue in step with the cluster. */
export function followCluster(following: Following): void {
  const { queue, classes, claims, volumes, namespaces } = following
  const tell = (informer: { onChange(listener: () => void): unknown }, event: ClusterEvent) => informer.onChange(() => queue.happened(event))
  followNodes(following)
  followPods(following)
  tell(claims, 'claim')
  tell(volumes, 'volume')
  tell(classes, 'storage class')
  namespaces.onChange(({ type, object, old }) => {
    if (type === 'added' || !deepEqual(old?.metadata.labels, object.metadata.labels)) queue.happened('namespace')
  })
}
