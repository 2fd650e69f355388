/** Where in an object something is wrong, and what: the parts of a validation error. */
import { formatDouble } from './double.ts'

export type FieldErrorType =
  | 'FieldValueRequired' | 'FieldValueInvalid' | 'FieldValueNotSupported' | 'FieldValueDuplicate'
  | 'FieldValueForbidden' | 'FieldValueNotFound' | 'FieldValueTooLong' | 'FieldValueTooMany' | 'FieldValueTypeInvalid' | 'InternalError'

const wording: Record<FieldErrorType, string> = {
  FieldValueRequired: 'Required value',
  FieldValueInvalid: 'Invalid value',
  FieldValueNotSupported: 'Unsupported value',
  FieldValueDuplicate: 'Duplicate value',
  FieldValueForbidden: 'Forbidden',
  FieldValueNotFound: 'Not found',
  FieldValueTooLong: 'Too long',
  FieldValueTooMany: 'Too many',
  FieldValueTypeInvalid: 'Invalid value',
  InternalError: 'Internal error',
}

/** What is not there is shown as null, without quotes. */
const shown = (value: unknown): string => (typeof value === 'number' && !Number.isSafeInteger(value) ? formatDouble(value) : JSON.stringify(value ?? null) ?? 'null')

/** Stands for a value that is too much to show. */
export const omitted: unique symbol = Symbol('omitted')

/** One thing wrong with one field. `toString()` is the line kubectl prints: `spec.containers[0].image: Required value`. */
export class FieldError {
  readonly type: FieldErrorType
  readonly field: string
  readonly detail: string
  readonly value: unknown

  constructor(type: FieldErrorType, field: string, detail: string, value?: unknown) {
    this.type = type
    this.field = field
    this.detail = detail
    this.value = value
  }

  /** The line without the field: `Invalid value: "x": must be y`. */
  body(): string {
    const bare = this.value === omitted || this.type === 'FieldValueRequired' || this.type === 'FieldValueForbidden' || this.type === 'FieldValueTooLong' || this.type === 'InternalError'
    const head = bare ? wording[this.type] : `${wording[this.type]}: ${shown(this.value)}`
    return this.detail ? `${head}: ${this.detail}` : head
  }

  toString(): string { return `${this.field}: ${this.body()}` }
}

/**
 * A path into an object: `path('spec').at('containers').index(0).at('image')`. What is said to be wrong there comes back as an error, or
 * is kept where the path began: `Said` is what its words answer with.
 */
export class Path<Said = FieldError> {
  readonly #above: Path<Said> | undefined
  readonly #last: string | number
  readonly #isField: boolean
  constructor(last: string | number, above?: Path<Said>, isField = true) {
    this.#last = last
    this.#above = above
    this.#isField = isField
  }

  /** Put together when somebody reads it: most paths are of places where nothing is wrong. */
  get text(): string {
    const above = this.#above?.text ?? ''
    if (this.#isField) return above ? `${above}.${this.#last}` : String(this.#last)
    return `${above}[${this.#last}]`
  }

  at(name: string): Path<Said> { return new Path(name, this) }
  index(i: number): Path<Said> { return new Path(i, this, false) }
  key(k: string): Path<Said> { return new Path<Said>(k, this, false) }
  toString(): string { return this.text }

  /** How many errors were said so far, here or elsewhere in the object; 0 where nobody notes them down. */
  get said(): number { return this.#above?.said ?? 0 }

  /** Says an error that was made elsewhere. */
  say(error: FieldError): Said { return this.#above ? this.#above.say(error) : (error as Said) }

  required(detail = ''): Said { return this.say(new FieldError('FieldValueRequired', this.text, detail)) }
  invalid(value: unknown, detail: string): Said { return this.say(new FieldError('FieldValueInvalid', this.text, detail, value)) }
  notSupported(value: unknown, supported: readonly string[]): Said {
    return this.say(new FieldError('FieldValueNotSupported', this.text, `supported values: ${supported.map((s) => JSON.stringify(s)).join(', ')}`, value))
  }
  duplicate(value: unknown): Said { return this.say(new FieldError('FieldValueDuplicate', this.text, '', value)) }
  forbidden(detail: string): Said { return this.say(new FieldError('FieldValueForbidden', this.text, detail)) }
  notFound(value: unknown): Said { return this.say(new FieldError('FieldValueNotFound', this.text, '', value)) }
  tooLong(max: number): Said { return this.say(new FieldError('FieldValueTooLong', this.text, `may not be more than ${max} bytes`)) }
  tooMany(count: number, max: number): Said { return this.say(new FieldError('FieldValueTooMany', this.text, `must have at most ${max} items`, count)) }
  typeInvalid(value: unknown, detail: string): Said { return this.say(new FieldError('FieldValueTypeInvalid', this.text, detail, value)) }
}

/** A path to start from: `path('spec').at('replicas')`. */
export const path = (text = ''): Path => new Path(text)

/** A path of an object that is being checked: what is said to be wrong is noted down. So checks are plain functions that call each other. */
export type Place = Path<undefined>

class Notebook extends Path<undefined> {
  readonly errors: FieldError[] = []
  override get said(): number { return this.errors.length }
  override say(error: FieldError): undefined { this.errors.push(error) }
}

/** What a check says, in order. It is given the place of what it checks: the root of an object, unless it stands `at` some place in another. */
export function found(check: (root: Place) => void, at = ''): FieldError[] {
  const notebook = new Notebook(at)
  check(notebook)
  return notebook.errors
}
