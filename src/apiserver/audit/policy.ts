/** The audit policy: `audit.k8s.io/v1 Policy`, read from a file, and what it wants of a request. */
import { bool, list, map, opt, req, root, string, struct, zero, type Of } from '../../api/schema.ts'
import { parseConfiguration } from '../../machinery/configuration.ts'
import { path, type FieldError, type Path } from '../../machinery/field.ts'
import { dns1123Subdomain } from '../../machinery/names.ts'
import type { RequestInfo } from '../http/request.ts'
import type { Identity } from '../identity.ts'

export type Level = 'None' | 'Metadata' | 'Request' | 'RequestResponse'
export type Stage = 'RequestReceived' | 'ResponseStarted' | 'ResponseComplete' | 'Panic'

export const levels: readonly Level[] = ['None', 'Metadata', 'Request', 'RequestResponse']
export const stages: readonly Stage[] = ['RequestReceived', 'ResponseStarted', 'ResponseComplete', 'Panic']

const GroupResources = struct('GroupResources', {
  group: zero(0, string),
  resources: zero(0, list(string)),
  resourceNames: zero(0, list(string)),
})

const PolicyRule = struct('PolicyRule', {
  level: req(0, string),
  users: zero(0, list(string)),
  userGroups: zero(0, list(string)),
  verbs: zero(0, list(string)),
  resources: zero(0, list(GroupResources)),
  namespaces: zero(0, list(string)),
  nonResourceURLs: zero(0, list(string)),
  omitStages: zero(0, list(string)),
  omitManagedFields: opt(0, bool),
})
type PolicyRule = Of<typeof PolicyRule>
type GroupResources = Of<typeof GroupResources>

const Metadata = struct('ObjectMeta', { name: zero(0, string), creationTimestamp: opt(0, string), labels: zero(0, map(string)), annotations: zero(0, map(string)) })

const PolicyFile = root('Policy', {
  metadata: opt(0, Metadata),
  rules: req(0, list(PolicyRule)),
  omitStages: zero(0, list(string)),
  omitManagedFields: zero(0, bool),
})

/** What is to be written down of a request. */
export interface Wish {
  readonly level: Level
  readonly omitStages: ReadonlySet<Stage>
  readonly omitManagedFields: boolean
}

export interface Policy {
  /** What the first rule that fits says; undefined when that is nothing. */
  evaluate(user: Identity, info: RequestInfo): Wish | undefined
}

/** Reads a policy file. Throws an `Error` of one line that names the line and the field that is wrong. */
export function parsePolicy(text: string): Policy {
  const { value, refuse } = parseConfiguration(text, PolicyFile, { apiVersion: 'audit.k8s.io/v1', kind: 'Policy' })
  if (value.rules.length === 0) throw new Error('a policy without rules would write nothing down: it needs at least one')
  refuse([...stageErrors(value.omitStages ?? [], path('omitStages')), ...value.rules.flatMap((rule, i) => ruleErrors(rule, path('rules').index(i)))])
  const rules = value.rules.map((rule) => ({
    fits: matcher(rule),
    wish: rule.level === 'None' ? undefined : {
      level: rule.level as Level,
      omitStages: new Set([...(value.omitStages ?? []), ...(rule.omitStages ?? [])] as Stage[]),
      omitManagedFields: rule.omitManagedFields ?? value.omitManagedFields ?? false,
    },
  }))
  return { evaluate: (user, info) => rules.find(({ fits }) => fits(user, info))?.wish }
}

const stageErrors = (given: readonly string[], at: Path): FieldError[] =>
  given.flatMap((stage, i) => ((stages as readonly string[]).includes(stage) ? [] : [at.index(i).notSupported(stage, stages)]))

function ruleErrors(rule: PolicyRule, at: Path): FieldError[] {
  const errors: FieldError[] = []
  if (rule.level === '') errors.push(at.at('level').required())
  else if (!(levels as readonly string[]).includes(rule.level)) errors.push(at.at('level').notSupported(rule.level, levels))
  const both = Boolean(rule.nonResourceURLs?.length) && Boolean(rule.resources?.length || rule.namespaces?.length)
  if (both) errors.push(at.at('nonResourceURLs').invalid(rule.nonResourceURLs, 'rules cannot apply to both regular resources and non-resource URLs'))
  for (const [i, url] of (rule.nonResourceURLs ?? []).entries()) errors.push(...urlErrors(url, at.at('nonResourceURLs').index(i)))
  for (const [i, group] of (rule.resources ?? []).entries()) errors.push(...resourceErrors(group, at.at('resources').index(i)))
  return [...errors, ...stageErrors(rule.omitStages ?? [], at.at('omitStages'))]
}

function urlErrors(url: string, at: Path): FieldError[] {
  if (url === '*') return []
  if (!url.startsWith('/')) return [at.invalid(url, 'non-resource URL rules must begin with a \'/\' character')]
  return url.slice(0, -1).includes('*') ? [at.invalid(url, 'non-resource URL wildcards \'*\' must be the final character of the rule')] : []
}

function resourceErrors({ group = '', resources = [], resourceNames = [] }: GroupResources, at: Path): FieldError[] {
  const errors: FieldError[] = []
  if (group !== '') errors.push(...dns1123Subdomain(group).map((why) => at.at('group').invalid(group, why)))
  if (resourceNames.length > 0 && resources.length === 0) errors.push(at.at('resourceNames').invalid(resourceNames, 'using resourceNames requires at least one resource'))
  return errors
}

/** Whether a rule is about a request: every part of it that says something must fit. */
function matcher(rule: PolicyRule): (user: Identity, info: RequestInfo) => boolean {
  const set = (values: readonly string[] | undefined) => (values?.length ? new Set(values) : undefined)
  const users = set(rule.users)
  const groups = set(rule.userGroups)
  const verbs = set(rule.verbs)
  const namespaces = set(rule.namespaces)
  const { resources = [], nonResourceURLs = [] } = rule
  return (user, info) => {
    if (users && !users.has(user.name)) return false
    if (groups && !user.groups.some((group) => groups.has(group))) return false
    if (verbs && !verbs.has(info.verb)) return false
    if (namespaces || resources.length > 0) {
      if (!info.isResourceRequest || (namespaces && !namespaces.has(info.namespace))) return false
      return resources.length === 0 || resources.some((group) => coversResource(group, info))
    }
    if (nonResourceURLs.length > 0) return !info.isResourceRequest && nonResourceURLs.some((url) => coversPath(url, info.path))
    return true
  }
}

const coversPath = (url: string, text: string): boolean => url === '*' || url === text || (url.endsWith('*') && text.startsWith(url.slice(0, -1)))

/** `pods` is only pods, `pods/log` only their logs, `pods/*` is pods' subresources and pods, `*`, a slash and `scale` every scale, `*` everything. */
function coversResource({ group = '', resources = [], resourceNames = [] }: GroupResources, info: RequestInfo): boolean {
  if (group !== info.group) return false
  if (resources.length === 0) return true
  if (resourceNames.length > 0 && !resourceNames.includes(info.name)) return false
  const whole = info.subresource ? `${info.resource}/${info.subresource}` : info.resource
  return resources.some((resource) =>
    resource === '*' || resource === whole
    || (info.subresource !== '' && resource === `*/${info.subresource}`)
    || (resource.endsWith('/*') && resource.slice(0, -2) === info.resource))
}
