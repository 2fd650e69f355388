/** Whole decimal numbers of 64 bits in text, as Go's `strconv.ParseInt` reads them. */

/** The number, or in Go's words why it is none. Costs no more for a text that is too long: those are not converted. */
export function parseInt64(text: string): bigint | 'invalid syntax' | 'value out of range' {
  const [, sign = '', digits] = /^([+-]?)0*(\d+)$/.exec(text) ?? []
  if (digits === undefined) return 'invalid syntax'
  if (digits.length > 19) return 'value out of range'
  const value = BigInt(sign === '-' ? `-${digits}` : digits)
  return BigInt.asIntN(64, value) === value ? value : 'value out of range'
}
