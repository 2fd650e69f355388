/** What of a pod may change once it exists: little, for the kubelet has already acted on the rest. */
import type { core } from '../../../../api/index.ts'
import { path, type Path } from '../../../../machinery/field.ts'
import { deepEqual } from '../../../../machinery/meta.ts'
import { differences } from '../../differences.ts'
import { forEach, unchanged, type Check } from '../../checks.ts'
import { qosClass } from '../qos.ts'
import { ephemeralContainers, image, surroundingsOf } from './containers.ts'
import { podSpec } from './pod-spec.ts'
import { toleration } from './scheduling.ts'

const mayChange = 'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

/** Everything about an update of a pod itself. */
export function* podUpdate(next: core.Pod, current: core.Pod): Check {
  const at = path('spec')
  if (next.spec.containers.length !== current.spec.containers.length) {
    return yield at.at('containers').forbidden('pod updates may not add or remove containers')
  }
  if ((next.spec.initContainers ?? []).length !== (current.spec.initContainers ?? []).length) {
    return yield at.at('initContainers').forbidden('pod updates may not add or remove containers')
  }
  for (const name of ['containers', 'initContainers'] as const) {
    yield* forEach(at.at(name), next.spec[name], (container, place) => image(place.at('image'), container.image))
  }
  yield* deadline(at.at('activeDeadlineSeconds'), next.spec, current.spec)
  yield* tolerations(at.at('tolerations'), next.spec.tolerations ?? [], current.spec.tolerations ?? [])
  yield* gates(at.at('schedulingGates'), next.spec, current.spec)
  yield* nothingElse(at, next.spec, current.spec)
}

function* nothingElse(at: Path, next: core.PodSpec, current: core.PodSpec): Check {
  const gated = (current.schedulingGates ?? []).length > 0
  if (gated) yield* narrowing(at, next, current)
  const like: core.PodSpec = {
    ...next,
    ...allowed(next, current),
    ...(gated && { nodeSelector: current.nodeSelector, affinity: withNodeAffinity(next.affinity, current.affinity) }),
  }
  if (!deepEqual(like, current)) yield at.forbidden(`${mayChange}\n${differences(current, like)}`)
}

/** The fields that may change, as they were. */
function allowed(next: core.PodSpec, current: core.PodSpec): Partial<core.PodSpec> {
  const sameImages = (list: readonly core.Container[], before: readonly core.Container[]) => list.map((c, i) => ({ ...c, image: before[i]?.image }))
  const wasNegative = (current.terminationGracePeriodSeconds ?? 0) < 0 && next.terminationGracePeriodSeconds === 1
  return {
    containers: sameImages(next.containers, current.containers),
    ...(next.initContainers && { initContainers: sameImages(next.initContainers, current.initContainers ?? []) }),
    activeDeadlineSeconds: current.activeDeadlineSeconds,
    tolerations: current.tolerations,
    schedulingGates: current.schedulingGates,
    ...(wasNegative && { terminationGracePeriodSeconds: current.terminationGracePeriodSeconds }),
  }
}

function* deadline(at: Path, next: core.PodSpec, current: core.PodSpec): Check {
  const [wanted, was] = [next.activeDeadlineSeconds, current.activeDeadlineSeconds]
  if (wanted === undefined) {
    if (was !== undefined) yield at.invalid(null, 'must not update from a positive integer to nil value')
  } else if (wanted < 1 || wanted > 2147483647) yield at.invalid(wanted, 'must be between 1 and 2147483647, inclusive')
  else if (was !== undefined && wanted > was) yield at.invalid(wanted, 'must be less than or equal to previous value')
}

const withoutSeconds = (toleration: core.Toleration): core.Toleration => ({ ...toleration, tolerationSeconds: undefined })

function* tolerations(at: Path, next: readonly core.Toleration[], current: readonly core.Toleration[]): Check {
  yield* forEach(at, next, toleration)
  const kept = current.every((old) => next.some((t) => deepEqual(withoutSeconds(t), withoutSeconds(old))))
  if (!kept) yield at.forbidden('existing toleration can not be modified except its tolerationSeconds')
}

function* gates(at: Path, next: core.PodSpec, current: core.PodSpec): Check {
  const before = new Set((current.schedulingGates ?? []).map((gate) => gate.name))
  yield* forEach(at, next.schedulingGates, function* (gate, place) {
    if (!before.has(gate.name)) yield place.forbidden(`only deletion is allowed, but found new scheduling gate '${gate.name}'`)
  })
}

const withNodeAffinity = (next: core.Affinity | undefined, current: core.Affinity | undefined): core.Affinity | undefined =>
  (next && next.nodeAffinity && !current && !next.podAffinity && !next.podAntiAffinity ? undefined : next && { ...next, nodeAffinity: current?.nodeAffinity })

