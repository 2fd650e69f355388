import { generateKeyPairSync } from 'node:crypto'
import { SignJWT } from 'jose'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../../machinery/clock.ts'
import { hashOf } from '../../../machinery/reloads.ts'
import { startIssuer, type TestIssuer } from '../testing.ts'
import { parseAuthenticationConfiguration, type JwtAuthenticator } from './configuration.ts'
import { createJwtCheck } from './issuer.ts'
import { createJwtMetrics } from './metrics.ts'

let issuer: TestIssuer
let clock: FakeClock
beforeAll(async () => { issuer = await startIssuer() })
beforeEach(() => { clock = new FakeClock(Date.now()) })
afterAll(() => issuer.close())

const configuration = (more: string = '', username = 'claim: sub\n      prefix: "oidc:"') => `
apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
jwt:
- issuer:
    url: ${issuer.url}
    certificateAuthority: |
      ${issuer.ca.trim().replaceAll('\n', '\n      ')}
    audiences: [skiff]
  claimMappings:
    username:
      ${username}
    groups: {claim: groups, prefix: "oidc:"}
${more}`
const authenticator = (more?: string, username?: string) => parseAuthenticationConfiguration(configuration(more, username)).jwt?.[0] as JwtAuthenticator
const checkWith = (more?: string, username?: string) => createJwtCheck(authenticator(more, username), clock)
const message = (promise: Promise<unknown>) => promise.then((value) => value, (error: unknown) => (error instanceof Error ? `refused: ${error.message}` : 'refused'))

