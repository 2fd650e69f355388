/** Pods that ask for an extended resource (a GPU, say) tolerate the taint of the same name that keeps others off such nodes. */
import type { core } from '../../../api/index.ts'
import type { AdmissionPlugin } from '../admission.ts'
import { isPod, podOf, withSpec } from '../pods.ts'

export function extendedResourceToleration(): AdmissionPlugin {
  return {
    name: 'ExtendedResourceToleration',
    handles: (a) => isPod(a) && (a.operation === 'CREATE' || a.operation === 'UPDATE'),
    mutate(a) {
      const pod = podOf(a)
      let wanted: Set<string> | undefined
      const look = (c: core.Container) => { for (const name in c.resources.requests) if (isExtendedResource(name)) (wanted ??= new Set()).add(name) }
      pod.spec.containers.forEach(look)
      pod.spec.initContainers?.forEach(look)
      if (!wanted) return pod
      const own = pod.spec.tolerations ?? []
      const added = [...(wanted as ReadonlySet<string>)].toSorted()
        .filter((key) => !own.some((t) => t.key === key && t.operator === 'Exists' && !t.effect && t.tolerationSeconds === undefined))
        .map((key): core.Toleration => ({ key, operator: 'Exists' }))
      return added.length === 0 ? pod : withSpec(pod, { tolerations: [...own, ...added] })
    },
  }
}

/** A resource name with a domain that is not Kubernetes's own. */
function isExtendedResource(name: string): boolean {
  return name.includes('/') && !name.split('/')[0]?.endsWith('kubernetes.io') && !name.startsWith('requests.')
}
