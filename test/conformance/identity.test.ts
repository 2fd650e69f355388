/** Users, tokens and rights from outside of the cluster, as an administrator sets them up with kube-apiserver's flags; kubectl and real servers at both ends. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startIssuer, startServer, type TestIssuer, type TestServer } from '../../src/apiserver/authn/testing.ts'
import type { KeyPair } from '../../src/cluster/certificate.ts'
import { attempt, issue, ownAuthority } from '../support/attackers.ts'
import { startTestControlPlane, type TestControlPlane } from '../support/control-plane.ts'
import { eventually, run } from '../support/host.ts'

interface Review { readonly kind: string; readonly spec: { readonly token?: string; readonly user?: string; readonly resourceAttributes?: { readonly verb: string; readonly resource: string; readonly namespace?: string; readonly fieldSelector?: object } } }

let cluster: TestControlPlane
let company: KeyPair
let issuer: TestIssuer
let other: TestIssuer
let reviewer: TestServer
const reviews: Review[] = []
const dir = mkdtempSync(join(tmpdir(), 'skiff-identity-'))
const file = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text)
  return join(dir, name)
}
const indent = (text: string, by: number) => text.trim().replaceAll('\n', `\n${' '.repeat(by)}`)
const authenticator = ({ url, ca }: TestIssuer) => `
- issuer:
    url: ${url}
    audiences: [skiff]
    certificateAuthority: |
      ${indent(ca, 6)}
  claimMappings:
    username: {expression: "'oidc:' + claims.sub"}
    groups: {expression: "claims.?groups.orValue([])"}
    extra: [{key: example.com/tenant, valueExpression: "claims.?tenant.orValue('')"}]
  claimValidationRules: [{expression: "claims.exp - claims.iat <= 7200", message: two hours at most}]
  userValidationRules: [{expression: "!user.groups.exists(g, g.startsWith('system:'))", message: no groups of the system}]`
const configuration = (...issuers: TestIssuer[]) => `apiVersion: apiserver.config.k8s.io/v1
kind: AuthenticationConfiguration
anonymous: {enabled: true, conditions: [{path: /livez}, {path: /readyz}]}
jwt:${issuers.map(authenticator).join('')}
`
const authorizers = (policy: string) => `apiVersion: apiserver.config.k8s.io/v1
kind: AuthorizationConfiguration
authorizers:
- {type: Node, name: node}
- type: Webhook
  name: elsewhere
  webhook:
    authorizedTTL: 1s
    unauthorizedTTL: 1s
    timeout: 3s
    subjectAccessReviewVersion: v1
    matchConditionSubjectAccessReviewVersion: v1
    failurePolicy: ${policy}
    connectionInfo: {type: KubeConfigFile, kubeConfigFile: ${join(dir, 'webhook.conf')}}
    matchConditions: [{expression: "has(request.resourceAttributes) && request.resourceAttributes.namespace == 'guarded'"}]
- {type: RBAC, name: rbac}
`

beforeAll(async () => {
  ;[issuer, other] = await Promise.all([startIssuer(), startIssuer()])
  reviewer = await startServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => void (text += chunk.toString()))
    request.on('end', () => {
      const review = JSON.parse(text) as Review
      reviews.push(review)
      const status = review.kind === 'TokenReview'
        ? (review.spec.token === 'from-webhook' ? { authenticated: true, user: { username: 'wanda', groups: ['readers'] } } : { authenticated: false })
        : (review.spec.user === 'wanda' ? { allowed: true } : { allowed: false, denied: true, reason: 'guarded' })
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ ...review, status }))
    })
  })
  const webhook = file('webhook.conf', JSON.stringify({
    apiVersion: 'v1', kind: 'Config', 'current-context': 'x', contexts: [{ name: 'x', context: { cluster: 'x', user: '' } }],
    clusters: [{ name: 'x', cluster: { server: reviewer.url, 'certificate-authority-data': Buffer.from(reviewer.ca).toString('base64') } }], users: [],
  }))
  cluster = await startTestControlPlane({
    apiServerArguments: {
      'authentication-config': file('authentication.yaml', configuration(issuer)), 'authorization-config': file('authorization.yaml', authorizers('Deny')),
      'authentication-token-webhook-config-file': webhook, 'token-auth-file': file('tokens.csv', 'fixed-token,fay,f-1,"ops,devs"\n'),
      'client-ca-file': file('company.crt', (company = await ownAuthority('company')).cert), 'service-account-issuer': 'https://new.example,https://kubernetes.default.svc.cluster.local',
    },
  })
  await cluster.kubectl('create', 'namespace', 'guarded')
  await cluster.kubectl('create', 'clusterrolebinding', 'readers', '--clusterrole=view', '--group=readers')
})
afterAll(async () => {
  await cluster?.stop()
  for (const server of [issuer, other, reviewer]) await server?.close()
  rmSync(dir, { recursive: true })
})

/** kubectl with nothing but a token. */
const as = (token: string, ...args: string[]) =>
  run('kubectl', ['--server', cluster.url, '--certificate-authority', file('ca.crt', cluster.pki.ca.cert), '--token', token, ...args], { env: { KUBECONFIG: '/dev/null', HOME: dir } })

