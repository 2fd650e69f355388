import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { SignJWT, type JWTPayload } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { environment, type Loose, type TestEnvironment } from '../testing/environment.ts'
import { createTokenCheck, type TokenCheck } from './token-authentication.ts'
import { createTokens } from './tokens.ts'

const issuer = 'https://kubernetes.default.svc'
const keyOn = (namedCurve: string) => generateKeyPairSync('ec', { namedCurve }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
const key = keyOn('P-256')
const account: Loose = { kind: 'ServiceAccount', metadata: { name: 'app', namespace: 'x', uid: 'account-uid' } as never }
const binding = { namespace: 'x', serviceaccount: { name: 'app', uid: 'account-uid' } }

let env: TestEnvironment
beforeEach(() => { env = environment(account, { kind: 'Pod', metadata: { name: 'p', namespace: 'x', uid: 'pod-uid' } as never }) })
const now = () => Math.floor(env.clock.now() / 1000)
const check = (token: string, audiences = [issuer], signingKey = key) => Promise.resolve(token).then((given) => createTokenCheck(env, createTokens({ signingKey, issuer }, env.clock))(given, audiences)) as Promise<TokenCheck>
const why = (token: string, audiences?: string[]) => check(token, audiences).then(() => 'holds', (error: Error) => error.message)
/** A token with these claims, and others that hold. */
const signed = (claims: JWTPayload, head = {}) =>
  new SignJWT({ iss: issuer, sub: 'system:serviceaccount:x:app', aud: issuer, exp: now() + 600, 'kubernetes.io': binding, ...claims }).setProtectedHeader({ alg: 'ES256', ...head }).sign(createPrivateKey(key))

describe('a service account token', () => {
  it('is signed by an elliptic curve key of any of three sizes', async () => {
    for (const [curve, algorithm] of [['P-256', 'ES256'], ['P-384', 'ES384'], ['P-521', 'ES512']] as const) {
      const pem = keyOn(curve)
      const tokens = createTokens({ signingKey: pem, issuer }, env.clock)
      expect(tokens.algorithms).toEqual([algorithm])
      expect(await tokens.keys()).toMatchObject([{ alg: algorithm, crv: curve }])
      expect((await check((await tokens.sign(binding, [issuer], 600)).token, [issuer], pem)).identity.name).toBe('system:serviceaccount:x:app')
    }
    expect(() => createTokens({ signingKey: keyOn('secp256k1'), issuer }, env.clock)).toThrow('P-256, P-384 or P-521')
  })

  it('holds for servers whose clocks differ by a minute, and not more', async () => {
    expect(await why(await signed({ nbf: now() + 59, iat: now() + 59 }))).toBe('holds')
    expect(await why(await signed({ nbf: now() + 61 }))).toBe('service account token is not valid yet')
    expect(await why(await signed({ iat: now() + 61 }))).toBe('service account token is issued in the future')
    expect(await why(await signed({ exp: now() - 59 }))).toBe('holds')
    expect(await why(await signed({ exp: now() - 61 }))).toBe('service account token has expired')
  })

  it('that names no audience is for this server, and said to be an old one', async () => {
    const token = await signed({ aud: undefined })
    expect(await check(token, ['vault', issuer])).toMatchObject({ audiences: [issuer], remarks: { annotations: { 'authentication.k8s.io/legacy-token': 'system:serviceaccount:x:app' } } })
    expect(await why(token, ['vault'])).toBe('token audiences ["https://kubernetes.default.svc"] is invalid for the target audiences ["vault"]')
    expect((await check(await signed({ aud: [issuer, 'vault'] }), ['vault', issuer])).audiences).toEqual(['vault', issuer])
  })

  it('says why it does not hold in the words of Kubernetes', async () => {
    expect(await why(await signed({}, { kid: 'other' }))).toBe('invalid signature, no keys found')
    expect(await why(await signed({}, { kid: '' }))).toBe('holds')
    const bound = (more: object) => signed({ 'kubernetes.io': { ...binding, ...more } })
    expect(await why(await bound({ pod: { name: 'p', uid: 'old' } }))).toBe('pod UID (pod-uid) does not match service account pod ref claim (old)')
    expect(await why(await bound({ pod: { name: 'none', uid: 'old' } }))).toBe('service account token has been invalidated')
    expect(await why(await bound({ pod: { name: 'p', uid: 'pod-uid' }, secret: { name: 'none', uid: 's' } }))).toBe('service account token has been invalidated')
    expect(await why(await bound({ pod: { name: 'p', uid: 'pod-uid' }, node: { name: 'gone', uid: 'n' } }))).toBe('holds')
    expect(await why(await bound({ serviceaccount: { name: 'app', uid: 'old' } }))).toBe('service account UID (account-uid) does not match claim (old)')
  })

  it('holds for a minute after its account was deleted; one in a secret does not', async () => {
    const tokens = createTokens({ signingKey: key, issuer }, env.clock)
    const own = await tokens.signForSecret('x', 's', binding.serviceaccount)
    env.objects.push({ kind: 'Secret', metadata: { name: 's', namespace: 'x' }, data: { token: Buffer.from(own).toString('base64') } })
    const { token } = await tokens.sign(binding, [issuer], 3600)
    expect([await why(own), await why(token)]).toEqual(['holds', 'holds'])
    env.objects[0] = { ...account, metadata: { ...account.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' } as never }
    expect([await why(own), await why(token)]).toEqual(['ServiceAccount x/app has been deleted', 'holds'])
    await env.clock.advance(61_000)
    expect(await why(token)).toBe('service account x/app has been deleted')
  })
})
