/** Roles and reviews as kubectl uses them. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attempt } from '../support/attackers.ts'
import { startTestControlPlane, type TestControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/host.ts'

let cluster: TestControlPlane
const dir = mkdtempSync(join(tmpdir(), 'skiff-rbac-'))
beforeAll(async () => {
  writeFileSync(join(dir, 'tokens.csv'), 'ana-token,ana,,\n')
  cluster = await startTestControlPlane({ apiServerArguments: { 'token-auth-file': join(dir, 'tokens.csv') } })
})
afterAll(async () => {
  await cluster?.stop()
  rmSync(dir, { recursive: true })
})

const kubectl = (...args: string[]) => cluster.kubectl(...args)
const can = async (...args: string[]) => (await cluster.tryKubectl(['auth', 'can-i', ...args])).stdout.trim()
const role = (name: string, rules: object[], metadata: object = {}) => ({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name, ...metadata }, rules })
const rule = (verbs: string[], resources: string[], more: object = {}) => ({ apiGroups: [''], verbs, resources, ...more })

describe('kubectl auth can-i', () => {
  beforeAll(async () => {
    await cluster.apply({ apiVersion: 'v1', kind: 'List', items: [
      role('ana', [rule(['get'], ['configmaps'], { resourceNames: ['one'] }), rule(['list', 'watch'], ['pods']), rule(['create'], ['pods/exec']), { apiGroups: ['apps'], verbs: ['*'], resources: ['*'] }]),
      role('paths', [{ verbs: ['get'], nonResourceURLs: ['/metrics', '/logs/*'] }]),
    ] })
    await kubectl('create', 'rolebinding', 'ana', '--clusterrole=ana', '--user=ana')
    await kubectl('create', 'clusterrolebinding', 'paths', '--clusterrole=paths', '--user=ana')
  })

  it.each([
    ['get configmap/one', 'yes'], ['get configmap/two', 'no'], ['get configmaps', 'no'], ['list pods', 'yes'], ['get pods', 'no'], ['create pods --subresource=exec', 'yes'], ['create pods', 'no'],
    ['delete deployments.apps', 'yes'], ['patch deployments.apps --subresource=scale', 'yes'], ['list pods -n kube-system', 'no'], ['list pods -A', 'no'], ['get /metrics', 'yes'], ['get /logs/a/b', 'yes'], ['get /logs', 'no'], ['post /metrics', 'no'], ['* *', 'no'],
  ])('%s: %s', async (what, answer) => expect((await can(...what.split(' '), '--as=ana')).split('\n').at(-1)).toMatch(new RegExp(`^${answer}`)))

  it('--list shows every rule, and that they are all', async () => {
    const { stdout, stderr } = await cluster.tryKubectl(['auth', 'can-i', '--list', '--as=ana'])
    const rows = stdout.split('\n').map((line) => line.trim().split(/\s{2,}/))
    expect(rows).toContainEqual(['configmaps', '[]', '[one]', '[get]'])
    expect(rows).toContainEqual(['pods', '[]', '[]', '[list watch]'])
    expect(rows).toContainEqual(['*.apps', '[]', '[]', '[*]'])
    expect(stdout).toMatch(/\[\/logs\/\*\]\s+\[\]\s+\[get\]/)
    expect(stdout).toContain('selfsubjectreviews.authentication.k8s.io')
    expect(stderr).toBe('')
  })
})

describe('kubectl auth reconcile', () => {
  it('adds what is missing, takes away what is too much only when told, and keeps other subjects', async () => {
    await cluster.apply(role('kept', [rule(['get'], ['pods']), rule(['get'], ['secrets'])]))
    const wanted = join(dir, 'role.json')
    writeFileSync(wanted, JSON.stringify(role('kept', [rule(['get', 'list'], ['pods'])])))
    expect(await kubectl('auth', 'reconcile', '-f', wanted)).toContain('reconciled')
    const rules = async () => JSON.parse(await kubectl('get', 'clusterrole', 'kept', '-o', 'jsonpath={.rules}')) as { verbs: string[]; resources: string[] }[]
    expect((await rules()).flatMap((r) => r.verbs.map((v) => `${v} ${r.resources.join()}`)).toSorted()).toEqual(['get pods', 'get secrets', 'list pods'])
    await kubectl('auth', 'reconcile', '-f', wanted, '--remove-extra-permissions')
    expect((await rules()).flatMap((r) => r.verbs.map((v) => `${v} ${r.resources.join()}`)).toSorted()).toEqual(['get pods', 'list pods'])
  })
})

describe('aggregated roles', () => {
  it('hold what the roles they select hold, as those come, change and go', async () => {
    await kubectl('create', 'rolebinding', 'viewer', '--clusterrole=view', '--user=viewer')
    const may = () => can('get', 'secrets', '--as=viewer')
    expect(await may()).toBe('no')
    await cluster.apply(role('more-to-view', [rule(['get'], ['secrets'])], { labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } }))
    await eventually('view grew', async () => ((await may()) === 'yes' ? true : undefined))
    await cluster.apply(role('more-to-view', [rule(['get'], ['endpoints'])], { labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } }))
    await eventually('view shrank', async () => ((await may()) === 'no' ? true : undefined))
    await kubectl('delete', 'clusterrole', 'more-to-view')
    expect(await can('get', 'pods', '--as=viewer')).toBe('yes')
  })
})

describe('reviews', () => {
  const review = async (kind: string, plural: string, spec: object, token?: string) =>
    (await attempt(cluster, `/apis/authorization.k8s.io/v1/${plural}`, { ...(token ? { token } : { cert: cluster.pki.admin }), body: { apiVersion: 'authorization.k8s.io/v1', kind, spec } })).json as unknown as { status: { allowed?: boolean; reason?: string; incomplete?: boolean; resourceRules?: object[]; evaluationError?: string }; code?: number; message?: string }

  it('answer for others, and say why', async () => {
    const { status } = await review('SubjectAccessReview', 'subjectaccessreviews', { user: 'ana', resourceAttributes: { namespace: 'default', verb: 'list', resource: 'pods' } })
    expect(status).toEqual({ allowed: true, reason: 'RBAC: allowed by RoleBinding "ana/default" of ClusterRole "ana" to User "ana"' })
  })

  it('see the selectors they are asked with', async () => {
    const node = { user: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] }
    const ask = (fieldSelector?: object) => review('SubjectAccessReview', 'subjectaccessreviews', { ...node, resourceAttributes: { verb: 'list', resource: 'pods', ...(fieldSelector ? { fieldSelector } : {}) } })
    expect((await ask()).status.allowed).toBe(false)
    expect((await ask({ requirements: [{ key: 'spec.nodeName', operator: 'In', values: ['n1'] }] })).status.allowed).toBe(true)
    expect((await ask({ rawSelector: 'spec.nodeName=n1' })).status.allowed).toBe(true)
    expect((await ask({ rawSelector: 'spec.nodeName=n2' })).status.allowed).toBe(false)
    expect((await ask({ requirements: [{ key: 'spec.nodeName', operator: 'NotIn', values: ['n1'] }] })).status.allowed).toBe(false)
  })

  it('of one\'s own rules say whether they are all', async () => {
    const own = await review('SelfSubjectRulesReview', 'selfsubjectrulesreviews', { namespace: 'default' }, 'ana-token')
    expect(own.status.incomplete).toBe(false)
    expect(own.status.resourceRules).toContainEqual({ verbs: ['get'], apiGroups: [''], resources: ['configmaps'], resourceNames: ['one'] })
  })
})
