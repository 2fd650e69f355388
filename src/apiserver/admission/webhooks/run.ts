/** What both kinds of webhooks have in common: which are asked, and what becomes of an answer or of a failure. */
import type { admissionregistration, Resource } from '../../../api/index.ts'
import { ApiError, badRequest, internal } from '../../../machinery/errors.ts'
import type { Logger } from '../../../machinery/log.ts'
import type { AdmissionAttributes } from '../admission.ts'
import type { Answer, CallWebhook } from './call.ts'

export type AnyWebhook = admissionregistration.MutatingWebhook | admissionregistration.ValidatingWebhook

/** Calls one webhook. `place` is how audit calls it: `mutating.webhook.admission.k8s.io/round_0_index_2`. Throws its refusal; resolves undefined when it failed and its policy is to go on. */
export async function ask(webhook: AnyWebhook, a: AdmissionAttributes, matched: Resource, call: CallWebhook, log: Logger, place: string): Promise<Answer | undefined> {
  if (a.context.dryRun && webhook.sideEffects !== 'None' && webhook.sideEffects !== 'NoneOnDryRun') {
    throw badRequest(`admission webhook ${JSON.stringify(webhook.name)} does not support dry run`)
  }
  let answer: Answer
  try {
    answer = await call(webhook, a, matched)
  } catch (error) {
    const why = `failed calling webhook ${JSON.stringify(webhook.name)}: failed to call webhook: ${error instanceof Error ? error.message : String(error)}`
    if (webhook.failurePolicy !== 'Ignore') throw internal(why)
    log.warn({ webhook: webhook.name, error: why }, 'webhook failed, its policy is to go on')
    a.context.annotate(`failed-open.${place}`, webhook.name)
    return undefined
  }
  for (const [key, value] of Object.entries(answer.auditAnnotations ?? {})) a.context.annotate(`${webhook.name}/${key}`, value)
  for (const warning of answer.warnings ?? []) a.context.warn(warning)
  if (answer.allowed !== true) throw refusal(webhook.name, answer)
  return answer
}

/** The webhook's own words, with its name before them. */
function refusal(name: string, { status }: Answer): ApiError {
  const denied = `admission webhook ${JSON.stringify(name)} denied the request`
  const why = status?.message || status?.reason
  const said = status?.code
  const code = Number.isInteger(said) && said! >= 400 && said! < 600 ? said! : 400
  return new ApiError(code, status?.reason ?? '', why ? `${denied}: ${why}` : `${denied} without explanation`)
}

/** All webhooks of all configurations, in the order of their configurations' names; `key` names one of them. */
export const inOrder = <W extends AnyWebhook>(configurations: readonly { readonly metadata: { readonly name?: string }; readonly webhooks?: readonly W[] }[]): readonly { readonly key: string; readonly webhook: W }[] =>
  configurations.toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
    .flatMap(({ metadata, webhooks }) => (webhooks ?? []).map((webhook) => ({ key: `${metadata.name}/${webhook.name}`, webhook })))
