/** What webhook configurations of both kinds, and the rules of policies, have in common. */
import type { admissionregistration } from '../../../api/index.ts'
import { path, type Path } from '../../../machinery/field.ts'
import { dns1123Subdomain } from '../../../machinery/names.ts'
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
  yield* named(at.at('name'), value.name, dns1123Subdomain)
  if (value.name && value.name.split('.').length < 3) yield at.at('name').invalid(value.name, 'should be a domain with at least three segments separated by dots')
  yield* versions(at.at('admissionReviewVersions'), value.admissionReviewVersions)
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
}

function* versions(at: Path, list: readonly string[]): Check {
  if (list.length === 0) return yield at.required('must specify one of v1, v1beta1')
  if (!list.some((version) => version === 'v1' || version === 'v1beta1')) yield at.invalid(list, 'must include at least one of v1, v1beta1')
  yield* distinct(at, list, (version) => version)
}

/** Where a webhook is reached: by URL, or by a service of the cluster. */
export function* clientConfig(at: Path, { url, service }: admissionregistration.WebhookClientConfig): Check {
  if ((url === undefined) === (service === undefined)) yield at.required('exactly one of url or service is required')
  if (url !== undefined) yield* webhookUrl(at.at('url'), url)
  if (!service) return
  yield* named(at.at('service').at('name'), service.name)
  yield* named(at.at('service').at('namespace'), service.namespace)
  if (service.port !== undefined) {
    for (const _ of port(at.at('service').at('port'), service.port)) yield at.at('service').at('port').invalid(service.port, 'port is not valid: must be between 1 and 65535, inclusive')
  }
  if (service.path !== undefined && !service.path.startsWith('/')) yield at.at('service').at('path').invalid(service.path, "must start with a '/'")
}

function* webhookUrl(at: Path, text: string): Check {
  const form = 'desired format: https://host[/path]'
  const parsed = URL.parse(text)
  if (!parsed) return yield at.required(`url must be a valid URL: parse ${JSON.stringify(text)}: invalid URI; ${form}`)
  if (parsed.protocol !== 'https:') yield at.invalid(parsed.protocol.replace(':', ''), `'https' is the only allowed URL scheme; ${form}`)
  if (!parsed.hostname) yield at.invalid(parsed.hostname, `host must be specified; ${form}`)
  if (parsed.username || parsed.password) yield at.invalid(parsed.username, 'user information is not permitted in the URL')
  if (parsed.hash) yield at.invalid(parsed.hash.slice(1), 'fragments are not permitted in the URL')
  if (parsed.search) yield at.invalid(parsed.search.slice(1), 'query parameters are not permitted in the URL')
}

export function* rule(value: Rule, at: Path): Check {
  if (!value.operations?.length) yield at.at('operations').required()
  yield* star(at.at('operations'), value.operations)
  yield* forEach(at.at('operations'), value.operations, (operation, place) => ifThere(place, operation, operations))
  for (const name of ['apiGroups', 'apiVersions', 'resources'] as const) {
    if (!value[name]?.length) yield at.at(name).required()
    else if (name !== 'resources') yield* star(at.at(name), value[name])
  }
  yield* ifThere(at.at('scope'), value.scope, scopes)
}

function* star(at: Path, list: readonly string[] | undefined): Check {
  if (list && list.length > 1 && list.includes('*')) yield at.invalid(list, "if '*' is present, must not specify other values")
}

export function* matchConditions(at: Path, list: readonly admissionregistration.MatchCondition[] | undefined): Check {
  if ((list ?? []).length > 64) yield at.tooMany(list?.length ?? 0, 64)
  yield* forEach(at, list, function* (condition, place) {
    if (!condition.name) yield place.at('name').required()
    if (!condition.expression.trim()) yield place.at('expression').required()
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
  yield* forEach(at.at('resourceRules'), value.resourceRules, rule)
  yield* forEach(at.at('excludeResourceRules'), value.excludeResourceRules, rule)
}

export function* paramKind(at: Path, value: admissionregistration.ParamKind | undefined): Check {
  if (!value) return
  if (!value.apiVersion) yield at.at('apiVersion').required()
  if (!value.kind) yield at.at('kind').required()
}

/** `apps/v1/Deployment` */
export const paramKindText = (value: admissionregistration.ParamKind | undefined): string => (value ? `${value.apiVersion ?? ''}/${value.kind ?? ''}` : '<unset>')
export const paramRefText = (value: admissionregistration.ParamRef | undefined): string => {
  if (!value) return '<unset>'
  return value.namespace ? `${value.namespace}/${value.name ?? '*'}` : (value.name ?? '*')
}

export function* paramRef(at: Path, value: admissionregistration.ParamRef | undefined): Check {
  if (!value) return
  if (value.name && value.selector) yield at.at('name').forbidden('name and selector are mutually exclusive')
  if (!value.name && !value.selector) yield at.required('one of name or selector must be specified')
  if (value.name) yield* follows(at.at('name'), value.name, dns1123Subdomain)
  if (!value.parameterNotFoundAction) yield at.at('parameterNotFoundAction').required()
  else yield* ifThere(at.at('parameterNotFoundAction'), value.parameterNotFoundAction, ['Deny', 'Allow'])
}
