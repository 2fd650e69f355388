/** The writes a stateful set consists of, with their events. */
import { core } from '../../api/index.ts'
import type { Client, EventRecorder, Informer } from '../../client/index.ts'
import { isAlreadyExists, isNotFound } from '../../machinery/errors.ts'
import { templateOf, type Revision } from '../shared/history.ts'
import { claimOwners, goesWith } from './owners.ts'
import { claimName, claimsFor, hasIdentity, identityOf, ordinalOf, podFor, podName, type Pod, type StatefulSet } from './pods.ts'

export interface Environment { readonly client: Client; readonly recorder: EventRecorder; readonly claims: Informer<core.PersistentVolumeClaim>; readonly now: () => number }

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))

export function createActions(env: Environment, set: StatefulSet) {
  const { client, recorder } = env

  async function createClaims(ordinal: number): Promise<void> {
    for (const claim of claimsFor(set, ordinal)) {
      const { name = '', namespace = '' } = claim.metadata as { name?: string; namespace?: string }
      const there = env.claims.get(`${namespace}/${name}`)
      if (there?.metadata.deletionTimestamp) throw new Error(`pvc ${name} is being deleted`)
      if (there) continue
      const what = `Claim ${name} Pod ${set.metadata.name}-${ordinal} in StatefulSet ${set.metadata.name}`
      try {
        await client.create(core.persistentvolumeclaims, claim)
        recorder.event(set, 'Normal', 'SuccessfulCreate', `create ${what} success`)
      } catch (error) {
        if (isAlreadyExists(error)) continue
        recorder.event(set, 'Warning', 'FailedCreate', `create ${what.replace(' Pod ', ' for Pod ')} failed error: ${messageOf(error)}`)
        throw error
      }
    }
  }

  async function create(ordinal: number, revision: Revision): Promise<void> {
    const what = `create Pod ${set.metadata.name}-${ordinal} in StatefulSet ${set.metadata.name}`
    try {
      await createClaims(ordinal)
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

  /** Gives a pod the labels of its identity back. */
  async function identify(pod: Pod, ordinal: number): Promise<void> {
    if (hasIdentity(pod)) return
    const { name = '', namespace = '', uid = '' } = pod.metadata
    const what = `update Pod ${name} in StatefulSet ${set.metadata.name}`
    try {
      await client.patch(core.pods, name, { type: 'merge', body: { metadata: { uid, labels: identityOf(set, ordinal) } } }, { namespace })
      recorder.event(set, 'Normal', 'SuccessfulUpdate', `${what} successful`)
    } catch (error) {
      recorder.event(set, 'Warning', 'FailedUpdate', `${what} failed error: ${messageOf(error)}`)
      throw error
    }
  }

  /** The claims of the pod with this ordinal that exist. */
  const claimsOf = (ordinal: number): core.PersistentVolumeClaim[] =>
    (set.spec.volumeClaimTemplates ?? []).map((template) => env.claims.get(`${set.metadata.namespace}/${claimName(set, template, ordinal)}`)).filter((claim) => claim !== undefined)

  /** Gives the claims of a pod the owners that the retention policy wants. */
  async function bindClaims(pod: Pod): Promise<void> {
    for (const claim of claimsOf(ordinalOf(set, pod) ?? -1)) {
      const ownerReferences = claimOwners(claim, set, pod)
      if (ownerReferences) await client.update(core.persistentvolumeclaims, { ...claim, metadata: { ...claim.metadata, ownerReferences: [...ownerReferences] } })
    }
  }

  /** Whether a claim of this ordinal still goes with the pod that was there before: a new pod waits until it is gone. */
  const isStale = (ordinal: number): boolean =>
    set.spec.persistentVolumeClaimRetentionPolicy?.whenScaled === 'Delete' && claimsOf(ordinal).some((claim) => goesWith(claim, podName(set, ordinal)))

  return { create, createClaims, identify, remove, bindClaims, isStale }
}
