/** Cron schedules: five fields, or `@hourly` and its like, in a time zone. */

interface Field { readonly min: number; readonly max: number; readonly names?: readonly string[] }

const fields: readonly Field[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'] },
  { min: 0, max: 6, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] },
]
const named: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *', '@annually': '0 0 1 1 *', '@monthly': '0 0 1 * *', '@weekly': '0 0 * * 0', '@daily': '0 0 * * *', '@midnight': '0 0 * * *', '@hourly': '0 * * * *',
}

export interface Schedule {
  /** The first time after `after` (both in milliseconds); undefined when there is none within five years. */
  next(after: number): number | undefined
}

const number = (text: string, { names }: Field): number => {
  const at = names?.indexOf(text.toLowerCase()) ?? -1
  const first = names?.[0] === 'jan' ? 1 : 0
  if (at >= 0) return at + first
  if (!/^\d+$/.test(text)) throw new Error(`${JSON.stringify(text)} is no number`)
  return Number(text)
}

/** The values a field allows; with `*` a day field does not restrict the other one. */
function parseField(text: string, field: Field): { readonly values: ReadonlySet<number>; readonly any: boolean } {
  const values = new Set<number>()
  let any = false
  for (const item of text.split(',')) {
    const [range = '', step = '1'] = item.split('/')
    const star = range === '*' || range === '?'
    any ||= star && step === '1'
    const [low = '', high] = range.split('-')
    const from = star ? field.min : number(low, field)
    const to = star ? field.max : high !== undefined ? number(high, field) : item.includes('/') ? field.max : from
    if (from < field.min || to > field.max || from > to || !(Number(step) > 0)) throw new Error(`${JSON.stringify(item)} is out of range`)
    for (let value = from; value <= to; value += Number(step)) values.add(value)
  }
  return { values, any }
}

interface Local { readonly year: number; readonly month: number; readonly day: number; readonly hour: number; readonly minute: number; readonly weekday: number }

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']

/** What clocks show in a time zone. Throws `RangeError` for a zone that does not exist. */
function localTime(timeZone: string): (ms: number) => Local {
  const format = new Intl.DateTimeFormat('en-US', { timeZone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', weekday: 'short' })
  return (ms) => {
    const parts = Object.fromEntries(format.formatToParts(ms).map(({ type, value }) => [type, value]))
    const n = (name: string) => Number(parts[name])
    return { year: n('year'), month: n('month'), day: n('day'), hour: n('hour'), minute: n('minute'), weekday: weekdays.indexOf(parts.weekday ?? '') }
  }
}

/** Whether a time zone of this name is known. */
export function isTimeZone(name: string): boolean {
  try {
    localTime(name)
    return true
  } catch {
    return false
  }
}

/** A time as it reads in a time zone, with the distance to UTC: `2026-01-01T09:00:00+01:00`. */
export function localRfc3339(ms: number, timeZone = 'UTC'): string {
  const { year, month, day: date, hour, minute: minutes } = localTime(timeZone)(ms)
  const offset = Math.round((Date.UTC(year, month - 1, date, hour, minutes) - Math.floor(ms / minute) * minute) / minute)
  const text = new Date(ms + offset * minute).toISOString().slice(0, 19)
  if (offset === 0) return `${text}Z`
  const two = (n: number) => String(n).padStart(2, '0')
  return `${text}${offset < 0 ? '-' : '+'}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`
}

/** The start of the day that `ms` is about the start of: an hour off, perhaps, where clocks changed in between. */
function startOfDay(ms: number, local: (ms: number) => Local): number {
  const t = local(ms)
  const offset = (t.hour * 60 + t.minute) * minute
  const start = t.hour < 12 ? ms - offset : ms + day - offset
  // Where clocks jump at midnight a day starts later than at 0:00.
  return t.hour < 12 && local(start).day !== t.day ? ms : start
}

const minute = 60_000
const day = 24 * 60 * minute
const horizon = 5 * 366 * day

function every(text: string): Schedule {
  const units: Readonly<Record<string, number>> = { h: 3_600_000, m: minute, s: 1000, ms: 1 }
  let period = 0
  for (const [, amount, unit] of text.matchAll(/(\d+(?:\.\d+)?)(ms|h|m|s)/g)) period += Number(amount) * (units[unit ?? ''] ?? 0)
  if (period < 1000) throw new Error(`${JSON.stringify(text)} is no period of a second or more`)
  return { next: (after) => Math.floor(after / 1000) * 1000 + period }
}

/** Parses a schedule. Throws when the text is none or the time zone does not exist. */
export function parseSchedule(text: string, timeZone = 'UTC'): Schedule {
  if (text.startsWith('@every ')) return every(text.slice(7))
  const parts = (named[text] ?? text).trim().split(/\s+/)
  if (parts.length !== 5) throw new Error(`expected exactly 5 fields, found ${parts.length}: ${JSON.stringify(text)}`)
  const [minutes, hours, days, months, week] = parts.map((part, i) => parseField(part, fields[i] as Field)) as [Parsed, Parsed, Parsed, Parsed, Parsed]
  const local = localTime(timeZone)
  /** Both day fields restrict: either may match. One is `*`: the other must. */
  const onDay = (t: Local) => {
    const [byMonth, byWeek] = [days.values.has(t.day), week.values.has(t.weekday)]
    return days.any || week.any ? byMonth && byWeek : byMonth || byWeek
  }
  /** How many days further a matching day can be at the earliest. */
  const daysAhead = (t: Local): number => {
    if (months.values.has(t.month) && !week.any) return 1
    const later = months.values.has(t.month) ? [...days.values].filter((value) => value > t.day) : []
    return Math.max(1, Math.min(28, ...later) - t.day)
  }
  return {
    next(after) {
      let at = Math.floor(after / minute) * minute + minute
      const end = after + horizon
      while (at < end) {
        const t = local(at)
        if (!months.values.has(t.month) || !onDay(t)) at = startOfDay(at + daysAhead(t) * day - (t.hour * 60 + t.minute) * minute, local)
        else if (!hours.values.has(t.hour)) at += (60 - t.minute) * minute
        else if (!minutes.values.has(t.minute)) at += minute
        else return at
      }
      return undefined
    },
  }
}

type Parsed = ReturnType<typeof parseField>
