/** Eviction: a deletion that must respect the pod's disruption budgets. */
import { core, policy, type StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { ApiError, badRequest, forbidden, internal, notFound } from '../../machinery/errors.ts'
import { fromLabelSelector } from '../../machinery/labels.ts'
import { rfc3339 } from '../../machinery/time.ts'
import { callPath, makeCall, type Call, type RegistryEnvironment } from './call.ts'
import { deleteObject, type Deletion } from './delete.ts'
import { statusRules, update, type UpdateRules } from './update.ts'

type Budget = policy.PodDisruptionBudget

/** How many evicted pods a budget remembers until it has seen them go. */
const mostDisrupted = 2000

/** Pods that are finished, pending or being deleted: evicted without asking a budget. */
const isOver = (pod: core.Pod): boolean =>
  pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed' || pod.status.phase === 'Pending' || Boolean(pod.metadata.deletionTimestamp)

const isReady = (pod: core.Pod): boolean => pod.status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') === true

const refusal = (message: string, cause: string, retryAfterSeconds?: number): ApiError =>
  new ApiError(429, 'TooManyRequests', message, { causes: [{ reason: 'DisruptionBudget', message: cause }], ...(retryAfterSeconds ? { retryAfterSeconds } : {}) })

/** Whether an unhealthy pod may go without using up the budget: always, or while enough others are healthy. */
function isFree(pod: core.Pod, { spec, status }: Budget): boolean {
  if (isReady(pod)) return false
  if (spec.unhealthyPodEvictionPolicy === 'AlwaysAllow') return true
  return status.currentHealthy >= status.desiredHealthy && status.desiredHealthy > 0
}

/** The budget with one disruption less. Throws `ApiError` 403, 429. */
function spend(budget: Budget, pod: string, now: number): Budget {
  const { metadata, status } = budget
  const name = metadata.name ?? ''
  if ((status.observedGeneration ?? 0) < (metadata.generation ?? 0)) {
    throw refusal('Cannot evict pod as it would violate the pod\'s disruption budget.', `The disruption budget ${name} is still being processed by the server.`, 10)
  }
  if (status.disruptionsAllowed < 0) throw forbidden(policy.poddisruptionbudgets, name, 'pdb disruptions allowed is negative')
  if (Object.keys(status.disruptedPods ?? {}).length > mostDisrupted) throw forbidden(policy.poddisruptionbudgets, name, 'DisruptedPods map too big - too many evictions not confirmed by PDB controller')
  if (status.disruptionsAllowed === 0) {
    throw refusal('Cannot evict pod as it would violate the pod\'s disruption budget.',
      `The disruption budget ${name} needs ${status.desiredHealthy} healthy pods and has ${status.currentHealthy} currently`)
  }
  return { ...budget, status: { ...status, disruptionsAllowed: status.disruptionsAllowed - 1, disruptedPods: { ...status.disruptedPods, [pod]: rfc3339(now) } } }
}

/** Takes one disruption from the budget that covers the pod. Throws `ApiError` 429 when none is left. */
async function askBudget(env: RegistryEnvironment, call: Call, pod: core.Pod): Promise<void> {
  const budgets = env.find('policy', 'v1', 'poddisruptionbudgets')!
  const covering = budgets.cache.objects(`${call.namespace}/`)
    .map((object) => object as unknown as Budget)
    .filter((budget) => fromLabelSelector(budget.spec.selector).matches(pod.metadata.labels))
  if (covering.length > 1) throw internal('This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.')
  const [budget] = covering
  if (!budget || isFree(pod, budget)) return
  const { user, namespace, dryRun, caller } = call
  const spending = makeCall(env, budgets, user, 'update', { namespace, name: budget.metadata.name ?? '', subresource: 'status', dryRun, caller, fieldManager: 'kube-apiserver' })
  await update(env, spending, statusRules(budgets), (current) => spend(current as unknown as Budget, call.name, call.now) as unknown as ApiObject)
}

export const evictionType = policy.Eviction as unknown as StructType<ApiObject>

const asIs: UpdateRules = { prepare: (next) => next, validate: () => [], counts: false }

/** The pod with the condition DisruptionTarget, by which controllers tell disruptions from failures. */
function marked(pod: core.Pod, now: number): core.Pod {
  const condition = {
    type: 'DisruptionTarget', status: 'True', reason: 'EvictionByEvictionAPI', message: 'Eviction API: evicting',
    ...(pod.metadata.generation === undefined ? {} : { observedGeneration: pod.metadata.generation }), lastProbeTime: null, lastTransitionTime: rfc3339(now),
  } as const
  const others = pod.status.conditions?.filter((c) => c.type !== condition.type) ?? []
  return { ...pod, status: { ...pod.status, conditions: [...others, condition] } }
}

/** Evicts the pod that the call names. Throws `ApiError` 400 (another name), 404, 409 (preconditions), 429 (budget). */
export async function evict(env: RegistryEnvironment, call: Call, body: ApiObject): Promise<void> {
  const { deleteOptions, metadata } = body as unknown as policy.Eviction
  if (metadata.name !== call.name) throw badRequest('name in URL does not match name in Eviction object')
  const item = call.served.cache.get(callPath(call))
  if (!item) throw notFound(call.served.storage, call.name)
  const pod = item.object as unknown as core.Pod
  const asked: Call = { ...call, dryRun: call.dryRun || deleteOptions?.dryRun?.includes('All') === true }
  if (!isOver(pod)) await askBudget(env, asked, pod)
  const { phase } = pod.status
  if (!asked.dryRun && phase !== 'Succeeded' && phase !== 'Failed' && !pod.metadata.deletionTimestamp) {
    await update(env, asked, asIs, (current) => marked(current as unknown as core.Pod, call.now) as unknown as ApiObject, { managed: true })
  }
  await deleteObject(env, asked, (deleteOptions ?? {}) as Deletion)
}
