/** `AuthenticationConfiguration`, the file behind `--authentication-config`: whose JSON web tokens are taken, and whom they make of their bearer. */
import { bool, list, opt, root, string, struct, zero, type Of } from '../../../api/schema.ts'
import { parseConfiguration } from '../../../machinery/configuration.ts'
import { path, type FieldError, type Path } from '../../../machinery/field.ts'
import { compileClaims } from './claims.ts'
import { readsClaim } from './expressions.ts'

const Issuer = struct('Issuer', {
  url: zero(0, string),
  discoveryURL: zero(0, string),
  certificateAuthority: zero(0, string),
  audiences: zero(0, list(string)),
  audienceMatchPolicy: zero(0, string),
  egressSelectorType: zero(0, string),
})
const ClaimValidationRule = struct('ClaimValidationRule', { claim: zero(0, string), requiredValue: zero(0, string), expression: zero(0, string), message: zero(0, string) })
const PrefixedClaimOrExpression = struct('PrefixedClaimOrExpression', { claim: zero(0, string), prefix: opt(0, string), expression: zero(0, string) })
const ClaimOrExpression = struct('ClaimOrExpression', { claim: zero(0, string), expression: zero(0, string) })
const ExtraMapping = struct('ExtraMapping', { key: zero(0, string), valueExpression: zero(0, string) })
const ClaimMappings = struct('ClaimMappings', {
  username: opt(0, PrefixedClaimOrExpression),
  groups: opt(0, PrefixedClaimOrExpression),
  uid: opt(0, ClaimOrExpression),
  extra: zero(0, list(ExtraMapping)),
})
const UserValidationRule = struct('UserValidationRule', { expression: zero(0, string), message: zero(0, string) })
const JWTAuthenticator = struct('JWTAuthenticator', {
  issuer: opt(0, Issuer),
  claimValidationRules: zero(0, list(ClaimValidationRule)),
  claimMappings: opt(0, ClaimMappings),
  userValidationRules: zero(0, list(UserValidationRule)),
})
const AnonymousAuthCondition = struct('AnonymousAuthCondition', { path: zero(0, string) })
const AnonymousAuthConfig = struct('AnonymousAuthConfig', { enabled: zero(0, bool), conditions: zero(0, list(AnonymousAuthCondition)) })
const AuthenticationConfigurationType = root('AuthenticationConfiguration', { jwt: zero(0, list(JWTAuthenticator)), anonymous: opt(0, AnonymousAuthConfig) })

export interface JwtAuthenticator extends Of<typeof JWTAuthenticator> {}
export interface ClaimValidationRule extends Of<typeof ClaimValidationRule> {}
export interface PrefixedClaimOrExpression extends Of<typeof PrefixedClaimOrExpression> {}
export interface AnonymousConfiguration extends Of<typeof AnonymousAuthConfig> {}
export interface AuthenticationConfiguration extends Of<typeof AuthenticationConfigurationType> {}

const apiVersion = ['apiserver.config.k8s.io/v1', 'apiserver.config.k8s.io/v1beta1', 'apiserver.config.k8s.io/v1alpha1']
/** How many issuers there may be. */
const most = 64

/**
 * Reads and checks the file. `disallowed`: issuers that are taken already, the one of service account tokens.
 * Throws an `Error` of one line that names the first fields that are wrong, each with its line.
 */
export function parseAuthenticationConfiguration(text: string, disallowed: readonly string[] = []): AuthenticationConfiguration {
  const { value, refuse } = parseConfiguration(text, AuthenticationConfigurationType, { apiVersion, kind: 'AuthenticationConfiguration' })
  refuse(validate(value, disallowed))
  // Expressions that cannot be compiled are found now, not with the first token.
  for (const one of value.jwt ?? []) compileClaims(one)
  return value
}

/** Checks one authenticator that comes from elsewhere than a file. Throws an `Error` that says what is wrong. */
export function checkAuthenticator(one: JwtAuthenticator, disallowed: readonly string[]): void {
  const errors = validateJwt(one, path(''), disallowed)
  if (errors.length > 0) throw new Error(errors.map((e) => e.body()).join('; '))
  compileClaims(one)
}

