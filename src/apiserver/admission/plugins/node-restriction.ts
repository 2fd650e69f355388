/** A node writes about itself and about the pods that are bound to it, and cannot give itself labels that draw other pods. */
import { core } from '../../../api/index.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { nodeNameOf } from '../../authz/node.ts'
import { referencesOf } from '../../authz/pod-references.ts'
import type { ServerEnvironment } from '../../options.ts'
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
  const checks: Readonly<Record<string, (a: AdmissionAttributes, node: string) => void>> = {
    pods: (a, node) => checkPod(a, node, pods.get(a.namespace, a.name)),
    nodes: checkNode,
    'leases.coordination.k8s.io': checkLease,
    'csinodes.storage.k8s.io': checkNamedLikeNode,
  }
  const check = (a: AdmissionAttributes): void => {
    const node = nodeNameOf(a.context.user)
    if (node !== undefined) checks[a.resource.groupResource]?.(a, node)
  }
  return {
    name: 'NodeRestriction',
    handles: (a) => a.operation !== 'CONNECT' && Object.hasOwn(checks, a.resource.groupResource) && nodeNameOf(a.context.user) !== undefined,
    validate: check,
  }
}

function checkPod(a: AdmissionAttributes, node: string, stored: core.Pod | undefined): void {
  if (a.operation === 'CREATE' && a.subresource === '') return checkMirrorPod(a, node)
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

function checkMirrorPod(a: AdmissionAttributes, node: string): void {
  const pod = podOf(a)
  if (!isMirrorPod(pod)) throw refused(a, `pod does not have "kubernetes.io/config.mirror" annotation, node ${JSON.stringify(node)} can only create mirror pods`)
  if (pod.spec.nodeName !== node) throw refused(a, `node ${JSON.stringify(node)} can only create pods with spec.nodeName set to itself`)
  const { secrets, configMaps, claims } = referencesOf(pod)
  if (pod.spec.serviceAccountName) throw refused(a, `node ${JSON.stringify(node)} can not create pods that reference a service account`)
  if (secrets.length > 0) throw refused(a, `node ${JSON.stringify(node)} can not create pods that reference secrets`)
  if (configMaps.length > 0) throw refused(a, `node ${JSON.stringify(node)} can not create pods that reference configmaps`)
  if (claims.length > 0) throw refused(a, `node ${JSON.stringify(node)} can not create pods that reference persistentvolumeclaims`)
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
