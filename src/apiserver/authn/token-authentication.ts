/** Who a service account token is: signature and expiry are the token's own; account, pod, node and secret must still be there. */
import { core } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { notFound } from '../../machinery/errors.ts'
import { parseTime } from '../../machinery/time.ts'
import type { Identity } from '../identity.ts'
import type { ServerEnvironment } from '../options.ts'
import type { Remarks } from './remarks.ts'
import { createSecretTokenCheck } from './secret-tokens.ts'
import { createTokenUses, type TokenUses } from './token-uses.ts'
import type { TokenBinding, TokenClaims, Tokens } from './tokens.ts'

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

  const checkBound = (binding: TokenBinding): undefined => {
    const { namespace, serviceaccount, secret, pod, node } = binding
    const account = accounts.get(namespace, serviceaccount.name)
    const before = env.clock.now() - leeway
    if (!account) throw notFound(core.serviceaccounts, serviceaccount.name)
    if (account.metadata.uid !== serviceaccount.uid) throw new Error(`service account UID (${account.metadata.uid}) does not match claim (${serviceaccount.uid})`)
    if (isGone(account, before)) throw new Error(`service account ${namespace}/${serviceaccount.name} has been deleted`)
    if (secret) checkThere(bound.secret.get(namespace, secret.name), 'secret', secret.uid, before)
    // The node of a token that is bound to a pod is only told.
    if (pod) checkThere(bound.pod.get(namespace, pod.name), 'pod', pod.uid, before)
    else if (node) checkThere(bound.node.get('', node.name), 'node', node.uid, before)
  }
  const check = (token: string, audiences: readonly string[], claims: TokenClaims | undefined): TokenCheck | undefined => {
    if (!claims) return undefined
    const { binding } = claims
    const mine = claims.audiences.length > 0 ? claims.audiences : tokens.audiences
    const shared = audiences.filter((audience) => mine.includes(audience))
    if (shared.length === 0) throw new Error(`token audiences ${listed(mine)} is invalid for the target audiences ${listed(audiences)}`)
    let remarks = claims.expires === Infinity ? checkSecretToken(token, claims) : checkBound(binding)
    if (claims.audiences.length === 0) {
      remarks = { ...remarks, annotations: { 'authentication.k8s.io/legacy-token': nameOf(binding), ...remarks?.annotations } }
    }
    if (claims.staleFrom !== undefined) {
      const late = env.clock.now() - claims.staleFrom
      if (late <= 0) uses.fresh()
      else {
        uses.stale()
        sayStale(claims, env.log)
        remarks = { annotations: { ...remarks?.annotations, 'authentication.k8s.io/stale-token': `subject: ${nameOf(binding)}, seconds after warning threshold: ${Math.floor(late / 1000)}` } }
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

type Met = Pick<ApiObject, 'metadata'>
const isGone = ({ metadata: { deletionTimestamp } }: Met, before: number): boolean => Boolean(deletionTimestamp) && parseTime(deletionTimestamp as string) < before

/** Throws unless the object is the one that a token is bound to, and was not deleted before that moment. */
function checkThere(object: Met | undefined, what: string, uid: string, before: number): void {
  if (object && object.metadata.uid !== uid) throw new Error(`${what} UID (${object.metadata.uid}) does not match service account ${what} ref claim (${uid})`)
  if (!object || isGone(object, before)) throw new Error('service account token has been invalidated')
}

/** Texts as Go shows a list of them. */
const listed = (texts: readonly string[]): string => `[${texts.map((text) => JSON.stringify(text)).join(' ')}]`

const nameOf = ({ namespace, serviceaccount }: TokenBinding): string => `system:serviceaccount:${namespace}:${serviceaccount.name}`

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
    name: nameOf(binding),
    uid: serviceaccount.uid,
    groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`],
    extra,
  }
}
