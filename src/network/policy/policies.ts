/** Keeps the rules of NetworkPolicies in step with policies, pods and namespaces. */
import { core, networking } from '../../api/index.ts'
import { keyOf, type Informer, type Informers } from '../../client/informer.ts'
import type { Tables } from '../nft/tables.ts'
import { planPod, planPolicy, planPolicyBase, type PolicyView } from './rules.ts'
import { pickedBy, selectedBy } from './select.ts'

export interface Policies { synced(): Promise<void>; stop(): void }

/** The parts of a pod that policies depend on. */
const aspects = (pod: core.Pod) => JSON.stringify([
  pod.metadata.labels, pod.spec.nodeName, pod.status.phase, pod.status.podIP, pod.status.podIPs, pod.spec.containers.map((c) => c.ports),
])

/** Whether a change of the pod can change the policy's rules: as a selected pod, a peer, or the owner of a named port. */
export function concerns(policy: networking.NetworkPolicy, pod: core.Pod, labelsOf: PolicyView['namespaceLabels']): boolean {
  if (selectedBy(policy)(pod)) return true
  const lists = [...(policy.spec.ingress ?? []).map((r) => r.from), ...(policy.spec.egress ?? []).map((r) => r.to)]
  const peers = lists.flatMap((list): networking.NetworkPolicyPeer[] => [...(list ?? [])])
  if (peers.some((peer) => pickedBy(peer, policy.metadata.namespace ?? '', labelsOf)?.(pod))) return true
  return (policy.spec.egress ?? []).some((r) => r.ports?.some((p) => typeof p.port === 'string'))
}

/** Watches policies. The pods of the whole cluster are watched only once there is a policy. */
export function followPolicies(informers: Informers, tables: Tables, nodeName: string): Policies {
  const policies = informers.for(networking.networkpolicies)
  const namespaces = informers.for(core.namespaces)
  const stops: (() => void)[] = []
  let pods: Informer<core.Pod> | undefined
  const namespaceLabels = (name: string) => {
    const namespace = namespaces.get(name)
    // Every namespace can be selected by its name, even before the label is written (KEP-2161).
    return namespace && { 'kubernetes.io/metadata.name': name, ...namespace.metadata.labels }
  }
  const view = (): PolicyView => ({ pods: pods?.list() ?? [], nodeName, namespaceLabels })

  const touchPolicy = (key: string) => tables.touch(`policy ${key}`, (family) => {
    const policy = policies.get(key)
    return policy && planPolicy(policy, view(), family)
  })
  const touchPod = (key: string) => tables.touch(`policies of ${key}`, (family) => {
    const pod = pods?.get(key)
    return pod && pod.spec.nodeName === nodeName ? planPod(pod, policies.list(pod.metadata.namespace ?? ''), family) : undefined
  })

  function followPods(): Informer<core.Pod> {
    const informer = informers.for(core.pods)
    pods = informer
    stops.push(informer.onChange(({ object, old }) => {
      if (old && aspects(old) === aspects(object)) return
      if (object.spec.nodeName === nodeName) touchPod(keyOf(object))
      for (const policy of policies.list()) {
        if (concerns(policy, object, namespaceLabels) || (old && concerns(policy, old, namespaceLabels))) touchPolicy(keyOf(policy))
      }
    }))
    return informer
  }

  tables.touch('policies', planPolicyBase)
  stops.push(
    policies.onChange(({ object, old }) => {
      if (old && old.metadata.generation === object.metadata.generation && JSON.stringify(old.spec) === JSON.stringify(object.spec)) return
      const known = pods ?? followPods()
      touchPolicy(keyOf(object))
      for (const pod of known.list(object.metadata.namespace ?? '')) if (pod.spec.nodeName === nodeName) touchPod(keyOf(pod))
    }),
    namespaces.onChange(({ object, old }) => {
      if (old && JSON.stringify(old.metadata.labels) === JSON.stringify(object.metadata.labels)) return
      for (const policy of policies.list()) touchPolicy(keyOf(policy))
    }),
  )

  return {
    async synced() {
      await Promise.all([policies.synced(), namespaces.synced()])
      // At a restart, the isolated pods must be known before the old rules are replaced.
      await pods?.synced()
    },
    stop() { for (const stop of stops) stop() },
  }
}
