/**
 * Secrets of type `kubernetes.io/service-account-token`: who makes one with the name of an account gets a token in it that does
 * not expire. Where Kubernetes fills it in some moments later, here it is there at once.
 */
import { core } from '../../../api/index.ts'
import type { Tokens } from '../../authn/tokens.ts'
import type { ServerEnvironment } from '../../options.ts'
import type { AdmissionPlugin } from '../admission.ts'
import { refused } from '../pods.ts'

const tokenType = 'kubernetes.io/service-account-token'
const accountName = 'kubernetes.io/service-account.name'
const accountUid = 'kubernetes.io/service-account.uid'

export function tokenSecret(env: Pick<ServerEnvironment, 'lister'>, tokens: Tokens): AdmissionPlugin {
  const accounts = env.lister(core.serviceaccounts)
  const maps = env.lister(core.configmaps)
  return {
    name: 'ServiceAccountTokenSecret',
    handles: (a) => a.operation === 'CREATE' && a.resource.groupResource === 'secrets' && (a.object as unknown as core.Secret).type === tokenType,
    async mutate(a) {
      const secret = a.object as unknown as core.Secret
      const name = secret.metadata.annotations?.[accountName]
      // Validation says what is wrong with a secret that names no account, or has no name to be in the token.
      if (!name || !secret.metadata.name) return secret
      const account = accounts.get(a.namespace, name)
      if (!account) throw refused(a, `service account ${JSON.stringify(name)} not found in namespace ${JSON.stringify(a.namespace)}`)
      const uid = account.metadata.uid ?? ''
      const token = await tokens.signForSecret(a.namespace, secret.metadata.name, { name, uid })
      const ca = maps.get(a.namespace, 'kube-root-ca.crt')?.data?.['ca.crt']
      const encode = (text: string) => Buffer.from(text).toString('base64')
      return {
        ...secret,
        metadata: { ...secret.metadata, annotations: { ...secret.metadata.annotations, [accountUid]: uid } },
        data: { ...secret.data, token: encode(token), namespace: encode(a.namespace), ...(ca ? { 'ca.crt': encode(ca) } : {}) },
      }
    },
  }
}
