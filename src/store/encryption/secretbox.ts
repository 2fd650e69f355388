/**
 * The provider `secretbox`: XSalsa20 and Poly1305, as NaCl has it. Node's own cryptography does not know XSalsa20, so it is here, by
 * the papers of its author (cr.yp.to/snuffle, "Extending the Salsa20 nonce", "The Poly1305-AES message-authentication code").
 */
import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { Provider } from './provider.ts'

const nonceLength = 24
const tagLength = 16
/** "expand 32-byte k" */
const constants: readonly [number, number, number, number] = [0x61707865, 0x3320646e, 0x79622d32, 0x6b206574]

const rotl = (x: number, by: number): number => (x << by) | (x >>> (32 - by))

/** The four steps of a quarter of a round. */
function quarter(x: Uint32Array, a: number, b: number, c: number, d: number): void {
  x[b]! ^= rotl((x[a]! + x[d]!) | 0, 7)
  x[c]! ^= rotl((x[b]! + x[a]!) | 0, 9)
  x[d]! ^= rotl((x[c]! + x[b]!) | 0, 13)
  x[a]! ^= rotl((x[d]! + x[c]!) | 0, 18)
}

/** The twenty rounds, in place. */
function rounds(x: Uint32Array): void {
  for (let i = 0; i < 10; i++) {
    quarter(x, 0, 4, 8, 12)
    quarter(x, 5, 9, 13, 1)
    quarter(x, 10, 14, 2, 6)
    quarter(x, 15, 3, 7, 11)
    quarter(x, 0, 1, 2, 3)
    quarter(x, 5, 6, 7, 4)
    quarter(x, 10, 11, 8, 9)
    quarter(x, 15, 12, 13, 14)
  }
}

/** Key (8 words) and input (4 words) where Salsa20 has them. */
function stateOf(key: DataView, input: readonly number[]): Uint32Array {
  const k = (i: number) => key.getUint32(4 * i, true)
  return Uint32Array.of(
    constants[0], k(0), k(1), k(2), k(3), constants[1], input[0]!, input[1]!, input[2]!, input[3]!, constants[2], k(4), k(5), k(6), k(7), constants[3],
  )
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The key for the second half of a long nonce. */
function hsalsa20(key: Uint8Array, nonce: Uint8Array): Uint8Array {
  const n = viewOf(nonce)
  const x = stateOf(viewOf(key), [0, 1, 2, 3].map((i) => n.getUint32(4 * i, true)))
  rounds(x)
  const out = new Uint8Array(32)
  const view = viewOf(out)
  for (const [at, i] of [0, 5, 10, 15, 6, 7, 8, 9].entries()) view.setUint32(4 * at, x[i]!, true)
  return out
}

/** The bytes that hide the value, the first 32 of which are Poly1305's key. */
function keystream(key: Uint8Array, nonce: Uint8Array, length: number): Uint8Array {
  const inner = viewOf(hsalsa20(key, nonce))
  const n = viewOf(nonce)
  const out = new Uint8Array(Math.ceil(length / 64) * 64)
  const view = viewOf(out)
  for (let block = 0; block * 64 < length; block++) {
    const start = stateOf(inner, [n.getUint32(16, true), n.getUint32(20, true), block, 0])
    const x = start.slice()
    rounds(x)
    for (let i = 0; i < 16; i++) view.setUint32(block * 64 + 4 * i, (x[i]! + start[i]!) | 0, true)
  }
  return out.subarray(0, length)
}

const prime = (1n << 130n) - 5n
const clamp = 0x0ffffffc0ffffffc0ffffffc0fffffffn

/** A little-endian number. */
function numberOf(bytes: Uint8Array): bigint {
  let result = 0n
  for (let i = bytes.length - 1; i >= 0; i--) result = (result << 8n) | BigInt(bytes[i]!)
  return result
}

/** The tag of a message under a key of 32 bytes that is used once. */
export function poly1305(key: Uint8Array, message: Uint8Array): Buffer {
  const r = numberOf(key.subarray(0, 16)) & clamp
  let sum = 0n
  for (let at = 0; at < message.length; at += 16) {
    const piece = message.subarray(at, at + 16)
    sum = ((sum + numberOf(piece) + (1n << BigInt(8 * piece.length))) * r) % prime
  }
  let tag = (sum + numberOf(key.subarray(16, 32))) & ((1n << 128n) - 1n)
  const out = Buffer.alloc(tagLength)
  for (let i = 0; i < tagLength; i++, tag >>= 8n) out[i] = Number(tag & 0xffn)
  return out
}

/** NaCl's `crypto_secretbox`: tag and ciphertext. */
export function seal(key: Uint8Array, nonce: Uint8Array, value: Uint8Array): Buffer {
  const stream = keystream(key, nonce, value.length + 32)
  const hidden = Buffer.alloc(value.length)
  for (let i = 0; i < value.length; i++) hidden[i] = value[i]! ^ stream[32 + i]!
  return Buffer.concat([poly1305(stream.subarray(0, 32), hidden), hidden])
}

/** Undoes `seal`. Throws when the tag is not right. */
export function open(key: Uint8Array, nonce: Uint8Array, sealed: Uint8Array): Buffer {
  if (sealed.length < tagLength) throw new Error('the stored data is shorter than what encryption adds')
  const hidden = sealed.subarray(tagLength)
  const stream = keystream(key, nonce, hidden.length + 32)
  if (!timingSafeEqual(poly1305(stream.subarray(0, 32), hidden), sealed.subarray(0, tagLength))) throw new Error('message authentication failed')
  const value = Buffer.alloc(hidden.length)
  for (let i = 0; i < hidden.length; i++) value[i] = hidden[i]! ^ stream[32 + i]!
  return value
}

/** The provider with one key of 32 bytes. Nonces of 192 bits may be random for ever. */
export const secretbox = (name: string, key: Uint8Array): Provider => ({
  prefix: Buffer.from(`k8s:enc:secretbox:v1:${name}:`),
  encrypt(value) {
    const nonce = randomBytes(nonceLength)
    return Buffer.concat([nonce, seal(key, nonce, value)])
  },
  decrypt: (payload) => ({ value: open(key, payload.subarray(0, nonceLength), payload.subarray(nonceLength)), stale: false }),
})
