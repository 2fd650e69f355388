/** What others verify our tokens by: the OpenID Connect discovery document and the public keys. */
import type { Handler } from '../http/request.ts'
import { sendJson } from '../reply.ts'
import type { Tokens } from './tokens.ts'

/** Handlers by path. `serverAddress` is `host:port`, where the keys are fetched from. */
export function issuerHandlers(tokens: Tokens, serverAddress: () => string): Readonly<Record<string, Handler>> {
  return {
    '/.well-known/openid-configuration': async (_, response) => sendJson(response, 200, {
      issuer: tokens.issuer,
      jwks_uri: tokens.jwksUri ?? `https://${serverAddress()}/openid/v1/jwks`,
      response_types_supported: ['id_token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: tokens.algorithms,
    }),
    '/openid/v1/jwks': async (_, response) => sendJson(response, 200, { keys: await tokens.keys() }, 'application/jwk-set+json'),
  }
}
