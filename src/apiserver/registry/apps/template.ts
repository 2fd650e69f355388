/** What all workloads check of their selector and of the pods they would make. */
import type { core, meta } from '../../../api/index.ts'
import { found, type Place } from '../../../machinery/field.ts'
import { fromLabelSelector } from '../../../machinery/labels.ts'
import { percent } from '../../../machinery/names.ts'
import { follows, notNegative, selector, selectsAll } from '../checks.ts'
import { podTemplate } from '../core/validation/pod-spec.ts'

/** The selector of a workload: there, and not one that would take every pod of the namespace. */
export function ownSelector(at: Place, value: meta.LabelSelector | undefined, what: string): void {
  if (!value) return at.required()
  selector(at, value)
  if (selectsAll(value)) at.invalid(value, `empty selector is invalid for ${what}`)
}

/** Whether a selector can be asked what it selects; one that is not there selects nothing. */
export const isUsable = (value: meta.LabelSelector | undefined): boolean => found((place) => selector(place, value)).length === 0

/** What a selector that cannot be used is called as a whole, beside what is wrong inside of it. */
export function unusableSelector(at: Place, value: meta.LabelSelector | undefined, why: string): void {
  if (!isUsable(value)) at.invalid(value, why)
}

/** A template whose pods the selector finds. */
export function selectedTemplate(at: Place, template: core.PodTemplateSpec, value: meta.LabelSelector | undefined): void {
  templateLabels(at, template, value)
  podTemplate(at, template)
}

/** The selector finds pods with the labels of the template. */
export function templateLabels(at: Place, template: core.PodTemplateSpec, value: meta.LabelSelector | undefined): void {
  const labels = template.metadata.labels ?? {}
  const matches = !isUsable(value) || (value && (selectsAll(value) || fromLabelSelector(value).matches(labels)))
  if (!matches) at.at('metadata').at('labels').invalid(template.metadata.labels ?? null, '`selector` does not match template `labels`')
}

/** Pods that are to be there always: they restart always and have no deadline. */
export function lastingPods(at: Place, spec: core.PodSpec, kind: string): void {
  if (spec.restartPolicy !== 'Always') at.at('restartPolicy').notSupported(spec.restartPolicy ?? '', ['Always'])
  if (spec.activeDeadlineSeconds !== undefined) at.at('activeDeadlineSeconds').forbidden(`activeDeadlineSeconds in ${kind} is not Supported`)
}

/** A number of pods, as such or as a percentage up to `max`. */
export function countOrPercent(at: Place, value: number | string | undefined, max = 100): void {
  if (typeof value === 'number') return notNegative(at, value)
  if (value === undefined) return
  follows(at, value, percent)
  if (percent(value).length === 0 && Number(value.slice(0, -1)) > max) at.invalid(value, `must not be greater than ${max}%`)
}

/** How often names of revisions collided goes up only: the next name is made of it. */
export function collisions(at: Place, next: { readonly collisionCount?: number | undefined }, current: { readonly collisionCount?: number | undefined }): void {
  const [is, was] = [next.collisionCount, current.collisionCount]
  if (was !== undefined && (is === undefined || is < was)) at.at('collisionCount').invalid(is ?? 0, 'cannot be decremented')
}

/** Whether a number or percentage of pods is zero or not given. */
export const isZeroCount = (value: number | string | undefined): boolean => value === 0 || value === '0%' || value === undefined

/** How often a workload was told to be what it is: the same for all kinds that keep old revisions. */
export function revisions(at: Place, spec: { readonly minReadySeconds?: number | undefined; readonly revisionHistoryLimit?: number | undefined }): void {
  notNegative(at.at('minReadySeconds'), spec.minReadySeconds)
  notNegative(at.at('revisionHistoryLimit'), spec.revisionHistoryLimit)
}
