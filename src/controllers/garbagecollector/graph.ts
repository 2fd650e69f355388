/** Who owns whom: all objects of the cluster by uid, with nothing of them but their names, owners and deletion. */
import type { meta, Resource } from '../../api/index.ts'
import type { ApiObject } from '../../client/index.ts'

export interface Node {
  readonly uid: string
  readonly resource: Resource
  readonly namespace: string
  readonly name: string
  readonly owners: readonly meta.OwnerReference[]
  readonly isDeleting: boolean
  /** Waits until what it owns and what blocks it is gone (finalizer `foregroundDeletion`). */
  readonly deletesDependents: boolean
  /** Lets what it owns go free before it goes itself (finalizer `orphan`). */
  readonly orphansDependents: boolean
}

export const foregroundFinalizer = 'foregroundDeletion'
export const orphanFinalizer = 'orphan'

export interface Graph {
  get(uid: string): Node | undefined
  dependentsOf(uid: string): readonly Node[]
  /** Takes the object in as it is now; gives back what was known of it before. */
  put(resource: Resource, object: ApiObject): { readonly node: Node; readonly before: Node | undefined }
  remove(uid: string): Node | undefined
  /** The objects known of a resource. */
  of(resource: Resource): readonly Node[]
}

/** The node of an object: its names, owners and deletion. */
export function nodeOf(resource: Resource, { metadata }: ApiObject): Node {
  const isDeleting = Boolean(metadata.deletionTimestamp)
  return {
    uid: metadata.uid ?? '',
    resource,
    namespace: metadata.namespace ?? '',
    name: metadata.name ?? '',
    owners: metadata.ownerReferences ?? none,
    isDeleting,
    deletesDependents: isDeleting && (metadata.finalizers?.includes(foregroundFinalizer) ?? false),
    orphansDependents: isDeleting && (metadata.finalizers?.includes(orphanFinalizer) ?? false),
  }
}

const none: readonly meta.OwnerReference[] = []

/** An empty graph. */
export function createGraph(): Graph {
  const nodes = new Map<string, Node>()
  const dependents = new Map<string, Set<string>>()
  const link = (node: Node) => {
    for (const { uid } of node.owners) {
      const set = dependents.get(uid) ?? new Set()
      dependents.set(uid, set.add(node.uid))
    }
  }
  const unlink = (node: Node) => {
    for (const { uid } of node.owners) {
      const set = dependents.get(uid)
      if (set?.delete(node.uid) && set.size === 0) dependents.delete(uid)
    }
  }
  return {
    get: (uid) => nodes.get(uid),
    dependentsOf: (uid) => [...(dependents.get(uid) ?? [])].flatMap((dependent) => nodes.get(dependent) ?? []),
    put(resource, object) {
      const node = nodeOf(resource, object)
      const before = nodes.get(node.uid)
      if (before) unlink(before)
      nodes.set(node.uid, node)
      link(node)
      return { node, before }
    },
    remove(uid) {
      const node = nodes.get(uid)
      if (node) unlink(node)
      nodes.delete(uid)
      return node
    },
    of: (resource) => [...nodes.values()].filter((node) => node.resource.groupResource === resource.groupResource),
  }
}
