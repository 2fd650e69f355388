import { bytes, fill, int32, list, map, mapList, oneOf, opt, req, root, string, struct, time, wrappedList, zero, type Of } from '../schema.ts'
import { groupVersion } from '../resource.ts'
import { ObjectMeta } from '../meta/meta.ts'

export const KeyUsage = oneOf('signing', 'digital signature', 'content commitment', 'key encipherment', 'key agreement', 'data encipherment', 'cert sign', 'crl sign', 'encipher only', 'decipher only', 'any', 'server auth', 'client auth', 'code signing', 'email protection', 's/mime', 'ipsec end system', 'ipsec tunnel', 'ipsec user', 'timestamping', 'ocsp signing', 'microsoft sgc', 'netscape sgc')
export type KeyUsage = Of<typeof KeyUsage>

export const CertificateSigningRequestSpec = struct('CertificateSigningRequestSpec', {
  request: req(1, bytes, 'The request, PEM in base64.'),
  signerName: req(7, string, 'Who is asked to sign.'),
  expirationSeconds: opt(8, int32, 'How long the certificate should be good.'),
  usages: zero(5, list(KeyUsage), 'What the key will be used for.'),
  username: zero(2, string, 'Who asks; set by the server.'),
  uid: zero(3, string, 'UID of who asks; set by the server.'),
  groups: zero(4, list(string), 'Groups of who asks; set by the server.'),
  extra: zero(6, map(wrappedList(string)), 'More about who asks; set by the server.'),
}, 'What is asked for. It cannot be changed.')
export interface CertificateSigningRequestSpec extends Of<typeof CertificateSigningRequestSpec> {}

export const CertificateSigningRequestCondition = struct('CertificateSigningRequestCondition', {
  type: req(1, string, 'What the statement is about.'),
  status: req(6, string, 'True, False or Unknown.'),
  reason: zero(2, string, 'Why, in one word.'),
  message: zero(3, string, 'Why, for people.'),
  lastUpdateTime: fill(4, time, 'When it was last said.'),
  lastTransitionTime: fill(5, time, 'When the status last changed.'),
}, 'One statement about the state of the object.')
export interface CertificateSigningRequestCondition extends Of<typeof CertificateSigningRequestCondition> {}

export const CertificateSigningRequestStatus = struct('CertificateSigningRequestStatus', {
  conditions: zero(1, mapList(CertificateSigningRequestCondition, ['type']), 'Approved, Denied or Failed.'),
  certificate: zero(2, bytes, 'The certificate, once it is signed.'),
}, 'How a request stands.')
export interface CertificateSigningRequestStatus extends Of<typeof CertificateSigningRequestStatus> {}

export const CertificateSigningRequest = root('CertificateSigningRequest', {
  metadata: fill(1, ObjectMeta, 'Name, labels and the like.'),
  spec: req(2, CertificateSigningRequestSpec, 'What is asked for.'),
  status: fill(3, CertificateSigningRequestStatus, 'Whether it was approved, and the certificate.'),
}, 'A request for a certificate.')
export interface CertificateSigningRequest extends Of<typeof CertificateSigningRequest> {}

const gv = groupVersion('certificates.k8s.io', 'v1')

export const certificatesigningrequests = gv.resource(CertificateSigningRequest, { plural: 'certificatesigningrequests', short: ['csr'], subresources: ['status', 'approval'] })
