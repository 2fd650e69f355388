/** Kubernetes's IP addresses and CIDRs. */
import { fail, noSuchOverload } from '../errors.ts'
import { fn, method, plus, scaled, traverse, type CallCost, type FunctionDeclaration } from '../functions.ts'
import { BOOL, INT, STRING, opaque } from '../types.ts'
import { Boxed } from '../values.ts'
import { formatIp, parseIp, type Ip } from '../../ip-text.ts'
import { addressFault, bitsFault } from './ip-faults.ts'

const ipType = opaque('net.IP')
const cidrType = opaque('net.CIDR')

class IpValue extends Boxed {
  readonly typeName = 'net.IP'
  readonly ip: Ip
  constructor(ip: Ip) { super(); this.ip = ip }
  get costSize(): number { return this.ip.family === 4 ? 4 : 16 }
  override equals(other: IpValue): boolean { return this.ip.family === other.ip.family && this.ip.value === other.ip.value }
}

class CidrValue extends Boxed {
  readonly typeName = 'net.CIDR'
  readonly ip: Ip
  readonly bits: number
  constructor(ip: Ip, bits: number) { super(); this.ip = ip; this.bits = bits }
  get costSize(): number { return Math.ceil(this.bits / 8) }
  override equals(other: CidrValue): boolean { return this.bits === other.bits && this.ip.family === other.ip.family && this.ip.value === other.ip.value }
}

const widthOf = ({ family }: Ip): number => (family === 4 ? 32 : 128)
const prefix = (ip: Ip, bits: number): bigint => { const rest = BigInt(widthOf(ip) - bits); return (ip.value >> rest) << rest }

const mapped = (text: string): string => `IPv4-mapped IPv6 address ${JSON.stringify(text)} is not allowed`

function ip(text: string): Ip {
  const found = parseIp(text)
  if (typeof found !== 'string') return found
  const shown = JSON.stringify(text)
  return fail(found === 'zone' ? `IP address ${shown} with zone value is not allowed` : found === 'mapped' ? mapped(text) : `IP Address ${shown} parse error during conversion from string: ${addressFault(text)}`)
}

const unread = 'network address parse error during conversion from string: '

/** A CIDR; why the text is none. */
function cidr(text: string): CidrValue | string {
  const slash = text.lastIndexOf('/')
  const wrong = (why: string): string => `${unread}netip.ParsePrefix(${JSON.stringify(text)}): ${why}`
  if (slash < 0) return wrong("no '/'")
  const address = text.slice(0, slash)
  const found = parseIp(address)
  if (found === 'zone') return wrong('IPv6 zones cannot be present in a prefix')
  if (found === 'invalid') return wrong(addressFault(address))
  const bits = text.slice(slash + 1)
  const fault = bitsFault(bits, found === 'mapped' ? 128 : widthOf(found))
  if (fault !== undefined) return wrong(fault)
  return found === 'mapped' ? mapped(text) : new CidrValue(found, Number(bits))
}
const network = (text: string): CidrValue => { const found = cidr(text); return typeof found === 'string' ? fail(unread + found) : found }

const containsIp = (outer: CidrValue, inner: Ip): boolean => outer.ip.family === inner.family && prefix(inner, outer.bits) === prefix(outer.ip, outer.bits)
const containsCidr = (outer: CidrValue, inner: CidrValue): boolean => inner.bits >= outer.bits && containsIp(outer, { ...inner.ip, value: prefix(inner.ip, inner.bits) })

