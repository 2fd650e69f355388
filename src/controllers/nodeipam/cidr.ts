/** Address ranges, cut into equal parts. */
import { isIPv4, isIPv6 } from 'node:net'

export interface Cidr { readonly address: bigint; readonly bits: 32 | 128; readonly prefix: number }

function ipv6Value(text: string): bigint {
  const [head = '', tail] = text.split('::')
  const groups = (part: string) => (part === '' ? [] : part.split(':').flatMap((g) => (g.includes('.') ? ipv4Groups(g) : [BigInt(`0x${g}`)])))
  const left = groups(head)
  const right = tail === undefined ? [] : groups(tail)
  const middle = tail === undefined ? [] : Array.from({ length: 8 - left.length - right.length }, () => 0n)
  return [...left, ...middle, ...right].reduce((value, group) => (value << 16n) | group, 0n)
}

const ipv4Value = (text: string): bigint => text.split('.').reduce((value, part) => (value << 8n) | BigInt(part), 0n)
const ipv4Groups = (text: string): bigint[] => [ipv4Value(text) >> 16n, ipv4Value(text) & 0xffffn]

/** Parses `10.42.0.0/16`; the bits after the prefix are cut off. Throws for anything else. */
export function parseCidr(text: string): Cidr {
  const [ip = '', length = ''] = text.split('/')
  const bits = isIPv4(ip) ? 32 : isIPv6(ip) ? 128 : undefined
  const prefix = Number(length)
  if (bits === undefined || !/^\d+$/.test(length) || prefix > bits) throw new Error(`${JSON.stringify(text)} is no address range: write it like 10.42.0.0/16`)
  const value = bits === 32 ? ipv4Value(ip) : ipv6Value(ip)
  const host = BigInt(bits - prefix)
  return { address: (value >> host) << host, bits, prefix }
}

/** The canonical text of a range; IPv6 with its longest run of zero groups shortened. */
export function formatCidr({ address, bits, prefix }: Cidr): string {
  const size = bits === 32 ? 8n : 16n
  const groups = Array.from({ length: bits / Number(size) }, (_, i) => (address >> (BigInt(bits) - size * BigInt(i + 1))) & ((1n << size) - 1n))
  if (bits === 32) return `${groups.join('.')}/${prefix}`
  const text = groups.map((g) => g.toString(16)).join(':')
  const runs = [...text.matchAll(/(?:^|:)(?:0(?::0)+)(?=:|$)/g)].sort((a, b) => b[0].length - a[0].length)
  const longest = runs[0]
  if (!longest) return `${text}/${prefix}`
  const before = text.slice(0, longest.index)
  const after = text.slice(longest.index + longest[0].length).replace(/^:/, '')
  return `${before}::${after}/${prefix}`
}

/** How many parts of `prefix` leading bits the range has. */
export const partCount = (range: Cidr, prefix: number): number => 2 ** Math.min(52, prefix - range.prefix)

/** The part with this number. */
export const part = (range: Cidr, prefix: number, index: number): Cidr => ({ ...range, prefix, address: range.address + (BigInt(index) << BigInt(range.bits - prefix)) })

/** The numbers of the parts that `other` covers; none when it lies outside. */
export function partsCovered(range: Cidr, prefix: number, other: Cidr): { readonly from: number; readonly to: number } | undefined {
  if (other.bits !== range.bits) return undefined
  const size = BigInt(range.bits - prefix)
  const last = other.address + (1n << BigInt(other.bits - other.prefix)) - 1n
  const from = (other.address - range.address) >> size
  const to = (last - range.address) >> size
  if (to < 0n || from >= BigInt(partCount(range, prefix))) return undefined
  return { from: Number(from < 0n ? 0n : from), to: Number(to) }
}
