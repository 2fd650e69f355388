/** Where pods and templates of pods stand in requests. */
import type { core, Resource } from '../../../api/index.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import type { AdmissionAttributes } from '../admission.ts'
import type { Subject } from './words.ts'

/** Kinds with a pod template: they are warned about, and their pods are refused when they come. */
const withTemplates: ReadonlySet<string> = new Set([
  'podtemplates', 'replicationcontrollers', 'deployments.apps', 'replicasets.apps', 'statefulsets.apps', 'daemonsets.apps', 'jobs.batch', 'cronjobs.batch',
])
/** What is sent to these is no pod, or changes nothing of its spec. Any other is looked at: one that nobody thought of must not let pods pass. */
const harmless: ReadonlySet<string> = new Set(['exec', 'attach', 'binding', 'eviction', 'log', 'portforward', 'proxy', 'status'])

/** Whether the request is about a pod, a template of pods or a namespace. */
export function concerns({ operation, resource, subresource }: AdmissionAttributes): boolean {
  if (operation !== 'CREATE' && operation !== 'UPDATE') return false
  if (resource.groupResource === 'pods') return !harmless.has(subresource)
  return subresource === '' && (resource.groupResource === 'namespaces' || withTemplates.has(resource.groupResource))
}

/** The template of what makes pods. */
export function templateOf(resource: Pick<Resource, 'plural'>, object: unknown): Subject | undefined {
  interface Templated { readonly template?: Subject; readonly spec?: { readonly template?: Subject; readonly jobTemplate?: { readonly spec?: { readonly template?: Subject } } } }
  const { template, spec } = object as Templated
  const found = resource.plural === 'podtemplates' ? template : (spec?.template ?? spec?.jobTemplate?.spec?.template)
  return found ? { metadata: found.metadata ?? {}, spec: found.spec } : undefined
}

/**
 * Of what can change in a pod, images, containers and seccomp profiles call for another look; deadlines, tolerations and other metadata do
 * not. (Kubernetes does not look at the profiles, which versions of a standard before 1.19 read in annotations.)
 */
export function significant(next: core.Pod, old: core.Pod): boolean {
  const shown = ({ metadata: { annotations = {} }, spec }: core.Pod) => [
    Object.entries(annotations).filter(([key]) => seccomp.some((prefix) => key.startsWith(prefix))).toSorted(),
    ...([spec.containers, spec.initContainers ?? [], spec.ephemeralContainers ?? []] as const).map((all) => all.map(({ name, image, securityContext }) => ({ name, image, securityContext }))),
  ]
  return !deepEqual(shown(next), shown(old))
}

/** Where profiles were named before they had fields. */
const seccomp = ['seccomp.security.alpha.kubernetes.io/pod', 'container.seccomp.security.alpha.kubernetes.io/']
