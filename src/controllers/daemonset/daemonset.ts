/** The DaemonSet controller: one pod on every node that fits. */
import { apps, core } from '../../api/index.ts'
import { keyOf, runController, watch, type Client, type Controller, type EventRecorder, type Informer, type Reconciler } from '../../client/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import { fromLabelSelector } from '../../machinery/labels.ts'
import { controllerOf, deepEqual } from '../../machinery/meta.ts'
import { claim } from '../shared/claim.ts'
import { recorderOf, type ControllerContext } from '../shared/context.ts'
import { createExpectations, type Expectations } from '../shared/expectations.ts'
import { hashOf, syncRevision, trimRevisions, type Revision } from '../shared/history.ts'
import { createPodControl, podFromTemplate, slowStart, type PodInput } from '../shared/pod-control.ts'
import { controlledBy, controllerIndex, isFinished, nextAvailable, orphansIn, podInformer } from '../shared/pods.ts'
import { createWritten, type Written } from '../shared/written.ts'
import { ownersOf } from '../replicaset/replicas.ts'
import { createBackoff, type Backoff } from './backoff.ts'
import { fit, nodeOf, pinned, withDaemonTolerations } from './nodes.ts'
import { placement, rollout, type Daemons } from './plan.ts'
import { statusOf } from './status.ts'

export interface Sources { readonly sets: Informer<apps.DaemonSet>; readonly pods: Informer<core.Pod>; readonly nodes: Informer<core.Node>; readonly revisions: Informer<Revision> }
interface Environment { readonly client: Client; readonly recorder: EventRecorder; readonly clock: Clock; readonly expectations: Expectations; readonly written: Written<Revision>; readonly backoff: Backoff }

const burst = 250
export const revisionLabel = 'controller-revision-hash'
/** How often the template has changed. */
const generationAnnotation = 'deprecated.daemonset.template.generation'

/** The pod for one node. */
function podFor(set: apps.DaemonSet, revision: Revision, nodeName: string): PodInput {
  const pod = podFromTemplate(set.spec.template, set)
  const { spec } = set.spec.template
  const generation = set.metadata.annotations?.[generationAnnotation]
  return {
    metadata: { ...pod.metadata, labels: { ...set.spec.template.metadata.labels, [revisionLabel]: hashOf(revision), ...(generation === undefined ? {} : { 'pod-template-generation': generation }) } },
    spec: { ...spec, tolerations: withDaemonTolerations(spec), affinity: pinned(spec.affinity, nodeName) },
  }
}

