/** Certificate signing requests. */
import type { certificates } from '../../../api/index.ts'
import { path } from '../../../machinery/field.ts'
import { dns1123Subdomain } from '../../../machinery/names.ts'
import { shortAge } from '../../../machinery/time.ts'
import type { RequestContext, Strategy } from '../../strategy.ts'
import { distinct, follows, forEach, ifThere, unchanged, type Check } from '../checks.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'

type Request = certificates.CertificateSigningRequest

/** Who asks is who is logged in, whatever the request says. */
function withRequestor(request: Request, { user }: RequestContext): Request {
  const { request: body, signerName, expirationSeconds, usages } = request.spec
  return {
    ...request,
    spec: {
      request: body,
      signerName,
      ...(expirationSeconds !== undefined && { expirationSeconds }),
      ...(usages && { usages }),
      username: user.name,
      ...(user.uid && { uid: user.uid }),
      groups: user.groups,
      ...(user.extra && Object.keys(user.extra).length > 0 && { extra: user.extra }),
    },
  }
}

const usages = [
  'any', 'cert sign', 'client auth', 'code signing', 'content commitment', 'crl sign', 'data encipherment', 'decipher only', 'digital signature', 'email protection',
  'encipher only', 'ipsec end system', 'ipsec tunnel', 'ipsec user', 'key agreement', 'key encipherment', 'microsoft sgc', 'netscape sgc', 'ocsp signing', 's/mime',
  'server auth', 'signing', 'timestamping',
]
const pem = /^-----BEGIN CERTIFICATE REQUEST-----\r?\n[A-Za-z0-9+/=\s]+-----END CERTIFICATE REQUEST-----/m

function* validate({ spec }: Request): Check {
  const at = path('spec')
  if (!pem.test(Buffer.from(spec.request, 'base64').toString('latin1'))) yield at.at('request').invalid(spec.request, 'PEM block type must be CERTIFICATE REQUEST')
  if (!spec.usages?.length) yield at.at('usages').required()
  yield* forEach(at.at('usages'), spec.usages, (usage, place) => ifThere(place, usage, usages))
  yield* distinct(at.at('usages'), spec.usages, (usage) => usage)
  yield* signerName(spec.signerName)
  if (spec.expirationSeconds !== undefined && spec.expirationSeconds < 600) {
    yield at.at('expirationSeconds').invalid(spec.expirationSeconds, 'may not specify a duration less than 600 seconds (10 minutes)')
  }
}

function* signerName(name: string): Check {
  const at = path('spec').at('signerName')
  if (!name) return yield at.required()
  const [domain = '', ...rest] = name.split('/')
  if (rest.length !== 1 || !domain.includes('.')) {
    return yield at.invalid(name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")
  }
  yield* follows(at, domain, dns1123Subdomain)
  yield* follows(at, rest[0] ?? '', dns1123Subdomain)
}

const decides = ({ type }: certificates.CertificateSigningRequestCondition): boolean => type === 'Approved' || type === 'Denied'

/** Whether a request is approved is said through its approval subresource; a status writer changes nothing of it. */
function withDecision(next: Request, current: Request): Request {
  const conditions = [...(current.status.conditions ?? []).filter(decides), ...(next.status.conditions ?? []).filter((c) => !decides(c))]
  return { ...next, spec: current.spec, status: { ...next.status, ...(conditions.length > 0 ? { conditions } : { conditions: undefined }) } }
}

function condition({ status }: Request): string {
  const types = (status.conditions ?? []).map((c) => c.type)
  const words = [types.includes('Denied') ? 'Denied' : types.includes('Approved') ? 'Approved' : 'Pending']
  if (types.includes('Failed')) words.push('Failed')
  if (status.certificate) words.push('Issued')
  return words.join(',')
}

export const certificatesigningrequests: Strategy<Request> = {
  counted: false,
  validateName: () => [],
  prepareForCreate: withRequestor,
  prepareForUpdate: (next, current) => ({ ...next, spec: current.spec }),
  prepareForStatusUpdate: withDecision,
  validate: (request) => [...validate(request)],
  validateStatusUpdate: (next, current) => (current.status.certificate ? [...unchanged(path('status').at('certificate'), next.status.certificate, current.status.certificate)] : []),
  selectableFields: (request) => ({ 'spec.signerName': request.spec.signerName }),
  printer: printer<Request>(
    nameColumn,
    ageColumn,
    text('SignerName', 'Who is asked to sign.', (o) => o.spec.signerName),
    text('Requestor', 'Who asks.', (o) => o.spec.username ?? ''),
    text('RequestedDuration', 'How long the certificate should be good.', (o) => (o.spec.expirationSeconds === undefined ? '<none>' : shortAge(o.spec.expirationSeconds * 1000))),
    text('Condition', 'How it stands.', condition),
  ),
}
