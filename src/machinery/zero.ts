/** Zero values: what stands in the object for what was not sent. */
import { resolve, type AnyType, type Of, type ScalarName, type StructType } from '../api/schema.ts'
import { deepFreeze } from './meta.ts'
import { slotTable } from './slots.ts'

const scalars: Readonly<Partial<Record<ScalarName, unknown>>> = {
  string: '', bytes: '', bool: false, int32: 0, int64: 0, double: 0, intOrString: 0, quantity: '0', duration: '0s',
}

const known = new WeakMap<AnyType, unknown>()

/** The zero value of a type, frozen and shared: '' , 0, false, `[]`, `{}`, null for times and raw values, a struct of zero values. */
export function zeroOf<T extends AnyType>(type: T): Of<T> {
  const target = resolve(type)
  if (!known.has(target)) known.set(target, deepFreeze(build(target)))
  return known.get(target) as Of<T>
}

function build(type: Exclude<AnyType, { form: 'lazy' }>): unknown {
  switch (type.form) {
    case 'scalar': return scalars[type.name] ?? null
    case 'list': return []
    case 'map': return {}
    case 'struct': return structZero(type)
  }
}

function structZero(type: StructType): unknown {
  const out: Record<string, unknown> = {}
  for (const slot of slotTable(type).slots) if (slot.always) out[slot.name] = zeroOf(slot.type)
  return out
}

/** Whether a decoded value is the one that `zero` fields leave out. */
export function isZeroValue(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return true
  if (typeof value !== 'object') return false
  if (Array.isArray(value)) return value.length === 0
  for (const _ in value) return false
  return true
}
