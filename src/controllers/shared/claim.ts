/**
 * Adoption and release: a controller adopts what its selector matches and nobody controls, and releases what it controls
 * but its selector no longer matches. At most one controller per object; an object being deleted is not adopted.
 */
import type { JsonObject, Resource } from '../../api/index.ts'
import type { ApiObject, Client } from '../../client/index.ts'
import { isApiError, isNotFound } from '../../machinery/errors.ts'
import type { LabelSelector } from '../../machinery/labels.ts'
import { controllerOf, ownerReference } from '../../machinery/meta.ts'

export interface ClaimOptions<T extends ApiObject, C extends ApiObject> {
  readonly client: Client
  readonly resource: Resource<T>
  /** The controller and its resource; it is read again before the first adoption. */
  readonly controller: C
  readonly controllerResource: Resource<C>
  readonly selector: LabelSelector
  /** What is controlled by the controller, and what nobody controls. */
  readonly candidates: readonly T[]
  /** The finalizer of the controller's objects: added with adoption, removed with release. */
  readonly finalizer?: string
}

/** Patches one object's owner references and other metadata; ignores objects that are gone or have changed. */
async function patchOwners<T extends ApiObject>(client: Client, resource: Resource<T>, object: T, reference: JsonObject, more: JsonObject): Promise<T | undefined> {
  const { name = '', namespace = '', uid = '' } = object.metadata
  try {
    return await client.patch(resource, name, { type: 'strategic', body: { metadata: { uid, ownerReferences: [reference], ...more } } }, { namespace })
  } catch (error) {
    if (isNotFound(error) || (isApiError(error) && error.code === 422)) return undefined
    throw error
  }
}

/** Adopts and releases; resolves with the candidates that are the controller's. */
export async function claim<T extends ApiObject, C extends ApiObject>(options: ClaimOptions<T, C>): Promise<T[]> {
  const { client, resource, controller, controllerResource, selector, candidates, finalizer } = options
  const { name = '', namespace = '', uid = '' } = controller.metadata
  let fresh: Promise<boolean> | undefined
  /** Checks with the server that the controller is still the same, and not being deleted. */
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
