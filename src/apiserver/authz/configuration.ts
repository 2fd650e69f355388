/** `AuthorizationConfiguration`, the file of `--authorization-config`: the authorizers and their order. */
import { isAbsolute } from 'node:path'
import { bool, duration, list, opt, root, string, struct, zero, type Of } from '../../api/schema.ts'
import { parseConfiguration } from '../../machinery/configuration.ts'
import { path, type FieldError, type Path } from '../../machinery/field.ts'
import { dns1123Subdomain } from '../../machinery/names.ts'
import { compileConditions } from './conditions.ts'

const ConnectionInfo = struct('WebhookConnectionInfo', { type: zero(0, string), kubeConfigFile: opt(0, string) })
const MatchCondition = struct('WebhookMatchCondition', { expression: zero(0, string) })
const WebhookConfiguration = struct('WebhookConfiguration', {
  authorizedTTL: opt(0, duration),
  cacheAuthorizedRequests: opt(0, bool),
  unauthorizedTTL: opt(0, duration),
  cacheUnauthorizedRequests: opt(0, bool),
  timeout: opt(0, duration),
  subjectAccessReviewVersion: zero(0, string),
  matchConditionSubjectAccessReviewVersion: zero(0, string),
  failurePolicy: zero(0, string),
  connectionInfo: opt(0, ConnectionInfo),
  matchConditions: zero(0, list(MatchCondition)),
})
const AuthorizerConfiguration = struct('AuthorizerConfiguration', { type: zero(0, string), name: zero(0, string), webhook: opt(0, WebhookConfiguration) })
const AuthorizationConfigurationType = root('AuthorizationConfiguration', { authorizers: zero(0, list(AuthorizerConfiguration)) })

export interface WebhookConfiguration extends Of<typeof WebhookConfiguration> {}
export interface AuthorizationConfiguration extends Of<typeof AuthorizationConfigurationType> {}

const types = ['AlwaysAllow', 'AlwaysDeny', 'Node', 'RBAC', 'Webhook'] as const
const longestTimeout = 30_000
const mostConditions = 64
/** The supported versions of SubjectAccessReview. */
const reviewVersions = ['v1', 'v1beta1']

/** What is wrong with a file that the configuration names; undefined if nothing is. */
export type FileProblem = (path: string) => string | undefined

/** Parses and validates the text. Throws an `Error` of one line that names the first invalid fields, each with its line. */
export function parseAuthorizationConfiguration(text: string, problem: FileProblem = () => undefined): AuthorizationConfiguration {
  const { value, refuse } = parseConfiguration(text, AuthorizationConfigurationType, { apiVersion: ['apiserver.config.k8s.io/v1', 'apiserver.config.k8s.io/v1beta1', 'apiserver.config.k8s.io/v1alpha1'], kind: 'AuthorizationConfiguration' })
  refuse(validate(value, problem))
  return value
}

function validate({ authorizers = [] }: AuthorizationConfiguration, problem: FileProblem): FieldError[] {
  const root = path('authorizers')
  if (authorizers.length === 0) return [root.required('at least one authorization mode must be defined')]
  const names = authorizers.map((one) => one.name ?? '')
  const kinds = authorizers.map((one) => one.type ?? '')
  return authorizers.flatMap(({ type = '', name = '', webhook }, i) => {
    const at = root.index(i)
    const errors: FieldError[] = []
    if (type === '') errors.push(at.at('type').required(''))
    else if (!(types as readonly string[]).includes(type)) errors.push(at.at('type').notSupported(type, types))
    else if (type !== 'Webhook' && kinds.indexOf(type) < i) errors.push(at.at('type').duplicate(type))
    if (name === '') errors.push(at.at('name').required(''))
    else if (names.indexOf(name) < i) errors.push(at.at('name').duplicate(name))
    else if (dns1123Subdomain(name).length > 0) errors.push(at.at('name').invalid(name, 'authorizer name is invalid, must be a lowercase RFC 1123 subdomain'))
    if (type === 'Webhook') errors.push(...(webhook ? validateWebhook(webhook, at.at('webhook'), problem) : [at.at('webhook').required('required when type=Webhook')]))
    else if (webhook) errors.push(at.at('webhook').invalid('non-null', 'may only be specified when type=Webhook'))
    return errors
  })
}