function validate({ jwt = [], anonymous }: AuthenticationConfiguration, disallowed: readonly string[]): FieldError[] {
  const urls = jwt.map((one) => one.issuer?.url)
  if (jwt.length > most) return [path('jwt').tooMany(jwt.length, most)]
  return [
    ...jwt.flatMap((one, i) => [
      ...validateJwt(one, path('jwt').index(i), disallowed),
      ...(one.issuer?.url && urls.indexOf(one.issuer.url) < i ? [path('jwt').index(i).at('issuer').at('url').duplicate(one.issuer.url)] : []),
    ]),
    ...validateAnonymous(anonymous),
  ]
}

/** The problems of one authenticator. */
function validateJwt(one: JwtAuthenticator, at: Path, disallowed: readonly string[]): FieldError[] {
  return [
    ...validateIssuer(one, at.at('issuer'), disallowed),
    ...(one.claimValidationRules ?? []).flatMap((rule, i) => validateRule(rule, at.at('claimValidationRules').index(i))),
    ...validateMappings(one, at.at('claimMappings')),
    ...(one.userValidationRules ?? []).flatMap((rule, i) => (rule.expression ? [] : [at.at('userValidationRules').index(i).at('expression').required('expression is required')])),
    ...twice((one.claimValidationRules ?? []).map((r) => r.claim ?? ''), at.at('claimValidationRules'), 'claim'),
    ...twice((one.claimValidationRules ?? []).map((r) => r.expression ?? ''), at.at('claimValidationRules'), 'expression'),
    ...twice((one.userValidationRules ?? []).map((r) => r.expression ?? ''), at.at('userValidationRules'), 'expression'),
  ]
}

const twice = (values: readonly string[], at: Path, field: string): FieldError[] =>
  values.flatMap((value, i) => (value !== '' && values.indexOf(value) < i ? [at.index(i).at(field).duplicate(value)] : []))

function validateIssuer({ issuer }: JwtAuthenticator, at: Path, disallowed: readonly string[]): FieldError[] {
  const { url = '', discoveryURL = '', certificateAuthority = '', audiences = [], audienceMatchPolicy = '', egressSelectorType = '' } = issuer ?? {}
  const errors = [...validateUrl(url, at.at('url'), 'URL')]
  if (disallowed.includes(url)) errors.push(at.at('url').invalid(url, `URL must not overlap with disallowed issuers: ${disallowed.join(' ')}`))
  if (discoveryURL) {
    errors.push(...validateUrl(discoveryURL, at.at('discoveryURL'), 'discoveryURL'))
    if (discoveryURL.replace(/\/$/, '') === url.replace(/\/$/, '')) errors.push(at.at('discoveryURL').invalid(discoveryURL, 'discoveryURL must be different from URL'))
  }
  if (certificateAuthority && !certificateAuthority.includes('-----BEGIN CERTIFICATE-----')) errors.push(at.at('certificateAuthority').invalid('<omitted>', 'data does not contain any valid RSA or ECDSA certificates'))
  if (audiences.length === 0) errors.push(at.at('audiences').required('at least one audience is required'))
  for (const [i, audience] of audiences.entries()) if (audience === '') errors.push(at.at('audiences').index(i).required('audience can\'t be empty'))
  errors.push(...audiences.flatMap((audience, i) => (audience !== '' && audiences.indexOf(audience) < i ? [at.at('audiences').index(i).duplicate(audience)] : [])))
  if (audiences.length > 1 && audienceMatchPolicy !== 'MatchAny') errors.push(at.at('audienceMatchPolicy').invalid(audienceMatchPolicy, 'audienceMatchPolicy must be MatchAny for multiple audiences'))
  else if (audienceMatchPolicy !== '' && audienceMatchPolicy !== 'MatchAny') errors.push(at.at('audienceMatchPolicy').invalid(audienceMatchPolicy, 'audienceMatchPolicy must be empty or MatchAny for single audience'))
  if (egressSelectorType !== '' && egressSelectorType !== 'controlplane') errors.push(at.at('egressSelectorType').notSupported(egressSelectorType, ['controlplane']))
  return errors
}

