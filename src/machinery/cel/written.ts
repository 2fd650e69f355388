/**
 * What in the JSON of an object an expression wrote itself and JSON has no word for. Kubernetes takes a null that was written for a value, while
 * those in what was copied are nothing; and a uint, bytes or a time fits nowhere, though its JSON would.
 */
import type { GoForm } from '../apply/fit.ts'
import { formatDuration } from '../time.ts'
import { CelList, CelMap, CelObject, Duration, JsonMap, Timestamp, Uint, type CelValue } from './values.ts'

const written = new WeakMap<object, Map<string | number, GoForm | null>>()

/** What an expression wrote at `key` of this part of an object's JSON: null, or a value that is not one of JSON; undefined for all else. */
export const writtenAt = (container: object, key: string | number): GoForm | null | undefined => written.get(container)?.get(key)

/** Remembers what was put at `key` of `container`, as `container[key]`, and in it. */
export function rememberWritten(container: object, key: string | number, value: CelValue): void {
  const form = value === null ? null : formOf(value)
  if (form !== undefined) {
    const keys = written.get(container)
    if (keys) keys.set(key, form)
    else written.set(container, new Map([[key, form]]))
    return
  }
  const json = (container as Readonly<Record<string | number, unknown>>)[key] as object
  if (value instanceof JsonMap || value instanceof CelObject) return
  if (value instanceof CelList && !value.type) for (const [i, item] of value.values().entries()) rememberWritten(json, i, item)
  if (value instanceof CelMap) for (const name of value.keys()) if (typeof name === 'string') rememberWritten(json, name, value.get(name) as CelValue)
}

function formOf(value: CelValue): GoForm | undefined {
  if (value instanceof Uint) return { type: 'uint64', text: String(value.value), syntax: `0x${value.value.toString(16)}` }
  if (value instanceof Uint8Array) return { type: '[]uint8', text: `[${value.join(' ')}]`, syntax: `[]uint8{${Array.from(value, (byte) => `0x${byte.toString(16)}`).join(', ')}}` }
  if (value instanceof Duration) return { type: 'time.Duration', text: formatDuration(value.nanos), syntax: String(value.nanos) }
  return value instanceof Timestamp ? timeForm(value) : undefined
}

const months = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December']
const two = (n: number): string => String(n).padStart(2, '0')

function timeForm({ nanos, offset }: Timestamp): GoForm {
  const date = new Date(Number(nanos / 1_000_000n) + offset * 60_000)
  const below = Number(((nanos % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n)
  const fraction = below === 0 ? '' : `.${String(below).padStart(9, '0').replace(/0+$/, '')}`
  const [year, month, day, hour, minute, second] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate(), date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds()] as const
  const east = `${offset < 0 ? '-' : '+'}${two(Math.trunc(Math.abs(offset) / 60))}${two(Math.abs(offset) % 60)}`
  return {
    type: 'time.Time',
    text: `${year}-${two(month + 1)}-${two(day)} ${two(hour)}:${two(minute)}:${two(second)}${fraction} ${offset === 0 ? '+0000 UTC' : `${east} ${east}`}`,
    syntax: `time.Date(${year}, time.${months[month]}, ${day}, ${hour}, ${minute}, ${second}, ${below}, ${offset === 0 ? 'time.UTC' : 'time.Location("")'})`,
  }
}
