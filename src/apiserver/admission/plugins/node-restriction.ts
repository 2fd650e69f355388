/** A node writes about itself and about the pods that are bound to it, and cannot give itself labels that draw other pods. */
import { core, type certificates } from '../../../api/index.ts'
import { notFound } from '../../../machinery/errors.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { loadX509 } from '../../../machinery/x509.ts'
import { nodeNameOf } from '../../authz/node.ts'
import type { Lister, ServerEnvironment } from '../../options.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { apiReferenceOf } from '../api-references.ts'
import { isMirrorPod, podOf, refused } from '../pods.ts'

/** Labels of Kubernetes's own domains that a node may give itself. */
const ownLabels = new Set([
  'kubernetes.io/hostname', 'kubernetes.io/arch', 'kubernetes.io/os', 'beta.kubernetes.io/arch', 'beta.kubernetes.io/os', 'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type', 'failure-domain.beta.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/region', 'topology.kubernetes.io/zone', 'topology.kubernetes.io/region',
])
const restrictedDomains = ['kubernetes.io', 'k8s.io']
const ownDomains = ['kubelet.kubernetes.io', 'node.kubernetes.io']

type Check = (a: AdmissionAttributes, node: string) => Promise<void> | void

export function nodeRestriction(env: Pick<ServerEnvironment, 'lister'>): AdmissionPlugin {
  const pods = env.lister(core.pods)
  const nodes = env.lister(core.nodes)
  const checks: Readonly<Record<string, Check>> = {
    pods: (a, node) => checkPod(a, node, pods, nodes),
    nodes: checkNode,
    persistentvolumeclaims: checkClaim,
    'leases.coordination.k8s.io': checkLease,
    'csinodes.storage.k8s.io': checkNamedLikeNode,
    'certificatesigningrequests.certificates.k8s.io': checkRequest,
    'resourceslices.resource.k8s.io': checkSlice,
  }
  return {
    name: 'NodeRestriction',
    handles: (a) => a.operation !== 'CONNECT' && nodeNameOf(a.context.user) !== undefined,
    validate(a) {
      const node = nodeNameOf(a.context.user)
      if (node === undefined) return
      if (node === '') throw refused(a, `could not determine node from user ${JSON.stringify(a.context.user.name)}`)
      if (Object.hasOwn(checks, a.resource.groupResource)) return checks[a.resource.groupResource]?.(a, node)
    },
  }
}

/** By subresource: a node makes and deletes mirror pods, says how its pods are, and evicts them. */
function checkPod(a: AdmissionAttributes, node: string, pods: Lister<core.Pod>, nodes: Lister<core.Node>): void {
  const mustBeOwn = (whose: string, what: string): core.Pod => {
    const pod = (a.old as unknown as core.Pod | undefined) ?? pods.get(a.namespace, a.name)
    if (!pod) throw notFound(core.pods, a.name)
    if (pod.spec.nodeName !== node) throw refused(a, `node ${whose} can only ${what} with spec.nodeName set to itself`)
    return pod
  }
  const quoted = JSON.stringify(node)
  switch (a.subresource) {
    case '':
      if (a.operation === 'CREATE') return checkMirrorPod(a, node, nodes.get('', node))
      if (a.operation !== 'DELETE') throw refused(a, `unexpected operation "${a.operation}", node ${quoted} can only create and delete mirror pods`)
      return void mustBeOwn(quoted, 'delete pods')
    case 'status':
      if (a.operation !== 'UPDATE') throw refused(a, `unexpected operation "${a.operation}"`)
      return checkStatus(a, quoted, mustBeOwn(quoted, 'update pod status for pods'), podOf(a))
    case 'eviction':
      if (a.operation !== 'CREATE') throw refused(a, `unexpected operation ${a.operation}`)
      return void mustBeOwn(node, 'evict pods')
    default:
      throw refused(a, `unexpected pod subresource ${JSON.stringify(a.subresource)}, only 'status' and 'eviction' are allowed`)
  }
}

