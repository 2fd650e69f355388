/** Authentication: kube-apiserver's flags as options of the API server. */
import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { AnonymousOptions } from '../apiserver/authn/anonymous.ts'
import { authoritiesOf, certificatesIn } from '../apiserver/authn/client-ca.ts'
import type { AuthenticationConfiguration } from '../apiserver/authn/jwt/configuration.ts'
import type { RequestHeaderOptions } from '../apiserver/authn/request-header.ts'
import type { AuthenticationOptions } from '../apiserver/authn/setup.ts'
import { parseTokenFile } from '../apiserver/authn/token-file.ts'
import { checkKey, type ServiceAccountKeys } from '../apiserver/authn/tokens.ts'
import { createPost } from '../apiserver/remote.ts'
import { parseKubeconfig } from '../client/kubeconfig.ts'
import type { Clock } from '../machinery/clock.ts'
import type { Logger } from '../machinery/log.ts'
import { deepEqual } from '../machinery/meta.ts'
import type { ReloadCounts } from '../machinery/reloads.ts'
import { argumentBoolean, argumentDuration, argumentFile, argumentList, type ApiServerArguments } from './apiserver-arguments.ts'
import { serverId } from './server-id.ts'
import { UserError } from './user-error.ts'
import { watchFile, type WatchedFile } from './watched-file.ts'

interface Environment {
  readonly clock: Clock
  readonly log: Logger
  /** Whether everybody may do everything at present (`AlwaysAllow`): then nobody comes in without a credential, unless a configuration file says so. */
  readonly allowsAll?: () => boolean
}
type Given = ApiServerArguments | undefined

export interface AuthenticationSettings {
  readonly options: AuthenticationOptions
  /** PEM: every authority whose certificates the listener accepts. */
  readonly clientCa: string
  readonly serviceAccounts: ServiceAccountKeys
  /** How often the configuration was reloaded; undefined when there is no file. */
  readonly reloads: (() => ReloadCounts) | undefined
  stop(): void
}

/** Runs `make`; what it throws becomes one sentence about the flag. */
export function about<T>(flag: string, make: () => T): T {
  try {
    return make()
  } catch (error) {
    throw error instanceof UserError ? error : new UserError(`${flag}: ${(error as Error).message}`)
  }
}

/** What the arguments ask for. `own`: the cluster's authority and its key and issuer of service account tokens. Throws `UserError`. */
export async function authenticationOf(given: Given, own: { readonly clientCa: string; readonly serviceAccountKey: string; readonly issuer: string }, env: Environment): Promise<AuthenticationSettings> {
  const serviceAccounts = serviceAccountKeys(given, own)
  const extra = argumentFile(given, 'client-ca-file')
  const clientCa = extra === undefined ? own.clientCa : `${own.clientCa}\n${extra}`
  about('client-ca-file', () => authoritiesOf(extra ?? own.clientCa))
  const requestHeader = requestHeaderOf(given)
  if (requestHeader?.allowedNames.length === 0 && shareCertificates(requestHeader.clientCa, clientCa)) {
    throw new UserError('requestheader-client-ca-file and the authorities of clients contain overlapping certificates: requestheader-allowed-names must be given beside it, or every client could claim to be anybody')
  }
  const jwt = await issuersOf(given, [serviceAccounts.issuer, ...(serviceAccounts.otherIssuers ?? [])], env)
  const tokens = argumentFile(given, 'token-auth-file')
  const anonymous = argumentBoolean(given, 'anonymous-auth')
  const fixedAnonymous = () => {
    if (anonymous !== false && env.allowsAll?.()) return { enabled: false }
    return anonymous === undefined ? undefined : { enabled: anonymous }
  }
  if (anonymous !== false && !jwt?.anonymous() && env.allowsAll?.()) env.log.warn({}, 'with the authorizer AlwaysAllow, requests without credentials are refused; another authorizer is better')
  if (anonymous !== undefined && jwt?.configuration.current().anonymous) throw new UserError('anonymous-auth: it cannot be combined with an authentication-config that has a field anonymous')
  return {
    options: {
      tokens: tokens === undefined ? undefined : about(`token-auth-file: ${given?.['token-auth-file']}`, () => parseTokenFile(tokens)),
      issuers: jwt?.issuers,
      server: serverId,
      webhook: await webhookOf(given),
      requestHeader,
      clientCa: requestHeader ? clientCa : undefined,
      anonymous: () => jwt?.anonymous() ?? fixedAnonymous(),
    },
    clientCa: requestHeader ? `${clientCa}\n${requestHeader.clientCa}` : clientCa,
    serviceAccounts,
    reloads: jwt?.configuration.reloads,
    stop: () => jwt?.configuration.stop(),
  }
}

