/** Optional values. `x.?field` and `x[?key]` are operators. */
import { fail } from '../errors.ts'
import { fn, method, type FunctionDeclaration } from '../functions.ts'
import { BOOL, optionalOf, param } from '../types.ts'
import { Boxed, CelList, CelMap, NONE, Optional, Uint, type CelValue } from '../values.ts'

const V = param('V')
const optional = optionalOf(V)

const isZero = (value: CelValue): boolean => {
  if (value instanceof Uint8Array) return value.length === 0
  if (value instanceof CelList || value instanceof CelMap) return value.size === 0
  if (value instanceof Uint) return value.value === 0n
  return !(value instanceof Boxed) && !value
}

export const optionals: readonly FunctionDeclaration[] = [
  fn('optional.of', 'optional_of', [V], optional, (value: CelValue) => new Optional(value)),
  fn('optional.ofNonZeroValue', 'optional_ofNonZeroValue', [V], optional, (value: CelValue) => (isZero(value) ? NONE : new Optional(value))),
  fn('optional.none', 'optional_none', [], optional, () => NONE),
  method('value', 'optional_value', [optional], V, ({ value }: Optional) => value ?? (value === null ? null : fail('optional.none() dereference'))),
  method('hasValue', 'optional_hasValue', [optional], BOOL, ({ value }: Optional) => value !== undefined),
  // The planner evaluates the second argument of these only at need.
  method('or', 'optional_or_optional', [optional, optional], optional, (a: Optional, b: Optional) => (a.value === undefined ? b : a)),
  method('orValue', 'optional_orValue_value', [optional, V], V, ({ value }: Optional, other: CelValue) => value ?? (value === null ? null : other)),
]
