/** The decisions of the garbage collector about one object, each checked with the server before anything is written. */
import type { JsonObject, meta, Resource } from '../../api/index.ts'
import type { ApiObject, Client, EventRecorder, Reconciler } from '../../client/index.ts'
import { isConflict, isNotFound } from '../../machinery/errors.ts'
import { createAccess } from './access.ts'
import { finalizers } from './finalize.ts'
import { foregroundFinalizer, orphanFinalizer, type Graph, type Node } from './graph.ts'

export interface CollectorEnvironment {
  readonly client: Client
  readonly recorder: EventRecorder
  readonly graph: Graph
  readonly enqueue: (uid: string) => void
  /** The resource of an owner reference; undefined when no such kind is served. */
  readonly resourceOf: (apiVersion: string, kind: string) => Resource | undefined
  /** What happens to the graph when an object turns out to be gone. */
  readonly forget: (uid: string) => void
}

type Reference = meta.OwnerReference
/** How an owner stands: there, gone, or waiting for its dependents to go. */
type Standing = 'solid' | 'absent' | 'waiting'

/** The owners known to be gone: uids never come back. */
function createAbsentOwners(limit = 500) {
  const uids = new Set<string>()
  return {
    has: (uid: string) => uids.has(uid),
    add(uid: string) {
      uids.add(uid)
      if (uids.size > limit) for (const oldest of uids) { uids.delete(oldest); break }
    },
  }
}

export function collector(env: CollectorEnvironment): Reconciler {
  const { client, graph } = env
  const access = createAccess(env)
  const { read, patch } = access
  const { finishForeground, finishOrphaning } = finalizers(env, access)
  const absent = createAbsentOwners()

  async function standing(node: Node, owner: Reference): Promise<Standing> {
    if (absent.has(owner.uid)) return 'absent'
    const known = graph.get(owner.uid)
    if (known && (known.namespace === '' || known.namespace === node.namespace)) return known.deletesDependents ? 'waiting' : 'solid'
    const resource = env.resourceOf(owner.apiVersion, owner.kind)
    // A kind that is not served, or a namespaced owner of a cluster-scoped object: nothing can be proved, nothing is deleted.
    if (!resource || (resource.namespaced && node.namespace === '')) return 'solid'
    try {
      const found = (await client.get(resource, owner.name, resource.namespaced ? { namespace: node.namespace } : {})) as ApiObject
      if (found.metadata.uid === owner.uid) return found.metadata.deletionTimestamp && found.metadata.finalizers?.includes(foregroundFinalizer) ? 'waiting' : 'solid'
    } catch (error) {
      if (!isNotFound(error)) throw error
    }
    if (known) env.recorder.event({ kind: node.resource.kind, apiVersion: node.resource.apiVersion, metadata: { ...node } }, 'Warning', 'OwnerRefInvalidNamespace',
      `ownerRef [${owner.apiVersion}/${owner.kind}, namespace: ${node.namespace}, name: ${owner.name}, uid: ${owner.uid}] does not exist in namespace "${node.namespace}"`)
    else absent.add(owner.uid)
    return 'absent'
  }

  /** Deletes what nobody that stays owns any more; takes owners that go out of what others still own. */
  async function deleteIfUnowned(node: Node): Promise<void> {
    if (node.owners.length === 0 || node.isDeleting) return
    const guesses = await Promise.all(node.owners.map((owner) => standing(node, owner)))
    if (guesses.every((s) => s === 'solid')) return
    const live = await read(node)
    if (!live) return env.forget(node.uid)
    if (live.metadata.deletionTimestamp) return
    const owners = live.metadata.ownerReferences ?? []
    if (owners.length === 0) return
    const standings = await Promise.all(owners.map((owner) => standing(node, owner)))
    const stay = owners.filter((_, i) => standings[i] === 'solid')
    if (stay.length === owners.length) return
    const resourceVersion = live.metadata.resourceVersion ?? ''
    if (stay.length > 0) return patch(node, { resourceVersion, ownerReferences: stay.map((owner) => ({ ...owner }) as JsonObject) })
    const dependents = graph.dependentsOf(node.uid)
    const foreground = standings.includes('waiting') && dependents.length > 0
    const changed = foreground && await unblock(node, live, dependents)
    await remove(node, live, foreground, changed ? undefined : resourceVersion)
  }

  /** Two that wait for each other would wait for ever: the one that is deleted second does not hold up its owner. */
  async function unblock(node: Node, live: ApiObject, dependents: readonly Node[]): Promise<boolean> {
    if (!dependents.some((d) => d.deletesDependents)) return false
    const references = (live.metadata.ownerReferences ?? []).map((owner) => ({ ...owner, blockOwnerDeletion: false }) as JsonObject)
    await patch(node, { ownerReferences: references })
    return true
  }

  /** Deletes the object as it was when its owners were looked up: one that was given another owner since is looked at again. */
  async function remove(node: Node, live: ApiObject, foreground: boolean, resourceVersion: string | undefined): Promise<void> {
    const finalizers = live.metadata.finalizers ?? []
    const propagationPolicy = finalizers.includes(orphanFinalizer) ? 'Orphan' : foreground || finalizers.includes(foregroundFinalizer) ? 'Foreground' : 'Background'
    try {
      await client.delete(node.resource, node.name, { ...(node.namespace ? { namespace: node.namespace } : {}), propagationPolicy, preconditions: { uid: node.uid, ...(resourceVersion ? { resourceVersion } : {}) } })
    } catch (error) {
      if (isNotFound(error)) return env.forget(node.uid)
      if (!isConflict(error)) throw error
      env.enqueue(node.uid)
    }
  }

  return {
    async reconcile(uid) {
      const node = graph.get(uid)
      if (!node) return
      if (node.orphansDependents) return finishOrphaning(node)
      if (node.deletesDependents) return finishForeground(node)
      return deleteIfUnowned(node)
    },
  }
}
