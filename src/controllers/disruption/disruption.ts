/** The disruption controller: how many pods of a budget may be evicted now. */
import { apps, core, policy, type In, type meta, type Resource } from '../../api/index.ts'
import { keyOf, runController, watch, type ApiObject, type Client, type Controller, type EventRecorder, type Informer, type Reconciler } from '../../client/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import { scaledValue, isPercent } from '../../machinery/intorstring.ts'
import { fromLabelSelector } from '../../machinery/labels.ts'
import { controllerOf, deepEqual } from '../../machinery/meta.ts'
import { parseTime, rfc3339 } from '../../machinery/time.ts'
import { withCondition } from '../shared/conditions.ts'
import { recorderOf, type ControllerContext } from '../shared/context.ts'
import { isReady, podInformer } from '../shared/pods.ts'

type Budget = policy.PodDisruptionBudget
type Pod = core.Pod

/** An evicted pod that is still there after this long was not deleted after all. */
const evictionTimeout = 2 * 60_000

interface Scaled extends ApiObject { readonly spec: { readonly replicas?: number | undefined } }

interface Environment {
  readonly client: Client
  readonly recorder: EventRecorder
  readonly clock: Clock
  readonly budgets: Informer<Budget>
  readonly pods: Informer<Pod>
  /** Who decides how many pods of this owner there are, and how many that is; undefined for an owner without a size. */
  readonly sizeOf: SizeOf
}

type SizeOf = (owner: meta.OwnerReference, namespace: string) => { readonly uid: string; readonly replicas: number } | undefined

/** How many pods the controllers of these pods want in all. Throws for a pod whose controller has no size. */
function wantedBy(pods: readonly Pod[], namespace: string, sizeOf: SizeOf): number {
  const sizes = new Map<string, number>()
  for (const pod of pods) {
    const owner = controllerOf(pod)
    if (!owner) throw new Error(`found no controller ref for pod "${pod.metadata.name}"`)
    const size = sizeOf(owner, namespace)
    if (!size) throw new Error(`found no scale of the ${owner.kind} "${owner.name}" that controls pod "${pod.metadata.name}"`)
    sizes.set(size.uid, size.replicas)
  }
  return [...sizes.values()].reduce((a, b) => a + b, 0)
}

interface Counts { readonly expected: number; readonly desired: number }

/** How many pods there should be and how many of them must stay healthy. */
function countsOf({ spec, metadata }: Budget, pods: readonly Pod[], sizeOf: SizeOf): Counts {
  const namespace = metadata.namespace ?? ''
  if (spec.maxUnavailable !== undefined) {
    const expected = wantedBy(pods, namespace, sizeOf)
    return { expected, desired: Math.max(0, expected - scaledValue(spec.maxUnavailable, expected, true)) }
  }
  const { minAvailable = 1 } = spec
  if (!isPercent(minAvailable)) return { expected: pods.length, desired: Number(minAvailable) }
  const expected = wantedBy(pods, namespace, sizeOf)
  return { expected, desired: scaledValue(minAvailable, expected, true) }
}

/** Evictions under way: pods that were approved for deletion and are still there, and not for too long. */
function disruptedPods(budget: Budget, pods: readonly Pod[], now: number): Readonly<Record<string, string>> {
  const there = new Map(pods.filter((pod) => !pod.metadata.deletionTimestamp).map((pod) => [pod.metadata.name ?? '', pod]))
  return Object.fromEntries(Object.entries(budget.status.disruptedPods ?? {}).filter(([name, time]) => there.has(name) && time && now - parseTime(time) < evictionTimeout))
}

function statusOf(budget: Budget, pods: readonly Pod[], { expected, desired }: Counts, now: number): policy.PodDisruptionBudgetStatus {
  const disrupted = disruptedPods(budget, pods, now)
  const healthy = pods.filter((pod) => !pod.metadata.deletionTimestamp && !Object.hasOwn(disrupted, pod.metadata.name ?? '') && isReady(pod)).length
  const allowed = expected > 0 ? Math.max(0, healthy - desired) : 0
  const generation = budget.metadata.generation ?? 0
  const condition = { type: 'DisruptionAllowed', status: allowed > 0 ? 'True' : 'False', reason: allowed > 0 ? 'SufficientPods' : 'InsufficientPods', message: '', lastTransitionTime: rfc3339(now), ...(generation ? { observedGeneration: generation } : {}) }
  return {
    ...(generation ? { observedGeneration: generation } : {}),
    ...(Object.keys(disrupted).length > 0 ? { disruptedPods: disrupted } : {}),
    disruptionsAllowed: allowed,
    currentHealthy: healthy,
    desiredHealthy: desired,
    expectedPods: expected,
    conditions: withCondition(budget.status.conditions, condition),
  }
}

