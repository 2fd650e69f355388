/** Addresses in forms that not everybody reads the same way. */
import type { core } from '../../../api/index.ts'
import type { Path } from '../../../machinery/field.ts'
import { formatIp, parseIp } from '../../../machinery/ip-text.ts'
import { addressBits, addressText } from './ip-range.ts'

/** Warnings about the addresses in the spec of a pod. */
export function addressWarnings(at: Path, spec: core.PodSpec, warnings: string[]): void {
  for (const [i, server] of (spec.dnsConfig?.nameservers ?? []).entries()) addressWarning(at.at('dnsConfig').at('nameservers').index(i), server, warnings)
  for (const [i, { ip }] of (spec.hostAliases ?? []).entries()) addressWarning(at.at('hostAliases').index(i).at('ip'), ip, warnings)
}

/** Warns when an address is not written as RFC 5952 has it, or is an IPv4 address in IPv6's clothes. */
export function addressWarning(at: Path, address: string, warnings: string[]): void {
  const ip = parseIp(address)
  if (ip === 'mapped') {
    const plain = addressText(addressBits(address) & 0xffffffffn, 'IPv4')
    warnings.push(`${at}: non-standard IP address ${JSON.stringify(address)} is invalid: use ${JSON.stringify(plain)}`)
  } else if (typeof ip === 'object' && ip.family === 6 && formatIp(ip) !== address) {
    warnings.push(`${at}: IPv6 address ${JSON.stringify(address)} should be in RFC 5952 canonical format (${JSON.stringify(formatIp(ip))})`)
  }
}
