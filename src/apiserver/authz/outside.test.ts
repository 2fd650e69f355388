/** Authorizers that an administrator sets up: webhooks, their conditions, and the order of all. */
import { Registry } from 'prom-client'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../machinery/clock.ts'
import { quiet } from '../../machinery/log.ts'
import { startServer, type TestServer } from '../authn/testing.ts'
import type { Identity } from '../identity.ts'
import { createPost } from '../remote.ts'
import { environment } from '../testing/environment.ts'
import type { Action } from './authorizer.ts'
import { compileConditions } from './conditions.ts'
import { parseAuthorizationConfiguration, webhookOptions } from './configuration.ts'
import { setUpAuthorizer, type ChosenMode } from './setup.ts'
import { createWebhookMetrics } from './webhook-metrics.ts'
import { createWebhookMode, specOf, type WebhookModeOptions } from './webhook.ts'

const ana: Identity = { name: 'ana', uid: '7', groups: ['devs', 'system:authenticated'], extra: { scope: ['a'] } }
const action = (verb: string, resource: string, more: Partial<Action> = {}): Action => ({ isResourceRequest: true, path: '', verb, group: '', version: 'v1', namespace: 'default', resource, subresource: '', name: '', ...more })

let server: TestServer
let asked: { spec: Record<string, unknown> }[]
let answer: () => object | number
beforeAll(async () => {
  server = await startServer((request, response) => {
    let text = ''
    request.on('data', (chunk: Buffer) => void (text += chunk.toString()))
    request.on('end', () => {
      const review = JSON.parse(text) as (typeof asked)[number]
      asked.push(review)
      const status = answer()
      if (typeof status === 'number') response.writeHead(status).end()
      else response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify({ ...review, status }))
    })
  })
})
beforeEach(() => {
  asked = []
  answer = () => ({ allowed: true, reason: 'because' })
})
afterAll(() => server.close())

const webhook = (more: Partial<WebhookModeOptions> = {}, clock = new FakeClock()) => createWebhookMode({
  name: 'w', post: createPost({ server: server.url, ca: server.ca }), authorizedTtl: 60_000, unauthorizedTtl: 10_000, timeout: 2000, failurePolicy: 'NoOpinion', ...more,
}, { clock, log: quiet })

