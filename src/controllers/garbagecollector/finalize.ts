/** How objects go that wait for, or let go of, what they own. */
import type { JsonObject } from '../../api/index.ts'
import type { createAccess } from './access.ts'
import { foregroundFinalizer, orphanFinalizer, type Graph, type Node } from './graph.ts'

interface Environment { readonly graph: Graph; readonly enqueue: (uid: string) => void }

export function finalizers({ graph, enqueue }: Environment, { read, patch, dropFinalizer }: ReturnType<typeof createAccess>) {
  /** Lets an object go when nothing that blocks it is left; until then its dependents are deleted. */
  async function finishForeground(node: Node): Promise<void> {
    const dependents = graph.dependentsOf(node.uid)
    const blocking = dependents.filter((d) => d.owners.some((o) => o.uid === node.uid && o.blockOwnerDeletion === true))
    if (blocking.length === 0) return dropFinalizer(node, foregroundFinalizer)
    for (const dependent of dependents) if (!dependent.deletesDependents) enqueue(dependent.uid)
  }

  async function release(owner: Node, dependent: Node): Promise<void> {
    const live = await read(dependent)
    const owners = live?.metadata.ownerReferences ?? []
    const rest = owners.filter(({ uid }) => uid !== owner.uid)
    if (!live || rest.length === owners.length) return
    await patch(dependent, { resourceVersion: live.metadata.resourceVersion ?? '', ownerReferences: rest.length > 0 ? rest.map((o) => ({ ...o }) as JsonObject) : null })
  }

  /** Takes the object out of the owners of everything it owns, then lets it go. */
  async function finishOrphaning(node: Node): Promise<void> {
    await Promise.all(graph.dependentsOf(node.uid).map((dependent) => release(node, dependent)))
    await dropFinalizer(node, orphanFinalizer)
  }

  return { finishForeground, finishOrphaning }
}
