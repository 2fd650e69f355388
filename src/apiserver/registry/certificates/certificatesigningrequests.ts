/** Certificate signing requests. */
import type { certificates } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import { checkCertificateRequest, checkCertificates } from '../../../machinery/pkcs10.ts'
import { dns1123Label, dns1123Subdomain, pathSegmentName, type NameRule } from '../../../machinery/names.ts'
import { shortAge } from '../../../machinery/time.ts'
import type { RequestContext, Strategy } from '../../strategy.ts'
import { distinct, forEach, ifThere } from '../checks.ts'
import { ageColumn, nameColumn, printer, text } from '../printing.ts'
import { conditionErrors, decisionErrors, timed, withDecisions } from './approval.ts'

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

/** What `check` has against the PEM in a field of bytes. */
function faultOf(check: (pem: string) => void, base64: string): string | undefined {
  try {
    check(Buffer.from(base64, 'base64').toString('latin1'))
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

function validate({ spec }: Request, root: Place): void {
  const at = root.at('spec')
  const wrong = faultOf(checkCertificateRequest, spec.request)
  if (wrong !== undefined) at.at('request').invalid(spec.request, wrong)
  if (!spec.usages?.length) at.at('usages').required()
  forEach(at.at('usages'), spec.usages, (usage, place) => ifThere(place, usage, usages))
  distinct(at.at('usages'), spec.usages, (usage) => usage)
  signerName(spec.signerName, root)
  if (spec.expirationSeconds !== undefined && spec.expirationSeconds < 600) {
    at.at('expirationSeconds').invalid(spec.expirationSeconds, 'may not specify a duration less than 600 seconds (10 minutes)')
  }
}

function signerName(name: string, root: Place): void {
  const at = root.at('spec').at('signerName')
  if (!name) return at.required('signerName must be provided')
  const [domain = '', own = '', ...rest] = name.split('/')
  if (!name.includes('/') || rest.length > 0) return at.invalid(name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")
  if (domain.length > longestDomain) at.tooLong(longestDomain)
  labels(at, domain, dns1123Label)
  if (!domain.includes('.')) at.invalid(domain, 'should be a domain with at least two segments separated by dots')
  labels(at, own, dns1123Subdomain)
  if (name.length > longestSigner) at.tooLong(longestSigner)
  if (name === 'kubernetes.io/legacy-unknown') at.invalid(name, 'the legacy signerName is not allowed via this API version')
}

/** Says of the first part that is wrong what is wrong with it. */
function labels(at: Place, text: string, rule: NameRule): void {
  const part = text.split('.').find((label) => rule(label).length > 0)
  if (part !== undefined) for (const why of rule(part)) at.invalid(text, `validating label ${JSON.stringify(part)}: ${why}`)
}

const longestDomain = 253
const longestSigner = 571

function statusErrors(next: Request, current: Request, root: Place): void {
  conditionErrors(next, root)
  decisionErrors(next, current, root, false)
  const { certificate } = next.status
  const before = current.status.certificate
  // What is there may stay as it is.
  const tolerated = before ? faultOf(checkCertificates, before) !== undefined : false
  const wrong = certificate && !tolerated ? faultOf(checkCertificates, certificate) : undefined
  if (wrong !== undefined) root.at('status').at('certificate').invalid('<certificate data>', wrong)
  if (before && certificate !== before) root.at('status').at('certificate').forbidden('updates may not modify existing certificate content')
}

/** Whether a request is approved is said through its approval subresource; a status writer changes nothing of it, and leaves nothing of it out. */
function withDecision(next: Request, current: Request, { now }: RequestContext): Request {
  const before = current.status.conditions ?? []
  const conditions = timed(withDecisions(next.status.conditions ?? [], before), before, now)
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
  validateName: pathSegmentName,
  prepareForCreate: withRequestor,
  prepareForUpdate: (next, current) => ({ ...next, spec: current.spec }),
  prepareForStatusUpdate: withDecision,
  validate,
  validateStatusUpdate: statusErrors,
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
