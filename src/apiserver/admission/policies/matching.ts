/** Whether a policy, and its binding, are about a request. */
import type { admissionregistration, Resource } from '../../../api/index.ts'
import type { AdmissionAttributes } from '../admission.ts'
import { ruleResource, selected } from '../webhooks/match.ts'

type Constraints = admissionregistration.MatchResources
export type LabelsOf = (namespace: string) => Readonly<Record<string, string>> | undefined

/** The resource by which a policy is about the request; undefined when it is not. */
export function policyMatches(constraints: Constraints | undefined, a: AdmissionAttributes, labelsOf: LabelsOf): Resource | undefined {
  if (!constraints || excluded(constraints, a)) return undefined
  const resource = ruleResource(constraints.resourceRules, constraints.matchPolicy, a)
  return resource && selected(constraints, a, labelsOf) ? resource : undefined
}

/** What a binding narrows the policy down to: no rules mean all that the policy is about. */
export function bindingMatches(constraints: Constraints | undefined, a: AdmissionAttributes, labelsOf: LabelsOf): boolean {
  if (!constraints) return true
  if (excluded(constraints, a) || !selected(constraints, a, labelsOf)) return false
  return !constraints.resourceRules?.length || ruleResource(constraints.resourceRules, constraints.matchPolicy, a) !== undefined
}

const excluded = ({ excludeResourceRules: rules, matchPolicy }: Constraints, a: AdmissionAttributes): boolean =>
  rules !== undefined && rules.length > 0 && ruleResource(rules, matchPolicy, a) !== undefined
