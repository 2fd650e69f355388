/** The signers of Kubernetes: what each of them is willing to sign. */
import type { Asked, Request } from './request.ts'

type Rule = (asked: Asked, usages: ReadonlySet<string>) => string | undefined

const same = (usages: ReadonlySet<string>, wanted: readonly string[]): boolean => usages.size === wanted.length && wanted.every((usage) => usages.has(usage))

/** Key encipherment is for RSA keys; keys of elliptic curves do without. */
const exactly = (usages: ReadonlySet<string>, purpose: string): boolean =>
  same(usages, ['digital signature', purpose]) || same(usages, ['digital signature', 'key encipherment', purpose])

const ofNodes = ({ organizations }: Asked): boolean => organizations.length === 1 && organizations[0] === 'system:nodes'
const named = ({ commonName }: Asked): boolean => commonName.startsWith('system:node:')
const notOfNodes = 'subject organization is not system:nodes'
const notNamed = 'subject common name does not begin with system:node:'

/** A client of the API server: a person or a program. */
const client: Rule = (_, usages) => {
  const odd = [...usages].find((usage) => !['digital signature', 'key encipherment', 'client auth'].includes(usage))
  if (odd !== undefined) return `invalid usage for client certificate: ${odd}`
  return usages.has('client auth') ? undefined : 'missing required usage for client certificate: client auth'
}

const nodeClient: Rule = (asked, usages) => {
  if (!ofNodes(asked)) return notOfNodes
  if (asked.dnsNames.length > 0) return 'DNS subjectAltNames are not allowed'
  if (asked.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed'
  if (asked.ipAddresses.length > 0) return 'IP subjectAltNames are not allowed'
  if (asked.otherNames.length > 0) return 'URI subjectAltNames are not allowed'
  if (!named(asked)) return notNamed
  return exactly(usages, 'client auth') ? undefined : 'usages did not match [client auth digital signature key encipherment]'
}

const nodeServing: Rule = (asked, usages) => {
  if (!ofNodes(asked)) return notOfNodes
  if (asked.dnsNames.length + asked.ipAddresses.length === 0) return 'DNS or IP subjectAltName is required'
  if (asked.emailAddresses.length > 0) return 'Email subjectAltNames are not allowed'
  if (asked.otherNames.length > 0) return 'URI subjectAltNames are not allowed'
  if (!exactly(usages, 'server auth')) return 'usages did not match [digital signature key encipherment server auth]'
  return named(asked) ? undefined : notNamed
}

const rules: Readonly<Record<string, Rule>> = {
  'kubernetes.io/kube-apiserver-client': client,
  'kubernetes.io/kube-apiserver-client-kubelet': nodeClient,
  'kubernetes.io/kubelet-serving': nodeServing,
  'kubernetes.io/legacy-unknown': () => undefined,
}

export const nodeClientSigner = 'kubernetes.io/kube-apiserver-client-kubelet'
export const nodeServingSigner = 'kubernetes.io/kubelet-serving'
/** Whether the signer is one of Kubernetes's, which this controller signs for. */
export const isOurs = (request: Request): boolean => Object.hasOwn(rules, request.spec.signerName)

/** Why the signer will not sign this; undefined when it will. */
export const refusal = (request: Request, asked: Asked): string | undefined => rules[request.spec.signerName]?.(asked, new Set(request.spec.usages))
