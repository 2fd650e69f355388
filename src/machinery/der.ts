/** Values of DER (X.690), the encoding of keys, certificates and requests for them, as far as one has to look into these. */

export interface DerValue {
  readonly tag: number
  /** With tag and length. */
  readonly whole: Buffer
  readonly content: Buffer
  /** What follows it. */
  readonly rest: Buffer
}

export const derTags = { boolean: 0x01, integer: 0x02, bits: 0x03, octets: 0x04, oid: 0x06, utf8: 0x0c, utcTime: 0x17, time: 0x18, sequence: 0x30, set: 0x31 } as const

/** Reads the first value. Throws an `Error` where there is no whole one. */
export function readDer(der: Buffer): DerValue {
  const [tag, first] = der
  if (tag === undefined || first === undefined) throw new Error('asn1: syntax error: truncated tag or length')
  let length = first
  let at = 2
  if (first & 0x80) {
    const count = first & 0x7f
    if (count === 0 || count > 4 || der.length < 2 + count) throw new Error('asn1: syntax error: truncated tag or length')
    length = der.readUIntBE(2, count)
    at += count
  }
  if (der.length < at + length) throw new Error('asn1: syntax error: data truncated')
  return { tag, whole: der.subarray(0, at + length), content: der.subarray(at, at + length), rest: der.subarray(at + length) }
}

/** The values within a constructed one, in order. */
export function derWithin(constructed: Buffer): DerValue[] {
  const values: DerValue[] = []
  for (let { content: rest } = readDer(constructed); rest.length > 0; rest = values.at(-1)!.rest) values.push(readDer(rest))
  return values
}

/** Writes one value. Throws a `RangeError` when it has more than 65,535 bytes. */
export function writeDer(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts)
  const { length } = content
  if (length > 0xffff) throw new RangeError(`a value of ${length} bytes is too long`)
  const head = length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff]
  return Buffer.concat([Buffer.from(head), content])
}
