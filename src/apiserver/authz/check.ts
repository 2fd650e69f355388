/** Authorizes a request: the authorizer's decision, its audit annotations, and the 403. */
import type { RequestInfo } from '../http/request.ts'
import type { Identity } from '../identity.ts'
import type { AuditTrail, Authorize, Decision } from '../options.ts'
import { refusal } from './authorizer.ts'

/** Throws 403 unless the user may do what `info` says. */
export function checkAuthorized(authorize: Authorize, user: Identity, info: RequestInfo, trail?: AuditTrail): Promise<void> | void {
  const decision = authorize(user, info)
  return decision instanceof Promise ? decision.then((late) => enforce(late, user, info, trail)) : enforce(decision, user, info, trail)
}

/** The reason is worded only when somebody reads it. */
function enforce(decision: Decision, user: Identity, info: RequestInfo, trail: AuditTrail | undefined): void {
  const { allowed } = decision
  if (trail) {
    trail.annotate('authorization.k8s.io/decision', allowed ? 'allow' : 'forbid')
    trail.annotate('authorization.k8s.io/reason', decision.reason)
  }
  if (allowed) return
  throw refusal(user, info, decision.reason)
}
