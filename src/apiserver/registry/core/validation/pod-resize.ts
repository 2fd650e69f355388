/** What may change through the `resize` subresource: cpu and memory, within the pod's class of service. */
import type { core } from '../../../../api/index.ts'
import type { Place } from '../../../../machinery/field.ts'
import { deepEqual } from '../../../../machinery/meta.ts'
import { wholeObject } from '../data.ts'
import { sameContainers } from '../pod-prepare.ts'
import { qosClass } from '../qos.ts'
import { isMirror } from './annotations.ts'
import { podItself } from './pod-spec.ts'

type Amounts = Readonly<Record<string, string>> | undefined
type Resources = core.Container['resources']

/** Amounts without cpu and memory. */
function otherAmounts(amounts: Amounts): NonNullable<Amounts> {
  const { cpu: _cpu, memory: _memory, ...others } = amounts ?? {}
  return others
}

/** Whether more than cpu and memory differs: other amounts, or claims. */
const moreThanCompute = (next: Resources, before: Resources): boolean =>
  !deepEqual(next.claims ?? [], before.claims ?? []) || (['limits', 'requests'] as const).some((part) => !deepEqual(otherAmounts(next[part]), otherAmounts(before[part])))

/** Resources that were there may be another amount, but not none. */
function kept(at: Place, next: Resources, before: Resources): void {
  for (const part of ['requests', 'limits'] as const) {
    if (Object.keys(before[part] ?? {}).some((name) => next[part]?.[name] === undefined)) at.at(part).forbidden(`resource ${part} cannot be removed`)
  }
}

/** Neither more containers, nor fewer, nor others. */
function otherContainers(at: Place, next: core.PodSpec, current: core.PodSpec): boolean {
  let others = false
  for (const name of ['containers', 'initContainers'] as const) {
    const [wanted = [], was = []] = [next[name], current[name]]
    if (sameContainers(wanted, was)) continue
    others = true
    at.at(name).forbidden(`${name} may not be ${wanted.length === was.length ? 'renamed or reordered' : 'added or removed'} on resize`)
  }
  return others
}

/** Everything about a resize. */
export function resizeUpdate(next: core.Pod, current: core.Pod, root: Place): void {
  const at = root.at('spec')
  if (isMirror(current)) return wholeObject(root).forbidden('static pods cannot be resized')
  if (current.spec.os?.name === 'windows') return wholeObject(root).forbidden('windows pods cannot be resized')
  if (otherContainers(at, next.spec, current.spec)) return
  podItself(next, root, current.spec)
  const before = current.status.qosClass ?? qosClass(current.spec)
  if (qosClass(next.spec) !== before) at.invalid(before, 'Pod QOS Class may not change as a result of resizing')
  for (const name of ['initContainers', 'containers'] as const) {
    for (const [i, container] of (next.spec[name] ?? []).entries()) {
      const old = current.spec[name]?.[i]
      if (old) containerResize(at, at.at(name).index(i).at('resources'), container, old, name === 'initContainers')
    }
  }
  const [wanted, was] = [next.spec.resources ?? {}, current.spec.resources ?? {}]
  kept(at.at('resources'), wanted, was)
  if (moreThanCompute(wanted, was)) at.forbidden('only cpu and memory resources are mutable')
}

/** One container. Its resize policy comes along in the request, and stays as it is. */
function containerResize(whole: Place, at: Place, next: core.Container, old: core.Container, isInit: boolean): void {
  const samePolicy = deepEqual(next.resizePolicy ?? [], old.resizePolicy ?? [])
  if (isInit && old.restartPolicy !== 'Always') {
    if (!samePolicy || !deepEqual(next.resources, old.resources)) whole.forbidden('resources for non-sidecar init containers are immutable')
    return
  }
  kept(at, next.resources, old.resources)
  if (!samePolicy || moreThanCompute(next.resources, old.resources)) whole.forbidden(`only cpu and memory resources ${isInit ? 'for sidecar containers ' : ''}are mutable`)
}
