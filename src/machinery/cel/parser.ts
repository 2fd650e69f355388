/** From text to an expression. A recursive descent over the grammar of CEL, with its macros recognised on the way. */
import { childrenOf, type Expr } from './ast.ts'
import { compileError } from './errors.ts'
import { SyntaxFailure, tokenize, type Token } from './lexer.ts'
import { binding, macro } from './macros.ts'
import { BOOL, BYTES, DOUBLE, INT, NULL, STRING, UINT } from './types.ts'
import { Uint } from './values.ts'

/** An expression is at most this long, and nested at most this deep (cel-go's limits). */
const maxLength = 100_000
const maxDepth = 250
/** Chains (`a.b.c`, `1 + 1 + 1`) are as deep as they are long: the tree is at most this high. */
const maxHeight = 1_000

const reserved = new Set('as break const continue else for function if import let loop package namespace return var void while'.split(' '))
const levels: readonly (readonly string[])[] = [['==', '!=', '<', '<=', '>', '>=', 'in'], ['+', '-'], ['*', '/', '%']]
/** Whether an expression can begin with this. */
const begins = ({ kind, text }: Token): boolean => (kind === 'op' ? '[{(.-!'.includes(text) : kind !== 'end' && text !== 'in')
const anything = "expecting {'[', '{', '(', '.', '-', '!', 'true', 'false', 'null', NUM_FLOAT, NUM_INT, NUM_UINT, STRING, BYTES, IDENTIFIER}"

/** The expression in `source`. Throws `CelError` with cel-go's wording. */
export function parseCel(source: string, { bindings = false }: { readonly bindings?: boolean } = {}): Expr {
  try {
    if (source.length > maxLength) {
      const size = [...source].length
      if (size > maxLength) throw new SyntaxFailure(0, `expression code point size exceeds limit: size: ${size}, limit ${maxLength}`)
    }
    const expr = new Parser(tokenize(source), bindings).whole()
    if (height(expr) > maxHeight) throw new SyntaxFailure(0, `expression recursion limit exceeded: ${maxHeight}`)
    return expr
  } catch (error) {
    if (error instanceof SyntaxFailure) throw compileError(source, [error.issue])
    throw error
  }
}

/** How many levels a tree has, found without recursion: what everything after may recurse into. */
function height(root: Expr): number {
  let level: readonly Expr[] = [root]
  let levels = 0
  for (; level.length > 0 && levels <= maxHeight; levels++) level = level.flatMap(childrenOf)
  return levels
}

class Parser {
  private readonly tokens: readonly Token[]
  private at = 0
  private depth = 0

  private readonly bindings: boolean

  constructor(tokens: readonly Token[], bindings: boolean) {
    this.tokens = tokens
    this.bindings = bindings
  }

  whole(): Expr {
    const expr = this.expression()
    if (this.peek.kind !== 'end') this.unexpected('expecting <EOF>', ({ kind }) => kind === 'end')
    return expr
  }

  private get peek(): Token { return this.tokens[this.at] as Token }
  private take(): Token { const token = this.peek; this.at++; return token }
  private is(text: string): boolean { const { kind, text: found } = this.peek; return found === text && (kind === 'op' || kind === 'ident') }
  private accept(text: string): Token | undefined { return this.is(text) ? this.take() : undefined }

  private expect(text: string): Token {
    return this.accept(text) ?? this.unexpected(`expecting '${text}'`, (next) => next.kind === 'op' && next.text === text)
  }

  /** What stands here does not belong; it is extraneous when what comes after it would. */
  private unexpected(wanted: string, fits: (next: Token) => boolean = () => false): never {
    const { text, pos, kind } = this.peek
    const next = this.tokens[this.at + 1]
    throw new SyntaxFailure(pos, `Syntax error: ${kind !== 'end' && next && fits(next) ? 'extraneous' : 'mismatched'} input '${text}' ${wanted}`)
  }

  /** `a ? b : c`, the loosest of all; everything nested comes through here. */
  private expression(): Expr {
    if (++this.depth > maxDepth) throw new SyntaxFailure(this.peek.pos, `expression recursion limit exceeded: ${maxDepth}`)
    const condition = this.logical('||', () => this.logical('&&', () => this.binary(0)))
    let expr = condition
    const question = this.accept('?')
    if (question) {
      const yes = this.logical('||', () => this.logical('&&', () => this.binary(0)))
      this.expect(':')
      const no = this.expression()
      expr = { kind: 'call', pos: question.pos, fn: '_?_:_', args: [condition, yes, no] }
    }
    this.depth--
    return expr
  }

