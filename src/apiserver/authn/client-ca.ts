/** Which authorities a client's certificate comes from: the TLS layer knows only that it was one of those it was given. */
import { X509Certificate } from 'node:crypto'

/** Whether the certificate was made by one of these authorities, directly or by others in between that the client sent. */
export type ComesFrom = (leaf: X509Certificate) => boolean

/** More than enough for a chain that somebody means. */
const longest = 10

/** The certificates of a PEM text. Throws for one that cannot be read. */
export const certificatesIn = (pem: string): readonly X509Certificate[] => (pem.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g) ?? []).map((text) => new X509Certificate(text))

/** `pem` holds one certificate or several. Throws when it holds none. */
export function authoritiesOf(pem: string): ComesFrom {
  const authorities = certificatesIn(pem)
  if (authorities.length === 0) throw new Error('it contains no certificate')
  return (leaf) => {
    let one: X509Certificate | undefined = leaf
    for (let i = 0; one && i < longest; i++) {
      const current: X509Certificate = one
      const fingerprint256: string = current.fingerprint256
      if (authorities.some((ca) => (current.checkIssued(ca) && current.verify(ca.publicKey)) || ca.fingerprint256 === fingerprint256)) return true
      const issuer: X509Certificate | undefined = current.issuerCertificate
      one = issuer?.fingerprint256 === fingerprint256 ? undefined : issuer
    }
    return false
  }
}
