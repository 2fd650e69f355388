/**
 * Envelopes: the service encrypts a seed, once in a while, and values are encrypted here with keys derived from it. What is stored has the
 * encrypted seed in it; decrypted seeds are kept in memory alone. Kubernetes's KMS v2, with its form of stored values.
 */
import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { bytes, int32, map, string, struct, zero } from '../../../api/schema.ts'
import type { Clock, Timer } from '../../../machinery/clock.ts'
import type { Logger } from '../../../machinery/log.ts'
import { decodeMessage, encodeMessage } from '../../../machinery/protobuf.ts'
import { openGcm, sealGcm } from '../aes.ts'
import type { Plain, Provider } from '../provider.ts'
import type { EncryptionTally } from '../tally.ts'
import type { Annotations, KmsService, Wrapped } from './service.ts'

const EncryptedObject = struct('EncryptedObject', {
  encryptedData: zero(1, bytes),
  keyID: zero(2, string),
  encryptedDEKSource: zero(3, bytes),
  annotations: zero(4, map(bytes)),
  encryptedDEKSourceType: zero(5, int32),
})

/** A seed for keys that are derived by HKDF: the one kind that is written. */
const seedType = 1
const seedLength = 32

/** How long a seed writes after the service was last seen well, and how often it is asked. */
const validFor = 180_000
const askEvery = 60_000
const askAgain = 10_000
const longestKeyId = 1024
const longestSource = 1024
const longestAnnotations = 32 * 1024
const domain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+$/
/** Seeds that are kept. */
const most = 1000

interface Current { readonly seed: Buffer; readonly wrapped: Wrapped; validUntil: number }

export interface EnvelopeOptions {
  readonly name: string
  readonly service: KmsService
  readonly clock: Clock
  readonly log: Logger
  readonly tally: Pick<EncryptionTally, 'used' | 'missed'>
  /** The service can be reached again. */
  onRecovered(): void
}

export interface Envelope {
  readonly provider: Provider
  /** Throws what is wrong with the service. */
  check(): Promise<void>
  stop(): void
}

/** Begins to ask the service how it is. */
export function createEnvelope({ name, service, clock, log, tally, onRecovered }: EnvelopeOptions): Envelope {
  let current: Current | undefined
  let failure: Error | undefined
  let asking: Promise<void> | undefined
  let timer: Timer | undefined
  let stopped = false
  const seeds = createSeeds(service, clock)

  const renew = async (): Promise<void> => {
    const status = await service.status()
    checkStatus(status)
    tally.used(name, status.keyId, 'status', clock.now())
    if (current?.wrapped.keyId !== status.keyId) {
      const seed = randomBytes(seedLength)
      const wrapped = await service.encrypt(randomUUID(), seed)
      checkWrapped(wrapped)
      // What could not be decrypted after the next start would be lost, and nobody would know before.
      if (!(await service.decrypt(randomUUID(), wrapped)).equals(seed)) throw new Error('the key management service does not give back what it encrypted')
      if (current) log.info({ provider: name }, 'the key of the key management service has changed; what is written from now on is encrypted with the new one')
      current = { seed, wrapped, validUntil: 0 }
      seeds.keep(wrapped, seed)
    }
    current.validUntil = clock.now() + validFor
  }
  const ask = (): Promise<void> => {
    asking ??= renew().then(() => {
      // It is well, and what it refused while it was not may be asked for again.
      const recovered = failure !== undefined || seeds.anyRefused()
      failure = undefined
      if (recovered) {
        seeds.forgive()
        onRecovered()
      }
    }, (error: Error) => {
      if (!failure) log.error({ provider: name, error: error.message }, 'the key management service is not well')
      failure = error
    }).finally(() => {
      asking = undefined
      timer?.cancel()
      if (!stopped) timer = clock.after(failure ? askAgain : askEvery, () => void ask())
    })
    return asking
  }
  const writing = async (): Promise<Current> => {
    if (!current) await ask()
    if (!current) throw failure ?? new Error('the key management service has not answered yet')
    if (current.validUntil < clock.now()) throw new Error(`the key management service was last seen well too long ago: ${failure?.message ?? 'it has not answered'}`)
    return current
  }
  const seal = ({ seed, wrapped }: Current, value: Uint8Array, context: string): Uint8Array => {
    tally.used(name, wrapped.keyId, 'to_storage', clock.now())
    return encodeMessage(EncryptedObject, {
      encryptedData: sealGcm(seed, value, context).toString('base64'),
      keyID: wrapped.keyId,
      encryptedDEKSource: wrapped.ciphertext.toString('base64'),
      annotations: wrapped.annotations,
      encryptedDEKSourceType: seedType,
    })
  }
  void ask()
  return {
    provider: {
      prefix: Buffer.from(`k8s:enc:kms:v2:${name}:`),
      encrypt: (value, context) => (current && current.validUntil >= clock.now() ? seal(current, value, context) : writing().then((now) => seal(now, value, context))),
      decrypt(payload, context) {
        const { data, wrapped } = parse(payload)
        tally.used(name, wrapped.keyId, 'from_storage', clock.now())
        const open = (seed: Buffer): Plain => ({ value: openGcm(seed, data, context), stale: current !== undefined && wrapped.keyId !== current.wrapped.keyId })
        const seed = seeds.find(wrapped)
        if (seed instanceof Promise) tally.missed()
        return seed instanceof Promise ? seed.then((fetched) => proven(fetched, open, () => seeds.drop(wrapped))) : open(seed)
      },
    },
    async check() {
      if (failure || !current) await ask()
      if (failure) throw failure
    },
    stop() {
      stopped = true
      timer?.cancel()
      service.close()
    },
  }
}

