/** Keeps aggregated cluster roles equal to the roles they select: `admin`, `edit` and `view` grow with every operator that labels its roles. */
import { rbac } from '../../api/index.ts'
import type { Client } from '../../client/client.ts'
import { createInformers } from '../../client/informer.ts'
import { runController, watch } from '../../client/run-controller.ts'
import type { Reconciler } from '../../client/controller.ts'
import type { Clock } from '../../machinery/clock.ts'
import { fromLabelSelector } from '../../machinery/labels.ts'
import type { Component, Logger } from '../../machinery/log.ts'
import { deepEqual } from '../../machinery/meta.ts'

export interface AggregationOptions { readonly client: Client; readonly clock: Clock; readonly log: Logger }

/** The rules an aggregated role should have: those of the roles its selectors match, in the order of their names, each once. */
export function aggregatedRules(role: rbac.ClusterRole, all: readonly rbac.ClusterRole[]): readonly rbac.PolicyRule[] {
  const selectors = (role.aggregationRule?.clusterRoleSelectors ?? []).map(fromLabelSelector)
  const chosen = all
    .filter((other) => other.metadata.name !== role.metadata.name && selectors.some((s) => s.matches(other.metadata.labels)))
    .toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
  const rules = new Map<string, rbac.PolicyRule>()
  for (const rule of chosen.flatMap((other) => (other.rules ?? []) as rbac.PolicyRule[])) rules.set(JSON.stringify(rule), rule)
  return [...rules.values()]
}

/** Runs until it is stopped. */
export async function startAggregation({ client, clock, log }: AggregationOptions): Promise<Component> {
  const stopped = new AbortController()
  const informers = createInformers(client, { clock, log })
  const roles = informers.for(rbac.clusterroles)
  const reconciler: Reconciler = {
    async reconcile(name) {
      const role = roles.get(name)
      if (!role?.aggregationRule) return
      const rules = aggregatedRules(role, roles.list())
      if (!deepEqual(rules, role.rules ?? [])) await client.update(rbac.clusterroles, { ...role, rules })
    },
  }
  const aggregated = () => roles.list().filter((role) => role.aggregationRule).map((role) => role.metadata.name ?? '')
  const controller = runController({ name: 'clusterrole-aggregation', reconciler, watches: [watch(roles, aggregated)], clock, log, concurrency: 1 })
  informers.start(stopped.signal)
  await informers.synced()
  return {
    async stop() {
      stopped.abort()
      await controller.stop()
    },
  }
}
