/** Tokens that another server knows: a TokenReview goes out, what it answers holds for a while. */
import type { Clock } from '../../machinery/clock.ts'
import type { Identity } from '../identity.ts'
import { withBackoff } from '../backoff.ts'
import type { Post } from '../remote.ts'
import { remembering } from './remembered.ts'
import type { CheckToken } from './token-authentication.ts'

export interface TokenWebhookOptions {
  readonly post: Post
  /** Milliseconds; two minutes when left out. */
  readonly cacheTtl?: number | undefined
  /** `v1`, or `v1beta1` for servers of long ago. */
  readonly version?: 'v1' | 'v1beta1' | undefined
}

/** How long one attempt may take. */
const timeout = 30_000

interface Status {
  readonly authenticated?: boolean
  readonly user?: { readonly username?: string; readonly uid?: string; readonly groups?: readonly string[]; readonly extra?: Readonly<Record<string, readonly string[]>> }
  readonly audiences?: readonly string[]
  readonly error?: string
}

/** Resolves undefined for a token that the other server does not know; rejects when it cannot be asked. `own`: the audiences of this server. */
export function tokenWebhook({ post, cacheTtl = 120_000, version = 'v1' }: TokenWebhookOptions, own: readonly string[], clock: Clock): CheckToken {
  const ask = (token: string, audiences: readonly string[]): Promise<Status> => withBackoff(clock, async () => {
    const review = { apiVersion: `authentication.k8s.io/${version}`, kind: 'TokenReview', metadata: { creationTimestamp: null }, spec: { token, ...(audiences.length > 0 ? { audiences } : {}) }, status: { user: {} } }
    const answer = (await post(review, { timeout })) as { readonly status?: Status } | null
    if (typeof answer?.status !== 'object' || answer.status === null) throw new Error('the token webhook answered without a status')
    return answer.status
  })
  const status = remembering(clock, () => cacheTtl, ask)
  return async (token, audiences) => {
    const { authenticated, user, audiences: theirs, error } = await status(token, audiences)
    if (authenticated !== true) {
      if (error) throw new Error(error)
      return undefined
    }
    // A server that says nothing of audiences vouches for this one only.
    const shared = theirs?.length ? audiences.filter((audience) => theirs.includes(audience)) : audiences.filter((audience) => own.includes(audience))
    if (shared.length === 0) return undefined
    return { identity: identityOf(user), audiences: shared }
  }
}

const known = new WeakMap<object, Identity>()

/** The same object for the same answer, so that what is remembered by identity works. */
function identityOf(user: Status['user']): Identity {
  const { username, uid, groups, extra } = user ?? {}
  if (typeof username !== 'string' || username === '') throw new Error('the token webhook named no user')
  let identity = known.get(user as object)
  if (!identity) {
    const texts = (values: unknown): readonly string[] => (Array.isArray(values) ? values.filter((v) => typeof v === 'string') : [])
    const more = Object.entries(extra ?? {}).map(([key, values]) => [key, texts(values)] as const)
    known.set(user as object, (identity = { name: username, ...(uid ? { uid } : {}), groups: texts(groups), ...(more.length > 0 ? { extra: Object.fromEntries(more) } : {}) }))
  }
  return identity
}