function validateUrl(text: string, at: Path, what: string): FieldError[] {
  if (text === '') return [at.required(`${what} is required`)]
  if (!URL.canParse(text)) return [at.invalid(text, `${what} cannot be parsed`)]
  const url = new URL(text)
  return [
    ...(url.protocol === 'https:' ? [] : [at.invalid(text, `${what} scheme must be https`)]),
    ...(url.username || url.password ? [at.invalid(text, `${what} must not contain a username or password`)] : []),
    ...(text.includes('?') ? [at.invalid(text, `${what} must not contain a query`)] : []),
    ...(text.includes('#') ? [at.invalid(text, `${what} must not contain a fragment`)] : []),
  ]
}

function validateRule({ claim = '', requiredValue = '', expression = '', message = '' }: ClaimValidationRule, at: Path): FieldError[] {
  if (claim && expression) return [at.invalid(claim, 'claim and expression can\'t both be set')]
  if (!claim && !expression) return [at.required('claim or expression is required')]
  if (claim && message) return [at.at('message').invalid(message, 'message can\'t be set when claim is set')]
  return expression && requiredValue ? [at.at('requiredValue').invalid(requiredValue, 'requiredValue can\'t be set when expression is set')] : []
}

function validateMappings({ claimMappings, claimValidationRules = [] }: JwtAuthenticator, at: Path): FieldError[] {
  const { username, groups, uid, extra = [] } = claimMappings ?? {}
  const errors: FieldError[] = []
  if (!username?.claim && !username?.expression) errors.push(at.at('username').required('claim or expression is required'))
  for (const [name, mapping] of [['username', username], ['groups', groups]] as const) if (mapping) errors.push(...validatePrefixed(mapping, at.at(name)))
  if (uid?.claim && uid.expression) errors.push(at.at('uid').invalid('', 'claim and expression can\'t both be set'))
  // An address that nobody has checked must not become a name.
  const verifiers = [username?.expression, ...extra.map((e) => e.valueExpression), ...claimValidationRules.map((r) => r.expression)]
  if (readsClaim(username?.expression, 'email') && !verifiers.some((source) => readsClaim(source, 'email_verified'))) {
    errors.push(at.at('username').at('expression').invalid(username?.expression, 'claims.email_verified must be used in claimMappings.username.expression or claimMappings.extra[*].valueExpression or claimValidationRules[*].expression when claims.email is used in claimMappings.username.expression'))
  }
  for (const [i, { key = '', valueExpression = '' }] of extra.entries()) errors.push(...validateExtra(key, valueExpression, at.at('extra').index(i)))
  return [...errors, ...twice(extra.map((e) => e.key ?? ''), at.at('extra'), 'key')]
}

function validatePrefixed({ claim, prefix, expression }: PrefixedClaimOrExpression, at: Path): FieldError[] {
  if (claim && expression) return [at.invalid('', 'claim and expression can\'t both be set')]
  if (expression && prefix !== undefined) return [at.at('prefix').invalid(prefix, 'prefix can\'t be set when expression is set')]
  if (claim && prefix === undefined) return [at.at('prefix').required('prefix is required when claim is set. It can be set to an empty string to disable prefixing')]
  return []
}

/** Keys are like `example.com/role`, in small letters, and not of Kubernetes's own domains. */
function validateExtra(key: string, valueExpression: string, at: Path): FieldError[] {
  const errors: FieldError[] = []
  const domain = key.split('/')[0] as string
  if (key === '') errors.push(at.at('key').required(''))
  else if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/\S+$/.test(key)) errors.push(at.at('key').invalid(key, 'must be a domain-prefixed path (such as "acme.io/foo")'))
  else if (key !== key.toLowerCase()) errors.push(at.at('key').invalid(key, 'key must be lowercase'))
  else if (['k8s.io', 'kubernetes.io'].some((own) => domain === own || domain.endsWith(`.${own}`))) errors.push(at.at('key').invalid(key, 'k8s.io, kubernetes.io and their subdomains are reserved for Kubernetes use'))
  if (valueExpression === '') errors.push(at.at('valueExpression').required('valueExpression is required'))
  return errors
}

function validateAnonymous(anonymous: AnonymousConfiguration | undefined): FieldError[] {
  if (!anonymous?.conditions?.length) return []
  if (!anonymous.enabled) return [path('anonymous.conditions').invalid(anonymous.conditions, 'enabled should be set to true when conditions are defined')]
  return anonymous.conditions.flatMap(({ path: text }, i) => (text ? [] : [path('anonymous.conditions').index(i).at('path').required('')]))
}
