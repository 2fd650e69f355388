/** Making sure that an object is there: the one step of all bootstrapping. */
import type { ApiObject, Client } from '../../client/client.ts'
import type { Resource } from '../../api/index.ts'
import { isAlreadyExists, isConflict, isNotFound } from '../../machinery/errors.ts'

type Key = { readonly name: string; readonly namespace?: string }

/**
 * Creates the object, or brings the one that is there to what `mend` makes of it. `mend` returns its argument when nothing
 * is to be done. Conflicts with other writers are tried again.
 */
export async function ensure<O extends ApiObject, I>(client: Client, resource: Resource<O, I>, key: Key, wanted: I, mend: (current: O) => O = (o) => o): Promise<O> {
  const options = key.namespace ? { namespace: key.namespace } : {}
  for (;;) {
    const current = await find(client, resource, key)
    try {
      if (!current) return await client.create(resource, wanted, options)
      const next = mend(current)
      return next === current ? current : await client.update(resource, next as unknown as I, options)
    } catch (error) {
      if (!isAlreadyExists(error) && !isConflict(error) && !(current && isNotFound(error))) throw error
    }
  }
}

async function find<O, I>(client: Client, resource: Resource<O, I>, { name, namespace }: Key): Promise<O | undefined> {
  try {
    return await client.get(resource, name, namespace ? { namespace } : {})
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}
