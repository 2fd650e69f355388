/** API Priority and Fairness, as kubectl and other clients see it. */
import { request, Agent } from 'node:https'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { core, flowcontrol } from '../../src/api/index.ts'
import { startTestControlPlane, type TestControlPlane } from '../support/control-plane.ts'

let cluster: TestControlPlane
/** Twelve seats: levels have one or two. */
beforeAll(async () => {
  cluster = await startTestControlPlane({ apiServerArguments: { 'max-requests-inflight': '8', 'max-mutating-requests-inflight': '4' } })
})
afterAll(() => cluster?.stop())

interface Reply { readonly code: number | undefined; readonly headers: Readonly<Record<string, unknown>>; readonly text: string }

/** As the administrator, or as somebody whom the administrator impersonates. */
function ask(path: string, as?: string, agent?: Agent): Promise<Reply> {
  const { ca, admin } = cluster.pki
  return new Promise((resolve, reject) => {
    const call = request(`${cluster.url}${path}`, { ca: ca.cert, cert: admin.cert, key: admin.key, ...(agent ? { agent } : {}), headers: as ? { 'impersonate-user': as, 'impersonate-group': 'system:authenticated' } : {} }, (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk)).on('end', () => resolve({ code: response.statusCode, headers: response.headers, text }))
    })
    call.on('error', reject).end()
  })
}

describe('priority and fairness', () => {
  it('shows kubectl its levels and schemas', async () => {
    await expect.poll(async () => (await cluster.kubectl('get', 'flowschemas', '--no-headers')).match(/ False$/gm)?.length, { timeout: 10_000 }).toBe(11)
    expect(await cluster.kubectl('get', 'flowschemas')).toMatch(/NAME +PRIORITYLEVEL +MATCHINGPRECEDENCE +DISTINGUISHERMETHOD +AGE +MISSINGPL\n/)
    expect(await cluster.kubectl('get', 'flowschema', 'service-accounts', '--no-headers')).toMatch(/^service-accounts +workload-low +9000 +ByUser +\S+ +False/)
    expect(await cluster.kubectl('get', 'prioritylevelconfiguration', 'workload-low', '--no-headers')).toMatch(/^workload-low +Limited +100 +128 +6 +50 /)
  })

  it('says in each answer what the request was taken for', async () => {
    const uidOf = async (kind: string, name: string) => cluster.kubectl('get', kind, name, '-o', 'jsonpath={.metadata.uid}')
    const mine = await ask('/api/v1/namespaces')
    expect(mine.headers).toMatchObject({ 'x-kubernetes-pf-flowschema-uid': await uidOf('flowschema', 'exempt'), 'x-kubernetes-pf-prioritylevel-uid': await uidOf('prioritylevelconfiguration', 'exempt') })
    // Also when it is refused.
    const other = await ask('/api/v1/namespaces', 'ana')
    expect(other).toMatchObject({ code: 403, headers: { 'x-kubernetes-pf-flowschema-uid': await uidOf('flowschema', 'global-default') } })
  })

  it('counts, and shows administrators its queues', async () => {
    expect(await cluster.kubectl('get', '--raw', '/metrics')).toMatch(/apiserver_flowcontrol_nominal_limit_seats\{priority_level="workload-low"\} 5\n/)
    expect(await cluster.kubectl('get', '--raw', '/debug/api_priority_and_fairness/dump_priority_levels')).toMatch(/^PriorityLevelName, +ActiveQueues, /)
    expect((await cluster.kubectl('get', '--raw', '/debug/api_priority_and_fairness/dump_queues')).split('\n').filter((line) => line.startsWith('workload-high,'))).toHaveLength(128)
    expect(await cluster.kubectl('get', '--raw', '/debug/api_priority_and_fairness/dump_requests?includeRequestDetails=1')).toContain('/debug/api_priority_and_fairness/dump_requests')
    expect((await ask('/debug/api_priority_and_fairness/dump_queues', 'ana')).code).toBe(403)
  })

  it('turns away what a level has no room for, and nobody else', async () => {
    const { client } = cluster.plane.api
    await client.create(flowcontrol.prioritylevelconfigurations, { metadata: { name: 'narrow' }, spec: { type: 'Limited', limited: { nominalConcurrencyShares: 1, limitResponse: { type: 'Queue', queuing: { queues: 1, handSize: 1, queueLengthLimit: 1 } } } } })
    await client.create(flowcontrol.flowschemas, { metadata: { name: 'narrow' }, spec: { priorityLevelConfiguration: { name: 'narrow' }, matchingPrecedence: 10, rules: [{ subjects: [{ kind: 'User', user: { name: 'crowd' } }], resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'], namespaces: ['*'], clusterScope: true }] }] } })
    await Promise.all(Array.from({ length: 300 }, (_, i) => client.create(core.configmaps, { metadata: { name: `c${i}`, namespace: 'default' }, data: { x: 'x'.repeat(20_000) } })))
    await cluster.kubectl('create', 'clusterrolebinding', 'crowd', '--clusterrole=view', '--user=crowd', '--user=bystander')
    const agent = new Agent({ keepAlive: true, maxSockets: 40 })
    const crowd = Promise.all(Array.from({ length: 120 }, () => ask('/api/v1/namespaces/default/configmaps', 'crowd', agent)))
    const bystander = await ask('/api/v1/namespaces/default/configmaps/c1', 'bystander')
    expect(bystander.code).toBe(200)
    const answers = await crowd
    agent.destroy()
    expect(new Set(answers.map(({ code }) => code))).toEqual(new Set([200, 429]))
    expect(answers.find(({ code }) => code === 429)).toMatchObject({ headers: { 'retry-after': '1', 'content-type': 'text/plain; charset=utf-8' }, text: 'Too many requests, please try again later.\n' })
    expect(await cluster.kubectl('get', '--raw', '/metrics')).toMatch(/apiserver_flowcontrol_rejected_requests_total\{priority_level="narrow",flow_schema="narrow",reason="queue-full"\} [1-9]/)
  })

  it('tells of a schema without a level, and takes it for nothing', async () => {
    await cluster.apply({ apiVersion: 'flowcontrol.apiserver.k8s.io/v1', kind: 'FlowSchema', metadata: { name: 'lost' }, spec: { priorityLevelConfiguration: { name: 'nowhere' }, matchingPrecedence: 5, rules: [{ subjects: [{ kind: 'User', user: { name: '*' } }], nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }] }] } })
    await cluster.kubectl('wait', 'flowschema/lost', '--for=condition=Dangling', '--timeout=10s')
    expect(await cluster.kubectl('get', 'flowschema', 'lost', '--no-headers')).toMatch(/ True$/m)
    expect((await ask('/version')).code).toBe(200)
  })
})
