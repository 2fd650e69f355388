/** The string functions of cel-go's extension, in the version Kubernetes has (2): positions count code points. */
import { fail } from '../errors.ts'
import { exactly, fn, method, plus, product, scaled, sizeOf, traverse, type CallCost, type FunctionDeclaration, type Size } from '../functions.ts'
import { DYN, INT, STRING, listOf } from '../types.ts'
import { CelList, type CelValue } from '../values.ts'
import { format } from './format-string.ts'

const list = listOf(STRING)
const runes = (text: string): string[] => Array.from(text)
const ascii = (text: string): boolean => !/[^\u0000-\u007f]/.test(text) // eslint-disable-line no-control-regex
/** Code points, cheaply where every character is one. */
const points = (text: string): { readonly length: number; slice(from: number, to?: number): string } => {
  if (ascii(text)) return text
  const all = runes(text)
  return { length: all.length, slice: (from, to) => all.slice(from, to).join('') }
}

/** Every ten characters that are there. */
const searching: CallCost = { ...traverse(), runtime: ([text]) => Math.floor(sizeOf(text) / 10) }

const outOfRange = (index: bigint): never => fail(`index out of range: ${index}`)

function charAt(text: string, index: bigint): string {
  const all = points(text)
  if (index < 0n || index > BigInt(all.length)) return outOfRange(index)
  return all.slice(Number(index), Number(index) + 1)
}

function substring(text: string, start: bigint, end?: bigint): string {
  const all = points(text)
  const last = end ?? BigInt(all.length)
  if (end !== undefined && start > end) return fail(`invalid substring range. start: ${start}, end: ${end}`)
  if (start < 0n || start > BigInt(all.length)) return outOfRange(start)
  if (last < 0n || last > BigInt(all.length)) return outOfRange(last)
  return all.slice(Number(start), Number(last))
}

/** The position in code points of a position in UTF-16 units. */
const pointAt = (text: string, unit: number): bigint => BigInt(unit < 0 ? -1 : runes(text.slice(0, unit)).length)
const unitAt = (text: string, point: bigint): number => (ascii(text) ? Number(point) : runes(text).slice(0, Number(point)).join('').length)

function indexOf(text: string, part: string, from = 0n): bigint {
  if (part === '') return from
  const { length } = points(text)
  if (from < 0n) return outOfRange(from)
  return from >= BigInt(length) ? -1n : pointAt(text, text.indexOf(part, unitAt(text, from)))
}

function lastIndexOf(text: string, part: string, from?: bigint): bigint {
  const size = BigInt(points(text).length)
  const start = from ?? size
  if (start < 0n) return outOfRange(start)
  if (part === '') return start > size ? size : start
  if (from !== undefined && start >= size) return -1n
  return pointAt(text, text.lastIndexOf(part, unitAt(text, start)))
}

/** The first `limit` occurrences replaced; a negative limit: all. */
function replace(text: string, from: string, to: string, limit = -1n): string {
  if (limit < 0n) return from === '' ? [to, ...runes(text).map((rune) => rune + to)].join('') : text.split(from).join(to)
  if (from === '') {
    const count = Number(limit)
    return runes(text).map((rune, i) => (i < count ? to + rune : rune)).join('') + (runes(text).length < count ? to : '')
  }
  return (split(text, from, limit + 1n).values() as string[]).join(to)
}

/** At most `limit` pieces, the last with the rest; a negative limit: all of them. */
function split(text: string, separator: string, limit = -1n): CelList {
  if (limit === 0n) return new CelList([])
  if (limit === 1n) return new CelList([text])
  const all = separator === '' ? runes(text) : text.split(separator)
  if (limit < 0n || BigInt(all.length) <= limit) return new CelList(all)
  const count = Number(limit)
  return new CelList([...all.slice(0, count - 1), all.slice(count - 1).join(separator)])
}

const lower = (text: string): string => text.replaceAll(/[A-Z]+/g, (found) => found.toLowerCase())
const upper = (text: string): string => text.replaceAll(/[a-z]+/g, (found) => found.toUpperCase())
/** Unicode's white space, as Go has it: without the byte order mark, with the next line. */
const trim = (text: string): string => {
  const blank = (at: number): boolean => { const c = text.charAt(at); return c !== '\ufeff' && /[\s\u0085]/.test(c) }
  let [start, end] = [0, text.length]
  while (start < end && blank(start)) start++
  while (end > start && blank(end - 1)) end--
  return text.slice(start, end)
}

