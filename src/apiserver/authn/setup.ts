/** Every way to prove who one is, put together as the server was told. */
import type { Clock } from '../../machinery/clock.ts'
import type { Logger } from '../../machinery/log.ts'
import type { Identity } from '../identity.ts'
import type { ServerEnvironment } from '../options.ts'
import { anonymousAs, type AnonymousOptions } from './anonymous.ts'
import { createAuthenticator, type RawRequest } from './authenticator.ts'
import { anyOf, bearerAuthentication, forThisServer } from './bearer.ts'
import { findBootstrapToken } from './bootstrap-tokens.ts'
import { certificateAuthentication } from './certificate.ts'
import type { AuthenticationConfiguration, JwtAuthenticator } from './jwt/configuration.ts'
import { createJwtCheck } from './jwt/issuer.ts'
import { remembering } from './remembered.ts'
import { requestHeaderAuthentication, type RequestHeaderOptions } from './request-header.ts'
import type { CheckToken } from './token-authentication.ts'
import type { FindToken } from './token-file.ts'
import { tokenWebhook, type TokenWebhookOptions } from './token-webhook.ts'

/** What an administrator may say about authentication; everything may be left out. */
export interface AuthenticationOptions {
  /** The static token file, read. */
  readonly tokens?: FindToken | undefined
  /** The authentication configuration as it stands; asked with every token, so that a changed file counts at once. */
  readonly configuration?: (() => AuthenticationConfiguration) | undefined
  /** The algorithms of the configuration's tokens; every pair of keys when left out. */
  readonly signingAlgorithms?: readonly string[] | undefined
  readonly webhook?: TokenWebhookOptions | undefined
  readonly requestHeader?: RequestHeaderOptions | undefined
  /** PEM of the clients' authorities; needed beside `requestHeader`, whose authorities the listener accepts too. */
  readonly clientCa?: string | undefined
  /** Whether requests without credentials are `system:anonymous`; the configuration says it on its own. Left out: yes, with 401 for what it may not do. */
  readonly anonymous?: boolean | undefined
}

export interface AuthenticationSetup {
  readonly authenticate: (request: RawRequest) => Promise<Identity> | Identity
  /** Checks a bearer token of any kind, for token reviews. */
  readonly check: CheckToken
  /** The audiences of this server. */
  readonly audiences: readonly string[]
}

/** How long a token of an issuer is not checked again. */
const jwtLifetime = 10_000

/** `serviceAccounts`: who knows the server's own tokens, and for which audiences they are. */
export function setUpAuthentication(
  env: Pick<ServerEnvironment, 'lister' | 'clock' | 'log'>,
  serviceAccounts: { readonly check: CheckToken; readonly audiences: readonly string[] } | undefined,
  options: AuthenticationOptions = {},
): AuthenticationSetup {
  const { clock, log } = env
  const audiences = serviceAccounts?.audiences ?? ['https://kubernetes.default.svc']
  const fixed: readonly CheckToken[] = [
    ...(options.tokens ? [forThisServer(audiences, options.tokens)] : []),
    ...(serviceAccounts ? [serviceAccounts.check] : []),
    forThisServer(audiences, findBootstrapToken(env)),
  ]
  const webhook = options.webhook ? [tokenWebhook(options.webhook, audiences, clock)] : []
  const issuers = options.configuration && issuersOf(options.configuration, options.signingAlgorithms, audiences, { clock, log })
  const all = [...fixed, ...webhook]
  const check = anyOf(issuers ? () => [...fixed, ...issuers(), ...webhook] : () => all)
  const { configuration } = options
  const anonymous = (): AnonymousOptions | undefined => {
    const said = configuration?.().anonymous
    if (said) return { enabled: said.enabled ?? false, paths: said.conditions?.map((c) => c.path ?? '') }
    return options.anonymous === undefined ? undefined : { enabled: options.anonymous }
  }
  const authenticate = createAuthenticator([
    ...(options.requestHeader ? [requestHeaderAuthentication(options.requestHeader)] : []),
    certificateAuthentication(clock, options.clientCa),
    bearerAuthentication(check, audiences, (error) => log.debug({ error: error instanceof Error ? error.message : String(error) }, 'a bearer token was refused')),
  ], anonymousAs(anonymous))
  return { authenticate, check, audiences }
}

/** The checks of the configuration's issuers, made anew when the configuration is another; those of unchanged issuers keep their keys. */
function issuersOf(
  configuration: () => AuthenticationConfiguration, algorithms: readonly string[] | undefined, audiences: readonly string[], { clock, log }: { readonly clock: Clock; readonly log: Logger },
): () => readonly CheckToken[] {
  let known: AuthenticationConfiguration | undefined
  let checks: ReadonlyMap<string, CheckToken> = new Map()
  const make = (issuer: JwtAuthenticator): CheckToken => {
    const check = createJwtCheck(issuer, clock, algorithms)
    const way = forThisServer(audiences, check)
    return remembering(clock, (found) => (found ? jwtLifetime : 0), way)
  }
  return () => {
    const current = configuration()
    if (current !== known) {
      const next = new Map<string, CheckToken>()
      for (const issuer of current.jwt ?? []) {
        const key = JSON.stringify(issuer)
        next.set(key, checks.get(key) ?? make(issuer))
      }
      if (known) log.info({ issuers: (current.jwt ?? []).map((j) => j.issuer?.url) }, 'the authentication configuration was read again')
      known = current
      checks = next
    }
    return [...checks.values()]
  }
}
