/**
 * The pod network's CNI configuration, for containerd: the `ptp` plugin gives each pod a veth pair and a route,
 * `host-local` assigns the addresses. There is no bridge: every packet between pods is routed by the host, so that
 * services, hairpins and network policies see it whatever `bridge-nf-call-iptables` says.
 * Masquerading and host ports are in our nftables table, so no plugin writes iptables rules.
 */
import { mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import { join } from 'node:path'
import type { Names } from './names.ts'

const fileName = '10-skiff.conflist'
/** Where containerd's CNI library keeps the results of its calls. */
const resultCache = '/var/lib/cni/results'

export interface CniOptions {
  readonly names: Names
  readonly podCidrs: readonly string[]
  /** The directory containerd reads. */
  readonly confDir: string
  /** Where host-local stores its address leases. */
  readonly leaseDir: string
  /** The MTU of the pods' interfaces; default: the kernel's. */
  readonly mtu?: number | undefined
}

const defaultRoute = (cidr: string) => (cidr.includes(':') ? { dst: '::/0' } : { dst: '0.0.0.0/0' })

/** The configuration list. */
export function conflist({ names, podCidrs, leaseDir, mtu }: Omit<CniOptions, 'confDir'>): object {
  return {
    cniVersion: '1.0.0',
    name: names.cniNetwork,
    plugins: [
      {
        type: 'ptp',
        ipMasq: false,
        ...(mtu ? { mtu } : {}),
        ipam: {
          type: 'host-local',
          dataDir: leaseDir,
          ranges: podCidrs.map((subnet) => [{ subnet }]),
          routes: podCidrs.map(defaultRoute),
        },
      },
    ],
  }
}

/** Writes the configuration to containerd's directory; does nothing if it is there already. */
export async function writeConflist(options: CniOptions): Promise<void> {
  const path = join(options.confDir, fileName)
  const text = `${JSON.stringify(conflist(options), null, 2)}\n`
  await mkdir(options.confDir, { recursive: true })
  await mkdir(options.leaseDir, { recursive: true })
  if ((await readFile(path, 'utf8').catch(() => '')) === text) return // not there yet reads as empty
  // Written to a temporary file in the same directory: the rename makes containerd reload.
  await writeFile(`${path}.new`, text)
  await rename(`${path}.new`, path)
}

/** Removes the configuration, the leases and what containerd's CNI library cached for this network. */
export async function removeCni(names: Names, confDir: string, leaseDir: string): Promise<void> {
  await rm(join(confDir, fileName), { force: true })
  await rm(leaseDir, { recursive: true, force: true })
  const cached = await readdir(resultCache).catch(() => []) // no cache, nothing to remove
  for (const file of cached) if (file.startsWith(`${names.cniNetwork}-`)) await rm(join(resultCache, file), { force: true })
}

/** The MTU of the interface with the node's address: pods must not send larger packets than the node can. */
export async function mtuOf(nodeAddress: string): Promise<number | undefined> {
  const found = Object.entries(networkInterfaces()).find(([, addresses]) => addresses?.some((a) => a.address === nodeAddress && !a.internal))
  if (!found) return undefined
  const mtu = Number(await readFile(`/sys/class/net/${found[0]}/mtu`, 'utf8').catch(() => '')) // another namespace's interface has no file here
  return mtu >= 576 ? mtu : undefined
}