/** Labels draw services to a pod, and the claims in its status are what the node may read. */
function checkStatus(a: AdmissionAttributes, node: string, old: core.Pod, next: core.Pod): void {
  if (!deepEqual(old.metadata.labels ?? {}, next.metadata.labels ?? {})) throw refused(a, `node ${node} cannot update labels through pod status`)
  const claims = ({ status }: core.Pod) => (status?.resourceClaimStatuses ?? []).map(({ name, resourceClaimName }) => [name, resourceClaimName ?? null])
  if (!deepEqual(claims(old), claims(next))) throw refused(a, `node ${node} cannot update resource claim statues`)
  if (!deepEqual(old.status?.extendedResourceClaimStatus, next.status?.extendedResourceClaimStatus)) throw refused(a, `node ${node} cannot update extended resource claim status`)
}

function checkMirrorPod(a: AdmissionAttributes, node: string, self: core.Node | undefined): void {
  const pod = podOf(a)
  if (!isMirrorPod(pod)) throw refused(a, `pod does not have "kubernetes.io/config.mirror" annotation, node ${JSON.stringify(node)} can only create mirror pods`)
  if (pod.spec.nodeName !== node) throw refused(a, `node ${JSON.stringify(node)} can only create pods with spec.nodeName set to itself`)
  checkOwner(a, node, pod, self)
  const reference = apiReferenceOf(pod)
  if (reference !== undefined) throw refused(a, `node ${JSON.stringify(node)} can not create pods that reference ${reference}`)
}

/** A mirror pod goes with its node: it is owned by it, and by nothing else. */
function checkOwner(a: AdmissionAttributes, node: string, { metadata: { ownerReferences } }: core.Pod, self: core.Node | undefined): void {
  const [owner, ...more] = ownerReferences ?? []
  if (!owner) throw refused(a, `node ${JSON.stringify(node)} can only create pods with an owner reference set to itself`)
  if (more.length > 0) throw refused(a, `node ${JSON.stringify(node)} can only create pods with a single owner reference set to itself`)
  if (owner.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node) throw refused(a, `node ${JSON.stringify(node)} can only create pods with an owner reference set to itself`)
  if (owner.controller !== true) throw refused(a, `node ${JSON.stringify(node)} can only create pods with a controller owner reference set to itself`)
  if (owner.blockOwnerDeletion === true) throw refused(a, `node ${JSON.stringify(node)} must not set blockOwnerDeletion on an owner reference`)
  if (!self) throw notFound(core.nodes, node)
  if (self.metadata.uid !== owner.uid) throw refused(a, `node ${node} UID mismatch: expected ${owner.uid} got ${self.metadata.uid ?? ''}`)
}

/** Of claims a node says how far their growing is, and nothing else: neither labels nor finalizers nor whose they are. */
function checkClaim(a: AdmissionAttributes, node: string): void {
  if (a.subresource !== 'status') throw refused(a, 'may only update PVC status')
  if (a.operation !== 'UPDATE') throw refused(a, `unexpected operation "${a.operation}"`)
  if (!deepEqual(rest(a.object), rest(a.old))) throw refused(a, `node ${JSON.stringify(node)} is not allowed to update fields other than status.quantity and status.conditions`)
}

/** A claim without what its node may say of it. */
function rest(object: AdmissionAttributes['object']): object {
  const { metadata, status, ...other } = (object ?? { metadata: {} }) as unknown as core.PersistentVolumeClaim
  const { resourceVersion: _revision, managedFields: _fields, ...kept } = metadata
  const { capacity: _capacity, conditions: _conditions, allocatedResources: _resources, allocatedResourceStatuses: _statuses, ...said } = status ?? {}
  return { ...other, metadata: kept, status: said }
}

const nodeSigners = new Set(['kubernetes.io/kube-apiserver-client-kubelet', 'kubernetes.io/kubelet-serving'])

