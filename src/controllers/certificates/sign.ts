/** Makes certificates from requests. */
import { createPrivateKey, randomBytes, webcrypto, type KeyObject } from 'node:crypto'
import { loadX509 } from '../../machinery/x509.ts'
import { pemOf, readRequest, type Request } from './request.ts'

/** PEM of an authority's certificate and key. */
export interface Signer { readonly cert: string; readonly key: string }

const longestLife = 365 * 24 * 3_600_000
const shortestLife = 600_000
/** A little of the past is included, for clocks that go wrong. */
const backdate = 5 * 60_000
/** Certificates for less than this end as late as asked for; the others end earlier by what is included of the past. */
const short = 8 * 3_600_000

const curves: Readonly<Record<string, readonly [curve: string, hash: string]>> = { prime256v1: ['P-256', 'SHA-256'], secp384r1: ['P-384', 'SHA-384'], secp521r1: ['P-521', 'SHA-512'] }

function algorithmOf(key: KeyObject) {
  if (key.asymmetricKeyType === 'rsa') return { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' }
  const curve = curves[key.asymmetricKeyDetails?.namedCurve ?? '']
  if (!curve) throw new Error(`an authority cannot sign with a key of type ${key.asymmetricKeyType}`)
  return { name: 'ECDSA', namedCurve: curve[0], hash: curve[1] }
}

type Flags = Readonly<Record<string, number>>
const keyUsages: Flags = {
  signing: 1, 'digital signature': 1, 'content commitment': 2, 'key encipherment': 4, 'data encipherment': 8, 'key agreement': 16, 'cert sign': 32, 'crl sign': 64, 'encipher only': 128, 'decipher only': 256,
}
const purposes: Readonly<Record<string, string>> = {
  any: '2.5.29.37.0', 'server auth': '1.3.6.1.5.5.7.3.1', 'client auth': '1.3.6.1.5.5.7.3.2', 'code signing': '1.3.6.1.5.5.7.3.3', 'email protection': '1.3.6.1.5.5.7.3.4', 's/mime': '1.3.6.1.5.5.7.3.4',
  'ipsec end system': '1.3.6.1.5.5.7.3.5', 'ipsec tunnel': '1.3.6.1.5.5.7.3.6', 'ipsec user': '1.3.6.1.5.5.7.3.7', timestamping: '1.3.6.1.5.5.7.3.8', 'ocsp signing': '1.3.6.1.5.5.7.3.9',
  'microsoft sgc': '1.3.6.1.4.1.311.10.3.3', 'netscape sgc': '2.16.840.1.113730.4.1',
}

/** The PEM of a certificate for the request, good for as long as it asks: ten minutes to a year, never beyond the authority. Throws when that is over. */
export async function sign({ cert, key }: Signer, request: Request, now: number): Promise<string> {
  const x509 = await loadX509()
  const csr = new x509.Pkcs10CertificateRequest(pemOf(request))
  await readRequest(request)
  const authority = new x509.X509Certificate(cert)
  if (now >= authority.notAfter.getTime()) throw new Error(`refusing to sign a certificate that expired in the past: NotAfter=${authority.notAfter.toISOString()}`)
  const privateKey = createPrivateKey(key)
  const algorithm = algorithmOf(privateKey)
  const signingKey = await webcrypto.subtle.importKey('pkcs8', new Uint8Array(privateKey.export({ type: 'pkcs8', format: 'der' })), algorithm, false, ['sign'])
  const life = Math.min(longestLife, Math.max(shortestLife, (request.spec.expirationSeconds ?? longestLife / 1000) * 1000))
  const usages = request.spec.usages ?? []
  const flags = usages.reduce((all, usage) => all | (keyUsages[usage] ?? 0), 0)
  const extended = [...new Set(usages.flatMap((usage) => purposes[usage] ?? []))]
  const names = namesOf(csr.extensions.find((extension) => extension instanceof x509.SubjectAlternativeNameExtension)?.names.items ?? [])
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomBytes(16).toString('hex'),
    subject: csr.subjectName,
    issuer: authority.subjectName,
    publicKey: csr.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    notBefore: new Date(now - backdate),
    notAfter: new Date(Math.min(now + (life < short ? life : life - backdate), authority.notAfter.getTime())),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      ...(flags ? [new x509.KeyUsagesExtension(flags, true)] : []),
      ...(extended.length > 0 ? [new x509.ExtendedKeyUsageExtension(extended)] : []),
      await x509.AuthorityKeyIdentifierExtension.create(authority.publicKey),
      ...(names.length > 0 ? [new x509.SubjectAlternativeNameExtension(names)] : []),
    ],
  })
  return `${certificate.toString('pem')}\n`
}

/** The names that certificates carry over from requests. */
const namesOf = (names: readonly { readonly type: string; readonly value: string }[]) => names.flatMap(({ type, value }) => {
  const kind = (['dns', 'ip', 'email', 'url'] as const).find((known) => known === type)
  return kind ? [{ type: kind, value }] : []
})
