/** What scheduling needs of a pod, computed once for each version of it. */
import type { core } from '../api/index.ts'
import { fromLabelSelector } from '../machinery/labels.ts'
import type { LabelSelector } from '../machinery/labels.ts'
import { keyOf } from '../machinery/meta.ts'
import { podRequests, scoringRequests } from './resources.ts'
import type { Resources } from './resources.ts'

/** An inter-pod (anti-)affinity term, ready to match pods with. */
export interface AffinityTerm {
  readonly namespaces: ReadonlySet<string>
  readonly namespaceSelector: LabelSelector
  readonly selector: LabelSelector
  readonly topologyKey: string
  /** Of a preferred term; 0 of a required one. */
  readonly weight: number
}

export interface HostPort { readonly ip: string; readonly protocol: string; readonly port: number }

export interface PodInfo {
  readonly pod: core.Pod
  readonly key: string
  readonly uid: string
  readonly priority: number
  readonly requests: Resources
  readonly scoring: { readonly milliCpu: number; readonly memory: number }
  readonly ports: readonly HostPort[]
  readonly affinity: readonly AffinityTerm[]
  readonly antiAffinity: readonly AffinityTerm[]
  readonly preferredAffinity: readonly AffinityTerm[]
  readonly preferredAntiAffinity: readonly AffinityTerm[]
}

function term(pod: core.Pod, t: core.PodAffinityTerm, weight: number): AffinityTerm {
  const named = t.namespaces ?? []
  const own = named.length === 0 && !t.namespaceSelector
  return {
    namespaces: new Set<string>(own ? [pod.metadata.namespace ?? ''] : named),
    namespaceSelector: fromLabelSelector(t.namespaceSelector),
    selector: fromLabelSelector(t.labelSelector),
    topologyKey: t.topologyKey,
    weight,
  }
}

function hostPorts(pod: core.Pod): HostPort[] {
  const sidecars = (pod.spec.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')
  return [...pod.spec.containers, ...sidecars].flatMap((c) => (c.ports ?? [])
    .filter((p) => (p.hostPort ?? 0) > 0)
    .map((p) => ({ ip: p.hostIP || '0.0.0.0', protocol: p.protocol ?? 'TCP', port: p.hostPort! })))
}

const known = new WeakMap<core.Pod, PodInfo>()

/** What scheduling needs of a pod; computed once for each version of it. */
export function podInfo(pod: core.Pod): PodInfo {
  const before = known.get(pod)
  if (before) return before
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {}
  const required = (terms: readonly core.PodAffinityTerm[] | undefined) => (terms ?? []).map((t) => term(pod, t, 0))
  const preferred = (terms: readonly core.WeightedPodAffinityTerm[] | undefined) => (terms ?? []).map((t) => term(pod, t.podAffinityTerm, t.weight))
  const info: PodInfo = {
    pod,
    key: keyOf(pod),
    uid: pod.metadata.uid ?? '',
    priority: pod.spec.priority ?? 0,
    requests: podRequests(pod),
    scoring: scoringRequests(pod),
    ports: hostPorts(pod),
    affinity: required(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    antiAffinity: required(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferredAffinity: preferred(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    preferredAntiAffinity: preferred(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
  }
  known.set(pod, info)
  return info
}

/** Whether the pod has any inter-pod affinity or anti-affinity terms. */
export const hasAffinityTerms = (p: PodInfo): boolean =>
  p.affinity.length + p.antiAffinity.length + p.preferredAffinity.length + p.preferredAntiAffinity.length > 0
