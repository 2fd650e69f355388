/** An object together with its bytes: encoded at first need, then shared by every get, list and watch that shows it. */
import type { StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { encodeMessage } from '../../machinery/protobuf.ts'

export class Encoded<T extends ApiObject = ApiObject> {
  readonly key: string
  /** The store's revision of the object, also in its `metadata.resourceVersion`; 0 for one that was not stored (dry run). */
  readonly revision: number
  readonly object: T
  #json: Buffer | undefined
  #message: Uint8Array | undefined
  #used = false

  constructor(key: string, revision: number, object: T) {
    this.key = key
    this.revision = revision
    this.object = object
  }

  /** Canonical JSON, `{"kind":…,"apiVersion":…,"metadata":…}`, without a newline. */
  json(): Buffer {
    const line = this.line()
    return line.subarray(0, line.length - 1)
  }

  /** The same with a newline at the end: the body of an answer. */
  line(): Buffer {
    this.#used = true
    return (this.#json ??= exactly(`${JSON.stringify(this.object)}\n`))
  }

  /** The protobuf message without its envelope. */
  message(type: StructType<unknown>): Uint8Array {
    this.#used = true
    return (this.#message ??= encodeMessage(type as StructType<T>, this.object))
  }

  /** Lets go of bytes that nobody has asked for since the last time this was called. */
  age(): void {
    if (!this.#used) this.release()
    this.#used = false
  }

  /** Lets the bytes go: the object has been replaced, hardly anybody asks for it any more. */
  release(): void {
    this.#json = undefined
    this.#message = undefined
  }
}

/** The text in a buffer of its own: a piece of the shared pool would keep its whole neighbourhood in memory for as long as it is cached. */
export function exactly(text: string): Buffer {
  const buffer = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
  buffer.write(text)
  return buffer
}
