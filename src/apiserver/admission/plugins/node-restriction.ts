/** A node writes about itself and about the pods that are bound to it, and cannot give itself labels that draw other pods. */
import { core, type certificates } from '../../../api/index.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { loadX509 } from '../../../machinery/x509.ts'
import { nodeNameOf } from '../../authz/node.ts'
import { referencesOf } from '../../authz/pod-references.ts'
import type { Lister, ServerEnvironment } from '../../options.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { isMirrorPod, podOf, refused } from '../pods.ts'

/** Labels of Kubernetes's own domains that a node may give itself. */
const ownLabels = new Set([
  'kubernetes.io/hostname', 'kubernetes.io/arch', 'kubernetes.io/os', 'beta.kubernetes.io/arch', 'beta.kubernetes.io/os', 'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type', 'failure-domain.beta.kubernetes.io/zone', 'failure-domain.beta.kubernetes.io/region', 'failure-domain.kubernetes.io/zone',
  'failure-domain.kubernetes.io/region', 'topology.kubernetes.io/zone', 'topology.kubernetes.io/region',
])
const restrictedDomains = ['kubernetes.io', 'k8s.io']
const ownDomains = ['kubelet.kubernetes.io', 'node.kubernetes.io']

export function nodeRestriction(env: Pick<ServerEnvironment, 'lister'>): AdmissionPlugin {
  const pods = env.lister(core.pods)
  const nodes = env.lister(core.nodes)
  const checks: Readonly<Record<string, (a: AdmissionAttributes, node: string) => Promise<void> | void>> = {
    pods: (a, node) => checkPod(a, node, pods.get(a.namespace, a.name), nodes),
    nodes: checkNode,
    'leases.coordination.k8s.io': checkLease,
    'csinodes.storage.k8s.io': checkNamedLikeNode,
    'certificatesigningrequests.certificates.k8s.io': checkRequest,
    'resourceslices.resource.k8s.io': checkSlice,
  }
  const check = (a: AdmissionAttributes): Promise<void> | void => {
    const node = nodeNameOf(a.context.user)
    return node === undefined ? undefined : checks[a.resource.groupResource]?.(a, node)
  }
  return {
    name: 'NodeRestriction',
    handles: (a) => a.operation !== 'CONNECT' && Object.hasOwn(checks, a.resource.groupResource) && nodeNameOf(a.context.user) !== undefined,
    validate: check,
  }
}

function checkPod(a: AdmissionAttributes, node: string, stored: core.Pod | undefined, nodes: Lister<core.Node>): void {
  if (a.operation === 'CREATE' && a.subresource === '') return checkMirrorPod(a, node, nodes.get('', node))
  if (a.subresource !== '' && a.subresource !== 'status' && a.subresource !== 'eviction') throw refused(a, `unexpected pod subresource ${JSON.stringify(a.subresource)}, only 'status' and 'eviction' are allowed`)
  const pod = (a.old as unknown as core.Pod | undefined) ?? stored
  if (pod && pod.spec.nodeName !== node) {
    const what = a.operation === 'DELETE' ? 'delete pods' : a.subresource === 'eviction' ? 'evict pods' : 'update pod status for pods'
    throw refused(a, `node ${JSON.stringify(node)} can only ${what} with spec.nodeName set to itself`)
  }
  if (a.operation === 'UPDATE' && a.subresource === 'status' && pod && !deepEqual(pod.metadata.labels ?? {}, podOf(a).metadata.labels ?? {})) {
    throw refused(a, `node ${JSON.stringify(node)} cannot update labels through pod status`)
  }
}

function checkMirrorPod(a: AdmissionAttributes, node: string, self: core.Node | undefined): void {
  const pod = podOf(a)
  if (!isMirrorPod(pod)) throw refused(a, `pod does not have "kubernetes.io/config.mirror" annotation, node ${JSON.stringify(node)} can only create mirror pods`)
  if (pod.spec.nodeName !== node) throw refused(a, `node ${JSON.stringify(node)} can only create pods with spec.nodeName set to itself`)
  const { secrets, configMaps, claims } = referencesOf(pod)
  if (pod.spec.serviceAccountName) throw refused(a, `node ${JSON.stringify(node)} can not create pods that reference a service account`)
  if (secrets.length > 0) throw refused(a, `node ${JSON.stringify(node)} can not create pods that reference secrets`)
  if (configMaps.length > 0) throw refused(a, `node ${JSON.stringify(node)} can not create pods that reference configmaps`)
  if (claims.length > 0) throw refused(a, `node ${JSON.stringify(node)} can not create pods that reference persistentvolumeclaims`)
  if (pod.spec.resourceClaims?.length) throw refused(a, `node ${JSON.stringify(node)} can not create pods that reference resourceclaims`)
  checkOwner(a, node, pod, self)
}

/** A mirror pod goes with its node: it is owned by it, and by nothing else. */
function checkOwner(a: AdmissionAttributes, node: string, { metadata: { ownerReferences: [owner, ...more] = [] } }: core.Pod, self: core.Node | undefined): void {
  if (!owner) throw refused(a, `node ${JSON.stringify(node)} can only create pods with an owner reference set to itself`)
  if (more.length > 0) throw refused(a, `node ${JSON.stringify(node)} can only create pods with a single owner reference set to itself`)
  if (owner.apiVersion !== 'v1' || owner.kind !== 'Node' || owner.name !== node) throw refused(a, `node ${JSON.stringify(node)} can only create pods with an owner reference set to itself`)
  if (owner.controller !== true) throw refused(a, `node ${JSON.stringify(node)} can only create pods with a controller owner reference set to itself`)
  if (owner.blockOwnerDeletion === true) throw refused(a, `node ${JSON.stringify(node)} must not set blockOwnerDeletion on an owner reference`)
  if (!self || self.metadata.uid !== owner.uid) throw refused(a, `node ${JSON.stringify(node)} UID mismatch: expected ${self?.metadata.uid ?? ''} got ${owner.uid}`)
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

/** Undefined for what cannot be read, which the strategy's validation reports. */
async function commonNameOf(request: string): Promise<string | undefined> {
  const { Pkcs10CertificateRequest } = await loadX509()
  try {
    return new Pkcs10CertificateRequest(Buffer.from(request, 'base64').toString('utf8')).subjectName.getField('CN')[0]
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
  const name = a.name || (a.object?.metadata.name ?? '')
  if (name !== node) throw refused(a, `node ${JSON.stringify(node)} is not allowed to modify node ${JSON.stringify(name)}`)
  const next = a.object as unknown as core.Node | undefined
  const old = a.old as unknown as core.Node | undefined
  if (!next) return
  if (a.operation === 'CREATE') {
    if (next.spec.configSource) throw refused(a, `node ${JSON.stringify(node)} is not allowed to create pods with a non-nil configSource`)
  } else if (!deepEqual(next.spec.taints ?? [], old?.spec.taints ?? [])) {
    throw refused(a, `node ${JSON.stringify(node)} is not allowed to modify taints`)
  }
  const changed = changedLabels(next.metadata.labels ?? {}, old?.metadata.labels ?? {}).filter((label) => !mayLabel(label))
  if (changed.length > 0) throw refused(a, `is not allowed to ${a.operation === 'CREATE' ? 'set' : 'modify'} the following labels: ${changed.toSorted().join(', ')}`)
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
