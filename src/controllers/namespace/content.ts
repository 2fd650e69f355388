/** What is left in a namespace that is being deleted, and how that reads in its conditions. */
import { core, type Resource } from '../../api/index.ts'
import type { ApiObject, Client } from '../../client/index.ts'
import { isApiError } from '../../machinery/errors.ts'

export interface Remaining {
  /** How many objects of each resource are left, by `pods.` or `deployments.apps`, as Kubernetes writes them. */
  readonly objects: ReadonlyMap<string, number>
  /** How many objects each finalizer holds. */
  readonly finalizers: ReadonlyMap<string, number>
  readonly failures: readonly string[]
  /** The group versions of which nobody knows what is in them: there may be something left. */
  readonly undiscovered: readonly string[]
}

/** What can be deleted with a namespace: each stored resource once, whatever its versions. */
export function deletable(resources: readonly Resource[]): readonly Resource[] {
  const seen = new Map<string, Resource>()
  for (const r of resources) if (r.namespaced && r.verbs.includes('list') && r.verbs.includes('delete') && !seen.has(r.groupResource)) seen.set(r.groupResource, r)
  return [...seen.values()]
}

const shown = (r: Resource): string => `${r.plural}.${r.group}`

/** Deletes everything of one resource in the namespace and resolves with what is left. */
async function clear(client: Client, resource: Resource, namespace: string): Promise<readonly ApiObject[]> {
  const left = async () => (await client.list(resource, { namespace })).items as readonly ApiObject[]
  const before = await left()
  if (before.length === 0) return before
  if (resource.verbs.includes('deletecollection')) await client.deleteCollection(resource, { namespace, propagationPolicy: 'Background' })
  else for (const object of before) await client.delete(resource, object.metadata.name ?? '', { namespace, propagationPolicy: 'Background' })
  return left()
}

/** Deletes the content of a namespace: first its pods, and when they are gone everything else. */
export async function clearNamespace(client: Client, resources: readonly Resource[], namespace: string, undiscovered: readonly string[] = []): Promise<Remaining> {
  const objects = new Map<string, number>()
  const finalizers = new Map<string, number>()
  const failures: string[] = []
  const sweep = async (resource: Resource) => {
    try {
      const left = await clear(client, resource, namespace)
      if (left.length > 0) objects.set(shown(resource), left.length)
      for (const name of left.flatMap((object) => object.metadata.finalizers ?? [])) finalizers.set(name, (finalizers.get(name) ?? 0) + 1)
    } catch (error) {
      // A resource that is not served any more has no content.
      if (isApiError(error) && (error.code === 404 || error.code === 405)) return
      failures.push(error instanceof Error ? error.message : String(error))
    }
  }
  await sweep(core.pods)
  if (objects.size === 0) await Promise.all(deletable(resources).filter((r) => r.groupResource !== 'pods').map(sweep))
  return { objects, finalizers, failures, undiscovered }
}

const counted = (counts: ReadonlyMap<string, number>, format: (name: string, n: number) => string): string =>
  [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, n]) => format(name, n)).join(', ')

const discoveryFailure = (groupVersions: readonly string[]): string =>
  `Discovery failed for some groups, ${groupVersions.length} failing: unable to retrieve the complete list of server APIs: ${groupVersions.toSorted().map((gv) => `${gv}: stale GroupVersion discovery: ${gv}`).join(', ')}`

/** The five conditions of a namespace's deletion. */
export function deletionConditions({ objects, finalizers, failures, undiscovered }: Remaining): readonly { readonly type: string; readonly status: string; readonly reason: string; readonly message: string }[] {
  const condition = (type: string, bad: boolean, whenBad: readonly [string, string], whenGood: readonly [string, string]) => {
    const [reason, message] = bad ? whenBad : whenGood
    return { type, status: bad ? 'True' : 'False', reason, message }
  }
  return [
    condition('NamespaceDeletionDiscoveryFailure', undiscovered.length > 0, ['DiscoveryFailed', discoveryFailure(undiscovered)], ['ResourcesDiscovered', 'All resources successfully discovered']),
    condition('NamespaceDeletionGroupVersionParsingFailure', false, ['', ''], ['ParsedGroupVersions', 'All legacy kube types successfully parsed']),
    condition('NamespaceDeletionContentFailure', failures.length > 0,
      ['ContentDeletionFailed', `Failed to delete all resource types, ${failures.length} remaining: ${failures.toSorted().join(', ')}`],
      ['ContentDeleted', 'All content successfully deleted, may be waiting on finalization']),
    condition('NamespaceContentRemaining', objects.size > 0,
      ['SomeResourcesRemain', `Some resources are remaining: ${counted(objects, (name, n) => `${name} has ${n} resource instances`)}`],
      ['ContentRemoved', 'All content successfully removed']),
    condition('NamespaceFinalizersRemaining', finalizers.size > 0,
      ['SomeFinalizersRemain', `Some content in the namespace has finalizers remaining: ${counted(finalizers, (name, n) => `${name} in ${n} resource instances`)}`],
      ['ContentHasNoFinalizers', 'All content-preserving finalizers finished']),
  ]
}
