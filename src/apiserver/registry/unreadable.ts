/**
 * Deleting what can no longer be decrypted: its key is lost, or somebody has tampered with it. Nothing is known of such an object, so
 * finalizers, owners and admission are ignored, which is why it takes a verb of its own and an option whose name warns of it (KEP-3926).
 */
import type { ApiObject } from '../../client/client.ts'
import { invalid, notFound } from '../../machinery/errors.ts'
import { path } from '../../machinery/field.ts'
import type { Encoded } from '../cache/encoded.ts'
import { pathOf } from '../cache/keys.ts'
import { callPath, type Call, type RegistryEnvironment } from './call.ts'
import type { Deletion } from './delete.ts'

/** The verb that the user needs besides `delete`. */
export const unsafeVerb = 'unsafe-delete-ignore-read-errors'

const option = 'ignoreStoreReadErrorWithClusterBreakingPotential'

/** Throws `ApiError` 422 for the option together with others that need a readable object. */
function checkAlone(deletion: Deletion): void {
  const others = (['gracePeriodSeconds', 'propagationPolicy', 'orphanDependents', 'preconditions'] as const).filter((name) => deletion[name] !== undefined)
  const errors = others.map((name) => path(option).invalid(true, `cannot be set together with ${name}`))
  if (errors.length) throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', errors)
}

function readable({ served }: Call, at: string): Encoded<ApiObject> | undefined {
  try {
    return served.cache.get(at)
  } catch {
    return undefined // what this is for
  }
}

/** Deletes the object that the call names if it cannot be read. Throws `ApiError` 404 when there is none, 422 when it can be read. */
export async function deleteUnreadable(env: RegistryEnvironment, call: Call, deletion: Deletion): Promise<void> {
  checkAlone(deletion)
  const { served } = call
  const at = callPath(call)
  if (readable(call, at)) {
    throw invalid({ group: 'meta.k8s.io', kind: 'DeleteOptions' }, '', [path(option).invalid(true, `is exclusively used to delete objects that cannot be read; ${pathOf(call.namespace, call.name)} can be`)])
  }
  const key = served.cache.prefix + at
  for (;;) {
    const entry = await env.store.get(key)
    if (!entry) throw notFound(served.storage, call.name)
    if (call.dryRun) return
    const { committed, revision } = await env.store.commit({ conditions: [{ key, modRevision: entry.modRevision }], writes: [{ op: 'delete', key }] })
    await env.cache.reached(revision)
    if (committed) return
  }
}
