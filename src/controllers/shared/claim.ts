/**
 * Who controls what: a controller adopts what its selector matches and nobody controls, and lets go what it controls
 * but its selector no longer matches. At most one controller per object; deletion under way means no adoption.
 */
import type { JsonObject, Resource } from '../../api/index.ts'
import type { ApiObject, Client } from '../../client/index.ts'
import { isApiError, isNotFound } from '../../machinery/errors.ts'
import type { LabelSelector } from '../../machinery/labels.ts'
import { controllerOf, ownerReference } from '../../machinery/meta.ts'

export interface ClaimOptions<T extends ApiObject, C extends ApiObject> {
  readonly client: Client
  readonly resource: Resource<T>
  /** The controller and its resource: it is read fresh before the first adoption. */
  readonly controller: C
  readonly controllerResource: Resource<C>
  readonly selector: LabelSelector
  /** What is controlled by the controller, and what nobody controls. */
  readonly candidates: readonly T[]
  /** What the controller's objects are kept by: it comes with adoption, and goes when they are let go. */
  readonly finalizer?: string
}

/** The patch of the owner references of one object, and of more of its metadata; what is gone or no longer fits is no error. */
async function patchOwners<T extends ApiObject>(client: Client, resource: Resource<T>, object: T, reference: JsonObject, more: JsonObject): Promise<T | undefined> {
  const { name = '', namespace = '', uid = '' } = object.metadata
  try {
    return await client.patch(resource, name, { type: 'strategic', body: { metadata: { uid, ownerReferences: [reference], ...more } } }, { namespace })
  } catch (error) {
    if (isNotFound(error) || (isApiError(error) && error.code === 422)) return undefined
    throw error
  }
}

/** The candidates that are the controller's, after adopting and releasing. */
export async function claim<T extends ApiObject, C extends ApiObject>(options: ClaimOptions<T, C>): Promise<T[]> {
  const { client, resource, controller, controllerResource, selector, candidates, finalizer } = options
  const { name = '', namespace = '', uid = '' } = controller.metadata
  let fresh: Promise<boolean> | undefined
  /** The controller as the server has it now: the same one, and not on its way out. */
  const mayAdopt = () => (fresh ??= client.get(controllerResource, name, { namespace })
    .then((now) => now.metadata.uid === uid && !now.metadata.deletionTimestamp)
    .catch((error: unknown) => { if (isNotFound(error)) return false; throw error }))

  const mine: T[] = []
  for (const object of candidates) {
    const owner = controllerOf(object)
    const matches = selector.matches(object.metadata.labels)
    if (owner && owner.uid !== uid) continue
    if (owner && matches) mine.push(object)
    else if (controller.metadata.deletionTimestamp) continue
    else if (owner) await patchOwners(client, resource, object, { $patch: 'delete', uid }, finalizer ? { '$deleteFromPrimitiveList/finalizers': [finalizer] } : {})
    else if (matches && !object.metadata.deletionTimestamp && await mayAdopt()) {
      const adopted = await patchOwners(client, resource, object, { ...ownerReference(controller) } as JsonObject, finalizer ? { finalizers: [finalizer] } : {})
      if (adopted) mine.push(adopted)
    }
  }
  return mine
}
