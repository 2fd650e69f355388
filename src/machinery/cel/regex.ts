/** Regular expressions of expressions: linear in the text, so whoever writes a pattern cannot make the server hang. */
import { re2 } from '../re2.ts'
import { fail } from './errors.ts'

export interface Regex {
  /** Whether the pattern occurs anywhere in the text. */
  test(text: string): boolean
  /** The occurrences, `limit` at most. */
  findAll(text: string, limit: number): string[]
}

/** Fails the evaluation for a pattern that RE2 does not accept. */
export function regex(pattern: string): Regex {
  const compiled = compile(pattern)
  return {
    test: (text) => compiled.test(text),
    findAll(text, limit) {
      const found: string[] = []
      const matcher = compiled.matcher(text)
      while (found.length < limit && matcher.find()) found.push(matcher.group() ?? '')
      return found
    },
  }
}

function compile(pattern: string): ReturnType<typeof re2> {
  try {
    return re2(pattern)
  } catch (error) {
    return fail(error instanceof Error ? error.message : String(error))
  }
}
