/**
 * Secrets of type `kubernetes.io/service-account-token`: who makes one with the name of an account gets a token in it that does
 * not expire. Where Kubernetes fills it in some moments later, here it is there at once, and again when somebody takes it out: so one is renewed.
 */
import { core } from '../../../api/index.ts'
import type { Tokens } from '../../authn/tokens.ts'
import type { ServerEnvironment } from '../../options.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { refused } from '../pods.ts'

const tokenType = 'kubernetes.io/service-account-token'
const accountName = 'kubernetes.io/service-account.name'
const accountUid = 'kubernetes.io/service-account.uid'

const encode = (text: string): string => Buffer.from(text).toString('base64')
const secretOf = (a: AdmissionAttributes): core.Secret => a.object as unknown as core.Secret

/** Whether the plugin has something to say of a secret that is changed: one that stays, and whose data may change. */
const isOpen = ({ metadata, immutable }: core.Secret): boolean => !immutable && !metadata.deletionTimestamp

export function tokenSecret(env: Pick<ServerEnvironment, 'lister'>, tokens: Tokens): AdmissionPlugin {
  const accounts = env.lister(core.serviceaccounts)
  const maps = env.lister(core.configmaps)
  const authority = (namespace: string): { readonly 'ca.crt'?: string } => {
    const ca = maps.get(namespace, 'kube-root-ca.crt')?.data?.['ca.crt']
    return ca ? { 'ca.crt': encode(ca) } : {}
  }
  const filled = (secret: core.Secret, uid: string, data: Readonly<Record<string, string>>): core.Secret => ({
    ...secret, metadata: { ...secret.metadata, annotations: { ...secret.metadata.annotations, [accountUid]: uid } }, data: { ...secret.data, ...data },
  })

  /** What is missing of a secret that is changed is filled in again, while its account is there. */
  async function completed(secret: core.Secret, namespace: string): Promise<core.Secret> {
    const { metadata: { name = '', annotations }, data = {} } = secret
    const account = accounts.get(namespace, annotations?.[accountName] ?? '')
    const uid = account?.metadata.uid ?? ''
    if (!account || (annotations?.[accountUid] && annotations[accountUid] !== uid)) return secret
    const ca = authority(namespace)
    const isWhole = annotations?.[accountUid] && data['token'] && data['namespace'] && (ca['ca.crt'] === undefined || data['ca.crt'] === ca['ca.crt'])
    if (isWhole) return secret
    const token = data['token'] || encode(await tokens.signForSecret(namespace, name, { name: account.metadata.name ?? '', uid }))
    return filled(secret, uid, { token, namespace: data['namespace'] || encode(namespace), ...ca })
  }
  return {
    name: 'ServiceAccountTokenSecret',
    handles: (a) => (a.operation === 'CREATE' || a.operation === 'UPDATE') && a.resource.groupResource === 'secrets' && secretOf(a).type === tokenType,
    async mutate(a) {
      const secret = secretOf(a)
      if (a.operation === 'UPDATE') return isOpen(secret) && !(a.old as unknown as core.Secret).immutable ? completed(secret, a.namespace) : secret
      const name = secret.metadata.annotations?.[accountName]
      // Validation says what is wrong with a secret that names no account, or has no name to be in the token.
      if (!name || !secret.metadata.name) return secret
      const account = accounts.get(a.namespace, name)
      if (!account) throw refused(a, `service account ${JSON.stringify(name)} not found in namespace ${JSON.stringify(a.namespace)}`)
      const uid = account.metadata.uid ?? ''
      const token = await tokens.signForSecret(a.namespace, secret.metadata.name, { name, uid })
      return filled(secret, uid, { token: encode(token), namespace: encode(a.namespace), ...authority(a.namespace) })
    },
  }
}
