/** Pods. */
import type { core } from '../../../api/index.ts'
import type { Place } from '../../../machinery/field.ts'
import type { Printer, RequestContext, RowCondition, Strategy } from '../../strategy.ts'
import { podDefaults } from './defaults/pod-spec.ts'
import { newPod, onlyEphemeral, onlyResources, writtenStatus } from './pod-prepare.ts'
import { podWarnings } from './pod-warnings.ts'
import { anyAnnotation, confinedAlike } from './validation/annotations.ts'
import { podItself } from './validation/pod-spec.ts'
import { resizeUpdate } from './validation/pod-resize.ts'
import { podStatusUpdate } from './validation/pod-status-update.ts'
import { ephemeralUpdate, podUpdate } from './validation/pod-update.ts'
import { ageColumn, nameColumn, orNone, printer, text, wide } from '../printing.ts'
import { podSummary, type PodSummary } from './pod-status.ts'

/** A row needs the summary three times. */
let last: { readonly pod: core.Pod; readonly now: number; readonly summary: PodSummary } | undefined
function summaryOf(pod: core.Pod, now: number): PodSummary {
  if (last?.pod !== pod || last.now !== now) last = { pod, now, summary: podSummary(pod, now) }
  return last.summary
}

const podColumns = printer<core.Pod>(
  nameColumn,
  text('Ready', 'Containers that are ready, of all containers.', (pod, now) => summaryOf(pod, now).ready),
  text('Status', 'The phase of the pod, or what keeps it from going on.', (pod, now) => summaryOf(pod, now).reason),
  text('Restarts', 'How often its containers were restarted, and when last.', (pod, now) => summaryOf(pod, now).restarts),
  ageColumn,
  wide(text('IP', 'The first address of the pod.', (pod) => orNone(pod.status.podIP || pod.status.podIPs?.[0]?.ip))),
  wide(text('Node', 'The node it was bound to.', (pod) => orNone(pod.spec.nodeName))),
  wide(text('Nominated Node', 'The node where others are being evicted to make room for it.', (pod) => orNone(pod.status.nominatedNodeName))),
  wide(text('Readiness Gates', 'Readiness gates whose condition is true, of all.', readinessGates)),
)

const ends: Readonly<Record<string, readonly RowCondition[]>> = {
  Succeeded: [{ type: 'Completed', status: 'True', reason: 'Succeeded', message: 'The pod has completed successfully.' }],
  Failed: [{ type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' }],
}
const podPrinter: Printer<core.Pod> = { ...podColumns, conditions: ({ status }) => ends[status.phase ?? ''] ?? [] }

function readinessGates(pod: core.Pod): string {
  const gates = pod.spec.readinessGates ?? []
  if (gates.length === 0) return '<none>'
  const open = gates.filter((gate) => pod.status.conditions?.some((c) => c.type === gate.conditionType && c.status === 'True'))
  return `${open.length}/${gates.length}`
}

function validate(pod: core.Pod, root: Place): void {
  const at = root.at('spec')
  podItself(pod, root)
  if (pod.spec.nodeName && pod.spec.schedulingGates?.length) at.at('nodeName').forbidden('cannot be set until all schedulingGates have been cleared')
  if (pod.spec.ephemeralContainers?.length) at.at('ephemeralContainers').forbidden('cannot be set on create')
  if (pod.metadata.annotations && anyAnnotation(pod.metadata.annotations)) confinedAlike(at, pod.metadata.annotations, pod.spec)
}

function validateUpdate(next: core.Pod, current: core.Pod, root: Place, ctx: RequestContext): void {
  const check = ctx.subresource === 'ephemeralcontainers' ? ephemeralUpdate : ctx.subresource === 'resize' ? resizeUpdate : podUpdate
  check(next, current, root)
}

function prepareForUpdate(next: core.Pod, current: core.Pod, ctx: RequestContext): core.Pod {
  if (ctx.subresource === 'ephemeralcontainers') return onlyEphemeral(next, current)
  if (ctx.subresource === 'resize') return onlyResources(next, current)
  return next
}

/** What is left of a pod's life once it is deleted: nothing if no node has it, or if it is over. */
function gracePeriodSeconds(pod: core.Pod, requested: number | undefined): number {
  const over = pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed'
  if (!pod.spec.nodeName || over) return 0
  const seconds = requested ?? pod.spec.terminationGracePeriodSeconds ?? 0
  return seconds < 0 ? 1 : seconds
}

export const pods: Strategy<core.Pod> = {
  default: podDefaults,
  prepareForCreate: newPod,
  prepareForUpdate,
  prepareForStatusUpdate: (next, current) => ({
    ...next,
    metadata: { ...next.metadata, ownerReferences: current.metadata.ownerReferences },
    spec: current.spec,
    status: writtenStatus(next.status, current.status),
  }),
  validate,
  validateUpdate,
  validateStatusUpdate: podStatusUpdate,
  warnings: podWarnings,
  gracePeriodSeconds,
  selectableFields: (pod) => ({
    'spec.nodeName': pod.spec.nodeName ?? '',
    'spec.restartPolicy': pod.spec.restartPolicy ?? '',
    'spec.schedulerName': pod.spec.schedulerName ?? '',
    'spec.serviceAccountName': pod.spec.serviceAccountName ?? '',
    'spec.hostNetwork': String(pod.spec.hostNetwork ?? false),
    'status.phase': pod.status.phase ?? '',
    'status.podIP': pod.status.podIPs?.[0]?.ip ?? pod.status.podIP ?? '',
    'status.nominatedNodeName': pod.status.nominatedNodeName ?? '',
  }),
  printer: podPrinter,
}
