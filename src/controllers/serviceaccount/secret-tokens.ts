/**
 * The cleaner of tokens in secrets that older versions of Kubernetes made for every service account: one that nobody used for a year is marked
 * invalid, and removed after another year. What somebody made by hand, or a pod mounts, stays
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

/** The day that a label names, in milliseconds; undefined when it names none. */
const dayOf = (text: string | undefined): number | undefined => (text && /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text)) ? Date.parse(text) : undefined)

/** Somebody else was faster: undefined, and the next round looks again. */
const ignoreRaces = (error: unknown): undefined => {
  if (!isConflict(error) && !isNotFound(error)) throw error
}

/** One round over all secrets with tokens. */
function createTokenCleaner({ reader, client, clock, log }: Environment): () => Promise<void> {
  const trackedSince = async (): Promise<number | undefined> => {
    const found = await client.get(core.configmaps, tracking.name, { namespace: tracking.namespace }).catch(ignoreRaces)
    return dayOf(found?.data?.['since'])
  }

  async function clean({ metadata: { name = '', namespace = '', uid, resourceVersion, labels } }: core.Secret, limit: number): Promise<void> {
    const invalidSince = dayOf(labels?.[invalidSinceLabel])
    if (invalidSince === undefined) {
      const marked = await client.patch(core.secrets, name, { type: 'merge', body: { metadata: { uid: uid!, resourceVersion: resourceVersion!, labels: { [invalidSinceLabel]: rfc3339(clock.now()).slice(0, 10) } } } }, { namespace }).catch(ignoreRaces)
      if (marked) log.info({ secret: `${namespace}/${name}` }, 'marked a token invalid that was not used for a year')
    } else if (invalidSince < limit) {
      const removed = await client.delete(core.secrets, name, { namespace, preconditions: { uid: uid!, resourceVersion: resourceVersion! } }).then(() => true, ignoreRaces)
      if (removed) log.info({ secret: `${namespace}/${name}` }, 'removed a token that was invalid for a year')
    }
  }

  return async () => {
    const limit = clock.now() - year
    const since = await trackedSince()
    if (since === undefined || since >= limit) return
    const { items } = await reader.list(core.secrets, { fieldSelector: `type=${tokenType}` })
    for (const secret of items) {
      const { name = '', namespace = '', creationTimestamp, labels, annotations } = secret.metadata
      const lastUsed = dayOf(labels?.[lastUsedLabel])
      if (!creationTimestamp || parseTime(creationTimestamp) >= limit || (lastUsed !== undefined && lastUsed >= limit)) continue
      const account = await reader.get(core.serviceaccounts, annotations?.['kubernetes.io/service-account.name'] ?? '', { namespace }).catch(ignoreRaces)
      if (!account?.secrets?.some((reference) => reference.name === name)) continue
      const pods = await reader.list(core.pods, { namespace })
      if (pods.items.some(({ spec }) => spec.volumes?.some((volume) => volume.secret?.secretName === name))) continue
      await clean(secret, limit)
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
