/** What config maps and secrets have in common: a limit to their size, and data that can be frozen. */
import type { Place } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'

export const maxDataBytes = 1024 * 1024
/** The place Kubernetes gives to what is wrong with an object as a whole. */
export const wholeObject = (root: Place): Place => root.at('[]')

/** Bytes of all values: texts as they are, the others decoded from base64. */
export function sizeOf(texts: Readonly<Record<string, string>>, encoded: Readonly<Record<string, string>>): number {
  let total = 0
  for (const value of Object.values(texts)) total += Buffer.byteLength(value)
  for (const value of Object.values(encoded)) total += Buffer.byteLength(value, 'base64')
  return total
}

const why = 'field is immutable when `immutable` is set'

/** Once `immutable` is set, it and the data stay. */
export function frozen<T extends { readonly immutable?: boolean | undefined }>(next: T, current: T, fields: readonly (keyof T & string)[], root: Place): void {
  if (!current.immutable) return
  if (!next.immutable) root.at('immutable').forbidden(why)
  for (const field of fields) {
    if (!deepEqual(next[field] ?? {}, current[field] ?? {})) root.at(field).forbidden(why)
  }
}
