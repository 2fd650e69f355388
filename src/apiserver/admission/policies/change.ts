/** What the value of a mutation does to an object. */
import type { admissionregistration, StructType } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import { mergeConfiguration } from '../../../machinery/apply/mutate.ts'
import { ApiError } from '../../../machinery/errors.ts'
import { applyJsonPatch } from '../../../machinery/patch.ts'

/**
 * The object as the mutation has it, not decoded yet; the same one when a `test` of a patch does not hold: then the patch is not applied.
 * Throws `ApiError` 400 or 422 for what does not fit, `Error` for configurations of what is owned whole.
 */
export function changedBy(patchType: admissionregistration.PatchType, type: unknown, object: ApiObject, made: unknown): unknown {
  if (patchType === 'ApplyConfiguration') {
    const { kind, apiVersion } = object
    return mergeConfiguration(type as StructType<ApiObject>, object, { ...(made as object), kind, apiVersion })
  }
  try {
    return applyJsonPatch(object, made)
  } catch (error) {
    if (error instanceof ApiError && error.status.details?.causes?.some(({ message }) => message?.endsWith('failed: test failed'))) return object
    throw error
  }
}
