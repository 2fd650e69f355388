/** Long answers: bytes and texts in buffers of some size, so that nothing large is ever made, copied or sent in one go. */
import { formatYaml } from '../../machinery/yaml.ts'
import { eachPausing } from './pausing.ts'

/** A piece has about this many bytes. */
const size = 256 * 1024

export class Pieces {
  readonly #done: Buffer[] = []
  #open: Buffer = Buffer.alloc(0)
  #at = 0

  #reserve(length: number): void {
    if (this.#open.length - this.#at >= length) return
    this.#close()
    this.#open = Buffer.allocUnsafeSlow(Math.max(size, length))
  }

  #close(): void {
    if (this.#at > 0) this.#done.push(this.#open.subarray(0, this.#at))
    this.#at = 0
  }

  text(text: string): void {
    // No character takes more than three bytes.
    this.#reserve(text.length * 3 <= size ? text.length * 3 : Buffer.byteLength(text))
    this.#at += this.#open.write(text, this.#at)
  }

  /** A part of some bytes; of all of them when left out. */
  bytes(bytes: Uint8Array, from = 0, to = bytes.length): void {
    this.#reserve(to - from)
    this.#open.set(from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to), this.#at)
    this.#at += to - from
  }

  byte(byte: number): void {
    this.#reserve(1)
    this.#open[this.#at++] = byte
  }

  finish(): readonly Buffer[] {
    this.#close()
    this.#open = Buffer.alloc(0)
    return this.#done
  }
}

/** An object that is a frame around one long list of its own. */
export interface LongDocument<T> {
  readonly frame: Readonly<Record<string, unknown>>
  /** The key of the list; the last one, except in YAML, where keys are sorted. */
  readonly key: string
  readonly items: readonly T[]
  /** One item as JSON. */
  json(item: T): string
}

export type TextForm = 'json' | 'pretty' | 'yaml'

/** The document as text, with pauses: the same as if it were written at once. */
export async function longText<T>(document: LongDocument<T>, form: TextForm): Promise<readonly Buffer[]> {
  const pieces = new Pieces()
  const { frame, key, items, json } = document
  if (form === 'yaml') {
    const part = (isBefore: boolean) => {
      const names = Object.keys(frame).filter((name) => (name < key) === isBefore)
      return names.length === 0 ? '' : formatYaml(Object.fromEntries(names.map((name) => [name, frame[name]])))
    }
    pieces.text(`${part(true)}${key}:${items.length === 0 ? ' []' : ''}\n`)
    await eachPausing(items, (item) => pieces.text(formatYaml([JSON.parse(json(item))])))
    pieces.text(part(false))
    return pieces.finish()
  }
  const pretty = form === 'pretty' && items.length > 0
  const whole = pretty ? JSON.stringify(frame, null, 2).slice(0, -2) : JSON.stringify(frame).slice(0, -1)
  if (form === 'pretty' && !pretty) return [Buffer.from(`${JSON.stringify({ ...frame, [key]: [] }, null, 2)}\n`)]
  pieces.text(pretty ? `${whole},\n  "${key}": [\n    ` : `${whole},"${key}":[`)
  let first = true
  await eachPausing(items, (item) => {
    if (!first) pieces.text(pretty ? ',\n    ' : ',')
    first = false
    // Line breaks in texts are escaped: those that are left are between the parts.
    pieces.text(pretty ? JSON.stringify(JSON.parse(json(item)), null, 2).replaceAll('\n', '\n    ') : json(item))
  })
  pieces.text(pretty ? '\n  ]\n}\n' : ']}\n')
  return pieces.finish()
}
