/** `/metrics/probes`: how often each probe said what, and how long those that passed took. */
import { Counter, Histogram, Registry } from 'prom-client'
import type { core } from '../../api/index.ts'
import { podName, podNamespace, podUid } from '../context.ts'

/** `Liveness`, `Readiness` or `Startup`. */
export interface ProbeOf { readonly type: string; readonly pod: core.Pod; readonly container: string }

export interface ProbeMetrics {
  readonly registry: Registry
  /** Counts one result; `seconds` is how long it took. */
  record(probe: ProbeOf, passed: boolean, seconds: number): void
  /** Takes the series of a probe away, when its pod is gone. */
  forget(probe: ProbeOf): void
}

/**
 * The pod of the labels, as the kubelet writes it: of a pod with a generated name only what comes before it, without the hash of a Deployment's
 * template, so that the series of a workload go on from pod to pod.
 */
function podLabel(pod: core.Pod): string {
  const name = podName(pod)
  if (!pod.metadata.generateName) return name
  const hash = pod.metadata.labels?.['pod-template-hash']
  const stem = name.slice(0, Math.max(0, name.lastIndexOf('-')))
  return hash === undefined ? stem : stem.replaceAll(`-${hash}`, '')
}

const results = ['successful', 'failed'] as const

/** Series with the kubelet's names and labels, in a registry of their own. */
export function createProbeMetrics(): ProbeMetrics {
  const registry = new Registry()
  const total = new Counter({
    name: 'prober_probe_total',
    help: '[BETA] Cumulative number of a liveness, readiness or startup probe for a container by result.',
    labelNames: ['probe_type', 'result', 'container', 'pod', 'namespace', 'pod_uid'],
    registers: [registry],
  })
  const duration = new Histogram({
    name: 'prober_probe_duration_seconds',
    help: '[ALPHA] Duration in seconds for a probe response.',
    labelNames: ['probe_type', 'container', 'pod', 'namespace'],
    registers: [registry],
  })
  const labels = ({ type, pod, container }: ProbeOf) => ({ probe_type: type, container, pod: podLabel(pod), namespace: podNamespace(pod) })
  return {
    registry,
    record(probe, passed, seconds) {
      const common = labels(probe)
      total.inc({ ...common, result: passed ? 'successful' : 'failed', pod_uid: podUid(probe.pod) })
      if (passed) duration.observe(common, seconds)
    },
    forget(probe) {
      const common = labels(probe)
      for (const result of results) total.remove({ ...common, result, pod_uid: podUid(probe.pod) })
      duration.remove(common)
    },
  }
}
