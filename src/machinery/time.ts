/** Times and durations as text. */
import { badRequest } from './errors.ts'

/** `2026-01-01T00:00:00Z`: whole seconds, cut off as Kubernetes cuts them. */
export const rfc3339 = (ms: number): string => secondsText(Math.floor(ms / 1000))

// The same few instants are written again and again: an object's conditions changed together.
const written = new Map<number, string>()

/** The text of a number of seconds since the epoch. */
export function secondsText(seconds: number): string {
  let text = written.get(seconds)
  if (text === undefined) {
    text = `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`
    if (written.size >= 2048) written.clear()
    written.set(seconds, text)
  }
  return text
}

/** `2026-01-01T00:00:00.000000Z`: the six digits of a MicroTime. */
export const rfc3339Micro = (ms: number): string => {
  const micros = Math.round((ms - Math.floor(ms)) * 1000)
  return `${new Date(Math.floor(ms)).toISOString().slice(0, 23)}${String(Math.min(micros, 999)).padStart(3, '0')}Z`
}

const form = /^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d?):(\d\d):(\d\d)(?:[.,](\d+))?([Zz]|([+-])(\d\d):(\d\d))$/

export interface Instant { readonly seconds: number; readonly nanos: number }

const read = new Map<string, Instant>()

/** An RFC 3339 time as seconds since the epoch and nanoseconds; undefined when the text is none. */
export function parseInstant(text: string): Instant | undefined {
  const known = read.get(text)
  if (known) return known
  const instant = parse(text)
  if (instant && text.length <= 40) {
    if (read.size >= 2048) read.clear()
    read.set(text, instant)
  }
  return instant
}

function parse(text: string): Instant | undefined {
  const m = form.exec(text)
  if (!m) return undefined
  const [year, month, day, hour, minute, second] = [m[1], m[2], m[3], m[4], m[5], m[6]].map(Number) as [number, number, number, number, number, number]
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 59) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  date.setUTCHours(hour, minute, second)
  let seconds = date.getTime() / 1000
  if (m[9]) {
    const offset = Number(m[10]) * 3600 + Number(m[11]) * 60
    if (Number(m[10]) > 24 || Number(m[11]) > 60) return undefined
    seconds += m[9] === '+' ? -offset : offset
  }
  return { seconds, nanos: m[7] ? Number(m[7].slice(0, 9).padEnd(9, '0')) : 0 }
}

const daysIn = (year: number, month: number) => new Date(Date.UTC(year % 400 === 0 ? 2000 : (year % 400) + 2000, month, 0)).getUTCDate()

/** Milliseconds since the epoch of an RFC 3339 text. Throws `ApiError` 400 when it is none. */
export function parseTime(text: string): number {
  const instant = parseInstant(text)
  if (!instant) throw badRequest(`parsing time ${JSON.stringify(text)} as RFC 3339: cannot parse it`)
  return instant.seconds * 1000 + instant.nanos / 1e6
}

/** The age kubectl shows for a time so long ago: `5s`, `2m30s`, `3h`, `4d12h`, `2y30d`. */
export function shortAge(ms: number): string {
  const seconds = Math.trunc(ms / 1000)
  if (seconds < -1) return '<invalid>'
  if (seconds < 0) return '0s'
  if (seconds < 120) return `${seconds}s`
  const minutes = Math.trunc(seconds / 60)
  if (minutes < 10) return two(minutes, 'm', seconds % 60, 's')
  if (minutes < 180) return `${minutes}m`
  const hours = Math.trunc(minutes / 60)
  if (hours < 8) return two(hours, 'h', minutes % 60, 'm')
  if (hours < 48) return `${hours}h`
  const days = Math.trunc(hours / 24)
  if (hours < 192) return two(days, 'd', hours % 24, 'h')
  if (days < 730) return `${days}d`
  if (days < 2920) return two(Math.trunc(days / 365), 'y', days % 365, 'd')
  return `${Math.trunc(days / 365)}y`
}

const two = (a: number, unitA: string, b: number, unitB: string) => (b === 0 ? `${a}${unitA}` : `${a}${unitA}${b}${unitB}`)

const units: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, μs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 }

/** Nanoseconds of a Go duration text such as `1m30s` or `-1.5h`; undefined when the text is none. */
export function parseDuration(text: string): bigint | undefined {
  const negative = text.startsWith('-')
  const body = negative || text.startsWith('+') ? text.slice(1) : text
  if (body === '0') return 0n
  if (!/^(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+$/.test(body) || body.length > 200) return undefined
  let total = 0n
  for (const [, whole, fraction, unit] of body.matchAll(/(\d*)\.?(\d*)(ns|us|µs|μs|ms|s|m|h)/g)) {
    const scale = BigInt(units[unit as string] as number)
    total += BigInt(whole || '0') * scale
    if (fraction) total += (BigInt(fraction) * scale) / 10n ** BigInt(fraction.length)
  }
  if (total > 2n ** 63n - 1n) return undefined
  return negative ? -total : total
}

/** A Go duration's text: `1h30m0s`, `1.5s`, `100ms`, `0s`. */
export function formatDuration(nanos: bigint): string {
  if (nanos === 0n) return '0s'
  const sign = nanos < 0n ? '-' : ''
  const n = nanos < 0n ? -nanos : nanos
  if (n < 1_000_000_000n) {
    const [unit, size] = n < 1000n ? ['ns', 1n] as const : n < 1_000_000n ? ['µs', 1000n] as const : ['ms', 1_000_000n] as const
    return sign + decimal(n, size) + unit
  }
  const minutes = n / 60_000_000_000n
  const seconds = `${decimal(n % 60_000_000_000n, 1_000_000_000n)}s`
  if (minutes === 0n) return sign + seconds
  return minutes < 60n ? `${sign}${minutes}m${seconds}` : `${sign}${minutes / 60n}h${minutes % 60n}m${seconds}`
}

function decimal(n: bigint, size: bigint): string {
  const digits = size.toString().length - 1
  const fraction = (n % size).toString().padStart(digits, '0').replace(/0+$/, '')
  return `${n / size}${digits > 0 && fraction ? `.${fraction}` : ''}`
}
