/** An object together with its bytes: encoded at first need, then shared by every get, list and watch that shows it. */
import type { StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { encodeMessage } from '../../machinery/protobuf.ts'

export class Encoded<T extends ApiObject = ApiObject> {
  readonly key: string
  /** The store's revision of the object, also in its `metadata.resourceVersion`; 0 for one that was not stored (dry run). */
  readonly revision: number
  readonly object: T
  /** The object as it was stored: its JSON without the resourceVersion. */
  #stored: Uint8Array | undefined
  #json: Buffer | undefined
  #message: Uint8Array | undefined
  #used = false

  /** `stored`: the JSON of the object without its resourceVersion, where somebody has it; it spares writing it a second time. */
  constructor(key: string, revision: number, object: T, stored?: Uint8Array) {
    this.key = key
    this.revision = revision
    this.object = object
    this.#stored = stored
  }

  /** Canonical JSON, `{"kind":…,"apiVersion":…,"metadata":…}`, without a newline. */
  json(): Buffer {
    const line = this.line()
    return line.subarray(0, line.length - 1)
  }

  /** The same with a newline at the end: the body of an answer. Kept from the second time on: the first is mostly the answer to who wrote it, and the last. */
  line(): Buffer {
    const wasUsed = this.#wasUsed()
    if (this.#json) return this.#json
    const line = (this.#stored && spliced(this.#stored, this.object, wasUsed)) ?? exactly(`${JSON.stringify(this.object)}\n`)
    if (wasUsed) {
      this.#json = line
      this.#stored = undefined
    }
    return line
  }

  /**
   * The line, where it is there or has been asked for lately; undefined where this is the first time: then whoever needs it writes it out
   * and it is not kept. So a list that is asked for once does not leave the bytes of everything in memory.
   */
  keptLine(): Buffer | undefined { return this.#json || this.#stored || this.#wasUsed() ? this.line() : undefined }

  #wasUsed(): boolean {
    const before = this.#used
    this.#used = true
    return before
  }

  /** Bytes of the line, where it is there. */
  get keptBytes(): number | undefined { return this.#json?.length }

  /** Lets go of the stored form: whoever wanted a line of it has it. */
  forgetStored(): void { this.#stored = undefined }

  /** The protobuf message without its envelope. */
  message(type: StructType<unknown>): Uint8Array {
    this.#used = true
    return (this.#message ??= encodeMessage(type as StructType<T>, this.object))
  }

  /** The same, kept only where it is there or has been asked for lately. */
  keptMessage(type: StructType<unknown>): Uint8Array { return this.#message || this.#wasUsed() ? this.message(type) : this.newMessage(type) }

  /** The same, and not kept if it was not. */
  newMessage(type: StructType<unknown>): Uint8Array { return this.#message ?? encodeMessage(type as StructType<T>, this.object) }

  /** Lets go of bytes that nobody has asked for since the last time this was called. */
  age(): void {
    if (!this.#used) this.release()
    this.#used = false
  }

  /** Lets the bytes go: the object has been replaced, hardly anybody asks for it any more. */
  release(): void {
    this.#stored = undefined
    this.#json = undefined
    this.#message = undefined
  }
}

/**
 * The line of an object from its stored form: the resourceVersion has its place after the uid, and before that there are only names, which
 * hold no quotes. Undefined where the uid is not where it should be. What is not kept may be a piece of the shared pool.
 */
function spliced(stored: Uint8Array, { metadata: { uid = '', resourceVersion = '' } }: ApiObject, kept: boolean): Buffer | undefined {
  const bytes = Buffer.isBuffer(stored) ? stored : Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength)
  const before = `"uid":"${uid}",`
  const field = uid === '' ? -1 : bytes.indexOf(before, 0, 'latin1')
  if (field < 0) return undefined
  const rest = field + before.length
  const version = `"resourceVersion":"${resourceVersion}",`
  const length = bytes.length + version.length + 1
  const line = kept ? Buffer.allocUnsafeSlow(length) : Buffer.allocUnsafe(length)
  bytes.copy(line, 0, 0, rest)
  line.write(version, rest, 'latin1')
  bytes.copy(line, rest + version.length, rest)
  line[length - 1] = newline
  return line
}

const newline = 0x0a

/** The text in a buffer of its own: a piece of the shared pool would keep its whole neighbourhood in memory for as long as it is cached. */
export function exactly(text: string): Buffer {
  const buffer = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
  buffer.write(text)
  return buffer
}
