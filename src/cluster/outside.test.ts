/** The flags that let others decide, each by what it changes: issuers of OpenID Connect, webhooks, configuration files. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startIssuer, startServer, type TestIssuer, type TestServer } from '../apiserver/authn/testing.ts'
import { createTokens } from '../apiserver/authn/tokens.ts'
import { tokenWebhook } from '../apiserver/authn/token-webhook.ts'
import type { ChosenMode } from '../apiserver/authz/setup.ts'
import { FakeClock } from '../machinery/clock.ts'
import { quiet } from '../machinery/log.ts'
import { admissionOf } from './admission.ts'
import { knownArguments, mergeArguments, parseArguments } from './apiserver-arguments.ts'
import { authenticationOf } from './authentication.ts'
import { authorizationOf } from './authorization.ts'
import { ensurePki, type Pki } from './pki.ts'

const dir = mkdtempSync(join(tmpdir(), 'skiff-outside-'))
let pki: Pki
let issuer: TestIssuer
let server: TestServer
let clock: FakeClock
let asked: { readonly apiVersion: string; readonly spec: Record<string, unknown> }[]
let allowed: boolean
beforeAll(async () => {
  pki = ensurePki(join(dir, 'pki'), { name: 's', nodeName: 'n', nodeAddress: '127.0.0.1', port: 1, kubeletPort: 2, clusterCidr: '10.1.0.0/16', serviceCidr: '10.2.0.0/16', clusterDns: '10.2.0.10', clusterDomain: 'cluster.local', nodePorts: [1, 2] })
  issuer = await startIssuer()
  server = await startServer(async (request, response) => {
    const review = JSON.parse(await text(request)) as (typeof asked)[number]
    asked.push(review)
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ ...review, status: { allowed, authenticated: allowed, user: { username: 'ana' } } }))
  })
  const cluster = { server: server.url, 'certificate-authority-data': Buffer.from(server.ca).toString('base64') }
  file('hook', JSON.stringify({ apiVersion: 'v1', kind: 'Config', 'current-context': 'c', clusters: [{ name: 'c', cluster }], users: [{ name: 'c', user: {} }], contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }] }))
  file('ca', issuer.ca)
})
beforeEach(() => {
  asked = []
  allowed = true
  clock = new FakeClock(Date.now())
})
afterAll(async () => {
  await issuer.close()
  await server.close()
  rmSync(dir, { recursive: true })
})

const file = (name: string, content: string): string => {
  writeFileSync(join(dir, name), content)
  return join(dir, name)
}
const authentication = (...flags: string[]) =>
  authenticationOf(mergeArguments(undefined, parseArguments(flags)), { clientCa: pki.ca.cert, serviceAccountKey: pki.serviceAccountKey, issuer: 'https://kubernetes.default.svc' }, { clock, log: quiet })

it('every flag is in the documentation', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/cli.md'), 'utf8')
  const families = [...page.matchAll(/`(audit-[a-z-]+-)…`/g)].map(([, family]) => family as string)
  const missing = Object.keys(knownArguments).filter((name) => {
    const family = families.find((one) => name.startsWith(one))
    return !page.includes(`\`${name}\``) && !(family && page.includes(`\`${name.slice(family.length)}\``))
  })
  expect(missing).toEqual([])
})

describe('the flags of an issuer', () => {
  const who = async (claims: Record<string, unknown>, ...flags: string[]) => {
    const { options } = await authentication(`oidc-issuer-url=${issuer.url}`, 'oidc-client-id=skiff', `oidc-ca-file=${dir}/ca`, ...flags)
    const [check] = options.issuers?.({ clock, log: quiet, audiences: ['own'] })() ?? []
    return Promise.resolve(check?.(await issuer.token(claims), ['own'])).then((found) => found?.identity, (error: Error) => error.message)
  }

  it('name the claims of users and groups, and what stands before them', async () => {
    expect(await who({ sub: 'ana', groups: ['devs'] })).toEqual({ name: `${issuer.url}#ana`, groups: [] })
    expect(await who({ login: 'ana', teams: ['devs'] }, 'oidc-username-claim=login', 'oidc-username-prefix=o:', 'oidc-groups-claim=teams', 'oidc-groups-prefix=g:')).toEqual({ name: 'o:ana', groups: ['g:devs'] })
    expect(await who({ sub: 'ana' }, 'oidc-username-prefix=-')).toMatchObject({ name: 'ana' })
    expect(await who({ email: 'ana@example.com' }, 'oidc-username-claim=email')).toMatchObject({ name: 'ana@example.com' })
  })

  it('say whom the token must be for, what it must say, how it must be signed, and whose certificate to believe', async () => {
    expect(await who({ aud: 'another' })).toContain('aud')
    expect(await who({ hd: 'a' }, 'oidc-required-claim=hd=b')).toContain('required claim hd')
    expect(await who({}, 'oidc-signing-algs=ES384')).toContain('alg')
    expect(await who({}, 'oidc-signing-algs=ES384,RS256')).toMatchObject({ groups: [] })
    expect(await who({}, 'oidc-ca-file=')).toContain('self-signed')
    await expect(authentication(`oidc-issuer-url=${issuer.url}`, 'oidc-client-id=x', 'oidc-signing-algs=HS256')).rejects.toThrow('oidc-signing-algs: "HS256" is not one of')
  })
})

describe('the flags of a token webhook', () => {
  it('name its server, its version, and how long its answers hold', async () => {
    const { options } = await authentication(`authentication-token-webhook-config-file=${dir}/hook`, 'authentication-token-webhook-version=v1beta1', 'authentication-token-webhook-cache-ttl=10s')
    const check = tokenWebhook(options.webhook!, ['own'], clock)
    for (const wait of [0, 9000, 2000]) {
      await clock.advance(wait)
      expect((await check('t', ['own']))?.identity.name).toBe('ana')
    }
    expect(asked.map(({ apiVersion }) => apiVersion)).toEqual(['authentication.k8s.io/v1beta1', 'authentication.k8s.io/v1beta1'])
    await expect(authentication(`authentication-token-webhook-config-file=${dir}/hook`, 'authentication-token-webhook-version=v2')).rejects.toThrow('"v2" is not one of v1, v1beta1')
  })
})

describe('the flags of an authorization webhook', () => {
  it('name its server, and how long each of its answers holds', async () => {
    const settings = await authorizationOf(parseArguments(['authorization-mode=Webhook', `authorization-webhook-config-file=${dir}/hook`, 'authorization-webhook-version=v1', 'authorization-webhook-cache-authorized-ttl=20s', 'authorization-webhook-cache-unauthorized-ttl=10s']), { clock, log: quiet })
    const [make] = settings!.options.modes() as [Exclude<ChosenMode, string>]
    const mode = make({ clock, log: quiet } as never)
    const action = { isResourceRequest: true, path: '', verb: 'get', group: '', version: 'v1', namespace: 'n', resource: 'pods', subresource: '', name: '' }
    const decide = async (verb: string) => (await mode.authorize({ name: 'ana', groups: [] }, { ...action, verb })).opinion
    expect([await decide('get'), await decide('get')]).toEqual(['allow', 'allow'])
    allowed = false
    expect([await decide('list'), await decide('list'), asked.length]).toEqual(['none', 'none', 2])
    await clock.advance(15_000)
    expect([await decide('get'), await decide('list'), asked.length]).toEqual(['allow', 'none', 3])
    await clock.advance(6000)
    expect([await decide('get'), asked.length]).toEqual(['none', 4])
    for (const [file, why] of [['/nowhere/opa.conf', 'error loading file'], [dir, 'must be a regular file']] as const) {
      const webhook = { timeout: '3s', subjectAccessReviewVersion: 'v1', failurePolicy: 'Deny', connectionInfo: { type: 'KubeConfigFile', kubeConfigFile: file } }
      writeFileSync(join(dir, 'authz'), JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AuthorizationConfiguration', authorizers: [{ type: 'Webhook', name: 'opa', webhook }] }))
      await expect(authorizationOf(parseArguments([`authorization-config=${join(dir, 'authz')}`]), { clock, log: quiet })).rejects.toThrow(why)
    }
    const inCluster = { timeout: '3s', subjectAccessReviewVersion: 'v1', failurePolicy: 'Deny', connectionInfo: { type: 'InClusterConfig' } }
    const config = file('authz', JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AuthorizationConfiguration', authorizers: [{ type: 'Webhook', name: 'opa', webhook: inCluster }] }))
    for (const name of ['KUBERNETES_SERVICE_HOST', 'KUBERNETES_SERVICE_PORT']) {
      const before = process.env[name]
      delete process.env[name]
      await expect(authorizationOf(parseArguments([`authorization-config=${config}`]), { clock, log: quiet })).rejects.toThrow('authorizer opa: InClusterConfig: not in a cluster')
      if (before !== undefined) process.env[name] = before
    }
    await expect(authorizationOf(parseArguments(['authorization-mode=Webhook', `authorization-webhook-config-file=${dir}/hook`, 'authorization-webhook-version=v2']), { clock, log: quiet })).rejects.toThrow('"v2" is not one of v1, v1beta1')
  })
})

describe('the flags of service account tokens', () => {
  it('say for whom tokens are, where keys are found, and whether mounted ones last', async () => {
    const { serviceAccounts } = await authentication('api-audiences=here,there', 'service-account-jwks-uri=https://keys.example/jwks', 'service-account-extend-token-expiration=false')
    const tokens = createTokens(serviceAccounts, clock)
    expect([tokens.audiences, tokens.jwksUri, tokens.extend]).toEqual([['here', 'there'], 'https://keys.example/jwks', false])
    expect(createTokens((await authentication()).serviceAccounts, clock)).toMatchObject({ audiences: ['https://kubernetes.default.svc'], extend: true })
    await expect(authentication('service-account-jwks-uri=http://keys.example')).rejects.toThrow('is not an https URL')
  })
})

describe('the file of admission', () => {
  const admission = (name: string, ...plugins: object[]) => `admission-control-config-file=${file(name, JSON.stringify({ apiVersion: 'apiserver.config.k8s.io/v1', kind: 'AdmissionConfiguration', plugins }))}`

  it('says what Pod Security does where no label does, and whom it leaves alone', async () => {
    const configuration = { apiVersion: 'pod-security.admission.config.k8s.io/v1', kind: 'PodSecurityConfiguration', defaults: { enforce: 'baseline' }, exemptions: { namespaces: ['tools'] } }
    const { configurations } = await admissionOf(parseArguments([admission('admission', { name: 'PodSecurity', configuration })]))
    expect(configurations?.PodSecurity?.defaults.enforce).toMatchObject({ level: 'baseline' })
    expect(configurations?.PodSecurity?.exempt.namespaces.has('tools')).toBe(true)
    expect((await admissionOf(undefined)).configurations).toEqual({})
    const shown = { apiVersion: 'apiserver.config.k8s.io/v1', kind: 'WebhookAdmissionConfiguration', kubeConfigFile: file('webhook-users', JSON.stringify({ users: [{ name: '*.svc', user: { token: 't' } }] })) }
    const { webhookCredentials } = await admissionOf(parseArguments([admission('webhooks', { name: 'ValidatingAdmissionWebhook', configuration: shown })]))
    expect([webhookCredentials?.validating?.('a.b.svc', 443)?.token, webhookCredentials?.mutating]).toEqual(['t', undefined])
    await expect(admissionOf(parseArguments([`admission-control-config-file=${file('wrong', '{"kind":"Else"}')}`]))).rejects.toThrow('admission-control-config-file: ')
  })

  it('is needed by plugins that have nothing to go by without it', async () => {
    const images = ['enable-admission-plugins=ImagePolicyWebhook', admission('images', { name: 'ImagePolicyWebhook', configuration: { imagePolicy: { kubeConfigFile: 'hook' } } })]
    expect((await admissionOf(parseArguments(images))).imagePolicyPost).toBeTypeOf('function')
    await expect(admissionOf(parseArguments(images.slice(0, 1)))).rejects.toThrow('enable-admission-plugins plugin "ImagePolicyWebhook" needs a configuration in admission-control-config-file')
    await expect(admissionOf(parseArguments([admission('nowhere', { name: 'ImagePolicyWebhook', configuration: { imagePolicy: { kubeConfigFile: 'nowhere.conf' } } })]))).rejects.toThrow('admission-control-config-file: cannot read')
  })
})
