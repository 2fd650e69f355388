/** The `authorizer` of expressions: asks the server's own, and remembers what it said for the time of the request. */
import type { Ask, AuthorizationAnswer, AuthorizationQuestion } from '../../../machinery/cel/index.ts'
import type { Action, Authorizer, Decision } from '../../authz/authorizer.ts'
import type { Identity } from '../../identity.ts'
import type { AdmissionAttributes } from '../admission.ts'
import type { Cel } from './cel.ts'
import { Pending } from './evaluate.ts'

const serviceAccount = ({ namespace, name }: { readonly namespace: string; readonly name: string }): Identity => ({
  name: `system:serviceaccount:${namespace}:${name}`,
  groups: ['system:serviceaccounts', `system:serviceaccounts:${namespace}`, 'system:authenticated'],
})

const actionOf = (q: AuthorizationQuestion): Action => ({
  isResourceRequest: q.path === undefined, path: q.path ?? '', verb: q.verb,
  group: q.group ?? '', version: '*', resource: q.resource ?? '', subresource: q.subresource ?? '', namespace: q.namespace ?? '', name: q.name ?? '',
  ...(q.fieldSelector ? { fieldSelector: q.fieldSelector } : {}),
  ...(q.labelSelector ? { labelSelector: q.labelSelector } : {}),
})

const answerOf = ({ opinion, reason }: Decision): AuthorizationAnswer => ({ allowed: opinion === 'allow', reason })

/** Answers questions about the user of a request; what an authorizer has to find out first is thrown as `Pending`. */
export function createAsk(authorizer: Authorizer, user: Identity): Ask {
  const known = new Map<string, AuthorizationAnswer>()
  return (question) => {
    const key = JSON.stringify(question)
    const before = known.get(key)
    if (before) return before
    const decision = authorizer.decide(question.serviceAccount ? serviceAccount(question.serviceAccount) : user, actionOf(question))
    if (decision instanceof Promise) throw new Pending(decision.then((late) => known.set(key, answerOf(late))))
    const answer = answerOf(decision)
    known.set(key, answer)
    return answer
  }
}

/** The variables `authorizer` and `authorizer.requestResource` of a request. */
export function authorizerValues(cel: Cel, ask: Ask, a: AdmissionAttributes): Readonly<Record<string, unknown>> {
  const { group, plural } = a.requested ?? a.resource
  const about = { group, resource: plural, subresource: a.subresource, namespace: a.namespace, name: a.name }
  return { authorizer: cel.authorizerValue(ask), 'authorizer.requestResource': cel.resourceCheckValue(ask, about) }
}
