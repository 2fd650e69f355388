/** What a certificate signing request asks for, read from its PKCS#10 form. */
import type { certificates } from '../../api/index.ts'
import { loadX509 } from '../../machinery/x509.ts'

export type Request = certificates.CertificateSigningRequest

export interface Asked {
  readonly commonName: string
  readonly organizations: readonly string[]
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
  /** E-mail addresses, URIs and the like. */
  readonly otherNames: readonly string[]
}

/** The PKCS #10 request in PEM. */
export const pemOf = (request: Request): string => Buffer.from(request.spec.request, 'base64').toString('utf8')

/** Parses the request. Throws when it is no PKCS#10 request, or not signed by its own key. */
export async function readRequest(request: Request): Promise<Asked> {
  const x509 = await loadX509()
  const csr = new x509.Pkcs10CertificateRequest(pemOf(request))
  if (!(await csr.verify())) throw new Error('the request is not signed by the key it asks for')
  const names = csr.extensions.find((extension) => extension instanceof x509.SubjectAlternativeNameExtension)?.names.items ?? []
  const of = (...types: readonly string[]) => names.filter((name) => types.includes(name.type)).map((name) => name.value)
  return {
    commonName: csr.subjectName.getField('CN')[0] ?? '',
    organizations: csr.subjectName.getField('O'),
    dnsNames: of('dns'),
    ipAddresses: of('ip'),
    otherNames: names.filter((name) => name.type !== 'dns' && name.type !== 'ip').map((name) => name.value),
  }
}

/** Whether the request has a condition of the type. */
export const hasCondition = (request: Request, type: string): boolean => request.status.conditions?.some((c) => c.type === type) ?? false
