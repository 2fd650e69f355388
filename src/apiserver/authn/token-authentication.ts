/** Who a service account token is: signature and expiry are the token's own; account, pod, node and secret must still be there. */
import { core } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import type { Clock } from '../../machinery/clock.ts'
import { parseTime } from '../../machinery/time.ts'
import type { Identity } from '../identity.ts'
import type { Lister, ServerEnvironment } from '../options.ts'
import type { RawRequest } from './authenticator.ts'
import type { TokenClaims, Tokens } from './tokens.ts'

export interface TokenCheck { readonly identity: Identity; readonly audiences: readonly string[] }

/** Checks a token for one of these audiences. Resolves undefined for a token of somebody else; throws why one of ours does not hold. */
export type CheckToken = (token: string, audiences: readonly string[]) => Promise<TokenCheck | undefined>

/** A deleted object's tokens work a little longer, so that a pod can end in order. */
const leeway = 60_000

export function createTokenCheck(env: Pick<ServerEnvironment, 'lister' | 'clock'>, tokens: Tokens): CheckToken {
  const accounts = env.lister(core.serviceaccounts)
  const bound = { pod: env.lister(core.pods), secret: env.lister(core.secrets), node: env.lister(core.nodes) }
  const identities = new WeakMap<TokenClaims, Identity>()

  return async (token, audiences) => {
    const claims = await tokens.verify(token)
    if (!claims) return undefined
    const { binding } = claims
    const own = claims.expires === Infinity
    const shared = own ? audiences.filter((audience) => tokens.audiences.includes(audience)) : claims.audiences.filter((audience) => audiences.includes(audience))
    if (shared.length === 0) throw new Error(`token audiences ${JSON.stringify(claims.audiences)} is invalid for the target audiences ${JSON.stringify(audiences)}`)
    const there = (lister: Lister<ApiObject>, namespace: string, what: string, { name, uid }: { readonly name: string; readonly uid: string }) => {
      const object = lister.get(namespace, name)
      if (!object || object.metadata.uid !== uid || isGone(object, env.clock)) throw new Error(`the ${what} ${name} that the token is bound to is gone`)
    }
    there(accounts as Lister<ApiObject>, binding.namespace, 'service account', binding.serviceaccount)
    if (binding.pod) there(bound.pod as Lister<ApiObject>, binding.namespace, 'pod', binding.pod)
    else if (own) keeps(bound.secret.get(binding.namespace, binding.secret?.name ?? ''), token)
    else if (binding.secret) there(bound.secret as Lister<ApiObject>, binding.namespace, 'secret', binding.secret)
    else if (binding.node) there(bound.node as Lister<ApiObject>, '', 'node', binding.node)
    let identity = identities.get(claims)
    if (!identity) identities.set(claims, (identity = identityOf(claims)))
    return { identity, audiences: shared }
  }
}

/** A token that is kept in a secret holds as long as the secret does, and is there. */
function keeps(secret: core.Secret | undefined, token: string): void {
  if (!secret || secret.metadata.deletionTimestamp) throw new Error('the secret that the token is kept in is gone')
  if (Buffer.from(secret.data?.['token'] ?? '', 'base64').toString('utf8') !== token) throw new Error('the token is not the one in its secret any more')
}

const isGone = (object: ApiObject, clock: Clock): boolean =>
  Boolean(object.metadata.deletionTimestamp) && parseTime(object.metadata.deletionTimestamp as string) + leeway < clock.now()

/** User, groups and extra of a token that holds. */
export function identityOf({ binding, id }: TokenClaims): Identity {
  const { namespace, serviceaccount, pod, node } = binding
  const extra: Record<string, readonly string[]> = {}
  const put = (key: string, value: string | undefined) => value && (extra[`authentication.kubernetes.io/${key}`] = [value])
  put('credential-id', id && `JTI=${id}`)
  put('pod-name', pod?.name)
  put('pod-uid', pod?.uid)
  put('node-name', node?.name)
  put('node-uid', node?.uid)
  return {
    name: `system:serviceaccount:${namespace}:${serviceaccount.name}`,
    uid: serviceaccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
    extra,
  }
}

/** The token of an `Authorization: Bearer` header, or of a WebSocket protocol for browsers, which cannot set headers. */
export function bearerToken(request: RawRequest): string | undefined {
  const match = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '')
  if (match) return match[1]
  const prefix = 'base64url.bearer.authorization.k8s.io.'
  const protocol = String(request.headers['sec-websocket-protocol'] ?? '').split(',').map((p) => p.trim()).find((p) => p.startsWith(prefix))
  return protocol ? Buffer.from(protocol.slice(prefix.length), 'base64url').toString('utf8') : undefined
}
