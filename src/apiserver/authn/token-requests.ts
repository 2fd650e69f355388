/** TokenRequest, `serviceaccounts/token`: makes tokens of an account, bound to what the request names. Computed, never stored, and admitted like what is. */
import { authentication, core, type Resource, type StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { badRequest, conflict, forbidden, invalid, notFound } from '../../machinery/errors.ts'
import { path, type FieldError } from '../../machinery/field.ts'
import { rfc3339 } from '../../machinery/time.ts'
import type { AdmissionAttributes, AdmissionChain } from '../admission/admission.ts'
import { isNetworkAccount, nodeNameOf } from '../authz/node.ts'
import type { ServerEnvironment, VirtualCall, VirtualResource } from '../options.ts'
import type { CheckAudiences } from './node-audiences.ts'
import type { TokenBinding, Tokens } from './tokens.ts'

const defaultSeconds = 3600
const leastSeconds = 600
const mostSeconds = 2 ** 32

const type = authentication.TokenRequest as unknown as StructType<ApiObject>
const kind = { group: authentication.tokenreviews.group, kind: 'TokenRequest' }

export interface TokenRequestParts {
  readonly tokens: Tokens
  readonly checkAudiences: CheckAudiences
  /** Webhooks and policies have a say in who gets which tokens. */
  readonly admission: AdmissionChain
}

/** The subresource. A node's own restrictions come first, then admission, then the account and what the token is to be bound to. */
export function tokenRequest(env: Pick<ServerEnvironment, 'lister'>, { tokens, checkAudiences, admission }: TokenRequestParts): VirtualResource {
  const accounts = env.lister(core.serviceaccounts)
  const bind = createBinding(env)
  const checkNode = createNodeCheck(env, checkAudiences)

  async function create(sent: authentication.TokenRequest, call: VirtualCall): Promise<authentication.TokenRequest> {
    const asked: authentication.TokenRequest = { ...sent, spec: { ...sent.spec, expirationSeconds: sent.spec.expirationSeconds ?? defaultSeconds } }
    await checkNode(asked, call)
    const body = ((await admission.mutate(attributesOf(call, asked))) ?? asked) as authentication.TokenRequest
    checkPlace(body, call)
    const account = accounts.get(call.namespace, call.name)
    if (!account) throw notFound(core.serviceaccounts, call.name)
    const request = completed(body, account, tokens.audiences, call.now)
    checkSpec(request.spec)
    await admission.validate(attributesOf(call, request))
    const bound = request.spec.boundObjectRef ? bind(account, request.spec.boundObjectRef) : {}
    const { audiences } = request.spec
    const seconds = shortened(request.spec.expirationSeconds ?? defaultSeconds, tokens.longest, call)
    const { name = '', uid = '', namespace = '' } = account.metadata
    const extended = isMounted(tokens, seconds, bound, audiences) ? extendedSeconds : undefined
    const { token, expires, id } = await tokens.sign({ namespace, ...bound, serviceaccount: { name, uid } }, audiences, seconds, extended)
    call.annotate('authentication.kubernetes.io/issued-credential-id', `JTI=${id}`)
    return { ...request, spec: { ...request.spec, expirationSeconds: seconds }, status: { token, expirationTimestamp: rfc3339(expires) } }
  }
  return { type, apiVersion: authentication.tokenreviews.apiVersion, create: create as unknown as NonNullable<VirtualResource['create']> }
}

const attributesOf = (call: VirtualCall, object: authentication.TokenRequest): AdmissionAttributes => ({
  operation: 'CREATE',
  resource: core.serviceaccounts as unknown as Resource,
  type,
  subresource: 'token',
  namespace: call.namespace,
  name: call.name,
  object: object as unknown as ApiObject,
  old: undefined,
  options: { kind: 'CreateOptions', apiVersion: 'meta.k8s.io/v1', ...(call.dryRun ? { dryRun: ['All'] } : {}) },
  context: call,
})

/** The request with what it left open. Throws 409 when it is about another account of that name. */
function completed(body: authentication.TokenRequest, { metadata: { name, namespace, uid = '' } }: core.ServiceAccount, audiences: readonly string[], now: number): authentication.TokenRequest {
  const { metadata, spec } = body
  if (metadata.uid && metadata.uid !== uid) {
    throw conflict({ group: kind.group, plural: kind.kind }, name ?? '', `the UID in the token request (${metadata.uid}) does not match the UID of the service account (${uid})`)
  }
  return {
    ...body,
    metadata: { ...metadata, name, namespace, uid, creationTimestamp: rfc3339(now) },
    spec: { ...spec, audiences: spec.audiences.length > 0 ? spec.audiences : audiences },
    status: { token: '', expirationTimestamp: null } as unknown as authentication.TokenRequestStatus,
  }
}

/** What admission mounts into pods asks for this many seconds, and nothing else does. */
const mountedSeconds = 3607
const extendedSeconds = 365 * 24 * 3600

/** Whether the token is one that admission mounts: for this server, bound to a pod. */
const isMounted = (tokens: Tokens, seconds: number, bound: Partial<TokenBinding>, audiences: readonly string[]): boolean =>
  tokens.extend && seconds === mountedSeconds && bound.pod !== undefined && audiences.every((audience) => tokens.audiences.includes(audience))

function shortened(seconds: number, longest: number | undefined, call: VirtualCall): number {
  if (longest === undefined || seconds <= longest) return seconds
  call.warn(`requested expiration of ${seconds} seconds shortened to ${longest} seconds`)
  return longest
}

/** What the body says of its name and namespace must be those of the path. */
function checkPlace({ metadata }: authentication.TokenRequest, { name, namespace }: VirtualCall): void {
  const at = path('metadata')
  if (metadata.name && metadata.name !== name) throw invalid(kind, name, [at.at('name').invalid(metadata.name, 'must match the service account name if specified')])
  if (metadata.namespace && metadata.namespace !== namespace) throw invalid(kind, name, [at.at('namespace').invalid(metadata.namespace, 'must match the service account namespace if specified')])
}

function checkSpec({ expirationSeconds: seconds = 0 }: authentication.TokenRequestSpec): void {
  const field = path('spec.expirationSeconds')
  const errors: FieldError[] = []
  if (seconds < leastSeconds) errors.push(field.invalid(seconds, 'may not specify a duration less than 10 minutes'))
  if (seconds > mostSeconds) errors.push(field.invalid(seconds, 'may not specify a duration larger than 2^32 seconds'))
  if (errors.length > 0) throw invalid(kind, '', errors)
}

const changed = (uid: string): string => `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`

/** Group and version of an apiVersion; both empty for what is none. */
function groupVersionOf(apiVersion: string): { readonly group: string; readonly version: string } {
  const parts = apiVersion.split('/')
  if (parts.length > 2) return { group: '', version: '' }
  return parts.length === 2 ? { group: parts[0] as string, version: parts[1] as string } : { group: '', version: apiVersion }
}

/** Finds what a token is to be bound to. Throws 400 for what it cannot be bound to, 404, and 409 for another object of that name. */
function createBinding(env: Pick<ServerEnvironment, 'lister'>): (account: core.ServiceAccount, reference: authentication.BoundObjectReference) => Partial<TokenBinding> {
  const pods = env.lister(core.pods)
  const secrets = env.lister(core.secrets)
  const nodes = env.lister(core.nodes)

  function find<T extends { readonly metadata: { readonly uid?: string | undefined } }>(object: T | undefined, resource: Parameters<typeof notFound>[0], name: string): T {
    if (!object) throw notFound(resource, name)
    return object
  }
  const ofPod = (account: core.ServiceAccount, name: string) => {
    const pod = find(pods.get(account.metadata.namespace ?? '', name), core.pods, name)
    if (pod.spec.serviceAccountName !== account.metadata.name) throw badRequest(`cannot bind token for serviceaccount ${JSON.stringify(account.metadata.name)} to pod running with different serviceaccount name.`)
    const { nodeName } = pod.spec
    const node = nodeName ? { node: { name: nodeName, uid: nodes.get('', nodeName)?.metadata.uid ?? '' } } : {}
    return { uid: pod.metadata.uid ?? '', bound: (self: TokenBinding['serviceaccount']) => ({ pod: self, ...node }) }
  }
  const ofKind = (account: core.ServiceAccount, group: string, wanted: string, name: string) => {
    if (group !== '') return undefined
    if (wanted === 'Pod') return ofPod(account, name)
    if (wanted === 'Secret') return { uid: find(secrets.get(account.metadata.namespace ?? '', name), core.secrets, name).metadata.uid ?? '', bound: (self: TokenBinding['serviceaccount']) => ({ secret: self }) }
    if (wanted === 'Node') return { uid: find(nodes.get('', name), core.nodes, name).metadata.uid ?? '', bound: (self: TokenBinding['serviceaccount']) => ({ node: self }) }
    return undefined
  }
  return (account, { apiVersion = '', kind: wanted = '', name = '', uid }) => {
    const { group, version } = groupVersionOf(apiVersion)
    const found = ofKind(account, group, wanted, name)
    if (!found) throw badRequest(`cannot bind token to object of type ${group}/${version}, Kind=${wanted}`)
    if (uid && uid !== found.uid) throw conflict({ group, plural: wanted }, name, changed(uid))
    return found.bound({ name, uid: found.uid })
  }
}

/** A node gets tokens only for pods that run on it, and that die with them; and for its network, one that dies with the node. Throws 403, 404. */
function createNodeCheck(env: Pick<ServerEnvironment, 'lister'>, checkAudiences: CheckAudiences): (request: authentication.TokenRequest, call: VirtualCall) => Promise<void> {
  const pods = env.lister(core.pods)
  return async ({ spec: { audiences, boundObjectRef: reference } }, { user, namespace, name }) => {
    const node = nodeNameOf(user)
    if (node === undefined) return
    const refuse = (why: string) => forbidden({ group: '', plural: 'serviceaccounts' }, name, why)
    if (node === '') throw refuse(`could not determine node from user ${JSON.stringify(user.name)}`)
    if (reference?.kind === 'Node' && reference.name === node && isNetworkAccount({ namespace, name }) && audiences.length === 0) return
    if (reference?.apiVersion !== 'v1' || reference.kind !== 'Pod' || !reference.name) throw refuse('node requested token not bound to a pod')
    if (!reference.uid) throw refuse('node requested token with a pod binding without a uid')
    const pod = pods.get(namespace, reference.name)
    if (!pod) throw notFound(core.pods, reference.name)
    if (pod.metadata.uid !== reference.uid) throw refuse(changed(reference.uid))
    if (pod.spec.nodeName !== node) throw refuse('node requested token bound to a pod scheduled on a different node')
    await checkAudiences({ user, namespace, account: name, pod, audiences })
  }
}
