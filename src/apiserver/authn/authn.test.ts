import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'
import { SignJWT } from 'jose'
import { beforeEach, describe, expect, it } from 'vitest'
import { Registry } from 'prom-client'
import { core } from '../../api/index.ts'
import { FakeClock } from '../../machinery/clock.ts'
import { isApiError } from '../../machinery/errors.ts'
import { createAuthorizer, mastersMode, type Action } from '../authz/authorizer.ts'
import { createRbacIndex } from '../authz/rbac.ts'
import { anonymous, type Identity } from '../identity.ts'
import type { VirtualCall } from '../options.ts'
import { tokenSecret } from '../admission/plugins/token-secret.ts'
import { attributesOf, environment, type Loose, type TestEnvironment } from '../testing/environment.ts'
import { createAuthenticator, type Authentication, type RawRequest } from './authenticator.ts'
import { bearerAuthentication, forThisServer } from './bearer.ts'
import { findBootstrapToken } from './bootstrap-tokens.ts'
import { certificateAuthentication, identityOf } from './certificate.ts'
import { constraintOf, impersonate } from './impersonation.ts'
import { createAudienceCheck } from './node-audiences.ts'
import { remarksOf } from './remarks.ts'
import { createTokenUses } from './token-uses.ts'
import { createTokenCheck, type CheckToken } from './token-authentication.ts'
import { tokenRequest } from './token-requests.ts'
import { selfSubjectReview, tokenReview } from './token-reviews.ts'
import { createTokens, type Tokens } from './tokens.ts'

const chain = (ways: Authentication[]) => async (request: RawRequest) => createAuthenticator(ways)(request)
const bearer = (check: CheckToken, audiences: readonly string[]) => bearerAuthentication(check, audiences, () => undefined)
const pem = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
const requestWith = (headers: IncomingHttpHeaders, socket: object = {}): RawRequest => ({ headers, socket }) as unknown as RawRequest
const code = async (promise: Promise<unknown>): Promise<number | string> => promise.then(() => 'passed', (error: unknown) => (isApiError(error) ? error.code : String(error)))

describe('client certificates', () => {
  const certificate = { subject: { CN: 'ana', O: ['devs', 'ops'] }, fingerprint256: 'AB:CD', valid_to: 'Jan  2 00:00:00 2026 GMT' }
  const socket = (authorized: boolean, peer: object = certificate) => ({ authorized, getPeerCertificate: () => peer })
  const clock = new FakeClock()
  const authenticate = chain([certificateAuthentication(clock)])

  it('say the user and the groups', async () => {
    expect(await authenticate(requestWith({}, socket(true)))).toEqual({
      name: 'ana', groups: ['devs', 'ops', 'system:authenticated'], extra: { 'authentication.kubernetes.io/credential-id': ['X509SHA256=abcd'] },
    })
  })

  it('say the uid, if there is one', async () => {
    const uid = '1.3.6.1.4.1.57683.2'
    expect(await authenticate(requestWith({}, socket(true, { ...certificate, subject: { ...certificate.subject, [uid]: 'u-1' } })))).toMatchObject({ name: 'ana', uid: 'u-1' })
    for (const wrong of [['u-1', 'u-2'], '']) expect(await code(authenticate(requestWith({}, socket(true, { ...certificate, subject: { ...certificate.subject, [uid]: wrong } }))))).toBe(401)
  })

  it('of another authority are refused, also on public paths', async () => {
    expect(await code(authenticate(requestWith({}, socket(false))))).toBe(401)
  })

  it('that name nobody are none', async () => {
    expect(identityOf({ ...certificate, subject: { O: 'devs' } } as never)).toBeUndefined()
    expect(await authenticate(requestWith({}, socket(false, {})))).toBe(anonymous)
  })

  it('that run out end a connection that is older', async () => {
    const open = socket(true)
    const own = new FakeClock()
    const authenticate = chain([certificateAuthentication(own)])
    expect(await code(authenticate(requestWith({}, open)))).toBe('passed')
    await own.advance(25 * 3_600_000)
    expect(await code(authenticate(requestWith({}, open)))).toBe(401)
  })

  it('are looked at once per connection', async () => {
    let looked = 0
    const one = { authorized: true, getPeerCertificate: () => (looked++, certificate) }
    const first = await authenticate(requestWith({}, one))
    expect(await authenticate(requestWith({}, one))).toBe(first)
    expect(looked).toBe(1)
  })
})

