/**
 * The cluster's own interface on the node: it has the address of cluster DNS and the route of the service network, and no
 * packet ever leaves through it. A bridge without ports, since some kernels lack dummy interfaces but have bridges.
 */
import { run as runCommand } from './run.ts'

type Run = typeof runCommand

export interface DeviceOptions {
  readonly device: string
  readonly dnsAddresses: readonly string[]
  readonly serviceCidrs: readonly string[]
}

const familyFlag = (address: string) => (address.includes(':') ? '-6' : '-4')

/**
 * Creates or repairs the interface. With the route, a host without a default route reaches services too, and addresses of no
 * service are refused at once instead of leaving the host.
 */
export async function ensureDevice({ device, dnsAddresses, serviceCidrs }: DeviceOptions, run: Run = runCommand): Promise<void> {
  await run('ip', ['link', 'add', 'name', device, 'type', 'bridge']).catch((error: Error) => {
    if (!error.message.includes('File exists')) throw error
  })
  for (const address of dnsAddresses) {
    const [flag, prefix] = address.includes(':') ? (['-6', 128] as const) : (['-4', 32] as const)
    await run('ip', [flag, 'address', 'replace', `${address}/${prefix}`, 'dev', device, ...(flag === '-6' ? ['nodad'] : [])])
  }
  await run('ip', ['link', 'set', 'dev', device, 'up'])
  for (const cidr of serviceCidrs) await run('ip', [familyFlag(cidr), 'route', 'replace', cidr, 'dev', device, 'metric', '4096'])
}

/** Removes an interface, if it exists. */
export async function removeDevice(device: string, run: Run = runCommand): Promise<void> {
  await run('ip', ['link', 'delete', 'dev', device]).catch((error: Error) => {
    if (!error.message.includes('Cannot find device')) throw error
  })
}

interface AddressInfo { readonly local?: string; readonly prefixlen?: number }
interface LinkInfo { readonly ifname: string; readonly addr_info?: readonly AddressInfo[] }

/** The host ends of pods' interfaces: `veth…` with a gateway address for which `isPodAddress` holds. */
export async function podInterfaces(isPodAddress: (address: string) => boolean, run: Run = runCommand): Promise<string[]> {
  const links = JSON.parse((await run('ip', ['-json', 'address', 'show'])) || '[]') as readonly LinkInfo[]
  return links
    .filter((link) => link.ifname.startsWith('veth') && link.addr_info?.some((a) => a.local !== undefined && (a.prefixlen === 32 || a.prefixlen === 128) && isPodAddress(a.local)))
    .map((link) => link.ifname)
}
