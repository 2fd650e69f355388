/** Names of what is proxied to: `name`, `name:port`, `scheme:name:port`; and which addresses are never proxied to. */
import { isIPv4, isIPv6, BlockList } from 'node:net'
import { badRequest } from '../../machinery/errors.ts'

export interface ProxyTarget { readonly scheme: 'http' | 'https' | ''; readonly name: string; readonly port: string }

/** Takes a proxied name apart; throws 400 for forms that are none of the three. `kind` is what the message calls it. */
export function parseTarget(id: string, kind: string): ProxyTarget {
  const parts = id.split(':')
  const [first = '', second = '', third = ''] = parts
  if (parts.length === 1 && first !== '') return { scheme: '', name: first, port: '' }
  if (parts.length === 2 && first !== '') return { scheme: '', name: first, port: second }
  if (parts.length === 3 && second !== '' && (first === 'http' || first === 'https' || first === '')) return { scheme: first, name: second, port: third }
  throw badRequest(`invalid ${kind} request ${JSON.stringify(id)}`)
}

const refused = new BlockList()
refused.addAddress('0.0.0.0')
refused.addSubnet('127.0.0.0', 8)
refused.addSubnet('169.254.0.0', 16)
refused.addSubnet('224.0.0.0', 4)
refused.addAddress('255.255.255.255')
refused.addAddress('::', 'ipv6')
refused.addAddress('::1', 'ipv6')
refused.addSubnet('fe80::', 10, 'ipv6')
refused.addSubnet('ff00::', 8, 'ipv6')
refused.addSubnet('::ffff:127.0.0.0', 104, 'ipv6')
refused.addSubnet('::ffff:169.254.0.0', 112, 'ipv6')
refused.addAddress('::ffff:0.0.0.0', 'ipv6')
// Where clouds answer questions about the machine, and give out its credentials, beside the link-local address.
for (const address of ['100.100.100.200', '168.63.129.16', '192.0.0.192']) refused.addAddress(address)
refused.addAddress('fd00:ec2::254', 'ipv6')

/**
 * Throws 400 unless the address may be reached on a client's behalf: it must be one machine's, anywhere. Loopback, link-local and unspecified addresses would
 * open the server's own host, or its cloud's metadata service, to whoever can write a pod's status or an endpoint.
 */
export function checkProxyable(address: string): void {
  const version = isIPv4(address) ? 'ipv4' : isIPv6(address) ? 'ipv6' : undefined
  if (!version || refused.check(address, version)) throw badRequest('address not allowed')
}
