/** What a job makes of its pods: which are counted how, and what new ones look like. */
import type { batch, core, In } from '../../api/index.ts'
import { parseTime } from '../../machinery/time.ts'
import { podFromTemplate, type PodInput } from '../shared/pod-control.ts'
import { isFinished } from '../shared/pods.ts'
import { indexKey } from './indexes.ts'

export type Job = batch.Job
export type Pod = core.Pod

/** Keeps a pod until its end has been counted. */
export const trackingFinalizer = 'batch.kubernetes.io/job-tracking'
const failureCountAnnotation = 'batch.kubernetes.io/job-index-failure-count'
const ignoredCountAnnotation = 'batch.kubernetes.io/job-index-ignored-failure-count'

export const isTracked = (pod: Pod): boolean => pod.metadata.finalizers?.includes(trackingFinalizer) ?? false
export const isIndexed = (job: Job): boolean => job.spec.completionMode === 'Indexed'
/** A pod that is on its way out is replaced only when it has ended. */
export const replacesOnlyFailed = (job: Job): boolean => job.spec.podReplacementPolicy === 'Failed' || job.spec.podFailurePolicy !== undefined
export const isActive = (pod: Pod): boolean => !isFinished(pod) && !pod.metadata.deletionTimestamp
export const isTerminating = (pod: Pod): boolean => !isFinished(pod) && Boolean(pod.metadata.deletionTimestamp)

/** The job's condition of a type, if it is true. */
export const conditionOf = (job: Job, type: string): batch.JobCondition | undefined => job.status.conditions?.find((c) => c.type === type && c.status === 'True')

/** Counts as failed: it failed, or it is on its way out and nobody waits for how it ends. What a success of the whole job removes did not fail. */
export const isFailed = (job: Job, pod: Pod): boolean => pod.status.phase === 'Failed'
  || (isTerminating(pod) && (conditionOf(job, 'FailureTarget') !== undefined || (!replacesOnlyFailed(job) && conditionOf(job, 'SuccessCriteriaMet') === undefined)))
export const isSucceeded = (pod: Pod): boolean => pod.status.phase === 'Succeeded'

/** When the pod ended, in milliseconds: when the last of its containers did, or else when it was not ready any more, or was to go; or else when it was made. */
export function endOf({ metadata, status }: Pod): number {
  const ends = (status.containerStatuses ?? []).map((s) => s.state?.terminated?.finishedAt)
  if (ends.length > 0 && ends.every((end) => typeof end === 'string')) return Math.max(...ends.map(parseTime))
  const unready = status.conditions?.find((c) => c.type === 'Ready' && c.status === 'False')?.lastTransitionTime
  if (unready) return parseTime(unready)
  if (metadata.deletionTimestamp) return parseTime(metadata.deletionTimestamp) - Number(metadata.deletionGracePeriodSeconds ?? 0) * 1000
  return metadata.creationTimestamp ? parseTime(metadata.creationTimestamp) : 0
}

/** How often the pods of an index failed before this one: those that count, and those that a policy ignores. */
export interface Failures { readonly counted: number; readonly ignored: number }

/** A number that others may have written over counts for nothing when it is none. */
function countIn(pod: Pod, annotation: string): number {
  const text = pod.metadata.annotations?.[annotation] ?? ''
  return /^\d{1,10}$/.test(text) && Number(text) < 2 ** 31 ? Number(text) : 0
}

export const failuresBefore = (pod: Pod): Failures => ({ counted: countIn(pod, failureCountAnnotation), ignored: countIn(pod, ignoredCountAnnotation) })

const indexVariable = { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: `metadata.labels['${indexKey}']` } } }

const withIndexVariable = <C extends In<typeof core.Container>>(container: C): C =>
  (container.env?.some((e) => e.name === indexVariable.name) ? container : { ...container, env: [...(container.env ?? []), indexVariable] })

/** What the name of a pod with an index begins with; the server would cut the index off a long one. */
function namePrefix(name: string, index: number): string {
  const end = `-${index}-`
  return name.slice(0, longestPrefix - end.length) + end
}
const longestPrefix = 58

/** A pod of the job: with its index, and the number of failures of that index, when it has one. */
export function podFor(job: Job, index: number | undefined, { counted, ignored }: Failures): PodInput {
  const pod = podFromTemplate(job.spec.template, job)
  const metadata = { ...pod.metadata, finalizers: [...(job.spec.template.metadata.finalizers ?? []), trackingFinalizer] }
  if (index === undefined) return { ...pod, metadata }
  const { spec } = job.spec.template
  return {
    metadata: {
      ...metadata,
      generateName: namePrefix(job.metadata.name ?? '', index),
      labels: { ...job.spec.template.metadata.labels, [indexKey]: String(index) },
      annotations: { ...job.spec.template.metadata.annotations, [indexKey]: String(index), ...(job.spec.backoffLimitPerIndex !== undefined && { [failureCountAnnotation]: String(counted), ...(ignored > 0 && { [ignoredCountAnnotation]: String(ignored) }) }) },
    },
    spec: {
      ...spec,
      hostname: `${job.metadata.name}-${index}`,
      containers: spec.containers.map(withIndexVariable),
      ...(spec.initContainers ? { initContainers: spec.initContainers.map(withIndexVariable) } : {}),
    },
  }
}

/** How often the containers of pods that are still there were restarted in place. */
export const restartsOf = (pods: readonly Pod[]): number =>
  pods.filter((pod) => pod.status.phase === 'Running' || pod.status.phase === 'Pending')
    .flatMap((pod) => [...(pod.status.initContainerStatuses ?? []), ...(pod.status.containerStatuses ?? [])])
    .reduce((total, status) => total + status.restartCount, 0)
