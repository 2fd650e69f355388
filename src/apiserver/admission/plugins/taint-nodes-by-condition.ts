/** A node is born with the not-ready taint, so that nothing is scheduled to it before its condition is known. */
import { core } from '../../../api/index.ts'
import type { AdmissionPlugin } from '../admission.ts'

const notReady = { key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' } as const

export function taintNodesByCondition(): AdmissionPlugin {
  return {
    name: 'TaintNodesByCondition',
    handles: (a) => a.operation === 'CREATE' && a.resource.groupResource === 'nodes' && a.subresource === '',
    mutate(a) {
      const node = a.object as unknown as core.Node
      const taints = node.spec.taints ?? []
      if (taints.some((t) => t.key === notReady.key && t.effect === notReady.effect)) return node
      return { ...node, spec: { ...node.spec, taints: [...taints, notReady] } }
    },
  }
}
