/** What a pod has against it by a standard, and the pods that are there already when a namespace gets another one. */
import type { core } from '../../../api/index.ts'
import { minorOf, textOf, type Standard } from './levels.ts'
import { checksOf } from './restricted.ts'
import type { Subject, Violation } from './words.ts'

const nothing: readonly Violation[] = []

/** By the checks that the level has in the version of the standard. */
export function violationsOf(pod: Subject, standard: Standard): readonly Violation[] {
  if (standard.level === 'privileged') return nothing
  const minor = minorOf(standard)
  return checksOf(standard.level, minor).map((check) => check.run(pod, minor)).filter((violation) => violation !== undefined)
}

/** `"baseline:latest": host namespaces (hostPID=true)`; undefined when nothing is violated. */
export function complaint(pod: Subject, standard: Standard): string | undefined {
  const violations = violationsOf(pod, standard)
  return violations.length === 0 ? undefined : `PodSecurity "${textOf(standard)}": ${violations.map((v) => `${v.reason} (${v.detail})`).join(', ')}`
}

/** How many pods of a namespace are looked at when it gets another standard, and for how many milliseconds. */
const mostPods = 3000
const longest = 1000

/** What limits a look at pods that are there: the clock, until when the client waits (milliseconds), and the runtime classes that are let pass. */
export interface Limits { now(): number; readonly deadline?: number | undefined; readonly exempt: ReadonlySet<string> }

/** Warnings of pods that are there and would be refused now; those that violate the same stand together, under the first of their names. */
export function existingWarnings(namespace: string, pods: readonly core.Pod[], enforce: Standard, { now, deadline, exempt }: Limits): readonly string[] {
  const begun = now()
  // No more than half of the time that the client still waits.
  const until = begun + Math.min(longest, deadline === undefined ? longest : (deadline - begun) / 2)
  const all = oneOfEachFirst(pods.filter(({ spec: { runtimeClassName } }) => !runtimeClassName || !exempt.has(runtimeClassName)))
  const groups = new Map<string, string[]>()
  let checked = 0
  for (const pod of all.slice(0, mostPods)) {
    checked++
    const reasons = violationsOf(pod, enforce).map((v) => v.reason).join(', ')
    if (reasons !== '') (groups.get(reasons) ?? put(groups, reasons, [])).push(pod.metadata.name ?? '')
    if (now() >= until) break
  }
  const others = (count: number): string => (count === 0 ? '' : count === 1 ? ' (and 1 other pod)' : ` (and ${count} other pods)`)
  return [
    ...(checked < all.length ? [`new PodSecurity enforce level only checked against the first ${checked} of ${all.length} existing pods`] : []),
    ...(groups.size > 0 ? [`existing pods in namespace "${namespace}" violate the new PodSecurity enforce level "${textOf(enforce)}"`] : []),
    ...[...groups].map(([reasons, names]) => `${names.toSorted()[0]}${others(names.length - 1)}: ${reasons}`).toSorted(),
  ]
}

function put<K, V>(map: Map<K, V>, key: K, value: V): V {
  map.set(key, value)
  return value
}

/** Replicas are alike: the first of each controller comes before all others. */
function oneOfEachFirst(pods: readonly core.Pod[]): readonly core.Pod[] {
  const seen = new Set<string>()
  const [first, more]: [core.Pod[], core.Pod[]] = [[], []]
  for (const pod of pods) {
    const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller)?.uid
    ;(owner !== undefined && seen.has(owner) ? more : first).push(pod)
    if (owner !== undefined) seen.add(owner)
  }
  return [...first, ...more]
}
