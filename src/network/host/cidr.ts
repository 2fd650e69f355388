/** Arithmetic on addresses and CIDRs. */
import { isIP, isIPv4 } from 'node:net'

export interface Cidr { readonly family: 4 | 6; readonly base: bigint; readonly bits: number }

/** An address as a number; undefined when it is none. */
export function addressNumber(address: string): { readonly family: 4 | 6; readonly value: bigint } | undefined {
  if (isIPv4(address)) return { family: 4, value: address.split('.').reduce((n, part) => n * 256n + BigInt(part), 0n) }
  if (isIP(address) !== 6) return undefined
  const groups = ipv6Groups(address.split('%')[0] ?? '')
  return { family: 6, value: groups.reduce((n, group) => n * 65_536n + BigInt(group), 0n) }
}

/** The eight groups of an IPv6 address. */
export function ipv6Groups(address: string): number[] {
  const embedded = address.match(/^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/)
  const hex = (a: string | undefined, b: string | undefined) => ((Number(a) << 8) | Number(b)).toString(16)
  const text = embedded ? `${embedded[1]}${hex(embedded[2], embedded[3])}:${hex(embedded[4], embedded[5])}` : address
  const [head = '', tail] = text.split('::')
  const parse = (part: string) => (part === '' ? [] : part.split(':').map((g) => Number.parseInt(g, 16)))
  if (tail === undefined) return parse(head)
  const [left, right] = [parse(head), parse(tail)]
  return [...left, ...Array<number>(8 - left.length - right.length).fill(0), ...right]
}

/** One spelling for each address: `fd00::1` and `fd00:0::1` are the same. */
export const canonicalAddress = (address: string): string => (isIP(address) === 6 ? ipv6Groups(address.split('%')[0] ?? '').map((g) => g.toString(16)).join(':') : address)

/** `10.0.0.0/8`, or an address alone; undefined when it is neither. */
export function parseCidr(text: string): Cidr | undefined {
  const [address = '', length] = text.trim().split('/')
  const number = addressNumber(address)
  if (!number) return undefined
  const width = number.family === 4 ? 32 : 128
  const bits = length === undefined ? width : /^\d{1,3}$/.test(length) ? Number(length) : -1
  if (bits < 0 || bits > width) return undefined
  const host = BigInt(width - bits)
  return { family: number.family, base: (number.value >> host) << host, bits }
}

/** Whether the CIDR contains the address. */
export function cidrContains(cidr: string, address: string): boolean {
  const c = parseCidr(cidr)
  const a = addressNumber(address)
  if (!c || !a || c.family !== a.family) return false
  const host = BigInt((c.family === 4 ? 32 : 128) - c.bits)
  return (a.value >> host) << host === c.base
}
