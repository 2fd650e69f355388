/** `skiff kubeconfig`: the administrator's kubeconfig, where it is, or the kubeconfig of a node on another machine. */
import { existsSync, readFileSync } from 'node:fs'
import { kubeconfigOf } from '../cluster/kubeconfig.ts'
import { authorityOf, nodeCertificate } from '../cluster/pki.ts'
import { UserError } from '../cluster/user-error.ts'
import { existing } from './options.ts'
import type { ClusterOptions } from './options.ts'

export async function kubeconfig(options: ClusterOptions): Promise<void> {
  const { paths, settings } = existing(options)
  if (!existsSync(paths.kubeconfig)) throw new UserError(`cluster "${options.name}" has not been booted yet; run "skiff up"`)
  if (options.forNode !== undefined) {
    if (options.nodeIp === undefined) throw new UserError('--for-node needs --node-ip too: the address under which the control plane reaches the node')
    const ca = authorityOf(paths.pki)
    const user = await nodeCertificate(paths.pki, ca, options.forNode, options.nodeIp)
    process.stdout.write(kubeconfigOf({ name: settings.name, server: `https://${settings.nodeAddress}:${settings.port}`, ca: ca.cert, user }))
  } else if (options.path) console.log(paths.kubeconfig)
  else process.stdout.write(readFileSync(paths.kubeconfig, 'utf8'))
}
