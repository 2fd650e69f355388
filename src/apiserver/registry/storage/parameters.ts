/** What classes of storage and of volume attributes have in common: a driver, and settings for it. */
import type { Place } from '../../../machinery/field.ts'
import { qualifiedName } from '../../../machinery/names.ts'
import { follows } from '../checks.ts'

const most = 512
const largest = 256 * 1024

/** Keys and values together hold at most 256 KiB. */
export const sizeOf = (map: Readonly<Record<string, string>> | undefined): number =>
  Object.entries(map ?? {}).reduce((size, [key, value]) => size + Buffer.byteLength(key) + Buffer.byteLength(value), 0)

/** The driver that makes or changes the volumes; case does not matter. */
export function qualifiedDriver(at: Place, name: string): void {
  if (!name) at.required()
  else follows(at, name.toLowerCase(), qualifiedName)
}

/** Settings for a driver. */
export function parameters(at: Place, map: Readonly<Record<string, string>> | undefined): void {
  if (Object.keys(map ?? {}).length > most) return at.tooLong(most)
  if (map?.[''] !== undefined) at.invalid('', 'field can not be empty.')
  if (sizeOf(map) > largest) at.tooLong(largest)
}
