/** The string formats of schemas. Unknown ones are ignored, as in Kubernetes. */
import { isIPv6 } from 'node:net'
import { dns1123Label, dns1123Subdomain } from '../../../machinery/names.ts'
import { quantityFrom } from '../../../machinery/quantity.ts'
import { parseDuration } from '../../../machinery/time.ts'
import type { Schema } from './props.ts'

type Format = (text: string) => boolean

const by = (expression: RegExp): Format => (text) => expression.test(text)
const uuid = (version: string, variant: string): Format => by(new RegExp(`^[0-9a-f]{8}-?[0-9a-f]{4}-?${version}[0-9a-f]{3}-?${variant}[0-9a-f]{3}-?[0-9a-f]{12}$`, 'i'))

/** Leading zeros are tolerated, as in Kubernetes. */
const dotted: Format = (text) => /^\d{1,20}(\.\d{1,20}){3}$/.test(text) && text.split('.').every((part) => Number(part) <= 255)
/** A dotted address: also IPv6 with an embedded IPv4 address. */
const ipv4: Format = (text) => dotted(text) || (text.includes('.') && ipv6(text))
const ipv6: Format = (text) => isIPv6(text) && !text.includes('%')

const cidr: Format = (text) => {
  const [address = '', bits = '', ...more] = text.split('/')
  if (more.length > 0 || !/^\d{1,3}$/.test(bits)) return false
  return dotted(address) ? Number(bits) <= 32 : ipv6(address) && Number(bits) <= 128
}

const octets = (count: number) => `[0-9a-f]{2}(?:([:-])[0-9a-f]{2})(?:\\1[0-9a-f]{2}){${count - 2}}`
const macForms = [6, 8, 20].flatMap((count) => [new RegExp(`^${octets(count)}$`, 'i'), new RegExp(`^[0-9a-f]{4}(?:\\.[0-9a-f]{4}){${count / 2 - 1}}$`, 'i')])
const mac: Format = (text) => macForms.some((form) => form.test(text))

const longestHostname = 255
const hostnameForm = /^(?:[a-zA-Z0-9\p{S}\p{L}](?:-?[a-zA-Z0-9\p{S}\p{L}]{0,62})?|(?:[a-zA-Z0-9\p{S}\p{L}](?:[a-zA-Z0-9\-\p{S}\p{L}]{0,61}[a-zA-Z0-9\p{S}\p{L}])?\.)+[a-zA-Z\p{L}]{2,63})$/u
const hostname: Format = (text) =>
  Buffer.byteLength(text) <= longestHostname && text.split('.').every((label) => Buffer.byteLength(label) <= 63) && hostnameForm.test(text)

