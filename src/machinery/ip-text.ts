/** Addresses as numbers, and their one canonical text (RFC 5952). */
import { isIPv4, isIPv6 } from 'node:net'

export interface Ip { readonly family: 4 | 6; readonly value: bigint }

/** The address; why it is none: it has a zone, is IPv4 within IPv6, or no address at all. */
export function parseIp(text: string): Ip | 'zone' | 'mapped' | 'invalid' {
  if (isIPv4(text)) return { family: 4, value: four(text) }
  // Most of what is not IPv4 is a name, and Node's expression for IPv6 takes its time.
  if (!text.includes(':')) return 'invalid'
  if (text.includes('%') && isIPv6(text)) return 'zone'
  if (!isIPv6(text)) return 'invalid'
  const value = six(text)
  return value >> 32n === 0xffffn ? 'mapped' : { family: 6, value }
}

const four = (text: string): bigint => text.split('.').reduce((sum, part) => (sum << 8n) | BigInt(part), 0n)

function six(text: string): bigint {
  const tail = text.slice(text.lastIndexOf(':') + 1)
  const plain = tail.includes('.') ? `${text.slice(0, -tail.length)}${(four(tail) >> 16n).toString(16)}:${(four(tail) & 0xffffn).toString(16)}` : text
  const [head = '', rest] = plain.split('::')
  const groups = (part: string | undefined): string[] => (part ? part.split(':') : [])
  const [before, after] = [groups(head), groups(rest)]
  const all = rest === undefined ? before : [...before, ...Array.from({ length: 8 - before.length - after.length }, () => '0'), ...after]
  return all.reduce((sum, group) => (sum << 16n) | BigInt(`0x${group}`), 0n)
}

/** The canonical text: the longest run of zero groups, of two at least, is `::`. */
export function formatIp({ family, value }: Ip): string {
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 0xffn).join('.')
  const groups = Array.from({ length: 8 }, (_, i) => (value >> BigInt(112 - 16 * i)) & 0xffffn)
  let best = { start: -1, length: 1 }
  for (let i = 0; i < 8; i++) {
    let length = 0
    while (i + length < 8 && groups[i + length] === 0n) length++
    if (length > best.length) best = { start: i, length }
    i += length
  }
  const hex = (part: readonly bigint[]) => part.map((group) => group.toString(16)).join(':')
  return best.start < 0 ? hex(groups) : `${hex(groups.slice(0, best.start))}::${hex(groups.slice(best.start + best.length))}`
}
