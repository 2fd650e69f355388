/** Service account tokens: JSON web tokens that say which account, for whom, until when, and with which object they die. */
import { createHash, createPrivateKey, createPublicKey, type KeyObject } from 'node:crypto'
import { SignJWT, decodeProtectedHeader, errors, exportJWK, jwtVerify, type JWK } from 'jose'
import type { Clock } from '../../machinery/clock.ts'

export interface ServiceAccountKeys {
  /** PEM; an elliptic curve key on P-256, P-384 or P-521 (ES256, ES384, ES512) or an RSA key (RS256). Signs new tokens. */
  readonly signingKey: string | Buffer
  /** PEM, public or private: keys that signed tokens which are still about. The signing key is one of them without being named. */
  readonly verificationKeys?: readonly (string | Buffer)[]
  /** The `iss` of the tokens, a URL: `https://kubernetes.default.svc`. */
  readonly issuer: string
  /** What the issuer was called before: tokens that say so hold on. */
  readonly otherIssuers?: readonly string[]
  /** Audiences this server answers to; the issuers when left out. */
  readonly audiences?: readonly string[]
  /** The most seconds that a token may be asked for. */
  readonly longest?: number
  /** Tokens that are mounted into pods hold longer than their hour, for clients that do not read them again; they end with their pod all the same. */
  readonly extend?: boolean
  /** Where others find the keys, if not here. */
  readonly jwksUri?: string
}

export interface BoundObject { readonly name: string; readonly uid: string }

/** What a token says under `kubernetes.io`. */
export interface TokenBinding {
  readonly namespace: string
  readonly serviceaccount: BoundObject
  readonly pod?: BoundObject
  readonly secret?: BoundObject
  readonly node?: BoundObject
}

export interface TokenClaims {
  /** Empty for a token of a secret, and one that names none: it is for this server alone. */
  readonly audiences: readonly string[]
  readonly id: string
  readonly binding: TokenBinding
  /** Until when it is accepted, in milliseconds since the epoch; infinite for a token of a secret. */
  readonly expires: number
  /** From when on whoever uses it should have read a newer one; undefined where it ends with its time anyway. */
  readonly staleFrom?: number
}

export interface Tokens {
  readonly issuer: string
  readonly audiences: readonly string[]
  /** `extended`: for how many seconds it really holds, when those asked for are only until when it should be renewed. */
  sign(binding: TokenBinding, audiences: readonly string[], seconds: number, extended?: number): Promise<{ readonly token: string; readonly expires: number; readonly id: string }>
  /** A token that lives as long as the secret it is kept in: the old form, on request only. */
  signForSecret(namespace: string, secret: string, account: BoundObject): Promise<string>
  /** The claims of a token that was verified before and has not expired; undefined for any other. */
  verified(token: string): TokenClaims | undefined
  /** The claims of a token of ours that has not expired; undefined for a token that is none of ours; throws for one that does not hold. */
  verify(token: string): Promise<TokenClaims | undefined>
  /** The public keys, for `/openid/v1/jwks`. */
  keys(): Promise<readonly JWK[]>
  readonly algorithms: readonly string[]
  readonly longest: number | undefined
  readonly extend: boolean
  readonly jwksUri: string | undefined
}

interface Key { readonly id: string; readonly algorithm: string; readonly key: KeyObject; readonly publicKey: KeyObject }

/** The issuer of tokens that are kept in secrets, whatever the server is called. */
const secretIssuer = 'kubernetes/serviceaccount'

/** Seconds by which the clocks of several servers may differ: so much longer, and earlier, a token holds. */
const leeway = 60

/** How many verified tokens are remembered, so that a signature is checked once and not with every request. */
const remembered = 4096

