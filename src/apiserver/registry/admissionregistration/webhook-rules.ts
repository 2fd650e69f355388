/** What webhook configurations of both kinds, and the rules of policies, have in common. */
import type { admissionregistration } from '../../../api/index.ts'
import { path, type Path } from '../../../machinery/field.ts'
import { dns1035Label, dns1123Subdomain, pathSegmentName, qualifiedName } from '../../../machinery/names.ts'
import { distinct, follows, forEach, ifThere, named, port, selector, type Check } from '../checks.ts'
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

export const failurePolicies = ['Fail', 'Ignore']
const matchPolicies = ['Equivalent', 'Exact']
const operations = ['*', 'CONNECT', 'CREATE', 'DELETE', 'UPDATE']
const scopes = ['*', 'Cluster', 'Namespaced']

/** All webhooks of a configuration; `create`: of a new one, whose names must differ. */
export function* webhooks(list: readonly Webhook[] | undefined): Check {
  const at = path('webhooks')
  yield* forEach(at, list, webhook)
  yield* distinct(at, list, (value) => value.name, 'name')
}

function* webhook(value: Webhook, at: Path): Check {
  const problems = dns1123Subdomain(value.name)
  if (!value.name) yield at.at('name').required()
  else if (problems.length > 0) yield at.at('name').invalid(value.name, problems.join(','))
  else if (value.name.split('.').length < 3) yield at.at('name').invalid(value.name, 'should be a domain with at least three segments separated by dots')
  yield* forEach(at.at('rules'), value.rules, rule)
  yield* ifThere(at.at('failurePolicy'), value.failurePolicy, failurePolicies)
  yield* ifThere(at.at('matchPolicy'), value.matchPolicy, matchPolicies)
  if (!value.sideEffects) yield at.at('sideEffects').required('must specify one of None, NoneOnDryRun')
  else yield* ifThere(at.at('sideEffects'), value.sideEffects, ['None', 'NoneOnDryRun'])
  const seconds = value.timeoutSeconds
  if (seconds !== undefined && (seconds < 1 || seconds > 30)) yield at.at('timeoutSeconds').invalid(seconds, 'the timeout value must be between 1 and 30 seconds')
  yield* selector(at.at('namespaceSelector'), value.namespaceSelector)
  yield* selector(at.at('objectSelector'), value.objectSelector)
  if ('reinvocationPolicy' in value) yield* ifThere(at.at('reinvocationPolicy'), value.reinvocationPolicy, ['IfNeeded', 'Never'])
  yield* clientConfig(at.at('clientConfig'), value.clientConfig)
  yield* matchConditions(at.at('matchConditions'), value.matchConditions)
  yield* conditionExpressions(at.at('matchConditions'), value.matchConditions)
  yield* versions(at.at('admissionReviewVersions'), value.admissionReviewVersions)
}

function* versions(at: Path, list: readonly string[]): Check {
  if (list.length === 0) return yield at.required('must specify one of v1, v1beta1')
  for (const [i, version] of list.entries()) {
    if (list.indexOf(version) < i) yield at.index(i).invalid(version, 'duplicate version')
    else yield* follows(at.index(i), version, dns1035Label)
  }
  if (!list.some((version) => version === 'v1' || version === 'v1beta1')) yield at.invalid(list, 'must include at least one of v1, v1beta1')
}

/** Where a webhook is reached: by URL, or by a service of the cluster. */
export function* clientConfig(at: Path, { url, service }: admissionregistration.WebhookClientConfig): Check {
  if ((url === undefined) === (service === undefined)) return yield at.required('exactly one of url or service is required')
  if (url !== undefined) yield* webhookUrl(at.at('url'), url)
  if (!service) return
  if (!service.name) yield at.at('service').at('name').required()
  if (!service.namespace) yield at.at('service').at('namespace').required()
  if (service.port !== undefined) {
    for (const _ of port(at.at('service').at('port'), service.port)) yield at.at('service').at('port').invalid(service.port, 'port is not valid: must be between 1 and 65535, inclusive')
  }
  yield* servicePath(at.at('service').at('path'), service.path ?? '')
}

