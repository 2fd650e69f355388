/** Writes into every quota what is used of it, for people to read. Admission does not depend on it. */
import { core, dra, type Resource } from '../../api/index.ts'
import type { ApiObject, Client } from '../../client/client.ts'
import type { Clock } from '../../machinery/clock.ts'
import { isConflict, isNotFound } from '../../machinery/errors.ts'
import type { Component, Logger } from '../../machinery/log.ts'
import { deepEqual } from '../../machinery/meta.ts'
import { createLedger, type Source } from './ledger.ts'
import { countedUnder, deviceClaims } from './usage.ts'

export interface QuotaKeeperOptions {
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
  /** Everything that is served at present; quotas may count any of it. */
  readonly resources: () => readonly Resource[]
  /** Milliseconds between two looks. */
  readonly interval?: number
}

/** Looks at all quotas again and again until it is stopped; costs next to nothing where there are none. */
export function startQuotaKeeper({ client, clock, log, resources, interval = 1_000 }: QuotaKeeperOptions): Component {
  const stopped = new AbortController()
  const loop = (async () => {
    while (await clock.sleep(interval, stopped.signal).then(() => true, () => false)) {
      try {
        await keepQuotas(client, clock, resources())
      } catch (error) {
        if (!stopped.signal.aborted) log.warn({ error: String(error) }, 'could not bring resource quotas up to date')
      }
    }
  })()
  return {
    async stop() {
      stopped.abort()
      await loop
    },
  }
}

/** One look at all quotas. */
export async function keepQuotas(client: Client, clock: Pick<Clock, 'now'>, resources: readonly Resource[]): Promise<void> {
  const { items } = await client.list(core.resourcequotas)
  for (const [namespace, quotas] of Map.groupBy(items, (q) => q.metadata.namespace ?? '')) {
    const lists = new Map<string, readonly ApiObject[]>()
    const listable = resources.filter((r) => r.namespaced && r.verbs.includes('list'))
    const counted = new Set(quotas.flatMap((q) => Object.keys(q.spec.hard ?? {})).flatMap(countedUnder))
    for (const resource of listable) {
      if (!lists.has(resource.groupResource) && counted.has(resource.groupResource)) lists.set(resource.groupResource, (await client.list(resource as Resource<ApiObject>, { namespace })).items)
    }
    // Which extended resource a class of devices stands for.
    if (lists.get(deviceClaims)?.length) lists.set(dra.deviceclasses.groupResource, (await client.list(dra.deviceclasses)).items)
    const source = (resource: Resource): Source => {
      const there = lists.get(resource.groupResource) ?? []
      return { get: (_, name) => there.find((o) => o.metadata.name === name), list: () => there }
    }
    const ledger = createLedger(source, () => listable, clock)
    for (const quota of quotas) await keep(client, quota, Object.fromEntries([...ledger.used(quota)].map(([name, value]) => [name, value.toString()])))
  }
}

async function keep(client: Client, quota: core.ResourceQuota, used: Readonly<Record<string, string>>): Promise<void> {
  const hard = quota.spec.hard ?? {}
  if (deepEqual(quota.status.hard ?? {}, hard) && deepEqual(quota.status.used ?? {}, used)) return
  try {
    await client.updateStatus(core.resourcequotas, { ...quota, status: { hard, used } })
  } catch (error) {
    // Somebody else was there first, or it is gone: the next look sees.
    if (!isConflict(error) && !isNotFound(error)) throw error
  }
}
