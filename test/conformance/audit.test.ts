/** The audit log of a control plane that people use with kubectl, by a policy as the documentation of Kubernetes has it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestControlPlane, type TestControlPlane } from '../support/control-plane.ts'
import { send } from '../support/requests.ts'

interface Event {
  readonly level: string
  readonly stage: string
  readonly verb: string
  readonly auditID: string
  readonly requestURI: string
  readonly userAgent?: string
  readonly sourceIPs?: readonly string[]
  readonly user: { readonly username?: string; readonly groups?: readonly string[] }
  readonly impersonatedUser?: { readonly username: string }
  readonly objectRef?: { readonly resource: string; readonly name?: string; readonly namespace?: string; readonly subresource?: string }
  readonly requestObject?: object
  readonly responseObject?: object
  readonly responseStatus?: { readonly code: number; readonly reason?: string }
  readonly annotations?: Readonly<Record<string, string>>
}

const directory = mkdtempSync(join(tmpdir(), 'skiff-audit-'))
const log = join(directory, 'audit.log')
const policy = `
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
  - level: None
    users: [system:kube-scheduler]
    verbs: [watch, list]
  - level: None
    nonResourceURLs: ["/healthz*", /version, "/openapi*", "/api*"]
  - level: None
    resources: [{group: coordination.k8s.io, resources: [leases]}, {group: "", resources: [events]}, {group: events.k8s.io}]
  - level: Metadata
    resources: [{group: "", resources: [secrets, configmaps, serviceaccounts/token]}, {group: authentication.k8s.io}]
  - level: RequestResponse
    resources: [{group: "", resources: [pods]}, {group: apps}]
    omitManagedFields: true
  - level: Metadata
`
let t: TestControlPlane
const events = (): Event[] => readFileSync(log, 'utf8').trim().split('\n').filter(Boolean).map((line) => JSON.parse(line) as Event)
const find = async (wanted: (event: Event) => boolean): Promise<Event> => {
  await expect.poll(() => events().some(wanted), { timeout: 10_000 }).toBe(true)
  return events().find(wanted)!
}

beforeAll(async () => {
  writeFileSync(join(directory, 'policy.yaml'), policy)
  t = await startTestControlPlane({ apiServerArguments: { 'audit-policy-file': join(directory, 'policy.yaml'), 'audit-log-path': log } })
})
afterAll(async () => {
  await t?.stop()
  rmSync(directory, { recursive: true, force: true })
})

describe('kubectl', () => {
  it('leaves who did what, with which program, from where', async () => {
    await t.kubectl('create', 'configmap', 'settings', '--from-literal=a=hush-hush')
    const event = await find((e) => e.verb === 'create' && e.objectRef?.resource === 'configmaps' && e.objectRef.name === 'settings')
    expect(event).toMatchObject({
      level: 'Metadata', stage: 'ResponseComplete', user: { username: 'kubernetes-admin', groups: ['system:masters', 'system:authenticated'] }, sourceIPs: ['127.0.0.1'],
      userAgent: expect.stringContaining('kubectl') as string, objectRef: { namespace: 'default', name: 'settings' }, responseStatus: { code: 201 },
      annotations: { 'authorization.k8s.io/decision': 'allow' },
    })
    expect(event).not.toHaveProperty('requestObject')
    expect(readFileSync(log, 'utf8')).not.toContain('hush-hush')
  })

  it('leaves the name that --as made it, and why it was refused', async () => {
    expect((await t.tryKubectl(['get', 'secrets', '--as', 'bob', '--as-group', 'devs'])).stderr).toContain('forbidden')
    expect(await find((e) => e.impersonatedUser?.username === 'bob')).toMatchObject({
      user: { username: 'kubernetes-admin' }, verb: 'list', responseStatus: { code: 403, reason: 'Forbidden' }, annotations: { 'authorization.k8s.io/decision': 'forbid' },
    })
  })

  it('is told by controllers too, with the rule that let them', async () => {
    await t.kubectl('create', 'deployment', 'web', '--image=nginx', '--replicas=2')
    const pod = await find((e) => e.verb === 'create' && e.objectRef?.resource === 'pods' && e.objectRef.subresource === undefined && e.stage === 'ResponseComplete')
    expect(pod).toMatchObject({
      level: 'RequestResponse', user: { username: 'system:serviceaccount:kube-system:replicaset-controller' }, objectRef: { namespace: 'default' },
      requestObject: { kind: 'Pod', spec: { containers: [{ image: 'nginx' }] } }, responseObject: { kind: 'Pod', metadata: { namespace: 'default' } },
      annotations: {
        'authorization.k8s.io/reason': expect.stringContaining('RBAC: allowed by ClusterRoleBinding "system:controller:replicaset-controller"') as string,
        'pod-security.kubernetes.io/enforce-policy': 'privileged:latest',
      },
    })
    expect(pod).not.toHaveProperty('responseObject.metadata.managedFields')
  })

  it('gets tokens that are in no event', async () => {
    const token = (await t.kubectl('create', 'token', 'default')).trim()
    expect(await find((e) => e.objectRef?.subresource === 'token')).toMatchObject({ responseStatus: { code: 201 } })
    expect((await t.tryKubectl(['--token', token, '--kubeconfig', '/dev/null', '--server', t.url, '--insecure-skip-tls-verify', 'get', 'pods'])).stderr).toContain('forbidden')
    await find((e) => e.user.username === 'system:serviceaccount:default:default' && e.responseStatus?.code === 403)
    expect(readFileSync(log, 'utf8')).not.toContain(token.split('.')[2])
  })

  it('is told by watches when they begin and when they end', async () => {
    await t.tryKubectl(['get', 'pods', '--watch-only', '--request-timeout=1s'])
    const begun = await find((e) => e.verb === 'watch' && e.stage === 'ResponseStarted' && e.userAgent?.includes('kubectl') === true)
    expect(await find((e) => e.auditID === begun.auditID && e.stage === 'ResponseComplete')).toMatchObject({ responseStatus: { code: 200 } })
  })

  it('leaves nothing where the policy wants nothing', async () => {
    await t.kubectl('version')
    await t.kubectl('get', 'leases', '-A')
    await t.kubectl('get', 'namespaces')
    await find((e) => e.objectRef?.resource === 'namespaces' && e.userAgent?.includes('kubectl') === true)
    expect(events().filter((e) => e.requestURI.startsWith('/version') || e.objectRef?.resource === 'leases' || e.stage === 'RequestReceived')).toEqual([])
  })
})

it('a policy that is wrong stops the boot with one sentence', async () => {
  writeFileSync(join(directory, 'wrong.yaml'), 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n- level: Metadata\n  verb: [get]\n')
  await expect(startTestControlPlane({ apiServerArguments: { 'audit-policy-file': join(directory, 'wrong.yaml'), 'audit-log-path': log } }))
    .rejects.toThrow(`audit-policy-file: ${join(directory, 'wrong.yaml')}: line 5: rules[0].verb: unknown field`)
})

describe('bodies', () => {
  it('are written down as Kubernetes reads and answers them: with defaults, and lists with what follows', async () => {
    const path = '/apis/apps/v1/namespaces/default/deployments'
    for (const name of ['body-1', 'body-2']) {
      const made = await send(t, 'POST', path, { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name }, spec: { replicas: 0, selector: { matchLabels: { a: name } }, template: { metadata: { labels: { a: name } }, spec: { containers: [{ name: 'c', image: 'i' }] } } } })
      expect(made.code).toBe(201)
    }
    const created = await find((e) => e.verb === 'create' && e.objectRef?.name === 'body-1' && e.objectRef.resource === 'deployments')
    expect(created.requestObject).toMatchObject({ kind: 'Deployment', spec: { revisionHistoryLimit: 10, strategy: { type: 'RollingUpdate' }, template: { spec: { restartPolicy: 'Always', containers: [{ imagePullPolicy: 'Always' }] } } } })
    await send(t, 'GET', `${path}?limit=1&why=audit`)
    const listed = await find((e) => e.requestURI.endsWith('why=audit'))
    expect(listed.responseObject).toMatchObject({ kind: 'DeploymentList', metadata: { continue: expect.stringMatching(/./) as string }, items: [{ metadata: { namespace: 'default' } }] })
    expect((listed.responseObject as { items: object[] }).items[0]).not.toHaveProperty('kind')
  })

  it('that are no objects are none there either: a page that is not there has a code', async () => {
    await send(t, 'GET', '/nowhere')
    expect((await find((e) => e.requestURI === '/nowhere')).responseStatus).toEqual({ metadata: {}, code: 404 })
  })
})
