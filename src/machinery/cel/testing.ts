/** For tests: results of expressions in the form in which genuine ones are recorded. */
import { NONE, Optional, toJson, typeNameOf, type CelValue } from './index.ts'

/** The value as JSON; optionals by what is in them, and values that have no JSON by the name of their type. */
export function shown(value: CelValue): unknown {
  if (value instanceof Optional) return value === NONE ? 'optional.none()' : { optional: shown(value.value as CelValue) }
  try {
    return toJson(value)
  } catch {
    return `<${typeNameOf(value)}>`
  }
}