function serviceAccountKeys(given: Given, own: { readonly serviceAccountKey: string; readonly issuer: string }): ServiceAccountKeys {
  const [issuer = own.issuer, ...otherIssuers] = argumentList(given, 'service-account-issuer') ?? []
  for (const [i, one] of otherIssuers.entries()) if (one === issuer || otherIssuers.indexOf(one) < i) throw new UserError(`service-account-issuer: "${one}" is already specified`)
  for (const one of [issuer, ...otherIssuers]) if (one.includes(':') && !URL.canParse(one)) throw new UserError(`service-account-issuer: "${one}" contains a ":" but is not a valid URL`)
  const signing = argumentFile(given, 'service-account-signing-key-file')
  if (signing !== undefined) about(`service-account-signing-key-file: ${given?.['service-account-signing-key-file']}`, () => checkKey(signing, 'sign'))
  const keys = (argumentList(given, 'service-account-key-file') ?? []).flatMap((file) => about(`service-account-key-file: ${file}`, () => keysIn(readFileSync(file, 'utf8'))))
  const most = argumentDuration(given, 'service-account-max-token-expiration')
  if (most !== undefined && (most < 3_600_000 || most > 2 ** 32 * 1000)) throw new UserError('service-account-max-token-expiration: it must be between 1 hour and 2^32 seconds')
  const jwksUri = given?.['service-account-jwks-uri']
  if (jwksUri !== undefined && (!URL.canParse(jwksUri) || new URL(jwksUri).protocol !== 'https:')) throw new UserError(`service-account-jwks-uri: "${jwksUri}" is not an https URL`)
  const audiences = argumentList(given, 'api-audiences')
  return {
    signingKey: signing ?? own.serviceAccountKey,
    // Tokens signed with the cluster's own key stay valid when another key signs.
    verificationKeys: [...keys, own.serviceAccountKey],
    issuer,
    otherIssuers,
    ...(audiences ? { audiences } : {}),
    ...(most === undefined ? {} : { longest: most / 1000 }),
    extend: argumentBoolean(given, 'service-account-extend-token-expiration') ?? true,
    ...(jwksUri === undefined ? {} : { jwksUri }),
  }
}

/** Whether two lists of authorities have a certificate in common. */
function shareCertificates(a: string, b: string): boolean {
  const prints = (pem: string) => certificatesIn(pem).map((one) => one.fingerprint256)
  const known = new Set(prints(a))
  return prints(b).some((print) => known.has(print))
}

const pemBlock = /-----BEGIN ([A-Z ]*(?:KEY|CERTIFICATE))-----[^-]+-----END \1-----/g

/** Every key of a file. Throws when there is none, or one that cannot verify tokens. */
function keysIn(text: string): readonly string[] {
  const keys = text.match(pemBlock) ?? [text]
  for (const key of keys) checkKey(key, 'verify')
  return keys
}

function requestHeaderOf(given: Given): RequestHeaderOptions | undefined {
  const clientCa = argumentFile(given, 'requestheader-client-ca-file')
  const list = (name: string) => {
    // A name left empty would be taken for none, and none of the names of proxies means any: who wants that gives an empty list.
    if (given?.[name] && given[name].split(',').some((part) => part.trim() === '')) throw new UserError(`${name}: empty value in "${given[name]}"`)
    return argumentList(given, name)
  }
  const usernameHeaders = list('requestheader-username-headers')
  if (clientCa === undefined) {
    if (usernameHeaders) throw new UserError('requestheader-username-headers: requestheader-client-ca-file is needed beside it, or anybody could claim to be anybody')
    return undefined
  }
  about('requestheader-client-ca-file', () => authoritiesOf(clientCa))
  return {
    clientCa,
    allowedNames: list('requestheader-allowed-names') ?? [],
    usernameHeaders: usernameHeaders ?? ['x-remote-user'],
    groupHeaders: list('requestheader-group-headers') ?? ['x-remote-group'],
    uidHeaders: list('requestheader-uid-headers') ?? ['x-remote-uid'],
    extraHeaderPrefixes: list('requestheader-extra-headers-prefix') ?? ['x-remote-extra-'],
  }
}

async function webhookOf(given: Given): Promise<AuthenticationOptions['webhook']> {
  const post = await kubeconfigPost(given, 'authentication-token-webhook-config-file')
  if (!post) return undefined
  const version = given?.['authentication-token-webhook-version'] ?? 'v1beta1'
  if (version !== 'v1' && version !== 'v1beta1') throw new UserError(`authentication-token-webhook-version: "${version}" is not one of v1, v1beta1`)
  return { post, version, cacheTtl: argumentDuration(given, 'authentication-token-webhook-cache-ttl') }
}

/** What calls the server that the kubeconfig behind the flag names; undefined when the flag is not given. */
export async function kubeconfigPost(given: Given, flag: string) {
  const text = argumentFile(given, flag)
  return text === undefined ? undefined : postOf(flag, text, given?.[flag] as string)
}

