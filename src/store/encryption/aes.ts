/** AES, in Kubernetes's two modes: GCM, which also notices tampering, and CBC, for those whose configuration has it. */
import { createCipheriv, createDecipheriv, createHmac, randomBytes, type CipherGCMTypes } from 'node:crypto'
import type { Provider } from './provider.ts'

const saltLength = 32
const nonceLength = 12
const tagLength = 16

/**
 * A key for one value alone: HKDF-Expand with SHA-256 of the long-lived key, for a salt of 32 random bytes. GCM fails badly when a nonce
 * comes twice under one key, and random nonces of 96 bits are good for 2^32 writes at most. With a key of its own for each value that
 * limit never comes near: salts of 256 bits do not meet.
 */
function derived(key: Uint8Array, salt: Uint8Array): Buffer {
  return createHmac('sha256', key).update(salt).update(Buffer.of(1)).digest()
}

/** Salt, nonce, ciphertext and tag, of a value under a key derived for it. */
export function sealGcm(key: Uint8Array, value: Uint8Array, context: string): Buffer {
  const random = randomBytes(saltLength + nonceLength)
  const cipher = createCipheriv('aes-256-gcm', derived(key, random.subarray(0, saltLength)), random.subarray(saltLength))
  cipher.setAAD(Buffer.from(context))
  return Buffer.concat([random, cipher.update(value), cipher.final(), cipher.getAuthTag()])
}

/** Undoes `sealGcm`. Throws when the key is another one, the value was stored under another context, or bytes were changed. */
export function openGcm(key: Uint8Array, payload: Uint8Array, context: string): Buffer {
  const start = saltLength + nonceLength
  if (payload.length < start + tagLength) throw new Error('the stored data is shorter than what encryption adds')
  const cipher = createDecipheriv('aes-256-gcm', derived(key, payload.subarray(0, saltLength)), payload.subarray(saltLength, start), { authTagLength: tagLength })
  cipher.setAAD(Buffer.from(context))
  cipher.setAuthTag(payload.subarray(payload.length - tagLength))
  const value = cipher.update(payload.subarray(start, payload.length - tagLength))
  try {
    return Buffer.concat([value, cipher.final()])
  } catch (error) {
    throw new Error('cipher: message authentication failed', { cause: error })
  }
}

/** The cluster's own keys: the form of `aesgcm`, with a key for each value, which no number of writes wears out. */
export const ownGcm = (name: string, key: Uint8Array): Provider => ({
  prefix: gcmPrefix(name),
  encrypt: (value, context) => sealGcm(key, value, context),
  decrypt: (payload, context) => ({ value: openGcm(key, payload, context), stale: false }),
})

const gcmPrefix = (name: string): Buffer => Buffer.from(`k8s:enc:aesgcm:v1:${name}:`)

/**
 * The provider `aesgcm` with one key of 16, 24 or 32 bytes, as kube-apiserver writes it: nonce, ciphertext and tag under the key itself. What
 * older versions wrote in the form of the cluster's own keys is read, and written anew.
 */
export function aesgcm(name: string, key: Uint8Array): Provider {
  const algorithm = `aes-${key.length * 8}-gcm` as CipherGCMTypes
  const open = (payload: Uint8Array, context: string): Buffer => {
    if (payload.length < nonceLength + tagLength) throw new Error('the stored data is shorter than what encryption adds')
    const cipher = createDecipheriv(algorithm, key, payload.subarray(0, nonceLength), { authTagLength: tagLength })
    cipher.setAAD(Buffer.from(context))
    cipher.setAuthTag(payload.subarray(payload.length - tagLength))
    const value = cipher.update(payload.subarray(nonceLength, payload.length - tagLength))
    return Buffer.concat([value, cipher.final()])
  }
  return {
    prefix: gcmPrefix(name),
    encrypt(value, context) {
      const nonce = randomBytes(nonceLength)
      const cipher = createCipheriv(algorithm, key, nonce)
      cipher.setAAD(Buffer.from(context))
      return Buffer.concat([nonce, cipher.update(value), cipher.final(), cipher.getAuthTag()])
    },
    decrypt(payload, context) {
      try {
        return { value: open(payload, context), stale: false }
      } catch (error) {
        // Only a value of the older form is longer than what that form adds; of any other the first failure is the one to be told.
        if (payload.length < saltLength + nonceLength + tagLength) throw new Error('cipher: message authentication failed', { cause: error })
        return { value: openGcm(key, payload, context), stale: true }
      }
    },
  }
}

const blockLength = 16

/** The provider `aescbc` with one key of 16, 24 or 32 bytes. It hides values and does not notice when they are tampered with. */
export function aescbc(name: string, key: Uint8Array): Provider {
  const algorithm = `aes-${key.length * 8}-cbc`
  return {
    prefix: Buffer.from(`k8s:enc:aescbc:v1:${name}:`),
    encrypt(value) {
      const start = randomBytes(blockLength)
      const cipher = createCipheriv(algorithm, key, start)
      return Buffer.concat([start, cipher.update(value), cipher.final()])
    },
    decrypt(payload) {
      if (payload.length < 2 * blockLength || payload.length % blockLength !== 0) throw new Error('the stored data is not a whole number of blocks')
      const cipher = createDecipheriv(algorithm, key, payload.subarray(0, blockLength))
      try {
        return { value: Buffer.concat([cipher.update(payload.subarray(blockLength)), cipher.final()]), stale: false }
      } catch (error) {
        throw new Error('invalid padding on input: the key is another one', { cause: error })
      }
    },
  }
}