/** Signs and verifies service account tokens with the given keys. */
export function createTokens(options: ServiceAccountKeys, clock: Clock): Tokens {
  const signing = keyOf(createPrivateKey(options.signingKey))
  const keys = new Map<string, Key>([[signing.id, signing]])
  for (const pem of options.verificationKeys ?? []) {
    const key = keyOf(createPublicKey(pem))
    if (!keys.has(key.id)) keys.set(key.id, key)
  }
  const algorithms = [...new Set([...keys.values()].map((k) => k.algorithm))].toSorted()
  const issuers = [options.issuer, ...(options.otherIssuers ?? [])]
  const audiences = options.audiences ?? issuers
  const verified = new Map<string, TokenClaims>()

  async function check(token: string): Promise<TokenClaims | undefined> {
    const issuer = issuerOf(token)
    if (typeof issuer !== 'string' || (issuer !== secretIssuer && !issuers.includes(issuer))) return undefined
    const old = issuer === secretIssuer
    const { kid } = decodeProtectedHeader(token)
    const candidates = kid ? [keys.get(kid)].filter((k) => k !== undefined) : [...keys.values()]
    for (const key of candidates) {
      const now = clock.now()
      const result = await jwtVerify(token, key.publicKey, { issuer, algorithms: [key.algorithm], currentDate: new Date(now), clockTolerance: leeway, requiredClaims: old ? ['sub'] : ['exp', 'sub'] })
        .catch((error: unknown) => {
          const untimely = untimelinessOf(error)
          if (untimely || candidates.length === 1) throw untimely ?? error
        })
      if (result) return old ? secretClaimsOf(result.payload as unknown as SecretPayload) : claimsOf(result.payload as unknown as Payload, now)
    }
    throw new Error('invalid signature, no keys found')
  }

  return {
    issuer: options.issuer,
    audiences,
    algorithms,
    longest: options.longest,
    extend: options.extend ?? false,
    jwksUri: options.jwksUri,
    async sign(binding, audiences, seconds, extended) {
      const now = Math.floor(clock.now() / 1000)
      const id = crypto.randomUUID()
      const token = await new SignJWT({ 'kubernetes.io': { ...binding, ...(extended === undefined ? {} : { warnafter: now + seconds }) }, nbf: now })
        .setProtectedHeader({ alg: signing.algorithm, kid: signing.id })
        .setIssuer(options.issuer)
        .setSubject(`system:serviceaccount:${binding.namespace}:${binding.serviceaccount.name}`)
        .setAudience([...audiences])
        .setIssuedAt(now)
        .setExpirationTime(now + (extended ?? seconds))
        .setJti(id)
        .sign(signing.key)
      return { token, expires: (now + seconds) * 1000, id }
    },
    signForSecret: (namespace, secret, account) => new SignJWT({
      'kubernetes.io/serviceaccount/namespace': namespace,
      'kubernetes.io/serviceaccount/secret.name': secret,
      'kubernetes.io/serviceaccount/service-account.name': account.name,
      'kubernetes.io/serviceaccount/service-account.uid': account.uid,
    })
      .setProtectedHeader({ alg: signing.algorithm, kid: signing.id })
      .setIssuer(secretIssuer)
      .setSubject(`system:serviceaccount:${namespace}:${account.name}`)
      .sign(signing.key),
    verified(token) {
      const known = verified.get(token)
      return known && known.expires > clock.now() ? known : undefined
    },
    async verify(token) {
      const known = verified.get(token)
      if (known) {
        if (known.expires > clock.now()) return known
        verified.delete(token)
        throw expired()
      }
      const claims = await check(token)
      if (!claims) return undefined
      if (verified.size >= remembered) verified.delete(verified.keys().next().value as string)
      verified.set(token, claims)
      return claims
    },
    keys: () => Promise.all([...keys.values()].map(async ({ id, algorithm, publicKey }) => ({ ...(await exportJWK(publicKey)), use: 'sig', kid: id, alg: algorithm }))),
  }
}

/** Whether tokens can be signed, or only checked, with a PEM key. Throws an `Error` of one line when they cannot. */
export function checkKey(pem: string, use: 'sign' | 'verify'): void {
  let key: KeyObject
  try {
    key = use === 'sign' ? createPrivateKey(pem) : createPublicKey(pem)
  } catch {
    throw new Error(`it contains no ${use === 'sign' ? 'private' : 'public or private'} key that can be read`)
  }
  keyOf(key)
}

