/** Kubernetes's named formats: `format.dns1123Label().validate(name)`. */
import { dns1035Label, dns1123Label, dns1123Subdomain, labelValue, qualifiedName, type NameRule } from '../../names.ts'
import { exactly, fn, method, product, scaled, type FunctionDeclaration } from '../functions.ts'
import { parseTimestamp } from '../time.ts'
import { STRING, listOf, opaque, optionalOf } from '../types.ts'
import { Boxed, CelList, NONE, Optional } from '../values.ts'
import { urlError } from './url.ts'

const type = opaque('kubernetes.NamedFormat')

class Format extends Boxed {
  readonly typeName = 'kubernetes.NamedFormat'
  readonly name: string
  readonly rule: NameRule
  /** How long the pattern behind it is, which is what a check costs. */
  readonly pattern: number
  constructor(name: string, rule: NameRule, pattern: number) { super(); this.name = name; this.rule = rule; this.pattern = pattern }
  override equals(other: Format): boolean { return this.name === other.name }
}

/** A prefix may end with a dash: it stands for any letter that follows. */
const asPrefix = (rule: NameRule): NameRule => (value) => rule(/[^-]-$/.test(value) ? `${value.slice(0, -1)}a` : value)
const unless = (good: (value: string) => boolean, message: string): NameRule => (value) => (good(value) ? [] : [message])
const base64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/
const realDate = (value: string): boolean => /^\d{4}-\d\d-\d\d$/.test(value) && parseTimestamp(value) !== undefined

const formats = new Map<string, Format>(([
  ['dns1123Label', dns1123Label, 30],
  ['dns1123Subdomain', dns1123Subdomain, 60],
  ['dns1035Label', dns1035Label, 30],
  ['qualifiedName', qualifiedName, 60],
  ['dns1123LabelPrefix', asPrefix(dns1123Label), 30],
  ['dns1123SubdomainPrefix', asPrefix(dns1123Subdomain), 60],
  ['dns1035LabelPrefix', asPrefix(dns1035Label), 30],
  ['labelValue', labelValue, 40],
  ['uri', (value) => { const wrong = urlError(value); return wrong === undefined ? [] : [wrong] }, 1104],
  ['uuid', unless((value) => /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i.test(value), 'does not match the UUID format'), 72],
  ['byte', unless((value) => base64.test(value), 'invalid base64'), 88],
  ['date', unless(realDate, 'invalid date'), 72],
  ['datetime', unless((value) => /[Tt]/.test(value) && parseTimestamp(value) !== undefined, 'invalid datetime'), 72],
] as const satisfies readonly (readonly [string, NameRule, number])[]).map(([name, rule, pattern]) => [name, new Format(name, rule, pattern)]))

const longestPattern = 128

function validate(format: Format, text: string): Optional {
  const problems = format.rule(text)
  return problems.length === 0 ? NONE : new Optional(new CelList(problems))
}

export const namedFormats: readonly FunctionDeclaration[] = [
  ...[...formats].map(([name, format]) => fn(`format.${name}`, `format.${name}`, [], type, () => format)),
  fn('format.named', 'format-named', [STRING], optionalOf(type), (name: string) => { const found = formats.get(name); return found ? new Optional(found) : NONE }),
  method('validate', 'format-validate', [type, STRING], optionalOf(listOf(STRING)), validate, {
    runtime: ([format, text]) => Math.ceil((1 + (text as string).length) * 0.1) * Math.ceil((format as Format).pattern * 0.25),
    // Which format it is, only the evaluation knows.
    estimate: ([, text = { min: 0, max: Infinity }]) => product(scaled(text, 0.1), scaled(exactly(longestPattern), 0.25)),
  }),
]
