/** What all workloads check of their selector and of the pods they would make. */
import type { core, meta } from '../../../api/index.ts'
import type { Path } from '../../../machinery/field.ts'
import { fromLabelSelector } from '../../../machinery/labels.ts'
import { percent } from '../../../machinery/names.ts'
import { follows, notNegative, selector, selectsAll, type Check } from '../checks.ts'
import { podTemplate } from '../core/validation/pod-spec.ts'

/** The selector of a workload: there, and not one that would take every pod of the namespace. */
export function* ownSelector(at: Path, value: meta.LabelSelector | undefined, what: string): Check {
  if (!value) return yield at.required()
  yield* selector(at, value)
  if (selectsAll(value)) yield at.invalid(value, `empty selector is invalid for ${what}`)
}

/** A template whose pods the selector finds. */
export function* selectedTemplate(at: Path, template: core.PodTemplateSpec, value: meta.LabelSelector | undefined): Check {
  const labels = template.metadata.labels ?? {}
  const usable = value && !selectsAll(value) && [...selector(at, value)].length === 0
  if (usable && !fromLabelSelector(value).matches(labels)) {
    yield at.at('metadata').at('labels').invalid(labels, '`selector` does not match template `labels`')
  }
  yield* podTemplate(at, template)
}

/** Pods that are to be there always: they restart always and have no deadline. */
export function* lastingPods(at: Path, spec: core.PodSpec, kind: string): Check {
  if (spec.restartPolicy !== 'Always') yield at.at('restartPolicy').notSupported(spec.restartPolicy ?? '', ['Always'])
  if (spec.activeDeadlineSeconds !== undefined) yield at.at('activeDeadlineSeconds').forbidden(`activeDeadlineSeconds in ${kind} is not Supported`)
}

/** A number of pods, as such or as a percentage up to `max`. */
export function* countOrPercent(at: Path, value: number | string | undefined, max = 100): Check {
  if (typeof value === 'number') return yield* notNegative(at, value)
  if (value === undefined) return
  yield* follows(at, value, percent)
  if (percent(value).length === 0 && Number(value.slice(0, -1)) > max) yield at.invalid(value, `must not be greater than ${max}%`)
}

/** How often names of revisions collided goes up only: the next name is made of it. */
export function* collisions(at: Path, next: { readonly collisionCount?: number | undefined }, current: { readonly collisionCount?: number | undefined }): Check {
  const [is, was] = [next.collisionCount, current.collisionCount]
  if (was !== undefined && (is === undefined || is < was)) yield at.at('collisionCount').invalid(is ?? 0, 'cannot be decremented')
}

export const isZeroCount = (value: number | string | undefined): boolean => value === 0 || value === '0%' || value === undefined

/** How often a workload was told to be what it is: the same for all kinds that keep old revisions. */
export function* revisions(at: Path, spec: { readonly minReadySeconds?: number | undefined; readonly revisionHistoryLimit?: number | undefined }): Check {
  yield* notNegative(at.at('minReadySeconds'), spec.minReadySeconds)
  yield* notNegative(at.at('revisionHistoryLimit'), spec.revisionHistoryLimit)
}