/** The same for a file that a configuration names. */
export async function postOf(subject: string, text: string, file: string) {
  const remote = await parseKubeconfig(text, { folder: dirname(file) }).catch((error: Error) => {
    throw new UserError(`${subject}: ${file}: ${error.message}`)
  })
  return createPost(remote)
}

const oidcFlags = ['oidc-issuer-url', 'oidc-client-id', 'oidc-username-claim', 'oidc-username-prefix', 'oidc-groups-claim', 'oidc-groups-prefix', 'oidc-signing-algs', 'oidc-required-claim', 'oidc-ca-file']

interface Issuers {
  readonly configuration: Omit<WatchedFile<AuthenticationConfiguration>, 'reloads'> & { readonly reloads?: WatchedFile<unknown>['reloads'] | undefined }
  readonly issuers: AuthenticationOptions['issuers']
  anonymous(): AnonymousOptions | undefined
}

/** The issuers of the configuration file, or the one of the older flags. The code that reads them is loaded only when there are any. */
async function issuersOf(given: Given, disallowed: readonly string[], env: Environment): Promise<Issuers | undefined> {
  const file = given?.['authentication-config']
  const flags = oidcFlags.filter((flag) => given?.[flag] !== undefined)
  if (file === undefined && flags.length === 0) return undefined
  if (file !== undefined && flags.length > 0) throw new UserError(`authentication-config: it cannot be combined with ${flags.join(', ')}`)
  const { parseAuthenticationConfiguration } = await import('../apiserver/authn/jwt/configuration.ts')
  const { configuredAnonymous, configuredIssuers } = await import('../apiserver/authn/jwt/issuers.ts')
  const algorithms = file === undefined ? await algorithmsOf(given) : undefined
  const configuration = file === undefined
    ? await fromFlags(given, disallowed)
    : await watchFile('authentication-config', file, keepingAnonymous((text) => parseAuthenticationConfiguration(text, disallowed)), env)
  return { configuration, issuers: configuredIssuers(configuration.current, algorithms), anonymous: () => configuredAnonymous(configuration.current()) }
}

/** Reads a file again and again; what it says of requests without credentials holds as long as the server runs: it throws for another word on them. */
function keepingAnonymous(parse: (text: string) => AuthenticationConfiguration): (text: string) => AuthenticationConfiguration {
  let first: AuthenticationConfiguration | undefined
  return (text) => {
    const next = parse(text)
    first ??= next
    if (!deepEqual(first.anonymous, next.anonymous)) throw new Error('anonymous: Forbidden: changed from initial configuration file')
    return next
  }
}

async function algorithmsOf(given: Given): Promise<readonly string[]> {
  const { signingAlgorithms } = await import('../apiserver/authn/jwt/issuer.ts')
  const algorithms = argumentList(given, 'oidc-signing-algs') ?? ['RS256']
  const unknown = algorithms.find((one) => !(signingAlgorithms as readonly string[]).includes(one))
  if (unknown !== undefined) throw new UserError(`oidc-signing-algs: "${unknown}" is not one of ${signingAlgorithms.join(', ')}`)
  return algorithms
}

async function fromFlags(given: Given, disallowed: readonly string[]): Promise<Issuers['configuration']> {
  const { checkAuthenticator } = await import('../apiserver/authn/jwt/configuration.ts')
  const url = given?.['oidc-issuer-url']
  const client = given?.['oidc-client-id']
  if (url === undefined || client === undefined) throw new UserError('oidc-issuer-url and oidc-client-id must be given together')
  const claim = given?.['oidc-username-claim'] ?? 'sub'
  // Names of different issuers must not collide: only e-mail addresses may go without a prefix.
  const said = given?.['oidc-username-prefix']
  const prefix = said === '-' ? '' : (said ?? (claim === 'email' ? '' : `${url}#`))
  const groups = given?.['oidc-groups-claim']
  const authenticator = {
    issuer: { url, audiences: [client], certificateAuthority: argumentFile(given, 'oidc-ca-file') },
    claimMappings: { username: { claim, prefix }, ...(groups === undefined ? {} : { groups: { claim: groups, prefix: given?.['oidc-groups-prefix'] ?? '' } }) },
    claimValidationRules: (argumentList(given, 'oidc-required-claim') ?? []).map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1) throw new UserError(`oidc-required-claim: "${pair}" is not of the form claim=value`)
      return { claim: pair.slice(0, at), requiredValue: pair.slice(at + 1) }
    }),
  }
  about('oidc-issuer-url', () => checkAuthenticator(authenticator, disallowed))
  const configuration = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AuthenticationConfiguration', jwt: [authenticator] }
  return { current: () => configuration, stop: () => undefined }
}
