/** JSONPath as Kubernetes writes it in printer columns and paths of definitions: `.spec.replicas`, `.status.conditions[?(@.type=="Ready")].status`. */

/** Finds the values that a path leads to, in the order of the document; none where it leads nowhere. */
export type JsonPath = (document: unknown) => readonly unknown[]

type Step = (values: readonly unknown[]) => readonly unknown[]

/** Compiles a path, with or without braces around it. Throws an `Error` that says what is wrong with it. */
export function compileJsonPath(source: string): JsonPath {
  const text = source.startsWith('{') && source.endsWith('}') ? source.slice(1, -1) : source
  const steps: Step[] = []
  let at = text.startsWith('$') ? 1 : 0
  if (at === text.length && text !== '.' && text !== '$') throw new Error('the path is empty')
  while (at < text.length) {
    const parsed = stepAt(text, at)
    if (parsed.step) steps.push(parsed.step)
    at = parsed.end
  }
  return (document) => steps.reduce<readonly unknown[]>((values, step) => step(values), [document])
}

interface Parsed { readonly step: Step | undefined; readonly end: number }

function stepAt(text: string, at: number): Parsed {
  if (text[at] === '[') return bracketAt(text, at)
  if (text.startsWith('..', at)) {
    const { step, end } = text[at + 2] === '[' ? bracketAt(text, at + 2) : nameAt(text, at + 2)
    return { step: (values) => (step ?? same)(values.flatMap(descendants)), end }
  }
  if (text[at] !== '.') throw new Error(`unexpected ${JSON.stringify(text[at])} at position ${at} of ${JSON.stringify(text)}`)
  // A dot alone is the document itself; before a bracket it says nothing.
  if (text === '.' || text[at + 1] === '[') return { step: undefined, end: at + 1 }
  return nameAt(text, at + 1)
}

const same: Step = (values) => values

/** A field's name up to the next dot or bracket; a backslash takes the next character as it is. */
function nameAt(text: string, from: number): Parsed {
  let name = ''
  let at = from
  for (; at < text.length && text[at] !== '.' && text[at] !== '['; at++) {
    if (text[at] === '\\' && at + 1 < text.length) at++
    name += text[at]
  }
  if (name === '') throw new Error(`a name is missing at position ${from} of ${JSON.stringify(text)}`)
  return { step: name === '*' ? every : field(name), end: at }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)

const field = (name: string): Step => (values) => values.flatMap((value) => (isObject(value) && Object.hasOwn(value, name) && value[name] !== undefined ? [value[name]] : []))

const childrenOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : isObject(value) ? Object.values(value) : [])
const every: Step = (values) => values.flatMap(childrenOf)
const descendants = (value: unknown): readonly unknown[] => [value, ...childrenOf(value).flatMap(descendants)]

/** What stands in brackets: names in quotes, indexes, a slice, a star, a filter. */
function bracketAt(text: string, at: number): Parsed {
  const end = closing(text, at)
  const inner = text.slice(at + 1, end).trim()
  return { step: bracket(inner), end: end + 1 }
}

/** Where the bracket that opens at `at` closes. */
function closing(text: string, at: number): number {
  let depth = 0
  let quote = ''
  for (let i = at; i < text.length; i++) {
    const c = text[i] as string
    if (quote) {
      if (c === '\\') i++
      else if (c === quote) quote = ''
    } else if (c === '"' || c === "'") quote = c
    else if (c === '[') depth++
    else if (c === ']' && --depth === 0) return i
  }
  throw new Error(`unterminated array in ${JSON.stringify(text)}`)
}

function bracket(inner: string): Step {
  if (inner === '*' || inner === '') return every
  const filter = /^\?\((.*)\)$/s.exec(inner)
  if (filter) return filterOf(filter[1] as string)
  const names = quotedNames(inner)
  // A name in quotes is a path as well: a dot in it wants a backslash.
  if (names) return (values) => names.flatMap((name) => name.split(/(?<!\\)\./).reduce((found, part) => field(part.replaceAll('\\.', '.'))(found), values))
  const slice = /^(-?\d+)?:(-?\d+)?(?::(\d+))?$/.exec(inner)
  if (slice) return sliceOf(slice[1], slice[2], slice[3])
  if (!/^-?\d+(\s*,\s*-?\d+)*$/.test(inner)) throw new Error(`invalid array index ${inner}`)
  const indexes = inner.split(',').map(Number)
  return (values) => values.flatMap((value) => (Array.isArray(value) ? indexes.flatMap((i) => value.slice(i, i === -1 ? undefined : i + 1)) : []))
}

const quoted = /^\s*(?:'((?:[^'\\]|\\.)*)'|"((?:[^"\\]|\\.)*)")\s*(?:,|$)/

function quotedNames(inner: string): readonly string[] | undefined {
  const names: string[] = []
  let rest = inner
  while (rest !== '') {
    const match = quoted.exec(rest)
    if (!match) return undefined
    names.push((match[1] ?? match[2] ?? '').replace(/\\([^.])/g, '$1'))
    rest = rest.slice(match[0].length)
  }
  return names.length > 0 ? names : undefined
}

function sliceOf(from: string | undefined, to: string | undefined, step: string | undefined): Step {
  const stride = Number(step ?? 1)
  if (stride === 0) throw new Error('the step of a slice must be greater than 0')
  return (values) => values.flatMap((value) => (Array.isArray(value) ? value.slice(from ? Number(from) : 0, to ? Number(to) : undefined).filter((_, i) => i % stride === 0) : []))
}

const operators = ['==', '!=', '<=', '>=', '<', '>'] as const
type Operator = (typeof operators)[number]

function filterOf(expression: string): Step {
  const { left, operator, right } = splitFilter(expression)
  const leftOf = operand(left)
  const rightOf = operator && operand(right)
  const holds = (item: unknown): boolean => {
    const [a] = leftOf(item)
    if (!operator || !rightOf) return a !== undefined
    const [b] = rightOf(item)
    return a !== undefined && b !== undefined && compare(a, operator, b)
  }
  return (values) => values.flatMap((value) => childrenOf(value).filter(holds))
}

function splitFilter(text: string): { readonly left: string; readonly operator?: Operator; readonly right: string } {
  let quote = ''
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string
    if (quote) {
      if (c === quote) quote = ''
      continue
    }
    if (c === '"' || c === "'") quote = c
    const operator = operators.find((o) => text.startsWith(o, i))
    if (operator) return { left: text.slice(0, i).trim(), operator, right: text.slice(i + operator.length).trim() }
  }
  return { left: text.trim(), right: '' }
}

/** A path from the item (`@.type`), or a literal. */
function operand(text: string): JsonPath {
  if (text.startsWith('@')) return compileJsonPath(text.slice(1) || '.')
  const names = quotedNames(text)
  if (names?.length === 1) return () => names
  if (text === 'true' || text === 'false') return () => [text === 'true']
  if (text !== '' && !Number.isNaN(Number(text))) return () => [Number(text)]
  throw new Error(`unrecognized filter ${JSON.stringify(text)}`)
}

function compare(a: unknown, operator: Operator, b: unknown): boolean {
  if (operator === '==') return a === b
  if (operator === '!=') return a !== b
  if (typeof a !== typeof b || (typeof a !== 'number' && typeof a !== 'string')) return false
  const order = a < (b as typeof a) ? -1 : a > (b as typeof a) ? 1 : 0
  return operator === '<' ? order < 0 : operator === '<=' ? order <= 0 : operator === '>' ? order > 0 : order >= 0
}