/** A path of steps that look like domains; empty and `/` stand for none. */
function* servicePath(at: Path, value: string): Check {
  if (value === '' || value === '/') return
  if (value === '//') return yield at.invalid(value, 'segment[0] may not be empty')
  if (!value.startsWith('/')) yield at.invalid(value, "must start with a '/'")
  for (const [i, step] of value.slice(1).replace(/\/$/, '').split('/').entries()) {
    if (step === '') yield at.invalid(value, `segment[${i}] may not be empty`)
    else for (const why of dns1123Subdomain(step)) yield at.invalid(value, `segment[${i}]: ${why}`)
  }
}

function* webhookUrl(at: Path, text: string): Check {
  const form = 'desired format: https://host[/path]'
  const parsed = URL.parse(text)
  if (!parsed) return yield at.required(`url must be a valid URL: parse ${JSON.stringify(text)}: invalid URI; ${form}`)
  if (parsed.protocol !== 'https:') yield at.invalid(parsed.protocol.replace(':', ''), `'https' is the only allowed URL scheme; ${form}`)
  if (!parsed.hostname) yield at.invalid(parsed.hostname, `host must be specified; ${form}`)
  if (parsed.username || parsed.password) yield at.invalid(parsed.password ? `${parsed.username}:${parsed.password}` : parsed.username, 'user information is not permitted in the URL')
  if (parsed.hash) yield at.invalid(parsed.hash.slice(1), 'fragments are not permitted in the URL')
  if (parsed.search) yield at.invalid(parsed.search.slice(1), 'query parameters are not permitted in the URL')
}

export function* rule(value: Rule, at: Path): Check {
  if (!value.operations?.length) yield at.at('operations').required()
  yield* star(at.at('operations'), value.operations, 'operations')
  yield* forEach(at.at('operations'), value.operations, (operation, place) => ifThere(place, operation, operations))
  if (!value.apiGroups?.length) yield at.at('apiGroups').required()
  yield* star(at.at('apiGroups'), value.apiGroups, 'API groups')
  if (!value.apiVersions?.length) yield at.at('apiVersions').required()
  yield* star(at.at('apiVersions'), value.apiVersions, 'API versions')
  yield* forEach(at.at('apiVersions'), value.apiVersions, (version, place) => named(place, version))
  yield* resources(at.at('resources'), value.resources ?? [])
  yield* ifThere(at.at('scope'), value.scope, scopes)
}

function* star(at: Path, list: readonly string[] | undefined, what: string): Check {
  if (list && list.length > 1 && list.includes('*')) yield at.invalid(list, `if '*' is present, must not specify other ${what}`)
}

/** Resources and subresources; what a star stands for already is not named beside it. */
function* resources(at: Path, list: readonly string[]): Check {
  if (list.length === 0) yield at.required()
  const whole = new Set<string>()
  const everywhere = new Set<string>()
  for (const [i, name] of list.entries()) {
    const slash = name.indexOf('/')
    if (name === '') yield at.index(i).required()
    if (slash < 0) continue
    const [resource, subresource] = [name.slice(0, slash), name.slice(slash + 1)]
    if (whole.has(resource)) yield at.index(i).invalid(name, `if '${resource}/*' is present, must not specify ${name}`)
    if (everywhere.has(subresource)) yield at.index(i).invalid(name, `if '*/${subresource}' is present, must not specify ${name}`)
    if (subresource === '*') whole.add(resource)
    if (resource === '*') everywhere.add(subresource)
  }
  if (list.length > 1 && list.includes('*/*')) yield at.invalid(list, "if '*/*' is present, must not specify other resources")
  if (list.includes('*') && list.some((name) => name !== '' && name !== '*' && !name.includes('/'))) yield at.invalid(list, "if '*' is present, must not specify other resources without subresources")
}