describe('a token of a configured issuer', () => {
  it('makes its bearer who the mapped claims say', async () => {
    expect(await checkWith()(await issuer.token({ groups: ['devs', 'ops'] }))).toEqual({ name: 'oidc:ana', groups: ['oidc:devs', 'oidc:ops'] })
    expect(await checkWith()(await issuer.token({ groups: 'devs' }))).toEqual({ name: 'oidc:ana', groups: ['oidc:devs'] })
    expect(await checkWith()(await issuer.token({}))).toEqual({ name: 'oidc:ana', groups: [] })
  })

  it('is refused when it has run out, is for somebody else, or is not signed by the issuer', async () => {
    const check = checkWith()
    const past = Math.floor(Date.now() / 1000) - 10
    expect(await message(check(await issuer.token({ exp: past })))).toContain('refused')
    expect(await message(check(await issuer.token({ aud: 'another' })))).toContain('refused: expected audience in ["skiff"] got ["another"]')
    expect(await message(check(await issuer.token({ exp: undefined })))).toContain('refused')
    expect(await message(check(await issuer.token({ nbf: past + 4000 })))).toContain('refused')
    expect(await message(check(await issuer.token({ nbf: past + 130 })))).toContain('refused')
    expect(await check(await issuer.token({ nbf: past + 40 }))).toMatchObject({ name: 'oidc:ana' })
    for (const wrong of [{ exp: 'soon' }, { exp: null }, { aud: ['skiff', 5] }, { aud: [] }, { sub: 7 }, { iat: 'x' }]) expect(await message(check(await issuer.token(wrong))), JSON.stringify(wrong)).toContain('refused')
    const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
    expect(await message(check(await issuer.token({}, { key: stranger, kid: 'other' })))).toContain('refused')
    const [head = '', body = ''] = (await issuer.token({})).split('.')
    expect(await message(check(`${Buffer.from('{"alg":"none"}').toString('base64url')}.${body}.`))).toContain('refused')
    expect(await message(check(`${head}.${Buffer.from(JSON.stringify({ iss: issuer.url, aud: 'skiff', sub: 'root', exp: past + 1000 })).toString('base64url')}.${'A'.repeat(342)}`))).toContain('refused')
    const shared = await new SignJWT({ iss: issuer.url, aud: 'skiff', sub: 'root', exp: past + 1000 }).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from('x'.repeat(32)))
    expect(await message(check(shared))).toContain('refused')
  })

  it('is counted, and so is when its issuer was asked for keys, without the names of either', async () => {
    const registry = new Registry()
    const metrics = createJwtMetrics(registry, 'server-1', clock)
    const check = createJwtCheck(authenticator(), clock, undefined, metrics)
    await check(await issuer.token({}))
    await check(await issuer.token({ aud: 'another' })).catch(() => undefined)
    await check('other.token.x').catch(() => undefined)
    const labels = `jwt_issuer_hash="${hashOf(issuer.url)}",apiserver_id_hash="${hashOf('server-1')}"`
    const text = await registry.metrics()
    expect(text).toContain(`apiserver_authentication_jwt_authenticator_latency_seconds_count{result="success",jwt_issuer_hash="${hashOf(issuer.url)}"} 1`)
    expect(text).toContain(`apiserver_authentication_jwt_authenticator_latency_seconds_count{result="failure",jwt_issuer_hash="${hashOf(issuer.url)}"} 1`)
    expect(text).toContain(`apiserver_authentication_jwt_authenticator_jwks_fetch_last_timestamp_seconds{result="success",${labels}} ${clock.now() / 1000}`)
    expect(text).toMatch(new RegExp(`jwks_fetch_last_key_set_info\\{${labels},hash="sha256:[0-9a-f]{64}"\\} 1`))
    expect(text).not.toContain(issuer.url)
    const { issuer: place, ...rest } = authenticator()
    await createJwtCheck({ ...rest, issuer: { ...place, certificateAuthority: undefined } }, clock, undefined, metrics)(await issuer.token({})).catch(() => undefined)
    expect(await registry.metrics()).toContain(`jwks_fetch_last_timestamp_seconds{result="failure",${labels}}`)
    metrics.forget(issuer.url)
    expect(await registry.metrics()).not.toContain('jwks_fetch_last_timestamp_seconds{')
  })

  it('says which credential it is, where it has a name', async () => {
    expect(await checkWith()(await issuer.token({ jti: 'j1' }))).toMatchObject({ extra: { 'authentication.kubernetes.io/credential-id': ['JTI=j1'] } })
  })

  it('may leave groups to a place that it names: they count when they come as a token of the same kind', async () => {
    const at = (path: string) => ({ _claim_names: { groups: 's' }, _claim_sources: { s: { endpoint: `${issuer.url}${path}`, access_token: 'key' } } })
    issuer.places.set('/groups', await issuer.token({ groups: ['far'] }))
    issuer.places.set('/stranger', await issuer.token({ groups: ['far'], aud: 'another' }))
    issuer.places.set('/nothing', await issuer.token({}))
    expect(await checkWith()(await issuer.token(at('/groups')))).toMatchObject({ groups: ['oidc:far'] })
    expect(issuer.shown.get('/groups')).toBe('Bearer key')
    expect(await checkWith()(await issuer.token({ ...at('/groups'), groups: ['near'] }))).toMatchObject({ groups: ['oidc:near'] })
    for (const path of ['/stranger', '/nothing', '/not-there']) expect(await message(checkWith()(await issuer.token(at(path)))), path).toContain('refused')
    expect(await message(checkWith()(await issuer.token({ _claim_names: { groups: 's' }, _claim_sources: { s: { endpoint: 'http://127.0.0.1:1/' } } })))).toContain('is no https URL')
    expect(await message(checkWith()(await issuer.token({ _claim_names: { groups: 's' } })))).toBe('refused: source does not exist')
  })

  it('of another issuer is not ours, and nobody is asked about it', async () => {
    const check = checkWith()
    issuer.asked.length = 0
    expect(await check(await issuer.token({ iss: 'https://elsewhere.example' }))).toBeUndefined()
    expect(await check('no token')).toBeUndefined()
    expect(issuer.asked).toEqual([])
  })

  it('holds with a key that is new, which is asked for once; unknown keys do not make a request each', async () => {
    const check = checkWith()
    await check(await issuer.token({}))
    issuer.asked.length = 0
    const old = issuer.rotate()
    await clock.advance(60_000)
    expect(await check(await issuer.token({}))).toMatchObject({ name: 'oidc:ana' })
    expect(issuer.asked).toEqual(['/.well-known/openid-configuration', '/keys'])
    for (let i = 0; i < 5; i++) expect(await message(check(await issuer.token({}, old)))).toContain('refused')
    expect(issuer.asked).toHaveLength(2)
  })

  it('makes one request for the keys, however many come at once', async () => {
    const check = checkWith()
    issuer.asked.length = 0
    const token = await issuer.token({})
    await Promise.all(Array.from({ length: 20 }, () => check(token)))
    expect(issuer.asked).toHaveLength(2)
  })

  it('is refused while the issuer lies about itself or sends elsewhere', async () => {
    for (const lie of [{ issuer: 'https://elsewhere.example' }, { jwks_uri: 'http://127.0.0.1:1/keys' }, { redirect: `${issuer.url}/keys` }]) {
      Object.assign(issuer.lies, lie)
      expect(await message(checkWith()(await issuer.token({}))), JSON.stringify(lie)).toContain('refused')
      for (const key of Object.keys(lie)) delete issuer.lies[key as keyof typeof issuer.lies]
    }
    const trusting = { ...authenticator(), issuer: { ...authenticator().issuer, certificateAuthority: '' } } as JwtAuthenticator
    expect(await message(createJwtCheck(trusting, clock)(await issuer.token({})))).toContain('self-signed')
  })

  it('with an address that was not verified is nobody', async () => {
    const check = checkWith('', 'claim: email\n      prefix: ""')
    expect(await check(await issuer.token({ email: 'ana@example.com', email_verified: true }))).toMatchObject({ name: 'ana@example.com' })
    expect(await check(await issuer.token({ email: 'ana@example.com' }))).toMatchObject({ name: 'ana@example.com' })
    expect(await message(check(await issuer.token({ email: 'ana@example.com', email_verified: false })))).toBe('refused: email not verified')
  })

  it('must have the claims that are required', async () => {
    const check = checkWith('  claimValidationRules: [{claim: hd, requiredValue: example.com}]')
    expect(await check(await issuer.token({ hd: 'example.com' }))).toMatchObject({ name: 'oidc:ana' })
    expect(await message(check(await issuer.token({ hd: 'elsewhere.com' })))).toContain('required claim hd value does not match')
    expect(await message(check(await issuer.token({})))).toContain('required claim hd')
  })
})