/** While a pod is held back by gates, where it may run can be narrowed. */
function* narrowing(at: Path, next: core.PodSpec, current: core.PodSpec): Check {
  for (const [key, value] of Object.entries(current.nodeSelector ?? {})) {
    if (next.nodeSelector?.[key] !== value) {
      yield at.at('nodeSelector').invalid(next.nodeSelector ?? null, 'field is immutable')
      break
    }
  }
  const before = current.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  const after = next.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  const place = at.at('affinity').at('nodeAffinity').at('requiredDuringSchedulingIgnoredDuringExecution').at('nodeSelectorTerms')
  if (before?.length && after?.length !== before.length) {
    yield place.invalid(after ?? null, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed')
  } else if (before?.length && after) {
    for (const [i, term] of before.entries()) {
      const keeps = (term.matchExpressions ?? []).every((e) => after[i]?.matchExpressions?.some((n) => deepEqual(n, e)))
      if (!keeps) yield place.index(i).invalid(after[i], 'only additions are allowed, existing entries can not be changed')
    }
  }
}

/** Through the `ephemeralcontainers` subresource: containers are added, never changed or removed. */
export function* ephemeralUpdate(next: core.Pod, current: core.Pod): Check {
  const at = path('spec').at('ephemeralContainers')
  yield* ephemeralContainers(at, next.spec.ephemeralContainers, surroundingsOf(next.spec))
  const byName = new Map((next.spec.ephemeralContainers ?? []).map((c) => [c.name, c]))
  for (const old of current.spec.ephemeralContainers ?? []) {
    const same = byName.get(old.name)
    if (!same) yield at.forbidden(`existing ephemeral containers ${JSON.stringify(old.name)} may not be removed\n`)
    else if (!deepEqual(same, old)) yield at.forbidden(`existing ephemeral containers ${JSON.stringify(old.name)} may not be changed\n${differences(old, same)}`)
  }
}

const resizable = new Set(['cpu', 'memory'])
const fixed = (amounts: Readonly<Record<string, string>> | undefined) => Object.fromEntries(Object.entries(amounts ?? {}).filter(([name]) => !resizable.has(name)))

/** Through the `resize` subresource: cpu and memory, within the pod's class of service. */
export function* resizeUpdate(next: core.Pod, current: core.Pod): Check {
  const at = path('spec')
  if (current.spec.os?.name === 'windows') yield at.forbidden('windows pods cannot be resized')
  yield* podSpec(at, next.spec)
  const before = qosClass(current.spec)
  if (qosClass(next.spec) !== before) yield at.invalid(qosClass(next.spec), 'Pod QOS Class may not change as a result of resizing')
  for (const name of ['containers', 'initContainers'] as const) {
    for (const [i, container] of (next.spec[name] ?? []).entries()) {
      const old = current.spec[name]?.[i]
      for (const part of ['limits', 'requests'] as const) {
        const [is, was] = [container.resources[part], old?.resources[part]]
        const place = at.at(name).index(i).at('resources').at(part)
        if (!deepEqual(fixed(is), fixed(was))) yield place.forbidden('only cpu and memory resources are mutable')
        for (const resource of Object.keys(was ?? {})) {
          if (is?.[resource] === undefined && resizable.has(resource)) yield place.forbidden('resource limits cannot be removed'.replace('limits', part))
        }
      }
    }
  }
}

/** A status may not bring containers that are not to restart back to life, nor move the pod between classes of service. */
export function* podStatusUpdate(next: core.Pod, current: core.Pod): Check {
  const at = path('status')
  yield* unchanged(at.at('qosClass'), next.status.qosClass ?? current.status.qosClass, current.status.qosClass ?? next.status.qosClass)
  if (next.spec.restartPolicy === 'Always') return
  for (const name of ['containerStatuses', 'initContainerStatuses'] as const) {
    const specs = name === 'containerStatuses' ? next.spec.containers : (next.spec.initContainers ?? [])
    const before = new Map((current.status[name] ?? []).map((status) => [status.name, status]))
    for (const [i, status] of (next.status[name] ?? []).entries()) {
      const old = before.get(status.name)?.state.terminated
      if (!old || status.state.terminated) continue
      const spec = specs.find((c) => c.name === status.name)
      const mayRestart = spec?.restartPolicy !== undefined || (next.spec.restartPolicy === 'OnFailure' && old.exitCode !== 0)
      if (!mayRestart) yield at.at(name).index(i).at('state').forbidden('may not be transitioned to non-terminated state')
    }
  }
}
