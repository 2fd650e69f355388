/**
 * Integers beyond 2^53, which a double does not keep and Kubernetes does, up to 64 bits: custom objects and other raw JSON may hold
 * them. Such an integer, and no other, is a `bigint`: equal ones are `===`, and `JSON.stringify` writes them with all their digits.
 * Texts without a run of sixteen digits, which is nearly all of them, pay for a look at each sixteenth character.
 */

declare global {
  interface BigInt { toJSON(): unknown }
  interface JSON {
    parse(text: string, reviver: (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown): unknown
    /** A value that `JSON.stringify` writes as this text. */
    rawJSON(text: string): unknown
  }
}

// What `JSON.stringify` does with a bigint is left to the program by the language; without this it throws.
// oxlint-disable-next-line no-extend-native
Object.defineProperty(BigInt.prototype, 'toJSON', { value(this: bigint) { return JSON.rawJSON(this.toString()) }, configurable: true, writable: true })

const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39
/** The fewest digits of an integer that is not safe. */
const fewest = 16

/** Whether sixteen digits stand together somewhere: a number may then be more than a double keeps. */
function hasLongNumber(text: string): boolean {
  for (let i = fewest - 1; i < text.length; i += fewest) {
    if (!isDigit(text.charCodeAt(i))) continue
    let first = i
    let last = i
    while (isDigit(text.charCodeAt(first - 1))) first--
    while (isDigit(text.charCodeAt(last + 1))) last++
    if (last - first >= fewest - 1) return true
    i = last
  }
  return false
}

/** The integer as values have it: a number where that is exact or there are more than 64 bits, a bigint otherwise. */
export function exactInteger(value: bigint): number | bigint {
  const near = Number(value)
  return Number.isSafeInteger(near) || BigInt.asIntN(64, value) !== value ? near : value
}

const integer = /^-?\d+$/

const reviver = (_key: string, value: unknown, { source }: { readonly source?: string }): unknown =>
  (typeof value === 'number' && source !== undefined && !Number.isSafeInteger(value) && integer.test(source) ? exactInteger(BigInt(source)) : value)

/** `JSON.parse`, with integers of up to 64 bits exact. Throws `SyntaxError`. */
export const parseExactly = (text: string): unknown => (hasLongNumber(text) ? JSON.parse(text, reviver) : JSON.parse(text))
