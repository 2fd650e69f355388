/** A store in front of a store: values go in encrypted and come out in the clear, for the resources that are to be. */
import type { Change, ChangeBatch, Commit, Entry, Store, Transaction, Write } from '../store.ts'
import { isEncrypted, type Plain, type Transformer } from './provider.ts'

/** Which resources go through what. `group` is empty for the core group. */
export interface Encryption {
  /** What a resource's values go through; undefined: they are stored in the clear. Asked once per resource until something changes. */
  transformerFor(group: string, plural: string): Transformer | undefined
  /** What reads encrypted values of resources that are not to be encrypted any more. */
  readonly reader: Transformer
  /** Calls back when keys or providers have changed, until the signal aborts. */
  onChange(callback: () => void): void
}

export interface EncryptedStore extends Store {
  /** Whether the stored value should be written anew: in the clear, or by a key that no longer writes. */
  stale(key: string): Promise<boolean>
  /** Writes every stale value of a resource anew; `prefix` is that of its keys. Throws when a value cannot be read. */
  rewrite(prefix: string, signal?: AbortSignal): Promise<Rewritten>
}

export interface Rewritten {
  readonly written: number
  /** Everything is fresh as of this revision. */
  readonly revision: number
}

const pageSize = 500
/** Milliseconds of work after which others get their turn. */
const longest = 4

/** What is to be awaited between two pieces of work: nothing, mostly; the next turn of the event loop when this one has been long. */
function createPauses(): () => Promise<void> | undefined {
  let begun = performance.now()
  return () => {
    if (performance.now() - begun < longest) return undefined
    return new Promise((resolve) => {
      setImmediate(() => {
        begun = performance.now()
        resolve()
      })
    })
  }
}

const registry = '/registry/'

/** Values in the clear keep their own buffer; nothing is done for resources that are not encrypted. */
export function encryptStore(store: Store, encryption: Encryption): EncryptedStore {
  const { transformerOf, forget } = createLookup(encryption)
  let unreadable = false
  let broken = new AbortController()
  encryption.onChange(() => {
    forget()
    // Whoever follows the store starts over, and reads what could not be read before.
    if (!unreadable) return
    unreadable = false
    broken.abort(new Error('the encryption of what is stored has changed'))
    broken = new AbortController()
  })

  const plainOf = (key: string, value: Uint8Array): Plain | Promise<Plain> => {
    const transformer = transformerOf(key) ?? (isEncrypted(value) ? encryption.reader : undefined)
    return transformer ? transformer.decrypt(value, key) : { value, stale: false }
  }
  const problem = (entry: Entry, error: unknown): Entry => {
    unreadable = true
    return { ...entry, value: new Uint8Array(0), problem: `unable to transform key ${JSON.stringify(entry.key)}: ${error instanceof Error ? error.message : String(error)}` }
  }
  const opened = (entry: Entry): Entry | Promise<Entry> => {
    // The common case first: what is in the clear and may be.
    if (entry.value.length === 0 || (entry.value[0] !== 0x6b && !transformerOf(entry.key))) return entry
    try {
      const plain = plainOf(entry.key, entry.value)
      if (!(plain instanceof Promise)) return plain.value === entry.value ? entry : { ...entry, value: plain.value }
      return plain.then(({ value }) => ({ ...entry, value }), (error: unknown) => problem(entry, error))
    } catch (error) {
      return problem(entry, error)
    }
  }
  /** The same list where nothing had to be done. */
  const openedAll = async (entries: readonly Entry[]): Promise<readonly Entry[]> => {
    const breathe = createPauses()
    let some: Entry[] | undefined
    for (const [i, entry] of entries.entries()) {
      const next = opened(entry)
      if (next === entry && !some) continue
      some ??= entries.slice(0, i)
      some.push(next instanceof Promise ? await next : next)
      if (next !== entry) await breathe()
    }
    return some ?? entries
  }
  const openedChanges = async (changes: readonly Change[]): Promise<readonly Change[]> => {
    const breathe = createPauses()
    const result: Change[] = []
    for (const change of changes) {
      result.push(concerns(change) ? await openedChange(change) : change)
      await breathe()
    }
    return result
  }
  const openedChange = async (change: Change): Promise<Change> => ({
    ...change,
    entry: await opened(change.entry),
    ...(change.previous ? { previous: await opened(change.previous) } : {}),
  })
  const concerns = ({ entry, previous }: Change): boolean => {
    const touched = (value: Uint8Array) => value.length > 0 && (value[0] === 0x6b || transformerOf(entry.key) !== undefined)
    return touched(entry.value) || (previous !== undefined && touched(previous.value))
  }
  const sealed = (write: Write): Write | Promise<Write> => {
    const transformer = write.op === 'put' ? transformerOf(write.key) : undefined
    if (!transformer || write.op !== 'put') return write
    const value = transformer.encrypt(write.value, write.key)
    return value instanceof Promise ? value.then((done) => ({ ...write, value: done })) : { ...write, value }
  }
  const commit = async (transaction: Transaction): Promise<Commit> => {
    const writes = transaction.writes.map(sealed)
    const ready = writes.some((write) => write instanceof Promise) ? await Promise.all(writes) : (writes as Write[])
    const result = await store.commit({ ...transaction, writes: ready })
    return result.committed ? result : { ...result, current: await Promise.all(result.current.map((entry) => entry && opened(entry))) }
  }

  async function* watch(prefix: string, options: Parameters<Store['watch']>[1] = {}): AsyncGenerator<ChangeBatch> {
    const { signal: change } = broken
    const signal = options.signal ? AbortSignal.any([options.signal, change]) : change
    for await (const batch of store.watch(prefix, { ...options, signal })) {
      yield batch.changes.some(concerns) ? { ...batch, changes: await openedChanges(batch.changes) } : batch
    }
    if (change.aborted && !options.signal?.aborted) throw change.reason
  }

  return {
    ...store,
    async get(key, options) {
      const entry = await store.get(key, options)
      return entry && opened(entry)
    },
    async range(prefix, options) {
      const range = await store.range(prefix, options)
      if (options?.keysOnly) return range
      const entries = await openedAll(range.entries)
      return entries === range.entries ? range : { ...range, entries }
    },
    commit,
    watch,
    async stale(key) {
      if (!transformerOf(key)) return false
      const entry = await store.get(key)
      return entry !== undefined && (await plainOf(key, entry.value)).stale
    },
    rewrite: (prefix, signal) => rewrite(store, commit, plainOf, prefix, signal),
  }
}

