/** What each node's pods use, kept in step with the watch cache: a lookup by object, without a walk over the pods. */
import type { core } from '../../api/index.ts'
import { keepDerived, type Followed } from '../cache/derived.ts'
import { referencesOf } from './pod-references.ts'

export type UsedKind = 'secrets' | 'configmaps' | 'persistentvolumeclaims' | 'serviceaccounts' | 'pods'

export interface NodeIndex {
  /** Whether a pod bound to the node uses the object, or is it. */
  uses(node: string, kind: UsedKind, namespace: string, name: string): boolean
  /** The claims of the node's pods. */
  claims(node: string): Iterable<{ readonly namespace: string; readonly name: string }>
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
    if (next && before && next.spec === before.spec) return
    if (before) count(before, -1)
    if (next) count(next, 1)
  })

  return {
    uses(node, kind, namespace, name) {
      bring()
      return nodes.get(node)?.has(`${kind}/${namespace}/${name}`) ?? false
    },
    * claims(node) {
      bring()
      for (const key of nodes.get(node)?.keys() ?? []) {
        const [kind, namespace = '', name = ''] = key.split('/')
        if (kind === 'persistentvolumeclaims') yield { namespace, name }
      }
    },
  }
}

function* keysOf(pod: core.Pod): Iterable<string> {
  const namespace = pod.metadata.namespace ?? ''
  const { secrets, configMaps, claims } = referencesOf(pod)
  yield `pods/${namespace}/${pod.metadata.name}`
  for (const name of secrets) yield `secrets/${namespace}/${name}`
  for (const name of configMaps) yield `configmaps/${namespace}/${name}`
  for (const name of claims) yield `persistentvolumeclaims/${namespace}/${name}`
  if (pod.spec.serviceAccountName) yield `serviceaccounts/${namespace}/${pod.spec.serviceAccountName}`
}
