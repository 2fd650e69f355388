/** What pod workers share. */
import type { NodeContext } from '../context.ts'
import type { Cgroups } from '../cgroups.ts'
import type { Images } from '../images/pull.ts'
import type { Prober } from '../probes/prober.ts'
import type { PodVolumes } from '../volumes/volumes.ts'
import type { Backoff } from './backoff.ts'
import type { DnsConfig } from './dns.ts'
import type { EnvSources } from './env.ts'
import type { StatusWriter } from './status-writer.ts'

export interface Tools {
  readonly context: NodeContext
  readonly cgroups: Cgroups
  readonly images: Images
  readonly prober: Prober
  readonly volumes: PodVolumes
  /** Between restarts of a container. */
  readonly crashes: Backoff
  readonly statuses: StatusWriter
  readonly env: EnvSources
  /** How the host resolves names, read again now and then. */
  hostDns(): DnsConfig
  /** /etc/hosts of the node, as it is now. */
  hostsFile(): Promise<string>
  readonly seccompRoot: string
  readonly machine: { readonly memoryBytes: number; readonly cgroupV2: boolean }
}
