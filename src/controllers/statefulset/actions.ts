/** The writes a stateful set consists of, with their events. */
import { core } from '../../api/index.ts'
import type { Client, EventRecorder, Informer } from '../../client/index.ts'
import { isAlreadyExists, isNotFound } from '../../machinery/errors.ts'
import { ownerReference } from '../../machinery/meta.ts'
import { templateOf, type Revision } from '../shared/history.ts'
import { claimName, claimsFor, ordinalOf, podFor, type Pod, type StatefulSet } from './pods.ts'

export interface Environment { readonly client: Client; readonly recorder: EventRecorder; readonly claims: Informer<core.PersistentVolumeClaim>; readonly now: () => number }

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export function createActions(env: Environment, set: StatefulSet) {
  const { client, recorder } = env

  async function createClaims(ordinal: number): Promise<void> {
    for (const claim of claimsFor(set, ordinal)) {
      const { name = '', namespace = '' } = claim.metadata as { name?: string; namespace?: string }
      if (env.claims.get(`${namespace}/${name}`)) continue
      const what = `Claim ${name} Pod ${set.metadata.name}-${ordinal} in StatefulSet ${set.metadata.name}`
      try {
        await client.create(core.persistentvolumeclaims, claim)
        recorder.event(set, 'Normal', 'SuccessfulCreate', `create ${what} success`)
      } catch (error) {
        if (isAlreadyExists(error)) continue
        recorder.event(set, 'Warning', 'FailedCreate', `create ${what} failed error: ${messageOf(error)}`)
        throw error
      }
    }
  }

  async function create(ordinal: number, revision: Revision): Promise<void> {
    const what = `create Pod ${set.metadata.name}-${ordinal} in StatefulSet ${set.metadata.name}`
    await createClaims(ordinal)
    try {
      await client.create(core.pods, podFor(set, templateOf(revision), revision.metadata.name ?? '', ordinal))
      recorder.event(set, 'Normal', 'SuccessfulCreate', `${what} successful`)
    } catch (error) {
      if (isAlreadyExists(error)) throw error
      recorder.event(set, 'Warning', 'FailedCreate', `${what} failed error: ${messageOf(error)}`)
      throw error
    }
  }

  async function remove(pod: Pod): Promise<void> {
    const { name = '', namespace = '', uid = '' } = pod.metadata
    try {
      await client.delete(core.pods, name, { namespace, preconditions: { uid } })
      recorder.event(set, 'Normal', 'SuccessfulDelete', `delete Pod ${name} in StatefulSet ${set.metadata.name} successful`)
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
  }

  /** A claim that goes with its pod when the set shrinks. */
  async function bindClaims(pod: Pod): Promise<void> {
    if (set.spec.persistentVolumeClaimRetentionPolicy?.whenScaled !== 'Delete') return
    for (const template of set.spec.volumeClaimTemplates ?? []) {
      const claim = env.claims.get(`${set.metadata.namespace}/${claimName(set, template, ordinalOf(set, pod) ?? 0)}`)
      if (!claim || claim.metadata.ownerReferences?.some((o) => o.uid === pod.metadata.uid)) continue
      const owner = ownerReference(pod, { controller: false })
      await client.update(core.persistentvolumeclaims, { ...claim, metadata: { ...claim.metadata, ownerReferences: [...(claim.metadata.ownerReferences ?? []), owner] } })
    }
  }

  return { create, remove, bindClaims }
}
