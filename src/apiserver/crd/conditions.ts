/** The conditions of a definition, and what each says. */
import type { apiextensions } from '../../api/index.ts'
import { rfc3339 } from '../../machinery/time.ts'
import { found, type Place } from '../../machinery/field.ts'
import { structural } from '../registry/apiextensions/structural.ts'

export type Definition = apiextensions.CustomResourceDefinition
export type Condition = apiextensions.CustomResourceDefinitionCondition
/** A condition but for when it came to be so. */
export type Statement = Pick<Condition, 'type' | 'status' | 'reason' | 'message'>

/** A definition's condition of a type, and what follows from it. */
export const conditionOf = ({ status }: Definition, type: string): Condition | undefined => status.conditions.find((c) => c.type === type)
export const isTrue = (definition: Definition, type: string): boolean => conditionOf(definition, type)?.status === 'True'
export const isEstablished = (definition: Definition): boolean => isTrue(definition, 'Established')
export const isTerminating = (definition: Definition): boolean => isTrue(definition, 'Terminating')

/** The conditions with one more, or changed; its time moves only with its status. `now` in milliseconds. */
export function withCondition(conditions: readonly Condition[], next: Statement, now: number): readonly Condition[] {
  const before = conditions.find((c) => c.type === next.type)
  const lastTransitionTime = before?.status === next.status ? before.lastTransitionTime : rfc3339(now)
  const condition: Condition = { ...next, lastTransitionTime }
  return before ? conditions.map((c) => (c === before ? condition : c)) : [...conditions, condition]
}

/** The conditions without those of a type. */
export const withoutCondition = (conditions: readonly Condition[], type: string): readonly Condition[] =>
  (conditions.some((c) => c.type === type) ? conditions.filter((c) => c.type !== type) : conditions)

const approval = 'api-approved.kubernetes.io'
const example = 'https://github.com/kubernetes/enhancements/pull/1111'

/** Groups that belong to the Kubernetes community: their definitions need its approval. */
const isProtected = (group: string): boolean => /(^|\.)(k8s\.io|kubernetes\.io)$/.test(group)

/** What the approval annotation of a definition in a protected group says; undefined for other groups. */
export function approvalOf({ metadata, spec }: Definition): Statement | undefined {
  if (!isProtected(spec.group)) return undefined
  const type = 'KubernetesAPIApprovalPolicyConformant'
  const value = metadata.annotations?.[approval]
  if (!value) return { type, status: 'False', reason: 'MissingAnnotation', message: `protected groups must have approval annotation "${approval}", see ${example}` }
  if (value.startsWith('unapproved')) return { type, status: 'False', reason: 'UnapprovedAnnotation', message: `not approved: ${JSON.stringify(value)}` }
  const url = URL.parse(value)
  if (!url?.host) return { type, status: 'False', reason: 'InvalidAnnotation', message: `protected groups must have approval annotation "${approval}" with either a URL or a reason starting with "unapproved", see ${example}` }
  return { type, status: 'True', reason: 'ApprovedAnnotation', message: `approved in ${value}` }
}

/** Why a definition in a protected group is refused: it says nothing of an approval, or nothing that can be understood; what was so before may stay so. */
export function approvalErrors(definition: Definition, current: Definition | undefined, root: Place): void {
  const statement = approvalOf(definition)
  if (current && statement?.reason === approvalOf(current)?.reason) return
  const at = root.at('metadata').at('annotations').key(approval)
  if (statement?.reason === 'MissingAnnotation') at.required(statement.message ?? '')
  if (statement?.reason === 'InvalidAnnotation') at.invalid(definition.metadata.annotations?.[approval] ?? '', statement.message ?? '')
}

const looked = new WeakMap<Definition['spec'], Statement | null>()

/** Says that a schema is not structural; undefined where all are. Looked at once for each spec: schemas can be large. */
export function violationsOf({ spec }: Definition): Statement | undefined {
  let statement = looked.get(spec)
  if (statement === undefined) looked.set(spec, (statement = lookForViolations(spec) ?? null))
  return statement ?? undefined
}

function lookForViolations(spec: Definition['spec']): Statement | undefined {
  const errors = found((root) => spec.versions.forEach((version, i) => {
    const schema = version.schema?.openAPIV3Schema
    if (schema) structural(root.at('spec').at('versions').index(i).at('schema').at('openAPIV3Schema'), schema)
  }))
  if (errors.length === 0) return undefined
  const texts = errors.map(String)
  return { type: 'NonStructuralSchema', status: 'True', reason: 'Violations', message: texts.length === 1 ? texts[0] as string : `[${texts.join(', ')}]` }
}
