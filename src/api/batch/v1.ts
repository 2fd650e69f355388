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
  containerName: opt(1, string),
  operator: req(2, PodFailurePolicyOnExitCodesOperator),
  values: req(3, setOf(int32)),
})
export interface PodFailurePolicyOnExitCodesRequirement extends Of<typeof PodFailurePolicyOnExitCodesRequirement> {}

export const PodFailurePolicyOnPodConditionsPattern = struct('PodFailurePolicyOnPodConditionsPattern', {
  type: req(1, string),
  status: fill(2, string),
})
export interface PodFailurePolicyOnPodConditionsPattern extends Of<typeof PodFailurePolicyOnPodConditionsPattern> {}

export const PodFailurePolicyRule = struct('PodFailurePolicyRule', {
  action: req(1, PodFailurePolicyAction),
  onExitCodes: opt(2, PodFailurePolicyOnExitCodesRequirement),
  onPodConditions: zero(3, list(PodFailurePolicyOnPodConditionsPattern)),
})
export interface PodFailurePolicyRule extends Of<typeof PodFailurePolicyRule> {}

export const PodFailurePolicy = struct('PodFailurePolicy', {
  rules: req(1, list(PodFailurePolicyRule)),
})
export interface PodFailurePolicy extends Of<typeof PodFailurePolicy> {}

export const PodReplacementPolicy = oneOf('TerminatingOrFailed', 'Failed')
export type PodReplacementPolicy = Of<typeof PodReplacementPolicy>

export const SuccessPolicyRule = struct('SuccessPolicyRule', {
  succeededIndexes: opt(1, string),
  succeededCount: opt(2, int32),
})
export interface SuccessPolicyRule extends Of<typeof SuccessPolicyRule> {}

export const SuccessPolicy = struct('SuccessPolicy', {
  rules: req(1, list(SuccessPolicyRule)),
})
export interface SuccessPolicy extends Of<typeof SuccessPolicy> {}

export const JobSpec = struct('JobSpec', {
  parallelism: opt(1, int32),
  completions: opt(2, int32),
  activeDeadlineSeconds: opt(3, int64),
  podFailurePolicy: opt(11, PodFailurePolicy),
  successPolicy: opt(16, SuccessPolicy),
  backoffLimit: opt(7, int32),
  backoffLimitPerIndex: opt(12, int32),
  maxFailedIndexes: opt(13, int32),
  selector: opt(4, LabelSelector),
  manualSelector: opt(5, bool),
  template: req(6, PodTemplateSpec),
  ttlSecondsAfterFinished: opt(8, int32),
  completionMode: opt(9, CompletionMode),
  suspend: opt(10, bool),
  podReplacementPolicy: opt(14, PodReplacementPolicy),
  managedBy: opt(15, string),
})
export interface JobSpec extends Of<typeof JobSpec> {}

export const JobTemplateSpec = struct('JobTemplateSpec', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, JobSpec),
})
export interface JobTemplateSpec extends Of<typeof JobTemplateSpec> {}

export const CronJobSpec = struct('CronJobSpec', {
  schedule: req(1, string),
  timeZone: opt(8, string),
  startingDeadlineSeconds: opt(2, int64),
  concurrencyPolicy: zero(3, ConcurrencyPolicy),
  suspend: opt(4, bool),
  jobTemplate: req(5, JobTemplateSpec),
  successfulJobsHistoryLimit: opt(6, int32),
  failedJobsHistoryLimit: opt(7, int32),
})
export interface CronJobSpec extends Of<typeof CronJobSpec> {}

export const CronJobStatus = struct('CronJobStatus', {
  active: zero(1, list(ObjectReference)),
  lastScheduleTime: opt(4, time),
  lastSuccessfulTime: opt(5, time),
})
export interface CronJobStatus extends Of<typeof CronJobStatus> {}

export const CronJob = root('CronJob', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, CronJobSpec, { required: true }),
  status: fill(3, CronJobStatus),
})
export interface CronJob extends Of<typeof CronJob> {}

export const JobCondition = struct('JobCondition', {
  type: req(1, string),
  status: req(2, string),
  lastProbeTime: fill(3, time),
  lastTransitionTime: fill(4, time),
  reason: zero(5, string),
  message: zero(6, string),
})
export interface JobCondition extends Of<typeof JobCondition> {}

export const UncountedTerminatedPods = struct('UncountedTerminatedPods', {
  succeeded: zero(1, setOf(string)),
  failed: zero(2, setOf(string)),
})
export interface UncountedTerminatedPods extends Of<typeof UncountedTerminatedPods> {}

export const JobStatus = struct('JobStatus', {
  conditions: zero(1, list(JobCondition), { patch: 'merge', key: 'type' }),
  startTime: opt(2, time),
  completionTime: opt(3, time),
  active: zero(4, int32),
  succeeded: zero(5, int32),
  failed: zero(6, int32),
  terminating: opt(11, int32),
  completedIndexes: zero(7, string),
  failedIndexes: opt(10, string),
  uncountedTerminatedPods: opt(8, UncountedTerminatedPods),
  ready: opt(9, int32),
})
export interface JobStatus extends Of<typeof JobStatus> {}

export const Job = root('Job', {
  metadata: fill(1, ObjectMeta),
  spec: fill(2, JobSpec),
  status: fill(3, JobStatus),
})
export interface Job extends Of<typeof Job> {}

const gv = groupVersion('batch', 'v1')

export const cronjobs = gv.resource(CronJob, { plural: 'cronjobs', short: ['cj'], categories: ['all'], namespaced: true, subresources: ['status'] })
export const jobs = gv.resource(Job, { plural: 'jobs', categories: ['all'], namespaced: true, subresources: ['status'] })
