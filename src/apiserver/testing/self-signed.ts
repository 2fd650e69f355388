/** For tests: a key with a certificate that vouches for itself. */
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { X509CertificateGenerator, cryptoProvider } from '@peculiar/x509'

cryptoProvider.set(webcrypto as never)
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const pem = (label: string, der: ArrayBuffer) => `-----BEGIN ${label}-----\n${Buffer.from(der).toString('base64').replace(/.{64}/g, '$&\n')}\n-----END ${label}-----\n`

/** Valid for an hour, in PEM. */
export async function selfSigned(name: string): Promise<{ key: string; cert: string }> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const cert = await X509CertificateGenerator.createSelfSigned({ name: `CN=${name}`, keys: keys as never, signingAlgorithm: algorithm, notBefore: new Date(Date.now() - 1000), notAfter: new Date(Date.now() + 3_600_000) })
  return { key: pem('PRIVATE KEY', await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)), cert: cert.toString('pem') }
}
