/** JSON text to values: with a bound on nesting, exact integers and, when asked, a list of the keys that stand twice. */
import { badRequest } from '../errors.ts'
import { parseExactly } from './exact.ts'
import { jsonFault } from './syntax.ts'

export interface ParseOptions {
  /** Look for duplicate fields: costs a second pass over the text. */
  readonly duplicates?: boolean
}

export interface Parsed {
  readonly value: unknown
  /** `duplicate field "spec.replicas"`, in the order of the text. */
  readonly duplicateFields: string[]
}

/** Deeper nesting is refused: everything that walks values may then recurse. */
export const maxDepth = 512

/** Reads JSON. Throws `ApiError` 400 on what is none, and on what is nested more than 512 deep. */
export function parseJson(text: string | Uint8Array, options: ParseOptions = {}): Parsed {
  const source = typeof text === 'string' ? text : Buffer.from(text.buffer, text.byteOffset, text.byteLength).toString('utf8')
  if (source.length > 2 * maxDepth && manyOpeners(source) && depthOf(source) > maxDepth) {
    throw badRequest(`json parse error: exceeded max depth of ${maxDepth}`)
  }
  let value: unknown
  try {
    value = parseExactly(source)
  } catch {
    // Without the piece of the text that V8 quotes: it may be a secret's, and errors go into logs.
    throw badRequest(`json parse error: ${jsonFault(source) ?? 'invalid JSON'}`)
  }
  const duplicates = options.duplicates === true && keysIn(source) !== propertiesOf(value)
  return { value, duplicateFields: duplicates ? duplicatesIn(source) : [] }
}

/** Whether more braces and brackets open than may be nested, those in strings included: a cheap bound on the depth. */
function manyOpeners(text: string): boolean {
  let count = 0
  for (const opener of ['{', '[']) {
    for (let i = text.indexOf(opener); i >= 0 && count <= maxDepth; i = text.indexOf(opener, i + 1)) count++
  }
  return count > maxDepth
}

const quote = 0x22
const backslash = 0x5c

/** The index of the quote that ends the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let end = text.indexOf('"', start + 1); end >= 0; end = text.indexOf('"', end + 1)) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes++
    if (slashes % 2 === 0) return end
  }
  return text.length
}

function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === quote) i = endOfString(text, i)
    else if ((c | 0x20) === 0x7b) deepest = Math.max(deepest, ++depth)
    else if ((c | 0x20) === 0x7d) depth--
  }
  return deepest
}

/** How many keys the text writes: strings with a colon behind them. */
function keysIn(text: string): number {
  let count = 0
  for (let i = text.indexOf('"'); i >= 0; i = text.indexOf('"', i)) {
    i = endOfString(text, i) + 1
    let c = text.charCodeAt(i)
    while (c === 0x20 || (c >= 0x09 && c <= 0x0d)) c = text.charCodeAt(++i)
    if (c === 0x3a) count++
  }
  return count
}

/** How many properties a value has, with those of its parts: fewer than keys in its text when some stood twice. */
function propertiesOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (const item of value) if (typeof item === 'object') count += propertiesOf(item)
    return count
  }
  for (const key in value) {
    count++
    const item = (value as Record<string, unknown>)[key]
    if (typeof item === 'object') count += propertiesOf(item)
  }
  return count
}

/** One open brace or bracket. */
interface Level {
  readonly path: string
  /** The keys so far; undefined in an array. */
  readonly keys: Set<string> | undefined
  /** The key that the next value belongs to, or the index of the next element. */
  key: string
  index: number
  /** A string that comes next is a key. */
  wantsKey: boolean
}

const most = 100

/** The path of each key of a text that is known to be JSON, in order; `again`: it stood in its object before. */
function* keysOf(text: string): Generator<{ readonly path: string; readonly again: boolean }> {
  const levels: Level[] = []
  for (let i = 0; i < text.length; i++) {
    const level = levels.at(-1)
    switch (text[i]) {
      case '"': {
        const end = endOfString(text, i)
        if (level?.wantsKey && level.keys) {
          level.key = JSON.parse(text.slice(i, end + 1)) as string
          yield { path: pathIn(level), again: level.keys.has(level.key) }
          level.keys.add(level.key)
          level.wantsKey = false
        }
        i = end
        break
      }
      case '{': levels.push({ path: pathIn(level), keys: new Set(), key: '', index: 0, wantsKey: true }); break
      case '[': levels.push({ path: pathIn(level), keys: undefined, key: '', index: 0, wantsKey: false }); break
      case '}': case ']': levels.pop(); break
      case ',': if (level) {
        level.index++
        level.wantsKey = true
      }
    }
  }
}

const duplicate = (path: string): string => `duplicate field ${JSON.stringify(path)}`

function duplicatesIn(text: string): string[] {
  const found = new Set<string>()
  for (const { path, again } of keysOf(text)) if (again && found.size < most) found.add(duplicate(path))
  return [...found]
}

/**
 * What `parseJson` found twice and what a decode did not know, in the order of the text, as Kubernetes tells it. Of what is in an
 * unknown field it says nothing more.
 */
export function inTextOrder(text: string | Uint8Array, duplicateFields: readonly string[], unknownFields: readonly string[]): readonly string[] {
  if (duplicateFields.length === 0 || unknownFields.length === 0) return [...duplicateFields, ...unknownFields]
  const unknown = new Set(unknownFields)
  const told = new Set<string>()
  const isInUnknown = (path: string): boolean => unknownFields.some((field) => path.startsWith(`${JSON.parse(field.slice('unknown field '.length)) as string}.`) || path.startsWith(`${JSON.parse(field.slice('unknown field '.length)) as string}[`))
  for (const { path, again } of keysOf(typeof text === 'string' ? text : Buffer.from(text).toString())) {
    const said = `unknown field ${JSON.stringify(path)}`
    if (unknown.has(said)) told.add(said)
    else if (again && !isInUnknown(path) && told.size < most) told.add(duplicate(path))
  }
  return [...told]
}

function pathIn(level: Level | undefined): string {
  if (!level) return ''
  if (!level.keys) return `${level.path}[${level.index}]`
  return level.path ? `${level.path}.${level.key}` : level.key
}
