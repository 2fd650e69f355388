/**
 * Regular expressions as Kubernetes has them: RE2's syntax and meaning, in time linear in the length of the text, whatever
 * the expression. For what clients wrote: patterns of schemas, `matches` in CEL.
 */
import { RE2JS } from 're2js'

/** Whether the expression is found anywhere in a text. */
export type Matcher = (text: string) => boolean

const mostKept = 1000
const kept = new Map<string, RE2JS>()

/** A compiled expression; the last thousand are kept. Throws `Error` in the words of Go's regexp when it is none. */
export function re2(pattern: string): RE2JS {
  let compiled = kept.get(pattern)
  if (!compiled) {
    compiled = RE2JS.compile(pattern)
    kept.set(pattern, compiled)
    if (kept.size > mostKept) kept.delete(kept.keys().next().value as string)
  }
  return compiled
}

/** A test for an expression. Throws as `re2` does. */
export function re2Matcher(pattern: string): Matcher {
  const compiled = re2(pattern)
  return (text) => compiled.test(text)
}

/** Why a text is no expression, in the words of Go's regexp; undefined when it is one. */
export function re2Error(pattern: string): string | undefined {
  try {
    re2(pattern)
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}
