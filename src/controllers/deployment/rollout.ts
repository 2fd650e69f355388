/** One look at a deployment: its replica sets, and the writes that a rollout consists of. */
import { apps, type In } from '../../api/index.ts'
import { isNamespaceTerminating, type Client, type EventRecorder } from '../../client/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import { isAlreadyExists, isNotFound } from '../../machinery/errors.ts'
import { controllerOf, deepEqual, ownerReference, podTemplateHash } from '../../machinery/meta.ts'
import {
  active, annotationsFor, byRevision, desired, desiredOf, fenceposts, findNew, hashLabel, revised, revisionAnnotation, revisionOf, sameTemplate, sizeAnnotations, wanted,
  type Deployment, type ReplicaSet,
} from './replica-sets.ts'
import { hasDeadline, setCondition, type Condition, type Status } from './status.ts'

export interface Environment { readonly client: Client; readonly recorder: EventRecorder; readonly clock: Clock }

/** What is known in the course of one reconcile; writes bring it up to date. */
export interface Rollout {
  readonly env: Environment
  deployment: Deployment
  conditions: readonly Condition[]
  newSet: ReplicaSet | undefined
  oldSets: readonly ReplicaSet[]
}

/** The new replica set, if there is one, and the old ones. */
export const allSets = (r: Rollout): readonly ReplicaSet[] => (r.newSet ? [r.newSet, ...r.oldSets] : r.oldSets)

/** Sorts out which replica set is the new one, and gives it, and the deployment, the revision that follows the old ones (unless the deployment is on its way out: `revise` is false). */
export async function openRollout(env: Environment, deployment: Deployment, sets: readonly ReplicaSet[], revise: boolean): Promise<Rollout> {
  const newSet = findNew(deployment, sets)
  const rollout: Rollout = { env, deployment, conditions: deployment.status.conditions ?? [], newSet, oldSets: sets.filter((rs) => rs !== newSet) }
  if (newSet && revise) {
    await reviseNew(rollout, newSet)
    if (hasDeadline(deployment) && !rollout.conditions.some((c) => c.type === 'Progressing'))
      note(rollout, 'True', 'FoundNewReplicaSet', `Found new replica set "${newSet.metadata.name}"`)
  }
  return rollout
}

/** Sets the condition Progressing, for the status that is written at the end. */
function note(r: Rollout, status: string, reason: string, message: string): void {
  r.conditions = setCondition(r.conditions, r.env.clock.now(), { type: 'Progressing', status, reason, message })
}

const nextRevision = (r: Rollout): bigint => r.oldSets.map(revisionOf).reduce((highest, revision) => (revision > highest ? revision : highest), 0n) + 1n

async function reviseNew(r: Rollout, newSet: ReplicaSet): Promise<void> {
  const { deployment: d, env } = r
  const annotations = revised(annotationsFor(d, newSet), nextRevision(r))
  const minReadySeconds = d.spec.minReadySeconds
  if (!deepEqual(annotations, newSet.metadata.annotations ?? {}) || newSet.spec.minReadySeconds !== minReadySeconds) {
    const { minReadySeconds: _, ...spec } = newSet.spec
    const next = { ...newSet, metadata: { ...newSet.metadata, annotations }, spec: { ...spec, ...(minReadySeconds ? { minReadySeconds } : {}) } }
    r.newSet = await env.client.update(apps.replicasets, next)
  }
  await markRevision(r, annotations[revisionAnnotation] ?? '')
}

/** The deployment carries the revision of its new replica set. */
async function markRevision(r: Rollout, revision: string): Promise<void> {
  const { metadata } = r.deployment
  if (metadata.annotations?.[revisionAnnotation] === revision) return
  // Through the status, as Kubernetes does: a change of annotations of the object itself would count as a new generation.
  const annotations = { ...metadata.annotations, [revisionAnnotation]: revision }
  r.deployment = await r.env.client.updateStatus(apps.deployments, { ...r.deployment, metadata: { ...metadata, annotations } })
}

/** How many pods the new replica set may have now. */
export function newSetSize(r: Rollout): number {
  const { deployment: d, newSet } = r
  const now = newSet ? desired(newSet) : 0
  if (d.spec.strategy.type !== 'RollingUpdate') return wanted(d)
  const room = wanted(d) + fenceposts(d).surge - desiredOf(allSets(r))
  return room <= 0 ? now : now + Math.min(room, Math.max(0, wanted(d) - now))
}

function newReplicaSet(d: Deployment, hash: string, replicas: number, annotations: Record<string, string>): In<typeof apps.ReplicaSet> {
  const labels = { ...d.spec.template.metadata.labels, [hashLabel]: hash }
  return {
    metadata: { name: `${d.metadata.name}-${hash}`, namespace: d.metadata.namespace, labels, annotations, ownerReferences: [ownerReference(d)] },
    spec: {
      replicas,
      ...(d.spec.minReadySeconds ? { minReadySeconds: d.spec.minReadySeconds } : {}),
      selector: { ...d.spec.selector, matchLabels: { ...d.spec.selector.matchLabels, [hashLabel]: hash } },
      template: { ...d.spec.template, metadata: { ...d.spec.template.metadata, labels } },
    },
  }
}

