/** Which requests a flow schema matches. */
import type { flowcontrol } from '../../api/index.ts'
import type { RequestInfo } from '../http/request.ts'
import type { Identity } from '../identity.ts'

const has = (list: readonly string[], value: string): boolean => list.includes('*') || list.includes(value)

function isSubject(user: Identity, { user: person, group, serviceAccount }: flowcontrol.Subject): boolean {
  if (person) return person.name === '*' || person.name === user.name
  if (group) return group.name === '*' || user.groups.includes(group.name)
  if (!serviceAccount) return false
  const prefix = `system:serviceaccount:${serviceAccount.namespace}:`
  return serviceAccount.name === '*' ? user.name.startsWith(prefix) : user.name === prefix + serviceAccount.name
}

function meansResource(rule: flowcontrol.ResourcePolicyRule, info: RequestInfo): boolean {
  const { verb, group, resource, subresource, namespace } = info
  return has(rule.verbs, verb) && has(rule.apiGroups, group) && has(rule.resources, subresource ? `${resource}/${subresource}` : resource)
    && (namespace === '' ? rule.clusterScope === true : has(rule.namespaces ?? [], namespace))
}

const meansPath = (rule: flowcontrol.NonResourcePolicyRule, { verb, path }: RequestInfo): boolean =>
  has(rule.verbs, verb) && rule.nonResourceURLs.some((url) => url === '*' || url === path || (url.endsWith('/*') && path.startsWith(url.slice(0, -1))))

/** The rules of a schema whose subjects include this user. */
export const rulesFor = (schema: flowcontrol.FlowSchema, user: Identity): readonly flowcontrol.PolicyRulesWithSubjects[] =>
  (schema.spec.rules ?? []).filter((rule) => rule.subjects.some((subject) => isSubject(user, subject)))

/** Whether one of the rules matches the request. */
export const means = (rules: readonly flowcontrol.PolicyRulesWithSubjects[], info: RequestInfo): boolean =>
  rules.some((rule) => (info.isResourceRequest ? rule.resourceRules?.some((r) => meansResource(r, info)) : rule.nonResourceRules?.some((r) => meansPath(r, info))) ?? false)
