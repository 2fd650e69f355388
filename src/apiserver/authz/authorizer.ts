/** Authorization: authorizers are asked in order until one has an opinion. */
import { ApiError, forbidden } from '../../machinery/errors.ts'
import type { RequestInfo } from '../http/request.ts'
import type { Identity } from '../identity.ts'

/** The attributes of a request. A `RequestInfo` fits: for a non-resource path, `verb` is the lower-case method. */
export type Action = Pick<RequestInfo, 'isResourceRequest' | 'path' | 'verb' | 'group' | 'version' | 'namespace' | 'resource' | 'subresource' | 'name' | 'fieldSelector' | 'labelSelector'>

export type Opinion = 'allow' | 'deny' | 'none'
export interface Decision { readonly opinion: Opinion; readonly reason: string }

/** A rule that applies to a user, for `kubectl auth can-i --list`. */
export interface HeldRule {
  readonly verbs: readonly string[]
  readonly apiGroups?: readonly string[]
  readonly resources?: readonly string[]
  readonly resourceNames?: readonly string[]
  readonly nonResourceURLs?: readonly string[]
}

export interface AuthorizationMode {
  readonly name: string
  /** Its name in the configuration; default: its own name in lower case. */
  readonly label?: string | undefined
  authorize(user: Identity, action: Action): Promise<Decision> | Decision
  /** The rules of a user in a namespace; undefined when the mode cannot list them all. */
  rulesFor?(user: Identity, namespace: string): readonly HeldRule[] | undefined
}

export interface HeldRules {
  readonly rules: readonly HeldRule[]
  /** Whether some mode cannot list its rules. */
  readonly incomplete: boolean
  /** Which mode, in Kubernetes's words. */
  readonly problem?: string
}

export interface Authorizer {
  /** Never throws; `none` means that no mode allowed it. A promise only if a mode calls another server. */
  decide(user: Identity, action: Action): Promise<Decision> | Decision
  /** Throws 403 in Kubernetes's words unless the action is allowed. */
  authorize(user: Identity, action: Action): Promise<void>
  rulesFor(user: Identity, namespace: string): HeldRules
}

const noOpinion: Decision = { opinion: 'none', reason: '' }

/** Called with the opinion of every mode that was asked. */
export type Decided = (mode: AuthorizationMode, opinion: Opinion) => void

/** Asks the modes in order; what none of them allows is forbidden. `now` may be a function that returns the current modes. */
export function createAuthorizer(now: readonly AuthorizationMode[] | (() => readonly AuthorizationMode[]), decided: Decided = () => undefined): Authorizer {
  const current = typeof now === 'function' ? now : () => now
  /** Asks the modes from `first` on; `reasons` are those of the modes before. */
  const decideFrom = (modes: readonly AuthorizationMode[], first: number, reasons: string, user: Identity, action: Action): Promise<Decision> | Decision => {
    let why = reasons
    for (let i = first; i < modes.length; i++) {
      const decision = modes[i]!.authorize(user, action)
      if (decision instanceof Promise) {
        return decision.then((late) => {
          decided(modes[i]!, late.opinion)
          return late.opinion === 'none' ? decideFrom(modes, i + 1, joined(why, late.reason), user, action) : late
        })
      }
      decided(modes[i]!, decision.opinion)
      if (decision.opinion !== 'none') return decision
      if (decision.reason) why = joined(why, decision.reason)
    }
    return why ? { opinion: 'none', reason: why } : noOpinion
  }
  const decide = (user: Identity, action: Action) => decideFrom(current(), 0, '', user, action)
  return {
    decide,
    async authorize(user, action) {
      const decision = await decide(user, action)
      if (decision.opinion !== 'allow') throw refusal(user, action, decision.reason)
    },
    rulesFor(user, namespace) {
      const known = current().map((mode) => ({ mode, rules: mode.rulesFor?.(user, namespace) }))
      const silent = known.filter(({ rules }) => rules === undefined).map(({ mode }) => `${mode.name.toLowerCase()} authorizer does not support user rule resolution`)
      return { rules: known.flatMap(({ rules }) => rules ?? []), incomplete: silent.length > 0, ...(silent.length > 0 ? { problem: silent.join(', ') } : {}) }
    },
  }
}

const joined = (a: string, b: string): string => (a && b ? `${a}\n${b}` : a || b)

/** Kubernetes's 403. */
export function refusal(user: Identity, action: Action, reason: string): ApiError {
  const why = reason ? `: ${reason}` : ''
  const who = `User "${user.name}" cannot ${action.verb}`
  if (!action.isResourceRequest) return new ApiError(403, 'Forbidden', `forbidden: ${who} path "${action.path}"${why}`, {})
  const what = action.subresource ? `${action.resource}/${action.subresource}` : action.resource
  const where = action.namespace ? `in the namespace "${action.namespace}"` : 'at the cluster scope'
  return forbidden({ group: action.group, plural: action.resource }, action.name, `${who} resource "${what}" in API group "${action.group}" ${where}${why}`)
}

/** Members of `system:masters` may do everything, whatever the roles say. Their list of rules is that of the role `cluster-admin`. */
export const mastersMode: AuthorizationMode = {
  name: 'AlwaysAllowGroups',
  authorize: (user) => (user.groups.includes('system:masters') ? { opinion: 'allow', reason: '' } : noOpinion),
  rulesFor: () => [],
}