/** Opens a value by a seed that was never used: one that opens nothing is not kept. */
function proven(seed: Buffer, open: (seed: Buffer) => Plain, drop: () => void): Plain {
  try {
    return open(seed)
  } catch (error) {
    drop()
    throw error
  }
}

function checkStatus({ version, healthz, keyId }: { readonly version: string; readonly healthz: string; readonly keyId: string }): void {
  if (healthz !== 'ok') throw new Error(`the key management service says of itself: ${healthz}`)
  if (version !== 'v2') throw new Error(`expected version v2 of the key management service, got ${JSON.stringify(version)}`)
  checkKeyId(keyId)
}

function checkKeyId(keyId: string): void {
  if (keyId === '') throw new Error('the key management service names no key_id')
  if (Buffer.byteLength(keyId) > longestKeyId) throw new Error(`the key_id is longer than ${longestKeyId} bytes`)
}

function checkWrapped({ ciphertext, keyId, annotations }: Wrapped): void {
  checkKeyId(keyId)
  if (ciphertext.length === 0 || ciphertext.length > longestSource) throw new Error(`the key management service made ${ciphertext.length} bytes of a seed; 1 to ${longestSource} are allowed`)
  const odd = Object.keys(annotations).find((key) => !domain.test(key))
  if (odd !== undefined) throw new Error(`the annotations of the key management service are named by domains, and ${JSON.stringify(odd)} is none`)
  if (JSON.stringify(annotations).length > longestAnnotations) throw new Error(`the annotations of the key management service are larger than ${longestAnnotations} bytes`)
}

function parse(payload: Uint8Array): { readonly data: Buffer; readonly wrapped: Wrapped } {
  const { encryptedData = '', keyID = '', encryptedDEKSource = '', annotations = {}, encryptedDEKSourceType = 0 } = decodeMessage(EncryptedObject, payload)
  if (encryptedDEKSourceType !== seedType) throw new Error(`values of type ${encryptedDEKSourceType} are not supported`)
  const wrapped = { ciphertext: Buffer.from(encryptedDEKSource, 'base64'), keyId: keyID, annotations }
  checkWrapped(wrapped)
  return { data: Buffer.from(encryptedData, 'base64'), wrapped }
}

/**
 * Decrypted seeds, the last used kept; one call of the service for each, however many ask at once. One that could not be had is not asked for
 * again for a while: thousands of values may need it, and a service that hangs would be waited for by each of them.
 */
function createSeeds(service: KmsService, clock: Clock) {
  const refused = new Map<string, { readonly error: Error; readonly until: number }>()
  const known = new Map<string, Buffer>()
  const coming = new Map<string, Promise<Buffer>>()
  const keep = (key: string, seed: Buffer): void => {
    known.delete(key)
    known.set(key, seed)
    if (known.size > most) known.delete(known.keys().next().value!)
  }
  const fetch = async (key: string, wrapped: Wrapped): Promise<Buffer> => {
    const seed = await service.decrypt(randomUUID(), wrapped).catch((error: Error) => {
      refused.set(key, { error, until: clock.now() + askAgain })
      throw error
    })
    refused.delete(key)
    if (seed.length !== seedLength) throw new Error(`the key management service made a seed of ${seed.length} bytes; there must be ${seedLength}`)
    keep(key, seed)
    return seed
  }
  return {
    keep: (wrapped: Wrapped, seed: Buffer) => keep(keyOf(wrapped), seed),
    drop: (wrapped: Wrapped) => void known.delete(keyOf(wrapped)),
    anyRefused: () => refused.size > 0,
    forgive: () => refused.clear(),
    find(wrapped: Wrapped): Buffer | Promise<Buffer> {
      const key = keyOf(wrapped)
      const seed = known.get(key)
      if (seed) {
        keep(key, seed)
        return seed
      }
      const refusal = refused.get(key)
      if (refusal && refusal.until > clock.now()) throw refusal.error
      let wait = coming.get(key)
      if (!wait) coming.set(key, (wait = fetch(key, wrapped).finally(() => coming.delete(key))))
      return wait
    },
  }
}

function keyOf({ ciphertext, keyId, annotations }: Wrapped): string {
  return createHash('sha256').update(ciphertext).update('\0').update(keyId).update('\0').update(sorted(annotations)).digest('base64')
}

const sorted = (annotations: Annotations): string => JSON.stringify(Object.entries(annotations).toSorted(([a], [b]) => (a < b ? -1 : 1)))
