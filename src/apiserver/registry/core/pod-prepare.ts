/** What the system sets on a pod when it is created. */
import type { core, meta } from '../../../api/index.ts'
import type { RequestContext } from '../../strategy.ts'
import { each, mapped, within } from '../defaulting.ts'
import { withAnnotatedProfiles } from './app-armor.ts'
import { serviceAccountAlias } from './defaults/pod-spec.ts'
import { qosClass } from './qos.ts'

/** A new pod: pending, with its class of service; selectors that refer to its own labels are filled in. */
export function newPod(written: core.Pod, { warn }: Pick<RequestContext, 'warn'>): core.Pod {
  const pod = withAnnotatedProfiles(written, warn)
  const spec = ownLabelsInSelectors(serviceAccountAlias(withoutDisabled(pod.spec)), pod.metadata.labels ?? {})
  const gated = (spec.schedulingGates ?? []).length > 0
  return {
    ...pod,
    spec,
    status: { phase: 'Pending', ...(gated && { conditions: [gatedCondition] }), qosClass: qosClass(spec) },
  }
}

/** The spec without what needs a feature that is off in v1.36: signals to stop with, and groups to schedule with. */
function withoutDisabled(spec: core.PodSpec): core.PodSpec {
  const calm = <C extends core.Container>(container: C): C => {
    if (container.lifecycle?.stopSignal === undefined) return container
    const { stopSignal: _signal, ...lifecycle } = container.lifecycle
    const { lifecycle: _lifecycle, ...rest } = container
    return (Object.values(lifecycle).some((hook) => hook !== undefined) ? { ...container, lifecycle } : rest) as C
  }
  let next = each(each(spec, 'containers', calm), 'initContainers', calm)
  if (next.schedulingGroup !== undefined) {
    const { schedulingGroup: _group, ...rest } = next
    next = rest
  }
  return next
}

const gatedCondition: core.PodCondition = {
  type: 'PodScheduled', status: 'False', lastProbeTime: null, lastTransitionTime: null, reason: 'SchedulingGated', message: 'Scheduling is blocked due to non-empty scheduling gates',
}

type Labels = Readonly<Record<string, string>>

const requirements = (keys: readonly string[] | undefined, labels: Labels, operator: 'In' | 'NotIn'): meta.LabelSelectorRequirement[] =>
  (keys ?? []).flatMap((key) => { const value = labels[key]; return value === undefined ? [] : [{ key, operator, values: [value] }] })

function extended(selector: meta.LabelSelector | undefined, more: readonly meta.LabelSelectorRequirement[]): meta.LabelSelector | undefined {
  if (!selector || more.length === 0) return selector
  return { ...selector, matchExpressions: [...(selector.matchExpressions ?? []), ...more] }
}

/** `matchLabelKeys` (KEP-3633, KEP-3243): "pods with the same value of this label as mine". */
function ownLabelsInSelectors(spec: core.PodSpec, labels: Labels): core.PodSpec {
  const term = (t: core.PodAffinityTerm): core.PodAffinityTerm => {
    const more = [...requirements(t.matchLabelKeys, labels, 'In'), ...requirements(t.mismatchLabelKeys, labels, 'NotIn')]
    return more.length === 0 ? t : { ...t, labelSelector: extended(t.labelSelector, more) }
  }
  const terms = (affinity: core.PodAffinity): core.PodAffinity => {
    const hard = within(affinity, 'requiredDuringSchedulingIgnoredDuringExecution', (list) => list.map(term))
    return within(hard, 'preferredDuringSchedulingIgnoredDuringExecution', (list) => list.map((w) => ({ ...w, podAffinityTerm: term(w.podAffinityTerm) })))
  }
  const affine = within(spec, 'affinity', (affinity) => within(within(affinity, 'podAffinity', terms), 'podAntiAffinity', terms))
  return within(affine, 'topologySpreadConstraints', (list) => list.map((constraint) => {
    const more = requirements(constraint.matchLabelKeys, labels, 'In')
    return more.length === 0 ? constraint : { ...constraint, labelSelector: extended(constraint.labelSelector, more) }
  }))
}

/** Only the ephemeral containers of an update through their subresource count. */
export const onlyEphemeral = (next: core.Pod, current: core.Pod): core.Pod => ({
  ...current,
  metadata: { ...current.metadata, resourceVersion: next.metadata.resourceVersion, managedFields: next.metadata.managedFields },
  spec: { ...current.spec, ephemeralContainers: next.spec.ephemeralContainers },
})

/** Only the resources and resize policies of an update through `resize` count. With other containers than there are it stays as it was written, and is refused. */
export function onlyResources(next: core.Pod, current: core.Pod): core.Pod {
  if (!sameContainers(next.spec.containers, current.spec.containers) || !sameContainers(next.spec.initContainers, current.spec.initContainers)) return next
  const resized = (list: readonly core.Container[], wanted: readonly core.Container[] = []) => list.map((container, i) => {
    const { resizePolicy: _policy, ...rest } = container
    const found = wanted[i]
    return found ? { ...rest, resources: found.resources, ...(found.resizePolicy && { resizePolicy: found.resizePolicy }) } : container
  })
  const { resources: _resources, ...spec } = current.spec
  return {
    ...current,
    metadata: { ...current.metadata, resourceVersion: next.metadata.resourceVersion, managedFields: next.metadata.managedFields },
    spec: {
      ...spec,
      containers: resized(current.spec.containers, next.spec.containers),
      ...(current.spec.initContainers && { initContainers: resized(current.spec.initContainers, next.spec.initContainers) }),
      ...(next.spec.resources && { resources: next.spec.resources }),
    },
  }
}

/** Whether the containers have the same names, in the same order. */
export const sameContainers = (next: readonly core.Container[] = [], current: readonly core.Container[] = []): boolean =>
  next.length === current.length && next.every(({ name }, i) => name === current[i]?.name)

/** A status as a client wrote it, with what clients that do not know these fields leave out: the class of service, and the generations that were seen before. */
export function writtenStatus(next: core.PodStatus, current: core.PodStatus): core.PodStatus {
  const before = new Map<string, (number | undefined)[]>()
  for (const { type, observedGeneration } of current.conditions ?? []) before.set(type, [...(before.get(type) ?? []), observedGeneration])
  const conditions = mapped(next.conditions, (condition) => {
    const seen = before.get(condition.type)?.shift()
    return condition.observedGeneration || !seen ? condition : { ...condition, observedGeneration: seen }
  })
  const observedGeneration = next.observedGeneration || current.observedGeneration
  return {
    ...next,
    ...(observedGeneration && { observedGeneration }),
    ...(conditions && { conditions }),
    qosClass: next.qosClass ?? current.qosClass,
  }
}
