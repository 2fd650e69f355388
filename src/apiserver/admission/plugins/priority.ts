/** A pod's priority is the number its class stands for; classes beside it are not taken from the client. */
import { core, scheduling } from '../../../api/index.ts'
import type { ServerEnvironment } from '../../options.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { createsPod, isPod, podOf, refused, withSpec } from '../pods.ts'

const classResource = 'priorityclasses.scheduling.k8s.io'
/** The classes that exist before anybody wrote them. */
const system: Readonly<Record<string, number>> = { 'system-cluster-critical': 2_000_000_000, 'system-node-critical': 2_000_001_000 }

export function priority(env: Pick<ServerEnvironment, 'lister'>): AdmissionPlugin {
  const classes = env.lister(scheduling.priorityclasses)

  /** The default class; of several, the one with the lowest value. */
  const globalDefault = (): scheduling.PriorityClass | undefined =>
    classes.list().filter((c) => c.globalDefault).toSorted((a, b) => a.value - b.value)[0]

  function resolve(a: AdmissionAttributes, name: string): { readonly name: string; readonly value: number; readonly preemptionPolicy: string } {
    if (name === '') {
      const found = globalDefault()
      return { name: found?.metadata.name ?? '', value: found?.value ?? 0, preemptionPolicy: found?.preemptionPolicy ?? 'PreemptLowerPriority' }
    }
    const found = classes.get('', name)
    const value = found?.value ?? system[name]
    if (value === undefined) throw refused(a, `no PriorityClass with name ${name} was found`)
    return { name, value, preemptionPolicy: found?.preemptionPolicy ?? 'PreemptLowerPriority' }
  }

  function admitPod(a: AdmissionAttributes): core.Pod {
    const pod = podOf(a)
    if (a.operation === 'UPDATE') return keepPriority(pod, a.old as unknown as core.Pod)
    const { name, value, preemptionPolicy } = resolve(a, pod.spec.priorityClassName ?? '')
    if (pod.spec.priority !== undefined && pod.spec.priority !== value) {
      throw refused(a, `the integer value of priority (${pod.spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`)
    }
    if (pod.spec.preemptionPolicy !== undefined && pod.spec.preemptionPolicy !== preemptionPolicy) {
      throw refused(a, `the string value of PreemptionPolicy (${pod.spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${preemptionPolicy} from the given PriorityClass name`)
    }
    return withSpec(pod, { priority: value, preemptionPolicy: preemptionPolicy as core.PodSpec['preemptionPolicy'], ...(name ? { priorityClassName: name } : {}) })
  }

  return {
    name: 'Priority',
    handles: (a) => createsPod(a) || (isPod(a) && a.operation === 'UPDATE') || (a.resource.groupResource === classResource && (a.operation === 'CREATE' || a.operation === 'UPDATE')),
    mutate: (a) => (isPod(a) ? admitPod(a) : (a.object as NonNullable<typeof a.object>)),
    validate(a) {
      if (a.resource.groupResource !== classResource) return
      const wanted = a.object as unknown as scheduling.PriorityClass
      if (!wanted.globalDefault) return
      const other = globalDefault()
      if (other && (a.operation === 'CREATE' || other.metadata.name !== wanted.metadata.name)) {
        throw refused(a, `PriorityClass ${other.metadata.name} is already marked as default. Only one default can exist`)
      }
    },
  }
}

/** Clients that do not know of priorities send pods back without them. */
function keepPriority(pod: core.Pod, old: core.Pod): core.Pod {
  const spec: Partial<core.PodSpec> = {
    ...(pod.spec.priority === undefined && old.spec.priority !== undefined ? { priority: old.spec.priority } : {}),
    ...(pod.spec.preemptionPolicy === undefined && old.spec.preemptionPolicy !== undefined ? { preemptionPolicy: old.spec.preemptionPolicy } : {}),
  }
  return Object.keys(spec).length === 0 ? pod : withSpec(pod, spec)
}
