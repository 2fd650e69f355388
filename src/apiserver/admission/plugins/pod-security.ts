/** Pod Security: a namespace says by labels which standard its pods must keep, and which to warn about. */
import { core, type Resource } from '../../../api/index.ts'
import { invalid } from '../../../machinery/errors.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import type { ServerEnvironment } from '../../options.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { labelErrors, minorOf, policyOf, textOf, type Policy, type Standard } from '../pod-security/levels.ts'
import { openPodSecurity, type PodSecurityOptions } from '../pod-security/configuration.ts'
import { checksOf } from '../pod-security/restricted.ts'
import type { Subject, Violation } from '../pod-security/words.ts'
import { isPod, podOf, refused } from '../pods.ts'

/** Kinds with a pod template: they are warned about, and their pods are refused when they come. */
const withTemplates: ReadonlySet<string> = new Set([
  'podtemplates', 'replicationcontrollers', 'deployments.apps', 'replicasets.apps', 'statefulsets.apps', 'daemonsets.apps', 'jobs.batch', 'cronjobs.batch',
])

const nothing: readonly Violation[] = []
/** By the checks that the level has in the version of the standard. */
function violationsOf(pod: Subject, standard: Standard): readonly Violation[] {
  if (standard.level === 'privileged') return nothing
  const minor = minorOf(standard)
  return checksOf(standard.level, minor).map((check) => check.run(pod, minor)).filter((violation) => violation !== undefined)
}
const describe = (violations: readonly Violation[]): string => violations.map((v) => `${v.reason} (${v.detail})`).join(', ')

export function podSecurity(env: Pick<ServerEnvironment, 'lister'>, { defaults, exempt }: PodSecurityOptions = openPodSecurity): AdmissionPlugin {
  const namespaces = env.lister(core.namespaces)
  const pods = env.lister(core.pods)
  /** Read from labels once for as long as they are the same. */
  const known = new WeakMap<object, Policy>()
  const policyIn = (namespace: string): Policy => {
    const labels = namespaces.get('', namespace)?.metadata.labels
    let policy = labels && known.get(labels)
    if (!policy) {
      policy = policyOf(labels, defaults)
      if (labels) known.set(labels, policy)
    }
    return policy
  }

  /** Whom the configuration lets pass, and why. */
  const exemption = (a: AdmissionAttributes): string | undefined => {
    if (exempt.namespaces.has(a.namespace)) return 'namespace'
    return exempt.usernames.has(a.context.user.name) ? 'user' : undefined
  }
  const passes = (a: AdmissionAttributes, runtimeClass: string | undefined): boolean => {
    const why = exemption(a) ?? (runtimeClass !== undefined && exempt.runtimeClasses.has(runtimeClass) ? 'runtimeClass' : undefined)
    if (why) a.context.annotate('pod-security.kubernetes.io/exempt', why)
    return why !== undefined
  }

  /** Notes for the audit log, under Kubernetes's names. */
  const note = (a: AdmissionAttributes, subject: Subject, { audit }: Policy): void => {
    const violations = violationsOf(subject, audit)
    if (violations.length > 0) a.context.annotate('pod-security.kubernetes.io/audit-violations', `would violate PodSecurity ${JSON.stringify(textOf(audit))}: ${describe(violations)}`)
  }

  const warn = (a: AdmissionAttributes, subject: Subject, standard: Standard): void => {
    const violations = violationsOf(subject, standard)
    if (violations.length > 0) a.context.warn(`would violate PodSecurity ${JSON.stringify(textOf(standard))}: ${describe(violations)}`)
  }

  function checkPod(a: AdmissionAttributes): void {
    const pod = podOf(a)
    if (a.operation === 'UPDATE' && !significant(pod, a.old as unknown as core.Pod)) return
    if (passes(a, pod.spec.runtimeClassName)) return
    const policy = policyIn(a.namespace)
    a.context.annotate('pod-security.kubernetes.io/enforce-policy', textOf(policy.enforce))
    note(a, pod, policy)
    const violations = violationsOf(pod, policy.enforce)
    if (violations.length > 0) throw refused(a, `violates PodSecurity ${JSON.stringify(textOf(policy.enforce))}: ${describe(violations)}`)
    if (textOf(policy.warn) !== textOf(policy.enforce)) warn(a, pod, policy.warn)
  }

  function checkNamespace(a: AdmissionAttributes): void {
    const labels = a.object?.metadata.labels
    const errors = labelErrors(labels)
    if (errors.length > 0 && !deepEqual(labels, a.old?.metadata.labels)) throw invalid(a.resource, a.name || (a.object?.metadata.name ?? ''), errors)
    if (a.operation !== 'UPDATE') return
    const policy = policyOf(labels, defaults)
    const { enforce } = policy
    if (deepEqual(enforce, policyOf(a.old?.metadata.labels, defaults).enforce)) return
    if (exempt.namespaces.has(a.name)) return a.context.warn(`namespace ${JSON.stringify(a.name)} is exempt from Pod Security, and the policy (${summary(policy)}) will be ignored`)
    warnOfExisting(a, enforce, pods.list(a.name))
  }

  return {
    name: 'PodSecurity',
    handles(a) {
      if (a.operation !== 'CREATE' && a.operation !== 'UPDATE') return false
      if (isPod(a) || (a.resource.groupResource === 'pods' && a.subresource === 'ephemeralcontainers')) return true
      return a.subresource === '' && (a.resource.groupResource === 'namespaces' || withTemplates.has(a.resource.groupResource))
    },
    validate(a) {
      if (a.resource.groupResource === 'pods') return checkPod(a)
      if (a.resource.groupResource === 'namespaces') return checkNamespace(a)
      const template = templateOf(a.resource, a.object)
      if (!template || passes(a, (template.spec as { runtimeClassName?: string } | undefined)?.runtimeClassName)) return
      const policy = policyIn(a.namespace)
      note(a, template, policy)
      warn(a, template, policy.warn)
    },
  }
}

