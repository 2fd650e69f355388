/** Addresses of a block, by their number: for handing them out. */
import { parseCIDR } from '../../../machinery/names.ts'

export interface IpRange {
  readonly cidr: string
  readonly family: 'IPv4' | 'IPv6'
  /** How many addresses can be given out: the first, and with IPv4 the last, are not. */
  readonly size: bigint
  /** The address with a number from 1 to `size`. */
  at(index: bigint): string
  /** The number of an address; undefined when it lies outside. */
  indexOf(address: string): bigint | undefined
}

/** Reads an address as a number: its 32 or 128 bits. */
export function addressBits(address: string): bigint {
  if (!address.includes(':')) return address.split('.').reduce((bits, part) => bits * 256n + BigInt(Number(part)), 0n)
  // An IPv4 tail stands for the last two groups.
  const tail = /(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(address)
  const [a = 0, b = 0, c = 0, d = 0] = (tail?.slice(1) ?? []).map(Number)
  const text = tail ? `${address.slice(0, tail.index)}${(a * 256 + b).toString(16)}:${(c * 256 + d).toString(16)}` : address
  const [head = '', rest] = text.split('::')
  const before = head ? head.split(':') : []
  const after = rest ? rest.split(':') : []
  const groups = rest === undefined ? before : [...before, ...Array<string>(8 - before.length - after.length).fill('0'), ...after]
  return groups.reduce((bits, group) => bits * 65536n + BigInt(`0x${group || '0'}`), 0n)
}

/** Writes an address as RFC 5952 says: lower case, the longest run of zero groups left out. */
export function addressText(bits: bigint, family: 'IPv4' | 'IPv6'): string {
  if (family === 'IPv4') return [24n, 16n, 8n, 0n].map((shift) => String((bits >> shift) & 255n)).join('.')
  const groups = Array.from({ length: 8 }, (_, i) => ((bits >> BigInt(112 - 16 * i)) & 0xffffn).toString(16))
  const zeros = [...groups.join(':').matchAll(/(?:^|:)0(?::0)+(?=:|$)/g)].map((m) => m[0]).toSorted((x, y) => y.length - x.length)[0]
  if (!zeros) return groups.join(':')
  return groups.join(':').replace(zeros, '::').replace(':::', '::')
}

/** The addresses of a block. Throws when the text is no block. */
export function ipRange(cidr: string): IpRange {
  const parsed = parseCIDR(cidr)
  if (!parsed) throw new Error(`not an address block: ${cidr}`)
  const family = parsed.family === 4 ? 'IPv4' : 'IPv6'
  const hostBits = BigInt((parsed.family === 4 ? 32 : 128) - parsed.bits)
  const base = (addressBits(parsed.address) >> hostBits) << hostBits
  const last = (1n << hostBits) - 1n
  // Nobody hands out more than 2^16 addresses of an IPv6 block; Kubernetes draws the same line.
  const usable = family === 'IPv4' ? last - 1n : last
  const most = 65535n
  const size = family === 'IPv6' && usable > most ? most : usable > 0n ? usable : 0n
  return {
    cidr,
    family,
    size,
    at: (index) => addressText(base + index, family),
    indexOf(address) {
      if (address.includes(':') !== (family === 'IPv6')) return undefined
      const index = addressBits(address) - base
      return index >= 1n && index <= size ? index : undefined
    },
  }
}
