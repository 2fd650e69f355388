/** TokenReview checks tokens, SelfSubjectReview says who one is. Computed, never stored. */
import { authentication, type StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { badRequest } from '../../machinery/errors.ts'
import { rfc3339 } from '../../machinery/time.ts'
import type { Identity } from '../identity.ts'
import type { VirtualCall, VirtualResource } from '../options.ts'
import { authenticated } from './authenticator.ts'
import type { CheckToken } from './token-authentication.ts'

type Create = VirtualResource['create']
const virtual = (type: unknown, create: (body: never, call: VirtualCall) => unknown): VirtualResource => ({
  type: type as StructType<ApiObject>,
  apiVersion: authentication.tokenreviews.apiVersion,
  create: create as Create,
})

/** `kubectl auth whoami`. Of what is sent, nothing comes back. */
export const selfSubjectReview: VirtualResource = virtual(authentication.SelfSubjectReview, ({ kind, apiVersion }: ApiObject, call) => ({
  kind, apiVersion, metadata: { creationTimestamp: rfc3339(call.now) }, status: { userInfo: userInfo(call.user) },
}))

const userInfo = ({ name, uid, groups, extra }: Identity) => ({ username: name, ...(uid ? { uid } : {}), groups, ...(extra && Object.keys(extra).length > 0 ? { extra } : {}) })

/** What a server makes of the token in an `Authorization` header: a file's last newline is no part of it. */
const inHeader = (token: string): string => `Bearer ${token}`.trim().split(' ')[1] ?? ''

/**
 * `tokenreviews`: a token that does not hold is an answer, not an error. What there is to be said about the token is not said here: it would read as
 * if it were about the one who asks.
 */
export function tokenReview(check: CheckToken, audiences: readonly string[]): VirtualResource {
  return virtual(authentication.TokenReview, async (body: authentication.TokenReview) => {
    if (!body.spec.token) throw badRequest('token is required for TokenReview in authentication')
    const wanted = body.spec.audiences?.length ? body.spec.audiences : audiences
    try {
      const result = await check(inHeader(body.spec.token), wanted)
      if (!result) return { ...body, status: { authenticated: false, user: {}, error: 'invalid bearer token' } }
      return { ...body, status: { authenticated: true, user: userInfo(authenticated(result.identity)), audiences: result.audiences } }
    } catch (error) {
      return { ...body, status: { authenticated: false, user: {}, error: `[invalid bearer token, ${error instanceof Error ? error.message : String(error)}]` } }
    }
  })
}
