/** Addresses that differ in meaning from host to host (loopback, link-local): writing them into an endpoint must not direct traffic there. */
import type { Place } from '../../machinery/field.ts'
import { cidr, ipAddress, parseCIDR } from '../../machinery/names.ts'
import { addressBits, addressText } from './core/ip-range.ts'

const unspecified = /^0\.0\.0\.0$|^[0:]+$/
const special: readonly (readonly [RegExp, string])[] = [
  [/^(::ffff:)?127\.|^::1$/i, 'may not be in the loopback range (127.0.0.0/8, ::1/128)'],
  [/^(::ffff:)?169\.254\.|^fe[89ab][0-9a-f]:/i, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)'],
  [/^224\.0\.0\.|^ff02:/i, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)'],
]

/** Kubernetes's rule for the addresses of endpoints. */
export function ordinaryAddress(at: Place, address: string): void {
  if (unspecified.test(address)) at.invalid(address, `may not be unspecified (${address})`)
  for (const [form, why] of special) if (form.test(address)) at.invalid(address, why)
}

const canonical = (address: string): string => addressText(addressBits(address), address.includes(':') ? 'IPv6' : 'IPv4')
const isMapped = (address: string): boolean => address.includes(':') && addressBits(address) >> 32n === 0xffffn

/** An address in its canonical form: required in new kinds, where the text is a name. */
export function strictAddress(value: string): readonly string[] {
  const problems = ipAddress(value)
  if (problems.length > 0) return problems
  if (isMapped(value)) return ['must not be an IPv4-mapped IPv6 address']
  return canonical(value) === value ? [] : [`must be in canonical form (${JSON.stringify(canonical(value))})`]
}

/** A CIDR in its canonical form, with no bits set after its prefix. */
export function strictBlock(value: string): readonly string[] {
  const block = parseCIDR(value)
  if (!block) return cidr(value)
  const rest = BigInt((block.family === 4 ? 32 : 128) - block.bits)
  if (isMapped(block.address)) return ['must not have an IPv4-mapped IPv6 address']
  if (addressBits(block.address) & ((1n << rest) - 1n)) return ['must not have bits set beyond the prefix length']
  const text = `${canonical(block.address)}/${block.bits}`
  return text === value ? [] : [`must be in canonical form (${JSON.stringify(text)})`]
}

/** The server's own endpoints, in `default`, which are on loopback in a cluster that listens only there. */
export const isOwnEndpoint = ({ metadata }: { readonly metadata: { readonly namespace?: string; readonly name?: string } }): boolean =>
  metadata.namespace === 'default' && metadata.name === 'kubernetes'
