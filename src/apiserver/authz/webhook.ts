/** The Webhook authorizer: sends a SubjectAccessReview to another server, and caches the answer. */
import type { Clock } from '../../machinery/clock.ts'
import type { Logger } from '../../machinery/log.ts'
import { withBackoff } from '../backoff.ts'
import type { Identity } from '../identity.ts'
import type { Post } from '../remote.ts'
import type { Action, AuthorizationMode, Decision } from './authorizer.ts'
import { sentSelectors } from './selectors.ts'
import type { WebhookMetrics, WebhookResult } from './webhook-metrics.ts'

export interface WebhookModeOptions {
  /** Its name in reasons and logs. */
  readonly name: string
  readonly post: Post
  /** Milliseconds; 0: answers are not cached. */
  readonly authorizedTtl: number
  readonly unauthorizedTtl: number
  /** Milliseconds for one attempt. */
  readonly timeout: number
  /** The version of SubjectAccessReview, default `v1`. In `v1beta1` the groups have another field name. */
  readonly version?: 'v1' | 'v1beta1' | undefined
  /** The opinion when a call fails. */
  readonly failurePolicy: 'NoOpinion' | 'Deny'
  /** Whether the match conditions hold; throws when that cannot be evaluated. */
  readonly matches?: ((spec: object) => boolean) | undefined
}

const none: Decision = { opinion: 'none', reason: '' }
/** The number of cached answers, and the longest cached question in characters. */
const most = 8192
const longestKept = 10_000

interface Status { readonly allowed?: boolean; readonly denied?: boolean; readonly reason?: string; readonly evaluationError?: string }

/** A webhook mode. It cannot list a user's rules. */
export function createWebhookMode(options: WebhookModeOptions, { clock, log, metrics }: { readonly clock: Clock; readonly log: Logger; readonly metrics?: WebhookMetrics | undefined }): AuthorizationMode {
  const { name, post, authorizedTtl, unauthorizedTtl, timeout, failurePolicy, matches, version = 'v1' } = options
  const known = new Map<string, { readonly decision: Decision; readonly until: number }>()
  const asked = new Map<string, Promise<Decision>>()

  const failed = (error: unknown): Decision => {
    const why = error instanceof Error ? error.message : String(error)
    if (failurePolicy === 'NoOpinion') metrics?.failedOpen(name, resultOf(error))
    log.warn({ authorizer: name, error: why, policy: failurePolicy }, 'an authorization webhook could not be asked')
    return failurePolicy === 'Deny' ? { opinion: 'deny', reason: `webhook authorizer ${name}: ${why}` } : none
  }
  const ask = async (spec: object): Promise<Decision> => withBackoff(clock, async () => {
    const begun = performance.now()
    const count = (result: WebhookResult) => metrics?.asked(name, result, (performance.now() - begun) / 1000)
    const review = { kind: 'SubjectAccessReview', apiVersion: `authorization.k8s.io/${version}`, metadata: { creationTimestamp: null }, spec: version === 'v1' ? spec : older(spec), status: { allowed: false } }
    const { status } = (await post(review, { timeout }).catch((error: unknown) => {
      count(resultOf(error))
      throw error
    })) as { readonly status?: Status }
    count(typeof status !== 'object' || status === null || (status.allowed && status.denied) ? 'error' : 'success')
    if (typeof status !== 'object' || status === null) throw new Error('it answered without a status')
    if (status.allowed && status.denied) throw new Error('it said both allow and deny')
    const { reason = '' } = status
    if (status.denied) return { opinion: 'deny', reason }
    return { opinion: status.allowed ? 'allow' : 'none', reason }
  })
  const isMeant = (holds: NonNullable<typeof matches>, spec: object): boolean => {
    const begun = performance.now()
    let outcome: 'met' | 'excluded' | 'failed' = 'failed'
    try {
      outcome = holds(spec) ? 'met' : 'excluded'
      return outcome === 'met'
    } finally {
      metrics?.conditions(name, (performance.now() - begun) / 1000, outcome)
    }
  }
  const remember = (key: string, decision: Decision): Decision => {
    const ttl = decision.opinion === 'allow' ? authorizedTtl : unauthorizedTtl
    if (ttl > 0 && key.length <= longestKept) {
      if (known.size >= most) known.delete(known.keys().next().value as string)
      known.set(key, { decision, until: clock.now() + ttl })
    }
    return decision
  }

  return {
    name: 'Webhook',
    label: name,
    authorize(user, action) {
      const spec = specOf(user, action)
      try {
        if (matches && !isMeant(matches, spec)) return none
      } catch (error) {
        return failed(error)
      }
      const key = JSON.stringify(spec)
      const kept = known.get(key)
      if (kept && kept.until > clock.now()) return kept.decision
      known.delete(key)
      let running = asked.get(key)
      if (!running) {
        running = ask(spec).then((decision) => remember(key, decision), failed).finally(() => asked.delete(key))
        asked.set(key, running)
      }
      return running
    },
  }
}

function older(spec: object): object {
  const { groups, ...rest } = spec as { readonly groups?: unknown }
  return { ...rest, group: groups }
}

const resultOf = (error: unknown): WebhookResult => (error instanceof Error && /no answer within/.test(error.message) ? 'timeout' : 'error')

/** `authorization.v1.SubjectAccessReviewSpec`. */
export function specOf(user: Identity, action: Action): object {
  const { verb, path, namespace, group, version, resource, subresource, name } = action
  const entries = Object.entries({ namespace, verb, group, version, resource, subresource, name }).filter(([, value]) => value !== '')
  return {
    ...(action.isResourceRequest
      ? { resourceAttributes: { ...Object.fromEntries(entries), ...sentSelectors(action) } }
      : { nonResourceAttributes: { path, verb } }),
    user: user.name,
    groups: user.groups,
    ...(user.extra && Object.keys(user.extra).length > 0 ? { extra: user.extra } : {}),
    ...(user.uid ? { uid: user.uid } : {}),
  }
}