export function* matchConditions(at: Path, list: readonly admissionregistration.MatchCondition[] | undefined): Check {
  if ((list ?? []).length > 64) yield at.tooMany(list?.length ?? 0, 64)
  yield* forEach(at, list, function* (condition, place) {
    if (!condition.expression.trim()) yield place.at('expression').required()
    yield* named(place.at('name'), condition.name, qualifiedName)
  })
  yield* distinct(at, list, (condition) => condition.name, 'name')
}

/** Defaults of what a policy or its binding matches. */
export const matchDefaults = (value: admissionregistration.MatchResources): admissionregistration.MatchResources =>
  each(each(orDefault(value, { matchPolicy: 'Equivalent', namespaceSelector: {}, objectSelector: {} }), 'resourceRules', ruleDefaults), 'excludeResourceRules', ruleDefaults)

export function* matchResources(at: Path, value: admissionregistration.MatchResources | undefined): Check {
  if (!value) return
  yield* ifThere(at.at('matchPolicy'), value.matchPolicy, matchPolicies)
  yield* selector(at.at('namespaceSelector'), value.namespaceSelector)
  yield* selector(at.at('objectSelector'), value.objectSelector)
  yield* forEach(at.at('resourceRules'), value.resourceRules, namedRule)
  yield* forEach(at.at('excludeResourceRules'), value.excludeResourceRules, namedRule)
}

function* namedRule(value: admissionregistration.NamedRuleWithOperations, at: Path): Check {
  yield* forEach(at.at('resourceNames'), value.resourceNames, (name, place) => follows(place, name, pathSegmentName))
  yield* distinct(at.at('resourceNames'), value.resourceNames, (name) => name)
  yield* rule(value, at)
}

export function* paramKind(at: Path, value: admissionregistration.ParamKind | undefined): Check {
  if (!value) return
  const place = at.at('apiVersion')
  const parts = (value.apiVersion ?? '').split('/')
  const [group = '', version = ''] = parts.length === 1 ? ['', parts[0]] : parts
  if (!value.apiVersion) yield place.required()
  else if (parts.length > 2) yield place.invalid(value.apiVersion, `unexpected GroupVersion string: ${value.apiVersion}`)
  else {
    const problems = group ? dns1123Subdomain(group) : []
    if (problems.length > 0) yield place.invalid(group, problems.join(','))
    if (!version) yield place.invalid(value.apiVersion, 'version must be specified')
    else if (dns1035Label(version).length > 0) yield place.invalid(version, dns1035Label(version).join(','))
  }
  const wrong = dns1035Label((value.kind ?? '').toLowerCase())
  if (!value.kind) yield at.at('kind').required()
  else if (wrong.length > 0) yield at.at('kind').invalid(value.kind, `may have mixed case, but should otherwise match: ${wrong.join(',')}`)
}

/** `apps/v1/Deployment` */
export const paramKindText = (value: admissionregistration.ParamKind | undefined): string => (value ? `${value.apiVersion ?? ''}/${value.kind ?? ''}` : '<unset>')
export const paramRefText = (value: admissionregistration.ParamRef | undefined): string => {
  if (!value) return '<unset>'
  return value.namespace ? `${value.namespace}/${value.name ?? '*'}` : (value.name ?? '*')
}

export function* paramRef(at: Path, value: admissionregistration.ParamRef | undefined): Check {
  if (!value) return
  if (value.name) {
    yield* follows(at.at('name'), value.name, pathSegmentName)
    if (value.selector) yield at.at('name').forbidden('name and selector are mutually exclusive')
  }
  yield* selector(at.at('selector'), value.selector)
  if (value.name && value.selector) yield at.at('selector').forbidden('name and selector are mutually exclusive')
  if (!value.name && !value.selector) yield at.required('one of name or selector must be specified')
  if (!value.parameterNotFoundAction) yield at.at('parameterNotFoundAction').required()
  else yield* ifThere(at.at('parameterNotFoundAction'), value.parameterNotFoundAction, ['Deny', 'Allow'])
}
