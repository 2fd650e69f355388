/** What admission counts about itself, under Kubernetes's names (https://kubernetes.io/docs/reference/instrumentation/metrics/). */
import { Registry } from 'prom-client'
import { createCounter, createHistogram, type Observe } from '../metrics/series.ts'
import type { AdmissionAttributes } from './admission.ts'
import { newest, type Standard } from './pod-security/levels.ts'

type Operation = AdmissionAttributes['operation']
/** How the metrics call mutating and validating: of plugins, and of webhooks. */
export type StepType = 'admit' | 'validate'
export type WebhookType = 'admit' | 'validating'

/** Why something a policy says could not be had: `no_error` when it was said. */
export type PolicyError = 'compile_error' | 'invalid_error' | 'out_of_budget' | 'no_error'
export type PolicyAction = 'allow' | 'deny' | 'audit' | 'warn'
export type RejectionError = 'calling_webhook_error' | 'apiserver_internal_error' | 'no_error'

/** Where match conditions stand: of which webhook or policy, in what kind of admission. */
export interface ConditionPlace { readonly name: string; readonly kind: 'webhook' | 'policy'; readonly type: WebhookType | 'validate' }

/** All times are seconds. */
export interface AdmissionMetrics {
  /** The series of a plugin's time; `'step'` for all of them together. To be kept: every write observes them. */
  plugin(name: string | undefined, type: StepType, operation: Operation, rejected: boolean): Observe
  /** One webhook was called. `code` is 200 where it let the request pass, 0 where the server itself failed. */
  webhook(name: string, type: WebhookType, operation: Operation, code: number, rejected: boolean, seconds: number): void
  webhookRejected(name: string, type: WebhookType, operation: Operation, error: RejectionError, code: number): void
  failedOpen(name: string, type: WebhookType): void
  /** Match conditions were evaluated: how many of them failed, and whether they kept the request away. */
  conditions(place: ConditionPlace, operation: Operation, seconds: number, failed: number, excluded: boolean): void
  validatingPolicy(policy: string, binding: string, error: PolicyError, action: PolicyAction, seconds: number): void
  mutatingPolicy(policy: string, binding: string, error: PolicyError, seconds: number): void
  /** Pod Security held a pod, or what makes pods, against a standard. */
  podSecurityEvaluated(a: About, mode: 'enforce' | 'audit' | 'warn', standard: Standard, allowed: boolean): void
  podSecurityExempted(a: About): void
  /** It could not read labels, or (`fatal`) find the namespace. */
  podSecurityFailed(a: About, fatal: boolean): void
}
/** The request that is counted. */
type About = Pick<AdmissionAttributes, 'operation' | 'subresource'> & { readonly resource: Pick<AdmissionAttributes['resource'], 'groupResource'> }

const pluginBounds = [0.005, 0.025, 0.1, 0.5, 1, 2.5]
const webhookBounds = [...pluginBounds, 10, 25]
const conditionBounds = [0.001, 0.005, 0.01, 0.025, 0.1, 0.2, 0.25]
const policyBounds = [0.0000005, 0.001, 0.01, 0.1, 1]

/** Codes that webhooks invent must not make series without end. */
const codeLabel = (code: number): string => String(Math.min(code, 600))

/** The metrics, registered where `/metrics` finds them. */
export function createAdmissionMetrics(registry = new Registry()): AdmissionMetrics {
  const plugins = createHistogram(registry, {
    name: 'apiserver_admission_controller_admission_duration_seconds', help: 'How long admission plugins took, in seconds, by plugin, operation and outcome.', labels: ['name', 'type', 'operation', 'rejected'], bounds: pluginBounds,
  })
  const steps = createHistogram(registry, {
    name: 'apiserver_admission_step_admission_duration_seconds', help: 'How long all admission plugins took together, in seconds, by operation and outcome.', labels: ['type', 'operation', 'rejected'], bounds: pluginBounds,
  })
  return {
    plugin: (name, type, operation, rejected) => (name === undefined ? steps([type, operation, String(rejected)]) : plugins([name, type, operation, String(rejected)])),
    ...webhookMetrics(registry),
    ...policyMetrics(registry),
    ...podSecurityMetrics(registry),
  }
}

function webhookMetrics(registry: Registry): Pick<AdmissionMetrics, 'webhook' | 'webhookRejected' | 'failedOpen'> {
  const took = createHistogram(registry, {
    name: 'apiserver_admission_webhook_admission_duration_seconds', help: 'How long calls of admission webhooks took, in seconds, by webhook, operation and outcome.', labels: ['name', 'type', 'operation', 'rejected'], bounds: webhookBounds,
  })
  const requests = createCounter(registry, { name: 'apiserver_admission_webhook_request_total', help: 'Calls of admission webhooks, by webhook, operation, HTTP code and outcome.', labels: ['name', 'type', 'operation', 'code', 'rejected'] })
  const rejections = createCounter(registry, {
    name: 'apiserver_admission_webhook_rejection_count', help: 'Requests that were refused by an admission webhook, or because of one that failed.', labels: ['name', 'type', 'operation', 'error_type', 'rejection_code'],
  })
  const open = createCounter(registry, { name: 'apiserver_admission_webhook_fail_open_count', help: 'Admission webhooks that failed and whose policy was to go on.', labels: ['name', 'type'] })
  return {
    webhook(name, type, operation, code, rejected, seconds) {
      took([name, type, operation, String(rejected)])(seconds)
      requests([name, type, operation, codeLabel(code), String(rejected)])
    },
    webhookRejected: (name, type, operation, error, code) => rejections([name, type, operation, error, codeLabel(code)]),
    failedOpen: (name, type) => open([name, type]),
  }
}

