/**
 * Long answers: written into pieces of equal size, which are sent while the next is written, and then reused. An answer of a hundred
 * megabytes takes the memory of a few pieces.
 */
import { parseExactly } from '../../machinery/json.ts'
import { formatYaml } from '../../machinery/yaml.ts'
import { eachPausing } from '../../machinery/pausing.ts'

/** The size of a piece, in bytes. The last one of an answer may be shorter. */
export const pieceBytes = 128 * 1024

/** The most unused pieces that are kept. */
const most = 32
const free: Buffer[] = []
const take = (): Buffer => free.pop() ?? Buffer.allocUnsafeSlow(pieceBytes)
const giveBack = (piece: Buffer): void => { if (free.length < most) free.push(piece) }

/** Where pieces go. */
export interface Outlet {
  /** Takes a piece. Call `taken` once its bytes have been read and may be overwritten; not required if nobody will read them. */
  piece(bytes: Buffer, taken: () => void): void
  /** Resolves when the reader wants more; undefined if it already does. */
  room(): Promise<void> | undefined
  /** Whether the reader has left. */
  over(): boolean
}

export class Pieces {
  readonly #outlet: Outlet
  #open: Buffer | undefined
  #at = 0
  /** Bytes so far. */
  written = 0

  constructor(outlet: Outlet) {
    this.#outlet = outlet
  }

  /** Sends what has been written so far. */
  flush(): void {
    const piece = this.#open
    if (!piece) return
    this.#open = undefined
    this.#outlet.piece(piece.subarray(0, this.#at), () => giveBack(piece))
  }

  /** The current piece, or a new one if it has no room for so many bytes. */
  #room(length: number): Buffer {
    if (this.#open && pieceBytes - this.#at < length) this.flush()
    if (this.#open) return this.#open
    this.#at = 0
    return (this.#open = take())
  }

  text(text: string): void {
    // No character takes more than three bytes.
    if (text.length * 3 > pieceBytes) return this.bytes(Buffer.from(text))
    const written = this.#room(text.length * 3).write(text, this.#at)
    this.#at += written
    this.written += written
  }

  /** Writes a range of bytes, by default all. */
  bytes(bytes: Uint8Array, from = 0, to = bytes.length): void {
    const buffer = bytes as Buffer
    for (let at = from; at < to;) {
      const piece = this.#room(1)
      const length = Math.min(to - at, pieceBytes - this.#at)
      Buffer.prototype.copy.call(buffer, piece, this.#at, at, at + length)
      this.#at += length
      at += length
    }
    this.written += to - from
  }

  put(part: string | Uint8Array): void {
    if (typeof part === 'string') this.text(part)
    else this.bytes(part)
  }

  byte(byte: number): void {
    this.#room(1)[this.#at++] = byte
    this.written++
  }

  /** For `eachPausing` to await: room at the reader; false when the reader has left. */
  next(): Promise<boolean> | boolean {
    const outlet = this.#outlet
    if (outlet.over()) return false
    return outlet.room()?.then(() => !outlet.over()) ?? true
  }
}

/** An answer that is encoded while it is sent. */
export interface LongBody {
  /** The number of bytes that `write` will write, if known beforehand. */
  readonly length?: number | undefined
  /** Writes everything, or stops when the reader leaves. */
  write(pieces: Pieces): Promise<void>
}

/** An object with one long list. */
export interface LongDocument<T> {
  readonly frame: Readonly<Record<string, unknown>>
  /** The key of the list. It comes last, except in YAML, where keys are sorted. */
  readonly key: string
  readonly items: readonly T[]
  /** One item as JSON. */
  json(item: T): string
}

export type TextForm = 'json' | 'pretty' | 'yaml'

/** The document as text, identical to one encoded at once. */
export const longText = <T>(document: LongDocument<T>, form: TextForm): LongBody =>
  ({ write: (pieces) => (form === 'yaml' ? writeYaml(pieces, document) : writeJson(pieces, document, form === 'pretty')) })

async function writeYaml<T>(pieces: Pieces, { frame, key, items, json }: LongDocument<T>): Promise<void> {
  const part = (isBefore: boolean) => {
    const names = Object.keys(frame).filter((name) => (name < key) === isBefore)
    return names.length === 0 ? '' : formatYaml(Object.fromEntries(names.map((name) => [name, frame[name]])))
  }
  pieces.text(`${part(true)}${key}:${items.length === 0 ? ' []' : ''}\n`)
  await eachPausing(items, (item) => {
    pieces.text(formatYaml([parseExactly(json(item))]))
    return pieces.next()
  })
  pieces.text(part(false))
}

async function writeJson<T>(pieces: Pieces, { frame, key, items, json }: LongDocument<T>, pretty: boolean): Promise<void> {
  if (pretty && items.length === 0) return pieces.text(`${JSON.stringify({ ...frame, [key]: [] }, null, 2)}\n`)
  const whole = pretty ? JSON.stringify(frame, null, 2).slice(0, -2) : JSON.stringify(frame).slice(0, -1)
  pieces.text(pretty ? `${whole},\n  "${key}": [\n    ` : `${whole},"${key}":[`)
  let first = true
  await eachPausing(items, (item) => {
    if (!first) pieces.text(pretty ? ',\n    ' : ',')
    first = false
    // Line breaks in strings are escaped, so these are only between tokens.
    pieces.text(pretty ? JSON.stringify(parseExactly(json(item)), null, 2).replaceAll('\n', '\n    ') : json(item))
    return pieces.next()
  })
  pieces.text(pretty ? '\n  ]\n}\n' : ']}\n')
}
