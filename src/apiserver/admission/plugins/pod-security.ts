/** Pod Security: a namespace says by labels which standard its pods must keep, and which to warn about. */
import { core } from '../../../api/index.ts'
import { internal, invalid, type ApiError } from '../../../machinery/errors.ts'
import type { FieldError } from '../../../machinery/field.ts'
import type { ServerEnvironment } from '../../options.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { createAdmissionMetrics, type AdmissionMetrics } from '../metrics.ts'
import { withNamespace } from '../namespaces.ts'
import { openPodSecurity, type PodSecurityOptions } from '../pod-security/configuration.ts'
import { complaint, existingWarnings } from '../pod-security/evaluation.ts'
import { asksNothing, isStricter, labelErrors, modes, policyOf, same, summary, textOf, type Policy, type Standard } from '../pod-security/levels.ts'
import { concerns, significant, templateOf } from '../pod-security/subjects.ts'
import type { Subject } from '../pod-security/words.ts'
import { podOf, refused } from '../pods.ts'

type Labels = Readonly<Record<string, string>> | undefined
type Mode = (typeof modes)[number]
/** What the labels of a namespace ask for, and what is wrong with them. */
interface Asked { readonly policy: Policy; readonly errors: readonly FieldError[] }
type Environment = Pick<ServerEnvironment, 'lister' | 'client' | 'clock'>

const prefix = 'pod-security.kubernetes.io/'
const listed = (errors: readonly FieldError[]): string => (errors.length === 1 ? String(errors[0]) : `[${errors.join(', ')}]`)

export function podSecurity(env: Environment, { defaults, exempt }: PodSecurityOptions = openPodSecurity, metrics: AdmissionMetrics = createAdmissionMetrics()): AdmissionPlugin {
  const inNamespace = withNamespace(env)
  const pods = env.lister(core.pods)
  /** Read from labels once for as long as they are the same. */
  const known = new WeakMap<object, Asked>()
  const read = (labels: Labels): Asked => {
    let asked = labels && known.get(labels)
    if (!asked) {
      asked = { policy: policyOf(labels, defaults), errors: labelErrors(labels) }
      if (labels) known.set(labels, asked)
    }
    return asked
  }

  /** Whom the configuration lets pass, and why: noted for the audit log. */
  const passes = (a: AdmissionAttributes, why: string | undefined): boolean => {
    if (why === undefined) return false
    a.context.annotate(`${prefix}exempt`, why)
    metrics.podSecurityExempted(a)
    return true
  }
  const isExempt = (a: AdmissionAttributes): boolean => passes(a, exempt.namespaces.has(a.namespace) ? 'namespace' : exempt.usernames.has(a.context.user.name) ? 'user' : undefined)

  /** Calls `act` with what the namespace asks for. Without the namespace nobody knows: then the request fails with what `failure` makes of that, or passes. */
  function asking(a: AdmissionAttributes, act: (asked: Asked) => void, failure: (why: string) => ApiError | undefined): Promise<void> | void {
    const namespace = inNamespace(a.namespace, (found) => found)
    if (!(namespace instanceof Promise)) return act(read(namespace.metadata.labels))
    return namespace.then((found) => act(read(found.metadata.labels)), (error: unknown) => {
      metrics.podSecurityFailed(a, true)
      const why = `failed to lookup namespace "${a.namespace}"`
      const failed = failure(why)
      a.context.annotate(`${prefix}error`, `${failed?.message ?? why}: ${error instanceof Error ? error.message : String(error)}`)
      if (failed) throw failed
    })
  }

  /** Throws 403 for what may not be, when `enforced`; notes and warnings tell of the rest. */
  function evaluate(a: AdmissionAttributes, subject: Subject, { policy, errors }: Asked, enforced: boolean): void {
    const { runtimeClassName } = subject.spec
    if (passes(a, runtimeClassName && exempt.runtimeClasses.has(runtimeClassName) ? 'runtimeClass' : undefined)) return
    if (errors.length > 0) {
      a.context.annotate(`${prefix}error`, `Failed to parse policy: ${listed(errors)}`)
      metrics.podSecurityFailed(a, false)
    }
    const told = new Map<string, string | undefined>()
    const against = (mode: Mode): string | undefined => {
      const standard = policy[mode]
      const text = textOf(standard)
      if (!told.has(text)) told.set(text, complaint(subject, standard))
      const found = told.get(text)
      if (found !== undefined || mode === 'enforce') metrics.podSecurityEvaluated(a, mode, standard, found === undefined)
      return found
    }
    const refusal = enforced ? against('enforce') : undefined
    if (enforced) a.context.annotate(`${prefix}enforce-policy`, textOf(policy.enforce))
    const noted = against('audit')
    if (noted !== undefined) a.context.annotate(`${prefix}audit-violations`, `would violate ${noted}`)
    if (refusal !== undefined) throw refused(a, `violates ${refusal}`)
    const warned = against('warn')
    if (warned !== undefined) a.context.warn(`would violate ${warned}`)
  }

  function checkPod(a: AdmissionAttributes): Promise<void> | void {
    if (isExempt(a)) return
    return asking(a, (asked) => {
      if (asked.errors.length === 0 && asksNothing(asked.policy)) {
        metrics.podSecurityEvaluated(a, 'enforce', asked.policy.enforce, true)
        return a.context.annotate(`${prefix}enforce-policy`, 'privileged:latest')
      }
      const pod = podOf(a)
      if (a.operation === 'UPDATE' && !significant(pod, a.old as unknown as core.Pod)) return
      evaluate(a, pod, asked, true)
    }, internal)
  }

  /** What makes pods is never refused: its pods are. */
  function checkTemplate(a: AdmissionAttributes): Promise<void> | void {
    if (isExempt(a)) return
    return asking(a, (asked) => {
      const { policy: { audit, warn }, errors } = asked
      if (errors.length === 0 && audit.level === 'privileged' && warn.level === 'privileged') return
      const template = templateOf(a.resource, a.object)
      if (template) evaluate(a, template, asked, false)
    }, () => undefined)
  }

  function checkNamespace(a: AdmissionAttributes): void {
    const name = a.name || (a.object?.metadata.name ?? '')
    const labels = a.object?.metadata.labels
    const next = read(labels)
    const old = a.operation === 'UPDATE' ? read(a.old?.metadata.labels) : undefined
    // What is wrong already may stay while other things change.
    if (next.errors.length > 0 && !(old && listed(next.errors) === listed(old.errors))) throw invalid(a.resource, name, next.errors)
    const { enforce } = next.policy
    if (old && !isStricter(enforce, old.policy.enforce)) return
    if (exempt.namespaces.has(name)) {
      if (isOfItsOwn(next.policy)) a.context.warn(`namespace "${name}" is exempt from Pod Security, and the policy (${summary(labels, next.policy)}) will be ignored`)
    } else if (old) warnOfExisting(a, name, enforce)
  }
  const isOfItsOwn = (policy: Policy): boolean => !asksNothing(policy) && !modes.every((mode) => same(policy[mode], defaults[mode]))

  function warnOfExisting(a: AdmissionAttributes, name: string, enforce: Standard): void {
    const limits = { now: () => env.clock.now(), deadline: a.context.caller?.deadline, exempt: exempt.runtimeClasses }
    for (const warning of existingWarnings(name, pods.list(name), enforce, limits)) a.context.warn(warning)
  }

  return {
    name: 'PodSecurity',
    handles: concerns,
    validate(a) {
      if (a.resource.groupResource === 'pods') return checkPod(a)
      return a.resource.groupResource === 'namespaces' ? checkNamespace(a) : checkTemplate(a)
    },
  }
}
