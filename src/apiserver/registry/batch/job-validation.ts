/** What can be wrong with a job, and what of it may change. */
import type { batch, core } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { fromLabelSelector } from '../../../machinery/labels.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { dns1123Label, dns1123Subdomain } from '../../../machinery/names.ts'
import { isUsable, templateLabels } from '../apps/template.ts'
import { follows, ifThere, notNegative, selector, unchanged } from '../checks.ts'
import { podTemplate } from '../core/validation/pod-spec.ts'
import { generatedLabels, nameLabel, uidLabel } from './job-defaults.ts'
import { failurePolicy, successPolicy } from './job-policies.ts'

const maxIndexedParallelism = 100000
const counts = ['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished', 'backoffLimitPerIndex', 'maxFailedIndexes'] as const

/** A job as a whole. `prefixed`: the labels of its pods that have a domain are required too; stored jobs may be older than those. */
export function wholeJob(job: batch.Job, root: Place, prefixed = true): void {
  const at = root.at('spec')
  generatedSelector(job, root, prefixed)
  jobSpec(at, job.spec)
  podNames(job, root)
}

/** A job that did not bring a selector of its own has the generated one, and so have its pods the labels. */
function generatedSelector({ metadata, spec }: batch.Job, root: Place, prefixed: boolean): void {
  if (spec.manualSelector || !spec.selector) return
  if (!metadata.uid) root.at('metadata').at('uid').required()
  const expected = Object.entries(generatedLabels(metadata)).filter(([key]) => prefixed || !key.includes('/'))
  const labels = spec.template.metadata.labels ?? {}
  const place = root.at('spec').at('template').at('metadata').at('labels')
  for (const [key, value] of expected) {
    if (labels[key] === undefined) place.key(key).required(`must be '${value}'`)
    else if (labels[key] !== value) place.key(key).invalid(labels, `must be '${value}'`)
  }
  if (isUsable(spec.selector) && !fromLabelSelector(spec.selector).matches(Object.fromEntries(expected))) root.at('spec').at('selector').invalid(spec.selector, '`selector` not auto-generated')
}

/** The last pod of an indexed job is named after it, on the network too. */
function podNames({ metadata, spec }: batch.Job, root: Place): void {
  if (spec.completionMode !== 'Indexed' || spec.completions === undefined || spec.completions <= 0) return
  const last = `${metadata.name}-${spec.completions - 1}`
  if (dns1123Label(last).length > 0) root.at('metadata').at('name').invalid(metadata.name, `will not able to create pod with invalid DNS label: ${last}`)
}

function jobSpec(at: Place, spec: batch.JobSpec): void {
  body(at, spec)
  if (!spec.selector) at.at('selector').required()
  else selector(at.at('selector'), spec.selector)
  templateLabels(at.at('template'), spec.template, spec.selector)
}

/** The spec of the jobs that a cron job makes: the system will give each its selector. */
export function jobTemplateSpec(at: Place, spec: batch.JobSpec): void {
  body(at, spec)
  if (spec.selector) at.at('selector').invalid(spec.selector, '`selector` will be auto-generated')
  if (spec.manualSelector) at.at('manualSelector').notSupported(true, ['nil', 'false'])
}

function body(at: Place, spec: batch.JobSpec): void {
  for (const name of counts) notNegative(at.at(name), spec[name])
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) at.at('backoffLimitPerIndex').required('when maxFailedIndexes is specified')
  if (spec.managedBy !== undefined) manager(at.at('managedBy'), spec.managedBy)
  indexed(at, spec)
  if (spec.podFailurePolicy) failurePolicy(at.at('podFailurePolicy'), spec, spec.podFailurePolicy)
  if (spec.successPolicy) successPolicy(at.at('successPolicy'), spec, spec.successPolicy)
  ifThere(at.at('podReplacementPolicy'), spec.podReplacementPolicy, spec.podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed'])
  podTemplate(at.at('template'), spec.template)
  oneOrNone(at, spec)
}

/** Pods of a job come to an end: they do not restart always. */
function oneOrNone(at: Place, spec: batch.JobSpec): void {
  const place = at.at('template').at('spec').at('restartPolicy')
  const policy = spec.template.spec.restartPolicy
  if (policy === 'Always' || !policy) place.required('valid values: "OnFailure", "Never"')
  else if (policy !== 'OnFailure' && policy !== 'Never') place.notSupported(policy, ['OnFailure', 'Never'])
  else if (spec.podFailurePolicy && policy !== 'Never') place.invalid(policy, 'only "Never" is supported when podFailurePolicy is specified')
}

function indexed(at: Place, spec: batch.JobSpec): void {
  const { completionMode, completions, parallelism = 0, maxFailedIndexes: failed } = spec
  ifThere(at.at('completionMode'), completionMode, ['NonIndexed', 'Indexed'])
  if (completionMode === 'Indexed') {
    if (completions === undefined) at.at('completions').required('when completion mode is Indexed')
    if (parallelism > maxIndexedParallelism) at.at('parallelism').invalid(parallelism, `must be less than or equal to ${maxIndexedParallelism} when completion mode is Indexed`)
    if (failed !== undefined && completions !== undefined && failed > completions) at.at('maxFailedIndexes').invalid(failed, 'must be less than or equal to completions')
    if ((failed ?? 0) > maxIndexedParallelism) at.at('maxFailedIndexes').invalid(failed, `must be less than or equal to ${maxIndexedParallelism}`)
    manyCompletions(at, spec)
  } else if (completionMode === undefined || completionMode === 'NonIndexed') {
    for (const name of ['backoffLimitPerIndex', 'maxFailedIndexes'] as const) if (spec[name] !== undefined) at.at(name).invalid(spec[name], 'requires indexed completion mode')
  }
}

