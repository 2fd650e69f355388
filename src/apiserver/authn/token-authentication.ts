/** Who a service account token is: signature and expiry are the token's own; account, pod, node and secret must still be there. */
import { core } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import type { Clock } from '../../machinery/clock.ts'
import { parseTime } from '../../machinery/time.ts'
import type { Identity } from '../identity.ts'
import type { Lister, ServerEnvironment } from '../options.ts'
import type { Remarks } from './remarks.ts'
import { createSecretTokenCheck } from './secret-tokens.ts'
import { createTokenUses, type TokenUses } from './token-uses.ts'
import type { TokenClaims, Tokens } from './tokens.ts'

export interface TokenCheck {
  readonly identity: Identity
  readonly audiences: readonly string[]
  readonly remarks?: Remarks | undefined
}

/**
 * Checks a token for one of these audiences. Undefined for a token of somebody else; throws why one of ours does not hold. A promise only where
 * something has to be waited for.
 */
export type CheckToken = (token: string, audiences: readonly string[]) => Promise<TokenCheck | undefined> | TokenCheck | undefined

/** A deleted object's tokens work a little longer, so that a pod can end in order. */
const leeway = 60_000

/** Checks service account tokens: signature, audience, time, and that what they are bound to still exists. */
export function createTokenCheck(env: Pick<ServerEnvironment, 'lister' | 'clock' | 'log' | 'client'>, tokens: Tokens, uses: TokenUses = createTokenUses()): CheckToken {
  const checkSecretToken = createSecretTokenCheck(env, uses)
  const accounts = env.lister(core.serviceaccounts)
  const bound = { pod: env.lister(core.pods), secret: env.lister(core.secrets), node: env.lister(core.nodes) }
  const identities = new WeakMap<TokenClaims, Identity>()

  const check = (token: string, audiences: readonly string[], claims: TokenClaims | undefined): TokenCheck | undefined => {
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
    let remarks: Remarks | undefined
    if (binding.pod) there(bound.pod as Lister<ApiObject>, binding.namespace, 'pod', binding.pod)
    else if (own) remarks = checkSecretToken(token, claims)
    else if (binding.secret) there(bound.secret as Lister<ApiObject>, binding.namespace, 'secret', binding.secret)
    else if (binding.node) there(bound.node as Lister<ApiObject>, '', 'node', binding.node)
    if (claims.staleFrom !== undefined) {
      const late = env.clock.now() - claims.staleFrom
      if (late <= 0) uses.fresh()
      else {
        uses.stale()
        sayStale(claims, env.log)
        remarks = { annotations: { 'authentication.k8s.io/stale-token': `subject: system:serviceaccount:${binding.namespace}:${binding.serviceaccount.name}, seconds after warning threshold: ${Math.floor(late / 1000)}` } }
      }
    }
    let identity = identities.get(claims)
    if (!identity) identities.set(claims, (identity = identityOf(claims)))
    return { identity, audiences: shared, ...(remarks ? { remarks } : {}) }
  }
  return (token, audiences) => {
    const known = tokens.verified(token)
    return known ? check(token, audiences, known) : tokens.verify(token).then((claims) => check(token, audiences, claims))
  }
}

const saidStale = new WeakSet<TokenClaims>()
/** Said once of each token: whoever uses it does not read the file again, and will be locked out when the token ends. */
function sayStale(claims: TokenClaims, log: ServerEnvironment['log']): void {
  if (saidStale.has(claims)) return
  saidStale.add(claims)
  const { namespace, serviceaccount, pod } = claims.binding
  log.warn({ namespace, serviceAccount: serviceaccount.name, pod: pod?.name }, 'a pod uses a token that was renewed long ago: its client does not read the file again')
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
