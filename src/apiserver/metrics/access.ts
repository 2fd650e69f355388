/** How many requests came in, who was let through, and how long both questions took: under Kubernetes's names. */
import type { Registry } from 'prom-client'
import { tlsSocketOf } from '../authn/certificate.ts'
import type { RawRequest } from '../authn/authenticator.ts'
import type { Attempted } from '../authn/impersonation.ts'
import type { AuthorizationMode, Decision as ModeDecision, Opinion } from '../authz/authorizer.ts'
import type { Identity } from '../identity.ts'
import { createCounter, createHistogram, type Observe } from './series.ts'

/** Seconds: 1 ms, doubled fourteen times. */
const bounds = Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i)

export interface AccessMetrics {
  /** The same authentication, counted. */
  authentication<R extends RawRequest>(authenticate: (request: R) => Promise<Identity> | Identity): (request: R) => Promise<Identity> | Identity
  /** The same authorization of requests, counted. */
  authorization<A extends readonly unknown[]>(decide: (...question: A) => Promise<ModeDecision> | ModeDecision): (...question: A) => Promise<ModeDecision> | ModeDecision
  /** Told of every attempt to be somebody else. */
  readonly impersonation: Attempted
  /** Told of every opinion of every authorizer. */
  decided(mode: AuthorizationMode, opinion: Opinion): void
}

interface Outcome { readonly count: () => void; readonly took: Observe }

/** The names of users are not shown: only of what kind they are. */
function kindOf(name: string): string {
  if (['admin', 'client', 'kube_proxy', 'kubelet', 'system:serviceaccount:kube-system:default'].includes(name)) return name
  return name.includes('@') ? 'email_id' : 'other'
}

const opinions = { allow: 'allowed', deny: 'denied', none: 'no-opinion' } as const
/** What Kubernetes has no authorizer of its own for belongs to the one that it stands for, or is not counted. */
const types: Readonly<Record<string, string | undefined>> = { Public: 'RBAC', AlwaysAllowGroups: undefined, AlwaysAllowPaths: undefined }

export function createAccessMetrics(registry: Registry): AccessMetrics {
  const attempts = createCounter(registry, { name: 'authentication_attempts', help: 'Attempts to say who one is, by what came of them.', labels: ['result'] })
  const users = createCounter(registry, { name: 'authenticated_user_requests', help: 'Requests of those who said who they are, by the kind of their name.', labels: ['username'] })
  const authenticating = createHistogram(registry, { name: 'authentication_duration_seconds', help: 'How long it took to tell who somebody is, in seconds.', labels: ['result'], bounds })
  const questions = createCounter(registry, { name: 'authorization_attempts_total', help: 'Requests that were authorized or not, by what came of it.', labels: ['result'] })
  const authorizing = createHistogram(registry, { name: 'authorization_duration_seconds', help: 'How long it took to tell whether somebody may, in seconds.', labels: ['result'], bounds })
  const decisions = createCounter(registry, { name: 'apiserver_authorization_decisions_total', help: 'Decisions of authorizers that ended the search, by type and name of the authorizer.', labels: ['type', 'name', 'decision'] })

  const impersonations = createCounter(registry, { name: 'apiserver_impersonation_attempts_total', help: 'Attempts to be somebody else, by the mode that allowed it, and what came of it.', labels: ['mode', 'decision'] })
  const impersonating = createHistogram(registry, { name: 'apiserver_impersonation_attempts_duration_seconds', help: 'How long it took to tell whether somebody may be somebody else, in seconds.', labels: ['mode', 'decision'], bounds })

  const outcome = (count: typeof attempts, took: typeof authenticating, result: string): Outcome => ({ count: () => count([result]), took: took([result]) })
  const who = { success: outcome(attempts, authenticating, 'success'), failure: outcome(attempts, authenticating, 'failure'), error: outcome(attempts, authenticating, 'error') }
  const may = { allow: outcome(questions, authorizing, opinions.allow), deny: outcome(questions, authorizing, opinions.deny), none: outcome(questions, authorizing, opinions.none) }
  const note = ({ count, took }: Outcome, begun: number): void => {
    count()
    took((performance.now() - begun) / 1000)
  }
  const kinds = new WeakMap<Identity, string>()
  const known = (identity: Identity, begun: number): Identity => {
    let kind = kinds.get(identity)
    if (kind === undefined) kinds.set(identity, (kind = kindOf(identity.name)))
    users([kind])
    note(who.success, begun)
    return identity
  }
  const unknown = (request: RawRequest, begun: number, error: unknown): never => {
    const shown = request.headers.authorization !== undefined || tlsSocketOf(request)?.getPeerX509Certificate() !== undefined
    note(shown ? who.error : who.failure, begun)
    throw error
  }
  const names = new WeakMap<AuthorizationMode, readonly [type: string, name: string] | 'none'>()
  return {
    authentication: (authenticate) => (request) => {
      const begun = performance.now()
      try {
        const identity = authenticate(request)
        return identity instanceof Promise ? identity.then((late) => known(late, begun), (error: unknown) => unknown(request, begun, error)) : known(identity, begun)
      } catch (error) {
        return unknown(request, begun, error)
      }
    },
    authorization: (decide) => (...question) => {
      const begun = performance.now()
      const decision = decide(...question)
      if (!(decision instanceof Promise)) {
        note(may[decision.opinion], begun)
        return decision
      }
      return decision.then((late) => {
        note(may[late.opinion], begun)
        return late
      })
    },
    impersonation(mode, begun) {
      const outcomeOf = [mode ?? '', mode === undefined ? 'denied' : 'allowed']
      impersonations(outcomeOf)
      impersonating(outcomeOf)((performance.now() - begun) / 1000)
    },
    decided(mode, opinion) {
      if (opinion === 'none') return
      let name = names.get(mode)
      if (name === undefined) {
        const type = mode.name in types ? types[mode.name] : mode.name
        names.set(mode, (name = type === undefined ? 'none' : [type, mode.label ?? type.toLowerCase()]))
      }
      if (name !== 'none') decisions([...name, opinions[opinion]])
    },
  }
}