function validateWebhook(webhook: WebhookConfiguration, at: Path, problem: FileProblem): FieldError[] {
  const { timeout, authorizedTTL, unauthorizedTTL, subjectAccessReviewVersion = '', failurePolicy = '', connectionInfo, matchConditions = [] } = webhook
  const errors: FieldError[] = []
  if (timeout === undefined) errors.push(at.at('timeout').required(''))
  else if (milliseconds(timeout) <= 0) errors.push(at.at('timeout').invalid(timeout, 'must be > 0s'))
  else if (milliseconds(timeout) > longestTimeout) errors.push(at.at('timeout').invalid(timeout, 'must be <= 30s'))
  for (const [name, value] of [['authorizedTTL', authorizedTTL], ['unauthorizedTTL', unauthorizedTTL]] as const) {
    // An absent TTL, or zero, means the default.
    if (value !== undefined && milliseconds(value) < 0) errors.push(at.at(name).invalid(value, 'must be > 0s'))
  }
  if (subjectAccessReviewVersion === '') errors.push(at.at('subjectAccessReviewVersion').required(''))
  else if (!reviewVersions.includes(subjectAccessReviewVersion)) errors.push(at.at('subjectAccessReviewVersion').notSupported(subjectAccessReviewVersion, reviewVersions))
  if (failurePolicy === '') errors.push(at.at('failurePolicy').required(''))
  else if (!['NoOpinion', 'Deny'].includes(failurePolicy)) errors.push(at.at('failurePolicy').notSupported(failurePolicy, ['NoOpinion', 'Deny']))
  if (!connectionInfo?.type) errors.push(at.at('connectionInfo').at('type').required(''))
  else if (connectionInfo.type === 'InClusterConfig') {
    if (connectionInfo.kubeConfigFile !== undefined) errors.push(at.at('connectionInfo').at('kubeConfigFile').invalid(connectionInfo.kubeConfigFile, 'can only be set when type=KubeConfigFile'))
  } else if (connectionInfo.type !== 'KubeConfigFile') errors.push(at.at('connectionInfo').at('type').notSupported(connectionInfo.type, ['InClusterConfig', 'KubeConfigFile']))
  else errors.push(...validateFile(connectionInfo.kubeConfigFile ?? '', at.at('connectionInfo').at('kubeConfigFile'), problem))
  return [...errors, ...validateConditions(webhook, matchConditions.map((c) => c.expression ?? ''), at)]
}

function validateFile(file: string, at: Path, problem: FileProblem): FieldError[] {
  if (file === '') return [at.required('')]
  if (!isAbsolute(file)) return [at.invalid(file, 'must be an absolute path')]
  const why = problem(file)
  return why === undefined ? [] : [at.invalid(file, why)]
}

function validateConditions({ matchConditionSubjectAccessReviewVersion: version = '' }: WebhookConfiguration, expressions: readonly string[], at: Path): FieldError[] {
  const errors: FieldError[] = []
  if (version === '' && expressions.length > 0) errors.push(at.at('matchConditionSubjectAccessReviewVersion').required('required if match conditions are specified'))
  else if (version !== '' && version !== 'v1') errors.push(at.at('matchConditionSubjectAccessReviewVersion').notSupported(version, ['v1']))
  if (expressions.length > mostConditions) return [...errors, at.at('matchConditions').tooMany(expressions.length, mostConditions)]
  for (const [i, expression] of expressions.entries()) {
    const place = at.at('matchConditions').index(i).at('expression')
    if (expression === '') errors.push(place.required(''))
    else if (expressions.indexOf(expression) < i) errors.push(place.duplicate(expression))
    else {
      try {
        compileConditions([expression])
      } catch (error) {
        errors.push(place.invalid(expression, (error as Error).message))
      }
    }
  }
  return errors
}

const units: Readonly<Record<string, number>> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
/** The milliseconds of a Go duration, `1m30s`. */
export const milliseconds = (text: string): number => (text.startsWith('-') ? -1 : 1) * [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)].reduce((sum, [, amount, unit]) => sum + Number(amount) * (units[unit as string] as number), 0)

/** The options of `createWebhookMode`, without the connection. */
export function webhookOptions({ authorizedTTL = '', unauthorizedTTL = '', cacheAuthorizedRequests = true, cacheUnauthorizedRequests = true, timeout = '30s', failurePolicy, subjectAccessReviewVersion, matchConditions = [] }: WebhookConfiguration) {
  return {
    authorizedTtl: cacheAuthorizedRequests ? milliseconds(authorizedTTL) || 300_000 : 0,
    unauthorizedTtl: cacheUnauthorizedRequests ? milliseconds(unauthorizedTTL) || 30_000 : 0,
    version: subjectAccessReviewVersion === 'v1beta1' ? 'v1beta1' as const : 'v1' as const,
    timeout: milliseconds(timeout),
    failurePolicy: failurePolicy === 'Deny' ? 'Deny' as const : 'NoOpinion' as const,
    ...(matchConditions.length > 0 ? { matches: compileConditions(matchConditions.map((c) => c.expression ?? '')) } : {}),
  }
}
