/** The match conditions of webhooks: expressions that say whether a webhook hears of a request. */
import type { Resource } from '../../../api/index.ts'
import { forbidden } from '../../../machinery/errors.ts'
import type { Logger } from '../../../machinery/log.ts'
import type { Authorizer } from '../../authz/authorizer.ts'
import type { ServerEnvironment } from '../../options.ts'
import type { AdmissionAttributes } from '../admission.ts'
import { loadCel } from '../policies/cel.ts'
import { compileConditions, type NamedExpression } from '../policies/compile.ts'
import type { AdmissionMetrics, WebhookType } from '../metrics.ts'
import { conditionsHold, timedConditions } from '../policies/conditions.ts'
import { conditionsBudget, createEvaluation, ExpressionFailure, withAnswers } from '../policies/evaluate.ts'
import { createInputs } from '../policies/inputs.ts'
import type { AnyWebhook } from './run.ts'

/**
 * Whether the conditions hold. Throws `ApiError` 403 when they fail and the webhook's policy is to fail; when it is to go on, a webhook whose
 * conditions fail is not called.
 */
export type Conditions = (webhook: AnyWebhook, type: WebhookType, a: AdmissionAttributes, matched: Resource, log: Logger) => Promise<boolean>

export function createConditions(env: Pick<ServerEnvironment, 'lister'>, authorizer: Authorizer, metrics: AdmissionMetrics): Conditions {
  const inputs = createInputs(env, authorizer)
  /** By the list itself: objects of the cache do not change. */
  const compiled = new WeakMap<object, readonly NamedExpression[]>()
  return async (webhook, type, a, matched, log) => {
    const list = webhook.matchConditions ?? []
    const cel = await loadCel()
    let conditions = compiled.get(list)
    if (!conditions) compiled.set(list, (conditions = compileConditions(cel, list, false)))
    const values = { ...inputs.values(cel, a, matched, null, inputs.ask(a)) }
    const known = conditions
    try {
      return await timedConditions(metrics, { name: webhook.name, kind: 'webhook', type }, a.operation, (failures) =>
        withAnswers(() => conditionsHold(createEvaluation(cel, values, [], conditionsBudget), known, failures)))
    } catch (error) {
      if (!(error instanceof ExpressionFailure)) throw error
      if (webhook.failurePolicy !== 'Ignore') throw forbidden(a.requested ?? a.resource, a.name, error.message)
      log.warn({ webhook: webhook.name, error: error.message }, 'match conditions of a webhook failed, its policy is to go on')
      return false
    }
  }
}
