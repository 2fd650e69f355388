/** What each node's pods use, kept in step with the watch cache: a lookup by object, without a walk over the pods. */
import type { core } from '../../api/index.ts'
import { keepDerived, type Followed } from '../cache/derived.ts'
import { referencesOf } from './pod-references.ts'

export type UsedKind = 'secrets' | 'configmaps' | 'persistentvolumeclaims' | 'serviceaccounts' | 'resourceclaims' | 'pods'

export interface NodeIndex {
  /** Whether a pod bound to the node uses the object, or is it. */
  uses(node: string, kind: UsedKind, namespace: string, name: string): boolean
}

/** The number of a node's pods that use an object, by `kind/namespace/name`. */
type Uses = Map<string, number>

export function createNodeIndex(pods: Followed<core.Pod>): NodeIndex {
  const nodes = new Map<string, Uses>()

  function count(pod: core.Pod, step: 1 | -1): void {
    const node = pod.spec.nodeName
    if (!node) return
    let uses = nodes.get(node)
    if (!uses) nodes.set(node, (uses = new Map()))
    for (const key of keysOf(pod)) {
      const left = (uses.get(key) ?? 0) + step
      if (left > 0) uses.set(key, left)
      else uses.delete(key)
    }
    if (uses.size === 0) nodes.delete(node)
  }
  const bring = keepDerived(pods, (_namespace, _name, next, before) => {
    if (next && before && next.spec === before.spec && sameClaims(next.status, before.status)) return
    if (before) count(before, -1)
    if (next) count(next, 1)
  })

  return {
    uses(node, kind, namespace, name) {
      bring()
      return nodes.get(node)?.has(`${kind}/${namespace}/${name}`) ?? false
    },
  }
}

/** Resource claims are made after the pod, and named in its status. */
const sameClaims = (a: core.PodStatus | undefined, b: core.PodStatus | undefined): boolean =>
  a?.resourceClaimStatuses === b?.resourceClaimStatuses && a?.extendedResourceClaimStatus === b?.extendedResourceClaimStatus

function* keysOf(pod: core.Pod): Iterable<string> {
  const namespace = pod.metadata.namespace ?? ''
  yield `pods/${namespace}/${pod.metadata.name}`
  // A node makes its mirror pods itself: whatever they name, they open nothing.
  if (pod.metadata.annotations?.['kubernetes.io/config.mirror'] !== undefined) return
  const { secrets, configMaps, claims, resourceClaims } = referencesOf(pod)
  for (const name of secrets) yield `secrets/${namespace}/${name}`
  for (const name of configMaps) yield `configmaps/${namespace}/${name}`
  for (const name of claims) yield `persistentvolumeclaims/${namespace}/${name}`
  for (const name of resourceClaims) yield `resourceclaims/${namespace}/${name}`
  if (pod.spec.serviceAccountName) yield `serviceaccounts/${namespace}/${pod.spec.serviceAccountName}`
}
