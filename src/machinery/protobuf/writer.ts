/**
 * Writes protobuf from the end towards the front: a message's length is known when its parts are written, so nothing is
 * measured twice and nothing is moved. Fields, list elements and map entries are therefore written last one first.
 */
export class Writer {
  buffer: Buffer = Buffer.allocUnsafeSlow(64 * 1024)
  /** The first byte that is written; what follows it is. */
  at: number = this.buffer.length

  reset(): void {
    // One huge object must not keep its memory for ever.
    if (this.buffer.length > 4 * 1024 * 1024) this.buffer = Buffer.allocUnsafeSlow(64 * 1024)
    this.at = this.buffer.length
  }

  /** A copy of what is written. */
  finish(): Uint8Array { return Uint8Array.prototype.slice.call(this.buffer, this.at) }

  reserve(length: number): void {
    if (this.at >= length) return
    const used = this.buffer.length - this.at
    const next = Buffer.allocUnsafeSlow(Math.max(this.buffer.length * 2, used + length))
    this.buffer.copy(next, next.length - used, this.at)
    this.buffer = next
    this.at = next.length - used
  }

  byte(value: number): void {
    this.reserve(1)
    this.buffer[--this.at] = value
  }

  /** An unsigned number up to 2^53. */
  varint(value: number): void {
    if (value < 0x80) return this.byte(value)
    let length = 2
    for (let rest = Math.floor(value / 0x4000); rest > 0; rest = Math.floor(rest / 0x80)) length++
    this.reserve(length)
    this.at -= length
    const { buffer } = this
    let i = this.at
    while (value >= 0x80) {
      buffer[i++] = value >= 0x80000000 ? (value % 0x80) | 0x80 : (value & 0x7f) | 0x80
      value = value >= 0x80000000 ? Math.floor(value / 0x80) : value >>> 7
    }
    buffer[i] = value
  }

  /** A signed number: negative ones take ten bytes. */
  int64(value: number | bigint): void {
    if (typeof value === 'number' && value >= 0) this.varint(value)
    else this.bigint(BigInt(value))
  }

  bigint(value: bigint): void {
    const bytes: number[] = []
    let rest = BigInt.asUintN(64, value)
    for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80)
    bytes.push(Number(rest))
    this.raw(bytes)
  }

  raw(bytes: ArrayLike<number>): void {
    this.reserve(bytes.length)
    this.at -= bytes.length
    this.buffer.set(bytes, this.at)
  }

  /** Bytes with their length before them. */
  bytes(bytes: Uint8Array): void {
    this.raw(bytes)
    this.varint(bytes.length)
  }

  double(value: number): void {
    this.reserve(8)
    this.at -= 8
    this.buffer.writeDoubleLE(value, this.at)
  }

  /** UTF-8 with its length before it. */
  string(text: string): void {
    const { length } = text
    if (length > 48) return this.longString(text)
    this.reserve(length)
    const { buffer } = this
    const start = this.at - length
    for (let i = 0; i < length; i++) {
      const c = text.charCodeAt(i)
      if (c >= 0x80) return this.longString(text)
      buffer[start + i] = c
    }
    this.at = start
    this.byte(length)
  }

  longString(text: string): void {
    const length = Buffer.byteLength(text)
    this.reserve(length)
    this.at -= length
    this.buffer.write(text, this.at, length, 'utf8')
    this.varint(length)
  }

  /** How much is written: the buffer may be exchanged in between, so lengths are differences of this. */
  used(): number { return this.buffer.length - this.at }
}
