/** The end of a custom kind: its objects go first, then its definition. */
import type { Resource } from '../../api/index.ts'
import type { ApiObject, Client } from '../../client/client.ts'
import type { Definition, Statement } from './conditions.ts'

/** Keeps a definition until all objects of its kind are gone. */
export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io'

const terminating = (status: 'True' | 'False', reason: string, message: string): Statement => ({ type: 'Terminating', status, reason, message })

/** What is said of a definition whose deletion was just asked for. */
export const deletionPending = terminating('True', 'InstanceDeletionPending', 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon')
export const deletionInProgress = terminating('True', 'InstanceDeletionInProgress', 'CustomResource deletion is in progress')
export const deletionCompleted = terminating('False', 'InstanceDeletionCompleted', 'removed all instances')
/** The condition of a definition whose objects could not be deleted. */
export const deletionFailed = (why: string): Statement => terminating('True', 'InstanceDeletionFailed', `could not list instances: ${why}`)

/** Deletes every object of the kind; how many are left, held by finalizers of their own. */
export async function deleteInstances(client: Client, resource: Resource): Promise<number> {
  const of = resource as Resource<ApiObject>
  const left = async () => (await client.list(of, {})).items
  const namespaces = new Set((await left()).filter((o) => !o.metadata.deletionTimestamp).map((o) => o.metadata.namespace ?? ''))
  for (const namespace of namespaces) await client.deleteCollection(of, { ...(namespace ? { namespace } : {}), propagationPolicy: 'Background' })
  return (await left()).length
}

/** Whether a definition is being deleted and still waits for its objects. */
export const awaitsCleanup = ({ metadata }: Definition): boolean =>
  Boolean(metadata.deletionTimestamp) && (metadata.finalizers?.includes(cleanupFinalizer) ?? false)