function policyMetrics(registry: Registry): Pick<AdmissionMetrics, 'conditions' | 'validatingPolicy' | 'mutatingPolicy'> {
  const labels = ['name', 'kind', 'type', 'operation'] as const
  const evaluated = createHistogram(registry, { name: 'apiserver_admission_match_condition_evaluation_seconds', help: 'How long match conditions of a webhook or policy took, in seconds.', labels, bounds: conditionBounds })
  const failures = createCounter(registry, { name: 'apiserver_admission_match_condition_evaluation_errors_total', help: 'Match conditions that failed.', labels })
  const exclusions = createCounter(registry, { name: 'apiserver_admission_match_condition_exclusions_total', help: 'Requests that match conditions kept away from a webhook.', labels })
  const validatingLabels = ['policy', 'policy_binding', 'error_type', 'enforcement_action'] as const
  const checks = createCounter(registry, { name: 'apiserver_validating_admission_policy_check_total', help: 'Outcomes of validating admission policies that were enforced, or failed.', labels: validatingLabels })
  const checked = createHistogram(registry, { name: 'apiserver_validating_admission_policy_check_duration_seconds', help: 'How long their expressions took, in seconds.', labels: validatingLabels, bounds: policyBounds })
  const mutatingLabels = ['policy', 'policy_binding', 'error_type'] as const
  const mutations = createCounter(registry, { name: 'apiserver_mutating_admission_policy_check_total', help: 'Mutations of mutating admission policies that were evaluated.', labels: mutatingLabels })
  const mutated = createHistogram(registry, { name: 'apiserver_mutating_admission_policy_check_duration_seconds', help: 'How long mutations took, in seconds.', labels: mutatingLabels, bounds: policyBounds })
  return {
    conditions({ name, kind, type }, operation, seconds, failed, excluded) {
      const series = [name, kind, type, operation]
      evaluated(series)(seconds)
      if (failed > 0) failures(series, failed)
      // Kubernetes calls the same place another name in each of the two.
      if (excluded) exclusions([name, kind, type === 'admit' ? 'admit' : 'validate', operation])
    },
    validatingPolicy(policy, binding, error, action, seconds) {
      checks([policy, binding, error, action])
      checked([policy, binding, error, action])(seconds)
    },
    mutatingPolicy(policy, binding, error, seconds) {
      mutations([policy, binding, error])
      mutated([policy, binding, error])(seconds)
    },
  }
}

function podSecurityMetrics(registry: Registry): Pick<AdmissionMetrics, 'podSecurityEvaluated' | 'podSecurityExempted' | 'podSecurityFailed'> {
  const about = ['request_operation', 'resource', 'subresource'] as const
  const evaluated = createCounter(registry, {
    name: 'pod_security_evaluations_total', help: 'Pods and templates that were held against a standard, without those that are exempt.', labels: ['decision', 'policy_level', 'policy_version', 'mode', ...about],
  })
  const exempted = createCounter(registry, { name: 'pod_security_exemptions_total', help: 'Requests that the configuration lets pass.', labels: about })
  const failed = createCounter(registry, { name: 'pod_security_errors_total', help: 'Requests whose namespace could not be read; where that is not fatal, the strictest standard may have been taken.', labels: ['fatal', ...about] })
  const kinds: Readonly<Record<string, string>> = { pods: 'pod', namespaces: 'namespace' }
  const of = ({ operation, resource, subresource }: About) => [operation.toLowerCase(), kinds[resource.groupResource] ?? 'controller', subresource]
  // Those that every cluster has are there before anything happens.
  for (const operation of ['create', 'update']) {
    evaluated(['allow', 'privileged', 'latest', 'enforce', operation, 'pod', ''], 0)
    for (const kind of ['pod', 'controller']) exempted([operation, kind, ''], 0)
  }
  return {
    podSecurityEvaluated: (a, mode, standard, allowed) => evaluated([allowed ? 'allow' : 'deny', standard.level, versionLabel(standard), mode, ...of(a)]),
    podSecurityExempted: (a) => exempted(of(a)),
    podSecurityFailed: (a, fatal) => failed([String(fatal), ...of(a)]),
  }
}

/** Versions that are still to come are one. */
function versionLabel({ level, version }: Standard): string {
  if (level === 'privileged' || version === 'latest') return 'latest'
  return Number(version.slice('v1.'.length)) > newest ? 'future' : version
}