const loopback = ({ family, value }: Ip): boolean => (family === 4 ? value >> 24n === 127n : value === 1n)
const linkLocalMulticast = ({ family, value }: Ip): boolean => (family === 4 ? value >> 8n === 0xe00000n : value >> 112n === 0xff02n || (value >> 112n) % 16n === 2n && value >> 120n === 0xffn)
const linkLocalUnicast = ({ family, value }: Ip): boolean => (family === 4 ? value >> 16n === 0xa9fen : value >> 118n === 0x3fan)
const multicast = ({ family, value }: Ip): boolean => (family === 4 ? value >> 28n === 0xen : value >> 120n === 0xffn)
const globalUnicast = (address: Ip): boolean =>
  address.value !== 0n && !(address.family === 4 && address.value === 0xffffffffn) && !loopback(address) && !multicast(address) && !linkLocalUnicast(address)

/** Comparing up to 16 bytes, twice; of text, reading it too. */
const within = (extra: boolean, text: boolean): CallCost => ({
  runtime: ([outer, inner]) => {
    const size = (outer as CidrValue).costSize
    return Math.ceil(size * 0.2) + (extra ? Math.ceil(size * 0.1) + 1 : 0) + (text ? Math.ceil((inner as string).length * 0.1) : 0)
  },
  estimate: ([, inner = { min: 0, max: Infinity }]) => plus({ min: extra ? 3 : 1, max: extra ? 7 : 4 }, text ? scaled(inner, 0.1) : { min: 0, max: 0 }),
})

const test = (name: string, holds: (ip: Ip) => boolean) => method(name, `ip_${name}`, [ipType], BOOL, (value: IpValue) => holds(value.ip))

export const addresses: readonly FunctionDeclaration[] = [
  fn('ip', 'string_to_ip', [STRING], ipType, (text: string) => new IpValue(ip(text)), traverse()),
  fn('isIP', 'is_ip', [STRING], BOOL, (text: string) => typeof parseIp(text) !== 'string', traverse()),
  fn('ip.isCanonical', 'ip_is_canonical', [STRING], BOOL, (text: string) => formatIp(ip(text)) === text, traverse(0, 2)),
  fn('string', 'ip_to_string', [ipType], STRING, (value: IpValue) => formatIp(value.ip)),
  method('family', 'ip_family', [ipType], INT, (value: IpValue) => BigInt(value.ip.family)),
  test('isUnspecified', ({ value }) => value === 0n),
  test('isLoopback', loopback),
  test('isLinkLocalMulticast', linkLocalMulticast),
  test('isLinkLocalUnicast', linkLocalUnicast),
  test('isGlobalUnicast', globalUnicast),
  fn('cidr', 'string_to_cidr', [STRING], cidrType, network, traverse()),
  fn('isCIDR', 'is_cidr', [STRING], BOOL, (text: string) => typeof cidr(text) !== 'string', traverse()),
  fn('string', 'cidr_to_string', [cidrType], STRING, (value: CidrValue) => `${formatIp(value.ip)}/${value.bits}`),
  method('containsIP', 'cidr_contains_ip_string', [cidrType, STRING], BOOL, (outer: CidrValue, text: string) => { const inner = parseIp(text); return typeof inner === 'string' ? noSuchOverload() : containsIp(outer, inner) }, within(false, true)),
  method('containsIP', 'cidr_contains_ip_ip', [cidrType, ipType], BOOL, (outer: CidrValue, inner: IpValue) => containsIp(outer, inner.ip), within(false, false)),
  method('containsCIDR', 'cidr_contains_cidr_string', [cidrType, STRING], BOOL, (outer: CidrValue, text: string) => containsCidr(outer, network(text)), within(true, true)),
  method('containsCIDR', 'cidr_contains_cidr', [cidrType, cidrType], BOOL, containsCidr, within(true, false)),
  method('ip', 'cidr_ip', [cidrType], ipType, (value: CidrValue) => new IpValue(value.ip)),
  method('prefixLength', 'cidr_prefix_length', [cidrType], INT, (value: CidrValue) => BigInt(value.bits)),
  method('masked', 'cidr_masked', [cidrType], cidrType, (value: CidrValue) => new CidrValue({ ...value.ip, value: prefix(value.ip, value.bits) }, value.bits)),
]
