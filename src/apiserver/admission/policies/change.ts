/** What the value of a mutation does to an object. */
import type { admissionregistration, StructType } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import type { WrittenAt } from '../../../machinery/apply/fit.ts'
import { mergeConfiguration } from '../../../machinery/apply/mutate.ts'
import { ApiError } from '../../../machinery/errors.ts'
import { applyJsonPatch, rejectedFor } from '../../../machinery/patch.ts'

/** What a mutation states does not fit the object. */
export class UnfitMutation extends Error {}

/** Throws `UnfitMutation`. */
function merged(type: StructType<ApiObject>, object: ApiObject, made: object, writtenAt: WrittenAt): unknown {
  try {
    return mergeConfiguration(type, object, made, writtenAt)
  } catch (error) {
    if (!(error instanceof Error)) throw error
    throw new UnfitMutation(`error applying patch: ${error.message.replace(/^failed to create typed patch object \(.*?; .*?\): /, 'failed to convert patch object to typed object: ')}`)
  }
}

/**
 * The object as the mutation has it, not decoded yet; the same one when a `test` of a patch does not hold: then the patch is not applied.
 * `writtenAt` says which nulls the mutation wrote, rather than copied, and which values are none of JSON: they fit nowhere. Throws `UnfitMutation`.
 */
export function changedBy(patchType: admissionregistration.PatchType, type: unknown, object: ApiObject, made: unknown, writtenAt: WrittenAt): unknown {
  if (patchType === 'ApplyConfiguration') {
    const { kind, apiVersion } = object
    const configuration = { ...(made as object), kind, apiVersion }
    return merged(type as StructType<ApiObject>, object, configuration, (container, key) => writtenAt(container === configuration ? made as object : container, key))
  }
  try {
    return applyJsonPatch(object, made)
  } catch (error) {
    const why = error instanceof ApiError ? rejectedFor(error) : undefined
    if (why === undefined) throw error
    if (why.endsWith('failed: test failed')) return object
    throw new UnfitMutation(`JSON Patch: ${why}`)
  }
}
