/** What differs between IPv4 and IPv6 in the rules. */
import { parseCidr } from '../host/cidr.ts'

export interface Family {
  readonly table: 'ip' | 'ip6'
  /** The nft type of an address. */
  readonly address: 'ipv4_addr' | 'ipv6_addr'
  readonly addressType: 'IPv4' | 'IPv6'
  readonly loopback: string
  readonly multicast: string
  /** Whether an address or CIDR belongs to this family. */
  has(addressOrCidr: string): boolean
  /** `10.0.0.1:80`, `[fd00::1]:80`: the target of a dnat. */
  target(ip: string, port: number): string
}

export const ipv4: Family = {
  table: 'ip',
  address: 'ipv4_addr',
  addressType: 'IPv4',
  loopback: '127.0.0.0/8',
  multicast: '224.0.0.0/4',
  has: (a) => parseCidr(a)?.family === 4,
  target: (ip, port) => `${ip}:${port}`,
}

export const ipv6: Family = {
  table: 'ip6',
  address: 'ipv6_addr',
  addressType: 'IPv6',
  loopback: '::1',
  multicast: 'ff00::/8',
  has: (a) => parseCidr(a)?.family === 6,
  target: (ip, port) => `[${ip}]:${port}`,
}

/** The families for which the given CIDRs have one. */
export const familiesOf = (cidrs: readonly string[]): readonly Family[] => [ipv4, ipv6].filter((family) => cidrs.some((cidr) => family.has(cidr)))