function keyOf(key: KeyObject): Key {
  const publicKey = key.type === 'private' ? createPublicKey(key) : key
  const id = createHash('sha256').update(publicKey.export({ type: 'spki', format: 'der' })).digest('base64url')
  if (key.asymmetricKeyType === 'rsa') return { id, algorithm: 'RS256', key, publicKey }
  const algorithm = key.asymmetricKeyType === 'ec' ? curves[key.asymmetricKeyDetails?.namedCurve ?? ''] : undefined
  if (algorithm) return { id, algorithm, key, publicKey }
  throw new Error('service account keys are RSA keys, or elliptic curve keys on P-256, P-384 or P-521')
}

const curves: Readonly<Record<string, string>> = { prime256v1: 'ES256', secp384r1: 'ES384', secp521r1: 'ES512' }

const expired = (): Error => new Error('service account token has expired')

/** That the token's time is over, or has not come, in Kubernetes's words; undefined for whatever else is wrong. Signatures are checked before times. */
function untimelinessOf(error: unknown): Error | undefined {
  if (error instanceof errors.JWTExpired) return expired()
  return error instanceof errors.JWTClaimValidationFailed && error.claim === 'nbf' ? new Error('service account token is not valid yet') : undefined
}

interface Payload { readonly aud?: string | string[]; readonly exp: number; readonly iat?: number; readonly jti?: string; readonly sub: string; readonly 'kubernetes.io'?: TokenBinding & { readonly warnafter?: number } }

/** The `iss` of what looks like a token, unchecked: to tell ours from others'. */
function issuerOf(token: string): unknown {
  const parts = token.split('.')
  if (parts.length !== 3) return undefined
  try {
    return (JSON.parse(Buffer.from(parts[1] as string, 'base64url').toString('utf8')) as { iss?: unknown }).iss
  } catch {
    return undefined
  }
}

interface SecretPayload {
  readonly sub: string
  readonly 'kubernetes.io/serviceaccount/namespace'?: string
  readonly 'kubernetes.io/serviceaccount/secret.name'?: string
  readonly 'kubernetes.io/serviceaccount/service-account.name'?: string
  readonly 'kubernetes.io/serviceaccount/service-account.uid'?: string
}

/** The token names its secret, which must still hold it: the secret's uid is not in the token. */
function secretClaimsOf(payload: SecretPayload): TokenClaims {
  const of = (key: 'namespace' | 'secret.name' | 'service-account.name' | 'service-account.uid') => payload[`kubernetes.io/serviceaccount/${key}`]
  const namespace = of('namespace')
  const name = of('service-account.name')
  const secret = of('secret.name')
  if (!namespace || !name || !secret) throw new Error('the token names no service account and secret')
  if (payload.sub !== `system:serviceaccount:${namespace}:${name}`) throw new Error('the token\'s subject is not its service account')
  return { audiences: [], id: '', binding: { namespace, serviceaccount: { name, uid: of('service-account.uid') ?? '' }, secret: { name: secret, uid: '' } }, expires: Infinity }
}

function claimsOf(payload: Payload, now: number): TokenClaims {
  if (payload.iat !== undefined && payload.iat > now / 1000 + leeway) throw new Error('service account token is issued in the future')
  const binding = payload['kubernetes.io']
  if (!binding?.namespace || !binding.serviceaccount?.name) throw new Error('the token names no service account')
  if (payload.sub !== `system:serviceaccount:${binding.namespace}:${binding.serviceaccount.name}`) throw new Error('the token\'s subject is not its service account')
  const { warnafter } = binding
  return { audiences: [payload.aud ?? []].flat(), id: payload.jti ?? '', binding, expires: (payload.exp + leeway) * 1000, ...(warnafter === undefined ? {} : { staleFrom: warnafter * 1000 }) }
}