describe('service account tokens', () => {
  const issuer = 'https://kubernetes.default.svc'
  const account: Loose = { kind: 'ServiceAccount', metadata: { name: 'app', namespace: 'x', uid: 'account-uid' } as never }
  const mounted = [{ name: 't', projected: { sources: [{ serviceAccountToken: { path: 'token' } }] } }]
  const pod: Loose = { kind: 'Pod', metadata: { name: 'p', namespace: 'x', uid: 'pod-uid' } as never, spec: { serviceAccountName: 'app', nodeName: 'n1', volumes: mounted } }
  const node: Loose = { kind: 'Node', metadata: { name: 'n1', uid: 'node-uid' } as never }
  let env: TestEnvironment
  let tokens: Tokens
  let key: string

  let noted: Record<string, string>

  beforeEach(() => {
    noted = {}
    env = environment(account, pod, node)
    key = pem()
    tokens = createTokens({ signingKey: key, issuer }, env.clock)
  })

  const call = (user: Identity = { name: 'ana', groups: [] }): VirtualCall =>
    ({ resource: core.serviceaccounts, signal: undefined, user, verb: 'create', subresource: 'token', namespace: 'x', name: 'app', dryRun: false, now: env.clock.now(), warn: () => {}, annotate: (key: string, value: string) => void (noted[key] = value) }) as unknown as VirtualCall
  interface TokenAnswer { readonly spec: { readonly audiences: readonly string[] }; readonly status: { readonly token: string; readonly expirationTimestamp: string; readonly authenticated?: boolean; readonly user?: { readonly username?: string }; readonly error?: string } }
  const ask = async (spec: object = {}, user?: Identity, metadata: object = {}) => (await tokenRequest(env, { tokens, checkAudiences: createAudienceCheck(env, { decide: () => ({ opinion: 'none', reason: '' }) }), admission: { mutate: ({ object }) => object, validate: () => undefined } }).create?.({ metadata, spec: { audiences: [], ...spec } } as never, call(user))) as unknown as TokenAnswer
  const toPod = { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: 'p', uid: 'pod-uid' } }
  const authenticate = (token: string) => chain([bearer(createTokenCheck(env, tokens), tokens.audiences)])(requestWith({ authorization: `Bearer ${token}` }))

  it('that contradict themselves are refused, though the key is ours; so is another way to sign with it', async () => {
    key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
    tokens = createTokens({ signingKey: key, issuer }, env.clock)
    const claims = { 'kubernetes.io': { namespace: 'x', serviceaccount: { name: 'app', uid: 'account-uid' } } }
    const now = Math.floor(env.clock.now() / 1000)
    const signed = async (subject: string, alg: string) => new SignJWT(claims).setProtectedHeader({ alg }).setIssuer(issuer).setAudience(issuer).setSubject(subject).setIssuedAt(now).setExpirationTime(now + 600).sign(createPrivateKey(key))
    expect(await code(authenticate(await signed('system:serviceaccount:x:app', 'RS256')))).toBe('passed')
    expect(await code(authenticate(await signed('system:serviceaccount:kube-system:admin', 'RS256')))).toBe(401)
    expect(await code(authenticate(await signed('system:masters', 'RS256')))).toBe(401)
    for (const alg of ['RS384', 'RS512', 'PS256']) expect(await code(authenticate(await signed('system:serviceaccount:x:app', alg))), alg).toBe(401)
  })

  it('make who carries them the account, and say which pod and node they are from', async () => {
    const { status, spec } = await ask(toPod)
    expect(spec.audiences).toEqual([issuer])
    expect(status.expirationTimestamp).toBe('2026-01-01T01:00:00Z')
    expect(await authenticate(status.token)).toMatchObject({
      name: 'system:serviceaccount:x:app',
      uid: 'account-uid',
      groups: ['system:serviceaccounts', 'system:serviceaccounts:x', 'system:authenticated'],
      extra: { 'authentication.kubernetes.io/pod-name': ['p'], 'authentication.kubernetes.io/pod-uid': ['pod-uid'], 'authentication.kubernetes.io/node-name': ['n1'], 'authentication.kubernetes.io/node-uid': ['node-uid'] },
    })
  })

  it('end with their time, their account, and what they are bound to', async () => {
    const { token } = (await ask(toPod)).status
    expect(await code(authenticate(token))).toBe('passed')
    env.objects.splice(env.objects.indexOf(pod), 1)
    expect(await code(authenticate(token))).toBe(401)
    env.objects.push({ ...pod, metadata: { ...pod.metadata, uid: 'another' } as never })
    expect(await code(authenticate(token))).toBe(401)
    const unbound = (await ask()).status.token
    // The clocks of servers may differ by a minute.
    await env.clock.advance(3_659_000)
    expect(await code(authenticate(unbound))).toBe('passed')
    await env.clock.advance(2_000)
    expect(await code(authenticate(unbound))).toBe(401)
    const last = (await ask()).status.token
    env.objects.splice(env.objects.indexOf(account), 1)
    expect(await code(authenticate(last))).toBe(401)
  })

  it('that are forged, unsigned, of another key, issuer or audience are refused', async () => {
    const { token } = (await ask()).status
    const [head = '', body = '', signature = ''] = token.split('.')
    const other = JSON.parse(Buffer.from(body, 'base64url').toString()) as Record<string, unknown>
    const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    expect(await code(authenticate(`${head}.${encode({ ...other, sub: 'system:serviceaccount:kube-system:admin' })}.${signature}`))).toBe(401)
    expect(await code(authenticate(`${encode({ alg: 'none' })}.${body}.`))).toBe(401)
    const hmac = await new SignJWT(other).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(key))
    expect(await code(authenticate(hmac))).toBe(401)
    const stranger = createTokens({ signingKey: pem(), issuer }, env.clock)
    const binding = { namespace: 'x', serviceaccount: { name: 'app', uid: 'account-uid' } }
    expect(await code(authenticate((await stranger.sign(binding, [issuer], 600)).token))).toBe(401)
    expect(await code(authenticate((await tokens.sign(binding, ['vault'], 600)).token))).toBe(401)
    expect(await code(authenticate((await createTokens({ signingKey: key, issuer: 'https://elsewhere' }, env.clock).sign(binding, [issuer], 600)).token))).toBe(401)
    expect(await code(authenticate('nonsense'))).toBe(401)
  })

  it('signed with a key that was replaced hold as long as that key is known', async () => {
    const { token } = (await ask()).status
    tokens = createTokens({ signingKey: pem(), verificationKeys: [key], issuer }, env.clock)
    expect(await code(authenticate(token))).toBe('passed')
    expect((await tokens.keys()).map((k) => k.alg)).toEqual(['ES256', 'ES256'])
    for (const jwk of await tokens.keys()) expect(jwk.d).toBeUndefined()
  })

  it('are kept in secrets for those who ask, and end with them', async () => {
    const plugin = tokenSecret(env, tokens)
    const wanted: Loose = { kind: 'Secret', metadata: { name: 's', namespace: 'x', annotations: { 'kubernetes.io/service-account.name': 'app' } } as never, type: 'kubernetes.io/service-account-token' }
    const secret = (await plugin.mutate?.(attributesOf(core.secrets, wanted))) as unknown as Loose & { readonly data: { readonly token: string } }
    const token = Buffer.from(secret.data.token, 'base64').toString()
    expect(await code(authenticate(token))).toBe(401)
    env.objects.push(secret)
    expect(await authenticate(token)).toMatchObject({ name: 'system:serviceaccount:x:app', uid: 'account-uid' })
    await env.clock.advance(365 * 24 * 3_600_000)
    expect(await code(authenticate(token))).toBe('passed')
    const kept = env.objects.findIndex((o) => o.kind === 'Secret')
    env.objects[kept] = { ...env.objects[kept]!, data: { token: 'replaced' } }
    expect(await code(authenticate(token))).toBe(401)
    await expect(plugin.mutate?.(attributesOf(core.secrets, { ...wanted, metadata: { ...wanted.metadata, annotations: { 'kubernetes.io/service-account.name': 'none' } } as never }))).rejects.toMatchObject({ code: 403 })
  })

  it('in secrets are made again when they are taken out, as long as the account is there', async () => {
    const plugin = tokenSecret(env, tokens)
    env.objects.push({ kind: 'ConfigMap', metadata: { name: 'kube-root-ca.crt', namespace: 'x' }, data: { 'ca.crt': 'new' } })
    const annotated = (annotations: object, more: object = {}): Loose => ({ kind: 'Secret', metadata: { name: 's', namespace: 'x', annotations } as never, type: 'kubernetes.io/service-account-token', ...more })
    const [name, uid] = [{ 'kubernetes.io/service-account.name': 'app' }, { 'kubernetes.io/service-account.uid': 'account-uid' }]
    const after = async (secret: Loose, old: Loose = secret) => (await plugin.mutate?.(attributesOf(core.secrets, secret, { operation: 'UPDATE', old }))) as unknown as Loose & { readonly data?: Record<string, string> }
    const made = await after(annotated(name, { data: { more: 'b25l' } }))
    expect(made.metadata).toMatchObject({ annotations: { ...name, ...uid } })
    expect(made.data).toMatchObject({ more: 'b25l', namespace: 'eA==', 'ca.crt': 'bmV3' })
    env.objects.push(made)
    expect(await code(authenticate(Buffer.from(made.data!['token']!, 'base64').toString()))).toBe('passed')
    expect(await after(made)).toBe(made)
    expect((await after({ ...made, data: { ...made.data, 'ca.crt': 'b2xk' } })).data).toEqual(made.data)
    for (const other of [annotated({ ...name, 'kubernetes.io/service-account.uid': 'old' }), annotated({ 'kubernetes.io/service-account.name': 'none' }), annotated(name, { immutable: true })]) expect(await after(other)).toBe(other)
    const thawed = annotated(name)
    expect(await after(thawed, annotated(name, { immutable: true }))).toBe(thawed)
  })

  it('in secrets are noted when they are used, warned of when nobody made them by hand, and can be marked invalid', async () => {
    const uid = (name: string, labels = {}) => ({ kind: 'Secret', metadata: { name, namespace: 'x', uid: `${name}-uid`, labels }, data: { token: '' } }) as unknown as Loose
    const add = async (name: string, labels = {}) => {
      const token = await tokens.signForSecret('x', name, { name: 'app', uid: 'account-uid' })
      env.objects.push({ ...uid(name, labels), data: { token: Buffer.from(token).toString('base64') } })
      return token
    }
    const labelOf = (name: string) => (env.objects.find((o) => o.kind === 'Secret' && o.metadata.name === name)?.metadata as { labels?: Record<string, string> } | undefined)?.labels?.['kubernetes.io/legacy-token-last-used']
    env.objects[env.objects.indexOf(account)] = { ...account, secrets: [{ name: 'auto' }] }
    const registry = new Registry()
    const check = createTokenCheck(env, tokens, createTokenUses(registry))
    const remarksFor = async (token: string) => {
      const request = requestWith({ authorization: `Bearer ${token}` })
      const answer = await code(chain([bearer(check, tokens.audiences)])(request))
      return { answer, ...remarksOf(request) }
    }
    const legacy = { 'authentication.k8s.io/legacy-token': 'system:serviceaccount:x:app' }
    expect(await remarksFor(await add('hand'))).toEqual({ answer: 'passed', annotations: { ...legacy, 'authentication.k8s.io/legacy-token-manual-secret': 'hand' } })
    expect(await remarksFor(await add('auto'))).toEqual({
      answer: 'passed', annotations: { ...legacy, 'authentication.k8s.io/legacy-token-autogenerated-secret': 'auto' },
      warnings: ['Use tokens from the TokenRequest API or manually created secret-based tokens instead of auto-generated secret-based tokens.'],
    })
    expect([labelOf('hand'), labelOf('auto')]).toEqual(['2026-01-01', '2026-01-01'])
    expect(await remarksFor(await add('old', { 'kubernetes.io/legacy-token-invalid-since': '2025-01-01' }))).toEqual({ answer: 401, annotations: { 'authentication.k8s.io/legacy-token-invalidated': 'old/x' } })
    const page = await registry.metrics()
    for (const line of ['legacy_tokens_total 3', 'legacy_auto_token_uses_total 1', 'legacy_manual_token_uses_total 1', 'invalid_legacy_auto_token_uses_total 1', 'stale_tokens_total 0']) expect(page).toContain(`serviceaccount_${line}`)
  })

  it('that are used long after they should have been read anew say so to audit', async () => {
    tokens = createTokens({ signingKey: key, issuer, extend: true }, env.clock)
    const { token } = (await ask({ ...toPod, expirationSeconds: 3607 })).status
    expect(noted['authentication.kubernetes.io/issued-credential-id']).toMatch(/^JTI=[0-9a-f-]{36}$/)
    const request = requestWith({ authorization: `Bearer ${token}` })
    const way = chain([bearer(createTokenCheck(env, tokens), tokens.audiences)])
    await way(request)
    expect(remarksOf(request)).toBeUndefined()
    await env.clock.advance(3_617_000)
    await way(request)
    expect(remarksOf(request)?.annotations).toEqual({ 'authentication.k8s.io/stale-token': 'subject: system:serviceaccount:x:app, seconds after warning threshold: 10' })
  })

  it('that are mounted hold for clients that do not read them again, and are said to be stale; others do not', async () => {
    tokens = createTokens({ signingKey: key, issuer, extend: true, longest: 7200 }, env.clock)
    const warned: object[] = []
    const check = createTokenCheck({ ...env, log: { ...env.log, warn: (fields: object) => void warned.push(fields) } }, tokens)
    const holds = (token: string) => Promise.resolve(token).then((t) => check(t, tokens.audiences)).then(() => true, () => false)
    const mounted = await ask({ ...toPod, expirationSeconds: 3607 })
    const plain = await ask({ ...toPod, expirationSeconds: 3600 })
    expect(mounted.status.expirationTimestamp).toBe('2026-01-01T01:00:07Z')
    for (const { status } of [mounted, plain]) expect(await holds(status.token)).toBe(true)
    expect(warned).toEqual([])
    await env.clock.advance(7_200_000)
    expect([await holds(mounted.status.token), await holds(mounted.status.token), await holds(plain.status.token)]).toEqual([true, true, false])
    expect(warned).toEqual([{ namespace: 'x', serviceAccount: 'app', pod: 'p' }])
    env.objects.splice(env.objects.indexOf(pod), 1)
    expect(await holds(mounted.status.token)).toBe(false)
    expect((await ask({ expirationSeconds: 100_000 })).spec).toMatchObject({ expirationSeconds: 7200 })
  })

  it('are made only for what is there, and for no less than ten minutes', async () => {
    await expect(ask({ boundObjectRef: { ...toPod.boundObjectRef, uid: 'other' } })).rejects.toMatchObject({ code: 409 })
    await expect(ask({ boundObjectRef: { ...toPod.boundObjectRef, name: 'none' } })).rejects.toMatchObject({ code: 404 })
    await expect(ask({ boundObjectRef: { kind: 'Service', apiVersion: 'v1', name: 'p' } })).rejects.toMatchObject({ message: 'cannot bind token to object of type /v1, Kind=Service' })
    expect((await ask({}, undefined, { name: 'app', namespace: 'x', uid: 'account-uid' })).status.token).toBeDefined()
    await expect(ask({}, undefined, { uid: 'of-another' })).rejects.toMatchObject({ code: 409, message: 'Operation cannot be fulfilled on TokenRequest.authentication.k8s.io "app": the UID in the token request (of-another) does not match the UID of the service account (account-uid)' })
    await expect(ask({}, undefined, { name: 'other' })).rejects.toMatchObject({ code: 422, message: 'TokenRequest.authentication.k8s.io "app" is invalid: metadata.name: Invalid value: "other": must match the service account name if specified' })
    await expect(ask({ expirationSeconds: 60 })).rejects.toMatchObject({ code: 422, message: expect.stringContaining('may not specify a duration less than 10 minutes') as string })
  })

  it('are given to nodes for their own pods only', async () => {
    const nodeUser = (name: string) => ({ name: `system:node:${name}`, groups: ['system:nodes'] })
    const given = (volumes?: readonly object[]) => Object.assign(pod['spec'] as object, { volumes })
    given()
    await expect(ask(toPod, nodeUser('n1'))).rejects.toMatchObject({ code: 403, message: 'serviceaccounts "app" is forbidden: audience "" not found in pod spec volume, system:node:n1 is not authorized to request tokens for this audience' })
    given([{ name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }])
    await expect(ask(toPod, nodeUser('n1'))).resolves.toBeDefined()
    await expect(ask(toPod, nodeUser('n2'))).rejects.toMatchObject({ code: 403, message: 'serviceaccounts "app" is forbidden: node requested token bound to a pod scheduled on a different node' })
    await expect(ask(toPod, nodeUser(''))).rejects.toMatchObject({ code: 403 })
    await expect(ask({ boundObjectRef: { ...toPod.boundObjectRef, uid: 'other' } }, nodeUser('n1'))).rejects.toMatchObject({ code: 403, message: expect.stringContaining('does not match the UID in record') as string })
    await expect(ask({ boundObjectRef: { ...toPod.boundObjectRef, name: 'none' } }, nodeUser('n1'))).rejects.toMatchObject({ code: 404 })
    await expect(ask({}, nodeUser('n1'))).rejects.toMatchObject({ message: expect.stringContaining('node requested token not bound to a pod') as string })
    await expect(ask({ ...toPod, audiences: ['vault'] }, nodeUser('n1'))).rejects.toMatchObject({ code: 403, message: expect.stringContaining('audience "vault" not found in pod spec volume') as string })
    await expect(ask({ ...toPod, audiences: ['a', 'b'] }, nodeUser('n1'))).rejects.toMatchObject({ message: expect.stringContaining('node may only request 0 or 1 audiences') as string })
    given([{ name: 'v', projected: { sources: [{ serviceAccountToken: { audience: 'vault', path: 't' } }] } }, { name: 'c', csi: { driver: 'd' } }])
    env.objects.push({ kind: 'CSIDriver', metadata: { name: 'd' }, spec: { tokenRequests: [{ audience: 'cloud' }] } })
    for (const audience of ['vault', 'cloud']) await expect(ask({ ...toPod, audiences: [audience] }, nodeUser('n1'))).resolves.toMatchObject({ spec: { audiences: [audience] } })
    given(mounted)
  })

  it('are reviewed: one that does not hold is an answer, not an error', async () => {
    const review = async (token: string, audiences: string[] = []) =>
      ((await tokenReview(createTokenCheck(env, tokens), tokens.audiences).create!({ spec: { token, audiences } } as never, call())) as unknown as TokenAnswer).status
    const { token } = (await ask()).status
    expect(await review(token)).toMatchObject({ authenticated: true, user: { username: 'system:serviceaccount:x:app' }, audiences: [issuer] })
    expect(await review(`${token}\n`)).toMatchObject({ authenticated: true })
    expect(await review(token, ['vault'])).toMatchObject({ authenticated: false })
    expect(await review('junk')).toMatchObject({ authenticated: false, error: 'invalid bearer token' })
  })
})

