/** The edges as clients meet them: over HTTP, with nothing but a token. */
import { generateKeyPairSync } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { admissionregistration, authentication, authorization, core, dra, rbac } from '../api/index.ts'
import { systemClock as clock } from '../machinery/clock.ts'
import { quiet, type Component } from '../machinery/log.ts'
import { createMemoryStore } from '../store/memory.ts'
import { issuerHandlers } from './authn/issuer.ts'
import type { Tokens } from './authn/tokens.ts'
import { startBootstrap } from './bootstrap/bootstrap.ts'
import { createEdges } from './edges.ts'
import type { ApiServer } from './options.ts'
import { createApiServer } from './server.ts'

let api: ApiServer
let running: Component
let token: string

const http = async (path: string, headers: Record<string, string> = {}, init: RequestInit = {}) => {
  const response = await fetch(api.url + path, { ...init, headers: { ...(init.body ? { 'content-type': 'application/json' } : {}), ...headers } })
  const text = await response.text()
  return { code: response.status, text, headers: response.headers, get json() { return JSON.parse(text) as Record<string, never> } }
}
const as = (bearer: string) => ({ authorization: `Bearer ${bearer}` })

beforeAll(async () => {
  const signingKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' }) as string
  api = await createApiServer({
    store: createMemoryStore(), clock, log: quiet, serviceCidr: '10.96.0.0/16', freeze: true,
    edges: createEdges({ serverAddress: () => '192.0.2.1:6443', serviceAccounts: { signingKey, issuer: 'https://kubernetes.default.svc' } }),
  })
  await api.listen()
  running = await startBootstrap({ client: api.client, clock, log: quiet, serviceCidr: '10.96.0.0/16', place: () => ({ address: '192.0.2.1', port: 6443 }) })
  await api.client.create(core.serviceaccounts, { metadata: { name: 'app', namespace: 'default' } })
  const request = { metadata: {}, spec: { audiences: [] } }
  const answer = await api.client.createSubresource<object, authentication.TokenRequest>(core.serviceaccounts, 'app', 'token', request, { namespace: 'default' })
  token = answer.status.token
})
afterAll(async () => {
  await running.stop()
  await api.close()
})

describe('without credentials', () => {
  it('one sees health and version, and nothing else', async () => {
    for (const path of ['/healthz', '/livez', '/readyz', '/version']) expect((await http(path)).code, path).toBe(200)
    for (const path of ['/api', '/apis', '/openapi/v3', '/metrics', '/api/v1/namespaces', '/nothing', '/']) {
      const { code, json } = await http(path)
      expect(code, path).toBe(403)
      expect(json).toMatchObject({ kind: 'Status', reason: 'Forbidden', message: expect.stringContaining('User "system:anonymous" cannot') as string })
    }
  })

  it('a header that claims to be somebody changes nothing', async () => {
    expect((await http('/api', { 'x-remote-user': 'root', 'x-remote-group': 'system:masters' })).code).toBe(403)
    expect((await http('/api', { 'impersonate-user': 'root', 'impersonate-group': 'system:masters' })).code).toBe(403)
    expect((await http('/version', as('forged'))).code).toBe(401)
  })
})

