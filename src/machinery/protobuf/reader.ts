/** Reads protobuf. Whatever the bytes are, it ends with a value or with `ApiError` 400. */
import { badRequest, type ApiError } from '../errors.ts'
import { exactInteger } from '../json/exact.ts'

/** Deeper nesting of messages is refused. */
const maxDepth = 512

export const malformed = (why: string): ApiError => badRequest(`unable to decode protobuf message: ${why}`)

const longestShared = 32
const sharedTexts: string[] = Array.from({ length: 4096 }, () => '')

/**
 * Short text. Names, phases and reasons are among few, so that most are known already: finding one costs less than making
 * one, and takes no memory.
 */
function shared(buffer: Buffer, start: number, end: number): string {
  let hash = end - start
  for (let i = start; i < end; i++) hash = (Math.imul(hash, 31) + (buffer[i] as number)) | 0
  const slot = (hash ^ (hash >>> 15)) & 4095
  const known = sharedTexts[slot] as string
  if (known.length === end - start) {
    let i = 0
    while (i < known.length && known.charCodeAt(i) === buffer[start + i] && (buffer[start + i] as number) < 0x80) i++
    if (i === known.length) return known
  }
  const text = buffer.toString('utf8', start, end)
  sharedTexts[slot] = text
  return text
}

export class Reader {
  readonly buffer: Buffer
  at: number
  /** Where the message that is being read ends. */
  end: number
  depth = 0

  constructor(bytes: Uint8Array) {
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.at = 0
    this.end = bytes.byteLength
  }

  /** A varint as a signed 64-bit number. Numbers that JavaScript does not keep exactly are refused. */
  int64(): number {
    const value = this.wide()
    if (typeof value === 'bigint') throw malformed(`the integer ${value} is out of range`)
    return value
  }

  /** A varint as a signed 64-bit number: a bigint where a number would not be exact. */
  wide(): number | bigint {
    const { buffer, end } = this
    let b = this.at < end ? (buffer[this.at++] as number) : this.truncated()
    if (b < 0x80) return b
    let low = b & 0x7f
    for (let shift = 7; shift < 28; shift += 7) {
      b = this.at < end ? (buffer[this.at++] as number) : this.truncated()
      low |= (b & 0x7f) << shift
      if (b < 0x80) return low
    }
    this.at -= 4
    return exactInteger(this.bigint())
  }

  bigint(): bigint {
    let value = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const b = this.at < this.end ? (this.buffer[this.at++] as number) : this.truncated()
      value |= BigInt(b & 0x7f) << shift
      if (b < 0x80) return BigInt.asIntN(64, value)
    }
    throw malformed('a number is longer than ten bytes')
  }

  /** A varint cut to 32 bits, as Go's generated code reads one. */
  int32(): number {
    const first = this.at < this.end ? (this.buffer[this.at] as number) : this.truncated()
    if (first < 0x80) {
      this.at++
      return first
    }
    return Number(BigInt.asIntN(32, this.bigint()))
  }

  bool(): boolean { return this.bigint() !== 0n }

  double(): number {
    if (this.end - this.at < 8) this.truncated()
    const value = this.buffer.readDoubleLE(this.at)
    this.at += 8
    return value
  }

  /** The length of what follows, checked against what is left. */
  length(): number {
    const n = this.int64()
    if (n < 0 || n > this.end - this.at) this.truncated()
    return n
  }

  string(): string {
    const n = this.length()
    const start = this.at
    this.at += n
    if (n === 0) return ''
    return n <= longestShared ? shared(this.buffer, start, this.at) : this.buffer.toString('utf8', start, this.at)
  }

  /** A view of the bytes: valid as long as the input is. */
  bytes(): Buffer {
    const n = this.length()
    this.at += n
    return this.buffer.subarray(this.at - n, this.at)
  }

  /** Enters a message; gives back the end of the surrounding one, for `leave`. */
  enter(): number {
    const n = this.length()
    const outer = this.end
    if (++this.depth > maxDepth) throw malformed(`messages are nested more than ${maxDepth} deep`)
    this.end = this.at + n
    return outer
  }

  leave(outer: number): void {
    this.depth--
    this.end = outer
  }

  /** Passes over a field that the schema does not know. */
  skip(wireType: number): void {
    if (wireType === 0) this.bigint()
    else if (wireType === 1) this.forward(8)
    else if (wireType === 2) this.forward(this.length())
    else if (wireType === 5) this.forward(4)
    else throw malformed(`wire type ${wireType} is not in use`)
  }

  forward(n: number): void {
    if (n > this.end - this.at) this.truncated()
    this.at += n
  }

  truncated(): never { throw malformed('unexpected end of the message') }
}
