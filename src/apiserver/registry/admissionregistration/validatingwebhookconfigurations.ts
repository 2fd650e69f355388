/** Validating webhooks. */
import type { admissionregistration } from '../../../api/index.ts'
import { celReady } from '../../admission/policies/cel.ts'
import type { Strategy } from '../../strategy.ts'
import { within } from '../defaulting.ts'
import { ageColumn, integer, nameColumn, printer } from '../printing.ts'
import { nameWarnings, webhookDefaults, webhooks } from './webhook-rules.ts'

type Configuration = admissionregistration.ValidatingWebhookConfiguration

export const validatingwebhookconfigurations: Strategy<Configuration> = {
  anyFinalizers: true,
  counted: true,
  unconditionalUpdate: false,
  default: (object) => within(object, 'webhooks', (list) => list.map(webhookDefaults)),
  ready: (object) => celReady(object.webhooks?.some(({ matchConditions }) => matchConditions?.length) === true),
  validate: (object, root) => webhooks(object.webhooks, root),
  validateUpdate: (next, current, root) => webhooks(next.webhooks, root, current.webhooks),
  warnings: nameWarnings,
  printer: printer<Configuration>(nameColumn, integer('Webhooks', 'How many webhooks it names.', (o) => (o.webhooks ?? []).length), ageColumn),
}