describe('who one is', () => {
  it('says a token of a configured issuer, by the expressions over its claims', async () => {
    const token = await issuer.token({ sub: 'ida', groups: ['readers'], tenant: 'red' })
    const { stdout } = await as(token, 'auth', 'whoami', '-o', 'json')
    expect(JSON.parse(stdout)).toMatchObject({ status: { userInfo: { username: 'oidc:ida', groups: ['readers', 'system:authenticated'], extra: { 'example.com/tenant': ['red'] } } } })
    expect((await as(token, 'get', 'pods')).code).toBe(0)
    expect((await as(await issuer.token({ sub: 'ida' }), 'get', 'pods')).stderr).toContain('User "oidc:ida" cannot list resource "pods"')
    for (const claims of [{ groups: ['system:masters'] }, { exp: Math.floor(Date.now() / 1000) + 90_000 }, { aud: 'vault' }]) expect((await as(await issuer.token(claims), 'get', 'pods')).stderr, JSON.stringify(claims)).toContain('Unauthorized')
  })

  it('says a fixed token, or another server', async () => {
    expect(JSON.parse((await as('fixed-token', 'auth', 'whoami', '-o', 'json')).stdout)).toMatchObject({ status: { userInfo: { username: 'fay', uid: 'f-1', groups: ['ops', 'devs', 'system:authenticated'] } } })
    expect(JSON.parse((await as('from-webhook', 'auth', 'whoami', '-o', 'json')).stdout)).toMatchObject({ status: { userInfo: { username: 'wanda', groups: ['readers', 'system:authenticated'] } } })
    expect((await as('from-nowhere', 'auth', 'whoami')).stderr).toContain('Unauthorized')
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'fixed-token' } }
    expect((await attempt(cluster, '/apis/authentication.k8s.io/v1/tokenreviews', { cert: cluster.pki.admin, body: review })).json).toMatchObject({ status: { authenticated: true, user: { username: 'fay' } } })
  })

  it('says a certificate of another authority that was added, beside those of the cluster', async () => {
    const carl = await issue(company, { name: 'carl', groups: ['readers'] })
    expect((await attempt(cluster, '/api/v1/namespaces/default/pods', { cert: carl })).code).toBe(200)
    expect((await attempt(cluster, '/api/v1/namespaces/default/secrets', { cert: carl })).code).toBe(403)
    expect((await attempt(cluster, '/api/v1/namespaces/default/secrets', { cert: cluster.pki.admin })).code).toBe(200)
    expect([0, 401]).toContain((await attempt(cluster, '/api', { cert: await issue(await ownAuthority('company'), { name: 'carl' }) })).code)
  })

  it('says a service account token of the issuer that was named', async () => {
    await cluster.kubectl('create', 'serviceaccount', 'app')
    const token = (await cluster.kubectl('create', 'token', 'app')).trim()
    expect(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())).toMatchObject({ iss: 'https://new.example', aud: ['https://new.example', 'https://kubernetes.default.svc.cluster.local'] })
    expect((await attempt(cluster, '/api', { token })).code).toBe(200)
    expect((await attempt(cluster, '/.well-known/openid-configuration', { token })).json).toMatchObject({ issuer: 'https://new.example' })
  })

  it('says nobody without a token, but on the paths that are open', async () => {
    for (const [path, code] of [['/livez', 200], ['/readyz', 200], ['/version', 401], ['/healthz', 401], ['/api', 401]] as const) expect((await attempt(cluster, path)).code, path).toBe(code)
  })

  it('follows the file: an issuer that is added counts, one that is taken out does not, and a file that is broken changes nothing', async () => {
    const [ours, theirs] = [await issuer.token({}), await other.token({})]
    const code = async (token: string) => (await attempt(cluster, '/api', { token })).code
    expect([await code(ours), await code(theirs)]).toEqual([200, 401])
    file('authentication.yaml', configuration(issuer, other))
    await eventually('the added issuer counts', async () => ((await code(theirs)) === 200 ? true : undefined))
    file('authentication.yaml', 'jwt: [')
    await new Promise((resolve) => setTimeout(resolve, 6000))
    expect([await code(ours), await code(theirs)]).toEqual([200, 200])
    file('authentication.yaml', configuration(other))
    await eventually('the other issuer counts no more', async () => ((await code(ours)) === 401 ? true : undefined))
    file('authentication.yaml', configuration(issuer))
  })
})

describe('what one may do', () => {
  it('says another server, for what it is asked about, before the roles', async () => {
    reviews.length = 0
    expect((await as('from-webhook', 'get', 'secrets', '-n', 'guarded')).code).toBe(0)
    expect((await as('fixed-token', 'get', 'pods', '-n', 'guarded')).stderr).toContain('guarded')
    expect((await as('from-webhook', 'get', 'secrets', '-n', 'default')).code).toBe(1)
    expect(reviews.filter((r) => r.kind === 'SubjectAccessReview').every((r) => r.spec.resourceAttributes?.namespace === 'guarded')).toBe(true)
    expect((await cluster.tryKubectl(['get', 'secrets', '-n', 'guarded'])).code).toBe(0)
    expect((await as('from-webhook', 'auth', 'can-i', '--list')).stderr).toContain('webhook authorizer does not support user rule resolution')
  })

  it('says nothing good when the other server is away and its policy is to deny; the roles, when it is to have no opinion', async () => {
    const conf = { server: 'https://127.0.0.1:1' }
    file('webhook.conf', JSON.stringify({ apiVersion: 'v1', kind: 'Config', 'current-context': 'x', contexts: [{ name: 'x', context: { cluster: 'x', user: '' } }], clusters: [{ name: 'x', cluster: conf }], users: [] }))
    await cluster.kubectl('create', 'rolebinding', 'fay', '-n', 'guarded', '--clusterrole=view', '--user=fay')
    const list = async () => (await as('fixed-token', 'get', 'pods', '-n', 'guarded')).code
    file('authorization.yaml', `${authorizers('NoOpinion')}# no opinion`)
    await eventually('the roles decide', async () => ((await list()) === 0 ? true : undefined))
    file('authorization.yaml', `${authorizers('Deny')}# deny, once more`)
    await eventually('it is denied', async () => ((await list()) === 1 ? true : undefined))
  })
})
