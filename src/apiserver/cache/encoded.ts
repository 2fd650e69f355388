/**
 * An object together with its bytes: encoded at first need, then shared by every get, list and watch that shows it.
 *
 * An object that was just written comes as a tree of values and as the bytes that were stored. Trees are what a garbage collection copies and marks,
 * bytes are outside of V8's heap, and most objects are only sent, never looked at. So an object that comes with `revive` keeps one of the two: the tree
 * when somebody has looked at it, else the bytes, from which the tree is made again when it is asked for.
 */
import type { StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { encodeMessage } from '../../machinery/protobuf.ts'

/** Makes the tree of an object again from its JSON. */
export type Revive = (json: Buffer) => ApiObject

export class Encoded<T extends ApiObject = ApiObject> {
  readonly key: string
  /** The store's revision of the object, also in its `metadata.resourceVersion`; 0 for one that was not stored (dry run). */
  readonly revision: number
  /** The tree; undefined while there are only bytes. */
  #tree: T | undefined
  /** The object as it was stored: its JSON without the resourceVersion, which belongs at `#gap`. */
  #stored: Buffer | undefined
  #gap = -1
  readonly #revive: Revive | undefined
  #line: Buffer | undefined
  #message: Uint8Array | undefined
  /** Whether the bytes, and the tree, were asked for since they last could have been let go. */
  #used = false
  #looked = false

  /**
   * `stored`: the JSON of the object without its resourceVersion, where somebody has it; it spares writing it a second time. `revive`: lets the object
   * give its tree away while it has its bytes.
   */
  constructor(key: string, revision: number, object: T, stored?: Uint8Array, revive?: Revive) {
    this.key = key
    this.revision = revision
    this.#tree = object
    this.#revive = revive
    if (!stored) return
    const bytes = Buffer.isBuffer(stored) ? stored : Buffer.from(stored.buffer, stored.byteOffset, stored.byteLength)
    this.#gap = gapIn(bytes, object)
    if (this.#gap >= 0) this.#stored = bytes
  }

  /** The object as a tree of values: made again of the bytes if it was given away, and kept then for as long as it is looked at. */
  get object(): T {
    this.#looked = true
    return (this.#tree ??= this.#revived())
  }

  #revived(): T { return this.#revive!(withoutNewline(this.#line ?? this.#spliced(false))) as T }

  #spliced(kept: boolean): Buffer { return spliced(this.#stored!, this.#gap, this.revision, kept) }

  /** Canonical JSON, `{"kind":…,"apiVersion":…,"metadata":…}`, without a newline. */
  json(): Buffer { return withoutNewline(this.line()) }

  /** The same with a newline at the end: the body of an answer. Kept from the second time on: the first is mostly the answer to who wrote it, and the last. */
  line(): Buffer {
    const wasUsed = this.#wasUsed()
    if (this.#line) return this.#line
    const line = this.#stored ? this.#spliced(wasUsed) : exactly(`${JSON.stringify(this.#tree)}\n`)
    if (wasUsed) {
      this.#line = line
      this.#stored = undefined
    }
    return line
  }

  /**
   * The line, where it is there or has been asked for lately; undefined where this is the first time: then whoever needs it writes it out
   * and it is not kept. So a list that is asked for once does not leave the bytes of everything in memory.
   */
  keptLine(): Buffer | undefined { return this.#line || this.#stored || this.#wasUsed() ? this.line() : undefined }

  #wasUsed(): boolean {
    const before = this.#used
    this.#used = true
    return before
  }

  /** Bytes of the line, where it is there. */
  get keptBytes(): number | undefined { return this.#line?.length }

  /** The protobuf message without its envelope. */
  message(type: StructType<unknown>): Uint8Array {
    this.#used = true
    return (this.#message ??= this.newMessage(type))
  }

  /** The same, kept only where it is there or has been asked for lately. */
  keptMessage(type: StructType<unknown>): Uint8Array { return this.#message || this.#wasUsed() ? this.message(type) : this.newMessage(type) }

  /** The same, and not kept if it was not. */
  newMessage(type: StructType<unknown>): Uint8Array { return this.#message ?? encodeMessage(type as StructType<T>, this.#tree ?? this.#revived()) }

  /** Whether the tree can be made again. */
  get #isRevivable(): boolean { return this.#revive !== undefined && (this.#stored ?? this.#line) !== undefined }

  /** Takes the place of an older state of the object: who has looked at that, to change it, will look at this. */
  replace(previous: Encoded): void {
    this.#looked ||= previous.#looked
    previous.#release()
  }

  /** Lets go of the tree if nobody has looked at it: whoever wrote the object has been answered, and watchers have had their chance. */
  forgetTree(): void { if (!this.#looked && this.#isRevivable) this.#tree = undefined }

  /** Lets go of the stored form where the tree is kept: whoever wanted a line of it has it. */
  forgetStored(): void { if (this.#tree) this.#stored = undefined }

  /** Lets go of what nobody has asked for since the last time this was called. */
  age(): void {
    this.forgetTree()
    if (!this.#used) this.#forgetEncodings()
    this.#used = false
    this.#looked = false
  }

  #forgetEncodings(): void {
    this.#message = undefined
    if (!this.#tree) return
    this.#stored = undefined
    this.#line = undefined
  }

  /** Hardly anybody asks for it any more: one form of it is enough. */
  #release(): void {
    if (this.#isRevivable) this.#tree = undefined
    this.#forgetEncodings()
  }
}

const newline = 0x0a
const withoutNewline = (line: Buffer): Buffer => line.subarray(0, line.length - 1)

/**
 * Where the resourceVersion belongs in the stored form of an object: after the uid, and before that there are only names, which hold no quotes.
 * -1 where the uid is not where it should be.
 */
function gapIn(stored: Buffer, { metadata: { uid = '' } }: ApiObject): number {
  if (uid === '') return -1
  const before = `"uid":"${uid}",`
  const at = stored.indexOf(before, 0, 'latin1')
  return at < 0 ? -1 : at + before.length
}

/** The line of an object from its stored form. One that is not kept may be a piece of the shared pool. */
function spliced(stored: Buffer, gap: number, revision: number, kept: boolean): Buffer {
  const version = `"resourceVersion":"${revision}",`
  const length = stored.length + version.length + 1
  const line = kept ? Buffer.allocUnsafeSlow(length) : Buffer.allocUnsafe(length)
  stored.copy(line, 0, 0, gap)
  line.write(version, gap, 'latin1')
  stored.copy(line, gap + version.length, gap)
  line[length - 1] = newline
  return line
}

/** The text in a buffer of its own: a piece of the shared pool would keep its whole neighbourhood in memory for as long as it is cached. */
export function exactly(text: string): Buffer {
  const buffer = Buffer.allocUnsafeSlow(Buffer.byteLength(text))
  buffer.write(text)
  return buffer
}