/** What a key's value goes through, looked up once for each resource. */
function createLookup(encryption: Encryption) {
  let transformers = new Map<string, Transformer | undefined>()
  const transformerOf = (key: string): Transformer | undefined => {
    const group = key.indexOf('/', registry.length)
    const plural = group < 0 ? -1 : key.indexOf('/', group + 1)
    if (plural < 0 || !key.startsWith(registry)) return undefined
    const name = key.slice(registry.length, plural)
    if (transformers.has(name)) return transformers.get(name)
    const of = key.slice(registry.length, group)
    const transformer = encryption.transformerFor(of === 'core' ? '' : of, key.slice(group + 1, plural))
    transformers.set(name, transformer)
    return transformer
  }
  return { transformerOf, forget: () => void (transformers = new Map()) }
}

/** Page by page, each value by a compare-and-swap: whoever writes meanwhile writes with the new key anyway. */
async function rewrite(
  store: Store, commit: Store['commit'], plainOf: (key: string, value: Uint8Array) => Plain | Promise<Plain>, prefix: string, signal: AbortSignal | undefined,
): Promise<Rewritten> {
  let written = 0
  let after: string | undefined
  for (;;) {
    const { entries, more } = await store.range(prefix, { limit: pageSize, ...(after === undefined ? {} : { after }) })
    for (const { key } of entries) written += await rewriteOne(store, commit, plainOf, key, signal)
    after = entries.at(-1)?.key
    if (!more || after === undefined) return { written, revision: await store.revision() }
  }
}

async function rewriteOne(
  store: Store, commit: Store['commit'], plainOf: (key: string, value: Uint8Array) => Plain | Promise<Plain>, key: string, signal: AbortSignal | undefined,
): Promise<number> {
  for (;;) {
    signal?.throwIfAborted()
    const entry = await store.get(key)
    if (!entry) return 0
    const { value, stale } = await open(plainOf, key, entry.value)
    if (!stale) return 0
    const { committed } = await commit({ conditions: [{ key, modRevision: entry.modRevision }], writes: [{ op: 'put', key, value }] })
    if (committed) return 1
  }
}

async function open(plainOf: (key: string, value: Uint8Array) => Plain | Promise<Plain>, key: string, value: Uint8Array): Promise<Plain> {
  try {
    return await plainOf(key, value)
  } catch (error) {
    throw new Error(`unable to transform key ${JSON.stringify(key)}: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}
