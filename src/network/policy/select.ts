/** Which pods a NetworkPolicy refers to. */
import type { core, networking } from '../../api/index.ts'
import { fromLabelSelector, type LabelSelector } from '../../machinery/labels.ts'

export type PodFilter = (pod: core.Pod) => boolean
/** The labels of a namespace; undefined if it does not exist. */
export type NamespaceLabels = (name: string) => Readonly<Record<string, string>> | undefined

/** Whether a pod is in the pod network: without host network, and not terminated. */
export const isOnPodNetwork: PodFilter = (pod) => !pod.spec.hostNetwork && pod.status.phase !== 'Succeeded' && pod.status.phase !== 'Failed'

/** The pods that the policy selects. */
export function selectedBy(policy: networking.NetworkPolicy): PodFilter {
  const selector = fromLabelSelector(policy.spec.podSelector)
  return (pod) => pod.metadata.namespace === policy.metadata.namespace && isOnPodNetwork(pod) && selector.matches(pod.metadata.labels)
}

/** The pods of one peer of a rule; undefined for an ipBlock. */
export function pickedBy(peer: networking.NetworkPolicyPeer, namespace: string, labelsOf: NamespaceLabels): PodFilter | undefined {
  if (peer.ipBlock) return undefined
  const pods: LabelSelector | undefined = peer.podSelector && fromLabelSelector(peer.podSelector)
  const namespaces: LabelSelector | undefined = peer.namespaceSelector && fromLabelSelector(peer.namespaceSelector)
  const inside = (name: string) => {
    if (!namespaces) return name === namespace
    const labels = labelsOf(name)
    return labels !== undefined && namespaces.matches(labels)
  }
  return (pod) => isOnPodNetwork(pod) && inside(pod.metadata.namespace ?? '') && (!pods || pods.matches(pod.metadata.labels))
}

/** The directions in which the policy isolates its pods. Left out: Ingress always, Egress when there are egress rules. */
export function directionsOf(policy: networking.NetworkPolicy): readonly ('Ingress' | 'Egress')[] {
  const { policyTypes = [], egress = [] } = policy.spec
  if (policyTypes.length > 0) return policyTypes
  return egress.length > 0 ? ['Ingress', 'Egress'] : ['Ingress']
}
