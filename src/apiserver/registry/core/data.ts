/** What config maps and secrets have in common: a limit to their size, and data that can be frozen. */
import { path, type Path } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import type { Check } from '../checks.ts'

export const maxDataBytes = 1024 * 1024
/** The path Kubernetes gives to what is wrong with an object as a whole. */
export const wholeObject: Path = path('[]')

/** Bytes of all values: texts as they are, the others decoded from base64. */
export function sizeOf(texts: Readonly<Record<string, string>>, encoded: Readonly<Record<string, string>>): number {
  let total = 0
  for (const value of Object.values(texts)) total += Buffer.byteLength(value)
  for (const value of Object.values(encoded)) total += Buffer.byteLength(value, 'base64')
  return total
}

const why = 'field is immutable when `immutable` is set'

/** Once `immutable` is set, it and the data stay. */
export function* frozen<T extends { readonly immutable?: boolean | undefined }>(next: T, current: T, fields: readonly (keyof T & string)[]): Check {
  if (!current.immutable) return
  if (!next.immutable) yield path('immutable').forbidden(why)
  for (const field of fields) {
    if (!deepEqual(next[field] ?? {}, current[field] ?? {})) yield path(field).forbidden(why)
  }
}
