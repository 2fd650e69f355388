/** What differs between two values, for error messages: a line per field, `-` before and `+` after. */
import { deepEqual } from '../../machinery/meta.ts'

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)

function* walk(before: unknown, after: unknown, at: string): Generator<string> {
  if (deepEqual(before, after)) return
  if (isObject(before) && isObject(after)) {
    for (const key of new Set([...Object.keys(before), ...Object.keys(after)])) yield* walk(before[key], after[key], at ? `${at}.${key}` : key)
  } else if (Array.isArray(before) && Array.isArray(after) && before.length === after.length) {
    for (const [i, item] of before.entries()) yield* walk(item, after[i], `${at}[${i}]`)
  } else {
    if (before !== undefined) yield `- \t${at}: ${JSON.stringify(before)}`
    if (after !== undefined) yield `+ \t${at}: ${JSON.stringify(after)}`
  }
}

export const differences = (before: unknown, after: unknown): string => [...walk(before, after, '')].join('\n')
