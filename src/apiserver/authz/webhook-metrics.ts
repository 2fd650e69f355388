/** Metrics of authorization webhooks, under Kubernetes's names. */
import type { Registry } from 'prom-client'
import { createCounter, createHistogram } from '../metrics/series.ts'

/** The outcome of a call. */
export type WebhookResult = 'success' | 'error' | 'timeout'

export interface WebhookMetrics {
  /** One call, and its duration in seconds. */
  asked(name: string, result: WebhookResult, seconds: number): void
  /** Its match conditions were evaluated, in so many seconds: they matched, excluded the request, or failed. */
  conditions(name: string, seconds: number, outcome: 'met' | 'excluded' | 'failed'): void
  /** A call failed, and other authorizers decide. */
  failedOpen(name: string, result: WebhookResult): void
}

const conditionBounds = [0.001, 0.005, 0.01, 0.025, 0.1, 0.2, 0.25]
const bounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

export function createWebhookMetrics(registry: Registry): WebhookMetrics {
  const labels = ['name', 'result'] as const
  const evaluations = createCounter(registry, { name: 'apiserver_authorization_webhook_evaluations_total', help: 'Questions to authorization webhooks, by what came of them.', labels: [...labels] })
  const took = createHistogram(registry, { name: 'apiserver_authorization_webhook_duration_seconds', help: 'How long authorization webhooks took, in seconds.', labels: [...labels], bounds })
  const open = createCounter(registry, { name: 'apiserver_authorization_webhook_evaluations_fail_open_total', help: 'Authorization webhooks that could not be asked, and were gone on without.', labels: [...labels] })
  const kinds = ['type', 'name'] as const
  const evaluating = createHistogram(registry, { name: 'apiserver_authorization_match_condition_evaluation_seconds', help: 'How long match conditions of authorizers took, in seconds.', labels: [...kinds], bounds: conditionBounds })
  const failures = createCounter(registry, { name: 'apiserver_authorization_match_condition_evaluation_errors_total', help: 'Match conditions of authorizers that could not be told.', labels: [...kinds] })
  const exclusions = createCounter(registry, { name: 'apiserver_authorization_match_condition_exclusions_total', help: 'Questions that match conditions kept from an authorizer.', labels: [...kinds] })
  return {
    conditions(name, seconds, outcome) {
      const series = ['Webhook', name]
      evaluating(series)(seconds)
      if (outcome === 'failed') failures(series)
      if (outcome === 'excluded') exclusions(series)
    },
    asked(name, result, seconds) {
      evaluations([name, result])
      took([name, result])(seconds)
    },
    failedOpen: (name, result) => open([name, result]),
  }
}
