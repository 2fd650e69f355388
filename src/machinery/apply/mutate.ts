/** Merging without managers: what a mutating policy states goes into the object, and nobody comes to own it. */
import type { StructType } from '../../api/schema.ts'
import { readConfig } from './config.ts'
import { misfits, type WrittenAt } from './fit.ts'
import { merge } from './merge.ts'
import { entriesOf, shapeFor, type List, type Target } from './shape.ts'

/**
 * `live` with what `config` states. Throws `Error` when values in it are not of their types (those neither of which `writtenAt` says that they fit nowhere) or when it holds
 * lists or maps that are owned whole (setting them would drop what is left out), `ApiError` 400 when it does not fit the schema otherwise.
 */
export function mergeConfiguration<T>(type: StructType<T>, live: T, config: unknown, writtenAt: WrittenAt = () => undefined): unknown {
  const unfit = misfits(type, config, writtenAt)
  if (unfit.length > 0) throw new Error(`failed to convert patch object to typed object: ${unfit.length === 1 ? unfit[0] : `errors:\n${unfit.map((line) => `  ${line}`).join('\n')}`}`)
  const wanted = readConfig(type, config)
  const whole = atomics(type, wanted, '')
  if (whole.length > 0) throw new Error(`invalid ApplyConfiguration: may not mutate atomic arrays, maps or structs: ${whole.join(', ')}`)
  return merge(type, live, wanted)
}

/** The paths of lists, maps and structs in a configuration that have no parts of their own. */
function atomics(type: Target, value: unknown, path: string): readonly string[] {
  const shape = shapeFor(type, value)
  if (shape.form === 'leaf') return typeof value === 'object' && value !== null ? [path] : []
  if (shape.form === 'list') return ((value ?? []) as List).flatMap((item, i) => atomics(shape.of, item, `${path}[${i}]`))
  return entriesOf(value).flatMap(([name, item]) => {
    const child = shape.child(name)
    return child ? atomics(child, item, `${path}.${name}`) : []
  })
}