describe('bootstrap tokens', () => {
  const encode = (data: Record<string, string>) => Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')]))
  const good = { 'token-id': 'abcdef', 'token-secret': '0123456789abcdef', 'usage-bootstrap-authentication': 'true', expiration: '2026-01-02T00:00:00Z', 'auth-extra-groups': 'system:bootstrappers:workers' }
  const secret = (data: Record<string, string>): Loose => ({ kind: 'Secret', metadata: { name: 'bootstrap-token-abcdef', namespace: 'kube-system' }, type: 'bootstrap.kubernetes.io/token', data: encode(data) })
  const as = (data: Record<string, string>, token = 'abcdef.0123456789abcdef') => chain([bearer(forThisServer(['us'], findBootstrapToken(environment(secret(data)))), ['us'])])(requestWith({ authorization: `Bearer ${token}` }))

  it('make a new node known as somebody who may ask for a certificate', async () => {
    expect(await as(good)).toEqual({ name: 'system:bootstrap:abcdef', groups: ['system:bootstrappers', 'system:bootstrappers:workers', 'system:authenticated'] })
  })

  it('are in each of their groups once, in order', async () => {
    expect((await as({ ...good, 'auth-extra-groups': 'system:bootstrappers:b,system:bootstrappers:a,system:bootstrappers:b' })).groups).toEqual(['system:bootstrappers', 'system:bootstrappers:a', 'system:bootstrappers:b', 'system:authenticated'])
  })

  it('that do not hold are nobody\'s: what is wrong with them is not told', () => {
    const find = findBootstrapToken(environment(secret({ ...good, expiration: '2025-12-31T00:00:00Z' })))
    expect([find('abcdef.0123456789abcdef'), find('zzzzzz.0123456789abcdef'), find('other')]).toEqual([undefined, undefined, undefined])
  })

  it('that are wrong, over, for something else, or would make one more than that are refused', async () => {
    expect(await code(as(good, 'abcdef.fedcba9876543210'))).toBe(401)
    expect(await code(as(good, 'zzzzzz.0123456789abcdef'))).toBe(401)
    for (const change of [{ expiration: '2025-12-31T00:00:00Z' }, { expiration: 'soon' }, { expiration: '2030' }, { expiration: 'Jan 2 2030' }, { 'auth-extra-groups': 'system:bootstrappers:a, system:bootstrappers:b' }, { 'auth-extra-groups': 'system:bootstrappers:a,' }, { 'usage-bootstrap-authentication': 'false' }, { 'auth-extra-groups': 'system:masters' }]) {
      expect(await code(as({ ...good, ...change } as never)), JSON.stringify(change)).toBe(401)
    }
  })
})