  /** A chain of `&&` or `||`, as a tree that is balanced: thousands of terms do not nest deep. */
  private logical(op: '&&' | '||', term: () => Expr): Expr {
    const terms = [term()]
    const positions: number[] = []
    for (let found = this.accept(op); found; found = this.accept(op)) {
      positions.push(found.pos)
      terms.push(term())
    }
    const balanced = (from: number, to: number): Expr => {
      if (from === to) return terms[from] as Expr
      const middle = (from + to) >> 1
      return { kind: 'call', pos: positions[middle] as number, fn: `_${op}_`, args: [balanced(from, middle), balanced(middle + 1, to)] }
    }
    return balanced(0, terms.length - 1)
  }

  private binary(level: number): Expr {
    const operators = levels[level]
    if (!operators) return this.unary()
    let left = this.binary(level + 1)
    while (operators.includes(this.peek.text) && (this.peek.kind === 'op' || (this.peek.kind === 'ident' && this.peek.text === 'in'))) {
      const { text, pos } = this.take()
      const right = this.binary(level + 1)
      left = { kind: 'call', pos, fn: text === 'in' ? '@in' : `_${text}_`, args: [left, right] }
    }
    return left
  }

  private unary(): Expr {
    const { text, pos, kind } = this.peek
    if (this.accept('!')) {
      let odd = true
      while (this.accept('!')) odd = !odd
      const operand = this.member()
      return odd ? { kind: 'call', pos, fn: '!_', args: [operand] } : operand
    }
    if (text !== '-' || kind !== 'op') return this.member()
    this.take()
    let odd = true
    while (this.accept('-')) odd = !odd
    if (odd && (['int', 'double'] as Token['kind'][]).includes(this.peek.kind)) return this.member(pos)
    const operand = this.member()
    return odd ? { kind: 'call', pos, fn: '-_', args: [operand] } : operand
  }

  /** A primary with everything that hangs on it. `negative` is where the minus of a literal stood. */
  private member(negative?: number): Expr {
    let expr = this.primary(negative)
    for (;;) {
      const { text, kind } = this.peek
      if (kind !== 'op') return expr
      if (text === '.') expr = this.select(expr)
      else if (text === '[') expr = this.index(expr)
      else return expr
    }
  }

  private select(operand: Expr): Expr {
    const { pos } = this.take()
    const optional = this.accept('?')
    const name = this.peek
    if (name.kind !== 'ident' && name.kind !== 'end' && !optional) throw new SyntaxFailure(name.pos, `Syntax error: no viable alternative at input '.${name.text}'`)
    if (name.kind !== 'ident') return this.unexpected('expecting IDENTIFIER')
    if (['in', 'true', 'false', 'null'].includes(name.text)) throw new SyntaxFailure(name.pos, `Syntax error: mismatched input '${name.text}' expecting IDENTIFIER`)
    this.take()
    if (optional) return { kind: 'call', pos, fn: '_?._', args: [operand, { kind: 'literal', pos: name.pos, value: name.text, type: STRING }] }
    const open = this.accept('(')
    if (!open) return { kind: 'select', pos, operand, field: name.text, test: false }
    const args = this.list(')')
    if (this.bindings && operand.kind === 'ident' && operand.name === 'cel' && name.text === 'bind' && args.length === 3) return binding(open.pos, args)
    return macro(name.text, open.pos, operand, args) ?? { kind: 'call', pos: open.pos, fn: name.text, target: operand, args }
  }

  private index(operand: Expr): Expr {
    const { pos } = this.take()
    const optional = this.accept('?')
    const index = this.expression()
    this.expect(']')
    return { kind: 'call', pos, fn: optional ? '_[?_]' : '_[_]', args: [operand, index] }
  }

  /** Expressions separated by commas, up to `close`. */
  private list(close: string): Expr[] {
    const items: Expr[] = []
    while (!this.accept(close)) {
      items.push(this.expression())
      if (!this.is(close)) this.expect(',')
      else continue
      if (this.is(close)) this.unexpected(anything)
    }
    return items
  }

