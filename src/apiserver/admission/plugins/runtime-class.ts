/** A pod's runtime class brings its overhead, its nodes and its tolerations with it. */
import { core, node } from '../../../api/index.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import type { ServerEnvironment } from '../../options.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { createsPod, podOf, refused, withSpec } from '../pods.ts'

export function runtimeClass(env: Pick<ServerEnvironment, 'lister'>): AdmissionPlugin {
  const classes = env.lister(node.runtimeclasses)

  /** The class a pod names; undefined when it names none. */
  function classOf(a: AdmissionAttributes): node.RuntimeClass | undefined {
    const name = podOf(a).spec.runtimeClassName
    if (!name) return undefined
    const found = classes.get('', name)
    if (!found) throw refused(a, `pod rejected: RuntimeClass "${name}" not found`)
    return found
  }

  return {
    name: 'RuntimeClass',
    handles: (a) => createsPod(a) && (podOf(a).spec.runtimeClassName !== undefined || podOf(a).spec.overhead !== undefined),
    mutate(a) {
      const chosen = classOf(a)
      if (!chosen) return podOf(a)
      return withScheduling(a, withOverhead(a, chosen), chosen)
    },
    validate(a) {
      const pod = podOf(a)
      if (!pod.spec.runtimeClassName && pod.spec.overhead) throw refused(a, 'pod rejected: Pod overhead set without corresponding RuntimeClass defined')
    },
  }
}

function withOverhead(a: AdmissionAttributes, { overhead }: node.RuntimeClass): core.Pod {
  const pod = podOf(a)
  const fixed = overhead?.podFixed
  if (pod.spec.overhead && !deepEqual(pod.spec.overhead, fixed ?? {})) throw refused(a, 'pod rejected: Pod\'s overhead doesn\'t match RuntimeClass\'s overhead')
  return fixed ? withSpec(pod, { overhead: fixed }) : pod
}

function withScheduling(a: AdmissionAttributes, pod: core.Pod, { scheduling }: node.RuntimeClass): core.Pod {
  if (!scheduling) return pod
  const selector = { ...pod.spec.nodeSelector }
  for (const [key, value] of Object.entries(scheduling.nodeSelector ?? {})) {
    const own = selector[key]
    if (own !== undefined && own !== value) throw refused(a, `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${own}`)
    selector[key] = value
  }
  const own = pod.spec.tolerations ?? []
  const added = (scheduling.tolerations ?? []).filter((t) => !own.some((o) => deepEqual(o, t)))
  return withSpec(pod, {
    ...(Object.keys(selector).length > 0 ? { nodeSelector: selector } : {}),
    ...(added.length > 0 ? { tolerations: [...own, ...added] } : {}),
  })
}
