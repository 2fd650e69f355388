/** Controller revisions: the templates a stateful set or daemon set has had, each an object of its own. */
import { apps, type Json, type JsonObject } from '../../api/index.ts'
import type { ApiObject, Client } from '../../client/index.ts'
import { isAlreadyExists, isNotFound } from '../../machinery/errors.ts'
import { controllerOf, deepEqual, ownerReference, podTemplateHash } from '../../machinery/meta.ts'
import type { core } from '../../api/index.ts'

export type Revision = apps.ControllerRevision

/** The label with the hash of a revision's template; revisions of daemon sets use the label of their pods. */
const hashLabels: Readonly<Record<string, string>> = { DaemonSet: 'controller-revision-hash', StatefulSet: 'controller.kubernetes.io/hash' }

/** The hash of a revision's template; '' when it has none. */
export const hashOf = ({ metadata: { labels = {} } }: Revision): string => labels[hashLabels.DaemonSet!] ?? labels[hashLabels.StatefulSet!] ?? ''

interface Owner extends ApiObject { readonly spec: { readonly template: core.PodTemplateSpec } }

/** What a revision holds: a strategic merge patch that puts the template back. */
const dataOf = (template: core.PodTemplateSpec): JsonObject => ({ spec: { template: { ...(template as unknown as JsonObject), $patch: 'replace' } } })

/** The template a revision holds. */
export function templateOf(revision: Revision): core.PodTemplateSpec {
  const { template } = (revision.data as { readonly spec: { readonly template: Readonly<Record<string, Json>> } }).spec
  const { $patch: _, ...rest } = template
  return rest as unknown as core.PodTemplateSpec
}

const oldestRevisionFirst = (revisions: readonly Revision[]): Revision[] =>
  [...revisions].sort((a, b) => Number(a.revision) - Number(b.revision) || (a.metadata.creationTimestamp ?? '').localeCompare(b.metadata.creationTimestamp ?? '') || ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))

const sameData = (revision: Revision, template: core.PodTemplateSpec): boolean => deepEqual(revision.data, dataOf(template))

export interface Synced {
  /** The revision of the owner's template. */
  readonly update: Revision
  /** All revisions with it, oldest first. */
  readonly all: readonly Revision[]
  readonly collisionCount: number
}

/** Finds or creates the revision of the owner's template; an older one with the same template becomes the newest again. */
export async function syncRevision(client: Client, owner: Owner, known: readonly Revision[], collisionCount: number): Promise<Synced> {
  const sorted = oldestRevisionFirst(known)
  const next = Number(sorted.at(-1)?.revision ?? 0) + 1
  const same = sorted.filter((revision) => sameData(revision, owner.spec.template)).at(-1)
  if (same && same === sorted.at(-1)) return { update: same, all: sorted, collisionCount }
  if (same) {
    const update = await client.update(apps.controllerrevisions, { ...same, revision: next })
    return { update, all: [...sorted.filter((r) => r !== same), update], collisionCount }
  }
  const made = await create(client, owner, next, collisionCount)
  return { update: made.revision, all: [...sorted, made.revision], collisionCount: made.collisionCount }
}

async function create(client: Client, owner: Owner, number: number, collisions: number): Promise<{ readonly revision: Revision; readonly collisionCount: number }> {
  const { namespace = '', name: ownerName = '' } = owner.metadata
  for (let collisionCount = collisions; ; collisionCount++) {
    const hash = podTemplateHash(owner.spec.template, collisionCount)
    const name = `${ownerName}-${hash}`
    const metadata = {
      name, namespace, annotations: owner.metadata.annotations,
      labels: { ...owner.spec.template.metadata.labels, [hashLabels[owner.kind]!]: hash }, ownerReferences: [ownerReference(owner)],
    }
    try {
      return { revision: await client.create(apps.controllerrevisions, { metadata, data: dataOf(owner.spec.template), revision: number }), collisionCount }
    } catch (error) {
      if (!isAlreadyExists(error)) throw error
      const there = await client.get(apps.controllerrevisions, name, { namespace })
      if (controllerOf(there)?.uid === owner.metadata.uid && sameData(there, owner.spec.template)) return { revision: there, collisionCount }
    }
  }
}

/** Deletes the oldest revisions beyond `limit` that are not in use; a negative limit keeps all. */
export async function trimRevisions(client: Client, all: readonly Revision[], inUse: ReadonlySet<string>, limit: number): Promise<void> {
  if (limit < 0) return
  const unused = oldestRevisionFirst(all).filter((revision) => !inUse.has(revision.metadata.name ?? ''))
  for (const { metadata: { name = '', namespace = '' } } of unused.slice(0, Math.max(0, unused.length - limit)))
    await client.delete(apps.controllerrevisions, name, { namespace }).catch((error: unknown) => { if (!isNotFound(error)) throw error })
}
