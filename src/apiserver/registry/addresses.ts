/** Addresses that differ in meaning from host to host (loopback, link-local): writing them into an endpoint must not direct traffic there. */
import type { Path, Place } from '../../machinery/field.ts'
import { cidr, ipAddress, parseCIDR, type NameRule } from '../../machinery/names.ts'
import { addressBits, addressText } from './core/ip-range.ts'

/** Which addresses, by their bits: of IPv4, and of IPv6. */
const special: readonly (readonly [v4: (bits: bigint) => boolean, v6: (bits: bigint) => boolean, why: string])[] = [
  [(bits) => bits >> 24n === 127n, (bits) => bits === 1n, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  [(bits) => bits >> 16n === 0xa9fen, (bits) => bits >> 118n === 0x3fan, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
  [(bits) => bits >> 8n === 0xe00000n, (bits) => (bits >> 112n & 0xff0fn) === 0xff02n, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
]

/** Kubernetes's rule for the addresses of endpoints, however they are written. */
export function ordinaryAddress(at: Place, address: string): void {
  if (ipAddress(address).length > 0) return
  const all = addressBits(address)
  const mapped = isMapped(address)
  const bits = mapped ? all & 0xffffffffn : all
  if (bits === 0n) at.invalid(address, `may not be unspecified (${address})`)
  for (const [v4, v6, why] of special) if ((mapped || !address.includes(':') ? v4 : v6)(bits)) at.invalid(address, why)
}

const canonical = (address: string): string => addressText(addressBits(address), address.includes(':') ? 'IPv6' : 'IPv4')
const isMapped = (address: string): boolean => address.includes(':') && addressBits(address) >> 32n === 0xffffn

/** Older programs read octets and lengths with zeros in front, as decimal or as octal: one text, two addresses. */
const withoutZeros = (text: string): string =>
  text.replace(/(\d{1,8})\.(\d{1,8})\.(\d{1,8})\.(\d{1,8})(?=\/|$)/, (_, ...octets) => octets.slice(0, 4).map(Number).join('.')).replace(/\/0+(?=\d)/, '/')

/** Whether a text would be read as an address somewhere, so that it is no name. */
export const looksLikeAddress = (text: string): boolean => ipAddress(withoutZeros(text)).length === 0

/** An address in a field of an older kind, in any form that has one meaning only. */
export function plainAddress(value: string): readonly string[] {
  const problems = ipAddress(value)
  if (problems.length > 0) return looksLikeAddress(value) ? ['must not have leading 0s'] : problems
  return isMapped(value) ? ['must not be an IPv4-mapped IPv6 address'] : []
}

/** A block of addresses in a field of an older kind: nothing is said of addresses in it. */
export function plainBlock(value: string): readonly string[] {
  const block = parseCIDR(value)
  if (!block) return parseCIDR(withoutZeros(value)) ? ['must not have leading 0s in IP or prefix length'] : cidr(value)
  if (isMapped(block.address)) return ['must not have an IPv4-mapped IPv6 address']
  return hostBits(block) ? ['must not have bits set beyond the prefix length'] : []
}

/** The bits of an address behind the length of its prefix. */
function hostBits({ address, bits, family }: Block): bigint {
  const rest = BigInt((family === 4 ? 32 : 128) - bits)
  return addressBits(address) & ((1n << rest) - 1n)
}

type Block = NonNullable<ReturnType<typeof parseCIDR>>

/** The rule, for values that are new: what was there before may stay. */
export function unless(before: readonly string[] | undefined, rule: NameRule): NameRule {
  if (!before?.length) return rule
  const known = new Set(before)
  return (value) => (known.has(value) ? [] : rule(value))
}

/** An address in its canonical form: required in new kinds, where the text is a name. */
export function strictAddress(value: string): readonly string[] {
  const problems = plainAddress(value)
  if (problems.length > 0) return problems
  return canonical(value) === value ? [] : [`must be in canonical form (${JSON.stringify(canonical(value))})`]
}

/** A CIDR in its canonical form, with no bits set after its prefix. */
export function strictBlock(value: string): readonly string[] {
  const problems = plainBlock(value)
  const block = parseCIDR(value)
  if (problems.length > 0 || !block) return problems
  const text = `${canonical(block.address)}/${block.bits}`
  return text === value ? [] : [`must be in canonical form (${JSON.stringify(text)})`]
}

/** An address as Kubernetes would write it: one that stands for an IPv4 address as that. */
const preferred = (address: string): string => (isMapped(address) ? addressText(addressBits(address) & 0xffffffffn, 'IPv4') : canonical(address))

/** What to say of an address that is accepted, but should be written otherwise. */
export function addressWarnings(at: Path, value: string | undefined): readonly string[] {
  if (value === undefined || (!value.includes(':') && ipAddress(value).length === 0)) return []
  const plain = withoutZeros(value)
  if (ipAddress(plain).length > 0) return []
  if (plain !== value || isMapped(value)) return [`${at}: non-standard IP address ${JSON.stringify(value)} is invalid: use ${JSON.stringify(preferred(plain))}`]
  return canonical(value) === value ? [] : [`${at}: IPv6 address ${JSON.stringify(value)} should be in RFC 5952 canonical format (${JSON.stringify(canonical(value))})`]
}

/** The same of a block. */
export function blockWarnings(at: Path, value: string): readonly string[] {
  const block = parseCIDR(withoutZeros(value))
  if (!block) return []
  const mapped = isMapped(block.address)
  const family = mapped || block.family === 4 ? 'IPv4' : 'IPv6'
  const bits = mapped ? Math.max(block.bits - 96, 0) : block.bits
  const rest = hostBits(block)
  const base = mapped ? (addressBits(block.address) - rest) & 0xffffffffn : addressBits(block.address) - rest
  const network = `${addressText(base, family)}/${bits}`
  const said = JSON.stringify(value)
  const warnings: string[] = []
  if (rest) warnings.push(`${at}: CIDR value ${said} is ambiguous in this context (should be ${JSON.stringify(network)} or ${JSON.stringify(`${preferred(block.address)}/${family === 'IPv4' ? 32 : 128}`)}?)`)
  if (withoutZeros(value) !== value || mapped) warnings.push(`${at}: non-standard CIDR value ${said} is invalid: use ${JSON.stringify(network)}`)
  if (warnings.length > 0 || network === value) return warnings
  return [`${at}: IPv6 CIDR value ${said} should be in RFC 5952 canonical format (${JSON.stringify(network)})`]
}

/** The server's own endpoints, in `default`, which are on loopback in a cluster that listens only there. */
export const isOwnEndpoint = ({ metadata }: { readonly metadata: { readonly namespace?: string; readonly name?: string } }): boolean =>
  metadata.namespace === 'default' && metadata.name === 'kubernetes'
