/** The decision on a certificate signing request: the conditions that its `approval` subresource takes. */
import type { certificates } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import type { Place } from '../../../machinery/field.ts'
import { rfc3339 } from '../../../machinery/time.ts'
import { distinct, forEach, ifThere } from '../checks.ts'
import { withMeta } from '../meta.ts'
import type { UpdateRules } from '../update.ts'

type Request = certificates.CertificateSigningRequest
type Condition = certificates.CertificateSigningRequestCondition

/** Whether a condition is one that approves or denies. */
export const decides = ({ type }: Condition): boolean => type === 'Approved' || type === 'Denied'

/** What is true of conditions: what has been decided is; there is no such thing as not being approved. */
export function conditionErrors({ status }: Request, root: Place): void {
  const at = root.at('status').at('conditions')
  const decided = new Set<string>()
  forEach(at, status.conditions, (condition, place) => {
    if (!condition.type) place.at('type').required()
    const values = ['Approved', 'Denied', 'Failed'].includes(condition.type) ? ['True'] : ['False', 'True', 'Unknown']
    if (!condition.status) place.at('status').required()
    else ifThere(place.at('status'), condition.status, values)
    if (decides(condition)) decided.add(condition.type)
    if (decides(condition) && decided.size > 1) at.invalid(condition.type, 'Approved and Denied conditions are mutually exclusive')
  })
  distinct(at, status.conditions, ({ type }) => type, 'type')
}

/** The conditions of a status with decisions as they stand. Where there are more or fewer of them than before they are as they were sent, and will be refused. */
export function withDecisions(conditions: readonly Condition[], before: readonly Condition[]): readonly Condition[] {
  const standing = before.filter((old) => decides(old) && count(before, old.type) === count(conditions, old.type))
  return conditions.map((condition) => {
    const at = standing.findIndex(({ type }) => type === condition.type)
    return at < 0 ? condition : (standing.splice(at, 1)[0] as Condition)
  })
}

const count = (list: readonly Condition[] | undefined, wanted: string): number => (list ?? []).filter(({ type }) => type === wanted).length

/** What is decided is not undone. `approving`: this is the endpoint for decisions; elsewhere none is added either. */
export function decisionErrors({ status: to }: Request, { status: from }: Request, root: Place, approving: boolean): void {
  const at = root.at('status').at('conditions')
  for (const type of ['Approved', 'Denied', 'Failed']) {
    const [were, are] = [count(from.conditions, type), count(to.conditions, type)]
    if (are < were) at.forbidden(`updates may not remove a condition of type ${JSON.stringify(type)}`)
    if (are > were && type !== 'Failed' && !approving) at.forbidden(`updates may not add a condition of type ${JSON.stringify(type)}`)
  }
}

/** Conditions with the times that their writer left out: now, or since when they have been as they are. `now` in milliseconds. */
export function timed(conditions: readonly Condition[], before: readonly Condition[], now: number): readonly Condition[] {
  const time = rfc3339(now)
  return conditions.map((condition) => {
    const { type, status, lastUpdateTime, lastTransitionTime, ...rest } = condition
    const same = before.find((old) => old.type === type && old.status === status && old.lastTransitionTime)
    return { type, status, ...rest, lastUpdateTime: lastUpdateTime ?? time, lastTransitionTime: lastTransitionTime ?? same?.lastTransitionTime ?? time }
  })
}

/** The update of `approval`: of the status the conditions alone; those that decide stay once they are there. */
export const approvalRules: UpdateRules = {
  prepare(next, current, { now }) {
    const [to, from] = [next as unknown as Request, current as unknown as Request]
    const conditions = timed(to.status.conditions ?? [], from.status.conditions ?? [], now)
    const status = { ...from.status, conditions: conditions.length > 0 ? conditions : undefined }
    return { ...current, metadata: withMeta(next, { resourceVersion: undefined }).metadata, status } as ApiObject
  },
  validate(next, current, root) {
    const [to, from] = [next as unknown as Request, current as unknown as Request]
    conditionErrors(to, root)
    decisionErrors(to, from, root, true)
  },
  counts: false,
}
