/** The disruption controller: how many pods of a budget may be evicted now. */
import { apps, core, policy, type In, type meta, type Resource } from '../../api/index.ts'
import { keyOf, runController, watch, type ApiObject, type Client, type Controller, type EventRecorder, type Informer, type Reconciler } from '../../client/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import { scaledValue, isPercent } from '../../machinery/intorstring.ts'
import { fromLabelSelector } from '../../machinery/labels.ts'
import { controllerOf, deepEqual } from '../../machinery/meta.ts'
import { isNotFound } from '../../machinery/errors.ts'
import { parseTime, rfc3339 } from '../../machinery/time.ts'
import { conditionOf } from '../shared/conditions.ts'
import { recorderOf, type ControllerContext } from '../shared/context.ts'
import { isReady, podInformer } from '../shared/pods.ts'
import { isAnnounced, takeBack } from './stale.ts'

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

interface Size { readonly uid: string; readonly replicas: number }
type SizeOf = (owner: meta.OwnerReference, namespace: string) => Promise<Size | undefined>

interface Wanted { readonly expected: number; readonly unmanaged: boolean }

/** How many pods the controllers of these pods want in all; those that have none do not count. Throws for a pod whose controller has no size. */
async function wantedBy(pods: readonly Pod[], namespace: string, sizeOf: SizeOf): Promise<Wanted> {
  const owners = new Map<string, Size>()
  const managed = pods.filter((pod) => controllerOf(pod))
  for (const pod of managed) {
    const owner = controllerOf(pod) as meta.OwnerReference
    if (owners.has(owner.uid)) continue
    const size = await sizeOf(owner, namespace)
    if (!size) throw new Error(`found no controllers for pod "${pod.metadata.name}"`)
    owners.set(owner.uid, size)
  }
  const sizes = new Map([...owners.values()].map(({ uid, replicas }) => [uid, replicas]))
  return { expected: [...sizes.values()].reduce((a, b) => a + b, 0), unmanaged: managed.length < pods.length }
}

interface Counts extends Wanted { readonly desired: number }

/** How many pods there should be and how many of them must stay healthy. */
async function countsOf({ spec, metadata }: Budget, pods: readonly Pod[], sizeOf: SizeOf): Promise<Counts> {
  const namespace = metadata.namespace ?? ''
  if (spec.maxUnavailable !== undefined) {
    const { expected, unmanaged } = await wantedBy(pods, namespace, sizeOf)
    return { expected, unmanaged, desired: Math.max(0, expected - scaledValue(spec.maxUnavailable, expected, true)) }
  }
  const { minAvailable = 1 } = spec
  if (!isPercent(minAvailable)) return { expected: pods.length, unmanaged: false, desired: Number(minAvailable) }
  const { expected, unmanaged } = await wantedBy(pods, namespace, sizeOf)
  return { expected, unmanaged, desired: scaledValue(minAvailable, expected, true) }
}

/** Evictions under way: pods that were approved for deletion and are still there, and not for too long. */
function disruptedPods(budget: Budget, pods: readonly Pod[], now: number): Readonly<Record<string, string>> {
  const there = new Map(pods.filter((pod) => !pod.metadata.deletionTimestamp).map((pod) => [pod.metadata.name ?? '', pod]))
  return Object.fromEntries(Object.entries(budget.status.disruptedPods ?? {}).filter(([name, time]) => there.has(name) && time && now - parseTime(time) < evictionTimeout))
}

type Condition = NonNullable<policy.PodDisruptionBudgetStatus['conditions']>[number]

/** The conditions with this one as it is now; its time changes only with its status. */
function withCurrent(conditions: readonly Condition[] | undefined, condition: Condition): readonly Condition[] {
  const before = conditionOf(conditions, condition.type)
  const now = before?.status === condition.status ? { ...condition, lastTransitionTime: before.lastTransitionTime } : condition
  return before ? (conditions ?? []).map((c) => (c === before ? now : c)) : [...(conditions ?? []), now]
}

