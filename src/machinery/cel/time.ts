/** Timestamps and durations as text, to the nanosecond. */
import { Duration, Timestamp } from './values.ts'

const SECOND = 1_000_000_000n
/** Years 0001 to 9999. */
const earliest = -62135596800n * SECOND
const latest = 253402300800n * SECOND - 1n

const moment = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9})\d*)?(?:Z|([+-])([01]\d|2[0-3]):([0-5]\d))$/

/** RFC 3339, and a date alone; undefined when the text is neither. */
export function parseTimestamp(text: string): Timestamp | undefined {
  const found = moment.exec(/^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00:00Z` : text)
  if (!found) return undefined
  const [, year, month, day, hour, minute, second, fraction = '', sign, zoneHours, zoneMinutes] = found
  const date = new Date(0)
  date.setUTCFullYear(Number(year), Number(month) - 1, Number(day))
  date.setUTCHours(Number(hour), Number(minute), Number(second))
  const real = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day) && date.getUTCHours() === Number(hour) && date.getUTCMinutes() === Number(minute)
  if (!real) return undefined
  const offset = sign ? (Number(zoneHours) * 60 + Number(zoneMinutes)) * (sign === '-' ? -1 : 1) : 0
  const nanos = BigInt(date.getTime() - offset * 60_000) * 1_000_000n + BigInt(fraction.padEnd(9, '0'))
  return inRange(nanos) ? new Timestamp(nanos, offset) : undefined
}

export const inRange = (nanos: bigint): boolean => nanos >= earliest && nanos <= latest

const units: Readonly<Record<string, bigint>> = { ns: 1n, us: 1_000n, 'µs': 1_000n, 'μs': 1_000n, ms: 1_000_000n, s: SECOND, m: 60n * SECOND, h: 3600n * SECOND }

/** Go's notation: `1h30m`, `-1.5s`, `0`; undefined when the text is none, or is more than 292 years. */
export function parseDuration(text: string): Duration | undefined {
  const found = text.length > 200 ? null : /^([+-]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+|0)$/.exec(text)
  if (!found) return undefined
  let nanos = 0n
  for (const [, whole = '', fraction = '', unit = ''] of (found[2] as string).matchAll(/(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)/g)) {
    const size = units[unit] as bigint
    nanos += BigInt(whole || '0') * size
    if (fraction) nanos += (BigInt(fraction) * size) / 10n ** BigInt(fraction.length)
  }
  if (found[1] === '-') nanos = -nanos
  return BigInt.asIntN(64, nanos) === nanos ? new Duration(nanos) : undefined
}

const fractionOf = (nanos: bigint): string => {
  const digits = nanos.toString().padStart(9, '0').replace(/0+$/, '')
  return digits === '' ? '' : `.${digits}`
}

/** `2020-01-01T00:00:00.5Z`, or with the offset it was written with. */
export function formatTimestamp({ nanos: moment, offset }: Timestamp): string {
  const nanos = moment + BigInt(offset) * 60n * SECOND
  const below = ((nanos % SECOND) + SECOND) % SECOND
  const text = new Date(Number((nanos - below) / 1_000_000n)).toISOString()
  return `${text.slice(0, -5)}${fractionOf(below)}${zoneOf(offset)}`
}

const two = (n: number): string => String(n).padStart(2, '0')
const zoneOf = (offset: number): string => (offset === 0 ? 'Z' : `${offset < 0 ? '-' : '+'}${two(Math.trunc(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`)

/** `5400s`, as CEL converts a duration to a string. */
export function formatDuration({ nanos }: Duration): string {
  const absolute = nanos < 0n ? -nanos : nanos
  return `${nanos < 0n ? '-' : ''}${absolute / SECOND}${fractionOf(absolute % SECOND)}s`
}
