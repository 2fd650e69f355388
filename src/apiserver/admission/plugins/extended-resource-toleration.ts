/** Pods that ask for an extended resource (a GPU, say) tolerate the taint of the same name that keeps others off such nodes. */
import type { core } from '../../../api/index.ts'
import { isExtended } from '../../registry/core/validation/resources.ts'
import type { AdmissionPlugin } from '../admission.ts'
import { isPod, podOf, withSpec } from '../pods.ts'

export function extendedResourceToleration(): AdmissionPlugin {
  return {
    name: 'ExtendedResourceToleration',
    handles: (a) => isPod(a) && (a.operation === 'CREATE' || a.operation === 'UPDATE'),
    mutate(a) {
      const pod = podOf(a)
      let wanted: Set<string> | undefined
      const look = (c: core.Container) => { for (const name in c.resources.requests) if (isExtended(name)) (wanted ??= new Set()).add(name) }
      pod.spec.containers.forEach(look)
      pod.spec.initContainers?.forEach(look)
      if (!wanted) return pod
      const own = pod.spec.tolerations ?? []
      const added = [...(wanted as ReadonlySet<string>)].toSorted()
        .filter((key) => !own.some((t) => t.key === key && t.operator === 'Exists' && t.effect === 'NoSchedule'))
        .map((key): core.Toleration => ({ key, operator: 'Exists', effect: 'NoSchedule' }))
      return added.length === 0 ? pod : withSpec(pod, { tolerations: [...own, ...added] })
    },
  }
}
