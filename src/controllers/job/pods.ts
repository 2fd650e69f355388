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
export const failureCountAnnotation = 'batch.kubernetes.io/job-index-failure-count'

export const isTracked = (pod: Pod): boolean => pod.metadata.finalizers?.includes(trackingFinalizer) ?? false
export const isIndexed = (job: Job): boolean => job.spec.completionMode === 'Indexed'
/** A pod that is on its way out is replaced only when it has ended. */
export const replacesOnlyFailed = (job: Job): boolean => job.spec.podReplacementPolicy === 'Failed'
export const isActive = (pod: Pod): boolean => !isFinished(pod) && !pod.metadata.deletionTimestamp
export const isTerminating = (pod: Pod): boolean => !isFinished(pod) && Boolean(pod.metadata.deletionTimestamp)

/** Counts as failed: it failed, or it is on its way out and nobody waits for how it ends. */
export const isFailed = (job: Job, pod: Pod): boolean => pod.status.phase === 'Failed' || (!replacesOnlyFailed(job) && isTerminating(pod))
export const isSucceeded = (pod: Pod): boolean => pod.status.phase === 'Succeeded'

/** When the pod ended: the last of its containers, or else its last condition, or its deletion. */
export function endOf(pod: Pod): number {
  const ends = (pod.status.containerStatuses ?? []).map((s) => s.state?.terminated?.finishedAt).filter((t) => typeof t === 'string')
  const times = ends.length > 0 ? ends : [pod.metadata.deletionTimestamp, ...(pod.status.conditions ?? []).map((c) => c.lastTransitionTime), pod.metadata.creationTimestamp].filter((t) => typeof t === 'string').slice(0, 1)
  return Math.max(0, ...times.map(parseTime))
}

const indexVariable = { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath: `metadata.annotations['${indexKey}']` } } }

const withIndexVariable = <C extends In<typeof core.Container>>(container: C): C =>
  (container.env?.some((e) => e.name === indexVariable.name) ? container : { ...container, env: [...(container.env ?? []), indexVariable] })

/** A pod of the job: with its index, and the number of failures of that index, when it has one. */
export function podFor(job: Job, index: number | undefined, failures: number): PodInput {
  const pod = podFromTemplate(job.spec.template, job)
  const metadata = { ...pod.metadata, finalizers: [...(job.spec.template.metadata.finalizers ?? []), trackingFinalizer] }
  if (index === undefined) return { ...pod, metadata }
  const { spec } = job.spec.template
  return {
    metadata: {
      ...metadata,
      generateName: `${job.metadata.name}-${index}-`,
      labels: { ...job.spec.template.metadata.labels, [indexKey]: String(index) },
      annotations: { ...job.spec.template.metadata.annotations, [indexKey]: String(index), ...(job.spec.backoffLimitPerIndex === undefined ? {} : { [failureCountAnnotation]: String(failures) }) },
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
