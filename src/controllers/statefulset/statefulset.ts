/** The StatefulSet controller: pods with names and volumes that stay, made, replaced and removed in order. */
import { apps, core } from '../../api/index.ts'
import { keyOf, runController, watch, type Controller, type Informer, type Reconciler } from '../../client/index.ts'
import { fromLabelSelector } from '../../machinery/labels.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { claim } from '../shared/claim.ts'
import { recorderOf, type ControllerContext } from '../shared/context.ts'
import { syncRevision, trimRevisions, type Revision, type Synced } from '../shared/history.ts'
import { controlledBy, controllerIndex, isAvailable, nextAvailable, orphansIn, podInformer } from '../shared/pods.ts'
import { createWritten, type Written } from '../shared/written.ts'
import { ownersOf } from '../replicaset/replicas.ts'
import type { Environment } from './actions.ts'
import { createSteps } from './control.ts'
import { isRunningAndReady, ordinalOf, replicasOf, revisionOf, type Pod, type StatefulSet } from './pods.ts'

interface Sources { readonly sets: Informer<StatefulSet>; readonly pods: Informer<Pod>; readonly revisions: Informer<Revision> }

type Status = apps.StatefulSetStatus

function statusOf(set: StatefulSet, pods: readonly Pod[], current: Revision, { update, collisionCount }: Synced, now: number): Status {
  const count = (test: (pod: Pod) => boolean) => pods.filter(test).length
  const currentName = current.metadata.name ?? ''
  const updateName = update.metadata.name ?? ''
  const ready = count(isRunningAndReady)
  const updated = count((pod) => isLive(pod) && revisionOf(pod) === updateName)
  const done = set.spec.updateStrategy.type === 'RollingUpdate' && updated === replicasOf(set) && ready === replicasOf(set) && pods.length === replicasOf(set)
  const counts = {
    observedGeneration: set.metadata.generation ?? 0,
    readyReplicas: ready,
    currentReplicas: done ? updated : count((pod) => isLive(pod) && revisionOf(pod) === currentName),
    updatedReplicas: updated,
  }
  return {
    ...Object.fromEntries(Object.entries(counts).filter(([, n]) => n !== 0)),
    replicas: pods.length,
    availableReplicas: count((pod) => isRunningAndReady(pod) && isAvailable(pod, set.spec.minReadySeconds ?? 0, now)),
    currentRevision: done ? updateName : currentName,
    updateRevision: updateName,
    collisionCount,
    ...(set.status.conditions ? { conditions: set.status.conditions } : {}),
  }
}

const isLive = (pod: Pod): boolean => !pod.metadata.deletionTimestamp

function statefulSetReconciler({ sets, pods, revisions }: Sources, env: Environment, written: Written<Revision>): Reconciler {
  const { client } = env

  async function ownPods(set: StatefulSet): Promise<Pod[]> {
    const { uid = '', namespace = '' } = set.metadata
    const candidates = [...controlledBy(pods, uid), ...orphansIn(pods, namespace)].filter((pod) => ordinalOf(set, pod) !== undefined)
    return claim({ client, resource: core.pods, controller: set, controllerResource: apps.statefulsets, selector: fromLabelSelector(set.spec.selector), candidates })
  }

  async function ownRevisions(set: StatefulSet): Promise<Revision[]> {
    const { uid = '', namespace = '' } = set.metadata
    const candidates = [...controlledBy(revisions, uid), ...orphansIn(revisions, namespace)]
    return claim({ client, resource: apps.controllerrevisions, controller: set, controllerResource: apps.statefulsets, selector: fromLabelSelector(set.spec.selector), candidates })
  }

  return {
    async reconcile(key) {
      const set = sets.get(key)
      if (!set) return
      if (!written.isSeen(key)) return { requeueAfter: 1000 }
      const own = await ownPods(set)
      const synced = await syncRevision(client, set, await ownRevisions(set), set.status.collisionCount ?? 0)
      written.wrote(key, synced.update)
      const current = synced.all.find((r) => r.metadata.name === set.status.currentRevision) ?? synced.update
      let failure: unknown
      let isBlocked = false
      if (!set.metadata.deletionTimestamp) {
        const steps = createSteps(env, { set, current, update: synced.update, pods: own })
        try {
          if (await steps.fill() && await steps.shrink()) await steps.roll()
          isBlocked = steps.isBlocked()
        } catch (error) {
          failure = error
        }
      }
      const status = statusOf(set, own, current, synced, env.now())
      if (!deepEqual(status, set.status)) await client.updateStatus(apps.statefulsets, { ...set, status })
      if (failure) throw failure
      const inUse = new Set([status.currentRevision ?? '', status.updateRevision ?? '', ...own.map(revisionOf)])
      await trimRevisions(client, synced.all, inUse, set.spec.revisionHistoryLimit ?? 10)
      if (isBlocked) return { requeueAfter: 1000 }
      const wait = nextAvailable(own, set.spec.minReadySeconds ?? 0, env.now())
      return wait === undefined ? undefined : { requeueAfter: wait }
    },
  }
}

export function startStatefulSetController(context: ControllerContext): Controller {
  const { informers, clock } = context
  const name = 'statefulset-controller'
  const sources: Sources = { sets: informers.for(apps.statefulsets), pods: podInformer(informers), revisions: informers.for(apps.controllerrevisions, { indexes: controllerIndex }) }
  const env: Environment = { client: context.client(name), recorder: recorderOf(context, name), claims: informers.for(core.persistentvolumeclaims), now: () => clock.now() }
  return runController({
    name,
    reconciler: statefulSetReconciler(sources, env, createWritten(sources.revisions, clock)),
    watches: [
      watch(sources.sets, (set) => [keyOf(set)]),
      watch(env.claims, () => []),
      watch(sources.pods, (pod) => ownersOf(pod, 'StatefulSet', sources.sets, (set) => fromLabelSelector(set.spec.selector))),
    ],
    clock,
    log: context.log,
    signal: context.signal,
  })
}
