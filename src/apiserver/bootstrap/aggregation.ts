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

/** The rules an aggregated role should have: those of the roles that each selector matches, in the order of their names, each once. */
export function aggregatedRules(role: rbac.ClusterRole, all: readonly rbac.ClusterRole[]): readonly rbac.PolicyRule[] {
  const others = all.filter(({ metadata }) => metadata.name !== role.metadata.name).toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
  const rules = new Map<string, rbac.PolicyRule>()
  for (const selector of (role.aggregationRule?.clusterRoleSelectors ?? []).map(fromLabelSelector)) {
    for (const rule of others.filter(({ metadata }) => selector.matches(metadata.labels)).flatMap((other) => (other.rules ?? []) as rbac.PolicyRule[])) {
      const key = JSON.stringify(rule)
      if (!rules.has(key)) rules.set(key, rule)
    }
  }
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
      if (deepEqual(rules, role.rules ?? [])) return
      const { name: own = '', uid = '' } = role.metadata
      // Applied, so that whoever applies the rest of the role owns it, and is told that the rules are not theirs. The uid keeps a role that is gone from coming back.
      await client.patch(rbac.clusterroles, own, { type: 'apply', force: true, body: { apiVersion: role.apiVersion, kind: role.kind, metadata: { name: own, uid }, rules } }, { fieldManager: 'clusterrole-aggregation-controller' })
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
