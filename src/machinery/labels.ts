/** Label selectors: the text form of requests and the structured form of specs, compiled to one matcher. */
import type { meta } from '../api/index.ts'
import { badRequest } from './errors.ts'
import { path } from './field.ts'
import { labelValue, qualifiedName } from './names.ts'

export type Labels = Readonly<Record<string, string>>

export type LabelOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt'

export interface LabelRequirement {
  readonly key: string
  readonly operator: LabelOperator
  readonly values: readonly string[]
}

export interface LabelSelector {
  readonly requirements: readonly LabelRequirement[]
  /** Selects everything. */
  readonly empty: boolean
  matches(labels: Labels | undefined): boolean
  /** The text form, sorted by key. */
  toString(): string
}

function holds({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const value = Object.hasOwn(labels, key) ? labels[key] : undefined
  switch (operator) {
    case '=': case '==': case 'in': return value !== undefined && values.includes(value)
    case '!=': case 'notin': return value === undefined || !values.includes(value)
    case 'exists': return value !== undefined
    case '!': return value === undefined
    case 'gt': case 'lt': {
      if (value === undefined || !/^[+-]?\d+$/.test(value)) return false
      const [have, want] = [BigInt(value), BigInt(values[0] as string)]
      return operator === 'gt' ? have > want : have < want
    }
  }
}

function show({ key, operator, values }: LabelRequirement): string {
  switch (operator) {
    case 'exists': return key
    case '!': return `!${key}`
    case '=': case '==': case '!=': return `${key}${operator}${values[0]}`
    case 'gt': return `${key}>${values[0]}`
    case 'lt': return `${key}<${values[0]}`
    case 'in': case 'notin': return `${key} ${operator} (${[...values].sort().join(',')})`
  }
}

/** A selector from its requirements; all of them must hold. */
export function labelSelectorOf(requirements: readonly LabelRequirement[]): LabelSelector {
  const sorted = [...requirements].sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  return {
    requirements: sorted,
    empty: sorted.length === 0,
    matches: (labels = {}) => sorted.every((requirement) => holds(requirement, labels)),
    toString: () => sorted.map(show).join(','),
  }
}

/** Selects everything. */
export const everything: LabelSelector = labelSelectorOf([])
/** Selects nothing. */
export const nothing: LabelSelector = { requirements: [], empty: false, matches: () => false, toString: () => '' }

/** A selector that asks for exactly these labels, and others are allowed beside them. */
export const selectorFromSet = (labels: Labels | undefined): LabelSelector =>
  labelSelectorOf(Object.entries(labels ?? {}).map(([key, value]) => ({ key, operator: '=', values: [value] })))

const operators: Readonly<Record<string, LabelOperator>> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' }

/** The selector of a spec: undefined selects nothing, `{}` everything. Throws `ApiError` 400 on an unknown operator or a bad value. */
export function fromLabelSelector(selector: Partial<meta.LabelSelector> | undefined | null): LabelSelector {
  if (!selector) return nothing
  const requirements: LabelRequirement[] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => checked({ key, operator: '=', values: [value] }))
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const known = operators[operator]
    if (!known) throw badRequest(`${JSON.stringify(operator)} is not a valid label selector operator`)
    requirements.push(checked({ key, operator: known, values: values ?? [] }, null))
  }
  return labelSelectorOf(requirements)
}

/** A key that is none is one error, whatever is wrong with it. */
const wrongKey = (key: string): string | undefined => qualifiedName(key).join('; ') || undefined

/** Gives the requirement back when its key, its number of values and its values are allowed. `none` is how no values are shown. */
function checked(requirement: LabelRequirement, none: unknown = []): LabelRequirement {
  const { key, operator, values } = requirement
  const wrong = wrongKey(key)
  const errors = wrong === undefined ? [] : [path('key').invalid(key, wrong)]
  const at = path('values')
  if ((operator === 'in' || operator === 'notin') && values.length === 0) {
    errors.push(at.invalid(none, "for 'in', 'notin' operators, values set can't be empty"))
  }
  if ((operator === 'exists' || operator === '!') && values.length > 0) {
    errors.push(at.invalid(values, 'values set must be empty for exists and does not exist'))
  }
  if ((operator === 'gt' || operator === 'lt') && !/^[+-]?\d{1,19}$/.test(values[0] ?? '')) {
    errors.push(at.index(0).invalid(values[0], "for 'Gt', 'Lt' operators, the value must be an integer"))
  }
  values.forEach((value, i) => {
    const text = labelValue(value).join('; ')
    if (text) errors.push(at.index(i).key(key).invalid(value, text))
  })
  if (errors.length > 0) throw badRequest(errors.length === 1 ? String(errors[0]) : `[${errors.join(', ')}]`)
  return requirement
}

