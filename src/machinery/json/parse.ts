/** JSON text to values: `JSON.parse`, with a bound on nesting and, when asked, a list of the keys that stand twice. */
import { badRequest } from '../errors.ts'

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
  if (source.length > 2 * maxDepth && openers(source) > maxDepth && depthOf(source) > maxDepth) {
    throw badRequest(`json parse error: exceeded max depth of ${maxDepth}`)
  }
  let value: unknown
  try {
    value = JSON.parse(source)
  } catch (error) {
    throw badRequest(`json parse error: ${(error as Error).message}`)
  }
  return { value, duplicateFields: options.duplicates ? duplicatesIn(source) : [] }
}

/** How many braces and brackets open, those in strings included: a cheap bound on the depth. */
function openers(text: string): number {
  let count = 0
  for (let i = 0; i < text.length; i++) if ((text.charCodeAt(i) | 0x20) === 0x7b) count++
  return count
}

const quote = 0x22
const backslash = 0x5c

/** The index of the quote that ends the string which begins at `start`. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const c = text.charCodeAt(i)
    if (c === backslash) i++
    else if (c === quote) return i
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

/** Goes over text that is known to be JSON. */
function duplicatesIn(text: string): string[] {
  const found: string[] = []
  const levels: Level[] = []
  for (let i = 0; i < text.length; i++) {
    const level = levels.at(-1)
    switch (text[i]) {
      case '"': {
        const end = endOfString(text, i)
        if (level?.wantsKey && level.keys) {
          level.key = JSON.parse(text.slice(i, end + 1)) as string
          if (level.keys.has(level.key) && found.length < most) found.push(`duplicate field ${JSON.stringify(pathIn(level))}`)
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
  return [...new Set(found)]
}

function pathIn(level: Level | undefined): string {
  if (!level) return ''
  if (!level.keys) return `${level.path}[${level.index}]`
  return level.path ? `${level.path}.${level.key}` : level.key
}