const escapes: Readonly<Record<string, string>> = { '\u0007': '\\a', '\b': '\\b', '\f': '\\f', '\n': '\\n', '\r': '\\r', '\t': '\\t', '\v': '\\v', '\\': '\\\\', '"': '\\"' }
// eslint-disable-next-line no-control-regex
const quote = (text: string): string => `"${text.toWellFormed().replaceAll(/[\u0007\b\f\n\r\t\v\\"]/g, (found) => escapes[found] as string)}"`

const join = (items: CelList, separator = ''): string => items.values().map((item) => (typeof item === 'string' ? item : fail('no such overload'))).join(separator)

const whole = traverse(0, 1, 'same')
const rebuilt = traverse(0, 2)
const pieces: CallCost = { ...rebuilt, size: (args) => ({ min: 0, max: args[0]?.max ?? Infinity }) }
const joined: CallCost = {
  runtime: (_, result) => Math.ceil((result as string).length * 0.2),
  estimate: (args) => scaled(joinedSize(args), 0.1),
  size: (args) => joinedSize(args),
}

/** Of all elements, and of what is put between them. */
function joinedSize([items = exactly(0), separator = exactly(0)]: readonly Size[]): Size {
  const between = { min: Math.max(items.min - 1, 0), max: Math.max(items.max - 1, 0) }
  const text = items.element ?? { min: 0, max: Infinity }
  return plus(product(items, text), product(separator, between))
}

export const strings: readonly FunctionDeclaration[] = [
  method('charAt', 'string_char_at_int', [STRING, INT], STRING, charAt),
  method('indexOf', 'string_index_of_string', [STRING, STRING], INT, (text: string, part: string) => indexOf(text, part), searching),
  method('indexOf', 'string_index_of_string_int', [STRING, STRING, INT], INT, indexOf, searching),
  method('lastIndexOf', 'string_last_index_of_string', [STRING, STRING], INT, (text: string, part: string) => lastIndexOf(text, part), searching),
  method('lastIndexOf', 'string_last_index_of_string_int', [STRING, STRING, INT], INT, lastIndexOf, searching),
  method('lowerAscii', 'string_lower_ascii', [STRING], STRING, lower, whole),
  method('upperAscii', 'string_upper_ascii', [STRING], STRING, upper, whole),
  method('replace', 'string_replace_string_string', [STRING, STRING, STRING], STRING, (text: string, from: string, to: string) => replace(text, from, to), replaceCost()),
  method('replace', 'string_replace_string_string_int', [STRING, STRING, STRING, INT], STRING, replace, replaceCost()),
  method('split', 'string_split_string', [STRING, STRING], list, (text: string, separator: string) => split(text, separator), pieces),
  method('split', 'string_split_string_int', [STRING, STRING, INT], list, split, pieces),
  method('substring', 'string_substring_int', [STRING, INT], STRING, (text: string, start: bigint) => substring(text, start), whole),
  method('substring', 'string_substring_int_int', [STRING, INT, INT], STRING, substring, whole),
  method('trim', 'string_trim', [STRING], STRING, trim, whole),
  method('join', 'list_join', [list], STRING, (items: CelList) => join(items), joined),
  method('join', 'list_join_string', [list, STRING], STRING, join, joined),
  method('format', 'string_format', [STRING, listOf(DYN)], STRING, (text: string, args: CelList): CelValue => format(text, args), traverse()),
  fn('strings.quote', 'strings_quote', [STRING], STRING, quote, { ...traverse(), size: ([text = { min: 0, max: Infinity }]) => ({ min: text.min + 2, max: text.max * 2 + 2 }) }),
]

function replaceCost(): CallCost {
  return {
    ...rebuilt,
    size(args) {
      const [text, from, to] = args.map((size) => size.max)
      const fewest = args[1]?.min ?? 0
      if (text === undefined || from === undefined || to === undefined) return { min: 0, max: Infinity }
      if (fewest > 0 && to <= fewest) return { min: 0, max: text }
      return { min: 0, max: fewest === 0 ? (text + 1) * Math.max(to, 1) + text : Math.ceil(text / fewest) * Math.max(to, 1) }
    },
  }
}
