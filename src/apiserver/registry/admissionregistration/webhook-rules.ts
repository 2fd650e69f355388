/** What webhook configurations of both kinds, and the rules of policies, have in common. */
import type { admissionregistration, meta } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import type { Place } from '../../../machinery/field.ts'
import { deepEqual } from '../../../machinery/meta.ts'
import { dns1035Label, dns1123Subdomain, pathSegmentName, qualifiedName } from '../../../machinery/names.ts'
import { distinct, follows, forEach, ifThere, named, selector } from '../checks.ts'
import { each, orDefault, within } from '../defaulting.ts'
import { conditionExpressions } from './expressions.ts'

type Webhook = admissionregistration.MutatingWebhook | admissionregistration.ValidatingWebhook
type Rule = admissionregistration.RuleWithOperations

const ruleDefaults = <R extends Rule>(rule: R): R => orDefault<R>(rule, { scope: '*' } as never)

/** Fails closed within ten seconds, and sees equivalent requests and all objects. */
export function webhookDefaults<W extends Webhook>(webhook: W): W {
  const next = orDefault<Webhook>(webhook, { failurePolicy: 'Fail', matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {}, timeoutSeconds: 10 })
  const reached = within(next, 'clientConfig', (config) => within(config, 'service', (service) => orDefault(service, { port: 443 })))
  return within(reached, 'rules', (rules) => rules.map(ruleDefaults)) as W
}

/** Some names are for what is configured in files (KEP-5793), which is behind a closed gate: they are taken, with a warning. */
export const nameWarnings = ({ metadata: { name = '' } }: ApiObject): readonly string[] =>
  (name.endsWith('.static.k8s.io') ? ['metadata.name: names ending with ".static.k8s.io" are reserved for static manifest-based configurations and cannot be managed via the API'] : [])

export const failurePolicies = ['Fail', 'Ignore']
const matchPolicies = ['Equivalent', 'Exact']
const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const scopes = ['*', 'Cluster', 'Namespaced']

/** All webhooks of a configuration. `before` an update: conditions that all of them had are not judged again. */
export function webhooks(list: readonly Webhook[] | undefined, root: Place, before?: readonly Webhook[]): void {
  const at = root.at('webhooks')
  const known = before?.length === list?.length && before?.every((old, i) => deepEqual(old.matchConditions, list?.[i]?.matchConditions)) === true
  forEach(at, list, (value, place) => webhook(value, place, known))
  distinct(at, list, (value) => value.name, 'name')
}

function webhook(value: Webhook, at: Place, known: boolean): void {
  const problems = dns1123Subdomain(value.name)
  if (!value.name) at.at('name').required()
  else if (problems.length > 0) at.at('name').invalid(value.name, problems.join(','))
  else if (value.name.split('.').length < 3) at.at('name').invalid(value.name, 'should be a domain with at least three segments separated by dots')
  forEach(at.at('rules'), value.rules, rule)
  ifThere(at.at('failurePolicy'), value.failurePolicy, failurePolicies)
  ifThere(at.at('matchPolicy'), value.matchPolicy, matchPolicies)
  if (!value.sideEffects) at.at('sideEffects').required('must specify one of None, NoneOnDryRun')
  else ifThere(at.at('sideEffects'), value.sideEffects, ['None', 'NoneOnDryRun'])
  const seconds = value.timeoutSeconds
  if (seconds !== undefined && (seconds < 1 || seconds > 30)) at.at('timeoutSeconds').invalid(seconds, 'the timeout value must be between 1 and 30 seconds')
  selector(at.at('namespaceSelector'), value.namespaceSelector)
  selector(at.at('objectSelector'), value.objectSelector)
  if ('reinvocationPolicy' in value) ifThere(at.at('reinvocationPolicy'), value.reinvocationPolicy, ['IfNeeded', 'Never'])
  clientConfig(at.at('clientConfig'), value.clientConfig)
  if (!known) {
    matchConditions(at.at('matchConditions'), value.matchConditions)
    conditionExpressions(at.at('matchConditions'), value.matchConditions)
  }
  versions(at.at('admissionReviewVersions'), value.admissionReviewVersions)
}

function versions(at: Place, list: readonly string[]): void {
  if (list.length === 0) return at.required('must specify one of v1, v1beta1')
  for (const [i, version] of list.entries()) {
    if (list.indexOf(version) < i) at.index(i).invalid(version, 'duplicate version')
    else follows(at.index(i), version, dns1035Label)
  }
  if (!list.some((version) => version === 'v1' || version === 'v1beta1')) at.invalid(list, 'must include at least one of v1, v1beta1')
}

/** Where a webhook is reached: by URL, or by a service of the cluster. */
export function clientConfig(at: Place, { url, service }: admissionregistration.WebhookClientConfig): void {
  if ((url === undefined) === (service === undefined)) return at.required('exactly one of url or service is required')
  if (url !== undefined) webhookUrl(at.at('url'), url)
  if (!service) return
  if (!service.name) at.at('service').at('name').required()
  if (!service.namespace) at.at('service').at('namespace').required()
  const { port } = service
  if (port !== undefined && (port < 1 || port > 65535)) at.at('service').at('port').invalid(port, 'port is not valid: must be between 1 and 65535, inclusive')
  servicePath(at.at('service').at('path'), service.path ?? '')
}

