/** What both kinds of webhooks have in common: which are asked, and what becomes of an answer or of a failure. */
import type { admissionregistration } from '../../../api/index.ts'
import { ApiError, badRequest, internal } from '../../../machinery/errors.ts'
import type { Logger } from '../../../machinery/log.ts'
import type { AdmissionAttributes } from '../admission.ts'
import type { Answer, CallWebhook } from './call.ts'

export type AnyWebhook = admissionregistration.MutatingWebhook | admissionregistration.ValidatingWebhook

/** Calls one webhook. Throws its refusal; resolves undefined when it failed and its policy is to go on. */
export async function ask(webhook: AnyWebhook, a: AdmissionAttributes, call: CallWebhook, log: Logger): Promise<Answer | undefined> {
  if (a.context.dryRun && webhook.sideEffects !== 'None' && webhook.sideEffects !== 'NoneOnDryRun') {
    throw badRequest(`admission webhook ${JSON.stringify(webhook.name)} does not support dry run`)
  }
  let answer: Answer
  try {
    if (webhook.matchConditions?.length) throw new Error('matchConditions are not supported by this server')
    answer = await call(webhook, a)
  } catch (error) {
    const why = `failed calling webhook ${JSON.stringify(webhook.name)}: failed to call webhook: ${error instanceof Error ? error.message : String(error)}`
    if (webhook.failurePolicy !== 'Ignore') throw internal(why)
    log.warn({ webhook: webhook.name, error: why }, 'webhook failed, its policy is to go on')
    return undefined
  }
  for (const warning of answer.warnings ?? []) a.context.warn(warning)
  if (answer.allowed !== true) throw refusal(webhook.name, answer)
  return answer
}

/** The webhook's own words, with its name before them. */
function refusal(name: string, { status }: Answer): ApiError {
  const denied = `admission webhook ${JSON.stringify(name)} denied the request`
  const why = status?.message || status?.reason
  const code = Math.max(status?.code ?? 0, 400)
  return new ApiError(code, status?.reason ?? '', why ? `${denied}: ${why}` : `${denied} without explanation`)
}

/** All webhooks of all configurations, in the order of their configurations' names. */
export const inOrder = <W extends AnyWebhook>(configurations: readonly { readonly metadata: { readonly name?: string }; readonly webhooks?: readonly W[] }[]): readonly W[] =>
  configurations.toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1)).flatMap((c) => c.webhooks ?? [])
