/** Who makes a request: a chain of ways to prove it. The first that recognises a credential decides. */
import type { IncomingMessage } from 'node:http'
import type { Http2ServerRequest } from 'node:http2'
import { unauthorized } from '../../machinery/errors.ts'
import { anonymous, type Identity } from '../identity.ts'

export type RawRequest = IncomingMessage | Http2ServerRequest

/**
 * One way to prove who one is. Resolves undefined when the request carries no credential of this kind (the next one is asked);
 * throws `ApiError` 401 when it carries one that does not hold: then another credential may still do, and nothing else will.
 */
export interface Authentication {
  readonly name: string
  authenticate(request: RawRequest): Promise<Identity | undefined> | Identity | undefined
}

/** Who a request without credentials is; undefined: nobody. */
export type Anonymous = (request: RawRequest) => Identity | undefined

/**
 * Asks each of the chain in order. Whoever proves to be somebody is also in `system:authenticated`; a request without
 * credentials is anonymous, and what it may do is for the authorizer to say. One whose credentials somebody of the chain
 * knows and nobody accepts answers 401. A promise only where one of the chain takes its time.
 */
export function createAuthenticator(chain: readonly Authentication[], nobody: Anonymous = () => anonymous): (request: RawRequest) => Promise<Identity> | Identity {
  const finish = (request: RawRequest, refused: unknown): Identity => {
    if (refused) throw refused
    const identity = nobody(request)
    if (!identity) throw unauthorized()
    return identity
  }
  const goOn = async (request: RawRequest, first: number, pending: Promise<Identity | undefined> | undefined, before: unknown): Promise<Identity> => {
    let refused = before
    let answer: Promise<Identity | undefined> | Identity | undefined = pending
    for (let i = first; ; i++) {
      try {
        const identity = await answer
        if (identity) return authenticated(identity)
      } catch (error) {
        refused = error
      }
      if (i === chain.length) return finish(request, refused)
      answer = attempt(chain[i]!, request)
    }
  }
  return (request) => {
    let refused: unknown
    for (let i = 0; i < chain.length; i++) {
      try {
        const answer = chain[i]!.authenticate(request)
        if (answer instanceof Promise) return goOn(request, i + 1, answer, refused)
        if (answer) return authenticated(answer)
      } catch (error) {
        refused = error
      }
    }
    return finish(request, refused)
  }
}

const attempt = async (way: Authentication, request: RawRequest): Promise<Identity | undefined> => way.authenticate(request)

const memberOf = new WeakMap<Identity, Identity>()
/** The identity as a member of `system:authenticated`; the same object for the same identity, so that caches keyed by it work. */
export function authenticated(identity: Identity): Identity {
  if (identity.groups.includes('system:authenticated') || identity.groups.includes('system:unauthenticated')) return identity
  let member = memberOf.get(identity)
  if (!member) memberOf.set(identity, (member = { ...identity, groups: [...identity.groups, 'system:authenticated'] }))
  return member
}
