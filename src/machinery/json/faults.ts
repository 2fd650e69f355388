/** What keeps a text from being a time, a duration or base64, in the words in which Go's library says it. */

/** The parts of a time's form, each with what is read by it: undefined where it does not fit. */
type Piece = readonly [form: string, read: (text: string) => number | undefined, range?: (read: string) => string | undefined]

const fixed = (expression: RegExp) => (text: string): number | undefined => expression.exec(text)?.[0].length
const number = (form: string, expression: RegExp, least = 0, most = Infinity, name = ''): Piece => [form, fixed(expression), (read) => (Number(read) < least || Number(read) > most ? name : undefined)]
const literal = (text: string): Piece => [text, (rest) => (rest.startsWith(text) ? text.length : undefined)]
const zone: Piece = ['Z07:00', fixed(/^(?:Z|[+-]\d\d:\d\d)/), (read) => (read === 'Z' ? undefined : Number(read.slice(1, 3)) > 24 ? 'time zone offset hour' : Number(read.slice(4)) > 60 ? 'time zone offset minute' : undefined)]

const pieces: readonly Piece[] = [
  number('2006', /^\d{4}/), literal('-'), number('01', /^\d\d/, 1, 12, 'month'), literal('-'), number('02', /^\d\d/), literal('T'),
  number('15', /^\d\d?/, 0, 23, 'hour'), literal(':'), number('04', /^\d\d/, 0, 59, 'minute'), literal(':'), number('05', /^\d\d/, 0, 59, 'second'),
]

/** Why a text is no RFC 3339 time (`micro`: with six digits of a second's parts). */
export function timeFault(text: string, micro: boolean): string {
  const said = `parsing time ${JSON.stringify(text)}`
  const form = micro ? '2006-01-02T15:04:05.000000Z07:00' : '2006-01-02T15:04:05Z07:00'
  const parts: Piece = micro ? ['.000000', fixed(/^[.,]\d{6}/)] : ['', fixed(/^(?:[.,]\d+)?/)]
  let rest = text
  for (const [piece, read, range] of [...pieces, parts, zone]) {
    const length = read(rest)
    if (length === undefined) return `${said} as "${form}": cannot parse ${JSON.stringify(rest)} as "${piece}"`
    const beyond = range?.(rest.slice(0, length))
    if (beyond) return `${said}: ${beyond} out of range`
    rest = rest.slice(length)
  }
  return rest ? `${said}: extra text: ${JSON.stringify(rest)}` : `${said}: day out of range`
}

const units = new Set(['ns', 'us', 'µs', 'μs', 'ms', 's', 'm', 'h'])

/** Why a text is no duration. */
export function durationFault(text: string): string {
  const quoted = JSON.stringify(text)
  let rest = text.replace(/^[-+]/, '')
  while (rest) {
    const [amount = ''] = /^\d*(?:\.\d*)?/.exec(rest) ?? []
    if (!/\d/.test(amount)) break
    const [unit = ''] = /^[^.\d]*/.exec(rest.slice(amount.length)) ?? []
    if (unit === '') return `time: missing unit in duration ${quoted}`
    if (!units.has(unit)) return `time: unknown unit ${JSON.stringify(unit)} in duration ${quoted}`
    rest = rest.slice(amount.length + unit.length)
  }
  return `time: invalid duration ${quoted}`
}

/** Why a text is no base64: where the first byte stands that does not belong there. */
export function base64Fault(text: string): string {
  const at = (byte: number): string => `illegal base64 data at input byte ${byte}`
  let inGroup = 0
  for (let i = 0; i < text.length; i++) {
    const c = text[i] as string
    if (c === '\r' || c === '\n') continue
    if (c === '=') {
      if (inGroup < 2) return at(i)
      const padding = /^=[\r\n]*/.exec(text.slice(i)) ?? ['']
      if (inGroup === 3) return at(i + padding[0].length)
      const next = i + padding[0].length
      if (text[next] !== '=') return at(next < text.length ? next : text.length)
      return at(next + (/^=[\r\n]*/.exec(text.slice(next)) ?? [''])[0].length)
    }
    if (!/[A-Za-z0-9+/]/.test(c)) return at(Buffer.byteLength(text.slice(0, i)))
    inGroup = (inGroup + 1) % 4
  }
  return at(text.length - inGroup)
}
