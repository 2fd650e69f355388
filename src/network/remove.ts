/** Removes every trace of a cluster's network from the host. */
import { cidrContains } from './host/cidr.ts'
import { podInterfaces, removeDevice } from './host/device.ts'
import { disallowForwarding } from './host/forwarding.ts'
import { run } from './host/run.ts'
import { returnSysctls } from './host/sysctl.ts'
import { removeCni } from './cni.ts'
import { namesOf } from './names.ts'
import { leaseDirIn } from './network.ts'

export interface RemoveNetworkOptions {
  readonly clusterName: string
  readonly clusterCidr: string
  readonly cniConfDir: string
  readonly dataDir: string
  readonly hostDir?: string
}

const absent = /No such file or directory|does not exist/

/** Call when the cluster's processes and pods are gone. Idempotent; tries everything, then throws if something could not be removed. */
export async function removeNetwork(options: RemoveNetworkOptions): Promise<void> {
  const names = namesOf(options.clusterName)
  const cidrs = options.clusterCidr.split(',').map((cidr) => cidr.trim())
  const removeTable = (family: string) => run('nft', ['delete', 'table', family, names.table]).catch((error: Error) => {
    if (!absent.test(error.message)) throw error
  })
  const removePods = async () => {
    for (const name of await podInterfaces((address) => cidrs.some((cidr) => cidrContains(cidr, address)))) await removeDevice(name)
  }
  const removeRoutes = async () => {
    for (const cidr of cidrs) await run('ip', [cidr.includes(':') ? '-6' : '-4', 'route', 'flush', 'root', cidr])
  }
  const results = await Promise.allSettled([
    removeTable('ip'),
    removeTable('ip6'),
    removePods().then(removeRoutes),
    removeDevice(names.device),
    disallowForwarding({ clusterCidrs: cidrs, tag: names.table }),
    removeCni(names, options.cniConfDir, leaseDirIn(options.dataDir)),
    returnSysctls(options.hostDir ?? '/run/skiff', options.clusterName),
  ])
  const failures = results.filter((r) => r.status === 'rejected').map((r) => String(r.reason))
  if (failures.length > 0) throw new Error(`parts of the network of "${options.clusterName}" could not be removed: ${failures.join('; ')}`)
}
