/** JSON web tokens of one issuer: the signature by the issuer's keys, for one of our audiences, in their time, mapped to a user. */
import { decodeJwt, jwtVerify } from 'jose'
import type { Clock } from '../../../machinery/clock.ts'
import type { Identity } from '../../identity.ts'
import { compileClaims } from './claims.ts'
import type { JwtAuthenticator } from './configuration.ts'
import { createIssuerKeys } from './keys.ts'

/** Who the token is; undefined for one of another issuer. Rejects for one of this issuer that does not hold. */
export type CheckJwt = (token: string) => Promise<Identity | undefined>

/** Signatures by a key pair. `none` and those by a shared secret are not among them. */
export const signingAlgorithms = ['RS256', 'RS384', 'RS512', 'ES256', 'ES384', 'ES512', 'PS256', 'PS384', 'PS512'] as const

/** Clocks of issuers may be ahead of ours by so many seconds; an expired token is expired all the same. */
const ahead = 300

/** `algorithms`: those that are accepted; all of `signingAlgorithms` when left out. Throws when an expression cannot be compiled. */
export function createJwtCheck(options: JwtAuthenticator, clock: Clock, algorithms: readonly string[] = signingAlgorithms): CheckJwt {
  const { url = '', discoveryURL, certificateAuthority, audiences = [] } = options.issuer ?? {}
  const keys = createIssuerKeys({ url, discoveryUrl: discoveryURL, certificateAuthority }, clock)
  const mapped = compileClaims(options)
  return async (token) => {
    if (issuerOf(token) !== url) return undefined
    const now = clock.now()
    const { payload } = await jwtVerify(token, keys, {
      issuer: url, audience: [...audiences], algorithms: [...algorithms], requiredClaims: ['exp'], currentDate: new Date(now), clockTolerance: ahead,
    })
    if ((payload.exp ?? 0) * 1000 <= now) throw new Error('token is expired')
    return mapped(payload)
  }
}

/** The `iss` of what looks like a token, unchecked: to tell whose it would be. */
function issuerOf(token: string): string | undefined {
  if (token.split('.').length !== 3) return undefined
  try {
    return decodeJwt(token).iss
  } catch {
    return undefined
  }
}
