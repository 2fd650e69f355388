/** What the server says of a definition: its names, and whether its kind is served. */
import { deepEqual } from '../../machinery/meta.ts'
import { approvalOf, conditionOf, isEstablished, violationsOf, withCondition, withoutCondition, type Condition, type Definition, type Statement } from './conditions.ts'
import { decideNames } from './names.ts'

const established: Statement = { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' }
const notAccepted: Statement = { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' }

/** Whether a definition comes to be established: its names are its own, and a protected group approves. Once it is, it stays so. */
function establishedOf(definition: Definition, namesAccepted: boolean, approval: Statement | undefined): Statement {
  const before = conditionOf(definition, 'Established')
  if (isEstablished(definition) && before) return before
  if (!namesAccepted) return notAccepted
  return approval?.status === 'False' && approval.reason !== 'UnapprovedAnnotation' ? { ...notAccepted, message: approval.message ?? '' } : established
}

/** A condition that is only there while it has something to say. */
const orNothing = (conditions: readonly Condition[], type: string, statement: Statement | undefined, now: number): readonly Condition[] =>
  (statement ? withCondition(conditions, statement, now) : withoutCondition(conditions, type))

/** The definition with the status it should have, given the other definitions of its group; the same one when it has it. `now` in milliseconds. */
export function withStatusOf(definition: Definition, others: readonly Definition[], now: number): Definition {
  const { accepted, statement } = decideNames(definition, others)
  const approval = approvalOf(definition)
  let conditions: readonly Condition[] = withCondition(definition.status.conditions, statement, now)
  conditions = withCondition(conditions, establishedOf(definition, statement.status === 'True', approval), now)
  conditions = orNothing(conditions, 'NonStructuralSchema', violationsOf(definition), now)
  conditions = orNothing(conditions, 'KubernetesAPIApprovalPolicyConformant', approval, now)
  const status = { ...definition.status, conditions, acceptedNames: accepted }
  return deepEqual(status, definition.status) ? definition : { ...definition, status }
}