const maxWithManyCompletions = 10000

/** What is kept about each index of a large job must stay small. */
function manyCompletions(at: Place, spec: batch.JobSpec): void {
  if ((spec.completions ?? 0) <= maxIndexedParallelism || spec.backoffLimitPerIndex === undefined) return
  const failed = spec.maxFailedIndexes
  const limit = `must be less than or equal to ${maxWithManyCompletions} when completions are above ${maxIndexedParallelism} and used with backoff limit per index`
  if (failed === undefined) at.at('maxFailedIndexes').required(`must be specified when completions is above ${maxIndexedParallelism}`)
  if ((spec.parallelism ?? 0) > maxWithManyCompletions) at.at('parallelism').invalid(spec.parallelism, limit)
  if ((failed ?? 0) > maxWithManyCompletions) at.at('maxFailedIndexes').invalid(failed, limit)
}

/** The part of a URL that is neither a query nor a fragment. */
const httpPath = /^[A-Za-z0-9/\-._~%!$&'()*+,;=:]+$/

/** `example.com/controller`: whose job it is to run the job. */
function manager(at: Place, name: string): void {
  const slash = name.indexOf('/')
  const [domain, rest] = [name.slice(0, Math.max(0, slash)), name.slice(slash + 1)]
  if (name === '') at.required()
  else if (!domain || !rest) at.invalid(name, 'must be a domain-prefixed path (such as "acme.io/foo")')
  else {
    follows(at, domain, dns1123Subdomain)
    if (!httpPath.test(rest)) at.invalid(rest, "Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')")
  }
  if (Buffer.byteLength(name) > 63) at.tooLong(63)
}

/** An update of a job: how many at a time, when to stop, whether to go on; the pods only while none of them runs. */
export function jobUpdate(next: batch.Job, current: batch.Job, root: Place): void {
  const at = root.at('spec')
  const labels = current.spec.template.metadata.labels ?? {}
  wholeJob(next, root, nameLabel in labels && uidLabel in labels)
  completions(at.at('completions'), next.spec, current.spec)
  unchanged(at.at('selector'), next.spec.selector, current.spec.selector)
  template(at.at('template'), next, current)
  for (const name of ['completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'] as const) {
    unchanged(at.at(name), next.spec[name], current.spec[name])
  }
}

/** An indexed job whose completions are its parallelism can be made larger and smaller. */
function completions(at: Place, next: batch.JobSpec, current: batch.JobSpec): void {
  if (next.completionMode !== 'Indexed') return unchanged(at, next.completions, current.completions)
  if (next.completions === undefined || next.completions === current.completions) return
  if (next.completions !== next.parallelism) at.invalid(next.completions, `can only be modified in tandem with ${at.text.replace('completions', 'parallelism')}`)
}

function template(at: Place, next: batch.Job, current: batch.Job): void {
  const { conditions = [], startTime, active = 0 } = current.status
  const atRest = current.spec.suspend === true && active === 0 && (!startTime || conditions.some((c) => c.type === 'Suspended' && c.status === 'True'))
  const like = atRest ? withDirectives(next.spec.template, current.spec.template) : next.spec.template
  if (!deepEqual(like, current.spec.template)) at.invalid(next.spec.template, 'field is immutable')
}

/** The next affinity with that to nodes as it was: no other may change. */
function withNodeAffinity(next: core.Affinity | undefined, current: core.Affinity | undefined): core.Affinity | undefined {
  const { nodeAffinity: _, ...others } = next ?? {}
  const affinity = { ...(current?.nodeAffinity && { nodeAffinity: current.nodeAffinity }), ...others }
  // Whether there is an empty one or none makes no difference while only that to nodes is concerned.
  return Object.keys(affinity).length > 0 ? affinity : current
}

/** The next template with labels, annotations, placement and resources as they were: what may change while no pod of the job runs. */
function withDirectives(next: core.PodTemplateSpec, current: core.PodTemplateSpec): core.PodTemplateSpec {
  const { labels, annotations } = current.metadata
  const { nodeSelector, tolerations, schedulingGates } = current.spec
  const containers = (list: readonly core.Container[], before: readonly core.Container[]) => list.map((c, i) => (before[i] ? { ...c, resources: before[i].resources } : c))
  return {
    ...next,
    metadata: { ...next.metadata, labels, annotations },
    spec: {
      ...next.spec,
      nodeSelector, tolerations, schedulingGates,
      affinity: withNodeAffinity(next.spec.affinity, current.spec.affinity),
      containers: containers(next.spec.containers, current.spec.containers),
      ...(next.spec.initContainers && { initContainers: containers(next.spec.initContainers, current.spec.initContainers ?? []) }),
    },
  }
}
