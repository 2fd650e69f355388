/** What classes of storage and of volume attributes have in common: a driver, and settings for it. */
import type { Path } from '../../../machinery/field.ts'
import { qualifiedName } from '../../../machinery/names.ts'
import { follows, type Check } from '../checks.ts'

const most = 512
const largest = 256 * 1024

/** Keys and values together hold at most 256 KiB. */
export const sizeOf = (map: Readonly<Record<string, string>> | undefined): number =>
  Object.entries(map ?? {}).reduce((size, [key, value]) => size + Buffer.byteLength(key) + Buffer.byteLength(value), 0)

/** The driver that makes or changes the volumes; case does not matter. */
export function* qualifiedDriver(at: Path, name: string): Check {
  if (!name) yield at.required()
  else yield* follows(at, name.toLowerCase(), qualifiedName)
}

/** Settings for a driver. */
export function* parameters(at: Path, map: Readonly<Record<string, string>> | undefined): Check {
  if (Object.keys(map ?? {}).length > most) return yield at.tooLong(most)
  if (map?.[''] !== undefined) yield at.invalid('', 'field can not be empty.')
  if (sizeOf(map) > largest) yield at.tooLong(largest)
}