  private primary(negative?: number): Expr {
    const token = this.peek
    const pos = negative ?? token.pos
    switch (token.kind) {
      case 'int': return this.take(), { kind: 'literal', pos, value: integer(token, negative !== undefined), type: INT }
      case 'uint': return this.take(), { kind: 'literal', pos, value: unsigned(token), type: UINT }
      case 'double': return this.take(), { kind: 'literal', pos, value: double(token, negative !== undefined), type: DOUBLE }
      case 'string': return this.take(), { kind: 'literal', pos, value: token.value as string, type: STRING }
      case 'bytes': return this.take(), { kind: 'literal', pos, value: token.value as Uint8Array, type: BYTES }
      case 'ident': return this.named()
      case 'end': return this.unexpected(anything)
      default: return this.bracketed()
    }
  }

  private bracketed(): Expr {
    const { text, pos } = this.peek
    if (this.accept('(')) {
      const inner = this.expression()
      this.expect(')')
      return inner
    }
    if (this.accept('[')) return this.listLiteral(pos)
    if (this.accept('{')) return this.mapLiteral(pos)
    if (text === '.' && this.tokens[this.at + 1]?.kind === 'ident') {
      this.take()
      return this.named()
    }
    return this.unexpected(anything, begins)
  }

  private listLiteral(pos: number): Expr {
    const elements: { value: Expr; optional: boolean }[] = []
    while (!this.accept(']')) {
      const optional = this.accept('?') !== undefined
      elements.push({ value: this.expression(), optional })
      if (!this.is(']')) this.expect(',')
    }
    return { kind: 'list', pos, elements }
  }

  private mapLiteral(pos: number): Expr {
    const entries: { key: Expr; value: Expr; optional: boolean; pos: number }[] = []
    while (!this.accept('}')) {
      const optional = this.accept('?') !== undefined
      const key = this.expression()
      const colon = this.expect(':')
      entries.push({ key, value: this.expression(), optional, pos: colon.pos })
      if (!this.is('}')) this.expect(',')
    }
    return { kind: 'map', pos, entries }
  }

  private named(): Expr {
    const { text, pos } = this.take()
    if (text === 'true' || text === 'false') return { kind: 'literal', pos, value: text === 'true', type: BOOL }
    if (text === 'null') return { kind: 'literal', pos, value: null, type: NULL }
    if (text === 'in') throw new SyntaxFailure(pos, `Syntax error: ${begins(this.peek) ? 'extraneous' : 'mismatched'} input 'in' ${anything}`)
    if (reserved.has(text)) throw new SyntaxFailure(pos, `reserved identifier: ${text}`)
    const open = this.accept('(')
    if (open) {
      const args = this.list(')')
      return macro(text, open.pos, undefined, args) ?? { kind: 'call', pos: open.pos, fn: text, args }
    }
    return this.struct(text, pos) ?? { kind: 'ident', pos, name: text }
  }

  /** `Type.name{field: value}`; undefined, with nothing taken, when it is none. */
  private struct(first: string, start: number): Expr | undefined {
    const from = this.at
    let name = first
    while (this.is('.') && this.tokens[this.at + 1]?.kind === 'ident') {
      this.take()
      name += `.${this.take().text}`
    }
    const open = this.accept('{')
    if (!open) return void (this.at = from)
    const fields: { name: string; value: Expr; optional: boolean; pos: number }[] = []
    while (!this.accept('}')) {
      const optional = this.accept('?') !== undefined
      const field = this.peek
      if (field.kind !== 'ident') return this.unexpected("expecting {'}', ',', '?', IDENTIFIER, ESC_IDENTIFIER}", (next) => next.kind === 'ident' || '},?'.includes(next.text))
      this.take()
      const colon = this.expect(':')
      fields.push({ name: field.text, value: this.expression(), optional, pos: colon.pos })
      if (!this.is('}')) this.expect(',')
    }
    return { kind: 'struct', pos: Math.max(open.pos, start), name, fields }
  }
}

function integer({ text, pos }: Token, negative: boolean): bigint {
  const value = negative ? -BigInt(text) : BigInt(text)
  if (BigInt.asIntN(64, value) !== value) throw new SyntaxFailure(pos, 'invalid int literal')
  return value
}

function unsigned({ text, pos }: Token): Uint {
  const value = BigInt(text.slice(0, -1))
  if (BigInt.asUintN(64, value) !== value) throw new SyntaxFailure(pos, 'invalid uint literal')
  return new Uint(value)
}

function double({ text, pos }: Token, negative: boolean): number {
  const value = Number(text)
  if (!Number.isFinite(value)) throw new SyntaxFailure(pos, 'invalid double literal')
  return negative ? -value : value
}
