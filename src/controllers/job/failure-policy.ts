/** The pod failure policy: what the end of one pod means for the job. */
import type { batch, core } from '../../api/index.ts'

export interface Verdict { readonly action: 'FailJob' | 'FailIndex' | 'Ignore' | 'Count'; readonly message: string }

const ends = (pod: core.Pod) => [...(pod.status.containerStatuses ?? []), ...(pod.status.initContainerStatuses ?? [])]

/** Containers that ended well never match: their exit code 0 is nobody's failure. */
function matchingExit(pod: core.Pod, { containerName, operator, values }: batch.PodFailurePolicyOnExitCodesRequirement) {
  for (const status of ends(pod)) {
    const code = status.state?.terminated?.exitCode
    if (code === undefined || code === 0 || (containerName && containerName !== status.name)) continue
    if (values.includes(code) === (operator === 'In')) return { name: status.name, code }
  }
  return undefined
}

/** The verdict of the first rule that matches a failed pod; without one the failure just counts. */
export function judge(policy: batch.PodFailurePolicy | undefined, pod: core.Pod): Verdict {
  const where = `pod ${pod.metadata.namespace}/${pod.metadata.name}`
  for (const [i, rule] of (policy?.rules ?? []).entries()) {
    const rest = `matching ${rule.action} rule at index ${i}`
    const exit = rule.onExitCodes && matchingExit(pod, rule.onExitCodes)
    if (exit) return { action: rule.action, message: `Container ${exit.name} for ${where} failed with exit code ${exit.code} ${rest}` }
    const condition = pod.status.conditions?.find((c) => rule.onPodConditions?.some((pattern) => c.type === pattern.type && c.status === (pattern.status || 'True')))
    if (condition) return { action: rule.action, message: `Pod ${pod.metadata.namespace}/${pod.metadata.name} has condition ${condition.type} ${rest}` }
  }
  return { action: 'Count', message: '' }
}