/** Makes the new replica set when there is none. A name that is taken by another template counts as a collision: the next try hashes differently. */
export async function ensureNew(r: Rollout): Promise<void> {
  if (r.newSet) return
  const { env, deployment: d } = r
  const hash = podTemplateHash(d.spec.template, d.status.collisionCount)
  const replicas = newSetSize(r)
  const revision = nextRevision(r)
  const object = newReplicaSet(d, hash, replicas, revised(annotationsFor(d, undefined), revision))
  let created: ReplicaSet
  let isNew = true
  try {
    created = await env.client.create(apps.replicasets, object)
  } catch (error) {
    if (isAlreadyExists(error)) {
      created = await existing(r, `${d.metadata.name}-${hash}`, error)
      isNew = false
    } else {
      if (!isNamespaceTerminating(error)) await failed(r, `${d.metadata.name}-${hash}`, error)
      throw error
    }
  }
  r.newSet = created
  if (isNew && replicas > 0) env.recorder.event(d, 'Normal', 'ScalingReplicaSet', `Scaled up replica set ${created.metadata.name} from 0 to ${replicas}`)
  if (isNew && hasDeadline(d)) note(r, 'True', 'NewReplicaSetCreated', `Created new replica set "${created.metadata.name}"`)
  await markRevision(r, String(revision))
}

/** The replica set that has the name: ours after all (the watch was late), or a collision. */
async function existing(r: Rollout, name: string, error: unknown): Promise<ReplicaSet> {
  const { env: { client }, deployment: d } = r
  const there = await client.get(apps.replicasets, name, { namespace: d.metadata.namespace ?? '' })
  if (controllerOf(there)?.uid === d.metadata.uid && sameTemplate(d, there)) return there
  await client.updateStatus(apps.deployments, { ...d, status: { ...d.status, collisionCount: (d.status.collisionCount ?? 0) + 1 } })
  throw error
}

async function failed(r: Rollout, name: string, error: unknown): Promise<void> {
  const { env, deployment: d } = r
  const message = `Failed to create new replica set "${name}": ${error instanceof Error ? error.message : String(error)}`
  env.recorder.event(d, 'Warning', 'ReplicaSetCreateError', message)
  if (!hasDeadline(d)) return
  note(r, 'False', 'ReplicaSetCreateError', message)
  await writeStatus(r, { ...d.status, conditions: r.conditions })
}

/** Gives a replica set a size; true when that changed how many pods it wants. */
export async function resize(r: Rollout, rs: ReplicaSet, replicas: number): Promise<boolean> {
  const { env, deployment: d } = r
  const before = desired(rs)
  const annotations = { ...rs.metadata.annotations, ...sizeAnnotations(d) }
  if (before === replicas && deepEqual(annotations, rs.metadata.annotations)) return false
  const next = await env.client.update(apps.replicasets, { ...rs, metadata: { ...rs.metadata, annotations }, spec: { ...rs.spec, replicas } })
  if (r.newSet === rs) r.newSet = next
  else r.oldSets = r.oldSets.map((old) => (old === rs ? next : old))
  if (before === replicas) return false
  env.recorder.event(d, 'Normal', 'ScalingReplicaSet', `Scaled ${before < replicas ? 'up' : 'down'} replica set ${rs.metadata.name} from ${before} to ${replicas}`)
  return true
}

/** Removes what the history does not keep: old, empty, and done with what it was told. */
export async function trimHistory(r: Rollout): Promise<void> {
  const { env: { client }, deployment: d } = r
  const limit = d.spec.revisionHistoryLimit
  if (limit === undefined || limit === 2 ** 31 - 1) return
  const kept = r.oldSets.filter((rs) => !rs.metadata.deletionTimestamp)
  const excess = kept.length - limit
  if (excess <= 0) return
  for (const rs of kept.sort(byRevision).slice(0, excess)) {
    const busy = rs.status.replicas !== 0 || desired(rs) !== 0 || (rs.metadata.generation ?? 0) > (rs.status.observedGeneration ?? 0)
    if (busy) continue
    await client.delete(apps.replicasets, rs.metadata.name ?? '', { namespace: rs.metadata.namespace ?? '', propagationPolicy: 'Background' })
      .catch((error: unknown) => { if (!isNotFound(error)) throw error })
  }
}

/** Writes the status if it changed. */
export async function writeStatus(r: Rollout, status: Status): Promise<void> {
  if (!deepEqual(status, r.deployment.status)) r.deployment = await r.env.client.updateStatus(apps.deployments, { ...r.deployment, status })
}

/** The only replica set with pods, or the one that should get them when none has; undefined when several have. */
export function onlyActive(r: Rollout): ReplicaSet | undefined {
  const busy = active(allSets(r))
  if (busy.length > 1) return undefined
  return busy[0] ?? r.newSet ?? [...r.oldSets].sort((a, b) => (b.metadata.creationTimestamp ?? '').localeCompare(a.metadata.creationTimestamp ?? ''))[0]
}
