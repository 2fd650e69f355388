/** The signers of Kubernetes: what each of them is willing to sign. */
import type { Asked, Request } from './request.ts'

type Rule = (asked: Asked, usages: ReadonlySet<string>) => string | undefined

const same = (usages: ReadonlySet<string>, wanted: readonly string[]): boolean => usages.size === wanted.length && wanted.every((usage) => usages.has(usage))

/** Key encipherment is for RSA keys; keys of elliptic curves do without. */
const exactly = (usages: ReadonlySet<string>, purpose: string): boolean =>
  same(usages, ['digital signature', purpose]) || same(usages, ['digital signature', 'key encipherment', purpose])

function isNode({ commonName, organizations }: Asked): string | undefined {
  if (organizations.length !== 1 || organizations[0] !== 'system:nodes') return 'subject organization is not system:nodes'
  return commonName.startsWith('system:node:') ? undefined : 'subject common name does not begin with system:node: '
}

/** A client of the API server: a person or a program. */
const client: Rule = (_, usages) => {
  const allowed = ['digital signature', 'key encipherment', 'client auth']
  return usages.has('client auth') && [...usages].every((usage) => allowed.includes(usage)) ? undefined : `usages did not match ${allowed.join(', ')}`
}

const nodeClient: Rule = (asked, usages) => {
  if (asked.dnsNames.length + asked.ipAddresses.length + asked.otherNames.length > 0) return 'subject alternative names are not allowed'
  return isNode(asked) ?? (exactly(usages, 'client auth') ? undefined : 'usages did not match [key encipherment, digital signature, client auth]')
}

const nodeServing: Rule = (asked, usages) => {
  if (asked.dnsNames.length + asked.ipAddresses.length === 0) return 'DNS or IP subject alternative names are required'
  if (asked.otherNames.length > 0) return 'email and URI subject alternative names are not allowed'
  return isNode(asked) ?? (exactly(usages, 'server auth') ? undefined : 'usages did not match [key encipherment, digital signature, server auth]')
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
