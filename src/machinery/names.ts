/**
 * What names, labels and addresses may look like. Every rule returns the list of what is wrong, in Kubernetes's wording;
 * an empty list means the value is fine.
 */
import { BlockList, isIP } from 'node:net'

/** A rule for a text: what is wrong with it. */
export type NameRule = (value: string) => readonly string[]

const fine: readonly string[] = []
type Unit = 'characters' | 'bytes'
const maxLength = (length: number, unit: Unit = 'characters') => `must be no more than ${length} ${unit}`
const empty = 'must be non-empty'
const byteLength = (text: string) => Buffer.byteLength(text)

/** `msg (e.g. 'a',  or 'b', regex used for validation is '…')`: the odd commas are what every client sees. */
function pattern(message: string, format: string, ...examples: string[]): string {
  if (examples.length === 0) return `${message} (regex used for validation is '${format}')`
  return `${message} (e.g. ${examples.map((e) => `'${e}', `).join(' or ')}regex used for validation is '${format}')`
}

/** A rule from one regular expression and one length. */
function rule(format: string, message: string, examples: readonly string[], max?: number, unit?: Unit): NameRule {
  const expression = new RegExp(`^(?:${format})$`)
  const text = pattern(message, format, ...examples)
  return (value) => {
    const matches = expression.test(value)
    // What matches is of one byte per character.
    if (matches && (max === undefined || value.length <= max)) return fine
    const problems: string[] = []
    if (max !== undefined && byteLength(value) > max) problems.push(maxLength(max, unit))
    if (!matches) problems.push(text)
    return problems
  }
}

const label = '[a-z0-9]([-a-z0-9]*[a-z0-9])?'
const subdomain = `${label}(\\.${label})*`
const qualified = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]'

/** RFC 1123 label: names of namespaces, containers, volumes. */
export const dns1123Label: NameRule = rule(
  label, "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character", ['my-name', '123-abc'], 63)

/** RFC 1123 subdomain: the names of most objects. */
export const dns1123Subdomain: NameRule = rule(
  subdomain, "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character", ['example.com'], 253)

/** RFC 1035 label: names of services. */
export const dns1035Label: NameRule = rule(
  '[a-z]([-a-z0-9]*[a-z0-9])?', "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character", ['my-name', 'abc-123'], 63)

/** `*.` before an RFC 1123 subdomain: hosts of ingresses. */
export const wildcardDNS1123Subdomain: NameRule = rule(
  `\\*\\.${subdomain}`, "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character", ['*.example.com'], 253)

/** The value of a label: empty, or up to 63 characters. */
export const labelValue: NameRule = rule(
  `(${qualified})?`, "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character", ['MyValue', 'my_value', '12345'], 63, 'bytes')

const configKey = rule(
  '[-._a-zA-Z0-9]+', "a valid config key must consist of alphanumeric characters, '-', '_' or '.'", ['key.name', 'KEY_NAME', 'key-name'], 253)

/** A key of a ConfigMap or a Secret: it becomes a file name. */
export const configMapKey: NameRule = (value) => [...configKey(value), ...fileName(value)]

function fileName(value: string): string[] {
  if (value === '.') return ["must not be '.'"]
  if (value === '..') return ["must not be '..'"]
  return value.startsWith('..') ? ["must not start with '..'"] : []
}

/** An environment variable's name: any printable ASCII but `=` (KEP-4369). */
export function envVarName(value: string): readonly string[] {
  if (value === '') return [empty]
  return /^[ -<>-~]+$/.test(value) ? fine : ["a valid environment variable name must consist only of printable ASCII characters other than '='"]
}

/** An HTTP header's name. */
export const httpHeaderName: NameRule = rule(
  '[-A-Za-z0-9]+', "a valid HTTP header must consist of alphanumeric characters or '-'", ['X-Header-Name'])

/** `50%`. */
export const percent: NameRule = rule('[0-9]+%', "a valid percent string must be a numeric string followed by an ending '%'", ['1%', '93%'])