describe('with the token of a service account', () => {
  it('one is that account, and may look around', async () => {
    const { json } = await http('/apis/authentication.k8s.io/v1/selfsubjectreviews', as(token), { method: 'POST', body: '{"kind":"SelfSubjectReview","apiVersion":"authentication.k8s.io/v1"}' })
    expect(json).toMatchObject({ status: { userInfo: { username: 'system:serviceaccount:default:app', groups: ['system:serviceaccounts', 'system:serviceaccounts:default', 'system:authenticated'] } } })
    for (const path of ['/api', '/apis', '/openapi/v2', '/openid/v1/jwks', '/.well-known/openid-configuration']) expect((await http(path, as(token))).code, path).toBe(200)
  })

  it('one finds the keys that verify tokens, for an hour', async () => {
    for (const path of ['/openid/v1/jwks', '/.well-known/openid-configuration']) expect((await http(path, as(token))).headers.get('cache-control'), path).toBe('public, max-age=3600')
    expect(issuerHandlers({ issuer: 'https://issuer.example' } as Tokens, () => '')).toHaveProperty(['/openid/v1/jwks'])
    for (const wrong of [{ issuer: 'kubernetes' }, { issuer: 'http://issuer.example' }, { issuer: 'https://issuer.example?a=b' }, { issuer: 'https://issuer.example#a' }, { issuer: 'https://issuer.example', jwksUri: 'http://keys.example' }]) {
      expect(issuerHandlers(wrong as Tokens, () => ''), wrong.issuer).toEqual({})
    }
  })

  it('one may do what a binding says, from the moment it is written until it is gone', async () => {
    const pods = () => http('/api/v1/namespaces/default/pods', as(token))
    expect(await pods()).toMatchObject({ code: 403 })
    expect((await pods()).json).toMatchObject({ message: 'pods is forbidden: User "system:serviceaccount:default:app" cannot list resource "pods" in API group "" in the namespace "default"', reason: 'Forbidden', details: { kind: 'pods' } })
    const binding = { metadata: { name: 'b', namespace: 'default' }, roleRef: { kind: 'ClusterRole', name: 'view' }, subjects: [{ kind: 'ServiceAccount', name: 'app', namespace: 'default' }] }
    await api.client.create(rbac.rolebindings, binding)
    expect((await pods()).code).toBe(200)
    expect((await http('/api/v1/namespaces/kube-system/pods', as(token))).code).toBe(403)
    expect((await http('/api/v1/namespaces/default/secrets', as(token))).code).toBe(403)
    await api.client.delete(rbac.rolebindings, 'b', { namespace: 'default' })
    expect((await pods()).code).toBe(403)
  })

  it('one can be nobody else, and grant oneself nothing', async () => {
    expect((await http('/api/v1/nodes', { ...as(token), 'impersonate-user': 'root', 'impersonate-group': 'system:masters' })).code).toBe(403)
    const grant = JSON.stringify({ kind: 'ClusterRoleBinding', apiVersion: 'rbac.authorization.k8s.io/v1', metadata: { name: 'mine' }, roleRef: { kind: 'ClusterRole', name: 'cluster-admin' }, subjects: [{ kind: 'User', name: 'eve' }] })
    expect((await http('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', as(token), { method: 'POST', body: grant })).code).toBe(403)
  })

  it('counters and metrics are for those who monitor', async () => {
    expect((await http('/metrics', as(token))).code).toBe(403)
    await api.client.create(rbac.clusterrolebindings, { metadata: { name: 'm' }, roleRef: { kind: 'ClusterRole', name: 'system:monitoring' }, subjects: [{ kind: 'ServiceAccount', name: 'app', namespace: 'default' }] })
    const { code, text } = await http('/metrics', as(token))
    expect(code).toBe(200)
    expect(text).toMatch(/^apiserver_resource_objects\{group="rbac.authorization.k8s.io",resource="clusterroles"\} [1-9]\d+$/m)
    expect(text).toMatch(/^apiserver_storage_objects\{resource="clusterroles.rbac.authorization.k8s.io"\} [1-9]\d+$/m)
    expect(text).toMatch(/apiserver_request_total\{verb="GET".*subresource="\/metrics".*code="403"\} 2/)
  })
})

it('refuses the escalation of somebody who may write roles but holds little', async () => {
  const client = api.clientFor({ name: 'ana', groups: ['system:authenticated'] })
  await api.client.create(rbac.rolebindings, { metadata: { name: 'ana', namespace: 'default' }, roleRef: { kind: 'ClusterRole', name: 'admin' }, subjects: [{ kind: 'User', name: 'ana' }] })
  const role = (name: string, resource: string) => client.create(rbac.roles, { metadata: { name, namespace: 'default' }, rules: [{ verbs: ['get'], apiGroups: [''], resources: [resource] }] })
  await expect(role('fine', 'pods')).resolves.toBeDefined()
  await expect(role('more', 'nodes')).rejects.toMatchObject({ code: 403, message: expect.stringContaining('not currently held') as string })
})

it('holds a quota against many writers at once', async () => {
  await api.client.create(core.namespaces, { metadata: { name: 'small' } })
  await api.client.create(core.resourcequotas, { metadata: { name: 'q', namespace: 'small' }, spec: { hard: { 'count/configmaps': '10' } } })
  const writes = await Promise.allSettled(Array.from({ length: 50 }, (_, i) => api.client.create(core.configmaps, { metadata: { name: `m${i}`, namespace: 'small' } })))
  expect(writes.filter((w) => w.status === 'fulfilled')).toHaveLength(10)
  expect((await api.client.list(core.configmaps, { namespace: 'small' })).items).toHaveLength(10)
})

it('ends a token with the account it is of', async () => {
  await api.client.create(core.serviceaccounts, { metadata: { name: 'brief', namespace: 'default' } })
  const answer = await api.client.createSubresource<object, authentication.TokenRequest>(core.serviceaccounts, 'brief', 'token', { metadata: {}, spec: { audiences: [] } }, { namespace: 'default' })
  expect((await http('/api', as(answer.status.token))).code).toBe(200)
  await api.client.delete(core.serviceaccounts, 'brief', { namespace: 'default' })
  expect((await http('/api', as(answer.status.token))).code).toBe(401)
})

