/** Volumes behind claims: the local kinds of persistent volume a node can give without a driver. */
import { core } from '../../api/index.ts'
import type { Client } from '../../client/index.ts'
import { isNotFound } from '../../machinery/errors.ts'
import { isControlledBy, keyOf } from '../../machinery/meta.ts'
import { podNamespace } from '../context.ts'
import { hostPath } from './host-path.ts'

/**
 * The host path behind a claim that is bound to a hostPath or local volume. Throws with why there is none. The claim of an
 * ephemeral volume must have been made for the pod: another of that name is somebody else's.
 */
export async function claimPath(client: Client, pod: core.Pod, claimName: string, ephemeral = false): Promise<string> {
  const where = `${podNamespace(pod)}/${claimName}`
  const problem = (why: string) => new Error(`error processing PVC ${where}: ${why}`)
  const claim = await client.get(core.persistentvolumeclaims, claimName, { namespace: podNamespace(pod) }).catch((error: unknown) => {
    if (isNotFound(error)) throw problem(`failed to fetch PVC from API server: persistentvolumeclaims "${claimName}" not found`)
    throw error
  })
  if (ephemeral && !isControlledBy(claim, pod)) throw new Error(`PVC ${where} was not created for pod ${keyOf(pod)} (pod is not owner)`)
  if (claim.metadata.deletionTimestamp) throw problem('PVC is being deleted')
  if (claim.status.phase !== 'Bound' || !claim.spec.volumeName) throw problem('PVC is not bound')
  const volume = await client.get(core.persistentvolumes, claim.spec.volumeName)
  if (volume.spec.claimRef?.uid !== claim.metadata.uid) throw problem(`PV ${claim.spec.volumeName} is bound to another claim`)
  if (volume.spec.hostPath) return hostPath(volume.spec.hostPath)
  if (volume.spec.local) return hostPath({ path: volume.spec.local.path, type: 'Directory' })
  throw problem(`PV ${claim.spec.volumeName} is of a kind this node cannot mount: hostPath and local volumes can be`)
}
