/** Amounts of several things at once: by name, exact. */
import { parseQuantity, quantityOf, type Quantity } from '../../machinery/quantity.ts'

export type Amounts = ReadonlyMap<string, Quantity>
export const zero: Quantity = quantityOf(0)
export const one: Quantity = quantityOf(1)

/** Amounts from quantity texts. */
export const amountsOf = (texts: Readonly<Record<string, string>> | undefined): Amounts =>
  new Map(Object.entries(texts ?? {}).map(([name, text]) => [name, parseQuantity(text)]))

const combine = (a: Amounts, b: Amounts, merge: (x: Quantity, y: Quantity) => Quantity): Amounts => {
  const result = new Map(a)
  for (const [name, value] of b) result.set(name, merge(a.get(name) ?? zero, value))
  return result
}

/** The sum of all amounts, by name. */
export const sum = (all: Iterable<Amounts>): Amounts => {
  const result = new Map<string, Quantity>()
  for (const amounts of all) for (const [name, value] of amounts) result.set(name, result.get(name)?.add(value) ?? value)
  return result
}
/** The larger amount of each name. */
export const largest = (a: Amounts, b: Amounts): Amounts => combine(a, b, (x, y) => (x.compare(y) >= 0 ? x : y))
/** The difference, by name. */
export const minus = (a: Amounts, b: Amounts): Amounts => combine(a, b, (x, y) => x.sub(y))

/** `pods=1,requests.cpu=500m`, in the order of the names. */
export const textOf = (amounts: Amounts): string =>
  [...amounts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${name}=${value.toString()}`).join(',')
