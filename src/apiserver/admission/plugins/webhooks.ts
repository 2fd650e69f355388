/** Webhooks: what the cluster's users have to say about a write, by servers of their own. */
import { admissionregistration, core, type Resource, type StructType } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import { internal } from '../../../machinery/errors.ts'
import { decodeObject } from '../../../machinery/json.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { applyJsonPatch } from '../../../machinery/patch.ts'
import type { ServerEnvironment } from '../../options.ts'
import type { AdmissionPlugin } from '../admission.ts'
import { createCallWebhook, type Answer, type CallWebhook } from '../webhooks/call.ts'
import { createFindWebhook } from '../webhooks/endpoint.ts'
import { matches } from '../webhooks/match.ts'
import { ask, inOrder } from '../webhooks/run.ts'

type Environment = Pick<ServerEnvironment, 'lister' | 'log' | 'complete' | 'resources'>

/** Both plugins, over one way of calling. `call` is given by tests. */
export function webhooks(env: Environment, call: CallWebhook = createCallWebhook(createFindWebhook(env))): { readonly mutating: AdmissionPlugin; readonly validating: AdmissionPlugin } {
  const namespaces = env.lister(core.namespaces)
  const labelsOf = (name: string) => namespaces.get('', name)?.metadata.labels
  const log = env.log.child({ component: 'webhooks' })
  const mutating = env.lister(admissionregistration.mutatingwebhookconfigurations)
  const validating = env.lister(admissionregistration.validatingwebhookconfigurations)

  return {
    mutating: {
      name: 'MutatingAdmissionWebhook',
      handles: () => mutating.list().length > 0,
      async mutate(a) {
        let object = a.object as ApiObject
        /** What each webhook that wants to be asked again made of the object. */
        const made: { readonly webhook: admissionregistration.MutatingWebhook; readonly object: ApiObject }[] = []
        const run = async (webhook: admissionregistration.MutatingWebhook) => {
          const current = { ...a, object }
          if (!matches(webhook, current, labelsOf)) return
          const answer = await ask(webhook, current, call, log)
          if (answer?.patch) object = patched(env, a.resource, object, answer, webhook.name)
          if (webhook.reinvocationPolicy === 'IfNeeded') made.push({ webhook, object })
        }
        for (const webhook of inOrder(mutating.list())) await run(webhook)
        for (const before of made.splice(0)) if (!deepEqual(before.object, object)) await run(before.webhook)
        return object
      },
    },
    validating: {
      name: 'ValidatingAdmissionWebhook',
      handles: () => validating.list().length > 0,
      async validate(a) {
        const asked = inOrder(validating.list()).filter((webhook) => matches(webhook, a, labelsOf))
        const outcomes = await Promise.allSettled(asked.map((webhook) => ask(webhook, a, call, log)))
        for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
      },
    },
  }
}

/** The object with a webhook's patch: decoded and completed like anything that comes from outside. */
function patched(env: Environment, resource: Resource, object: ApiObject, { patch, patchType }: Answer, name: string): ApiObject {
  if (patchType !== 'JSONPatch') throw internal(`failed calling webhook ${JSON.stringify(name)}: webhook returned response.patch but not response.patchType`)
  const operations = JSON.parse(Buffer.from(patch ?? '', 'base64').toString('utf8')) as unknown
  const next = applyJsonPatch(object, operations)
  const stored = env.resources().find((r) => r.apiVersion === object.apiVersion && r.kind === object.kind) ?? resource
  return env.complete(stored, decodeObject(stored.type as StructType<ApiObject>, next).object)
}

