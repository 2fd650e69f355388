/** Tokens that must open nothing: forged, unsigned, of the wrong key, issuer or audience, over, of what is gone, of another cluster. */
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestControlPlane, type TestControlPlane } from '../../support/control-plane.ts'
import { attempt, attemptH2 } from '../../support/attackers.ts'

let cluster: TestControlPlane
let other: TestControlPlane
beforeAll(async () => {
  ;[cluster, other] = await Promise.all([startTestControlPlane(), startTestControlPlane()])
  for (const one of [cluster, other]) {
    await one.kubectl('create', 'serviceaccount', 'app')
    await one.kubectl('create', 'clusterrolebinding', 'app', '--clusterrole=view', '--serviceaccount=default:app')
  }
})
afterAll(() => Promise.all([cluster?.stop(), other?.stop()]))

const pods = '/api/v1/namespaces/default/pods'
const code = async (token: string, path = pods) => (await attempt(cluster, path, { token })).code
const newToken = async (...more: string[]) => (await cluster.kubectl('create', 'token', 'app', ...more)).trim()
const claimsOf = (token: string) => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown>
const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('a token', () => {
  it('opens what its account may see, and is refused with any bit changed', async () => {
    const token = await newToken()
    expect(await code(token)).toBe(200)
    expect((await attemptH2(cluster, pods, { authorization: `Bearer ${token}` })).code).toBe(200)
    const [head = '', body = '', signature = ''] = token.split('.')
    const claims = claimsOf(token)
    const forged = [
      `${head}.${encode({ ...claims, sub: 'system:serviceaccount:kube-system:admin' })}.${signature}`,
      `${head}.${encode({ ...claims, exp: 9_999_999_999 })}.${signature}`,
      `${head}.${body}.${signature.slice(0, -4)}AAAA`,
      `${head}.${body}.`,
      `${head}.${body}`,
      `${encode({ alg: 'none', typ: 'JWT' })}.${body}.`,
      `${encode({ alg: 'None' })}.${body}.${signature}`,
      `${encode({ alg: 'ES256', kid: '../../../../dev/null' })}.${body}.${signature}`,
      `${encode({ alg: 'ES256', jku: 'https://127.0.0.1:1/keys', x5u: 'https://127.0.0.1:1/', jwk: {} })}.${body}.${signature}`,
      `${encode({ alg: 'ES256', crit: ['b64'], b64: false })}.${body}.${signature}`,
      token.toUpperCase(),
      `${token}.${token}`,
      'x'.repeat(100_000),
    ]
    for (const one of forged) expect(await code(one), one.slice(0, 80)).toBe(401)
    expect(await code(token)).toBe(200)
  })

  it('signed with the public key as a shared secret is refused', async () => {
    const keys = (await attempt(cluster, '/openid/v1/jwks', { cert: cluster.pki.admin })).text
    const pem = createPublicKey(cluster.pki.serviceAccountKey).export({ type: 'spki', format: 'pem' }) as string
    const claims = claimsOf(await newToken())
    for (const secret of [pem, pem.trim(), keys, cluster.pki.ca.cert]) {
      expect(await code(await new SignJWT(claims).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(secret)))).toBe(401)
    }
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    expect(await code(await new SignJWT(claims).setProtectedHeader({ alg: 'ES256' }).sign(privateKey))).toBe(401)
  })

  it('for another audience, or of another cluster, is refused', async () => {
    expect(await code(await newToken('--audience=vault'))).toBe(401)
    const foreign = (await other.kubectl('create', 'token', 'app')).trim()
    expect((await attempt(other, pods, { token: foreign })).code).toBe(200)
    expect(await code(foreign)).toBe(401)
  })

  it('is refused when its account is gone, and when another of the same name has come', async () => {
    await cluster.kubectl('create', 'serviceaccount', 'brief')
    const token = (await cluster.kubectl('create', 'token', 'brief')).trim()
    expect(await code(token, '/api')).toBe(200)
    await cluster.kubectl('delete', 'serviceaccount', 'brief')
    expect(await code(token, '/api')).toBe(401)
    await cluster.kubectl('create', 'serviceaccount', 'brief')
    expect(await code(token, '/api')).toBe(401)
  })

  it('is refused when the pod or secret it is bound to is gone, or came back as another', async () => {
    const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bound' }, spec: { serviceAccountName: 'app', containers: [{ name: 'c', image: 'x' }] } }
    await cluster.apply(pod)
    await cluster.kubectl('create', 'secret', 'generic', 'bound')
    const ofPod = await newToken('--bound-object-kind=Pod', '--bound-object-name=bound')
    const ofSecret = await newToken('--bound-object-kind=Secret', '--bound-object-name=bound')
    for (const token of [ofPod, ofSecret]) expect(await code(token)).toBe(200)
    await cluster.kubectl('delete', 'pod', 'bound', '--grace-period=0', '--force')
    await cluster.kubectl('delete', 'secret', 'bound')
    for (const token of [ofPod, ofSecret]) expect(await code(token)).toBe(401)
    await cluster.apply(pod)
    await cluster.kubectl('create', 'secret', 'generic', 'bound')
    for (const token of [ofPod, ofSecret]) expect(await code(token)).toBe(401)
  })

  it('kept in a secret is refused when the secret is gone, or holds another', async () => {
    const secret = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'kept', annotations: { 'kubernetes.io/service-account.name': 'app' } }, type: 'kubernetes.io/service-account-token' }
    await cluster.apply(secret)
    const read = async () => Buffer.from(await cluster.kubectl('get', 'secret', 'kept', '-o', 'jsonpath={.data.token}'), 'base64').toString()
    const token = await read()
    expect(await code(token)).toBe(200)
    await cluster.kubectl('delete', 'secret', 'kept')
    expect(await code(token)).toBe(401)
    await cluster.apply(secret)
    expect(await code(await read())).toBe(200)
  })

  it('that is none of these is refused wherever one may be sent', async () => {
    const bad = 'forged'
    expect((await attempt(cluster, pods, { headers: ['authorization', `bearer ${bad}`] })).code).toBe(401)
    expect((await attempt(cluster, pods, { headers: ['authorization', `bearer  ${await newToken()}`] })).code).toBe(403)
    expect((await attempt(cluster, pods, { headers: ['authorization', 'Basic YWRtaW46YWRtaW4='] })).code).toBe(403)
    expect((await attempt(cluster, pods, { headers: ['Authorization', `Bearer ${bad}`, 'authorization', `Bearer ${await newToken()}`] })).code).toBe(401)
    expect((await attempt(cluster, `${pods}?access_token=${await newToken()}`)).code).toBe(403)
    const protocol = `base64url.bearer.authorization.k8s.io.${Buffer.from(bad).toString('base64url')}, v5.channel.k8s.io`
    const upgrade = ['connection', 'Upgrade', 'upgrade', 'websocket', 'sec-websocket-version', '13', 'sec-websocket-key', 'x3JJHMbDL1EzLkh9GBhXDw==', 'sec-websocket-protocol', protocol]
    expect((await attempt(cluster, `${pods}/p/exec?command=id`, { headers: upgrade })).code).toBe(401)
    expect((await attempt(cluster, '/healthz', { token: bad })).code).toBe(401)
  })
})

describe('a review of a token', () => {
  const review = async (token: string, audiences: string[] = []) =>
    (await attempt(cluster, '/apis/authentication.k8s.io/v1/tokenreviews', { cert: cluster.pki.admin, body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token, audiences } } })).json as unknown as { status: { authenticated?: boolean; audiences?: string[] } }

  it('says yes only to tokens that hold, for the audiences that were asked about', async () => {
    const token = await newToken('--audience=vault')
    expect((await review(token, ['vault', 'other'])).status).toMatchObject({ authenticated: true, audiences: ['vault'] })
    expect((await review(token)).status.authenticated ?? false).toBe(false)
    expect((await review(token, ['other'])).status.authenticated ?? false).toBe(false)
    expect((await review('forged', ['vault'])).status.authenticated ?? false).toBe(false)
  })

  it('is for those who have the right', async () => {
    const reply = await attempt(cluster, '/apis/authentication.k8s.io/v1/tokenreviews', { token: await newToken(), body: { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'x' } } })
    expect(reply.code).toBe(403)
  })
})