describe('expressions', () => {
  const extra = `    uid: {expression: claims.sub}
    extra: [{key: example.com/team, valueExpression: "claims.?team.orValue([])"}]
  claimValidationRules: [{expression: "claims.exp - claims.iat <= 86400", message: a day at most}]
  userValidationRules: [{expression: "!user.username.startsWith('system:') && user.groups.all(g, !g.startsWith('system:'))", message: no system names}]`
  const check = () => checkWith(extra, 'expression: "claims.sub + \'@\' + claims.org.name"')

  it('map claims and check what comes of them', async () => {
    expect(await check()(await issuer.token({ org: { name: 'x' }, team: ['a', 'b'] }))).toEqual({ name: 'ana@x', uid: 'ana', groups: [], extra: { 'example.com/team': ['a', 'b'] } })
    expect(await check()(await issuer.token({ org: { name: 'x' } }))).toEqual({ name: 'ana@x', uid: 'ana', groups: [] })
    expect(await message(check()(await issuer.token({ sub: 'system:admin', org: { name: 'x' } })))).toContain('no system names')
    expect(await message(check()(await issuer.token({ org: { name: 'x' }, exp: Math.floor(Date.now() / 1000) + 90_000 })))).toContain('a day at most')
    expect(await message(check()(await issuer.token({})))).toContain('refused: no such key: org')
    expect(await message(check()(await issuer.token({ org: { name: 7 } })))).toContain('refused')
  })

  it('see numbers as doubles, as those of JSON are', async () => {
    const kind = checkWith('', 'expression: "type(claims.n) == double && claims.deep.list[0] == 5.0 ? string(claims.n) : \'no\'"')
    expect(await kind(await issuer.token({ n: 1234567, deep: { list: [5] } }))).toMatchObject({ name: '1.234567e+06' })
  })

  it('that cannot be compiled, or give something else, are found when the file is read', () => {
    expect(() => authenticator('', 'expression: "claims.sub +"')).toThrow('claimMappings.username.expression: Invalid value: "claims.sub +": compilation failed: ERROR')
    expect(() => authenticator('', 'expression: "1 + 1"')).toThrow('must evaluate to string')
    expect(() => authenticator('  userValidationRules: [{expression: user.name}]')).toThrow('undefined field')
    expect(() => authenticator('  claimValidationRules: [{expression: "\'x\'"}]')).toThrow('must evaluate to bool')
    expect(() => authenticator('', 'expression: claims.email')).toThrow('claims.email_verified must be used')
    expect(() => authenticator('', 'expression: "\'claims.email_verified\' + claims.email"')).toThrow('claims.email_verified must be used')
    expect(() => authenticator('  claimValidationRules: [{expression: "claims.?email_verified.orValue(true) == true"}]', 'expression: claims.email')).not.toThrow()
  })
})

