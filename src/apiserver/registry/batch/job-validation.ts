/** What can be wrong with a job, and what of it may change. */
import type { batch, core } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { dns1123Label, pathSegmentName } from '../../../machinery/names.ts'
import { selectedTemplate } from '../apps/template.ts'
import { follows, forEach, ifThere, notNegative, oneOfThese, selector, unchanged } from '../checks.ts'
import { podTemplate } from '../core/validation/pod-spec.ts'
import { uidLabel } from './job-defaults.ts'

const maxIndexedParallelism = 100000
const counts = ['parallelism', 'completions', 'activeDeadlineSeconds', 'backoffLimit', 'ttlSecondsAfterFinished', 'backoffLimitPerIndex', 'maxFailedIndexes'] as const

/** The spec of a job that was created with `uid`. */
export function jobSpec(at: Place, spec: batch.JobSpec, uid: string | undefined): void {
  body(at, spec)
  if (!spec.selector) at.at('selector').required()
  else selector(at.at('selector'), spec.selector)
  if (!spec.manualSelector && spec.selector && uid && spec.selector.matchLabels?.[uidLabel] !== uid) {
    at.at('selector').invalid(spec.selector, '`selector` not auto-generated')
  }
  selectedTemplate(at.at('template'), spec.template, spec.selector)
  oneOrNone(at, spec)
}

/** The spec of the jobs that a cron job makes: the system will give each its selector. */
export function jobTemplateSpec(at: Place, spec: batch.JobSpec): void {
  body(at, spec)
  if (spec.selector) at.at('selector').invalid(spec.selector, '`selector` will be auto-generated')
  if (spec.manualSelector) at.at('manualSelector').notSupported(true, ['nil', 'false'])
  podTemplate(at.at('template'), spec.template)
  oneOrNone(at, spec)
}

function body(at: Place, spec: batch.JobSpec): void {
  for (const name of counts) notNegative(at.at(name), spec[name])
  indexed(at, spec)
  ifThere(at.at('podReplacementPolicy'), spec.podReplacementPolicy, spec.podFailurePolicy ? ['Failed'] : ['Failed', 'TerminatingOrFailed'])
  if (spec.podFailurePolicy) failurePolicy(at.at('podFailurePolicy'), spec, spec.podFailurePolicy)
  if (spec.successPolicy) successPolicy(at.at('successPolicy'), spec, spec.successPolicy)
  if (spec.managedBy !== undefined) manager(at.at('managedBy'), spec.managedBy)
}

/** Pods of a job come to an end: they do not restart always. */
function oneOrNone(at: Place, spec: batch.JobSpec): void {
  const place = at.at('template').at('spec').at('restartPolicy')
  const policy = spec.template.spec.restartPolicy
  if (policy === 'Always') place.required('valid values: "OnFailure", "Never"')
  else if (policy !== 'OnFailure' && policy !== 'Never') place.notSupported(policy ?? '', ['OnFailure', 'Never'])
}

function indexed(at: Place, spec: batch.JobSpec): void {
  ifThere(at.at('completionMode'), spec.completionMode, ['NonIndexed', 'Indexed'])
  const isIndexed = spec.completionMode === 'Indexed'
  if (isIndexed) {
    if (spec.completions === undefined) at.at('completions').required('when completion mode is Indexed')
    if ((spec.parallelism ?? 0) > maxIndexedParallelism) {
      at.at('parallelism').invalid(spec.parallelism, `must be less than or equal to ${maxIndexedParallelism} when completion mode is Indexed`)
    }
    if (spec.maxFailedIndexes !== undefined && spec.completions !== undefined && spec.maxFailedIndexes > spec.completions) {
      at.at('maxFailedIndexes').invalid(spec.maxFailedIndexes, 'must be less than or equal to completions')
    }
    if ((spec.maxFailedIndexes ?? 0) > maxIndexedParallelism) at.at('maxFailedIndexes').invalid(spec.maxFailedIndexes, `must be less than or equal to ${maxIndexedParallelism}`)
    manyCompletions(at, spec)
  } else if (spec.backoffLimitPerIndex !== undefined) at.at('backoffLimitPerIndex').invalid(spec.backoffLimitPerIndex, 'requires indexed completion mode')
  if (!isIndexed && spec.maxFailedIndexes !== undefined) at.at('maxFailedIndexes').invalid(spec.maxFailedIndexes, 'requires indexed completion mode')
  if (spec.maxFailedIndexes !== undefined && spec.backoffLimitPerIndex === undefined) at.at('backoffLimitPerIndex').required('when maxFailedIndexes is specified')
}

