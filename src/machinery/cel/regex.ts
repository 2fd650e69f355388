/**
 * Regular expressions of expressions: linear in the text, so whoever writes a pattern cannot make the server hang. Patterns may come from data,
 * and compiling one takes longer than its cost says: it is counted as work.
 */
import { re2 } from '../re2.ts'
import { fail, work } from './errors.ts'

export interface Regex {
  /** Whether the pattern occurs anywhere in the text. */
  test(text: string): boolean
  /** The occurrences, `limit` at most. */
  findAll(text: string, limit: number): string[]
}

const known = new Map<string, Regex>()
const mostKnown = 500
/** Steps for a pattern, for each character of it, and for each character it is held against. */
const perPattern = 10_000
const perPatternCharacter = 100
const perCharacter = 10

/** Fails the evaluation for a pattern that RE2 does not accept; `saying` begins the message. */
export function regex(pattern: string, saying = ''): Regex {
  const before = known.get(pattern)
  if (before) return before
  work(perPattern + pattern.length * perPatternCharacter)
  const made = compile(pattern, saying)
  if (known.size >= mostKnown) known.delete(known.keys().next().value as string)
  known.set(pattern, made)
  return made
}

function compile(pattern: string, saying: string): Regex {
  let compiled: ReturnType<typeof re2>
  try {
    compiled = re2(pattern)
  } catch (error) {
    return fail(saying + (error instanceof Error ? error.message : String(error)))
  }
  return {
    test(text) {
      work(text.length * perCharacter)
      return compiled.test(text)
    },
    findAll(text, limit) {
      work(text.length * perCharacter)
      const found: string[] = []
      const matcher = compiled.matcher(text)
      while (found.length < limit && matcher.find()) found.push(matcher.group() ?? '')
      return found
    },
  }
}
