/** Bearer tokens: every way to check one, asked in order; the first that knows the token decides. */
import { unauthorized } from '../../machinery/errors.ts'
import type { Identity } from '../identity.ts'
import type { Authentication, RawRequest } from './authenticator.ts'
import { remark, remarksOfError } from './remarks.ts'
import { bearerToken } from './bearer-token.ts'
import type { CheckToken, TokenCheck } from './token-authentication.ts'

/** A way that knows nothing of audiences: its tokens are for this server. */
export function forThisServer(own: readonly string[], find: (token: string) => Promise<Identity | undefined> | Identity | undefined): CheckToken {
  return (token, audiences) => {
    const shared = audiences.filter((audience) => own.includes(audience))
    if (shared.length === 0) return undefined
    const checked = (identity: Identity | undefined): TokenCheck | undefined => identity && { identity, audiences: shared }
    const found = find(token)
    return found instanceof Promise ? found.then(checked) : checked(found)
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

function finish(refusals: readonly unknown[]): undefined {
  if (refusals.length > 0) throw new AggregateError(refusals, refusals.map(messageOf).join(', '))
}

/**
 * Asks one way after the other. A way that knows a token but refuses it does not end the search: another may accept it. When none does, the
 * refusals are thrown together; undefined when nobody even knew the token. A promise only where one of the ways takes its time.
 */
export function anyOf(ways: () => readonly CheckToken[]): CheckToken {
  return (token, audiences) => {
    const all = ways()
    const refusals: unknown[] = []
    const askFrom = (first: number): ReturnType<CheckToken> => {
      for (let i = first; i < all.length; i++) {
        try {
          const found = all[i]!(token, audiences)
          if (found instanceof Promise) {
            return found.then((late) => late ?? askFrom(i + 1), (error: unknown) => {
              refusals.push(error)
              return askFrom(i + 1)
            })
          }
          if (found) return found
        } catch (error) {
          refusals.push(error)
        }
      }
      return finish(refusals)
    }
    return askFrom(0)
  }
}

/** The link of the authenticators' chain that knows bearer tokens. */
export function bearerAuthentication(check: CheckToken, audiences: readonly string[], refused: (error: unknown) => void): Authentication {
  const known = (request: RawRequest, found: TokenCheck | undefined): Identity => {
    if (!found) throw unauthorized()
    if (found.remarks) remark(request, found.remarks)
    return found.identity
  }
  const broken = (request: RawRequest, error: unknown): never => {
    const remarks = remarksOfError(error)
    if (remarks) remark(request, remarks)
    refused(error)
    throw unauthorized()
  }
  return {
    name: 'bearer',
    authenticate(request) {
      const token = bearerToken(request)
      if (!token) return undefined
      let found: ReturnType<CheckToken>
      try {
        found = check(token, audiences)
      } catch (error) {
        return broken(request, error)
      }
      return found instanceof Promise ? found.then((late) => known(request, late), (error: unknown) => broken(request, error)) : known(request, found)
    },
  }
}
