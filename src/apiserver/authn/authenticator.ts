/** Who makes a request: a chain of ways to prove it. The first that recognises a credential decides. */
import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { unauthorized } from '../../machinery/errors.ts'
import { anonymous, type Identity } from '../identity.ts'

export type RawRequest = IncomingMessage | Http2ServerRequest

/**
 * One way to prove who one is. Resolves undefined when the request carries no credential of this kind (the next one is asked);
 * throws `ApiError` 401 when it carries one that does not hold.
 */
export interface Authentication {
  readonly name: string
  authenticate(request: RawRequest): Promise<Identity | undefined> | Identity | undefined
}

/**
 * Asks each of the chain in order. Whoever proves to be somebody is also in `system:authenticated`; a request without
 * credentials is `anonymous`, and what it may do is for the authorizer to say. A bearer token that nobody of the chain knows answers 401.
 */
export function createAuthenticator(chain: readonly Authentication[]): (request: RawRequest) => Promise<Identity> {
  return async (request) => {
    for (const way of chain) {
      const answer = way.authenticate(request)
      const identity = answer instanceof Promise ? await answer : answer
      if (identity) return withGroup(identity, 'system:authenticated')
    }
    if (request.headers.authorization !== undefined) throw unauthorized()
    return anonymous
  }
}

const memberOf = new WeakMap<Identity, Identity>()
/** The identity with the group; the same object for the same identity, so that caches keyed by it work. */
function withGroup(identity: Identity, group: string): Identity {
  if (identity.groups.includes(group)) return identity
  let member = memberOf.get(identity)
  if (!member) memberOf.set(identity, (member = { ...identity, groups: [...identity.groups, group] }))
  return member
}
