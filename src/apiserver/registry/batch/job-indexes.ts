/** Texts that name indexes of a job, such as `1,3-5,7`: whether they are well-formed, and what they hold. */
import type { Place } from '../../../machinery/field.ts'

interface Interval { readonly from: number; readonly to: number }

/** A part of such a text, or why it is none. */
function intervalOf(text: string, completions: number): Interval | string {
  const ends = text.split('-')
  if (ends.length > 2) return `the fragment ${JSON.stringify(text)} violates the requirement that an index interval can have at most two parts separated by '-'`
  const numbers: number[] = []
  for (const end of ends) {
    if (!/^\+?\d{1,18}$/.test(end)) return `cannot convert string to integer for index: ${JSON.stringify(end)}`
    if (Number(end) >= completions) return `too large index: ${JSON.stringify(end)}`
    numbers.push(Number(end))
  }
  const [from = 0, to = from] = numbers
  return ends.length > 1 && from >= to ? `non-increasing order, previous: ${from}, current: ${to}` : { from, to }
}

/** How many indexes below `completions` a text names, which go up only; or why it is not such a text. */
function countIndexes(text: string, completions: number): number | string {
  let [total, last] = [0, -1]
  for (const part of text === '' ? [] : text.split(',')) {
    const interval = intervalOf(part, completions)
    if (typeof interval === 'string') return interval
    if (last >= interval.from) return `non-increasing order, previous: ${last}, current: ${interval.from}`
    total += interval.to - interval.from + 1
    last = interval.to
  }
  return total
}

const intervalsOf = (text: string, completions: number): Interval[] =>
  text.split(',').map((part) => intervalOf(part, completions)).filter((interval) => typeof interval !== 'string')

/** The text names indexes in their order. */
export function indexText(at: Place, field: string, text: string, completions: number): number {
  const count = countIndexes(text, completions)
  if (typeof count === 'number') return count
  at.invalid(text, `error parsing ${field}: ${count}`)
  return 0
}

/** An index that both texts name; undefined without one. Parts that are no intervals name nothing. */
export function sharedIndex(one: string, other: string, completions: number): number | undefined {
  const [left, right] = [intervalsOf(one, completions), intervalsOf(other, completions)]
  for (let i = 0, j = 0; i < left.length && j < right.length;) {
    const [a, b] = [left[i]!, right[j]!]
    if (a.from <= b.to && b.from <= a.to) return Math.max(a.from, b.from)
    if (a.from <= b.from) i++
    else j++
  }
  return undefined
}
