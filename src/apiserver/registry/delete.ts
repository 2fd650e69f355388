/** Delete: at once, or first a deletionTimestamp while finalizers, a grace period or the kind's own rule keep the object. */
import type { ApiObject } from '../../client/client.ts'
import { conflict, forbidden, invalid, modified, notFound, type ApiError } from '../../machinery/errors.ts'
import { path } from '../../machinery/field.ts'
import { rfc3339 } from '../../machinery/time.ts'
import { Encoded } from '../cache/encoded.ts'
import { attributes, callPath, checkAborted, renewed, type Call, type RegistryEnvironment } from './call.ts'
import { put, remove } from './commit.ts'
import { withMeta } from './meta.ts'
import type { Rule } from './rules.ts'

export interface Deletion {
  readonly gracePeriodSeconds?: number | undefined
  readonly propagationPolicy?: string | undefined
  readonly orphanDependents?: boolean | undefined
  readonly preconditions?: { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined } | undefined
  readonly ignoreStoreReadErrorWithClusterBreakingPotential?: boolean | undefined
}

export interface Deleted {
  readonly item: Encoded
  /** False while something keeps the object. */
  readonly gone: boolean
}

const rounds = 100
const policies = ['Foreground', 'Background', 'Orphan']

/** Throws `ApiError` 422 for options that contradict each other. */
export function checkDeletion({ propagationPolicy, orphanDependents }: Deletion): void {
  const root = path('')
  const errors = []
  if (propagationPolicy !== undefined && orphanDependents !== undefined) {
    errors.push(root.at('propagationPolicy').invalid(propagationPolicy, 'orphanDependents and deletionPropagation cannot be both set'))
  }
  if (propagationPolicy !== undefined && !policies.includes(propagationPolicy)) errors.push(root.at('propagationPolicy').notSupported(propagationPolicy, [...policies, 'nil']))
  if (errors.length) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors)
}

/** What the client wants to happen to the object's dependents; undefined when it does not say. */
const policyOf = ({ propagationPolicy, orphanDependents }: Deletion): string | undefined =>
  propagationPolicy ?? (orphanDependents === undefined ? undefined : orphanDependents ? 'Orphan' : 'Background')

/** The finalizers with those that the propagation policy asks for; others stay. */
function finalizersFor(object: ApiObject, deletion: Deletion, { orphans }: Rule): readonly string[] {
  const old = object.metadata.finalizers ?? []
  const policy = policyOf(deletion)
  const isSaid = old.includes('orphan') || old.includes('foregroundDeletion')
  if (policy === undefined) return orphans && !isSaid ? [...old, 'orphan'] : old
  const others = old.filter((f) => f !== 'orphan' && f !== 'foregroundDeletion')
  if (policy === 'Orphan') return [...others, 'orphan']
  return policy === 'Foreground' ? [...others, 'foregroundDeletion'] : others
}

/** Deletes the object that the call names. Throws `ApiError` 403, 404, 409 (preconditions). */
export async function deleteObject(env: RegistryEnvironment, call: Call, deletion: Deletion): Promise<Deleted> {
  checkDeletion(deletion)
  const { orphans } = call.served.rule
  if (orphans?.warning && policyOf(deletion) === undefined) call.warn(orphans.warning)
  for (let round = 0, now = call; round < rounds; round++, now = renewed(env, call)) {
    checkAborted(now)
    const item = now.served.cache.get(callPath(now))
    if (!item) throw notFound(now.served.storage, now.name)
    const done = await attemptDelete(env, now, deletion, item)
    if (done) return done
  }
  throw modified(call.served.storage, call.name)
}

function checkPreconditions(call: Call, object: ApiObject, { preconditions }: Deletion): void {
  const { uid, resourceVersion } = preconditions ?? {}
  const is = object.metadata
  if (uid !== undefined && uid !== is.uid) throw preconditionFailed(call, 'UID', uid, is.uid, 'The object might have been deleted and then recreated')
  if (resourceVersion !== undefined && resourceVersion !== is.resourceVersion) {
    throw preconditionFailed(call, 'ResourceVersion', resourceVersion, is.resourceVersion, 'The object might have been modified')
  }
}

function preconditionFailed({ name, served: { resource: { group, kind } } }: Call, what: string, wanted: string, is = '', why = ''): ApiError {
  return conflict({ group, plural: kind }, name, `the ${what} in the precondition (${wanted}) does not match the ${what} in record (${is}). ${why}`)
}

async function attemptDelete(env: RegistryEnvironment, call: Call, deletion: Deletion, item: Encoded): Promise<Deleted | undefined> {
  const { served } = call
  if (served.custom?.ready) await served.custom.ready([item])
  const current = served.working(item).object
  const refusal = served.rule.refusal?.(current)
  if (refusal) throw forbidden(served.storage, call.name, refusal)
  checkPreconditions(call, current, deletion)
  const admission = attributes(call, 'DELETE', undefined, current)
  const heard = env.admission.mutate(admission)
  if (heard instanceof Promise) await heard
  const checked = env.admission.validate(admission)
  if (checked) await checked
  const { gracePeriodSeconds: asked } = deletion
  // A negative value means the shortest.
  const grace = served.strategy.gracePeriodSeconds?.(current, asked !== undefined && asked < 0 ? 1 : asked) ?? 0
  const finalizers = finalizersFor(current, deletion, served.rule)
  const waits = grace > 0 || finalizers.length > 0 || served.rule.held?.(current) === true
  if (!waits) {
    if (call.dryRun) return { item, gone: true }
    const removed = await remove(env, item, current)
    if (removed && served.strategy.allocation) await served.strategy.allocation.release(current)
    return removed && { item: removed, gone: true }
  }
  const next = marked(call, current, grace, finalizers)
  if (next === current) return { item, gone: false }
  if (call.dryRun) return { item: new Encoded(item.key, 0, next), gone: false }
  const stored = await put(env, call, item.key, next, item)
  return stored && { item: stored, gone: false }
}

/** Seconds as milliseconds. Beyond 292 years, nanoseconds of 64 bits overflow, in Kubernetes as well: the time is then another, but the object still goes. */
const milliseconds = (seconds: number): number => Number(BigInt.asIntN(64, BigInt(seconds) * 1_000_000_000n) / 1_000_000n)

/** The object with its deletion begun. If it had begun already, the grace period only shrinks. */
function marked(call: Call, current: ApiObject, grace: number, finalizers: readonly string[]): ApiObject {
  const old = current.metadata
  const changedFinalizers = finalizers.length !== (old.finalizers?.length ?? 0) || finalizers.some((f) => !old.finalizers?.includes(f))
  const list = { finalizers: finalizers.length ? finalizers : undefined }
  if (old.deletionTimestamp && grace >= (old.deletionGracePeriodSeconds ?? 0)) {
    return changedFinalizers ? withMeta(current, list) : current
  }
  // The original grace period counts from the first deletion; a shorter one from now.
  const started = withMeta(current, {
    ...list,
    deletionTimestamp: rfc3339(call.now + milliseconds(grace)),
    deletionGracePeriodSeconds: grace,
    generation: old.generation ? old.generation + (old.deletionTimestamp ? 0 : 1) : undefined,
  })
  return call.served.rule.terminating?.(started) ?? started
}