it('tells people who they are, and when', () => {
  const user = { name: 'ana', groups: ['devs'], extra: { a: ['b'] } }
  const sent = { kind: 'SelfSubjectReview', apiVersion: 'authentication.k8s.io/v1', metadata: { name: 'x', labels: { a: 'b' } } }
  expect(selfSubjectReview.create?.(sent as never, { user, now: Date.parse('2026-01-01T00:00:00Z') } as unknown as VirtualCall)).toEqual({
    ...sent, metadata: { creationTimestamp: '2026-01-01T00:00:00Z' }, status: { userInfo: { username: 'ana', groups: ['devs'], extra: { a: ['b'] } } },
  })
})

describe('impersonation', () => {
  const index = createRbacIndex()
  index.setRole('', 'r', [{ verbs: ['impersonate'], apiGroups: [''], resources: ['users', 'serviceaccounts'] }, { verbs: ['impersonate'], apiGroups: [''], resources: ['groups'], resourceNames: ['devs'] }])
  index.setBinding('', 'b', { metadata: { name: 'b' }, subjects: [{ kind: 'User', name: 'ana' }], roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'r' } })
  const authorizer = createAuthorizer([mastersMode, index])
  const list: Action = { isResourceRequest: true, path: '', verb: 'list', group: '', version: 'v1', namespace: 'x', resource: 'pods', subresource: '', name: '' }
  const as = async (headers: IncomingHttpHeaders, user: Identity = { name: 'ana', groups: [] }, action = list, by = authorizer) => impersonate(user, headers, by, action)

  it('takes the right to each part of whom one wants to be', async () => {
    expect(await as({ 'impersonate-user': 'bob', 'impersonate-group': 'devs' })).toEqual({ name: 'bob', groups: ['devs', 'system:authenticated'] })
    expect(await code(as({ 'impersonate-user': 'bob', 'impersonate-group': 'system:masters' }))).toBe(403)
    expect(await code(as({ 'impersonate-user': 'bob', 'impersonate-extra-scopes': 'all' }))).toBe(403)
    expect(await code(as({ 'impersonate-user': 'bob' }, { name: 'eve', groups: [] }))).toBe(403)
  })

  it('knows the groups of service accounts', async () => {
    expect((await as({ 'impersonate-user': 'system:serviceaccount:x:app' })).groups).toEqual(['system:serviceaccounts', 'system:serviceaccounts:x', 'system:authenticated'])
  })

  it('lets masters be anybody, with everything', async () => {
    const root = { name: 'root', groups: ['system:masters'] }
    expect(await as({ 'impersonate-user': 'bob', 'impersonate-uid': '7', 'impersonate-extra-a%2Fb': 'c' }, root)).toEqual({ name: 'bob', uid: '7', groups: ['system:authenticated'], extra: { 'a/b': ['c'] } })
  })

  it('lets masters be a node, which is in the group of nodes', async () => {
    const root = { name: 'root', groups: ['system:masters'] }
    expect(await as({ 'impersonate-user': 'system:node:n1' }, root)).toEqual({ name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] })
    // With more than the name, it is a user like any other.
    expect(await as({ 'impersonate-user': 'system:node:n1', 'impersonate-group': 'devs' }, root)).toEqual({ name: 'system:node:n1', groups: ['devs', 'system:authenticated'] })
    expect((await as({ 'impersonate-user': 'bob', 'impersonate-group': 'system:masters' }, root)).groups).toContain('system:masters')
    expect((await as({ 'impersonate-user': 'system:anonymous', 'impersonate-group': 'devs' }, root)).groups).toEqual(['devs', 'system:unauthenticated'])
  })

  describe('for some requests only', () => {
    const rules = (...granted: [verb: string, resource: string, group?: string, name?: string][]) => {
      const own = createRbacIndex()
      own.setRole('', 'r', granted.map(([verb, resource, group = 'authentication.k8s.io', name]) => ({ verbs: [verb], apiGroups: [group], resources: [resource], ...(name ? { resourceNames: [name] } : {}) })))
      own.setBinding('', 'b', { metadata: { name: 'b' }, subjects: [{ kind: 'User', name: 'ana' }, { kind: 'ServiceAccount', name: 'agent', namespace: 'kube-system' }], roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'r' } })
      return createAuthorizer([own])
    }
    const agent = (node?: string): Identity => ({ name: 'system:serviceaccount:kube-system:agent', groups: [], ...(node ? { extra: { 'authentication.kubernetes.io/node-name': [node] } } : {}) })
    const refusal = (promise: Promise<Identity>) => promise.then(() => 'passed', (error: Error) => error.message)

    it('takes the right to whom one is to be, and that to what one does as them', async () => {
      const by = rules(['impersonate:user-info', 'users', undefined, 'bob'], ['impersonate-on:user-info:list', 'pods', ''])
      const bob = await as({ 'impersonate-user': 'bob' }, undefined, list, by)
      expect(bob).toEqual({ name: 'bob', groups: ['system:authenticated'] })
      expect(constraintOf(bob)).toBe('impersonate:user-info')
      expect(await refusal(as({ 'impersonate-user': 'bob' }, undefined, { ...list, verb: 'delete' }, by))).toBe('pods is forbidden: User "ana" cannot impersonate-on:user-info:delete resource "pods" in API group "" in the namespace "x"')
      expect(await refusal(as({ 'impersonate-user': 'eve' }, undefined, list, by))).toBe('users.authentication.k8s.io "eve" is forbidden: User "ana" cannot impersonate:user-info resource "users" in API group "authentication.k8s.io" at the cluster scope')
      expect(await code(as({ 'impersonate-user': 'bob', 'impersonate-group': 'devs' }, undefined, list, by))).toBe(403)
      expect(await code(as({ 'impersonate-user': 'bob', 'impersonate-uid': '7' }, undefined, list, by))).toBe(403)
    })

    it('is never for masters, nor by the name of a node or an account', async () => {
      const by = rules(['impersonate:user-info', '*'], ['impersonate-on:user-info:list', '*', '*'])
      expect(await code(as({ 'impersonate-user': 'bob', 'impersonate-group': 'devs', 'impersonate-extra-a.io%2Fb': 'c' }, undefined, list, by))).toBe('passed')
      expect(await refusal(as({ 'impersonate-user': 'bob', 'impersonate-group': 'system:masters' }, undefined, list, by))).toContain('impersonating the system:masters group is not allowed')
      expect(await refusal(as({ 'impersonate-user': 'bob', 'impersonate-extra-plain': 'c' }, undefined, list, by))).toContain('must be a domain-prefixed path')
      for (const [headers, why] of [
        [{ 'impersonate-group': '' }, 'impersonating the empty string group is not allowed'],
        [{ 'impersonate-extra-a.io%2Fb': '' }, 'impersonating the empty string value in extra is not allowed'],
        [{ 'impersonate-extra-a.io%2F%42': 'c' }, 'impersonating a non-lowercase key in extra is not allowed: "a.io/B"'],
        [{ 'impersonate-extra-a.io%2Fb%20c': 'c' }, 'extra.key: Invalid value: "b c": Invalid path (regex used for validation is'],
        [{ 'impersonate-extra-a_b%2Fc': 'c' }, 'extra.key: Invalid value: "a_b": a lowercase RFC 1123 subdomain'],
      ] as const) expect(await refusal(as({ 'impersonate-user': 'bob', ...headers }, undefined, list, by)), why).toContain(why)
      for (const name of ['system:node:n1', 'system:serviceaccount:x:app']) expect(await code(as({ 'impersonate-user': name }, undefined, list, by)), name).toBe(403)
    })

    it('is of service accounts, of nodes, and of the node that one is on', async () => {
      const account = rules(['impersonate:serviceaccount', 'serviceaccounts'], ['impersonate-on:serviceaccount:list', 'pods', ''])
      expect((await as({ 'impersonate-user': 'system:serviceaccount:x:app' }, undefined, list, account)).groups).toContain('system:serviceaccounts:x')
      const any = rules(['impersonate:arbitrary-node', 'nodes', undefined, 'n1'], ['impersonate-on:arbitrary-node:list', 'pods', ''])
      expect((await as({ 'impersonate-user': 'system:node:n1' }, undefined, list, any)).groups).toEqual(['system:nodes', 'system:authenticated'])
      expect(await code(as({ 'impersonate-user': 'system:node:n2' }, undefined, list, any))).toBe(403)
      const own = rules(['impersonate:associated-node', 'nodes'], ['impersonate-on:associated-node:list', 'pods', ''])
      const n1 = await as({ 'impersonate-user': 'system:node:n1' }, agent('n1'), list, own)
      expect([n1.groups, constraintOf(n1)]).toEqual([['system:nodes', 'system:authenticated'], 'impersonate:associated-node'])
      for (const user of [agent('n2'), agent(), { ...agent('n1'), name: 'ana' }]) expect(await code(as({ 'impersonate-user': 'system:node:n1' }, user, list, own)), user.name).toBe(403)
      expect(await code(as({ 'impersonate-user': 'system:node:n1', 'impersonate-group': 'devs' }, agent('n1'), list, own))).toBe(403)
    })
  })

  it('needs a user, and leaves requests without its headers alone', async () => {
    expect(await code(as({ 'impersonate-group': 'devs' }))).toBe(400)
    await expect(as({ 'impersonate-group': 'devs', 'impersonate-extra-a%2Fb': 'c' })).rejects.toThrow('requested &user.DefaultInfo{Name:"", UID:"", Groups:[]string{"devs"}, Extra:map[string][]string{"a/b":[]string{"c"}}} without impersonating a user name')
    const user = { name: 'ana', groups: [] }
    expect(await as({}, user)).toBe(user)
  })
})

it('takes no header of a proxy that is not set up for a proof', async () => {
  const authenticate = chain([certificateAuthentication(new FakeClock())])
  expect(await authenticate(requestWith({ 'x-remote-user': 'root', 'x-remote-group': 'system:masters' }))).toBe(anonymous)
  expect(await authenticate(requestWith({ authorization: 'Basic cm9vdDpyb290' }))).toBe(anonymous)
})