/** A selector as Kubernetes's events show one. */
function shown({ matchLabels = {}, matchExpressions = [] }: NonNullable<Budget['spec']['selector']>): string {
  const labels = Object.entries(matchLabels).sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}: ${value},`).join('')
  const expressions = matchExpressions.map(({ key, operator, values = [] }) => `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`).join('')
  return `&LabelSelector{MatchLabels:map[string]string{${labels}},MatchExpressions:[]LabelSelectorRequirement{${expressions}},}`
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
    conditions: withCurrent(budget.status.conditions, condition),
  }
}

const podPrefix = 'pod:'
/** The queue's key of a pod whose announced end may not come. */
const podKey = (pod: Pod): string => `${podPrefix}${keyOf(pod)}`

/** Evictions that were approved and did not happen in time. */
const missed = (budget: Budget, pods: readonly Pod[], now: number): readonly Pod[] =>
  pods.filter((pod) => {
    const time = budget.status.disruptedPods?.[pod.metadata.name ?? '']
    return !pod.metadata.deletionTimestamp && time && now - parseTime(time) >= evictionTimeout
  })

/** One reconciler for both: `namespace/name` of a budget, and `pod:namespace/name`. */
function disruptionReconciler({ client, recorder, clock, budgets, pods, sizeOf }: Environment): Reconciler {
  return {
    async reconcile(key) {
      if (key.startsWith(podPrefix)) {
        const left = await takeBack(pods, key.slice(podPrefix.length), client, clock)
        return left === undefined ? undefined : { requeueAfter: left }
      }
      const budget = budgets.get(key)
      if (!budget) return
      const selector = fromLabelSelector(budget.spec.selector)
      const selected = pods.list(budget.metadata.namespace ?? '').filter((pod) => selector.matches(pod.metadata.labels) && pod.status.phase !== 'Succeeded' && pod.status.phase !== 'Failed')
      if (selected.length === 0) recorder.event(budget, 'Normal', 'NoPods', 'No matching pods found')
      const now = clock.now()
      let status: policy.PodDisruptionBudgetStatus
      try {
        const counts = await countsOf(budget, selected, sizeOf)
        if (counts.unmanaged)
          recorder.event(budget, 'Warning', 'UnmanagedPods', `Pods selected by this PodDisruptionBudget (selector: ${shown(budget.spec.selector ?? {})}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`)
        for (const pod of missed(budget, selected, now)) recorder.event(pod, 'Warning', 'NotDeleted', `Pod was expected by PDB ${key} to be deleted but it wasn't`)
        status = statusOf(budget, selected, counts, now)
      } catch (error) {
        // Whoever cannot be counted is not to be disturbed.
        const message = error instanceof Error ? error.message : String(error)
        recorder.event(budget, 'Warning', 'CalculateExpectedPodCountFailed', `Failed to calculate the number of expected pods: ${message}`)
        const { observedGeneration } = budget.status
        const conditions = withCurrent(budget.status.conditions, { type: 'DisruptionAllowed', status: 'False', reason: 'SyncFailed', message, lastTransitionTime: rfc3339(now), ...(observedGeneration ? { observedGeneration } : {}) })
        status = { ...budget.status, disruptionsAllowed: 0, conditions }
      }
      if (!deepEqual(status, budget.status)) await client.updateStatus(policy.poddisruptionbudgets, { ...budget, status: status as In<typeof policy.PodDisruptionBudgetStatus> })
      const times = Object.values(status.disruptedPods ?? {}).map((time) => parseTime(time) + evictionTimeout - now)
      return times.length > 0 ? { requeueAfter: Math.max(1000, Math.min(...times)) } : undefined
    },
  }
}

/** The size of an object of any other kind that has the subresource `scale`. */
async function scaleOf({ apiVersion, kind, name, uid }: meta.OwnerReference, namespace: string, client: Client, resources: readonly Resource[]): Promise<Size | undefined> {
  const resource = resources.find((r) => r.kind === kind && r.apiVersion === apiVersion)
  if (!resource) return undefined
  if (!resource.subresources.includes('scale')) throw new Error(`${resource.groupResource} does not implement the scale subresource`)
  try {
    const root = resource.group === '' ? '/api/v1' : `/apis/${apiVersion}`
    const scale = JSON.parse(await client.raw(`${root}/namespaces/${namespace}/${resource.plural}/${name}/scale`)) as ApiObject & { readonly spec?: { readonly replicas?: number } }
    return scale.metadata.uid === uid ? { uid, replicas: scale.spec?.replicas ?? 0 } : undefined
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

const groupOf = ({ apiVersion }: meta.OwnerReference): string => (apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '')

export function startDisruptionController(context: ControllerContext): Controller {
  const { informers, clock } = context
  const name = 'disruption-controller'
  const budgets = informers.for(policy.poddisruptionbudgets)
  const pods = podInformer(informers)
  const sized: readonly Resource[] = [apps.replicasets, apps.statefulsets, core.replicationcontrollers]
  const scaled = new Map(sized.map((resource) => [resource.kind, informers.for(resource as Resource<Scaled>)]))
  const deployments = informers.for(apps.deployments)
  const client = context.client(name)
  const sizeOf: SizeOf = async (owner, namespace) => {
    const known = sized.some((r) => r.kind === owner.kind && r.group === groupOf(owner))
    if (!known) return scaleOf(owner, namespace, client, context.settings.resources())
    const found = scaled.get(owner.kind)?.get(`${namespace}/${owner.name}`)
    if (!found || found.metadata.uid !== owner.uid) return undefined
    // In the middle of a rollout a replica set's own size is not what is wanted: its deployment's is.
    const above = controllerOf(found)
    const deployment = above?.kind === 'Deployment' ? deployments.get(`${namespace}/${above.name}`) : undefined
    const decides = deployment && deployment.metadata.uid === above?.uid ? deployment : found
    return { uid: decides.metadata.uid ?? '', replicas: decides.spec.replicas ?? 1 }
  }
  const env = { client, recorder: recorderOf(context, name, 'controllermanager'), clock, budgets, pods, sizeOf }
  const inNamespace = (namespace = '') => budgets.list(namespace).map(keyOf)
  return runController({
    name,
    reconciler: disruptionReconciler(env),
    watches: [
      watch(budgets, (budget) => [keyOf(budget)]),
      watch(pods, (pod) => budgets.list(pod.metadata.namespace ?? '').filter((budget) => fromLabelSelector(budget.spec.selector).matches(pod.metadata.labels)).map(keyOf)),
      watch(pods, (pod) => (isAnnounced(pod) ? [podKey(pod)] : [])),
      watch(deployments, (d, { old, type }) => (type === 'updated' && old && old.spec.replicas === d.spec.replicas ? [] : inNamespace(d.metadata.namespace))),
      ...[...scaled.values()].map((informer) => watch(informer, (object, { old, type }) => (type === 'updated' && old && old.spec.replicas === object.spec.replicas ? [] : inNamespace(object.metadata.namespace)))),
    ],
    clock,
    log: context.log,
    signal: context.signal,
  })
}