const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\u0080-\\uffff-]+"
const addressForm = new RegExp(`^(?:${atom}(?:\\.${atom})*|"(?:[^"\\\\\\r\\n]|\\\\.)*")@(?:${atom}(?:\\.${atom})*|\\[[^\\[\\]\\\\]*\\])$`)
/** An address alone, or in angle brackets after a name. */
const email: Format = (text) => {
  const bare = text.trim()
  const named = /^(?:[^<>"@]*|"(?:[^"\\]|\\.)*"\s*)<([^<>]*)>$/.exec(bare)
  return addressForm.test(named?.[1] ?? bare)
}

// eslint-disable-next-line no-control-regex
const control = /[\u0000-\u001f\u007f]/
const brokenEscape = /%(?![0-9a-fA-F]{2})/
/** An absolute path, or a URL with a scheme. */
const uri: Format = (text) => {
  if (text === '' || control.test(text)) return false
  const [, scheme, rest = text] = /^([a-zA-Z][a-zA-Z0-9+.-]*):(.*)$/s.exec(text) ?? []
  if (!scheme && !text.startsWith('/')) return false
  const beforeQuery = rest.split(/[?#]/, 1)[0] as string
  if (rest.startsWith('//') && scheme) return authority(/^\/\/([^/]*)/.exec(beforeQuery)?.[1] ?? '') && !brokenEscape.test(beforeQuery)
  return !rest.startsWith('/') || !brokenEscape.test(beforeQuery)
}
const authority = (text: string): boolean => {
  const host = text.slice(text.lastIndexOf('@') + 1)
  return /^(?:\[[0-9a-fA-F:.%a-z]+\]|[^\s[\]<>"^`{|}\\:]*)(?::\d*)?$/.test(host)
}

const digitsOf = (text: string): number[] => [...text].map((c) => (c === 'X' ? 10 : Number(c)))
const bare = (text: string): string => text.replaceAll(/[\s-]+/g, '')
const isbn10: Format = (text) => /^\d{9}[\dX]$/.test(bare(text)) && digitsOf(bare(text)).reduce((sum, digit, i) => sum + digit * (i + 1), 0) % 11 === 0
const isbn13: Format = (text) => /^\d{13}$/.test(bare(text)) && digitsOf(bare(text)).reduce((sum, digit, i) => sum + digit * (i % 2 === 0 ? 1 : 3), 0) % 10 === 0

const cardForm = /^(?:4\d{12}(?:\d{3})?|(?:5[1-5]\d{2}|222[1-9]|22[3-9]\d|2[3-6]\d{2}|27[01]\d|2720)\d{12}|6(?:011|5\d{2})\d{12}|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}|(?:2131|1800|35\d{3})\d{11})$/
const creditcard: Format = (text) => {
  const digits = text.replaceAll(/\D+/g, '')
  if (!cardForm.test(digits)) return false
  const sum = digitsOf(digits).toReversed().reduce((total, digit, i) => total + (i % 2 === 0 ? digit : digit * 2 > 9 ? digit * 2 - 9 : digit * 2), 0)
  return sum % 10 === 0
}

const date: Format = (text) => {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})$/.exec(text) ?? []
  if (!year) return false
  const time = new Date(`${year}-${month}-${day}T00:00:00Z`)
  return !Number.isNaN(time.getTime()) && time.toISOString().startsWith(text)
}

const dateTime: Format = (text) => {
  const [, day, hour, minute, second] = /^(\d{4}-\d{2}-\d{2})[Tt](\d{2}):(\d{2}):(\d{2})(?:\.\d+)?(?:[Zz]|[+-]\d{2}:\d{2})$/.exec(text) ?? []
  return day !== undefined && date(day) && Number(hour) <= 23 && Number(minute) <= 59 && Number(second) <= 59
}

const units = 'ns|nanos?|nanoseconds?|us|µs|micros?|microseconds?|ms|millis?|milliseconds?|s|secs?|seconds?.*|m|mins?|minutes?.*|h|hrs?|hours?.*|d|days?.*|w|wks?|weeks?.*'
const spelledDuration = new RegExp(`\\d+\\s*(?:${units})(?![A-Za-zµ])`, 'i')
/** A duration as Go writes it, or in words: `3 days`. */
const duration: Format = (text) => parseDuration(text) !== undefined || (text.length < 1000 && spelledDuration.test(text))

const part = '\\s*(?:0|[1-9]\\d?|1\\d\\d?|2[0-4]\\d|25[0-5])\\s*'

export const formats = {
  bsonobjectid: by(/^[0-9a-fA-F]{24}$/),
  uri, email, hostname, ipv4, ipv6, cidr, mac,
  uuid: uuid('[0-9a-f]', '[0-9a-f]'), uuid3: uuid('3', '[0-9a-f]'), uuid4: uuid('4', '[89ab]'), uuid5: uuid('5', '[89ab]'),
  isbn: (text: string) => isbn10(text) || isbn13(text), isbn10, isbn13, creditcard,
  ssn: by(/^\d{3}[- ]\d{2}[- ]\d{4}$/),
  hexcolor: by(/^#?(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})$/),
  rgbcolor: by(new RegExp(`^rgb\\(${part},${part},${part}\\)$`)),
  byte: by(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=|[A-Za-z0-9+/]{4})$/),
  password: () => true,
  date, duration, datetime: dateTime,
  quantity: (text: string) => quantityFrom(text) !== undefined,
  k8sshortname: (text: string) => dns1123Label(text).length === 0,
  k8slongname: (text: string) => dns1123Subdomain(text).length === 0,
} as const satisfies Readonly<Record<string, Format>>

/** The test of a format; undefined when it is unknown. Dashes in the name are ignored: `date-time` is `datetime`. */
export function formatOf(name: string): Format | undefined {
  const key = name.replaceAll('-', '')
  return Object.hasOwn(formats, key) ? formats[key as keyof typeof formats] : undefined
}

const numeric: Readonly<Record<string, readonly string[]>> = { integer: ['int32', 'int64'], number: ['float', 'double'] }

/** Whether a format applies to a type. */
export function isKnownFormat({ format = '', type = '' }: Schema): boolean {
  if (type === 'string' || type === '') return formatOf(format) !== undefined
  return numeric[type]?.includes(format) === true
}
