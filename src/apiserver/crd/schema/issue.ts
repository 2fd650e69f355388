/** Validation issues with relative paths: every level prepends its step on the way up. */
import { path, type FieldError, type Path } from '../../../machinery/field.ts'

export interface Issue {
  /** The path from the checked value: `.spec`, `[0]`. */
  readonly steps: string
  /** `name` is the place in words, without the leading dot; `whole` the place of the value that was given to be checked. */
  readonly error: (name: string, at: Path, whole: Path) => FieldError
}

/** Undefined: no issues. */
export type Issues = Issue[] | undefined

/** There is no old value. */
export const none: unique symbol = Symbol('no old value')

/** Checks a value; `old` is the old value, or `none`. */
export type Check = (value: unknown, old: unknown) => Issues

/** An issue at the value itself; callers prepend the path to it. */
export const issue = (error: Issue['error']): Issue => ({ steps: '', error })

/** Adds the issues of a part, one step below. */
export function withPart(issues: Issues, part: Issues, step: string): Issues {
  if (!part) return issues
  const moved = part.map(({ steps, error }) => ({ steps: step + steps, error }))
  if (!issues) return moved
  issues.push(...moved)
  return issues
}

/** Two sets of issues of one value. */
export function joined(a: Issues, b: Issues): Issues {
  if (!a) return b
  if (b) a.push(...b)
  return a
}

/** The root of an object has no name; Kubernetes prints its nil path as text. */
export const nameless = '<nil>'

/** The errors of issues found at the root of an object, or at another place. */
export function errorsOf(issues: Issues, at?: Path): FieldError[] {
  return (issues ?? []).map(({ steps, error }) => {
    const name = steps.replace(/^\./, '')
    const place = at ? at.text + (steps.startsWith('[') || steps === '' ? steps : `.${name}`) : name || nameless
    return error(name, path(place), at ?? path(nameless))
  })
}
