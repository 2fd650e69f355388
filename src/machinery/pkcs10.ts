/** Certificate requests (PKCS #10) and certificates in PEM, as far as they are looked at before anybody signs: whether they are what they say they are. */
import { constants, createPublicKey, verify, X509Certificate, type KeyObject } from 'node:crypto'
import { derTags, readDer, type DerValue } from './der.ts'

interface PemBlock { readonly type: string; readonly headers: boolean; readonly der: Buffer }

const block = /-----BEGIN ([A-Z0-9 ]+)-----\r?\n([\s\S]*?)-----END \1-----/g

/** The blocks of a PEM text; what stands around them does not count, nor do blocks that cannot be read. */
function* pemBlocks(text: string): Generator<PemBlock> {
  for (const [, type = '', body = ''] of text.matchAll(block)) {
    const lines = body.split(/\r?\n/)
    const headers = lines.some((line) => line.includes(':'))
    const base64 = lines.filter((line) => !line.includes(':')).join('').replaceAll(/\s/g, '')
    if (/^[A-Za-z0-9+/]*={0,2}$/.test(base64) && base64.length % 4 === 0) yield { type, headers, der: Buffer.from(base64, 'base64') }
  }
}

/** The first value, which must be of this kind. */
function expect(der: Buffer, tag: number): DerValue {
  const found = readDer(der)
  if (found.tag !== tag) throw new Error('asn1: structure error: tags don\'t match')
  return found
}

/** The hash that goes with an algorithm, by the content of its identifier in hexadecimal; null where it has none of its own. */
const hashes: Readonly<Record<string, string | null>> = {
  '2a864886f70d010105': 'sha1', '2a864886f70d01010b': 'sha256', '2a864886f70d01010c': 'sha384', '2a864886f70d01010d': 'sha512',
  '2a8648ce3d0401': 'sha1', '2a8648ce3d040302': 'sha256', '2a8648ce3d040303': 'sha384', '2a8648ce3d040304': 'sha512',
  '2b6570': null,
}
/** RSASSA-PSS: its hash is in its parameters. */
const pss = '2a864886f70d01010a'
const pssHashes: Readonly<Record<string, string>> = { '608648016503040201': 'sha256', '608648016503040202': 'sha384', '608648016503040203': 'sha512' }

/** Throws an `Error` of one line for what is no certificate request in PEM, or is not signed by the key that it names. */
export function checkCertificateRequest(text: string): void {
  const [found] = pemBlocks(text)
  if (found?.type !== 'CERTIFICATE REQUEST') throw new Error('PEM block type must be CERTIFICATE REQUEST')
  const whole = expect(found.der, derTags.sequence)
  if (whole.rest.length > 0) throw new Error('asn1: syntax error: trailing data')
  const info = expect(whole.content, derTags.sequence)
  const algorithm = expect(info.rest, derTags.sequence)
  const signature = expect(algorithm.rest, derTags.bits)
  const key = publicKeyOf(info.content)
  const named = expect(algorithm.content, derTags.oid)
  const oid = named.content.toString('hex')
  const hash = oid === pss ? pssHash(named.rest) : hashes[oid]
  if (hash === undefined) throw new Error('x509: cannot verify signature: algorithm unimplemented')
  const padded = oid === pss ? { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_AUTO } : key
  if (!verify(hash, info.whole, padded, signature.content.subarray(1))) {
    throw new Error(key.asymmetricKeyType === 'rsa' ? 'crypto/rsa: verification error' : key.asymmetricKeyType === 'ec' ? 'x509: ECDSA verification failure' : 'x509: Ed25519 verification failure')
  }
}

function publicKeyOf(info: Buffer): KeyObject {
  const version = readDer(info)
  const subject = expect(version.rest, derTags.sequence)
  const { whole } = expect(subject.rest, derTags.sequence)
  try {
    return createPublicKey({ key: whole, format: 'der', type: 'spki' })
  } catch {
    throw new Error('x509: unsupported public key')
  }
}

function pssHash(parameters: Buffer): string | undefined {
  const text = parameters.toString('hex')
  return Object.entries(pssHashes).find(([oid]) => text.includes(oid))?.[1]
}

/** Throws an `Error` of one line for what is not certificates in PEM, and nothing else. */
export function checkCertificates(text: string): void {
  let found = 0
  for (const { type, headers, der } of pemBlocks(text)) {
    if (type !== 'CERTIFICATE') throw new Error(`only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`)
    if (headers) throw new Error('no PEM block headers are permitted')
    if (der.length === 0) throw new Error('found CERTIFICATE PEM block containing 0 certificates')
    try {
      void new X509Certificate(der)
    } catch {
      throw new Error('x509: malformed certificate')
    }
    found++
  }
  if (found === 0) throw new Error('must contain at least one CERTIFICATE PEM block')
}
