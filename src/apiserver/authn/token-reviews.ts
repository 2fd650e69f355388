/** TokenRequest makes tokens, TokenReview checks them, SelfSubjectReview says who one is. Computed, never stored. */
import { authentication, core, type StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { badRequest, conflict, forbidden, invalid, notFound } from '../../machinery/errors.ts'
import { path, type FieldError } from '../../machinery/field.ts'
import { rfc3339 } from '../../machinery/time.ts'
import { isNetworkAccount, nodeNameOf } from '../authz/node.ts'
import type { Identity } from '../identity.ts'
import type { ServerEnvironment, VirtualCall, VirtualResource } from '../options.ts'
import type { CheckAudiences } from './node-audiences.ts'
import { remarksOfError, type Remarks } from './remarks.ts'
import type { CheckToken } from './token-authentication.ts'
import type { TokenBinding, Tokens } from './tokens.ts'

const defaultSeconds = 3600
const leastSeconds = 600
const mostSeconds = 2 ** 32

type Create = VirtualResource['create']
const virtual = (type: unknown, create: (body: never, call: VirtualCall) => unknown): VirtualResource => ({
  type: type as StructType<ApiObject>,
  apiVersion: authentication.tokenreviews.apiVersion,
  create: create as Create,
})

/** `kubectl auth whoami`. */
export const selfSubjectReview: VirtualResource = virtual(authentication.SelfSubjectReview, (body: authentication.SelfSubjectReview, call) => ({ ...body, status: { userInfo: userInfo(call.user) } }))

const userInfo = ({ name, uid, groups, extra }: Identity) => ({ username: name, ...(uid ? { uid } : {}), groups, ...(extra && Object.keys(extra).length > 0 ? { extra } : {}) })

/** `tokenreviews`: a token that does not hold is an answer, not an error. */
export function tokenReview(check: CheckToken, audiences: readonly string[]): VirtualResource {
  return virtual(authentication.TokenReview, async (body: authentication.TokenReview, call) => {
    const tell = ({ annotations, warnings = [] }: Remarks) => {
      for (const [key, value] of Object.entries(annotations)) call.annotate(key, value)
      for (const text of warnings) call.warn(text)
    }
    if (!body.spec.token) throw badRequest('token is required for TokenReview in authentication')
    const wanted = body.spec.audiences?.length ? body.spec.audiences : audiences
    try {
      const result = await check(body.spec.token, wanted)
      if (!result) return { ...body, status: { authenticated: false, user: {}, error: 'invalid bearer token' } }
      if (result.remarks) tell(result.remarks)
      const user = { ...result.identity, groups: [...result.identity.groups, 'system:authenticated'] }
      return { ...body, status: { authenticated: true, user: userInfo(user), audiences: result.audiences } }
    } catch (error) {
      const remarks = remarksOfError(error)
      if (remarks) tell(remarks)
      return { ...body, status: { authenticated: false, user: {}, error: `[invalid bearer token, ${error instanceof Error ? error.message : String(error)}]` } }
    }
  })
}

/** `serviceaccounts/token`: a token of the account, bound to what the request names. */
export function tokenRequest(env: Pick<ServerEnvironment, 'lister'>, tokens: Tokens, checkAudiences: CheckAudiences): VirtualResource {
  const accounts = env.lister(core.serviceaccounts)
  const pods = env.lister(core.pods)
  const secrets = env.lister(core.secrets)
  const nodes = env.lister(core.nodes)

  function bind(account: core.ServiceAccount, reference: authentication.BoundObjectReference): Partial<TokenBinding> {
    const namespace = account.metadata.namespace ?? ''
    const name = reference.name ?? ''
    const id = `${reference.apiVersion ?? ''}/${reference.kind ?? ''}`
    const object = id === 'v1/Pod' ? pods.get(namespace, name) : id === 'v1/Secret' ? secrets.get(namespace, name) : id === 'v1/Node' ? nodes.get('', name) : undefined
    const resource = id === 'v1/Pod' ? core.pods : id === 'v1/Secret' ? core.secrets : id === 'v1/Node' ? core.nodes : undefined
    if (!resource) throw badRequest(`cannot bind token to object of type ${id}`)
    if (!object) throw notFound(resource, name)
    const uid = object.metadata.uid ?? ''
    if (reference.uid && reference.uid !== uid) {
      throw conflict(resource, name, `the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`)
    }
    const self = { name, uid }
    if (resource === core.secrets) return { secret: self }
    if (resource === core.nodes) return { node: self }
    const pod = object as core.Pod
    if (pod.spec.serviceAccountName !== account.metadata.name) throw badRequest(`cannot bind token for serviceaccount ${JSON.stringify(account.metadata.name)} to pod running with different serviceaccount name.`)
    const node = pod.spec.nodeName ? nodes.get('', pod.spec.nodeName) : undefined
    return { pod: self, ...(pod.spec.nodeName ? { node: { name: pod.spec.nodeName, uid: node?.metadata.uid ?? '' } } : {}) }
  }

  return virtual(authentication.TokenRequest, async (body: authentication.TokenRequest, call) => {
    const account = accounts.get(call.namespace, call.name)
    if (!account) throw notFound(core.serviceaccounts, call.name)
    checkPlace(body, call)
    checkSpec(body.spec)
    if (body.metadata.uid && body.metadata.uid !== account.metadata.uid) {
      throw conflict({ group: 'authentication.k8s.io', plural: 'TokenRequest' }, call.name, `the UID in the token request (${body.metadata.uid}) does not match the UID of the service account (${account.metadata.uid})`)
    }
    if (account.metadata.deletionTimestamp) throw forbidden(core.serviceaccounts, call.name, 'the service account is being deleted')
    const audiences = body.spec.audiences.length > 0 ? body.spec.audiences : tokens.audiences
    const seconds = shortened(body.spec.expirationSeconds ?? defaultSeconds, tokens.longest, call)
    checkNode(call.user, account, body.spec.boundObjectRef, (name) => pods.get(call.namespace, name))
    if (nodeNameOf(call.user) !== undefined) {
      const pod = body.spec.boundObjectRef?.kind === 'Pod' ? pods.get(call.namespace, body.spec.boundObjectRef.name ?? '') : undefined
      await checkAudiences({ user: call.user, namespace: call.namespace, account: call.name, pod, audiences: body.spec.audiences })
    }
    const bound = body.spec.boundObjectRef ? bind(account, body.spec.boundObjectRef) : {}
    const { name = '', uid = '', namespace = '' } = account.metadata
    const { token, expires, id } = await tokens.sign({ namespace, ...bound, serviceaccount: { name, uid } }, audiences, seconds, isMounted(tokens, body.spec, audiences) ? extendedSeconds : undefined)
    call.annotate('authentication.kubernetes.io/issued-credential-id', `JTI=${id}`)
    return {
      ...body,
      metadata: { ...body.metadata, name, namespace, creationTimestamp: rfc3339(call.now) },
      spec: { ...body.spec, audiences, expirationSeconds: seconds },
      status: { token, expirationTimestamp: rfc3339(expires) },
    }
  })
}

/** What admission mounts into pods asks for this many seconds, and nothing else does. */
const mountedSeconds = 3607
const extendedSeconds = 365 * 24 * 3600

/** Whether the token is one that admission mounts: for this server, bound to a pod. */
const isMounted = (tokens: Tokens, { expirationSeconds, boundObjectRef }: authentication.TokenRequestSpec, audiences: readonly string[]): boolean =>
  tokens.extend && expirationSeconds === mountedSeconds && boundObjectRef?.kind === 'Pod' && audiences.every((audience) => tokens.audiences.includes(audience))

function shortened(seconds: number, longest: number | undefined, call: VirtualCall): number {
  if (longest === undefined || seconds <= longest) return seconds
  call.warn(`requested expiration of ${seconds} seconds shortened to ${longest} seconds`)
  return longest
}

/** A node gets tokens only for pods that run on it, and that die with them; and for its network, one that dies with the node. */
function checkNode(user: Identity, account: core.ServiceAccount, reference: authentication.BoundObjectReference | undefined, podOf: (name: string) => core.Pod | undefined): void {
  const node = nodeNameOf(user)
  if (node === undefined) return
  const { namespace = '', name = '' } = account.metadata
  const refuse = (why: string) => forbidden({ group: '', plural: 'serviceaccounts' }, name, why)
  if (node === '') throw refuse(`could not determine node from user ${JSON.stringify(user.name)}`)
  if (reference?.kind === 'Node' && reference.name === node && isNetworkAccount({ namespace, name })) return
  if (reference?.apiVersion !== 'v1' || reference.kind !== 'Pod' || !reference.name) throw refuse('node requested token not bound to a pod')
  if (!reference.uid) throw refuse('node requested token with a pod binding without a uid')
  const pod = podOf(reference.name)
  if (!pod) throw notFound(core.pods, reference.name)
  if (pod.metadata.uid !== reference.uid) throw refuse(`the UID in the bound object reference (${reference.uid}) does not match the UID in record. The object might have been deleted and then recreated`)
  if (pod.spec.nodeName !== node) throw refuse('node requested token bound to a pod scheduled on a different node')
}

/** What the body says of its name and namespace must be those of the path. */
function checkPlace({ metadata }: authentication.TokenRequest, { name, namespace }: VirtualCall): void {
  const at = path('metadata')
  const errors: FieldError[] = []
  if (metadata.name && metadata.name !== name) errors.push(at.at('name').invalid(metadata.name, 'must match the service account name if specified'))
  if (metadata.namespace && metadata.namespace !== namespace) errors.push(at.at('namespace').invalid(metadata.namespace, 'must match the service account namespace if specified'))
  if (errors.length > 0) throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, name, errors)
}

function checkSpec(spec: authentication.TokenRequestSpec): void {
  const field = path('spec.expirationSeconds')
  const errors: FieldError[] = []
  const seconds = spec.expirationSeconds
  if (seconds !== undefined && seconds < leastSeconds) errors.push(field.invalid(seconds, 'may not specify a duration less than 10 minutes'))
  if (seconds !== undefined && seconds > mostSeconds) errors.push(field.invalid(seconds, 'may not specify a duration larger than 2^32 seconds'))
  if (errors.length > 0) throw invalid({ group: 'authentication.k8s.io', kind: 'TokenRequest' }, '', errors)
}