/** A path of steps that look like domains; empty and `/` stand for none. */
function servicePath(at: Place, value: string): void {
  if (value === '' || value === '/') return
  if (value === '//') return at.invalid(value, 'segment[0] may not be empty')
  if (!value.startsWith('/')) at.invalid(value, "must start with a '/'")
  for (const [i, step] of value.slice(1).replace(/\/$/, '').split('/').entries()) {
    if (step === '') at.invalid(value, `segment[${i}] may not be empty`)
    else for (const why of dns1123Subdomain(step)) at.invalid(value, `segment[${i}]: ${why}`)
  }
}

const form = 'desired format: https://host[/path]'

/** What is wrong with an address as a whole, in the words of Go's parser; browsers (and `URL`) would put several such right in silence. */
function malformed(text: string, host: string): string | undefined {
  if (hasControls(text)) return 'net/url: invalid control character in URL'
  const odd = /[\s\\<>^`{|}"]/.exec(host)
  if (odd) return `invalid character ${JSON.stringify(odd[0])} in host name`
  return /^https:\/\/[^/?#]/i.test(text) && !URL.canParse(text) ? 'invalid URI' : undefined
}

const hasControls = (text: string): boolean => [...text].some((char) => char < ' ' || char === '\u007f')

function webhookUrl(at: Place, text: string): void {
  const { scheme = '', authority = '', query = '', fragment = '' } = /^(?:(?<scheme>[a-z][a-z0-9+.-]*):)?(?:\/\/(?<authority>[^/?#]*))?[^?#]*(?:\?(?<query>[^#]*))?(?:#(?<fragment>.*))?/is.exec(text)?.groups ?? {}
  const end = authority.lastIndexOf('@')
  const host = authority.slice(end + 1)
  const why = malformed(text, host)
  if (why) return at.required(`url must be a valid URL: parse ${JSON.stringify(text)}: ${why}; ${form}`)
  if (scheme.toLowerCase() !== 'https') at.invalid(scheme.toLowerCase(), `'https' is the only allowed URL scheme; ${form}`)
  if (!host) at.invalid(host, `host must be specified; ${form}`)
  if (end >= 0) at.invalid(authority.slice(0, end), 'user information is not permitted in the URL')
  if (fragment) at.invalid(fragment, 'fragments are not permitted in the URL')
  if (query) at.invalid(query, 'query parameters are not permitted in the URL')
}

/** Validates one rule of a webhook or a policy. */
export function rule(value: Rule, at: Place): void {
  if (!value.operations?.length) at.at('operations').required()
  star(at.at('operations'), value.operations, 'operations')
  forEach(at.at('operations'), value.operations, (operation, place) => ifThere(place, operation, operations))
  if (!value.apiGroups?.length) at.at('apiGroups').required()
  star(at.at('apiGroups'), value.apiGroups, 'API groups')
  if (!value.apiVersions?.length) at.at('apiVersions').required()
  star(at.at('apiVersions'), value.apiVersions, 'API versions')
  forEach(at.at('apiVersions'), value.apiVersions, (version, place) => named(place, version))
  resources(at.at('resources'), value.resources ?? [])
  ifThere(at.at('scope'), value.scope, scopes)
}

function star(at: Place, list: readonly string[] | undefined, what: string): void {
  if (list && list.length > 1 && list.includes('*')) at.invalid(list, `if '*' is present, must not specify other ${what}`)
}

/** Resources and subresources; what a star stands for already is not named beside it. */
function resources(at: Place, list: readonly string[]): void {
  if (list.length === 0) at.required()
  const whole = new Set<string>()
  const everywhere = new Set<string>()
  // As in Kubernetes, it is the last of the resources that counts beside a star: ["pods", "*"] is fine, ["*", "pods"] is not.
  let last = '*'
  for (const [i, name] of list.entries()) {
    const slash = name.indexOf('/')
    if (name === '') at.index(i).required()
    if (slash < 0) {
      last = name || last
      continue
    }
    const [resource, subresource] = [name.slice(0, slash), name.slice(slash + 1)]
    if (whole.has(resource)) at.index(i).invalid(name, `if '${resource}/*' is present, must not specify ${name}`)
    if (everywhere.has(subresource)) at.index(i).invalid(name, `if '*/${subresource}' is present, must not specify ${name}`)
    if (subresource === '*') whole.add(resource)
    if (resource === '*') everywhere.add(subresource)
  }
  if (list.length > 1 && list.includes('*/*')) at.invalid(list, "if '*/*' is present, must not specify other resources")
  if (list.includes('*') && last !== '*') at.invalid(list, "if '*' is present, must not specify other resources without subresources")
}

/** Validates match conditions, except that they compile (`expressions.ts`). */
export function matchConditions(at: Place, list: readonly admissionregistration.MatchCondition[] | undefined): void {
  if ((list ?? []).length > 64) at.tooMany(list?.length ?? 0, 64)
  forEach(at, list, (condition, place) => {
    if (!condition.expression.trim()) place.at('expression').required()
    named(place.at('name'), condition.name, qualifiedName)
  })
  distinct(at, list, (condition) => condition.name, 'name')
}

/** Defaults of what a policy or its binding matches. */
export const matchDefaults = (value: admissionregistration.MatchResources): admissionregistration.MatchResources =>
  each(each(orDefault(value, { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} }), 'resourceRules', ruleDefaults), 'excludeResourceRules', ruleDefaults)

/** Validates what a policy or its binding matches. */
export function matchResources(at: Place, value: admissionregistration.MatchResources | undefined): void {
  if (!value) return
  ifThere(at.at('matchPolicy'), value.matchPolicy, matchPolicies)
  selector(at.at('namespaceSelector'), value.namespaceSelector)
  selector(at.at('objectSelector'), value.objectSelector)
  forEach(at.at('resourceRules'), value.resourceRules, namedRule)
  forEach(at.at('excludeResourceRules'), value.excludeResourceRules, namedRule)
}

/** Validates what a policy is about: something. */
export function matchConstraints(at: Place, value: admissionregistration.MatchResources | undefined): void {
  if (!value) return at.required()
  matchResources(at, value)
  if (!value.resourceRules?.length) at.at('resourceRules').required()
}

/** What is deleted cannot be changed any more: rules of mutating policies do not name it. */
export function nothingDeleted(at: Place, { resourceRules }: admissionregistration.MatchResources): void {
  for (const { operations: named = [] } of resourceRules ?? []) {
    for (const operation of named) ifThere(at.at('resourceRules').at('operations'), operation, operations.filter((name) => name !== 'DELETE'))
  }
}

function namedRule(value: admissionregistration.NamedRuleWithOperations, at: Place): void {
  forEach(at.at('resourceNames'), value.resourceNames, (name, place) => follows(place, name, pathSegmentName))
  distinct(at.at('resourceNames'), value.resourceNames, (name) => name)
  rule(value, at)
}

/** Validates the kind of a policy's parameters. */
export function paramKind(at: Place, value: admissionregistration.ParamKind | undefined): void {
  if (!value) return
  const place = at.at('apiVersion')
  const parts = (value.apiVersion ?? '').split('/')
  const [group = '', version = ''] = parts.length === 1 ? ['', parts[0]] : parts
  if (!value.apiVersion) place.required()
  else if (parts.length > 2) place.invalid(value.apiVersion, `unexpected GroupVersion string: ${value.apiVersion}`)
  else {
    const problems = group ? dns1123Subdomain(group) : []
    if (problems.length > 0) place.invalid(group, problems.join(','))
    if (!version) place.invalid(value.apiVersion, 'version must be specified')
    else if (dns1035Label(version).length > 0) place.invalid(version, dns1035Label(version).join(','))
  }
  const wrong = dns1035Label((value.kind ?? '').toLowerCase())
  if (!value.kind) at.at('kind').required()
  else if (wrong.length > 0) at.at('kind').invalid(value.kind, `may have mixed case, but should otherwise match: ${wrong.join(',')}`)
}

/** `apps/v1/Deployment` */
export const paramKindText = (value: admissionregistration.ParamKind | undefined): string => (value ? `${value.apiVersion ?? ''}/${value.kind ?? ''}` : '<unset>')
/** `namespace/name`; `*` for the namespace when the parameter is of the request's, or of none. A selector is shown with all its fields. */
export const paramRefText = (value: admissionregistration.ParamRef | undefined): string => {
  if (value?.name) return `${value.namespace || '*'}/${value.name}`
  return value?.selector ? selectorFields(value.selector) : '<unset>'
}

/** A selector in the form in which Kubernetes writes down objects for this column. */
function selectorFields({ matchLabels = {}, matchExpressions = [] }: meta.LabelSelector): string {
  const labels = Object.entries(matchLabels).toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([key, text]) => `${key}: ${text},`)
  const expressions = matchExpressions.map(({ key, operator, values = [] }) => `LabelSelectorRequirement{Key:${key},Operator:${operator},Values:[${values.join(' ')}],},`)
  return `&LabelSelector{MatchLabels:map[string]string{${labels.join('')}},MatchExpressions:[]LabelSelectorRequirement{${expressions.join('')}},}`
}

/** Validates a binding's reference to parameters. */
export function paramRef(at: Place, value: admissionregistration.ParamRef | undefined): void {
  if (!value) return
  if (value.name) {
    follows(at.at('name'), value.name, pathSegmentName)
    if (value.selector) at.at('name').forbidden('name and selector are mutually exclusive')
  }
  selector(at.at('selector'), value.selector)
  if (value.name && value.selector) at.at('selector').forbidden('name and selector are mutually exclusive')
  if (!value.name && !value.selector) at.required('one of name or selector must be specified')
  if (!value.parameterNotFoundAction) at.at('parameterNotFoundAction').required()
  else ifThere(at.at('parameterNotFoundAction'), value.parameterNotFoundAction, ['Deny', 'Allow'])
}
