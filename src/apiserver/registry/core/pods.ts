/** Pods. */
import type { core } from '../../../api/index.ts'
import type { Strategy } from '../../strategy.ts'
import { ageColumn, nameColumn, orNone, printer, text, wide } from '../printing.ts'
import { podSummary } from './pod-status.ts'

const podPrinter = printer<core.Pod>(
  nameColumn,
  text('Ready', 'Containers that are ready, of all containers.', (pod, now) => podSummary(pod, now).ready),
  text('Status', 'The phase of the pod, or what keeps it from going on.', (pod, now) => podSummary(pod, now).reason),
  text('Restarts', 'How often its containers were restarted, and when last.', (pod, now) => podSummary(pod, now).restarts),
  ageColumn,
  wide(text('IP', 'The first address of the pod.', (pod) => orNone(pod.status.podIPs?.[0]?.ip))),
  wide(text('Node', 'The node it was bound to.', (pod) => orNone(pod.spec.nodeName))),
  wide(text('Nominated Node', 'The node where others are being evicted to make room for it.', (pod) => orNone(pod.status.nominatedNodeName))),
  wide(text('Readiness Gates', 'Readiness gates whose condition is true, of all.', readinessGates)),
)

function readinessGates(pod: core.Pod): string {
  const gates = pod.spec.readinessGates ?? []
  if (gates.length === 0) return '<none>'
  const open = gates.filter((gate) => pod.status.conditions?.some((c) => c.type === gate.conditionType && c.status === 'True'))
  return `${open.length}/${gates.length}`
}

export const pods: Strategy<core.Pod> = { printer: podPrinter }