function daemonSetReconciler({ sets, pods, nodes, revisions }: Sources, env: Environment): Reconciler {
  const { client, recorder, clock, expectations, written, backoff } = env
  const podControl = createPodControl(client, recorder)

  async function owned<T extends core.Pod | Revision>(set: apps.DaemonSet, resource: typeof core.pods | typeof apps.controllerrevisions, informer: Informer<T>): Promise<T[]> {
    const { uid = '', namespace = '' } = set.metadata
    const candidates = [...controlledBy(informer, uid), ...orphansIn(informer, namespace)]
    return claim({ client, resource: resource as never, controller: set, controllerResource: apps.daemonsets, selector: fromLabelSelector(set.spec.selector), candidates })
  }

  /** Creates pods on these nodes and deletes these pods. */
  async function apply(set: apps.DaemonSet, revision: Revision, { create, remove }: { readonly create: readonly string[]; readonly remove: readonly core.Pod[] }): Promise<void> {
    const key = keyOf(set)
    const chosen = remove.filter((pod) => !pod.metadata.deletionTimestamp).slice(0, burst)
    const targets = create.slice(0, burst)
    expectations.expect(key, targets.length, chosen.map((pod) => pod.metadata.uid ?? ''))
    let failed = 0
    const made = slowStart(targets.length, (i) => podControl.create(podFor(set, revision, targets[i] ?? ''), set).catch((error: unknown) => {
      failed++
      expectations.created(key)
      throw error
    })).then(({ succeeded, error }) => {
      for (let i = succeeded + failed; i < targets.length; i++) expectations.created(key)
      if (error) throw error
    })
    const removed = chosen.map((pod) => podControl.delete(pod, set).catch((error: unknown) => {
      expectations.deleted(key, pod.metadata.uid ?? '')
      throw error
    }))
    const failure = (await Promise.allSettled([made, ...removed])).find((r) => r.status === 'rejected')
    if (failure) throw failure.reason
  }

  function tellOfFinished(set: apps.DaemonSet, finished: readonly core.Pod[]): void {
    for (const pod of finished) {
      const what = `daemon pod ${keyOf(pod)} on node ${nodeOf(pod)}, will try to`
      if (pod.status.phase === 'Failed') recorder.event(set, 'Warning', 'FailedDaemonPod', `Found failed ${what} kill it`)
      else recorder.event(set, 'Normal', 'SucceededDaemonPod', `Found succeeded ${what} delete it`)
    }
  }

  return {
    async reconcile(key) {
      const set = sets.get(key)
      if (!set) return expectations.forget(key)
      // What goes is left to the garbage collector: a revision made now would only have to be deleted again.
      if (set.metadata.deletionTimestamp) return
      if (!written.isSeen(key)) return { requeueAfter: 1000 }
      const synced = await syncRevision(client, set, await owned(set, apps.controllerrevisions, revisions), set.status.collisionCount ?? 0)
      written.wrote(key, synced.update)
      const own = await owned(set, core.pods, pods)
      const hash = hashOf(synced.update)
      const failures = (node: string) => `${set.metadata.uid}/${set.status.observedGeneration}/${node}`
      const daemons: Daemons = {
        set, hash, now: clock.now(), wait: (node) => backoff.left(failures(node)),
        nodes: nodes.list().map((node) => ({ node, ...fit(set.spec.template.spec, node) })),
        // What has ended and is being deleted waits for somebody's finalizer: nobody waits for it.
        byNode: Map.groupBy(own.filter((pod) => !(isFinished(pod) && pod.metadata.deletionTimestamp)), nodeOf),
      }
      let failure: unknown
      if (expectations.satisfied(key)) {
        const placed = placement(daemons)
        const plan = placed.create.length + placed.remove.length > 0 ? placed : rollout(daemons)
        tellOfFinished(set, plan.remove.filter(isFinished))
        for (const pod of plan.remove) if (pod.status.phase === 'Failed') backoff.replaced(failures(nodeOf(pod)))
        await apply(set, synced.update, plan).catch((error: unknown) => { failure = error })
      }
      const status = statusOf(daemons, synced.collisionCount)
      if (!deepEqual(status, set.status)) await client.updateStatus(apps.daemonsets, { ...set, status })
      if (failure) throw failure
      const inUse = new Set(synced.all.filter((r) => own.some((pod) => pod.metadata.labels?.[revisionLabel] === hashOf(r)) || r === synced.update).map((r) => r.metadata.name ?? ''))
      // Old revisions that pods still have count among those that are kept.
      await trimRevisions(client, synced.all, inUse, Math.max(0, (set.spec.revisionHistoryLimit ?? 10) - (inUse.size - 1)))
      const waits = [nextAvailable(own, set.spec.minReadySeconds ?? 0, clock.now()), ...[...daemons.byNode.keys()].map(daemons.wait).filter((ms) => ms > 0)].filter((ms) => ms !== undefined)
      return waits.length > 0 ? { requeueAfter: Math.min(...waits) } : undefined
    },
  }
}

export function startDaemonSetController(context: ControllerContext): Controller {
  const { informers, clock } = context
  const name = 'daemon-set-controller'
  const sources: Sources = { sets: informers.for(apps.daemonsets), pods: podInformer(informers), nodes: informers.for(core.nodes), revisions: informers.for(apps.controllerrevisions, { indexes: controllerIndex }) }
  const expectations = createExpectations(clock)
  sources.pods.onChange(({ type, object: pod, old }) => {
    const owner = controllerOf(pod)
    if (owner?.kind !== 'DaemonSet') return
    const key = `${pod.metadata.namespace}/${owner.name}`
    if (type === 'added') expectations.created(key)
    if (type === 'deleted' || (pod.metadata.deletionTimestamp && !old?.metadata.deletionTimestamp)) expectations.deleted(key, pod.metadata.uid ?? '')
  })
  const shape = (node: core.Node) => [node.metadata.labels ?? {}, node.spec.taints ?? []]
  const env = { client: context.client(name), recorder: recorderOf(context, name, 'daemonset-controller'), clock, expectations, written: createWritten(sources.revisions, clock), backoff: createBackoff(clock) }
  return runController({
    name,
    reconciler: daemonSetReconciler(sources, env),
    watches: [
      watch(sources.sets, (set) => [keyOf(set)]),
      watch(sources.pods, (pod) => ownersOf(pod, 'DaemonSet', sources.sets, (set) => fromLabelSelector(set.spec.selector))),
      watch(sources.nodes, (_, { type, object, old }) => (type === 'updated' && old && deepEqual(shape(object), shape(old)) ? [] : sources.sets.list().map(keyOf))),
    ],
    clock,
    log: context.log,
    signal: context.signal,
  })
}
