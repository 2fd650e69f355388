/** Keeps a number of pods: the loop that ReplicaSet and ReplicationController share. */
import { core, type Resource } from '../../api/index.ts'
import { isNamespaceTerminating, keyOf, splitKey, type ApiObject, type Client, type EventRecorder, type Informer, type Reconciler, type Result } from '../../client/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import { controllerOf, deepEqual } from '../../machinery/meta.ts'
import type { LabelSelector } from '../../machinery/labels.ts'
import { claim } from '../shared/claim.ts'
import type { Expectations } from '../shared/expectations.ts'
import { createPodControl, podFromTemplate, slowStart } from '../shared/pod-control.ts'
import { controlledBy, isActive, isTerminating, nextAvailable, orphansIn } from '../shared/pods.ts'
import { rankForDeletion } from './ranking.ts'
import { replicaStatus, type ReplicaFailure, type ReplicaStatus } from './status.ts'

/** What the shared loop needs to know of a kind. */
export interface ReplicaKind<T extends ApiObject & { readonly status: ReplicaStatus }> {
  readonly resource: Resource<T>
  replicas(object: T): number
  selector(object: T): LabelSelector
  template(object: T): core.PodTemplateSpec | undefined
  minReadySeconds(object: T): number
  /** Whether its status counts terminating pods. */
  readonly countsTerminating: boolean
  /** Pods of the same purpose, for choosing which to delete. */
  related(object: T, own: readonly core.Pod[]): readonly core.Pod[]
}

export interface ReplicaEnvironment {
  readonly client: Client
  readonly recorder: EventRecorder
  readonly clock: Clock
  readonly pods: Informer<core.Pod>
  readonly expectations: Expectations
}

/** No more pods than this are created or deleted in one go. */
const burst = 500

/** The reconciler of one kind. */
export function replicaReconciler<T extends ApiObject & { readonly status: ReplicaStatus }>(kind: ReplicaKind<T>, informer: Informer<T>, environment: ReplicaEnvironment): Reconciler {
  const { client, recorder, clock, pods, expectations } = environment
  const podControl = createPodControl(client, recorder)

  async function createPods(object: T, template: core.PodTemplateSpec, count: number): Promise<void> {
    const key = keyOf(object)
    expectations.expectCreations(key, count)
    let failed = 0
    const { succeeded, error } = await slowStart(count, async () => {
      try {
        await podControl.create(podFromTemplate(template, object), object)
      } catch (e) {
        failed++
        expectations.created(key)
        if (!isNamespaceTerminating(e)) throw e
      }
    })
    for (let i = succeeded + failed; i < count; i++) expectations.created(key)
    if (error) throw error
  }

  async function deletePods(object: T, own: readonly core.Pod[], count: number): Promise<void> {
    const key = keyOf(object)
    const chosen = (count < own.length ? rankForDeletion(own, kind.related(object, own), clock.now()) : own).slice(0, count)
    expectations.expectDeletions(key, chosen.map((pod) => pod.metadata.uid ?? ''))
    const results = await Promise.allSettled(chosen.map(async (pod) => {
      try {
        await podControl.delete(pod, object)
      } catch (error) {
        expectations.deleted(key, pod.metadata.uid ?? '')
        throw error
      }
      // Gone before we asked: no event will tell.
      if (!pods.get(keyOf(pod))) expectations.deleted(key, pod.metadata.uid ?? '')
    }))
    const failed = results.find((r) => r.status === 'rejected')
    if (failed) throw failed.reason
  }

  /** Creates what is missing, deletes what is too much; resolves with the error instead of throwing it, for the status. */
  async function manage(object: T, own: readonly core.Pod[]): Promise<ReplicaFailure | undefined> {
    const template = kind.template(object)
    const missing = kind.replicas(object) - own.length
    try {
      if (missing > 0 && template) await createPods(object, template, Math.min(missing, burst))
      else if (missing < 0) await deletePods(object, own, Math.min(-missing, burst))
      return undefined
    } catch (error) {
      return { reason: missing > 0 ? 'FailedCreate' : 'FailedDelete', error }
    }
  }

  return {
    async reconcile(key): Promise<Result | void> {
      const object = informer.get(key)
      if (!object) return expectations.forget(key)
      const { namespace } = splitKey(key)
      const uid = object.metadata.uid ?? ''
      const settled = expectations.satisfied(key)
      const owned = controlledBy(pods, uid)
      const candidates = [...owned, ...orphansIn(pods, namespace)].filter(isActive)
      const own = await claim({ client, resource: core.pods, controller: object, controllerResource: kind.resource, selector: kind.selector(object), candidates })
      const failure = settled && !object.metadata.deletionTimestamp ? await manage(object, own) : undefined
      const status = replicaStatus(kind, object, { own, terminating: owned.filter(isTerminating).length, failure, now: clock.now() })
      if (!deepEqual(status, object.status)) await client.updateStatus(kind.resource, { ...object, status })
      if (failure) throw failure.error
      const wait = nextAvailable(own, kind.minReadySeconds(object), clock.now())
      return wait === undefined ? undefined : { requeueAfter: wait }
    },
  }
}

/** The keys a pod concerns: its controller of this kind, or those that might adopt it. */
export function ownersOf<T extends ApiObject>(pod: core.Pod, kindName: string, informer: Informer<T>, selector: (object: T) => LabelSelector): readonly string[] {
  const owner = controllerOf(pod)
  const namespace = pod.metadata.namespace ?? ''
  if (owner) return owner.kind === kindName ? [`${namespace}/${owner.name}`] : []
  if (pod.metadata.deletionTimestamp) return []
  return informer.list(namespace).filter((object) => selector(object).matches(pod.metadata.labels)).map(keyOf)
}
