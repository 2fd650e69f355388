/** Pods keep others away from their node at most, not from a zone or more: whoever could would keep whole parts of a cluster to themselves. Off by default. */
import type { AdmissionPlugin } from '../admission.ts'
import { isPod, podOf, refused } from '../pods.ts'

const hostname = 'kubernetes.io/hostname'

export function limitPodHardAntiAffinityTopology(): AdmissionPlugin {
  return {
    name: 'LimitPodHardAntiAffinityTopology',
    handles: (a) => isPod(a) && (a.operation === 'CREATE' || a.operation === 'UPDATE'),
    validate(a) {
      const terms = podOf(a).spec.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []
      const wider = terms.find(({ topologyKey }) => topologyKey !== hostname)
      if (wider) throw refused(a, `affinity.PodAntiAffinity.RequiredDuringScheduling has TopologyKey ${wider.topologyKey} but only key ${hostname} is allowed`)
    },
  }
}
