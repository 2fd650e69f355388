/**
 * The cleaner of tokens in secrets that older versions of Kubernetes made for every service account: one that nobody used for a year is marked
 * invalid, and removed after another year. What somebody made by hand, or a pod uses, stays
 * (https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/#legacy-serviceaccount-token-cleaner).
 */
import { core } from '../../api/index.ts'
import type { Client } from '../../client/index.ts'
import type { Clock } from '../../machinery/clock.ts'
import { isConflict, isNotFound } from '../../machinery/errors.ts'
import type { Component, Logger } from '../../machinery/log.ts'
import { parseTime, rfc3339 } from '../../machinery/time.ts'
import type { ControllerContext } from '../shared/context.ts'
import { loop } from '../shared/loop.ts'
import { usesSecret } from './pod-secrets.ts'

const tokenType = 'kubernetes.io/service-account-token'
const lastUsedLabel = 'kubernetes.io/legacy-token-last-used'
const invalidSinceLabel = 'kubernetes.io/legacy-token-invalid-since'
const tracking = { name: 'kube-apiserver-legacy-service-account-token-tracking', namespace: 'kube-system' }
const day = 24 * 3_600_000
const year = 365 * day

interface Environment {
  /** Reads, as the manager of all controllers. */
  readonly reader: Client
  /** Writes, as the cleaner. */
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
}

/** Whether a label names a day. Days are compared as texts: what counts is the date, not the hour. */
const isDay = (text: string | undefined): text is string => text !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text))
const dayOf = (ms: number): string => rfc3339(ms).slice(0, 10)

/** Somebody else was faster: undefined, and the next round looks again. */
const ignoreRaces = (error: unknown): undefined => {
  if (!isConflict(error) && !isNotFound(error)) throw error
}

/** One round over all secrets with tokens. */
function createTokenCleaner({ reader, client, clock, log }: Environment): () => Promise<void> {
  /** From when on every use is noted: the end of the day on which that began. */
  const trackedSince = async (): Promise<number | undefined> => {
    const found = await client.get(core.configmaps, tracking.name, { namespace: tracking.namespace }).catch(ignoreRaces)
    const since = found?.data?.['since']
    return isDay(since) ? Date.parse(since) + day : undefined
  }

  async function clean({ metadata: { name = '', namespace = '', uid, resourceVersion, labels } }: core.Secret, limit: number): Promise<void> {
    const invalidSince = labels?.[invalidSinceLabel]
    if (!isDay(invalidSince)) {
      const marked = await client.patch(core.secrets, name, { type: 'merge', body: { metadata: { uid: uid!, resourceVersion: resourceVersion!, labels: { [invalidSinceLabel]: dayOf(clock.now()) } } } }, { namespace }).catch(ignoreRaces)
      if (marked) log.info({ secret: `${namespace}/${name}` }, 'marked a token invalid that was not used for a year')
    } else if (invalidSince < dayOf(limit)) {
      const removed = await client.delete(core.secrets, name, { namespace, preconditions: { uid: uid!, resourceVersion: resourceVersion! } }).then(() => true, ignoreRaces)
      if (removed) log.info({ secret: `${namespace}/${name}` }, 'removed a token that was invalid for a year')
    }
  }

  /** Whether a token is old, and was not used since. A last use that cannot be read may have been yesterday. */
  function isUnused({ metadata: { creationTimestamp, deletionTimestamp, labels } }: core.Secret, limit: number): boolean {
    if (!creationTimestamp || deletionTimestamp || parseTime(creationTimestamp) >= limit) return false
    const lastUsed = labels?.[lastUsedLabel]
    return lastUsed === undefined || (isDay(lastUsed) && lastUsed < dayOf(limit))
  }

  /** Whether Kubernetes made the secret by itself: then its account names it. */
  async function isGenerated({ metadata: { name, namespace = '', annotations } }: core.Secret): Promise<boolean> {
    const called = annotations?.['kubernetes.io/service-account.name']
    const account = called ? await reader.get(core.serviceaccounts, called, { namespace }).catch(ignoreRaces) : undefined
    const uid = annotations?.['kubernetes.io/service-account.uid']
    return account !== undefined && (!uid || uid === account.metadata.uid) && (account.secrets ?? []).some((reference) => reference.name === name)
  }

  return async () => {
    const limit = clock.now() - year
    const since = await trackedSince()
    if (since === undefined || since > limit) return
    const { items } = await reader.list(core.secrets, { fieldSelector: `type=${tokenType}` })
    for (const secret of items) {
      const { name = '', namespace = '' } = secret.metadata
      if (!isUnused(secret, limit) || !(await isGenerated(secret))) continue
      const pods = await reader.list(core.pods, { namespace })
      if (!pods.items.some((pod) => usesSecret(pod, name))) await clean(secret, limit)
    }
  }
}

export function startTokenCleaner(context: ControllerContext): Component {
  const { clock, log, signal } = context
  const reader = context.client('kube-controller-manager')
  return loop({
    name: 'legacy-service-account-token-cleaner', period: day, sources: [], clock, log, signal,
    work: createTokenCleaner({ reader, client: context.client('legacy-service-account-token-cleaner'), clock, log }),
  })
}
