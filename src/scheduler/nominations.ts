/** Pods that preemption nominated to a node: others must leave room for them. */
import type { Nominations } from './cycle.ts'
import type { PodInfo } from './pod-info.ts'

export interface NominationBook extends Nominations {
  set(pod: PodInfo, node: string): void
  remove(key: string): void
}

export function createNominations(): NominationBook {
  const promised = new Map<string, { readonly pod: PodInfo; readonly node: string }>()
  return {
    set: (pod, node) => void promised.set(pod.key, { pod, node }),
    remove: (key) => void promised.delete(key),
    on: (node) => (promised.size ? [...promised.values()].filter((p) => p.node === node).map((p) => p.pod) : []),
  }
}