describe('the configuration', () => {
  const parse = (text: string) => () => parseAuthenticationConfiguration(text, ['https://kubernetes.default.svc'])
  const head = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthenticationConfiguration\n'
  const one = (issuerLines: string, rest = 'claimMappings: {username: {claim: sub, prefix: ""}}') => `${head}jwt:\n- issuer: {${issuerLines}}\n  ${rest}\n`

  it('names what is wrong, with its line', () => {
    expect(parse(`${head}jwt:\n- issuer: {}\n`)).toThrow('jwt[0].issuer.url: Required value: URL is required')
    expect(parse(one('url: "http://a.example", audiences: [a]'))).toThrow('line 4: jwt[0].issuer.url: Invalid value: "http://a.example": URL scheme must be https')
    expect(parse(one('url: "https://u:p@a.example?x#y", audiences: [a]'))).toThrow('URL must not contain a username or password')
    expect(parse(one('url: "https://kubernetes.default.svc", audiences: [a]'))).toThrow('URL must not overlap with disallowed issuers')
    expect(parse(one('url: "https://a.example"'))).toThrow('at least one audience is required')
    expect(parse(one('url: "https://a.example", audiences: [a, b]'))).toThrow('audienceMatchPolicy must be MatchAny for multiple audiences')
    expect(parse(one('url: "https://a.example", audiences: [a], discoveryURL: "https://a.example/"'))).toThrow('discoveryURL must be different from URL')
    expect(parse(one('url: "https://a.example", audiences: [a]', 'claimMappings: {username: {claim: sub}}'))).toThrow('prefix is required when claim is set')
    expect(parse(one('url: "https://a.example", audiences: [a]', 'claimMappings: {username: {claim: sub, prefix: "", expression: claims.sub}}'))).toThrow('claim and expression can\'t both be set')
    expect(parse(one('url: "https://a.example", audiences: [a]', 'claimMapping: {}'))).toThrow('unknown field')
    expect(parse(`${head}anonymous: {enabled: false, conditions: [{path: /livez}]}`)).toThrow('enabled should be set to true when conditions are defined')
    expect(parse(one('url: "https://a.example", audiences: [a]') + one('url: "https://a.example", audiences: [a]').split('\n').slice(3).join('\n'))).toThrow('Duplicate value: "https://a.example"')
    expect(parse(head.replace('v1', 'v2'))).toThrow('it must say apiVersion')
    expect(parse(JSON.stringify({ kind: 'AuthenticationConfiguration', apiVersion: 'apiserver.config.k8s.io/v1beta1', anonymous: { enabled: true } }))).not.toThrow()
    expect(parse(`${head}jwt:\n${Array.from({ length: 65 }, (_, i) => `- issuer: {url: "https://i${i}.example", audiences: [a]}\n  claimMappings: {username: {claim: sub, prefix: ""}}\n`).join('')}`)).toThrow('must have at most 64 items')
  })
})