type Token = { readonly kind: 'end' | 'word' | 'symbol'; readonly text: string }

/** Splits a selector's text; words run up to the next blank or operator. */
function* tokens(text: string): Generator<Token> {
  const expression = /\s*(==|!=|[=!(),<>]|[^\s=!(),<>]+)/gy
  for (;;) {
    const m = expression.exec(text)
    if (!m) break
    const word = m[1] as string
    yield { kind: /^[=!(),<>]/.test(word) ? 'symbol' : 'word', text: word }
  }
  for (;;) yield { kind: 'end', text: '' }
}

const binaryOperators = ['in', 'notin', '=', '==', '!=', 'gt', 'lt']

/** A reader of one selector text: two tokens are looked at, never more. */
class Parser {
  readonly #tokens: Iterator<Token>
  #current: Token

  constructor(text: string) {
    this.#tokens = tokens(text)
    this.#current = this.#tokens.next().value as Token
  }

  peek(): Token { return this.#current }
  next(): Token {
    const token = this.#current
    this.#current = this.#tokens.next().value as Token
    return token
  }

  requirements(): LabelRequirement[] {
    const out: LabelRequirement[] = []
    if (this.peek().kind === 'end') return out
    for (;;) {
      const start = this.peek()
      if (start.kind !== 'word' && start.text !== '!') throw badRequest(`found '${start.text}', expected: !, identifier, or 'end of string'`)
      out.push(allowed(this.requirement()))
      const after = this.next()
      if (after.kind === 'end') return out
      if (after.text !== ',') throw badRequest(`found '${after.text}', expected: ',' or 'end of string'`)
      const following = this.peek()
      if (following.kind !== 'word' && following.text !== '!') throw badRequest(`found '${following.text}', expected: identifier after ','`)
    }
  }

  requirement(): LabelRequirement {
    if (this.peek().text === '!') {
      this.next()
      return this.keyOnly('!')
    }
    const key = this.key()
    if (this.peek().kind === 'end' || this.peek().text === ',') return { key, operator: 'exists', values: [] }
    const operator = this.operator()
    return { key, operator, values: operator === 'in' || operator === 'notin' ? this.list() : [this.value()] }
  }

  keyOnly(operator: LabelOperator): LabelRequirement { return { key: this.key(), operator, values: [] } }

  key(): string {
    const token = this.next()
    if (token.kind !== 'word') throw wrong(`found '${token.text}', expected: identifier`)
    const problem = wrongKey(token.text)
    // Kubernetes names no field here, and says so.
    if (problem !== undefined) throw wrong(String(path('<nil>').invalid(token.text, problem)))
    return token.text
  }

  operator(): LabelOperator {
    const { text } = this.next()
    if (text === '<') return 'lt'
    if (text === '>') return 'gt'
    if (text === '=' || text === '==' || text === '!=' || text === 'in' || text === 'notin') return text
    throw wrong(`found '${text}', expected: ${binaryOperators.join(', ')}`)
  }

  /** One value; nothing before a comma or the end is the empty value. */
  value(): string {
    const token = this.peek()
    if (token.kind === 'end' || token.text === ',') return ''
    if (token.kind !== 'word') throw wrong(`found '${token.text}', expected: identifier`)
    return this.next().text
  }

  /** The values between parentheses, sorted; where commas have nothing between them, the empty value. */
  list(): string[] {
    const open = this.next()
    if (open.text !== '(') throw wrong(`found '${open.text}' expected: '('`)
    const first = this.peek()
    if (first.kind !== 'word' && first.text !== ',' && first.text !== ')') throw wrong(`found '${first.text}', expected: ',', ')' or identifier`)
    const values = new Set<string>()
    let wanted = true
    for (;;) {
      const token = this.next()
      if (token.kind === 'word') {
        const { text } = this.peek()
        if (text !== ',' && text !== ')') throw wrong(`found '${text}', expected: ',' or ')'`)
        values.add(token.text)
        wanted = false
      } else if (token.text === ',' || token.text === ')') {
        if (wanted) values.add('')
        if (token.text === ')') return [...values].sort()
        wanted = true
      } else throw wrong(`found '${token.text}', expected: ',', or identifier`)
    }
  }
}

const wrong = (text: string) => badRequest(`unable to parse requirement: ${text}`)

function allowed(requirement: LabelRequirement): LabelRequirement {
  try {
    return checked(requirement)
  } catch (error) {
    throw wrong((error as Error).message)
  }
}

/** Reads `app=web,tier in (a,b),!old`. Throws `ApiError` 400 as the API server words it. */
export function parseLabelSelector(text: string): LabelSelector {
  const requirements = new Parser(text).requirements()
  return requirements.length === 0 ? everything : labelSelectorOf(requirements)
}
