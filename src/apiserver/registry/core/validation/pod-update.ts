/** What of a pod may change once it exists: little, for the kubelet has already acted on the rest. */
import type { core } from '../../../../api/index.ts'
import type { Place } from '../../../../machinery/field.ts'
import { deepEqual } from '../../../../machinery/meta.ts'
import { differences } from '../../differences.ts'
import { forEach } from '../../checks.ts'
import { image } from './containers.ts'
import { wholeObject } from '../data.ts'
import { annotationUpdate, isMirror } from './annotations.ts'
import { podItself } from './pod-spec.ts'
import { nodeSelectorLabels } from './env.ts'
import { affinity, toleration } from './scheduling.ts'

const mayChange = 'pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)'

/** Everything about an update of a pod itself. */
export function podUpdate(next: core.Pod, current: core.Pod, root: Place): void {
  const at = root.at('spec')
  podItself(next, root, current.spec)
  annotationUpdate(root.at('metadata').at('annotations'), next.metadata.annotations, current.metadata.annotations)
  if (next.spec === current.spec) return
  if (next.spec.containers.length !== current.spec.containers.length) {
    return at.at('containers').forbidden('pod updates may not add or remove containers')
  }
  if ((next.spec.initContainers ?? []).length !== (current.spec.initContainers ?? []).length) {
    return at.at('initContainers').forbidden('pod updates may not add or remove containers')
  }
  for (const name of ['containers', 'initContainers'] as const) {
    forEach(at.at(name), next.spec[name], (container, place) => image(place.at('image'), container.image))
  }
  deadline(at.at('activeDeadlineSeconds'), next.spec, current.spec)
  tolerations(at.at('tolerations'), next.spec.tolerations ?? [], current.spec.tolerations ?? [])
  gates(at.at('schedulingGates'), next.spec, current.spec)
  nothingElse(at, next.spec, current.spec)
}

function nothingElse(at: Place, next: core.PodSpec, current: core.PodSpec): void {
  const gated = (current.schedulingGates ?? []).length > 0
  if (gated) {
    affinity(at.at('affinity'), next.affinity as core.Affinity | undefined)
    nodeSelectorLabels(at.at('nodeSelector'), next.nodeSelector)
    narrowing(at, next, current)
  }
  const like: core.PodSpec = {
    ...next,
    ...allowed(next, current),
    ...(gated && { nodeSelector: current.nodeSelector, affinity: withNodeAffinity(next.affinity, current.affinity) }),
  }
  if (!deepEqual(like, current)) at.forbidden(`${mayChange}\n${differences(current, like)}`)
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

function deadline(at: Place, next: core.PodSpec, current: core.PodSpec): void {
  const [wanted, was] = [next.activeDeadlineSeconds, current.activeDeadlineSeconds]
  if (wanted === undefined) {
    if (was !== undefined) at.invalid(null, 'must not update from a positive integer to nil value')
  } else if (wanted < 1 || wanted > 2147483647) at.invalid(wanted, 'must be between 1 and 2147483647, inclusive')
  else if (was !== undefined && wanted > was) at.invalid(wanted, 'must be less than or equal to previous value')
}

const withoutSeconds = (toleration: core.Toleration): core.Toleration => ({ ...toleration, tolerationSeconds: undefined })

function tolerations(at: Place, next: readonly core.Toleration[], current: readonly core.Toleration[]): void {
  const kept = current.every((old) => next.some((t) => deepEqual(withoutSeconds(t), withoutSeconds(old))))
  if (!kept) return at.forbidden('existing toleration can not be modified except its tolerationSeconds')
  forEach(at, next, toleration)
}

function gates(at: Place, next: core.PodSpec, current: core.PodSpec): void {
  const before = new Set((current.schedulingGates ?? []).map((gate) => gate.name))
  forEach(at, next.schedulingGates, (gate, place) => {
    if (!before.has(gate.name)) place.at('name').forbidden(`only deletion is allowed, but found new scheduling gate '${gate.name}'`)
  })
}

function withNodeAffinity(next: core.Affinity | undefined, current: core.Affinity | undefined): core.Affinity | undefined {
  if (!next) return current?.nodeAffinity ? { nodeAffinity: current.nodeAffinity } : undefined
  if (next.nodeAffinity && !current && !next.podAffinity && !next.podAntiAffinity) return undefined
  return { ...next, nodeAffinity: current?.nodeAffinity }
}

/** While a pod is held back by gates, where it may run can be narrowed. */
function narrowing(at: Place, next: core.PodSpec, current: core.PodSpec): void {
  for (const [key, value] of Object.entries(current.nodeSelector ?? {})) {
    if (next.nodeSelector?.[key] !== value) {
      at.at('nodeSelector').invalid(next.nodeSelector ?? null, 'only additions to spec.nodeSelector are allowed (no mutations or deletions)')
      break
    }
  }
  const before = current.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  const after = next.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms
  const place = at.at('affinity').at('nodeAffinity').at('requiredDuringSchedulingIgnoredDuringExecution').at('nodeSelectorTerms')
  if (before?.length && after?.length !== before.length) {
    place.invalid(after ?? null, 'no additions/deletions to non-empty NodeSelectorTerms list are allowed')
  } else if (before?.length && after) {
    for (const [i, term] of before.entries()) {
      if (!onlyAdds(after[i] ?? {}, term)) place.index(i).invalid(after[i], 'only additions are allowed (no mutations or deletions)')
    }
  }
}

/** A term keeps what it asks for, in order, and may ask for more; one that asked for nothing selects nothing, and stays so. */
function onlyAdds(next: core.NodeSelectorTerm, before: core.NodeSelectorTerm): boolean {
  const parts = ['matchExpressions', 'matchFields'] as const
  if (parts.every((part) => !before[part]?.length)) return parts.every((part) => !next[part]?.length)
  return parts.every((part) => deepEqual((next[part] ?? []).slice(0, before[part]?.length ?? 0), before[part] ?? []))
}

/** Through the `ephemeralcontainers` subresource: containers are added, never changed or removed. */
export function ephemeralUpdate(next: core.Pod, current: core.Pod, root: Place): void {
  if (isMirror(current)) return wholeObject(root).forbidden('static pods do not support ephemeral containers')
  podItself(next, root, current.spec)
  const at = root.at('spec').at('ephemeralContainers')
  const byName = new Map((next.spec.ephemeralContainers ?? []).map((c) => [c.name, c]))
  for (const old of current.spec.ephemeralContainers ?? []) {
    const same = byName.get(old.name)
    if (!same) at.forbidden(`existing ephemeral containers ${JSON.stringify(old.name)} may not be removed\n`)
    else if (!deepEqual(same, old)) at.forbidden(`existing ephemeral containers ${JSON.stringify(old.name)} may not be changed\n${differences(old, same)}`)
  }
}
