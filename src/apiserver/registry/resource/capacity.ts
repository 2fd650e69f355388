/** How the capacity of a device that several may use is shared: by values that are listed, or in a range, in steps. */
import type { dra } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import type { Quantity } from '../../../machinery/quantity.ts'
import { readQuantity } from '../amounts.ts'

const mostValues = 10
const largest = 2n ** 63n - 1n

/** Validates the policy by which a capacity of `whole` is shared. */
export function requestPolicy(at: Place, policy: dra.CapacityRequestPolicy, whole: Quantity): void {
  const values = policy.validValues ?? []
  const range = policy.validRange
  if (values.length > 0 && range) return at.forbidden('exactly one policy can be specified, cannot specify "validValues" and "validRange" at the same time')
  if (values.length === 0 && !range) return
  const usual = readQuantity(policy.default)
  if (!usual) return at.at('default').required(`required when ${range ? 'validRange' : 'validValues'} is defined`)
  if (range) inRange(at.at('validRange'), range, usual, whole)
  else listed(at.at('validValues'), values, usual, whole)
}

/** Values in ascending order, none of them twice or above the whole, with the default among them. */
function listed(at: Place, texts: readonly string[], usual: Quantity, whole: Quantity): void {
  const values = texts.map((text) => readQuantity(text)).filter((value) => value !== undefined)
  const after = (i: number): Quantity | undefined => values[i + 1]
  for (const [i, value] of values.entries()) {
    const next = after(i)
    if (next && value.compare(next) > 0) at.index(i + 1).invalid(next.toString(), 'values must be sorted in ascending order')
  }
  if (values.length > mostValues) at.tooMany(values.length, mostValues)
  else {
    for (const [i, value] of values.entries()) if (value.compare(whole) > 0) at.index(i).invalid(value.toString(), `option is larger than capacity value: ${whole.toString()}`)
    const seen = new Set<bigint>()
    for (const [i, value] of values.entries()) {
      if (seen.has(value.value())) at.index(i).duplicate(String(value.value()))
      seen.add(value.value())
    }
  }
  if (values.length > mostValues || !values.some((value) => value.compare(usual) === 0)) at.invalid(usual.toString(), 'default value is not valid according to the requestPolicy')
}

function inRange(at: Place, range: dra.CapacityRequestPolicyRange, usual: Quantity, whole: Quantity): void {
  const [min, max, step] = [readQuantity(range.min), readQuantity(range.max), readQuantity(range.step)]
  if (!min) return at.at('min').required('required when validRange is defined')
  if (min.compare(whole) > 0) at.at('min').invalid(min.toString(), `min is larger than capacity value: ${whole.toString()}`)
  if (usual.compare(min) < 0) at.at('default').invalid(usual.toString(), `default is less than min: ${min.toString()}`)
  if (max) {
    if (min.compare(max) > 0) at.at('max').invalid(min.toString(), `min is larger than max: ${max.toString()}`)
    if (max.compare(whole) > 0) at.at('max').invalid(max.toString(), `max is larger than capacity value: ${whole.toString()}`)
    if (usual.compare(max) > 0) at.at('default').invalid(usual.toString(), `default is more than max: ${max.toString()}`)
  }
  if (step) steps(at, { default: usual, min, ...(max && { max }), step }, whole)
}

/** The default and the end of a range are whole steps from its start. Numbers that do not fit in 64 bits are refused before they are divided. */
function steps(at: Place, range: { readonly default: Quantity; readonly min: Quantity; readonly max?: Quantity; readonly step: Quantity }, whole: Quantity): void {
  const { min, step, max } = range
  const place = at.at('step')
  if (step.nanos <= 0n) return place.invalid(step.toString(), 'must be greater than zero')
  const one = min.add(step)
  if (one.compare(whole) > 0) place.invalid(step.toString(), `one step ${one.toString()} is larger than capacity value: ${whole.toString()}`)
  let safe = true
  for (const [name, value] of Object.entries(range)) {
    const why = value.nanos < 0n ? 'must be greater than or equal to 0' : value.value() > largest ? `must not be larger than ${largest}` : undefined
    if (why) at.at(name).invalid(value.toString(), why)
    safe &&= !why
  }
  if (!safe) return
  for (const value of [range.default, ...(max ? [max] : [])]) {
    if ((value.value() - min.value()) % step.value() !== 0n) place.invalid(value.toString(), `value is not a multiple of a given step (${step.toString()}) from (${min.toString()})`)
  }
}