it('lets policies say which tokens may be asked for', async () => {
  const validations = [{ expression: 'object.spec.expirationSeconds <= 3600 && object.spec.audiences.exists(a, a == "https://kubernetes.default.svc") && request.kind.kind == "TokenRequest"' }]
  const matchConstraints = { resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], resources: ['serviceaccounts/token'], operations: ['CREATE'] }] } as const
  await api.client.create(admissionregistration.validatingadmissionpolicies, { metadata: { name: 'tokens' }, spec: { matchConstraints, validations } })
  await api.client.create(admissionregistration.validatingadmissionpolicybindings, { metadata: { name: 'tokens' }, spec: { policyName: 'tokens', validationActions: ['Deny'] } })
  const ask = (spec: object) => api.client.createSubresource<object, authentication.TokenRequest>(core.serviceaccounts, 'app', 'token', { metadata: {}, spec }, { namespace: 'default' }).then(() => 'made', (error: Error) => error.message)
  expect(await ask({ audiences: [] })).toBe('made')
  expect(await ask({ audiences: [], expirationSeconds: 7200 })).toContain('ValidatingAdmissionPolicy \'tokens\' with binding \'tokens\' denied request')
})

it('takes from reviews what only the server says of objects, and refuses those for another namespace', async () => {
  const resourceAttributes = { verb: 'get', resource: 'pods', namespace: 'default' }
  const body = { kind: 'SelfSubjectAccessReview', apiVersion: 'authorization.k8s.io/v1', metadata: { uid: 'mine', creationTimestamp: '2020-01-01T00:00:00Z', namespace: 'x' }, spec: { resourceAttributes } }
  const review = (metadata: object) => http('/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', as(token), { method: 'POST', body: JSON.stringify({ ...body, metadata }) })
  const { code, json } = await review(body.metadata)
  expect([code, json['metadata']]).toEqual([201, {}])
  expect((await review({ name: 'mine' })).code).toBe(422)
  const local = (metadata: object) => api.client.create(authorization.localsubjectaccessreviews, { metadata, spec: { user: 'ana', resourceAttributes } }, { namespace: 'default' }).then(({ metadata: { namespace } }) => namespace, (error: Error) => error.message)
  expect([await local({}), await local({ namespace: 'default' })]).toEqual(['default', 'default'])
  expect(await local({ namespace: 'kube-system' })).toBe('the namespace of the provided object does not match the namespace sent on the request')
})

describe('claims for devices', () => {
  const claims = '/apis/resource.k8s.io/v1/namespaces/default/resourceclaims'
  const claim = (name: string, part: object = {}) => ({ apiVersion: 'resource.k8s.io/v1', kind: 'ResourceClaim', metadata: { name }, spec: { devices: { requests: [{ name: 'r', exactly: { deviceClassName: 'c', ...part } }] } } })
  const post = (body: object) => http(claims, as(token), { method: 'POST', body: JSON.stringify(body) })
  const bound = { status: { allocation: { devices: { results: [{ request: 'r', driver: 'd.example.com', pool: 'p', device: 'gpu' }] } } } }
  const bind = () => http(`${claims}/plain/status`, { ...as(token), 'content-type': 'application/merge-patch+json' }, { method: 'PATCH', body: JSON.stringify(bound) })

  beforeAll(async () => {
    const rules = [{ apiGroups: ['resource.k8s.io'], resources: ['resourceclaims', 'resourceclaims/status'], verbs: ['*'] }]
    await api.client.create(rbac.clusterroles, { metadata: { name: 'claimer' }, rules })
    await api.client.create(rbac.clusterrolebindings, {
      metadata: { name: 'claimer' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'claimer' }, subjects: [{ kind: 'ServiceAccount', name: 'app', namespace: 'default' }],
    })
  })
  it('of administrators need a namespace that is marked', async () => {
    const refused = await post(claim('admin', { adminAccess: true }))
    expect(refused).toMatchObject({ code: 422, json: { message: expect.stringContaining('admin access to devices requires the `resource.kubernetes.io/admin-access: true` label') as string } })
    expect((await post(claim('plain'))).code).toBe(201)
  })
  it('are bound by nobody who may only write their status', async () => {
    expect(await bind()).toMatchObject({ code: 422, json: { message: expect.stringContaining('requires resource="resourceclaims/binding", verb="patch" permission') as string } })
    const rules = [{ apiGroups: ['resource.k8s.io'], resources: ['resourceclaims', 'resourceclaims/status', 'resourceclaims/binding'], verbs: ['*'] }]
    await api.client.update(rbac.clusterroles, { ...(await api.client.get(rbac.clusterroles, 'claimer')), rules })
    await expect.poll(async () => (await bind()).code).toBe(200)
    expect((await api.client.get(dra.resourceclaims, 'plain', { namespace: 'default' })).status.allocation?.devices.results).toHaveLength(1)
  })
})
