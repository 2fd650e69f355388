/** The vocabulary of the checks. */
import type { core } from '../../../api/index.ts'

/** What is asked of a pod: its spec and, for some checks, its annotations. */
export interface Subject { readonly metadata: { readonly annotations?: Readonly<Record<string, string>> | undefined }; readonly spec: core.PodSpec }
export interface Violation { readonly reason: string; readonly detail: string }
export interface Check {
  readonly id: string
  /** The minor version of Kubernetes that has it first; left out: all have it. */
  readonly since?: number
  /** `minor`: the version of the standard. */
  run(pod: Subject, minor: number): Violation | undefined
}

export type AnyContainer = Pick<core.Container, 'name' | 'ports' | 'securityContext' | 'lifecycle' | 'livenessProbe' | 'readinessProbe' | 'startupProbe'>

/** The init, app and ephemeral containers of a pod. */
export const containersOf = (pod: Subject): readonly AnyContainer[] =>
  [...(pod.spec.initContainers ?? []), ...pod.spec.containers, ...((pod.spec.ephemeralContainers ?? []) as readonly AnyContainer[])]

export const isWindows = (pod: Subject): boolean => pod.spec.os?.name === 'windows'

/** Whether the pod gets a user namespace of its own, in which root is nobody on the node. */
export const hasOwnUsers = (pod: Subject): boolean => pod.spec.hostUsers === false

/** `"a", "b"`; nothing in the texts is escaped. */
export const quoted = (texts: readonly string[]): string => texts.map((t) => `"${t}"`).join(', ')
/** `container "a"`, `containers "a", "b"` */
export const named = (one: string, many: string, texts: readonly string[]): string => `${texts.length === 1 ? one : many} ${quoted(texts)}`
/** `container "a"`, `containers "a", "b"` */
export const containers = (texts: readonly string[]): string => named('container', 'containers', texts)

/** Those who say something they should not: `pod`, `container "a"`, each where there is one. */
export const sayers = (podDoes: boolean, names: readonly string[]): readonly string[] => [...(podDoes ? ['pod'] : []), ...(names.length > 0 ? [containers(names)] : [])]

/** Names of the containers for which the test holds. */
export const which = (pod: Subject, test: (c: AnyContainer) => boolean): readonly string[] => containersOf(pod).filter(test).map((c) => c.name)

/** The texts, each once, sorted. */
export const distinct = (texts: readonly string[]): readonly string[] => [...new Set(texts)].toSorted()
/** A violation; details that are undefined are left out. */
export const violation = (reason: string, ...details: readonly (string | undefined)[]): Violation | undefined => {
  const said = details.filter((d) => d !== undefined)
  return said.length === 0 ? undefined : { reason, detail: said.join('; ') }
}