const maxWithManyCompletions = 10000

/** What is kept about each index of a large job must stay small. */
function manyCompletions(at: Place, spec: batch.JobSpec): void {
  if ((spec.completions ?? 0) <= maxIndexedParallelism || spec.backoffLimitPerIndex === undefined) return
  const [above, failed] = [`above ${maxIndexedParallelism} and used with backoff limit per index`, spec.maxFailedIndexes]
  if ((spec.parallelism ?? 0) > maxWithManyCompletions) at.at('parallelism').invalid(spec.parallelism, `must be less than or equal to ${maxWithManyCompletions} when completions are ${above}`)
  if (failed === undefined) at.at('maxFailedIndexes').required(`must be specified when completions is ${above}`)
  else if (failed > maxWithManyCompletions) at.at('maxFailedIndexes').invalid(failed, `must be less than or equal to ${maxWithManyCompletions} when completions is ${above}`)
}

const actions = ['Count', 'FailIndex', 'FailJob', 'Ignore']

function failurePolicy(at: Place, spec: batch.JobSpec, policy: batch.PodFailurePolicy): void {
  if (spec.template.spec.restartPolicy !== 'Never') at.invalid(spec.template.spec.restartPolicy, 'only "Never" is supported when podFailurePolicy is specified')
  const names = new Set([...spec.template.spec.containers, ...(spec.template.spec.initContainers ?? [])].map((c) => c.name))
  if (policy.rules.length > 20) at.at('rules').tooMany(policy.rules.length, 20)
  forEach(at.at('rules'), policy.rules, (rule, place) => {
    oneOfThese(place.at('action'), rule.action, actions)
    if (rule.action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) {
      place.at('action').invalid(rule.action, 'requires the backoffLimitPerIndex to be set')
    }
    const codes = rule.onExitCodes
    if (codes && rule.onPodConditions?.length) place.invalid(rule, 'specifying both OnExitCodes and OnPodConditions is not supported')
    if (!codes && !rule.onPodConditions?.length) place.invalid(rule, 'specifying one of OnExitCodes and OnPodConditions is required')
    if (codes) exitCodes(place.at('onExitCodes'), codes, names)
    forEach(place.at('onPodConditions'), rule.onPodConditions, (pattern, here) => {
      if (!pattern.type) here.at('type').required()
      oneOfThese(here.at('status'), pattern.status, ['False', 'True', 'Unknown'])
    })
  })
}

function exitCodes(at: Place, codes: batch.PodFailurePolicyOnExitCodesRequirement, names: ReadonlySet<string>): void {
  oneOfThese(at.at('operator'), codes.operator, ['In', 'NotIn'])
  if (codes.containerName && !names.has(codes.containerName)) at.at('containerName').invalid(codes.containerName, 'must be one of the container or initContainer names in the pod template')
  if (codes.values.length === 0) at.at('values').invalid(codes.values, 'at least one value is required')
  if (codes.values.length > 255) at.at('values').tooMany(codes.values.length, 255)
  for (const [i, value] of codes.values.entries()) {
    const here = at.at('values').index(i)
    if (codes.operator === 'In' && value === 0) here.invalid(value, 'must not be 0 for the In operator')
    if (i > 0 && (codes.values[i - 1] ?? 0) >= value) at.at('values').invalid(codes.values, 'must be ordered')
  }
}