describe('an authorization webhook', () => {
  it('is told who wants to do what, selectors included', async () => {
    await webhook().authorize(ana, action('list', 'pods', { fieldSelector: 'spec.nodeName=n1', labelSelector: 'app in (a,b),!old' }))
    expect(asked[0]).toMatchObject({
      kind: 'SubjectAccessReview', apiVersion: 'authorization.k8s.io/v1',
      spec: {
        user: 'ana', uid: '7', groups: ana.groups, extra: { scope: ['a'] },
        resourceAttributes: {
          namespace: 'default', verb: 'list', version: 'v1', resource: 'pods',
          fieldSelector: { requirements: [{ key: 'spec.nodeName', operator: 'In', values: ['n1'] }] },
          labelSelector: { requirements: [{ key: 'app', operator: 'In', values: ['a', 'b'] }, { key: 'old', operator: 'DoesNotExist' }] },
        },
      },
    })
    expect(specOf(ana, { ...action('get', ''), isResourceRequest: false, path: '/metrics' })).toMatchObject({ nonResourceAttributes: { path: '/metrics', verb: 'get' } })
  })

  it('allows, denies or has no opinion; each answer holds for its time', async () => {
    const clock = new FakeClock()
    const mode = webhook({}, clock)
    expect(await mode.authorize(ana, action('get', 'pods'))).toEqual({ opinion: 'allow', reason: 'because' })
    await mode.authorize(ana, action('get', 'pods'))
    expect(asked).toHaveLength(1)
    answer = () => ({ allowed: false, denied: true, reason: 'never' })
    expect(await mode.authorize(ana, action('get', 'nodes'))).toEqual({ opinion: 'deny', reason: 'never' })
    answer = () => ({ allowed: false })
    expect(await mode.authorize(ana, action('get', 'secrets'))).toEqual({ opinion: 'none', reason: '' })
    await clock.advance(11_000)
    await mode.authorize(ana, action('get', 'secrets'))
    await mode.authorize(ana, action('get', 'pods'))
    expect(asked).toHaveLength(4)
    await clock.advance(50_000)
    await mode.authorize(ana, action('get', 'pods'))
    expect(asked).toHaveLength(5)
  })

  it('is asked in the older version where that was said, which has another name for groups', async () => {
    await webhook({ version: 'v1beta1' }).authorize({ name: 'ana', groups: ['devs'] }, action('get', 'pods'))
    expect(asked.at(-1)).toMatchObject({ apiVersion: 'authorization.k8s.io/v1beta1', spec: { group: ['devs'] } })
    expect(asked.at(-1)?.spec).not.toHaveProperty('groups')
  })

  it('that lies, fails or is away counts as its policy says, and is asked again', async () => {
    answer = () => ({ allowed: true, denied: true })
    expect(await webhook().authorize(ana, action('get', 'pods'))).toEqual({ opinion: 'none', reason: '' })
    const strict = webhook({ failurePolicy: 'Deny' })
    expect(await strict.authorize(ana, action('get', 'pods'))).toMatchObject({ opinion: 'deny' })
    answer = () => ({ allowed: true })
    expect(await strict.authorize(ana, action('get', 'pods'))).toMatchObject({ opinion: 'allow' })
    const away = webhook({ failurePolicy: 'Deny', post: createPost({ server: 'https://127.0.0.1:1', ca: server.ca }) })
    expect(await away.authorize(ana, action('get', 'pods'))).toMatchObject({ opinion: 'deny' })
  })

  it('is asked only where its conditions hold; a condition that breaks counts as a failure', async () => {
    const mode = webhook({ matches: compileConditions(['has(request.resourceAttributes)', 'request.resourceAttributes.namespace == "kube-system"']) })
    expect(await mode.authorize(ana, action('get', 'pods'))).toEqual({ opinion: 'none', reason: '' })
    expect(await mode.authorize(ana, { ...action('get', ''), isResourceRequest: false, path: '/x' })).toEqual({ opinion: 'none', reason: '' })
    expect(asked).toEqual([])
    expect(await mode.authorize(ana, action('get', 'pods', { namespace: 'kube-system' }))).toMatchObject({ opinion: 'allow' })
    const holds = (expression: string, labelSelector: object) => compileConditions([expression])({ user: 'ana', resourceAttributes: { verb: 'list', resource: 'pods', labelSelector } })
    expect(holds('request.resourceAttributes.labelSelector.requirements[0].values.size() == 0', { requirements: [{ key: 'a', operator: 'Exists' }] })).toBe(true)
    expect(holds('has(request.resourceAttributes.labelSelector)', { requirements: [] })).toBe(false)
    const breaks = webhook({ failurePolicy: 'Deny', matches: compileConditions(['request.extra["none"][0] == "x"']) })
    expect(await breaks.authorize(ana, action('get', 'pods'))).toMatchObject({ opinion: 'deny' })
    const fails = webhook({ failurePolicy: 'Deny', matches: compileConditions(['request.extra["none"][0] == "x"', 'false']) })
    expect(await fails.authorize(ana, action('get', 'pods'))).toMatchObject({ opinion: 'none' })
  })

  it('has its conditions counted: how long they took, what they kept away, and what could not be told', async () => {
    const registry = new Registry()
    const mode = createWebhookMode({ name: 'opa', post: createPost({ server: server.url, ca: server.ca }), authorizedTtl: 0, unauthorizedTtl: 0, timeout: 1000, failurePolicy: 'NoOpinion', matches: compileConditions(['request.resourceAttributes.namespace == "n" || request.extra["x"][0] == "y"']) },
      { clock: new FakeClock(), log: quiet, metrics: createWebhookMetrics(registry) })
    await mode.authorize(ana, action('get', 'pods', { namespace: 'n' }))
    await mode.authorize({ ...ana, extra: { x: ['z'] } }, action('get', 'pods', { namespace: 'm' }))
    await mode.authorize(ana, action('get', 'pods', { namespace: 'm' }))
    const text = await registry.metrics()
    expect(text).toContain('apiserver_authorization_match_condition_evaluation_seconds_count{type="Webhook",name="opa"} 3')
    expect(text).toContain('apiserver_authorization_match_condition_exclusions_total{type="Webhook",name="opa"} 1')
    expect(text).toContain('apiserver_authorization_match_condition_evaluation_errors_total{type="Webhook",name="opa"} 1')
  })
})

describe('the authorizers', () => {
  const env = environment(
    { kind: 'ClusterRole', metadata: { name: 'r' }, rules: [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }] },
    { kind: 'ClusterRoleBinding', metadata: { name: 'b' }, roleRef: { kind: 'ClusterRole', name: 'r' }, subjects: [{ kind: 'User', name: 'ana' }] },
  )
  const authorizer = (modes: readonly ChosenMode[]) => setUpAuthorizer(env, { modes: () => modes })
  const opinion = async (modes: readonly ChosenMode[], user = ana, what = action('get', 'pods')) => (await authorizer(modes).decide(user, what)).opinion

  it('are asked in their order, and the first that allows or denies decides', async () => {
    expect(await opinion(['RBAC'])).toBe('allow')
    answer = () => ({ allowed: false, denied: true })
    expect(await opinion([() => webhook(), 'RBAC'])).toBe('deny')
    expect(await opinion(['RBAC', () => webhook()])).toBe('allow')
    expect(await opinion(['AlwaysDeny', 'AlwaysAllow'])).toBe('allow')
    expect(await opinion(['AlwaysDeny'])).toBe('none')
    expect(await opinion(['AlwaysDeny'], { name: 'root', groups: ['system:masters'] })).toBe('allow')
    expect(await opinion(['AlwaysDeny'], ana, { ...action('get', ''), isResourceRequest: false, path: '/readyz' })).toBe('allow')
    expect(await opinion(['AlwaysDeny'], ana, { ...action('get', ''), isResourceRequest: false, path: '/api' })).toBe('none')
  })

  it('say that a list of rights is not all where a webhook has a say', () => {
    expect(authorizer(['RBAC']).rulesFor(ana, 'default')).toMatchObject({ incomplete: false })
    // Their role says it, and it is not to be said twice.
    expect(authorizer(['AlwaysDeny']).rulesFor({ name: 'root', groups: ['system:masters'] }, 'default').rules).toEqual([])
    expect(authorizer(['RBAC', () => webhook()]).rulesFor(ana, 'default')).toMatchObject({ incomplete: true, problem: 'webhook authorizer does not support user rule resolution' })
  })

  it('change with their configuration', async () => {
    let modes: readonly ChosenMode[] = ['AlwaysDeny']
    const changing = setUpAuthorizer(env, { modes: () => modes })
    expect((await changing.decide(ana, action('get', 'pods'))).opinion).toBe('none')
    modes = ['RBAC']
    expect((await changing.decide(ana, action('get', 'pods'))).opinion).toBe('allow')
  })
})

