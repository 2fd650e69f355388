/** A pod stays for five minutes on a node that is not ready or not reachable, unless it says for how long itself. */
import type { core } from '../../../api/index.ts'
import { deepFreeze } from '../../../machinery/meta.ts'
import type { AdmissionPlugin } from '../admission.ts'
import { isPod, podOf, toleratesKey, withSpec } from '../pods.ts'

const keys = ['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'] as const
const seconds = 300
const toleration = (key: string): core.Toleration => ({ key, operator: 'Exists', effect: 'NoExecute', tolerationSeconds: seconds })
/** The same for all pods that say nothing themselves. */
const both: readonly core.Toleration[] = deepFreeze(keys.map(toleration))

export function defaultTolerationSeconds(): AdmissionPlugin {
  return {
    name: 'DefaultTolerationSeconds',
    handles: (a) => isPod(a) && (a.operation === 'CREATE' || a.operation === 'UPDATE'),
    mutate(a) {
      const pod = podOf(a)
      const own = pod.spec.tolerations
      if (!own?.length) return withSpec(pod, { tolerations: both })
      const missing = keys.filter((key) => !own.some((t) => toleratesKey(t, key, 'NoExecute')))
      if (missing.length === 0) return pod
      return withSpec(pod, { tolerations: [...own, ...missing.map(toleration)] })
    },
  }
}
