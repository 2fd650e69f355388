/** What a certificate signing request asks for, read from its PKCS#10 form. */
import type { certificates } from '../../api/index.ts'
import { loadX509 } from '../../machinery/x509.ts'

export type Request = certificates.CertificateSigningRequest

export interface Asked {
  readonly commonName: string
  readonly organizations: readonly string[]
  readonly dnsNames: readonly string[]
  readonly ipAddresses: readonly string[]
  readonly emailAddresses: readonly string[]
  /** URIs, and whatever else there is. */
  readonly otherNames: readonly string[]
}

/** The PKCS #10 request in PEM. */
export const pemOf = (request: Request): string => Buffer.from(request.spec.request, 'base64').toString('utf8')

/** Parses the request. Throws when it is no PKCS#10 request, is not signed by its own key, or has a subject that can be read in more than one way. */
export async function readRequest(request: Request): Promise<Asked> {
  const x509 = await loadX509()
  const csr = new x509.Pkcs10CertificateRequest(pemOf(request))
  if (!(await csr.verify())) throw new Error('the request is not signed by the key it asks for')
  // What cannot be read here could be read by others, as a name or a group that nobody has looked at.
  if (csr.subjectName.toJSON().some((attributes) => Object.values(attributes).flat().some((value) => value.startsWith('#')))) throw new Error('the subject has a value that is no text')
  const commonNames = csr.subjectName.getField('CN')
  if (commonNames.length > 1) throw new Error('the subject has more than one common name')
  const names = csr.extensions.find((extension) => extension instanceof x509.SubjectAlternativeNameExtension)?.names.items ?? []
  const of = (...types: readonly string[]) => names.filter((name) => types.includes(name.type)).map((name) => name.value)
  return {
    commonName: commonNames[0] ?? '',
    organizations: csr.subjectName.getField('O'),
    dnsNames: of('dns'),
    ipAddresses: of('ip'),
    emailAddresses: of('email'),
    otherNames: names.filter(({ type }) => !['dns', 'ip', 'email'].includes(type)).map((name) => name.value),
  }
}

/** Whether the request has a condition of the type. */
export const hasCondition = (request: Request, type: string): boolean => request.status.conditions?.some((c) => c.type === type) ?? false
