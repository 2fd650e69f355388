import { bool, fill, int32, int64, list, oneOf, opt, req, root, setOf, string, struct, time, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { PodTemplateSpec } from '../core/pod.ts'
import { ObjectReference } from '../core/shared.ts'
import { LabelSelector, ObjectMeta } from '../meta/meta.ts'

export const CompletionMode = oneOf('NonIndexed', 'Indexed')
export type CompletionMode = Of<typeof CompletionMode>

export const ConcurrencyPolicy = oneOf('Allow', 'Forbid', 'Replace')
export type ConcurrencyPolicy = Of<typeof ConcurrencyPolicy>

export const PodFailurePolicyAction = oneOf('FailJob', 'FailIndex', 'Ignore', 'Count')
export type PodFailurePolicyAction = Of<typeof PodFailurePolicyAction>

export const PodFailurePolicyOnExitCodesOperator = oneOf('In', 'NotIn')
export type PodFailurePolicyOnExitCodesOperator = Of<typeof PodFailurePolicyOnExitCodesOperator>

export const PodFailurePolicyOnExitCodesRequirement = struct('PodFailurePolicyOnExitCodesRequirement', {
  containerName: opt(1, string, 'Of which container; of any when left out.'),
  operator: req(2, PodFailurePolicyOnExitCodesOperator, 'In or NotIn.'),
  values: req(3, setOf(int32), 'The codes.'),
}, 'Exit codes.')
export interface PodFailurePolicyOnExitCodesRequirement extends Of<typeof PodFailurePolicyOnExitCodesRequirement> {}

export const PodFailurePolicyOnPodConditionsPattern = struct('PodFailurePolicyOnPodConditionsPattern', {
  type: req(1, string, 'Its type.'),
  status: fill(2, string, 'Its status. Default True.'),
}, 'A condition of a pod.')
export interface PodFailurePolicyOnPodConditionsPattern extends Of<typeof PodFailurePolicyOnPodConditionsPattern> {}

export const PodFailurePolicyRule = struct('PodFailurePolicyRule', {
  action: req(1, PodFailurePolicyAction, 'FailJob, FailIndex, Ignore or Count.'),
  onExitCodes: opt(2, PodFailurePolicyOnExitCodesRequirement, 'Exit codes.'),
  onPodConditions: zero(3, list(PodFailurePolicyOnPodConditionsPattern), 'Conditions of the pod.'),
}, 'What a failure means: by exit code or by condition.')
export interface PodFailurePolicyRule extends Of<typeof PodFailurePolicyRule> {}

export const PodFailurePolicy = struct('PodFailurePolicy', {
  rules: req(1, list(PodFailurePolicyRule), 'Rules in order; the first that matches counts.'),
}, 'What failures of pods mean.')
export interface PodFailurePolicy extends Of<typeof PodFailurePolicy> {}

export const PodReplacementPolicy = oneOf('TerminatingOrFailed', 'Failed')
export type PodReplacementPolicy = Of<typeof PodReplacementPolicy>

export const SuccessPolicyRule = struct('SuccessPolicyRule', {
  succeededIndexes: opt(1, string, 'When these indexes have succeeded.'),
  succeededCount: opt(2, int32, 'When this many indexes have succeeded.'),
}, 'When a job has succeeded.')
export interface SuccessPolicyRule extends Of<typeof SuccessPolicyRule> {}

export const SuccessPolicy = struct('SuccessPolicy', {
  rules: req(1, list(SuccessPolicyRule), 'Rules of which one must hold.'),
}, 'When a job has succeeded.')
export interface SuccessPolicy extends Of<typeof SuccessPolicy> {}

export const JobSpec = struct('JobSpec', {
  parallelism: opt(1, int32, 'How many pods run at a time. Default 1.'),
  completions: opt(2, int32, 'How many pods must succeed. Default 1.'),
  activeDeadlineSeconds: opt(3, int64, 'How long the job may take.'),
  podFailurePolicy: opt(11, PodFailurePolicy, 'What a failure means, by exit code or condition.'),
  successPolicy: opt(16, SuccessPolicy, 'When an indexed job has succeeded before all its indexes have.'),
  backoffLimit: opt(7, int32, 'How many failures are put up with. Default 6.'),
  backoffLimitPerIndex: opt(12, int32, 'How many failures of one index are put up with.'),
  maxFailedIndexes: opt(13, int32, 'How many indexes may fail.'),
  selector: opt(4, LabelSelector, 'Labels of its pods; made by the server.'),
  manualSelector: opt(5, bool, 'True to choose the selector oneself.'),
  template: req(6, PodTemplateSpec, 'What its pods look like; their restartPolicy is Never or OnFailure.'),
  ttlSecondsAfterFinished: opt(8, int32, 'How long the job is kept once it is finished.'),
  completionMode: opt(9, CompletionMode, 'NonIndexed (the default), or Indexed to give each pod a number.'),
  suspend: opt(10, bool, 'True to stop its pods and start none.'),
  podReplacementPolicy: opt(14, PodReplacementPolicy, 'When a pod is replaced: TerminatingOrFailed, or Failed to wait until it is gone.'),
  managedBy: opt(15, string, 'Who runs the job, if not the job controller.'),
}, 'What is wanted of a job.')
export interface JobSpec extends Of<typeof JobSpec> {}

export const JobTemplateSpec = struct('JobTemplateSpec', {
  metadata: fill(1, ObjectMeta, 'Labels and annotations of the jobs.'),
  spec: fill(2, JobSpec, 'The spec of the jobs.'),
}, 'What the jobs of a cron job look like.')
export interface JobTemplateSpec extends Of<typeof JobTemplateSpec> {}

export const CronJobSpec = struct('CronJobSpec', {
  schedule: req(1, string, 'When, in cron format: minute, hour, day of the month, month, day of the week.'),
  timeZone: opt(8, string, 'The time zone of the schedule; by default that of the controller.'),
  startingDeadlineSeconds: opt(2, int64, 'How late a job may be started.'),
  concurrencyPolicy: zero(3, ConcurrencyPolicy, 'Allow (the default), Forbid to skip a job while the last one runs, or Replace.'),
  suspend: opt(4, bool, 'True to start no more jobs.'),
  jobTemplate: req(5, JobTemplateSpec, 'What its jobs look like.'),
  successfulJobsHistoryLimit: opt(6, int32, 'How many jobs that succeeded are kept. Default 3.'),
  failedJobsHistoryLimit: opt(7, int32, 'How many jobs that failed are kept. Default 1.'),
}, 'What is wanted of a cron job.')
export interface CronJobSpec extends Of<typeof CronJobSpec> {}

export const CronJobStatus = struct('CronJobStatus', {
  active: zero(1, list(ObjectReference), 'Jobs that are running.'),
  lastScheduleTime: opt(4, time, 'When a job was last started.'),
  lastSuccessfulTime: opt(5, time, 'When a job last succeeded.'),
}, 'What is known of a cron job.')
export interface CronJobStatus extends Of<typeof CronJobStatus> {}

export const CronJob = root('CronJob', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, CronJobSpec, { doc: 'What is wanted.', required: true }),
  status: fill(3, CronJobStatus, 'What is.'),
}, 'Starts jobs at given times.')
export interface CronJob extends Of<typeof CronJob> {}

