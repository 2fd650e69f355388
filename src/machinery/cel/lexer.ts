/** The lexer: splits an expression into tokens. */
import type { CelIssue } from './errors.ts'

export interface Token {
  readonly kind: 'ident' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'op' | 'end'
  /** As written. */
  readonly text: string
  readonly pos: number
  /** The value of a string or bytes literal. */
  readonly value?: string | Uint8Array
}

/** Thrown by lexer and parser. */
export class SyntaxFailure extends Error {
  readonly issue: CelIssue
  constructor(offset: number, message: string) {
    super(message)
    this.issue = { offset, message }
  }
}

const blank = /(?:[ \t\r\n\f]+|\/\/[^\n]*)*/y
const number = /0[xX][0-9a-fA-F]+[uU]?|\d+\.\d+(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\d+[uU]?/y
const ident = /[A-Za-z_][A-Za-z0-9_]*/y
const operator = /&&|\|\||==|!=|<=|>=|[-+*/%!<>?:.,()[\]{}]/y
const stringStart = /(?:[rR][bB]?|[bB][rR]?)?(?:"""|'''|"|')/y

const at = (pattern: RegExp, source: string, pos: number): string | undefined => {
  pattern.lastIndex = pos
  return pattern.exec(source)?.[0]
}

/** All tokens, an `end` last. */
export function tokenize(source: string): Token[] {
  const tokens: Token[] = []
  let pos = 0
  for (;;) {
    pos += at(blank, source, pos)?.length ?? 0
    if (pos >= source.length) return [...tokens, { kind: 'end', text: '<EOF>', pos }]
    const token = next(source, pos)
    tokens.push(token)
    pos += token.text.length
  }
}

function next(source: string, pos: number): Token {
  const quote = at(stringStart, source, pos)
  if (quote !== undefined) return stringToken(source, pos, quote)
  const name = at(ident, source, pos)
  if (name !== undefined) return { kind: 'ident', text: name, pos }
  const digits = at(number, source, pos)
  if (digits !== undefined) {
    const kind = /[uU]$/.test(digits) ? 'uint' : /^0[xX]|^\d+$/.test(digits) ? 'int' : 'double'
    return { kind, text: digits, pos }
  }
  const op = at(operator, source, pos)
  if (op !== undefined) return { kind: 'op', text: op, pos }
  // What could have become a longer operator is shown with the character that it did not go on with.
  const bad = String.fromCodePoint(source.codePointAt(pos) ?? 0)
  throw new SyntaxFailure(pos, `Syntax error: token recognition error at: '${'&|='.includes(bad) ? source.slice(pos, pos + 2) : bad}'`)
}

function stringToken(source: string, pos: number, opening: string): Token {
  const prefix = opening.replace(/["']+$/, '').toLowerCase()
  const quote = opening.slice(prefix.length)
  const raw = prefix.includes('r')
  let end = pos + opening.length
  for (;;) {
    if (end >= source.length || (quote.length === 1 && source[end] === '\n')) {
      throw new SyntaxFailure(pos, `Syntax error: token recognition error at: '${source.slice(pos, end)}'`)
    }
    if (source.startsWith(quote, end)) break
    end += source[end] === '\\' && !raw ? 2 : 1
  }
  const text = source.slice(pos, end + quote.length)
  const body = source.slice(pos + opening.length, end)
  if (prefix.includes('b')) return { kind: 'bytes', text, pos, value: raw ? new TextEncoder().encode(body) : unescapeBytes(body, pos, opening) }
  return { kind: 'string', text, pos, value: raw ? body : unescapeString(body, pos, opening) }
}

const simple: Readonly<Record<string, string>> = {
  a: '\u0007', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', '\\': '\\', '?': '?', '"': '"', "'": "'", '`': '`',
}
const escape = /\\(?:([abfnrtv\\?"'`])|x([0-9a-fA-F]{2})|X([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-3][0-7]{2}))/y
/** An escape as far as it is one, with the character that does not belong. */
const begun = /^\\(?:[xX][0-9a-fA-F]?|u[0-9a-fA-F]{0,3}|U[0-9a-fA-F]{0,7}|[0-3][0-7]?)?[^]?/

interface Piece { readonly text?: string; readonly byte?: number }

/** The pieces of a literal: text, or the number of a character (of a byte, in bytes). */
function* pieces(body: string, pos: number, opening: string, bytes: boolean): Iterable<Piece> {
  for (let i = 0; i < body.length;) {
    if (body[i] !== '\\') {
      const end = body.indexOf('\\', i)
      yield { text: body.slice(i, end < 0 ? undefined : end) }
      i = end < 0 ? body.length : end
      continue
    }
    escape.lastIndex = i
    const found = escape.exec(body)
    if (!found) throw new SyntaxFailure(pos, `Syntax error: token recognition error at: '${opening}${body.slice(0, i)}${begun.exec(body.slice(i))?.[0] ?? ''}'`)
    const [all, plain, x, X, u, U, octal] = found
    i += all.length
    if (plain !== undefined) { yield { text: simple[plain] as string }; continue }
    const code = Number.parseInt(x ?? X ?? u ?? U ?? octal ?? '', octal === undefined ? 16 : 8)
    if (u !== undefined || U !== undefined) {
      if (bytes || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) throw new SyntaxFailure(pos, 'invalid unicode code point')
    }
    yield { byte: code }
  }
}

function unescapeString(body: string, pos: number, opening: string): string {
  let out = ''
  for (const { text, byte } of pieces(body, pos, opening, false)) out += text ?? String.fromCodePoint(byte as number)
  return out
}

function unescapeBytes(body: string, pos: number, opening: string): Uint8Array {
  const out: number[] = []
  for (const { text, byte } of pieces(body, pos, opening, true)) {
    if (text === undefined) out.push(byte as number)
    else for (const each of new TextEncoder().encode(text)) out.push(each)
  }
  return Uint8Array.from(out)
}
