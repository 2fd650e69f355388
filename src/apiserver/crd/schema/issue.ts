/** What is wrong with a value, said before it is known where the value stands: on the way up every level adds its step. */
import { path, type FieldError, type Path } from '../../../machinery/field.ts'

export interface Issue {
  /** The steps from the value that was looked at: `.spec`, `[0]`. */
  readonly steps: string
  /** `name` is the place in words, without the leading dot; `whole` the place of the value that was given to be checked. */
  readonly error: (name: string, at: Path, whole: Path) => FieldError
}

/** Undefined: nothing is wrong. */
export type Issues = Issue[] | undefined

/** There is nothing that a value could be compared with. */
export const none: unique symbol = Symbol('no old value')

/** Looks at a value; `old` is what stood in its place before, or `none`. */
export type Check = (value: unknown, old: unknown) => Issues

/** An issue at the value itself; callers prepend the steps that lead there. */
export const issue = (error: Issue['error']): Issue => ({ steps: '', error })

/** Issues with those of a part, which is one step away. */
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

/** The root of an object has no name; Kubernetes writes its nil path out. */
export const nameless = '<nil>'

/** The errors of issues found at the root of an object, or at another place. */
export function errorsOf(issues: Issues, at?: Path): FieldError[] {
  return (issues ?? []).map(({ steps, error }) => {
    const name = steps.replace(/^\./, '')
    const place = at ? at.text + (steps.startsWith('[') || steps === '' ? steps : `.${name}`) : name || nameless
    return error(name, path(place), at ?? path(nameless))
  })
}
