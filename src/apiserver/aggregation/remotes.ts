/** The group versions that other servers serve, as the API services say now. */
import { apiregistration } from '../../api/index.ts'
import type { Lister } from '../options.ts'
import type { Priority } from './priorities.ts'

export interface Remote {
  /** `v1beta1.metrics.k8s.io`. */
  readonly name: string
  readonly group: string
  readonly version: string
  readonly priority: Priority
  readonly service: { readonly namespace: string; readonly name: string; readonly port: number }
  /** Whether its `Available` condition is True: only then requests are passed on. */
  readonly available: boolean
  /** PEM; undefined: the authorities the system trusts. */
  readonly ca: Buffer | undefined
  readonly insecure: boolean
}

export interface Remotes {
  /** The server of a group version that is not this one. */
  find(group: string, version: string): Remote | undefined
  /** All of them; the same array until an API service changes. */
  all(): readonly Remote[]
}

/** Whether the API service's condition `Available` is true. */
export const isAvailable = (service: apiregistration.APIService): boolean => service.status.conditions?.some((c) => c.type === 'Available' && c.status === 'True') ?? false

function remoteOf(object: apiregistration.APIService): Remote | undefined {
  const { group = '', version = '', service, caBundle, insecureSkipTLSVerify, groupPriorityMinimum, versionPriority } = object.spec
  if (!service) return undefined
  return {
    name: object.metadata.name ?? '',
    group,
    version,
    priority: { group: groupPriorityMinimum, version: versionPriority },
    service: { namespace: service.namespace ?? '', name: service.name ?? '', port: service.port ?? 443 },
    available: isAvailable(object),
    ca: caBundle ? Buffer.from(caBundle, 'base64') : undefined,
    insecure: insecureSkipTLSVerify ?? false,
  }
}

/** Reads the API services once for each change of any of them: a look-up on the way of every request. */
export function createRemotes(services: Lister<apiregistration.APIService>): Remotes {
  let seen = -1
  let all: readonly Remote[] = []
  let byName: ReadonlyMap<string, Remote> = new Map()
  const refresh = () => {
    const revision = services.revision()
    if (revision === seen) return
    seen = revision
    all = services.list().map(remoteOf).filter((remote) => remote !== undefined)
    byName = new Map(all.map((remote) => [`${remote.group}/${remote.version}`, remote]))
  }
  return {
    find(group, version) {
      refresh()
      return byName.size === 0 ? undefined : byName.get(`${group}/${version}`)
    },
    all() {
      refresh()
      return all
    },
  }
}
