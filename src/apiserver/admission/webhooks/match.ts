/** Whether a webhook wants to hear of a request: by its rules, and by the labels of the namespace and of the object. */
import type { admissionregistration, meta, Resource } from '../../../api/index.ts'
import { fromLabelSelector } from '../../../machinery/labels.ts'
import type { AdmissionAttributes } from '../admission.ts'

type Rule = admissionregistration.RuleWithOperations
type Labels = Readonly<Record<string, string>> | undefined

export interface Matchable {
  readonly rules?: readonly Rule[]
  readonly matchPolicy?: string | undefined
  readonly namespaceSelector?: meta.LabelSelector | undefined
  readonly objectSelector?: meta.LabelSelector | undefined
}

/** Webhooks and policies never hear of their own configuration: they could make themselves impossible to remove. */
const exempt = 'admissionregistration.k8s.io'

/** What nobody may intervene in: the configuration of admission, and reviews, which only pass through. */
export const isExempt = ({ resource, operation }: AdmissionAttributes): boolean => resource.group === exempt || (operation !== 'CONNECT' && resource.verbs.length === 1)

/** `namespaceLabels` gives the labels of a namespace, undefined when it is not there. */
export function matches(webhook: Matchable, a: AdmissionAttributes, namespaceLabels: (name: string) => Labels): boolean {
  return matchedResource(webhook, a, namespaceLabels) !== undefined
}

/**
 * The resource by which a webhook, or a policy, wants to hear of a request: the requested one, or with `matchPolicy: Equivalent` another version
 * of it that a rule names. Undefined: not at all.
 */
export function matchedResource(hook: Matchable, a: AdmissionAttributes, namespaceLabels: (name: string) => Labels): Resource | undefined {
  if (isExempt(a)) return undefined
  const matched = ruleResource(hook.rules, hook.matchPolicy, a)
  return matched && selected(hook, a, namespaceLabels) ? matched : undefined
}

/** Whether the labels of the namespace and of the object are those that are wanted. */
export const selected = (hook: Matchable, a: AdmissionAttributes, namespaceLabels: (name: string) => Labels): boolean =>
  namespaceMatches(hook, a, namespaceLabels) && objectMatches(hook, a)

/** The resource that the rules name. */
export function ruleResource(rules: readonly Rule[] | undefined, matchPolicy: string | undefined, a: AdmissionAttributes): Resource | undefined {
  const requested = a.requested ?? a.resource
  const named = (resource: Resource) => (rules ?? []).some((rule) => ruleMatches(rule, a, resource))
  if (named(requested)) return requested
  if (matchPolicy === 'Exact') return undefined
  if (requested !== a.resource && named(a.resource)) return a.resource
  return a.others?.().find(({ resource }) => resource !== requested && named(resource))?.resource
}

const has = (list: readonly string[] | undefined, wanted: string): boolean => list?.includes('*') === true || list?.includes(wanted) === true

function ruleMatches(rule: Rule & { readonly resourceNames?: readonly string[] }, { operation, subresource, name }: AdmissionAttributes, resource: Resource): boolean {
  const namespaced = resource.namespaced ? 'Namespaced' : 'Cluster'
  // A namespace itself is not in a namespace, although its URL looks like it.
  const inScope = rule.scope === undefined || rule.scope === '*' || rule.scope === namespaced
  return inScope && has(rule.operations, operation) && has(rule.apiGroups, resource.group) && has(rule.apiVersions, resource.version)
    && (rule.resources ?? []).some((pattern) => resourceMatches(pattern, resource.plural, subresource))
    && (!rule.resourceNames?.length || rule.resourceNames.includes(name))
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
  if (a.resource.groupResource === 'namespaces') return selector.matches(a.subresource === '' && (a.operation === 'CREATE' || a.operation === 'UPDATE') ? a.object?.metadata.labels : a.old?.metadata.labels)
  return a.namespace === '' || selector.matches(labelsOf(a.namespace))
}

function objectMatches({ objectSelector }: Matchable, a: AdmissionAttributes): boolean {
  const selector = objectSelector && fromLabelSelector(objectSelector)
  if (!selector || selector.empty) return true
  // What is sent to a connection has no metadata.
  return [a.object, a.old].some((object) => object !== undefined && selector.matches((object.metadata as meta.ObjectMeta | undefined)?.labels))
}
