/** The policies of a job: which failures of pods count for what, and when enough of its indexes succeeded. */
import type { batch } from '../../../api/index.ts'
import { omitted, type Place } from '../../../machinery/field.ts'
import { qualifiedName } from '../../../machinery/names.ts'
import { follows, forEach, ifThere, notNegative } from '../checks.ts'
import { indexText } from './job-indexes.ts'

const maxRules = 20
const maxConditions = 20
const maxExitCodes = 255
const maxIndexText = 64 * 1024

/** One of a closed set; whoever leaves it out is told the set. */
function chosen(at: Place, value: string | undefined, supported: readonly string[]): void {
  if (value) ifThere(at, value, supported)
  else at.required(`valid values: [${supported.map((s) => JSON.stringify(s)).join(' ')}]`)
}

/** What a policy of failures says. */
export function failurePolicy(at: Place, spec: batch.JobSpec, policy: batch.PodFailurePolicy): void {
  const names = new Set([...spec.template.spec.containers, ...(spec.template.spec.initContainers ?? [])].map((c) => c.name))
  if (policy.rules.length > maxRules) at.at('rules').tooMany(policy.rules.length, maxRules)
  forEach(at.at('rules'), policy.rules, (rule, place) => {
    if (rule.action === 'FailIndex' && spec.backoffLimitPerIndex === undefined) place.at('action').invalid(rule.action, 'requires the backoffLimitPerIndex to be set')
    else chosen(place.at('action'), rule.action, ['Count', 'FailIndex', 'FailJob', 'Ignore'])
    const { onExitCodes: codes, onPodConditions: patterns = [] } = rule
    if (codes) exitCodes(place.at('onExitCodes'), codes, names)
    podConditions(place.at('onPodConditions'), patterns)
    if (codes && patterns.length > 0) place.invalid(omitted, 'specifying both OnExitCodes and OnPodConditions is not supported')
    if (!codes && patterns.length === 0) place.invalid(omitted, 'specifying one of OnExitCodes and OnPodConditions is required')
  })
}

function podConditions(at: Place, patterns: readonly batch.PodFailurePolicyOnPodConditionsPattern[]): void {
  if (patterns.length > maxConditions) at.tooMany(patterns.length, maxConditions)
  forEach(at, patterns, (pattern, here) => {
    follows(here.at('type'), pattern.type, qualifiedName)
    chosen(here.at('status'), pattern.status, ['False', 'True', 'Unknown'])
  })
}

function exitCodes(at: Place, codes: batch.PodFailurePolicyOnExitCodesRequirement, names: ReadonlySet<string>): void {
  chosen(at.at('operator'), codes.operator, ['In', 'NotIn'])
  if (codes.containerName !== undefined && !names.has(codes.containerName)) at.at('containerName').invalid(codes.containerName, 'must be one of the container or initContainer names in the pod template')
  const { values } = codes
  if (values.length === 0) at.at('values').invalid(values, 'at least one value is required')
  if (values.length > maxExitCodes) at.at('values').tooMany(values.length, maxExitCodes)
  const seen = new Set<number>()
  forEach(at.at('values'), values, (value, here) => {
    if (codes.operator === 'In' && value === 0) here.invalid(value, 'must not be 0 for the In operator')
    if (seen.has(value)) here.duplicate(value)
    seen.add(value)
  })
  if (values.some((value, i) => i > 0 && (values[i - 1] ?? 0) > value)) at.at('values').invalid(values, 'must be ordered')
}

/** What a policy of successes says: it is for jobs whose pods have indexes. */
export function successPolicy(at: Place, spec: batch.JobSpec, policy: batch.SuccessPolicy): void {
  if (spec.completionMode !== 'Indexed') return at.invalid(policy, 'requires indexed completion mode')
  if (policy.rules.length === 0) at.at('rules').required('at least one rules must be specified when the successPolicy is specified')
  if (policy.rules.length > maxRules) at.at('rules').tooMany(policy.rules.length, maxRules)
  const completions = spec.completions ?? Number.POSITIVE_INFINITY
  forEach(at.at('rules'), policy.rules, ({ succeededCount: count, succeededIndexes: indexes }, place) => {
    if (count === undefined && indexes === undefined) place.required('at least one of succeededCount or succeededIndexes must be specified')
    const here = place.at('succeededIndexes')
    if (indexes !== undefined && Buffer.byteLength(indexes) > maxIndexText) here.tooLong(maxIndexText)
    const named = indexes === undefined ? undefined : indexText(here, 'succeededIndexes', indexes, completions)
    if (count === undefined) return
    const number = place.at('succeededCount')
    notNegative(number, count)
    if (count > completions) number.invalid(count, `must be less than or equal to ${completions} (the number of specified completions)`)
    if (named !== undefined && count > named) number.invalid(count, `must be less than or equal to ${named} (the number of indexes in the specified succeededIndexes field)`)
  })
}
