/** `skiff kubeconfig`: the administrator's kubeconfig, where it is, or the kubeconfig of a node on another machine. */
import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { core } from '../api/index.ts'
import { createHttpsClient } from '../client/https.ts'
import { parseKubeconfig } from '../client/kubeconfig.ts'
import { kubeconfigOf } from '../cluster/kubeconfig.ts'
import { authorityOf, nodeCertificate } from '../cluster/pki.ts'
import { UserError } from '../cluster/user-error.ts'
import { existing } from './options.ts'
import type { ClusterOptions } from './options.ts'

const tokenHours = 24

/** Makes a token by which nodes get their first certificate; it ends by itself after a day. */
async function bootstrapToken(kubeconfigFile: string): Promise<string> {
  const id = randomBytes(3).toString('hex')
  const secret = randomBytes(8).toString('hex')
  const client = createHttpsClient(await parseKubeconfig(readFileSync(kubeconfigFile, 'utf8')))
  try {
    await client.create(core.secrets, {
      metadata: { name: `bootstrap-token-${id}`, namespace: 'kube-system' },
      type: 'bootstrap.kubernetes.io/token',
      stringData: {
        'token-id': id, 'token-secret': secret, 'usage-bootstrap-authentication': 'true', 'auth-extra-groups': 'system:bootstrappers:skiff:nodes',
        expiration: new Date(Date.now() + tokenHours * 3_600_000).toISOString(), description: 'made by "skiff kubeconfig --bootstrap"',
      },
    })
  } finally {
    client.close()
  }
  return `${id}.${secret}`
}

export interface KubeconfigOptions extends ClusterOptions {
  readonly path?: boolean
  readonly forNode?: string
  readonly nodeIp?: string
  readonly bootstrap?: boolean
}

export async function kubeconfig(options: KubeconfigOptions): Promise<void> {
  const { paths, settings } = existing(options)
  if (!existsSync(paths.kubeconfig)) throw new UserError(`cluster "${options.name}" has not been started yet; run "skiff up"`)
  if (options.nodeIp !== undefined && options.forNode === undefined) throw new UserError('--node-ip goes with --for-node; give both, or neither')
  if (options.forNode !== undefined) {
    if (options.nodeIp === undefined) throw new UserError('--for-node needs --node-ip, the address at which the control plane reaches the node')
    const ca = authorityOf(paths.pki)
    const user = nodeCertificate(paths.pki, ca, options.forNode, options.nodeIp)
    process.stdout.write(kubeconfigOf({ name: settings.name, server: `https://${settings.nodeAddress}:${settings.port}`, ca: ca.cert, user }))
  } else if (options.bootstrap) {
    const token = await bootstrapToken(paths.kubeconfig)
    process.stdout.write(kubeconfigOf({ name: settings.name, server: `https://${settings.nodeAddress}:${settings.port}`, ca: authorityOf(paths.pki).cert, user: { token } }))
  } else if (options.path) console.log(paths.kubeconfig)
  else process.stdout.write(readFileSync(paths.kubeconfig, 'utf8'))
}
