/** Defaults of jobs, and the selector that the system makes for them. */
import type { batch } from '../../../api/index.ts'
import { podTemplateDefaults } from '../core/defaults/pod-spec.ts'
import { orDefault, within } from '../defaulting.ts'

export const uidLabel = 'batch.kubernetes.io/controller-uid'
export const nameLabel = 'batch.kubernetes.io/job-name'
/** The same two under the names they had before v1.27. */
const oldUidLabel = 'controller-uid'
const oldNameLabel = 'job-name'
const maxInt32 = 2147483647

/** Defaults of a job; one in a cron job's template gets only those of its pods. */
export function jobDefaults(job: batch.Job): batch.Job {
  const labels = job.spec.template.metadata.labels
  const labelled = labels ? within(job, 'metadata', (metadata) => orDefault(metadata, { labels })) : job
  return within(labelled, 'spec', (spec) => {
    const one = spec.completions === undefined && spec.parallelism === undefined
    const counted = orDefault(spec, { ...(one && { completions: 1 }), parallelism: 1 })
    const next = orDefault(counted, {
      backoffLimit: spec.backoffLimitPerIndex === undefined ? 6 : maxInt32,
      completionMode: 'NonIndexed',
      suspend: false,
      manualSelector: false,
      podReplacementPolicy: spec.podFailurePolicy ? 'Failed' : 'TerminatingOrFailed',
    })
    return failurePolicyDefaults({ ...next, template: podTemplateDefaults(next.template) })
  })
}

/** A condition that a rule looks for is true, unless it says otherwise. */
export const failurePolicyDefaults = (spec: batch.JobSpec): batch.JobSpec => within(spec, 'podFailurePolicy', (policy) => ({
  ...policy,
  rules: policy.rules.map((rule) => within(rule, 'onPodConditions', (patterns) => patterns.map((p) => (p.status ? p : { ...p, status: 'True' })))),
}))

/** The labels that the pods of a job have when it finds them by its own uid. */
export const generatedLabels = ({ uid = '', name = '' }: batch.Job['metadata']): Readonly<Record<string, string>> =>
  ({ [oldUidLabel]: uid, [oldNameLabel]: name, [uidLabel]: uid, [nameLabel]: name })

/** Unless the client takes care itself, a job finds its pods by its own uid, which their labels carry. Labels that the client gave stay: validation tells whether they are these. */
export function withGeneratedSelector(job: batch.Job): batch.Job {
  const { spec, metadata } = job
  if (spec.manualSelector) return job
  const { template } = spec
  const labels = { ...generatedLabels(metadata), ...template.metadata.labels }
  // A job without labels has those of its pods.
  const own = Object.keys(metadata.labels ?? {}).length > 0 ? metadata : { ...metadata, labels }
  return {
    ...job,
    metadata: own,
    spec: { ...spec, selector: { ...spec.selector, matchLabels: { [uidLabel]: metadata.uid ?? '', ...spec.selector?.matchLabels } }, template: { ...template, metadata: { ...template.metadata, labels } } },
  }
}