function successPolicy(at: Place, spec: batch.JobSpec, policy: batch.SuccessPolicy): void {
  if (spec.completionMode !== 'Indexed') at.invalid(policy, 'requires indexed completion mode')
  if (policy.rules.length === 0) at.at('rules').required('at least one rules must be specified when the successPolicy is specified')
  if (policy.rules.length > 20) at.at('rules').tooMany(policy.rules.length, 20)
  forEach(at.at('rules'), policy.rules, (rule, place) => {
    if (rule.succeededCount === undefined && rule.succeededIndexes === undefined) place.required('at least one of succeededCount or succeededIndexes must be specified')
    notNegative(place.at('succeededCount'), rule.succeededCount)
    if (rule.succeededIndexes !== undefined && !/^\d+(-\d+)?(,\d+(-\d+)?)*$/.test(rule.succeededIndexes)) {
      place.at('succeededIndexes').invalid(rule.succeededIndexes, 'error parsing succeededIndexes: cannot convert string to integer for index')
    }
  })
}

/** `example.com/controller`: whose job it is to run the job. */
function manager(at: Place, name: string): void {
  const [domain = '', ...rest] = name.split('/')
  if (rest.length === 0 || rest.join('/') === '') at.invalid(name, 'must be a domain-prefixed path (such as "acme.io/foo")')
  else {
    for (const part of domain.split('.')) follows(at, part, dns1123Label)
    follows(at, rest.join(''), pathSegmentName)
  }
  if (name.length > 63) at.tooLong(63)
}

/** An update of a job: how many at a time, when to stop, whether to go on; the pods only while it has not begun. */
export function jobUpdate(next: batch.Job, current: batch.Job, root: Place): void {
  const at = root.at('spec')
  jobSpec(at, next.spec, current.metadata.uid)
  completions(at.at('completions'), next.spec, current.spec)
  unchanged(at.at('selector'), next.spec.selector, current.spec.selector)
  template(at.at('template'), next, current)
  for (const name of ['completionMode', 'podFailurePolicy', 'backoffLimitPerIndex', 'managedBy', 'successPolicy'] as const) {
    unchanged(at.at(name), next.spec[name], current.spec[name])
  }
}

/** An indexed job whose completions are its parallelism can be made larger and smaller. */
function completions(at: Place, next: batch.JobSpec, current: batch.JobSpec): void {
  const elastic = current.completionMode === 'Indexed' && current.completions !== undefined && next.completions !== undefined
  if (!elastic) return unchanged(at, next.completions, current.completions)
  if (next.completions !== current.completions && next.completions !== next.parallelism) {
    at.invalid(next.completions, `can only be modified in tandem with ${at.text.replace('completions', 'parallelism')}`)
  }
}

const directives = ['nodeSelector', 'affinity', 'tolerations', 'schedulingGates'] as const

function template(at: Place, next: batch.Job, current: batch.Job): void {
  const suspended = current.spec.suspend === true && next.spec.suspend !== undefined
  const begun = current.status.startTime !== undefined
  let like = next.spec.template
  if (suspended && !begun) like = withDirectives(like, current.spec.template)
  if (!deepEqual(like, current.spec.template)) at.invalid(next.spec.template, 'field is immutable')
}

/** The next template with labels, annotations, placement and resources as they were: what may change before the job starts. */
function withDirectives(next: core.PodTemplateSpec, current: core.PodTemplateSpec): core.PodTemplateSpec {
  const { labels, annotations } = current.metadata
  const containers = (list: readonly core.Container[], before: readonly core.Container[]) =>
    list.map((c, i) => (before[i] && before[i].name === c.name ? { ...c, resources: before[i].resources } : c))
  return {
    ...next,
    metadata: { ...next.metadata, labels, annotations },
    spec: {
      ...next.spec,
      ...Object.fromEntries(directives.map((name) => [name, current.spec[name]])),
      containers: containers(next.spec.containers, current.spec.containers),
      ...(next.spec.initContainers && { initContainers: containers(next.spec.initContainers, current.spec.initContainers ?? []) }),
    },
  }
}

