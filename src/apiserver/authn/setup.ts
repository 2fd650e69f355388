/** Every way to prove who one is, put together as the server was told. */
import type { Registry } from 'prom-client'
import type { Clock } from '../../machinery/clock.ts'
import type { Logger } from '../../machinery/log.ts'
import type { Identity } from '../identity.ts'
import type { ServerEnvironment } from '../options.ts'
import { anonymousAs, type AnonymousOptions } from './anonymous.ts'
import { createAuthenticator, type RawRequest } from './authenticator.ts'
import { anyOf, bearerAuthentication, forThisServer } from './bearer.ts'
import { findBootstrapToken } from './bootstrap-tokens.ts'
import { certificateAuthentication } from './certificate.ts'
import { requestHeaderAuthentication, type RequestHeaderOptions } from './request-header.ts'
import type { CheckToken } from './token-authentication.ts'
import type { FindToken } from './token-file.ts'
import { tokenWebhook, type TokenWebhookOptions } from './token-webhook.ts'

/** What an administrator may say about authentication; everything may be left out. */
export interface AuthenticationOptions {
  /** The static token file, read. */
  readonly tokens?: FindToken | undefined
  /** The checks of configured issuers as they stand (`jwt/issuers.ts`); asked with every token, so that a changed file counts at once. */
  readonly issuers?: ((context: IssuersContext) => () => readonly CheckToken[]) | undefined
  readonly webhook?: TokenWebhookOptions | undefined
  readonly requestHeader?: RequestHeaderOptions | undefined
  /** PEM of the clients' authorities; needed beside `requestHeader`, whose authorities the listener accepts too. */
  readonly clientCa?: string | undefined
  /** The name of this server among several, for metrics. */
  readonly server?: string | undefined
  /** Which requests without credentials are `system:anonymous`. Nothing said: all. */
  readonly anonymous?: (() => AnonymousOptions | undefined) | undefined
}

export interface IssuersContext {
  readonly clock: Clock
  readonly log: Logger
  /** Those of this server. */
  readonly audiences: readonly string[]
  /** Where it is counted, and how the server is called there. */
  readonly registry?: Registry | undefined
  readonly server?: string | undefined
}

export interface AuthenticationSetup {
  readonly authenticate: (request: RawRequest) => Promise<Identity> | Identity
  /** Checks a bearer token of any kind, for token reviews. */
  readonly check: CheckToken
  /** The audiences of this server. */
  readonly audiences: readonly string[]
}

/** `serviceAccounts`: who knows the server's own tokens, and for which audiences they are. `registry`: where it is counted what issuers say. */
export function setUpAuthentication(
  env: Pick<ServerEnvironment, 'lister' | 'clock' | 'log'>,
  serviceAccounts: { readonly check: CheckToken; readonly audiences: readonly string[] } | undefined,
  options: AuthenticationOptions = {},
  registry?: Registry,
): AuthenticationSetup {
  const { clock, log } = env
  const audiences = serviceAccounts?.audiences ?? ['https://kubernetes.default.svc']
  const fixed: readonly CheckToken[] = [
    ...(options.tokens ? [forThisServer(audiences, options.tokens)] : []),
    ...(serviceAccounts ? [serviceAccounts.check] : []),
    forThisServer(audiences, findBootstrapToken(env)),
  ]
  const webhook = options.webhook ? [tokenWebhook(options.webhook, audiences, clock)] : []
  const issuers = options.issuers?.({ clock, log, audiences, registry, server: options.server })
  const all = [...fixed, ...webhook]
  const check = anyOf(issuers ? () => [...fixed, ...issuers(), ...webhook] : () => all)
  const authenticate = createAuthenticator([
    ...(options.requestHeader ? [requestHeaderAuthentication(options.requestHeader)] : []),
    certificateAuthentication(clock, options.clientCa),
    bearerAuthentication(check, audiences, (error) => log.debug({ error: error instanceof Error ? error.message : String(error) }, 'a bearer token was refused')),
  ], anonymousAs(options.anonymous ?? (() => undefined)))
  return { authenticate, check, audiences }
}
