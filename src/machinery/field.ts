/** Where in an object something is wrong, and what: the parts of a validation error. */

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

/** What is not there is shown in quotes, as every client of Kubernetes has always seen it. */
const shown = (value: unknown): string => JSON.stringify(value ?? 'null') ?? '"null"'

/** Stands for a value that is too much to show. */
export const omitted: unique symbol = Symbol('omitted')

/** Stands for a field of a known type that nobody wrote: it is shown as null, without quotes. */
export const unset: { readonly toJSON: () => null } = { toJSON: () => null }

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

/** A path into an object: `path('spec').at('containers').index(0).at('image')`. */
export class Path {
  readonly #above: Path | undefined
  readonly #last: string | number
  readonly #isField: boolean
  constructor(last: string | number, above?: Path, isField = true) {
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

  at(name: string): Path { return new Path(name, this) }
  index(i: number): Path { return new Path(i, this, false) }
  key(k: string): Path { return new Path(k, this, false) }
  toString(): string { return this.text }

  required(detail = ''): FieldError { return new FieldError('FieldValueRequired', this.text, detail) }
  invalid(value: unknown, detail: string): FieldError { return new FieldError('FieldValueInvalid', this.text, detail, value) }
  notSupported(value: unknown, supported: readonly string[]): FieldError {
    return new FieldError('FieldValueNotSupported', this.text, `supported values: ${supported.map((s) => JSON.stringify(s)).join(', ')}`, value)
  }
  duplicate(value: unknown): FieldError { return new FieldError('FieldValueDuplicate', this.text, '', value) }
  forbidden(detail: string): FieldError { return new FieldError('FieldValueForbidden', this.text, detail) }
  notFound(value: unknown): FieldError { return new FieldError('FieldValueNotFound', this.text, '', value) }
  tooLong(max: number): FieldError { return new FieldError('FieldValueTooLong', this.text, `may not be more than ${max} bytes`) }
  tooMany(count: number, max: number): FieldError { return new FieldError('FieldValueTooMany', this.text, `must have at most ${max} items`, count) }
  typeInvalid(value: unknown, detail: string): FieldError { return new FieldError('FieldValueTypeInvalid', this.text, detail, value) }
}

export const path = (text = ''): Path => new Path(text)
