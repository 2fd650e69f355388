/** The order of keys: that of their UTF-8 bytes, which JavaScript's own string order is not once characters outside the BMP appear. */

const surrogate = (unit: number) => unit >= 0xd800 && unit <= 0xdfff

/** Orders two keys by their UTF-8 bytes: negative, zero or positive. */
export function compareKeys(a: string, b: string): number {
  const shared = Math.min(a.length, b.length)
  for (let i = 0; i < shared; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x === y) continue
    if (surrogate(x) !== surrogate(y) && x >= 0xd800 && y >= 0xd800) return surrogate(x) ? 1 : -1
    return x - y
  }
  return a.length - b.length
}

/** Where `key` stands, or would be put, in a list in key order. */
export function position(sorted: readonly string[], key: string): number {
  let low = 0
  let high = sorted.length
  while (low < high) {
    const middle = (low + high) >>> 1
    if (compareKeys(sorted[middle]!, key) < 0) low = middle + 1
    else high = middle
  }
  return low
}