describe('the configuration', () => {
  const head = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AuthorizationConfiguration\nauthorizers:\n'
  const good = `${head}- type: Webhook
  name: opa
  webhook:
    authorizedTTL: 1m30s
    unauthorizedTTL: 10s
    timeout: 3s
    subjectAccessReviewVersion: v1
    matchConditionSubjectAccessReviewVersion: v1
    failurePolicy: Deny
    connectionInfo: {type: KubeConfigFile, kubeConfigFile: /etc/opa.conf}
    matchConditions: [{expression: "request.user != 'ana'"}]
- {type: Node, name: node}
- {type: RBAC, name: rbac}
`
  it('says what cannot be in it', () => {
    for (const [wrong, why] of [
      ['timeout: -1s', 'must be > 0s'], ['authorizedTTL: -1s', 'must be > 0s'], ['connectionInfo: {type: KubeConfigFile, kubeConfigFile: opa.conf}', 'must be an absolute path'],
      ['connectionInfo: {type: KubeConfigFile, kubeConfigFile: /nowhere/opa.conf}', 'nothing is at /nowhere/opa.conf'],
      ['matchConditionSubjectAccessReviewVersion: v1beta1', 'supported values: "v1"'], ['subjectAccessReviewVersion: v2', 'supported values: "v1", "v1beta1"'],
      [`matchConditions: [${Array.from({ length: 65 }, (_, i) => `{expression: "request.user == '${i}'"}`).join(', ')}]`, 'must have at most 64 items'],
    ] as const) {
      const [field = ''] = wrong.split(':')
      expect(() => parseAuthorizationConfiguration(good.replace(new RegExp(`^    ${field}:.*$`, 'm'), `    ${wrong}`), (file) => (file.startsWith('/nowhere') ? `nothing is at ${file}` : undefined)), wrong).toThrow(why)
    }
    expect(webhookOptions(parseAuthorizationConfiguration(good.replace('authorizedTTL: 1m30s', 'authorizedTTL: 0s')).authorizers?.[0]?.webhook ?? {}).authorizedTtl).toBe(300_000)
  })

  it('is read', () => {
    const { authorizers = [] } = parseAuthorizationConfiguration(good)
    expect(authorizers.map((a) => a.type)).toEqual(['Webhook', 'Node', 'RBAC'])
    expect(webhookOptions(authorizers[0]?.webhook ?? {})).toMatchObject({ authorizedTtl: 90_000, unauthorizedTtl: 10_000, timeout: 3000, failurePolicy: 'Deny' })
  })

  it('names what is wrong, with its line', () => {
    const wrong = (from: string, to: string) => () => parseAuthorizationConfiguration(good.replace(from, to))
    expect(() => parseAuthorizationConfiguration(head.replace('authorizers:\n', ''))).toThrow('authorizers: Required value: at least one authorization mode must be defined')
    expect(wrong('type: Node', 'type: ABAC')).toThrow('line 15: authorizers[1].type: Unsupported value: "ABAC"')
    expect(wrong('name: rbac', 'name: node')).toThrow('authorizers[2].name: Duplicate value: "node"')
    expect(wrong('type: Node', 'type: RBAC')).toThrow('authorizers[2].type: Duplicate value: "RBAC"')
    expect(wrong('timeout: 3s', 'timeout: 31s')).toThrow('must be <= 30s')
    expect(wrong('    failurePolicy: Deny\n', '')).toThrow('authorizers[0].webhook.failurePolicy: Required value')
    expect(wrong('request.user != \'ana\'', 'request.name')).toThrow('compilation failed')
    expect(wrong('failurePolicy', 'failPolicy')).toThrow('unknown field')
    expect(wrong('KubeConfigFile, kube', 'InClusterConfig, kube')).toThrow('can only be set when type=KubeConfigFile')
    expect(wrong('KubeConfigFile, kube', 'Service, kube')).toThrow('supported values: "InClusterConfig", "KubeConfigFile"')
  })
})