export const JobCondition = struct('JobCondition', {
  type: req(1, string, 'What the statement is about.'),
  status: req(2, string, 'True, False or Unknown.'),
  lastProbeTime: fill(3, time, 'When it was last checked.'),
  lastTransitionTime: fill(4, time, 'When the status last changed.'),
  reason: zero(5, string, 'Why, in one word.'),
  message: zero(6, string, 'Why, for people.'),
}, 'One statement about the state of the object.')
export interface JobCondition extends Of<typeof JobCondition> {}

export const UncountedTerminatedPods = struct('UncountedTerminatedPods', {
  succeeded: zero(1, setOf(string), 'Uids of pods that succeeded.'),
  failed: zero(2, setOf(string), 'Uids of pods that failed.'),
})
export interface UncountedTerminatedPods extends Of<typeof UncountedTerminatedPods> {}

export const JobStatus = struct('JobStatus', {
  conditions: zero(1, list(JobCondition), { doc: 'Complete, Failed, Suspended and others.', patch: 'merge', key: 'type' }),
  startTime: opt(2, time, 'When it was started.'),
  completionTime: opt(3, time, 'When it was finished.'),
  active: zero(4, int32, 'How many pods run.'),
  succeeded: zero(5, int32, 'How many pods succeeded.'),
  failed: zero(6, int32, 'How many pods failed.'),
  terminating: opt(11, int32, 'How many pods are on their way out.'),
  completedIndexes: zero(7, string, 'Indexes that succeeded, such as 1,3-5.'),
  failedIndexes: opt(10, string, 'Indexes that failed.'),
  uncountedTerminatedPods: opt(8, UncountedTerminatedPods, 'Pods that have ended and are not counted yet.'),
  ready: opt(9, int32, 'How many pods are ready.'),
}, 'What is known of a job.')
export interface JobStatus extends Of<typeof JobStatus> {}

export const Job = root('Job', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: fill(2, JobSpec, 'What is wanted.'),
  status: fill(3, JobStatus, 'What is.'),
}, 'Runs pods until enough of them have succeeded.')
export interface Job extends Of<typeof Job> {}

const gv = groupVersion('batch', 'v1')

export const cronjobs = gv.resource(CronJob, { plural: 'cronjobs', short: ['cj'], categories: ['all'], namespaced: true, subresources: ['status'] })
export const jobs = gv.resource(Job, { plural: 'jobs', categories: ['all'], namespaced: true, subresources: ['status'] })
