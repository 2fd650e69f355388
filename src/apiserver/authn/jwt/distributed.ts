/** Claims that are not in the token but at a place that the token names (OpenID Connect Core 1.0, section 5.6.2): groups, where there are many. */
import { issuerOf, type Claims } from './claims.ts'
import { getText } from './keys.ts'

/** Checks a token like the one that names it, and gives its claims. */
type Verify = (token: string) => Promise<Claims>

/** How many issuers of such claims are remembered with their keys. */
const most = 16

/**
 * What adds the claim of that name to the claims of a token that was checked. The places are asked because a trusted issuer names them, over
 * TLS by the same authority; what they answer has to be a token for us, by the keys of its own issuer. Rejects when it cannot be had.
 */
export function createDistributedClaims(name: string, certificateAuthority: string | undefined, verifierFor: (issuer: string) => Verify): (claims: Claims) => Promise<Claims> {
  const verifiers = new Map<string, Verify>()
  const verifierOf = (issuer: string): Verify => {
    const known = verifiers.get(issuer)
    if (known) return known
    const verify = verifierFor(issuer)
    if (verifiers.size >= most) verifiers.clear()
    verifiers.set(issuer, verify)
    return verify
  }
  return async (claims) => {
    const source = claims[name] === undefined ? (claims['_claim_names'] as Readonly<Record<string, string>> | null | undefined)?.[name] : undefined
    if (source === undefined) return claims
    const { endpoint, access_token: accessToken } = (claims['_claim_sources'] as Readonly<Record<string, { readonly endpoint?: unknown; readonly access_token?: unknown }>>)[source] ?? {}
    // A token within the token is nothing that Kubernetes looks at.
    if (typeof endpoint !== 'string' || endpoint === '') return claims
    if (!URL.canParse(endpoint) || new URL(endpoint).protocol !== 'https:') throw new Error(`could not expand distributed claims: ${JSON.stringify(endpoint)} is no https URL`)
    const token = await getText(endpoint, certificateAuthority, typeof accessToken === 'string' && accessToken !== '' ? { authorization: `Bearer ${accessToken}` } : {})
    const issuer = issuerOf(token)
    if (issuer === undefined || !URL.canParse(issuer) || new URL(issuer).protocol !== 'https:') throw new Error(`could not expand distributed claims: what ${endpoint} answers is no token`)
    const value = (await verifierOf(issuer)(token))[name]
    if (value === undefined) throw new Error(`could not expand distributed claims: the token of ${endpoint} has no claim ${name}`)
    return { ...claims, [name]: value }
  }
}
