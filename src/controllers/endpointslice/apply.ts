/** Writes a plan. */
import { discovery } from '../../api/index.ts'
import type { Client } from '../../client/index.ts'
import { isNotFound } from '../../machinery/errors.ts'
import type { Written } from '../shared/written.ts'
import type { Group, Plan, Slice } from './plan.ts'

export const serviceNameLabel = 'kubernetes.io/service-name'
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by'

export interface Target {
  /** The key of the owner in the queue. */
  readonly key: string
  readonly namespace: string
  readonly metadata: (group: Group) => Slice['metadata']
}

/** Deletes before it creates, so that readers never see an endpoint twice for long; what is written is remembered. */
export async function applyPlan(client: Client, { create, update, remove }: Plan, target: Target, written: Written<Slice>): Promise<void> {
  for (const slice of update) written.wrote(target.key, await client.update(discovery.endpointslices, slice))
  for (const slice of remove) {
    const { name = '', uid = '' } = slice.metadata
    await client.delete(discovery.endpointslices, name, { namespace: target.namespace, preconditions: { uid } }).catch((error: unknown) => { if (!isNotFound(error)) throw error })
  }
  for (const group of create) written.wrote(target.key, await client.create(discovery.endpointslices, { ...group, metadata: target.metadata(group) }))
}
