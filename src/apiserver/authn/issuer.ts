/** What others verify our tokens by: the OpenID Connect discovery document and the public keys. */
import type { Handler } from '../http/request.ts'
import { sendJson } from '../reply.ts'
import type { Tokens } from './tokens.ts'

/** They change with the server's keys only: caches may keep them for an hour. */
const cached = { 'cache-control': 'public, max-age=3600' }

const parsed = (url: string): URL | undefined => (URL.canParse(url) ? new URL(url) : undefined)

/** Whether OpenID Connect knows issuers like that: an https URL without query and fragment; and where the keys are is another one. */
function isPublic({ issuer, jwksUri }: Tokens): boolean {
  const url = parsed(issuer)
  return url?.protocol === 'https:' && !/[?#]./.test(issuer) && (jwksUri === undefined || parsed(jwksUri)?.protocol === 'https:')
}

/** Handlers by path; none for an issuer that is not for others. `serverAddress` is `host:port`, where the keys are fetched from. */
export function issuerHandlers(tokens: Tokens, serverAddress: () => string): Readonly<Record<string, Handler>> {
  if (!isPublic(tokens)) return {}
  return {
    '/.well-known/openid-configuration': async (_, response) => sendJson(response, 200, {
      issuer: tokens.issuer,
      jwks_uri: tokens.jwksUri ?? `https://${serverAddress()}/openid/v1/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: tokens.algorithms,
    }, 'application/json', cached),
    '/openid/v1/jwks': async (_, response) => sendJson(response, 200, { keys: await tokens.keys() }, 'application/jwk-set+json', cached),
  }
}
