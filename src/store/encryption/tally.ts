/** What encryption counts about itself, in plain numbers: whoever serves metrics reads them from here. */

/** One way through a provider: values of a resource, written or read. */
export interface TransformationTally {
  readonly resource: string
  readonly direction: Direction
  /** The prefix of the provider's values, without the name of its key. */
  readonly prefix: string
  /** How often it ended how: `OK`, or the gRPC code of a service's refusal. */
  readonly statuses: ReadonlyMap<string, number>
  /** Seconds of what succeeded: one count for each bound of `transformationBounds`, and one for what took longer. */
  readonly buckets: readonly number[]
  readonly seconds: number
}

export type Direction = 'to_storage' | 'from_storage'

/** Seconds: 5 µs, doubled 24 times. */
export const transformationBounds: readonly number[] = Array.from({ length: 25 }, (_, i) => 5e-6 * 2 ** i)
/** Seconds: 0.1 ms, doubled 19 times. */
export const serviceBounds: readonly number[] = Array.from({ length: 20 }, (_, i) => 0.0001 * 2 ** i)

export interface ServiceTally {
  readonly provider: string
  readonly method: string
  readonly status: string
  readonly buckets: readonly number[]
  readonly seconds: number
}

/** How often a key of a service was used, and when last (milliseconds since 1970). */
export interface KeyTally { readonly provider: string; readonly keyId: string; readonly direction: Direction | 'status'; readonly count: number; readonly last: number }

export interface EncryptionTally {
  /** Counts one value that went through the provider, and how long that took, in milliseconds. */
  transformed(resource: string, direction: Direction, prefix: Buffer, begun: number, error?: unknown): void
  called(provider: string, method: string, begun: number, error?: unknown): void
  used(provider: string, keyId: string, direction: Direction | 'status', now: number): void
  /** A seed that was not known had to be decrypted by the service. */
  missed(): void
  read(): { readonly transformations: readonly TransformationTally[]; readonly calls: readonly ServiceTally[]; readonly keys: readonly KeyTally[]; readonly misses: number }
}

type Writable<T> = { -readonly [K in keyof T]: T[K] }
interface Path extends Omit<Writable<TransformationTally>, 'statuses' | 'buckets'> { readonly statuses: Map<string, number>; readonly buckets: number[] }

const codes: readonly string[] = [
  'OK', 'Canceled', 'Unknown', 'InvalidArgument', 'DeadlineExceeded', 'NotFound', 'AlreadyExists', 'PermissionDenied', 'ResourceExhausted', 'FailedPrecondition', 'Aborted', 'OutOfRange', 'Unimplemented', 'Internal',
  'Unavailable', 'DataLoss', 'Unauthenticated',
]
/** What somebody else's refusal is called. */
function statusOf(error: unknown): string {
  if (error === undefined) return 'OK'
  const code = (error as { readonly grpcCode?: unknown } | null)?.grpcCode
  return (typeof code === 'number' ? codes[code] : undefined) ?? 'unknown-non-grpc'
}

/** The number of keys that are remembered. */
const mostKeys = 100

const bucketOf = (bounds: readonly number[], seconds: number): number => {
  let at = 0
  while (at < bounds.length && seconds > bounds[at]!) at++
  return at
}
const zeros = (bounds: readonly number[]): number[] => Array.from({ length: bounds.length + 1 }, () => 0)

/** `k8s:enc:aesgcm:v1:` of `k8s:enc:aesgcm:v1:key1:`; the whole of a service's, which has no keys of its own. */
const prefixOf = (prefix: Buffer): string => {
  const text = prefix.toString('latin1')
  return text.startsWith('k8s:enc:kms:') ? text : text.split(':').slice(0, 4).join(':') + (text === '' ? '' : ':')
}

export function createTally(): EncryptionTally {
  const paths = new Map<string, Map<Buffer, Path>>()
  const calls = new Map<string, Writable<Omit<ServiceTally, 'buckets'>> & { readonly buckets: number[] }>()
  const keys = new Map<string, Writable<KeyTally>>()
  let misses = 0
  return {
    transformed(resource, direction, prefix, begun, error) {
      const seconds = (performance.now() - begun) / 1000
      const name = `${direction} ${resource}`
      let known = paths.get(name)
      if (!known) paths.set(name, (known = new Map()))
      let path = known.get(prefix)
      if (!path) known.set(prefix, (path = { resource, direction, prefix: prefixOf(prefix), statuses: new Map(), buckets: zeros(transformationBounds), seconds: 0 }))
      const status = error === undefined ? 'OK' : statusOf(error)
      path.statuses.set(status, (path.statuses.get(status) ?? 0) + 1)
      if (error !== undefined) return
      path.buckets[bucketOf(transformationBounds, seconds)]!++
      path.seconds += seconds
    },
    called(provider, method, begun, error) {
      const seconds = (performance.now() - begun) / 1000
      const status = statusOf(error)
      const name = `${provider} ${method} ${status}`
      let call = calls.get(name)
      if (!call) calls.set(name, (call = { provider, method, status, buckets: zeros(serviceBounds), seconds: 0 }))
      call.buckets[bucketOf(serviceBounds, seconds)]!++
      call.seconds += seconds
    },
    used(provider, keyId, direction, now) {
      const name = `${direction} ${provider} ${keyId}`
      const known = keys.get(name) ?? { provider, keyId, direction, count: 0, last: 0 }
      known.count++
      known.last = now
      // The one used last stands last.
      keys.delete(name)
      keys.set(name, known)
      if (keys.size > mostKeys) keys.delete(keys.keys().next().value!)
    },
    missed: () => void misses++,
    read: () => ({ transformations: [...paths.values()].flatMap((known) => [...known.values()]), calls: [...calls.values()], keys: [...keys.values()], misses }),
  }
}
