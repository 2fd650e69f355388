/** JSON web tokens of one issuer: the signature by the issuer's keys, for one of our audiences, in their time, mapped to a user. */
import { compactVerify, type CompactVerifyGetKey } from 'jose'
import type { Clock } from '../../../machinery/clock.ts'
import type { Identity } from '../../identity.ts'
import { compileClaims, issuerOf, type Claims } from './claims.ts'
import type { JwtAuthenticator } from './configuration.ts'
import { createDistributedClaims } from './distributed.ts'
import { createIssuerKeys } from './keys.ts'
import type { JwtMetrics } from './metrics.ts'

/** Who the token is; undefined for one of another issuer. Rejects for one of this issuer that does not hold. */
export type CheckJwt = (token: string) => Promise<Identity | undefined>

/** Signatures by a key pair. `none` and those by a shared secret are not among them. */
export const signingAlgorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512'] as const

/** Clocks of issuers may be ahead of ours by so many milliseconds; an expired token is expired all the same. */
const ahead = 60_000

/** `algorithms`: those that are accepted; all of `signingAlgorithms` when left out. Throws when an expression cannot be compiled. */
export function createJwtCheck(options: JwtAuthenticator, clock: Clock, algorithms: readonly string[] = signingAlgorithms, metrics?: JwtMetrics): CheckJwt {
  const { url = '', discoveryURL, certificateAuthority, audiences = [] } = options.issuer ?? {}
  const verifier = (keys: CompactVerifyGetKey) => async (token: string): Promise<Claims> => {
    const { payload } = await compactVerify(token, keys, { algorithms: [...algorithms] })
    const claims: unknown = JSON.parse(utf8.decode(payload))
    if (typeof claims !== 'object' || claims === null || Array.isArray(claims)) throw new Error('the claims are no object')
    checkStanding(claims as Claims, audiences, clock.now())
    return claims as Claims
  }
  const verify = verifier(createIssuerKeys({ url, discoveryUrl: discoveryURL, certificateAuthority }, clock, metrics))
  const group = options.claimMappings?.groups?.claim
  const complete = group ? createDistributedClaims(group, certificateAuthority, (issuer) => verifier(createIssuerKeys({ url: issuer, certificateAuthority }, clock))) : async (claims: Claims) => claims
  const mapped = compileClaims(options)
  return async (token) => {
    if (issuerOf(token) !== url) return undefined
    const begun = performance.now()
    let holds = false
    try {
      const identity = mapped(await complete(await verify(token)))
      holds = true
      return identity
    } finally {
      metrics?.checked(url, holds, (performance.now() - begun) / 1000)
    }
  }
}

const utf8 = new TextDecoder()

/** Throws unless the claims that every token has are of their types, and the token is for one of the audiences and in its time. */
function checkStanding({ sub, aud, exp, nbf, iat, _claim_names: names, _claim_sources: sources }: Claims, wanted: readonly string[], now: number): void {
  if (sub !== undefined && sub !== null && typeof sub !== 'string') throw new Error('"sub" claim must be a text')
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : aud === undefined || aud === null ? [] : [aud]
  if (!audiences.every((one) => typeof one === 'string')) throw new Error('"aud" claim must be a text or a list of texts')
  if (!audiences.some((one) => wanted.includes(one))) throw new Error(`expected audience in ${JSON.stringify(wanted)} got ${JSON.stringify(audiences)}`)
  const expires = timeOf('exp', exp)
  if (expires === undefined || expires <= now) throw new Error('token is expired')
  if ((timeOf('nbf', nbf) ?? 0) > now + ahead) throw new Error('the current time is before the nbf (not before) time')
  if (iat !== undefined) timeOf('iat', iat ?? Number.NaN)
  if (names === undefined || names === null) return
  const all = Object.values(names)
  if (typeof names !== 'object' || !all.every((source) => typeof source === 'string')) throw new Error('"_claim_names" claim must be a map of texts')
  if (all.some((source) => typeof sources !== 'object' || !Object.hasOwn(sources ?? {}, source))) throw new Error('source does not exist')
}

/** Milliseconds of a claim in seconds; undefined when it is not there. */
function timeOf(name: string, value: unknown): number | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Error(`"${name}" claim must be a number`)
  return value * 1000
}
