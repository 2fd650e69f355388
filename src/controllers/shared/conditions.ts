/** Conditions of a status: a list with one entry per type. */

interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string | undefined
  readonly message?: string | undefined
  readonly lastTransitionTime: string | null
}

/** The condition of a type, if there is one. */
export const conditionOf = <C extends Condition>(conditions: readonly C[] | undefined, type: string): C | undefined => conditions?.find((c) => c.type === type)

/** The list without conditions of a type. */
export const withoutCondition = <C extends Condition>(conditions: readonly C[] | undefined, type: string): readonly C[] => (conditions ?? []).filter((c) => c.type !== type)

/**
 * The list with this condition in it. Nothing changes when status and reason are as they were; the transition time
 * changes only with the status.
 */
export function withCondition<C extends Condition>(conditions: readonly C[] | undefined, condition: C): readonly C[] {
  const before = conditionOf(conditions, condition.type)
  if (before && before.status === condition.status && before.reason === condition.reason) return conditions ?? []
  const lastTransitionTime = before?.status === condition.status ? before.lastTransitionTime : condition.lastTransitionTime
  return [...withoutCondition(conditions, condition.type), { ...condition, lastTransitionTime }]
}
