/** Whether a webhook wants to hear of a request: by its rules, and by the labels of the namespace and of the object. */
import type { admissionregistration, meta } from '../../../api/index.ts'
import { fromLabelSelector } from '../../../machinery/labels.ts'
import type { AdmissionAttributes } from '../admission.ts'

type Rule = admissionregistration.RuleWithOperations
type Labels = Readonly<Record<string, string>> | undefined

export interface Matchable {
  readonly rules?: readonly Rule[]
  readonly namespaceSelector?: meta.LabelSelector | undefined
  readonly objectSelector?: meta.LabelSelector | undefined
}

/** Webhooks never hear of their own configuration: they could make themselves impossible to remove. */
const exempt = 'admissionregistration.k8s.io'

/** `namespaceLabels` gives the labels of a namespace, undefined when it is not there. */
export function matches(webhook: Matchable, a: AdmissionAttributes, namespaceLabels: (name: string) => Labels): boolean {
  if (a.resource.group === exempt || a.resource.verbs.length === 1) return false
  return (webhook.rules ?? []).some((rule) => ruleMatches(rule, a)) && namespaceMatches(webhook, a, namespaceLabels) && objectMatches(webhook, a)
}

const has = (list: readonly string[] | undefined, wanted: string): boolean => list?.includes('*') === true || list?.includes(wanted) === true

function ruleMatches(rule: Rule, { operation, resource, subresource }: AdmissionAttributes): boolean {
  const namespaced = resource.namespaced ? 'Namespaced' : 'Cluster'
  // A namespace itself is not in a namespace, although its URL looks like it.
  const inScope = rule.scope === undefined || rule.scope === '*' || rule.scope === namespaced
  return inScope && has(rule.operations, operation) && has(rule.apiGroups, resource.group) && has(rule.apiVersions, resource.version)
    && (rule.resources ?? []).some((pattern) => resourceMatches(pattern, resource.plural, subresource))
}

/** `pods`, `pods/log`, `pods/*`, `*`, `* /scale` and `* /*` (without the blank). */
function resourceMatches(pattern: string, plural: string, subresource: string): boolean {
  const [resource = '', sub] = pattern.split('/')
  if (resource !== '*' && resource !== plural) return false
  return sub === undefined ? subresource === '' : sub === '*' || sub === subresource
}

function namespaceMatches({ namespaceSelector }: Matchable, a: AdmissionAttributes, labelsOf: (name: string) => Labels): boolean {
  const selector = namespaceSelector && fromLabelSelector(namespaceSelector)
  if (!selector || selector.empty) return true
  if (a.resource.groupResource === 'namespaces') return selector.matches(a.operation === 'CREATE' || a.operation === 'UPDATE' ? a.object?.metadata.labels : a.old?.metadata.labels)
  return a.namespace === '' || selector.matches(labelsOf(a.namespace))
}

function objectMatches({ objectSelector }: Matchable, a: AdmissionAttributes): boolean {
  const selector = objectSelector && fromLabelSelector(objectSelector)
  if (!selector || selector.empty) return true
  return [a.object, a.old].some((object) => object !== undefined && selector.matches(object.metadata.labels))
}
