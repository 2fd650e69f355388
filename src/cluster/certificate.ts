/**
 * Writes certificates (X.509 v3, RFC 5280) with new P-256 keys. A cluster's own certificates have two simple forms, and writing
 * them here takes a millisecond, which the first boot and every test server wait for; requests of others are read by the library (`machinery/x509.ts`).
 */
import { createHash, createPrivateKey, generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto'
import { derTags, derWithin, writeDer } from '../machinery/der.ts'
import { parseIp } from '../machinery/ip-text.ts'

/** PEM: a certificate and its key (PKCS#8). */
export interface KeyPair { readonly cert: string; readonly key: string }

export interface CertificateOptions {
  /** Who it speaks for. */
  readonly name: string
  readonly groups?: readonly string[]
  /** Who signs; self-signed when left out. */
  readonly authority?: KeyPair
  /** Whether it may sign others, or authenticate a client. */
  readonly for: 'signing' | 'client'
  /** Names and addresses that a server with it may have, too. */
  readonly serves?: readonly string[]
  readonly notBefore: Date
  readonly notAfter: Date
}

const dnsName = 0x82
const ipAddress = 0x87

const sequence = (...parts: readonly Uint8Array[]): Buffer => writeDer(derTags.sequence, ...parts)
const text = (value: string): Buffer => writeDer(derTags.utf8, Buffer.from(value))
const truth = writeDer(derTags.boolean, Buffer.from([0xff]))

/** An object identifier from its dotted form. */
function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number)
  const bytes = rest.flatMap((part) => {
    const digits = [part & 0x7f]
    for (let left = part >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80)
    return digits
  })
  return writeDer(derTags.oid, Buffer.from([first * 40 + second, ...bytes]))
}

const ecdsaWithSha256 = sequence(oid('1.2.840.10045.4.3.2'))
const attributes = { CN: oid('2.5.4.3'), O: oid('2.5.4.10') } as const
const extensionIds = {
  subjectKey: oid('2.5.29.14'), keyUsage: oid('2.5.29.15'), alternativeName: oid('2.5.29.17'), basicConstraints: oid('2.5.29.19'),
  authorityKey: oid('2.5.29.35'), extendedUsage: oid('2.5.29.37'),
} as const
const clientAuth = oid('1.3.6.1.5.5.7.3.2')
const serverAuth = oid('1.3.6.1.5.5.7.3.1')
/** Bits from the left, after the number of those unused: digitalSignature with keyCertSign and cRLSign; with keyEncipherment. */
const signingUsage = writeDer(derTags.bits, Buffer.from([1, 0x86]))
const leafUsage = writeDer(derTags.bits, Buffer.from([5, 0xa0]))

/** SHA-1 of the public key's bits (RFC 5280, 4.2.1.2, method 1), of a SubjectPublicKeyInfo. */
function keyIdentifier(publicKey: Buffer): Buffer {
  const [, bits] = derWithin(publicKey)
  return createHash('sha1').update(bits!.content.subarray(1)).digest()
}

/** Subject and public key of a certificate, in DER. */
function partsOf(pem: string): { readonly subject: Buffer; readonly publicKey: Buffer } {
  const [signed] = derWithin(new X509Certificate(pem).raw)
  const [, , , , , subject, publicKey] = derWithin(signed!.whole)
  return { subject: subject!.whole, publicKey: publicKey!.whole }
}

const nameOf = (parts: readonly (readonly [keyof typeof attributes, string])[]): Buffer =>
  sequence(...parts.map(([type, value]) => writeDer(derTags.set, sequence(attributes[type], text(value)))))

/** To the second; two digits of the year until 2049, four after that. */
function timeOf(date: Date): Buffer {
  const digits = `${date.toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`
  return date.getUTCFullYear() < 2050 ? writeDer(derTags.utcTime, Buffer.from(digits.slice(2))) : writeDer(derTags.time, Buffer.from(digits))
}

function hostOf(host: string): Buffer {
  const ip = parseIp(host)
  if (typeof ip === 'object') return writeDer(ipAddress, Buffer.from(ip.value.toString(16).padStart(ip.family === 4 ? 8 : 32, '0'), 'hex'))
  if (ip !== 'invalid') throw new Error(`no certificate can be for the address ${host}`)
  return writeDer(dnsName, Buffer.from(host, 'ascii'))
}

const extension = (id: Buffer, value: Buffer, critical = false): Buffer => sequence(id, ...(critical ? [truth] : []), writeDer(derTags.octets, value))

function extensionsOf({ for: purpose, serves = [] }: CertificateOptions, publicKey: Buffer, authorityKey: Buffer): Buffer {
  if (purpose === 'signing') {
    return sequence(
      extension(extensionIds.basicConstraints, sequence(truth), true),
      extension(extensionIds.keyUsage, signingUsage, true),
      extension(extensionIds.subjectKey, writeDer(derTags.octets, keyIdentifier(publicKey))),
    )
  }
  const hosts = [...new Set(serves)].map(hostOf)
  return sequence(
    extension(extensionIds.basicConstraints, sequence(), true),
    extension(extensionIds.keyUsage, leafUsage, true),
    extension(extensionIds.extendedUsage, sequence(clientAuth, ...(hosts.length > 0 ? [serverAuth] : []))),
    extension(extensionIds.authorityKey, sequence(writeDer(0x80, keyIdentifier(authorityKey)))),
    ...(hosts.length > 0 ? [extension(extensionIds.alternativeName, sequence(...hosts))] : []),
  )
}

const pemOf = (bytes: Buffer): string => `-----BEGIN CERTIFICATE-----\n${(bytes.toString('base64').match(/.{1,64}/g) ?? []).join('\n')}\n-----END CERTIFICATE-----\n`

/** A new P-256 key (PKCS#8 PEM). */
export const newKey = (): string => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string

/** A new key and its certificate, signed with ECDSA over SHA-256. Throws when the authority's key is of another kind. */
export function makeCertificate(options: CertificateOptions): KeyPair {
  const { authority, name, groups = [], notBefore, notAfter } = options
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const publicKey = keys.publicKey.export({ type: 'spki', format: 'der' })
  const subject = nameOf([...groups.map((group) => ['O', group] as const), ['CN', name]])
  const issuer = authority ? partsOf(authority.cert) : { subject, publicKey }
  const signer = authority ? createPrivateKey(authority.key) : keys.privateKey
  if (signer.asymmetricKeyType !== 'ec') throw new Error(`an authority's key must be one of an elliptic curve, not ${signer.asymmetricKeyType}`)
  // Positive, and not zero.
  const serial = randomBytes(9)
  serial[0] = 1
  const signed = sequence(
    writeDer(0xa0, writeDer(derTags.integer, Buffer.from([2]))),
    writeDer(derTags.integer, serial),
    ecdsaWithSha256,
    issuer.subject,
    sequence(timeOf(notBefore), timeOf(notAfter)),
    subject,
    publicKey,
    writeDer(0xa3, extensionsOf(options, publicKey, issuer.publicKey)),
  )
  const signature = writeDer(derTags.bits, Buffer.from([0]), sign('sha256', signed, signer))
  return { cert: pemOf(sequence(signed, ecdsaWithSha256, signature)), key: keys.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string }
}
