/** Keeps the status of validating policies: which generation was looked at, and what is to be said of its expressions. */
import { admissionregistration } from '../../../api/index.ts'
import type { In } from '../../../api/schema.ts'
import type { Client } from '../../../client/client.ts'
import { runController, type Reconciler } from '../../../client/index.ts'
import type { Clock } from '../../../machinery/clock.ts'
import type { Component, Logger } from '../../../machinery/log.ts'
import { feed } from '../../cache/feed.ts'
import type { Registry } from '../../registry/registry.ts'
import { loadCel } from './cel.ts'
import { typeWarnings } from './typecheck.ts'

type Policy = admissionregistration.ValidatingAdmissionPolicy
const { validatingadmissionpolicies } = admissionregistration
type Writable = In<typeof admissionregistration.ValidatingAdmissionPolicy>

export interface PolicyStatusOptions {
  readonly registry: Pick<Registry, 'find' | 'resources'>
  readonly client: Client
  readonly clock: Clock
  readonly log: Logger
}

/** Follows the policies; without any, it waits. */
export function startPolicyStatus({ registry, client, clock, log }: PolicyStatusOptions): Component {
  const { cache } = registry.find(validatingadmissionpolicies.group, validatingadmissionpolicies.version, validatingadmissionpolicies.plural)!
  const reconciler: Reconciler = {
    async reconcile(name) {
      const policy = cache.get(name)?.object as unknown as Policy | undefined
      if (!policy || policy.status.observedGeneration === policy.metadata.generation) return
      const expressionWarnings = typeWarnings(await loadCel(), policy, registry.resources)
      const status: Policy['status'] = { ...policy.status, observedGeneration: policy.metadata.generation ?? 0, typeChecking: expressionWarnings.length > 0 ? { expressionWarnings } : {} }
      await client.updateStatus(validatingadmissionpolicies, { ...policy, status } as Writable)
    },
  }
  const controller = runController({ name: 'validatingadmissionpolicy-status', reconciler, watches: [], clock, log })
  const stopFeed = feed(cache, {
    changed: (name) => controller.enqueue(name),
    everything: () => cache.objects().forEach((policy) => controller.enqueue(policy.metadata.name ?? '')),
  })
  return {
    async stop() {
      stopFeed()
      await controller.stop()
    },
  }
}
