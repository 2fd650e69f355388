/** Webhooks: what the cluster's users have to say about a write, by servers of their own. */
import { admissionregistration, core, type Resource } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import { internal } from '../../../machinery/errors.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { applyJsonPatch } from '../../../machinery/patch.ts'
import type { Authorizer } from '../../authz/authorizer.ts'
import type { ServerEnvironment } from '../../options.ts'
import type { AdmissionAttributes, AdmissionPlugin } from '../admission.ts'
import { patched } from '../patched.ts'
import { trackInvocations } from '../reinvocation.ts'
import { shownAs } from '../versions.ts'
import { createCallWebhook, type Answer, type CallWebhook } from '../webhooks/call.ts'
import { createConditions } from '../webhooks/conditions.ts'
import { createFindWebhook } from '../webhooks/endpoint.ts'
import { isExempt, matchedResource } from '../webhooks/match.ts'
import { ask, inOrder, type AnyWebhook } from '../webhooks/run.ts'

type Environment = Pick<ServerEnvironment, 'lister' | 'log' | 'complete' | 'resources'>

/** Both plugins, over one way of calling. `call` is given by tests. */
export function webhooks(env: Environment, authorizer: Authorizer, call: CallWebhook = createCallWebhook(createFindWebhook(env))): { readonly mutating: AdmissionPlugin; readonly validating: AdmissionPlugin } {
  const namespaces = env.lister(core.namespaces)
  const labelsOf = (name: string) => namespaces.get('', name)?.metadata.labels
  const log = env.log.child({ component: 'webhooks' })
  const mutating = env.lister(admissionregistration.mutatingwebhookconfigurations)
  const validating = env.lister(admissionregistration.validatingwebhookconfigurations)
  const conditions = createConditions(env, authorizer)

  /** Asks a webhook if the request is one that it is meant to hear of. */
  const askIfMeant = async (webhook: AnyWebhook, a: AdmissionAttributes, place: string): Promise<{ readonly answer: Answer; readonly matched: Resource; readonly shown: AdmissionAttributes } | undefined> => {
    const matched = matchedResource(webhook, a, labelsOf)
    if (!matched) return undefined
    const shown = await shownAs(a, matched)
    if (webhook.matchConditions?.length && !(await conditions(webhook, shown, matched, log))) return undefined
    const answer = await ask(webhook, shown, matched, call, log, place)
    return answer && { answer, matched, shown }
  }

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
          const asked = await askIfMeant(webhook, { ...a, object }, `mutating.webhook.admission.k8s.io/round_${round}_index_${index}`)
          if (!asked) continue
          const before = object
          if (asked.answer.patch && object) object = await applied(env, { ...a, object }, asked.matched, asked.shown.object as ApiObject, asked.answer, webhook.name)
          const changed = before !== object && !deepEqual(before, object)
          const configuration = key.slice(0, key.length - webhook.name.length - 1)
          a.context.annotate(`mutation.webhook.admission.k8s.io/round_${round}_index_${index}`, JSON.stringify({ configuration, webhook: webhook.name, mutated: changed }))
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
        const outcomes = await Promise.allSettled(inOrder(validating.list()).map(({ webhook }, index) => askIfMeant(webhook, a, `validating.webhook.admission.k8s.io/round_0_index_${index}`)))
        for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
      },
    },
  }
}

/** The object with a webhook's patch. */
async function applied(env: Environment, a: AdmissionAttributes, matched: Resource, shown: ApiObject, { patch, patchType }: Answer, name: string): Promise<ApiObject> {
  if (patchType !== 'JSONPatch') throw internal(`failed calling webhook ${JSON.stringify(name)}: webhook returned response.patch but not response.patchType`)
  const operations = JSON.parse(Buffer.from(patch ?? '', 'base64').toString('utf8')) as unknown
  return patched(env, a, matched, applyJsonPatch(shown, operations))
}
