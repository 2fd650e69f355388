/** What both kinds of webhooks have in common: which are asked, and what becomes of an answer or of a failure. */
import type { admissionregistration } from '../../../api/index.ts'
import { ApiError, badRequest, internal, timedOut, type StatusDetails } from '../../../machinery/errors.ts'
import type { Logger } from '../../../machinery/log.ts'
import { qualifiedName } from '../../../machinery/names.ts'
import type { AdmissionAttributes } from '../admission.ts'
import type { AdmissionMetrics, WebhookType } from '../metrics.ts'
import { WebhookFailure, type Answer } from './call.ts'

export type AnyWebhook = admissionregistration.MutatingWebhook | admissionregistration.ValidatingWebhook

export interface Judging {
  readonly webhook: AnyWebhook
  readonly type: WebhookType
  readonly attributes: AdmissionAttributes
  readonly metrics: AdmissionMetrics
  readonly log: Logger
  /** How audit calls it: `mutation.webhook.admission.k8s.io/round_0_index_2`. */
  readonly place: string
}

/** What a webhook refused, as its client is told. */
class Refusal extends Error {
  readonly error: ApiError
  constructor(error: ApiError) {
    super(error.message)
    this.error = error
  }
}

/**
 * Runs `work`, which calls the webhook and uses its answer, and counts what becomes of it. Throws its refusal, and what went wrong; resolves
 * undefined when the webhook failed and its policy is to go on.
 */
export async function judged<T>({ webhook, type, attributes: { operation, context }, metrics, log, place }: Judging, work: () => Promise<T>): Promise<T | undefined> {
  const begun = performance.now()
  const { name } = webhook
  const count = (code: number, rejected: boolean) => {
    const ms = performance.now() - begun
    context.caller?.spent?.(type === 'admit' ? 'mutating-webhook' : 'validating-webhook', ms)
    metrics.webhook(name, type, operation, code, rejected, ms / 1000)
  }
  try {
    const result = await work()
    count(200, false)
    return result
  } catch (error) {
    if (error instanceof Refusal) {
      metrics.webhookRejected(name, type, operation, 'no_error', error.error.code)
      count(error.error.code, true)
      throw error.error
    }
    if (!(error instanceof WebhookFailure)) {
      metrics.webhookRejected(name, type, operation, 'apiserver_internal_error', 0)
      count(0, true)
      throw error
    }
    const why = `failed calling webhook ${JSON.stringify(name)}: ${error.message}`
    const open = webhook.failurePolicy === 'Ignore'
    // Who has gone is not the webhook's fault.
    const left = context.caller?.gone !== undefined
    if (!open && !left) metrics.webhookRejected(name, type, operation, 'calling_webhook_error', error.code)
    count(error.code, !open)
    if (!open) throw internal(why)
    if (left) throw timedOut('Timeout: request did not complete within requested timeout', 0)
    log.warn({ webhook: name, error: why }, 'webhook failed, its policy is to go on')
    metrics.failedOpen(name, type)
    context.annotate(`failed-open.${place}`, name)
    return undefined
  }
}

/** Throws `ApiError` 400 when the request is a dry run, and the webhook might do something then. */
export function checkDryRun({ name, sideEffects }: AnyWebhook, { context }: AdmissionAttributes): void {
  if (context.dryRun && sideEffects !== 'None' && sideEffects !== 'NoneOnDryRun') throw badRequest(`admission webhook ${JSON.stringify(name)} does not support dry run`)
}

/** Passes on what the webhook has to say to audit and to the client. Throws when it refuses. */
export function heed(name: string, answer: Answer, { context }: AdmissionAttributes): void {
  for (const [own, value] of Object.entries(answer.auditAnnotations ?? {})) {
    const key = `${name}/${own}`
    // What is no name of an annotation is left out, as Kubernetes leaves it out.
    if (qualifiedName(key).length === 0) context.annotate(key, value)
  }
  for (const warning of answer.warnings ?? []) context.warn(warning)
  if (answer.allowed !== true) throw new Refusal(refusal(name, answer))
}

/** The webhook's own words, with its name before them. */
function refusal(name: string, { status }: Answer): ApiError {
  const denied = `admission webhook ${JSON.stringify(name)} denied the request`
  const why = status?.message || status?.reason
  const said = status?.code
  const code = Number.isInteger(said) && said! >= 400 && said! < 1000 ? said! : 400
  return new ApiError(code, status?.reason ?? '', why ? `${denied}: ${why}` : `${denied} without explanation`, status?.details as StatusDetails | undefined)
}

/** All webhooks of all configurations, in the order of their configurations' names; `key` names one of them. */
export const inOrder = <W extends AnyWebhook>(configurations: readonly { readonly metadata: { readonly name?: string }; readonly webhooks?: readonly W[] }[]): readonly { readonly key: string; readonly webhook: W }[] =>
  configurations.toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
    .flatMap(({ metadata, webhooks }) => (webhooks ?? []).map((webhook) => ({ key: `${metadata.name}/${webhook.name}`, webhook })))
