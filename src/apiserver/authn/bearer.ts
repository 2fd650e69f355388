/** Bearer tokens: every way to check one, asked in order; the first that knows the token decides. */
import { unauthorized } from '../../machinery/errors.ts'
import type { Identity } from '../identity.ts'
import type { Authentication } from './authenticator.ts'
import { bearerToken, type CheckToken, type TokenCheck } from './token-authentication.ts'

/** A way that knows nothing of audiences: its tokens are for this server. */
export function forThisServer(own: readonly string[], find: (token: string) => Promise<Identity | undefined> | Identity | undefined): CheckToken {
  return async (token, audiences) => {
    const shared = audiences.filter((audience) => own.includes(audience))
    if (shared.length === 0) return undefined
    const identity = await find(token)
    return identity && { identity, audiences: shared }
  }
}

/**
 * Asks one way after the other. A way that knows a token but refuses it does not end the search: another may accept it. When none does, the
 * refusals are thrown together; undefined when nobody even knew the token.
 */
export function anyOf(ways: () => readonly CheckToken[]): CheckToken {
  return async (token, audiences) => {
    const refusals: unknown[] = []
    for (const way of ways()) {
      try {
        const found = await way(token, audiences)
        if (found) return found
      } catch (error) {
        refusals.push(error)
      }
    }
    if (refusals.length === 0) return undefined
    throw new AggregateError(refusals, refusals.map((e) => (e instanceof Error ? e.message : String(e))).join(', '))
  }
}

/** The link of the authenticators' chain that knows bearer tokens. */
export function bearerAuthentication(check: CheckToken, audiences: readonly string[], refused: (error: unknown) => void): Authentication {
  return {
    name: 'bearer',
    async authenticate(request) {
      const token = bearerToken(request)
      if (!token) return undefined
      let found: TokenCheck | undefined
      try {
        found = await check(token, audiences)
      } catch (error) {
        refused(error)
      }
      if (!found) throw unauthorized()
      return found.identity
    },
  }
}