const qualifiedPart = pattern(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character", qualified, 'MyName', 'my.name', '123-abc')
const qualifiedExpression = new RegExp(`^(?:${qualified})$`)
/** With a prefix or without one; what is shorter than the shortest limit keeps all of them. */
const shortQualified = new RegExp(`^(?:${subdomain}/)?${qualified}$`)

/** A name with an optional DNS prefix (`example.com/MyName`): keys of labels and annotations, resource names, finalizers. */
export function qualifiedName(value: string): readonly string[] {
  if (value.length <= 63 && shortQualified.test(value)) return fine
  const problems: string[] = []
  const parts = value.split('/')
  const name = parts.at(-1) as string
  if (parts.length > 2) {
    return [`a valid label key ${qualifiedPart} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`]
  }
  if (parts.length === 2) {
    const prefix = parts[0] as string
    if (prefix === '') problems.push(`prefix part ${empty}`)
    else for (const problem of dns1123Subdomain(prefix)) problems.push(`prefix part ${problem}`)
  }
  if (name === '') problems.push(`name part ${empty}`)
  else if (byteLength(name) > 63) problems.push(`name part ${maxLength(63, 'bytes')}`)
  if (!qualifiedExpression.test(name)) problems.push(`name part ${qualifiedPart}`)
  return problems
}

/** A name that stands in a URL path as it is: roles, bindings. */
export function pathSegmentName(value: string): readonly string[] {
  if (value === '.') return ["may not be '.'"]
  if (value === '..') return ["may not be '..'"]
  return ['/', '%'].filter((c) => value.includes(c)).map((c) => `may not contain '${c}'`)
}

/** A named port: at most 15 of `a-z0-9-`, with a letter. */
export function portName(value: string): readonly string[] {
  const problems: string[] = []
  if (byteLength(value) > 15) problems.push(maxLength(15))
  if (!/^[-a-z0-9]+$/.test(value)) problems.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)')
  if (!/[a-z]/.test(value)) problems.push('must contain at least one letter (a-z)')
  if (value.includes('--')) problems.push('must not contain consecutive hyphens')
  if (value.startsWith('-') || value.endsWith('-')) problems.push('must not begin or end with a hyphen')
  return problems
}

/** 1 to 65535. */
export const portNumber = (value: number): readonly string[] => inRange(value, 1, 65535)

/** An integer between two bounds, both included. */
export const inRange = (value: number, low: number, high: number): readonly string[] =>
  (Number.isInteger(value) && value >= low && value <= high ? fine : [`must be between ${low} and ${high}, inclusive`])

/** An IPv4 or IPv6 address without leading zeros or zone. */
export const ipAddress: NameRule = (value) =>
  (isIP(value) !== 0 && !value.includes('%') ? [] : ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'])

/** An address block such as `10.9.8.0/24`. */
export const cidr: NameRule = (value) =>
  (parseCIDR(value) ? [] : ['must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'])

/** An address block, taken apart; undefined when it is none. */
export function parseCIDR(value: string): { readonly address: string; readonly bits: number; readonly family: 4 | 6 } | undefined {
  const slash = value.indexOf('/')
  const address = value.slice(0, slash)
  const family = slash < 0 || address.includes('%') ? 0 : isIP(address)
  const bits = value.slice(slash + 1)
  if (family === 0 || !/^(0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > (family === 4 ? 32 : 128)) return undefined
  return { address, bits: Number(bits), family: family as 4 | 6 }
}

/** Whether an address lies in a block; false when either is malformed. */
export function inCIDR(block: string, address: string): boolean {
  const parsed = parseCIDR(block)
  if (!parsed || isIP(address) !== parsed.family) return false
  const list = new BlockList()
  const type = parsed.family === 4 ? 'ipv4' : 'ipv6'
  list.addSubnet(parsed.address, parsed.bits, type)
  return list.check(address, type)
}

const annotationsLimit = 256 * 1024

/** All annotations of an object together: at most 256 KiB of keys and values. */
export function annotationsSize(annotations: Readonly<Record<string, string>> | undefined): readonly string[] {
  let total = 0
  for (const [key, value] of Object.entries(annotations ?? {})) total += byteLength(key) + byteLength(value)
  return total > annotationsLimit ? [`may not be more than ${annotationsLimit} bytes`] : []
}

export { finalizerWarnings, validateAnnotations, validateFinalizer, validateFinalizerDomains, validateFinalizers, validateLabels, validateObjectMeta, validateObjectMetaUpdate, type ObjectMetaRules } from './objectmeta.ts'