/** The policy in one line: modes that ask for the same stand together. */
function summary(policy: Policy): string {
  const modes = Map.groupBy(['enforce', 'audit', 'warn'] as const, (mode) => textOf(policy[mode]))
  return [...modes].map(([standard, of]) => `${of.join('+')}=${standard}`).join(', ')
}

/** The template of what makes pods. */
function templateOf(resource: Pick<Resource, 'plural'>, object: unknown): Subject | undefined {
  interface Templated { readonly template?: Subject; readonly spec?: { readonly template?: Subject; readonly jobTemplate?: { readonly spec?: { readonly template?: Subject } } } }
  const { template, spec } = object as Templated
  const found = resource.plural === 'podtemplates' ? template : (spec?.template ?? spec?.jobTemplate?.spec?.template)
  return found ? { metadata: found.metadata ?? {}, spec: found.spec } : undefined
}

/** Of what can change in a pod, images, containers and seccomp profiles call for another look; deadlines, tolerations and other metadata do not. */
function significant(next: core.Pod, old: core.Pod): boolean {
  const shown = ({ metadata: { annotations = {} }, spec }: core.Pod) => [
    Object.entries(annotations).filter(([key]) => seccomp.some((prefix) => key.startsWith(prefix))).toSorted(),
    ...([spec.containers, spec.initContainers ?? [], spec.ephemeralContainers ?? []] as const).map((all) => all.map(({ name, image, securityContext }) => ({ name, image, securityContext }))),
  ]
  return !deepEqual(shown(next), shown(old))
}

/** Where profiles were named before they had fields. */
const seccomp = ['seccomp.security.alpha.kubernetes.io/pod', 'container.seccomp.security.alpha.kubernetes.io/']

function warnOfExisting(a: AdmissionAttributes, enforce: Standard, pods: readonly core.Pod[]): void {
  const groups = new Map<string, string[]>()
  for (const pod of pods) {
    const violations = violationsOf(pod, enforce)
    if (violations.length === 0) continue
    const reasons = violations.map((v) => v.reason).join(', ')
    groups.set(reasons, [...(groups.get(reasons) ?? []), pod.metadata.name ?? ''])
  }
  if (groups.size === 0) return
  a.context.warn(`existing pods in namespace ${JSON.stringify(a.name)} violate the new PodSecurity enforce level ${JSON.stringify(textOf(enforce))}`)
  for (const [reasons, names] of groups) {
    const others = names.length === 1 ? '' : names.length === 2 ? ' (and 1 other pod)' : ` (and ${names.length - 1} other pods)`
    a.context.warn(`${names[0]}${others}: ${reasons}`)
  }
}
