/** What keeps a text from being JSON, in the words in which Go's parser says it: users look for them. */

class Fault extends Error {}

/** The first thing wrong with the text; undefined where it is JSON. Quotes no more of it than one character. */
export function jsonFault(text: string): string | undefined {
  try {
    const end = value(text, space(text, 0), 0)
    return space(text, end) < text.length ? strange(text[space(text, end)], 'after top-level value').message : undefined
  } catch (error) {
    if (error instanceof Fault) return error.message
    throw error
  }
}

const deepest = 10_000

/** A character as Go quotes it: beyond ASCII, the first of its bytes. */
function quoted(character: string): string {
  if (character === "'") return "'\\''"
  if (character === '"') return "'\"'"
  const code = character.charCodeAt(0)
  if (code > 0x7e) return code === 0x7f ? "'\\x7f'" : `'${String.fromCharCode(Buffer.from(character)[0] as number)}'`
  const escaped = JSON.stringify(character).slice(1, -1)
  return `'${escaped.startsWith('\\u00') ? shortEscapes[code] ?? `\\x${escaped.slice(4)}` : escaped}'`
}

const shortEscapes: Readonly<Record<number, string>> = { 7: '\\a', 11: '\\v' }

const strange = (character: string | undefined, where: string): Fault =>
  new Fault(character === undefined ? 'unexpected end of JSON input' : `invalid character ${quoted(character)} ${where}`)

function space(text: string, from: number): number {
  let at = from
  while (text[at] === ' ' || text[at] === '\n' || text[at] === '\r' || text[at] === '\t') at++
  return at
}

/** Each of these returns where what it reads ends. */
function value(text: string, at: number, depth: number): number {
  if (depth > deepest) throw new Fault('exceeded max depth')
  switch (text[at]) {
    case '{': return object(text, at, depth)
    case '[': return array(text, at, depth)
    case '"': return string(text, at)
    case 't': return literal(text, at, 'true')
    case 'f': return literal(text, at, 'false')
    case 'n': return literal(text, at, 'null')
    default: return number(text, at)
  }
}

function object(text: string, start: number, depth: number): number {
  let at = space(text, start + 1)
  if (text[at] === '}') return at + 1
  for (;;) {
    if (text[at] !== '"') throw strange(text[at], 'looking for beginning of object key string')
    at = space(text, string(text, at))
    if (text[at] !== ':') throw strange(text[at], 'after object key')
    at = space(text, value(text, space(text, at + 1), depth + 1))
    if (text[at] === '}') return at + 1
    if (text[at] !== ',') throw strange(text[at], 'after object key:value pair')
    at = space(text, at + 1)
  }
}

function array(text: string, start: number, depth: number): number {
  let at = space(text, start + 1)
  if (text[at] === ']') return at + 1
  for (;;) {
    at = space(text, value(text, at, depth + 1))
    if (text[at] === ']') return at + 1
    if (text[at] !== ',') throw strange(text[at], 'after array element')
    at = space(text, at + 1)
  }
}

function string(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    const character = text[at]
    if (character === '"') return at + 1
    if (character === undefined || character < ' ') throw strange(character, 'in string literal')
    if (character !== '\\') continue
    const escaped = text[++at]
    if (escaped === undefined || !'bfnrt\\/"u'.includes(escaped)) throw strange(escaped, 'in string escape code')
    if (escaped !== 'u') continue
    for (const end = at + 4; at < end;) if (!/[0-9a-fA-F]/.test(text[++at] ?? '')) throw strange(text[at], 'in \\u hexadecimal character escape')
  }
}

function literal(text: string, start: number, word: string): number {
  for (let i = 1; i < word.length; i++) {
    if (text[start + i] !== word[i]) throw strange(text[start + i], `in literal ${word} (expecting '${word[i]}')`)
  }
  return start + word.length
}

const isDigit = (character: string | undefined): boolean => character !== undefined && character >= '0' && character <= '9'

function digits(text: string, from: number, where: string): number {
  if (!isDigit(text[from])) throw strange(text[from], where)
  let at = from
  while (isDigit(text[at])) at++
  return at
}

function number(text: string, start: number): number {
  if (text[start] !== '-' && !isDigit(text[start])) throw strange(text[start], 'looking for beginning of value')
  let at = text[start] === '-' ? start + 1 : start
  at = text[at] === '0' ? at + 1 : digits(text, at, 'in numeric literal')
  if (text[at] === '.') at = digits(text, at + 1, 'after decimal point in numeric literal')
  if (text[at] !== 'e' && text[at] !== 'E') return at
  const sign = text[at + 1]
  return digits(text, sign === '+' || sign === '-' ? at + 2 : at + 1, 'in exponent of numeric literal')
}
