/** How values are made unreadable and readable again: providers, each with a prefix that its values begin with, tried by that prefix. */
import type { Direction } from './tally.ts'

/** A value in the clear, and whether it should be written anew: it was not written by what writes now. */
export interface Plain { readonly value: Uint8Array; readonly stale: boolean }

type Maybe<T> = T | Promise<T>

export interface Provider {
  /** What its values begin with: `k8s:enc:aesgcm:v1:key1:`; empty for values in the clear. */
  readonly prefix: Buffer
  /**
   * What follows the prefix. `context` is the key that the value will be stored under: it is authenticated where the algorithm can do
   * that, so that nobody can put one key's value under another.
   */
  encrypt(value: Uint8Array, context: string): Maybe<Uint8Array>
  /** Undoes it. Throws when the value was not made by this provider under this key, or has been tampered with. */
  decrypt(payload: Uint8Array, context: string): Maybe<Plain>
}

/** What every value that is not in the clear begins with. */
const marker = Buffer.from('k8s:enc:')
/** Whether the value begins with the marker of encrypted values. */
export const isEncrypted = (value: Uint8Array): boolean => value[0] === marker[0] && startsWith(value, marker)

/** Whether the bytes begin with the prefix. */
export function startsWith(value: Uint8Array, prefix: Uint8Array): boolean {
  if (value.length < prefix.length) return false
  for (let i = 0; i < prefix.length; i++) if (value[i] !== prefix[i]) return false
  return true
}

/** Values in the clear: Kubernetes's provider `identity`. It is not asked about values that are encrypted. */
export const identity: Provider = {
  prefix: Buffer.alloc(0),
  encrypt: (value) => value,
  decrypt: (payload) => ({ value: payload, stale: false }),
}

/** What the values of one resource go through: the first provider writes, all of them read. */
export interface Transformer {
  /** The bytes to store. Throws when they cannot be made. */
  encrypt(value: Uint8Array, context: string): Maybe<Uint8Array>
  /** The value of stored bytes. Throws when no provider can read them. */
  decrypt(stored: Uint8Array, context: string): Maybe<Plain>
}

/** Told of every value that went through a provider, or did not. `begun`: milliseconds of `performance.now`. */
export type Observe = (direction: Direction, prefix: Buffer, begun: number, error?: unknown) => void
const unobserved: Observe = () => undefined
const nobody = Buffer.from('unknown')

/** Several providers as one. They are asked for each time: keys come and go. */
export function transformerOf(providers: () => readonly Provider[], observe: Observe = unobserved): Transformer {
  const attempt = (candidates: readonly Provider[], stored: Uint8Array, context: string, writer: Provider | undefined): Maybe<Plain> => {
    const [provider, ...others] = candidates
    if (!provider) throw unmatched(isEncrypted(stored) ? `no matching prefix found: no key is known for values that begin with ${prefixText(stored)}` : 'no matching prefix found')
    const begun = performance.now()
    const read = ({ value, stale }: Plain): Plain => {
      observe('from_storage', provider.prefix, begun)
      return { value, stale: stale || provider !== writer }
    }
    const next = (error: unknown): Maybe<Plain> => {
      if (others.length === 0) {
        observe('from_storage', provider.prefix, begun, error)
        throw error
      }
      return attempt(others, stored, context, writer)
    }
    try {
      const plain = provider.decrypt(stored.subarray(provider.prefix.length), context)
      return plain instanceof Promise ? plain.then(read, next) : read(plain)
    } catch (error) {
      return next(error)
    }
  }
  const unmatched = (why: string): Error => {
    const error = new Error(why)
    observe('from_storage', nobody, performance.now(), error)
    return error
  }
  return {
    encrypt(value, context) {
      const writer = providers()[0]
      if (!writer) throw new Error('there is no provider')
      const begun = performance.now()
      const sealed = (payload: Uint8Array): Uint8Array => {
        observe('to_storage', writer.prefix, begun)
        return joined(writer.prefix, payload)
      }
      const failed = (error: unknown): never => {
        observe('to_storage', writer.prefix, begun, error)
        throw error
      }
      try {
        const payload = writer.encrypt(value, context)
        return payload instanceof Promise ? payload.then(sealed, failed) : sealed(payload)
      } catch (error) {
        return failed(error)
      }
    },
    decrypt(stored, context) {
      const all = providers()
      const encrypted = isEncrypted(stored)
      return attempt(all.filter(({ prefix }) => (prefix.length === 0 ? !encrypted : startsWith(stored, prefix))), stored, context, all[0])
    },
  }
}

const joined = (prefix: Buffer, payload: Uint8Array): Uint8Array => (prefix.length === 0 ? payload : Buffer.concat([prefix, payload]))

/** `k8s:enc:aesgcm:v1:key1:`, of a value nobody can read: for messages. */
function prefixText(stored: Uint8Array): string {
  const text = Buffer.from(stored.subarray(0, 200)).toString('latin1')
  return /^k8s:enc:[a-z]+:v\d+:[^:]*:/.exec(text)?.[0] ?? 'k8s:enc:'
}