function disruptionReconciler({ client, recorder, clock, budgets, pods, sizeOf }: Environment): Reconciler {
  return {
    async reconcile(key) {
      const budget = budgets.get(key)
      if (!budget) return
      const selector = fromLabelSelector(budget.spec.selector)
      const selected = pods.list(budget.metadata.namespace ?? '').filter((pod) => selector.matches(pod.metadata.labels) && pod.status.phase !== 'Succeeded' && pod.status.phase !== 'Failed')
      if (selected.length === 0) recorder.event(budget, 'Normal', 'NoPods', 'No matching pods found')
      const now = clock.now()
      let status: policy.PodDisruptionBudgetStatus
      try {
        status = statusOf(budget, selected, countsOf(budget, selected, sizeOf), now)
      } catch (error) {
        // Whoever cannot be counted is not to be disturbed.
        const message = error instanceof Error ? error.message : String(error)
        recorder.event(budget, 'Warning', 'CalculateExpectedPodCountFailed', `Failed to calculate the number of expected pods: ${message}`)
        const conditions = withCondition(budget.status.conditions, { type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message, lastTransitionTime: rfc3339(now) })
        status = { ...budget.status, disruptionsAllowed: 0, conditions }
      }
      if (!deepEqual(status, budget.status)) await client.updateStatus(policy.poddisruptionbudgets, { ...budget, status: status as In<typeof policy.PodDisruptionBudgetStatus> })
      const times = Object.values(status.disruptedPods ?? {}).map((time) => parseTime(time) + evictionTimeout - now)
      return times.length > 0 ? { requeueAfter: Math.max(1000, Math.min(...times)) } : undefined
    },
  }
}

export function startDisruptionController(context: ControllerContext): Controller {
  const { informers, clock } = context
  const name = 'disruption-controller'
  const budgets = informers.for(policy.poddisruptionbudgets)
  const pods = podInformer(informers)
  const sized: readonly Resource[] = [apps.replicasets, apps.statefulsets, core.replicationcontrollers]
  const scaled = new Map(sized.map((resource) => [resource.kind, informers.for(resource as Resource<Scaled>)]))
  const deployments = informers.for(apps.deployments)
  const sizeOf: SizeOf = (owner, namespace) => {
    const found = scaled.get(owner.kind)?.get(`${namespace}/${owner.name}`)
    if (!found || found.metadata.uid !== owner.uid) return undefined
    // In the middle of a rollout a replica set's own size is not what is wanted: its deployment's is.
    const above = controllerOf(found)
    const deployment = above?.kind === 'Deployment' ? deployments.get(`${namespace}/${above.name}`) : undefined
    const decides = deployment && deployment.metadata.uid === above?.uid ? deployment : found
    return { uid: decides.metadata.uid ?? '', replicas: decides.spec.replicas ?? 1 }
  }
  const env = { client: context.client(name), recorder: recorderOf(context, name, 'controllermanager'), clock, budgets, pods, sizeOf }
  const inNamespace = (namespace = '') => budgets.list(namespace).map(keyOf)
  return runController({
    name,
    reconciler: disruptionReconciler(env),
    watches: [
      watch(budgets, (budget) => [keyOf(budget)]),
      watch(pods, (pod) => budgets.list(pod.metadata.namespace ?? '').filter((budget) => fromLabelSelector(budget.spec.selector).matches(pod.metadata.labels)).map(keyOf)),
      watch(deployments, (d, { old, type }) => (type === 'updated' && old && old.spec.replicas === d.spec.replicas ? [] : inNamespace(d.metadata.namespace))),
      ...[...scaled.values()].map((informer) => watch(informer, (object, { old, type }) => (type === 'updated' && old && old.spec.replicas === object.spec.replicas ? [] : inNamespace(object.metadata.namespace)))),
    ],
    clock,
    log: context.log,
    signal: context.signal,
  })
}
