/**
 * What pods of a namespace tolerate: tolerations in the namespace's annotation (or the cluster's configuration) are added to new pods, and pods
 * tolerate nothing but what a list allows, where there is one. Off by default.
 */
import { core } from '../../../api/index.ts'
import { list, root, struct, zero } from '../../../api/schema.ts'
import { parseConfiguration } from '../../../machinery/configuration.ts'
import { ApiError } from '../../../machinery/errors.ts'
import { found } from '../../../machinery/field.ts'
import { decodeObject } from '../../../machinery/json.ts'
import type { ServerEnvironment } from '../../options.ts'
import { qosClass } from '../../registry/core/qos.ts'
import { toleration as validateToleration } from '../../registry/core/validation/scheduling.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { withNamespace } from '../namespaces.ts'
import { isPod, podOf, withSpec } from '../pods.ts'
import { covers, merged } from '../tolerations.ts'

const Configuration = root('Configuration', { default: zero(0, list(core.Toleration)), whitelist: zero(0, list(core.Toleration)) })
const Tolerations = struct('Tolerations', { items: zero(0, list(core.Toleration)) })
type Tolerations = readonly core.Toleration[]

/** What holds where a namespace says nothing: tolerations that new pods get, and those that pods may have at most (none: any). */
export interface TolerationRestriction {
  readonly defaults: Tolerations
  readonly allowed: Tolerations
}

const nothing: TolerationRestriction = { defaults: [], allowed: [] }
const added = 'scheduler.alpha.kubernetes.io/defaultTolerations'
const allowedOnly = 'scheduler.alpha.kubernetes.io/tolerationsWhitelist'
const memoryPressure: core.Toleration = { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' }

/** Throws an `Error` of one line that names what is wrong. */
export function parsePodTolerationRestriction(text: string): TolerationRestriction {
  const { value, refuse } = parseConfiguration(text, Configuration, { apiVersion: 'podtolerationrestriction.admission.k8s.io/v1alpha1', kind: 'Configuration' })
  const { default: defaults = [], whitelist = [] } = value
  refuse(found((root) => {
    for (const [name, tolerations] of [['default', defaults], ['whitelist', whitelist]] as const) tolerations.forEach((one, i) => validateToleration(one, root.at(name).index(i)))
  }))
  return { defaults, allowed: whitelist }
}

/** The plugin PodTolerationRestriction. */
export function podTolerationRestriction(env: Pick<ServerEnvironment, 'lister' | 'client'>, { defaults, allowed }: TolerationRestriction = nothing): AdmissionPlugin {
  const inNamespace = withNamespace(env)
  const check = (tolerations: Tolerations, namespace: core.Namespace) => {
    if (tolerations.length === 0) return
    const own = tolerationsIn(namespace, allowedOnly)
    const most = own ?? allowed
    if (most.length === 0 || tolerations.every((one) => most.some((wide) => covers(wide, one)))) return
    throw new ApiError(500, '', `pod tolerations (possibly merged with namespace default tolerations) conflict with its ${own ? 'namespace' : 'cluster'} whitelist`)
  }
  const withDefaults = (a: AdmissionAttributes, namespace: core.Namespace): core.Pod => {
    const pod = podOf(a)
    const more = [
      ...(a.operation === 'CREATE' ? tolerationsIn(namespace, added) ?? defaults : []),
      ...(qosClass(pod.spec) === 'BestEffort' ? [] : [memoryPressure]),
    ]
    return more.length === 0 ? pod : withSpec(pod, { tolerations: merged([...(pod.spec.tolerations ?? []), ...more]) })
  }
  return {
    name: 'PodTolerationRestriction',
    handles: (a) => isPod(a) && (a.operation === 'CREATE' || a.operation === 'UPDATE'),
    mutate: (a) => inNamespace(a.namespace, (namespace) => {
      const pod = withDefaults(a, namespace)
      check(pod.spec.tolerations ?? [], namespace)
      return pod
    }) as never,
    validate: (a) => inNamespace(a.namespace, (namespace) => check(podOf(a).spec.tolerations ?? [], namespace)),
  }
}

/** Those of an annotation; undefined when it is not there, none when it is empty. */
function tolerationsIn({ metadata }: core.Namespace, annotation: string): Tolerations | undefined {
  const text = metadata.annotations?.[annotation]
  if (text === undefined) return undefined
  if (text === '') return []
  try {
    return decodeObject(Tolerations, { items: JSON.parse(text) as unknown }).object.items ?? []
  } catch (error) {
    throw new ApiError(500, '', `namespaces ${JSON.stringify(metadata.name)}: annotation ${annotation}: ${(error as Error).message}`)
  }
}
