/** Kubernetes's quantities: `quantity('1.5Gi').compareTo(quantity('1Gi'))`. */
import { parseQuantity, quantityFault, type Quantity } from '../../quantity.ts'
import { ApiError } from '../../errors.ts'
import { fail } from '../errors.ts'
import { fn, method, traverse, type FunctionDeclaration } from '../functions.ts'
import { BOOL, DOUBLE, INT, STRING, opaque } from '../types.ts'
import { Boxed } from '../values.ts'

const type = opaque('kubernetes.Quantity')

class QuantityValue extends Boxed {
  readonly typeName = 'kubernetes.Quantity'
  readonly quantity: Quantity
  constructor(quantity: Quantity) { super(); this.quantity = quantity }
  override equals(other: QuantityValue): boolean { return this.quantity.compare(other.quantity) === 0 }
}
type Q = QuantityValue

function parse(text: string): Quantity | undefined {
  try {
    return parseQuantity(text)
  } catch (error) {
    if (error instanceof ApiError) return undefined
    throw error
  }
}

const nano = 1_000_000_000n
const whole = ({ nanos }: Quantity): bigint | undefined => (nanos % nano === 0n && BigInt.asIntN(64, nanos / nano) === nanos / nano ? nanos / nano : undefined)
const ofInt = (value: bigint): Quantity => parseQuantity(String(value))

export const quantities: readonly FunctionDeclaration[] = [
  fn('quantity', 'string_to_quantity', [STRING], type, (text: string) => new QuantityValue(parse(text) ?? fail(quantityFault(text))), traverse()),
  fn('isQuantity', 'is_quantity_string', [STRING], BOOL, (text: string) => parse(text) !== undefined, traverse()),
  fn('sign', 'quantity_sign', [type], INT, ({ quantity: { nanos } }: Q) => (nanos > 0n ? 1n : nanos < 0n ? -1n : 0n)),
  method('isGreaterThan', 'quantity_is_greater_than', [type, type], BOOL, (a: Q, b: Q) => a.quantity.compare(b.quantity) > 0),
  method('isLessThan', 'quantity_is_less_than', [type, type], BOOL, (a: Q, b: Q) => a.quantity.compare(b.quantity) < 0),
  method('compareTo', 'quantity_compare_to', [type, type], INT, (a: Q, b: Q) => BigInt(a.quantity.compare(b.quantity))),
  method('asApproximateFloat', 'quantity_get_float', [type], DOUBLE, ({ quantity }: Q) => quantity.toNumber()),
  method('asInteger', 'quantity_get_int', [type], INT, ({ quantity }: Q) => whole(quantity) ?? fail('cannot convert value to integer')),
  method('isInteger', 'quantity_is_integer', [type], BOOL, ({ quantity }: Q) => whole(quantity) !== undefined),
  method('add', 'quantity_add', [type, type], type, (a: Q, b: Q) => new QuantityValue(a.quantity.add(b.quantity))),
  method('add', 'quantity_add_int', [type, INT], type, (a: Q, b: bigint) => new QuantityValue(a.quantity.add(ofInt(b)))),
  method('sub', 'quantity_sub', [type, type], type, (a: Q, b: Q) => new QuantityValue(a.quantity.sub(b.quantity))),
  method('sub', 'quantity_sub_int', [type, INT], type, (a: Q, b: bigint) => new QuantityValue(a.quantity.sub(ofInt(b)))),
]
