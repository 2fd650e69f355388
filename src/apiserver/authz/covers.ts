/** Whether a user's rules cover others: escalation checks. */
import type { rbac } from '../../api/index.ts'
import type { HeldRule } from './authorizer.ts'
import { urlMatches } from './rbac.ts'

/** Breaks rules down into single rights: one verb on one resource (and name), or on one path. */
function* rights(rule: Partial<rbac.PolicyRule>): Iterable<rbac.PolicyRule> {
  for (const verb of rule.verbs ?? []) {
    for (const url of rule.nonResourceURLs ?? []) yield { verbs: [verb], nonResourceURLs: [url] }
    for (const apiGroup of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        const names = rule.resourceNames?.length ? rule.resourceNames : [undefined]
        for (const name of names) yield { verbs: [verb], apiGroups: [apiGroup], resources: [resource], ...(name === undefined ? {} : { resourceNames: [name] }) }
      }
    }
  }
}

/** The single rights in `wanted` that no rule in `held` covers. */
export const missingRules = (wanted: readonly rbac.PolicyRule[], held: readonly HeldRule[]): readonly rbac.PolicyRule[] =>
  wanted.flatMap((rule) => [...rights(rule)]).filter((right) => !held.some((rule) => covers(rule, right)))

/** Single rights in Kubernetes's words, merged if they differ only by verb: `{APIGroups:[""], Resources:["nodes"], Verbs:["get" "list"]}`. */
export function wordsOf(rights: readonly rbac.PolicyRule[]): readonly string[] {
  const texts = (name: string, list: readonly string[] | undefined) => (list?.length ? [`${name}:[${list.map((text) => JSON.stringify(text)).join(' ')}]`] : [])
  const verbs = new Map<string, string[]>()
  for (const { apiGroups, resources, resourceNames, nonResourceURLs, verbs: [verb = ''] } of rights) {
    const subject = [...texts('APIGroups', apiGroups), ...texts('Resources', resources), ...texts('NonResourceURLs', nonResourceURLs), ...texts('ResourceNames', resourceNames)].join(', ')
    const known = verbs.get(subject)
    if (known) known.push(verb)
    else verbs.set(subject, [verb])
  }
  return [...verbs].map(([subject, list]) => `{${subject}, ${texts('Verbs', list).join()}}`).toSorted()
}

const has = (list: readonly string[] | undefined, wanted: string): boolean => list?.includes('*') === true || list?.includes(wanted) === true

function covers(held: HeldRule, right: rbac.PolicyRule): boolean {
  if (!has(held.verbs, right.verbs[0] as string)) return false
  const url = right.nonResourceURLs?.[0]
  if (url !== undefined) return held.nonResourceURLs?.some((pattern) => urlMatches(pattern, url)) ?? false
  if (held.nonResourceURLs?.length || !has(held.apiGroups, right.apiGroups?.[0] as string)) return false
  const resource = right.resources?.[0] as string
  const slash = resource.indexOf('/')
  const named = has(held.resources, resource) || (slash > 0 && held.resources?.includes(`*${resource.slice(slash)}`) === true)
  const name = right.resourceNames?.[0]
  return named && (!held.resourceNames?.length || (name !== undefined && held.resourceNames.includes(name)))
}
