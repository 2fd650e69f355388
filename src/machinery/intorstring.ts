/** Numbers that may also be percentages: `maxSurge: 25%`. */
import { badRequest } from './errors.ts'

/**
 * The number a value stands for: itself, or a percentage of `total`, rounded up or down.
 * Throws `ApiError` 400 when the text is no percentage.
 */
export function scaledValue(value: number | string, total: number, roundUp: boolean): number {
  if (typeof value === 'number') return value
  if (!/^[+-]?\d+%$/.test(value)) throw badRequest(`invalid value for IntOrString: invalid type: string is not a percentage: ${JSON.stringify(value)}`)
  const scaled = (Number(value.slice(0, -1)) * total) / 100
  const rounded = roundUp ? Math.ceil(scaled) : Math.floor(scaled)
  return rounded === 0 ? 0 : rounded
}

/** Whether a text is a percentage such as `25%`. */
export const isPercent = (value: unknown): value is string => typeof value === 'string' && /^\d+%$/.test(value)
