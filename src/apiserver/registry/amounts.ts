/** Parsed quantities, cached: strategies read the same few again and again. */
import { isQuantity, parseQuantity, type Quantity } from '../../machinery/quantity.ts'

const known = new Map<string, Quantity | undefined>()
const most = 4096

/** The quantity of a text; undefined when it is absent or malformed. */
export function readQuantity(text: string | undefined): Quantity | undefined {
  if (text === undefined) return undefined
  if (known.has(text)) return known.get(text)
  const quantity = isQuantity(text) ? parseQuantity(text) : undefined
  if (known.size >= most) known.clear()
  if (text.length < 40) known.set(text, quantity)
  return quantity
}
