/** The names of the network's objects on the host. Each contains the cluster's name, so that several clusters can share a host. */
import { createHash } from 'node:crypto'

export interface Names {
  /** The nftables table, in every family. */
  readonly table: string
  /** The interface with the address of cluster DNS; at most 15 characters, the kernel's limit. */
  readonly device: string
  /** The CNI network: part of the file names of host-local and of containerd's CNI cache. */
  readonly cniNetwork: string
}

const longestDevice = 15

/** The names for the cluster called `cluster`. */
export function namesOf(cluster: string): Names {
  const full = `skiff-${cluster}`
  const short = `sk-${createHash('sha256').update(cluster).digest('hex').slice(0, 10)}`
  return { table: full, device: full.length <= longestDevice ? full : short, cniNetwork: full }
}
