/** A pod's runtime class brings its overhead, its nodes and its tolerations with it. */
import { core, node } from '../../../api/index.ts'
import { parseQuantity } from '../../../machinery/quantity.ts'
import type { ServerEnvironment } from '../../options.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { createsPod, podOf, refused, withSpec } from '../pods.ts'
import { merged } from '../tolerations.ts'

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
    // A webhook may have changed it since.
    validate(a) {
      const { overhead } = podOf(a).spec
      const defined = classOf(a)?.overhead
      if (defined && !sameAmounts(defined.podFixed, overhead)) throw refused(a, mismatch)
      if (!defined && overhead) throw refused(a, 'pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead')
    },
  }
}

const mismatch = 'pod rejected: Pod\'s Overhead doesn\'t match RuntimeClass\'s defined Overhead'

type Amounts = Readonly<Record<string, string>>

/** However they are written: `1` and `1000m` are the same. None at all are the same as an empty list. */
function sameAmounts(a: Amounts = {}, b: Amounts = {}): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => b[name] !== undefined && parseQuantity(a[name] as string).compare(parseQuantity(b[name])) === 0)
}

function withOverhead(a: AdmissionAttributes, { overhead: defined }: node.RuntimeClass): core.Pod {
  const pod = podOf(a)
  if (!defined) return pod
  if (pod.spec.overhead && !sameAmounts(defined.podFixed, pod.spec.overhead)) throw refused(a, mismatch)
  return defined.podFixed ? withSpec(pod, { overhead: defined.podFixed }) : pod
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
  const tolerations = merged([...own, ...(scheduling.tolerations ?? [])])
  return withSpec(pod, {
    ...(Object.keys(selector).length > 0 ? { nodeSelector: selector } : {}),
    ...(tolerations.length > 0 ? { tolerations } : {}),
  })
}
