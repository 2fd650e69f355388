/** The grammar of cron schedules, as far as validation needs it: is the text one, and if not, what is wrong. */

interface Field { readonly min: number; readonly max: number; readonly names?: readonly string[] }

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const days = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat']
const fields: readonly Field[] = [
  { min: 0, max: 59 },
  { min: 0, max: 23 },
  { min: 1, max: 31 },
  { min: 1, max: 12, names: months },
  { min: 0, max: 6, names: days },
]
const descriptors = ['@yearly', '@annually', '@monthly', '@weekly', '@daily', '@midnight', '@hourly']

/** Why a text is no schedule; undefined when it is one. */
export function scheduleProblem(text: string): string | undefined {
  if (text.startsWith('@')) {
    if (descriptors.includes(text)) return undefined
    if (!text.startsWith('@every ')) return `unrecognized descriptor: ${text}`
    return /^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text.slice(7)) ? undefined : `failed to parse duration ${text}`
  }
  const parts = text.trim().split(/\s+/)
  if (parts.length !== 5) return `expected exactly 5 fields, found ${parts.length}: [${parts.join(' ')}]`
  for (const [i, part] of parts.entries()) {
    for (const item of part.split(',')) {
      const problem = itemProblem(item, fields[i] as Field)
      if (problem) return problem
    }
  }
  return undefined
}

function itemProblem(item: string, field: Field): string | undefined {
  const [range = '', step, ...more] = item.split('/')
  if (more.length > 0) return `too many slashes: ${item}`
  const [from = '', to, ...rest] = range.split('-')
  if (rest.length > 0) return `too many hyphens: ${item}`
  const any = from === '*' || from === '?'
  const low = any ? field.min : numberOf(from, field)
  const high = any ? field.max : to === undefined ? low : numberOf(to, field)
  for (const [part, value] of [[from, low], [to ?? from, high]] as const) {
    if (value === undefined) return `failed to parse int from ${part}: strconv.Atoi: parsing ${JSON.stringify(part)}: invalid syntax`
  }
  if (step !== undefined && !/^\d+$/.test(step)) return `failed to parse int from ${step}: strconv.Atoi: parsing ${JSON.stringify(step)}: invalid syntax`
  if (Number(low) < field.min) return `beginning of range (${low}) below minimum (${field.min}): ${item}`
  if (Number(high) > field.max) return `end of range (${high}) above maximum (${field.max}): ${item}`
  if (Number(low) > Number(high)) return `beginning of range (${low}) beyond end of range (${high}): ${item}`
  return step !== undefined && Number(step) === 0 ? `step of range should be a positive number: ${item}` : undefined
}

function numberOf(text: string, field: Field): number | undefined {
  if (/^\d+$/.test(text)) return Number(text)
  const index = field.names?.indexOf(text.toLowerCase()) ?? -1
  return index < 0 ? undefined : index + field.min
}
