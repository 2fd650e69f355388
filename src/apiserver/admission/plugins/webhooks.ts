/** Webhooks: what the cluster's users have to say about a write, by servers of their own. */
import { admissionregistration, core, type Resource } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import { internal, isApiError } from '../../../machinery/errors.ts'
import { parseExactly } from '../../../machinery/json.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { applyJsonPatch, rejectedFor } from '../../../machinery/patch.ts'
import type { Authorizer } from '../../authz/authorizer.ts'
import type { ServerEnvironment } from '../../options.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { createAdmissionMetrics, type AdmissionMetrics, type WebhookType } from '../metrics.ts'
import { patched } from '../patched.ts'
import { trackInvocations } from '../reinvocation.ts'
import { shownAs } from '../versions.ts'
import { createCallWebhook, WebhookFailure, type Answer, type CallWebhook, type WebhookCredentials } from '../webhooks/call.ts'
import { createConditions } from '../webhooks/conditions.ts'
import { createFindWebhook } from '../webhooks/endpoint.ts'
import { isExempt, matchedResource } from '../webhooks/match.ts'
import { checkDryRun, heed, inOrder, judged, type AnyWebhook } from '../webhooks/run.ts'

type Environment = Pick<ServerEnvironment, 'lister' | 'log' | 'complete' | 'resources' | 'clock'>

/** A webhook that is meant, with the request as it wants to see it. */
interface Meant { readonly matched: Resource; readonly shown: AdmissionAttributes }

/** Both plugins, over one way of calling, which tests give. `credentials`: what webhooks are shown. */
export function webhooks(env: Environment, authorizer: Authorizer, metrics: AdmissionMetrics = createAdmissionMetrics(), given?: CallWebhook, credentials?: WebhookCredentials): { readonly mutating: AdmissionPlugin; readonly validating: AdmissionPlugin } {
  const call = given ?? createCallWebhook(createFindWebhook(env), env.clock, credentials)
  const namespaces = env.lister(core.namespaces)
  const labelsOf = (name: string) => namespaces.get('', name)?.metadata.labels
  const log = env.log.child({ component: 'webhooks' })
  const mutating = env.lister(admissionregistration.mutatingwebhookconfigurations)
  const validating = env.lister(admissionregistration.validatingwebhookconfigurations)
  const conditions = createConditions(env, authorizer, metrics)

  /** Whether the request is one that the webhook is to hear of. */
  const meant = async (webhook: AnyWebhook, type: WebhookType, a: AdmissionAttributes): Promise<Meant | undefined> => {
    const matched = matchedResource(webhook, a, labelsOf)
    if (!matched) return undefined
    const shown = await shownAs(a, matched)
    if (webhook.matchConditions?.length && !(await conditions(webhook, type, shown, matched, log))) return undefined
    return { matched, shown }
  }
  const ask = async (webhook: AnyWebhook, { matched, shown }: Meant, isMutating: boolean): Promise<Answer> => {
    checkDryRun(webhook, shown)
    const answer = await call(webhook, shown, matched, isMutating)
    heed(webhook.name, answer, shown)
    return answer
  }
  /** Asks a webhook for its changes; the object as it has it, or undefined when it failed and is gone on without. */
  const mutate = (webhook: AnyWebhook, a: AdmissionAttributes, to: Meant, configuration: string, at: string) =>
    judged({ webhook, type: 'admit', attributes: a, metrics, log, place: `mutation.webhook.admission.k8s.io/${at}` }, async () => {
      let mutated = false
      try {
        const answer = await ask(webhook, to, true)
        const operations = operationsOf(answer)
        if (operations.length === 0) return a.object
        const object = await applied(env, a, to, operations, webhook.name)
        mutated = !deepEqual(a.object, object)
        a.context.annotate(`patch.webhook.admission.k8s.io/${at}`, JSON.stringify({ configuration, webhook: webhook.name, patch: operations, patchType: 'JSONPatch' }), 'Request')
        return object
      } finally {
        a.context.annotate(`mutation.webhook.admission.k8s.io/${at}`, JSON.stringify({ configuration, webhook: webhook.name, mutated }))
      }
    })

  return {
    mutating: {
      name: 'MutatingAdmissionWebhook',
      hearsOfAll: true,
      handles: (a) => mutating.list().length > 0 && !isExempt(a),
      async mutate(a) {
        let { object } = a
        const tracker = trackInvocations('webhooks', a, object)
        const round = a.reinvocation?.second ? 1 : 0
        for (const [index, { key, webhook }] of inOrder(mutating.list()).entries()) {
          if (!tracker.asks(key)) continue
          const now = { ...a, object }
          const to = await meant(webhook, 'admit', now)
          if (!to) continue
          const before = object
          object = (await mutate(webhook, now, to, key.slice(0, key.length - webhook.name.length - 1), `round_${round}_index_${index}`)) ?? object
          const changed = before !== object && !deepEqual(before, object)
          tracker.asked(key, changed, (webhook as admissionregistration.MutatingWebhook).reinvocationPolicy === 'IfNeeded')
        }
        tracker.end(object)
        return object
      },
    },
    validating: {
      name: 'ValidatingAdmissionWebhook',
      handles: (a) => validating.list().length > 0 && !isExempt(a),
      async validate(a) {
        const relevant: (Meant & { readonly webhook: AnyWebhook })[] = []
        for (const { webhook } of inOrder(validating.list())) {
          const to = await meant(webhook, 'validating', a)
          if (to) relevant.push({ webhook, ...to })
        }
        const outcomes = await Promise.allSettled(relevant.map(({ webhook, ...to }, index) =>
          judged({ webhook, type: 'validating', attributes: a, metrics, log, place: `validating.webhook.admission.k8s.io/round_0_index_${index}` }, () => ask(webhook, to, false))))
        for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
      },
    },
  }
}

const known: ReadonlySet<unknown> = new Set(['add', 'remove', 'replace', 'move', 'copy', 'test'])

/** The operations of an answer's patch. Throws `WebhookFailure` when they cannot be read. */
function operationsOf({ patch, patchType }: Answer): readonly unknown[] {
  if (!patch) return []
  let operations: unknown
  try {
    operations = parseExactly(Buffer.from(patch, 'base64').toString('utf8'))
  } catch (error) {
    throw new WebhookFailure(503, `received undecodable patch in webhook response: ${(error as Error).message}`)
  }
  if (!Array.isArray(operations)) throw new WebhookFailure(503, 'received undecodable patch in webhook response: a JSON patch is an array of operations')
  const unknown = operations.find((operation) => !known.has((operation as { op?: unknown } | null)?.op))
  if (unknown !== undefined) throw new WebhookFailure(503, `received undecodable patch in webhook response: invalid operation ${JSON.stringify(unknown)}: unsupported operation`)
  if (operations.length > 0 && patchType !== 'JSONPatch') throw new WebhookFailure(400, `unsupported patch type ${JSON.stringify(patchType)}`)
  return operations as unknown[]
}

/** The object with a webhook's patch. Throws `ApiError` 500 when it does not fit. */
async function applied(env: Environment, a: AdmissionAttributes, { matched, shown }: Meant, operations: readonly unknown[], name: string): Promise<ApiObject> {
  if (!shown.object) throw internal(`admission webhook ${JSON.stringify(name)} attempted to modify the object, which is not supported for this operation`)
  try {
    return await patched(env, a, matched, applyJsonPatch(shown.object, operations))
  } catch (error) {
    throw isApiError(error) && error.code < 500 ? internal(rejectedFor(error)) : error
  }
}