/** A node asks for certificates of its own name. */
async function checkRequest(a: AdmissionAttributes, node: string): Promise<void> {
  if (a.operation !== 'CREATE' || a.subresource !== '') return
  const { spec } = a.object as unknown as certificates.CertificateSigningRequest
  if (!nodeSigners.has(spec.signerName)) return
  const name = await commonNameOf(spec.request)
  if (name !== `system:node:${node}`) throw refused(a, `can only create a node CSR with CN=system:node:${node}`)
}

/** The last one, which is the one that counts. Undefined for what cannot be read, which the strategy's validation reports. */
async function commonNameOf(request: string): Promise<string | undefined> {
  const { Pkcs10CertificateRequest } = await loadX509()
  try {
    return new Pkcs10CertificateRequest(Buffer.from(request, 'base64').toString('utf8')).subjectName.getField('CN').at(-1)
  } catch {
    return undefined
  }
}

/** A node tells of the devices that it has itself. */
function checkSlice(a: AdmissionAttributes, node: string): void {
  for (const slice of [a.object, a.old] as unknown as readonly ({ readonly spec?: { readonly nodeName?: string } } | undefined)[]) {
    if (slice && slice.spec?.nodeName !== node) throw refused(a, `can only ${a.operation.toLowerCase()} ResourceSlice with the same NodeName as the requesting node`)
  }
}

function checkNode(a: AdmissionAttributes, node: string): void {
  const quoted = JSON.stringify(node)
  const name = a.name || (a.object?.metadata.name ?? '')
  if (name !== node) throw refused(a, `node ${quoted} is not allowed to modify node ${JSON.stringify(name)}`)
  const next = a.object as unknown as core.Node | undefined
  const old = a.old as unknown as core.Node | undefined
  if (!next) return
  const source = next.spec.configSource
  const changed = changedLabels(next.metadata.labels ?? {}, old?.metadata.labels ?? {}).filter((label) => !mayLabel(label)).toSorted().join(', ')
  if (a.operation === 'CREATE') {
    if (source) throw refused(a, `node ${quoted} is not allowed to create pods with a non-nil configSource`)
    if (changed) throw refused(a, `node ${quoted} is not allowed to set the following labels: ${changed}`)
    return
  }
  if (source && !deepEqual(source, old?.spec.configSource)) throw refused(a, `node ${quoted} is not allowed to update configSource to a new non-nil configSource`)
  if (!deepEqual(next.spec.taints ?? [], old?.spec.taints ?? [])) throw refused(a, `node ${quoted} is not allowed to modify taints`)
  // With an owner that is gone the garbage collector deletes the node, which could then register itself without its taints.
  if (!deepEqual(next.metadata.ownerReferences ?? [], old?.metadata.ownerReferences ?? [])) throw refused(a, `node ${quoted} is not allowed to modify ownerReferences`)
  if (changed) throw refused(a, `is not allowed to modify labels: ${changed}`)
}

const changedLabels = (next: Readonly<Record<string, string>>, old: Readonly<Record<string, string>>): readonly string[] =>
  [...new Set([...Object.keys(next), ...Object.keys(old)])].filter((key) => next[key] !== old[key])

function mayLabel(label: string): boolean {
  const domain = label.includes('/') ? (label.split('/')[0] as string) : ''
  const within = (domains: readonly string[]) => domains.some((d) => domain === d || domain.endsWith(`.${d}`))
  return ownLabels.has(label) || !within(restrictedDomains) || within(ownDomains)
}

function checkLease(a: AdmissionAttributes, node: string): void {
  if (a.namespace !== 'kube-node-lease') throw refused(a, 'can only access leases in the "kube-node-lease" system namespace')
  const name = a.name || (a.object?.metadata.name ?? '')
  if (name !== node) throw refused(a, `can only access node lease with the same name as the requesting node`)
}

function checkNamedLikeNode(a: AdmissionAttributes, node: string): void {
  const name = a.name || (a.object?.metadata.name ?? '')
  if (name !== node) throw refused(a, `can only access CSINode with the same name as the requesting node`)
}
