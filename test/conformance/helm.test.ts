/**
 * Helm as it was released, from the oldest to the newest that tests have (`test/support/released.ts`), against the API server: what
 * charts of an application and of a kind of its own need, and what users do with releases. Nothing runs here: hooks and waiting for
 * pods are in test/e2e/helm.test.ts.
 */
import { writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestControlPlane } from '../support/control-plane.ts'
import type { TestControlPlane } from '../support/control-plane.ts'
import { charts, helmUser } from '../support/helm.ts'
import type { HelmUser } from '../support/helm.ts'
import { helms } from '../support/released.ts'
import type { Helm } from '../support/released.ts'

const here = await helms()
let cluster: TestControlPlane
beforeAll(async () => void (cluster = await startTestControlPlane()))
afterAll(() => cluster?.stop())

if (here.length === 0) it.skip('needs Helm, and there is none')

const web = join(charts, 'web')
/** No pods: there is no node. */
const none = ['--set', 'replicas=0']
const namespaceOf = (helm: Helm, what: string) => `${what}-${helm.version.replace('.', '-')}`
const inNamespace = (namespace: string) => {
  const kubectl = (...args: string[]) => cluster.kubectl('-n', namespace, ...args)
  return {
    kubectl,
    get: async (what: string, path: string) => kubectl('get', ...what.split(' '), '-o', `jsonpath=${path}`),
    /** What of charts there is, by kind and name; what every namespace has is left out. */
    names: async () => (await kubectl('get', 'all,configmaps,secrets,ingresses,networkpolicies,pdb,hpa,serviceaccounts,roles,rolebindings', '-o', 'name'))
      .split('\n').filter((name) => name !== '' && !/^(configmap\/kube-root-ca.crt|serviceaccount\/default)$/.test(name)),
  }
}
/** The release as Helm tells it. */
const statusOf = async (user: HelmUser, release: string) => (JSON.parse(await user.helm('status', release, '-o', 'json')) as { version: number; info: { status: string; description: string } })
const historyOf = async (user: HelmUser, release: string) =>
  (JSON.parse(await user.helm('history', release, '-o', 'json')) as { revision: number; status: string; description: string }[]).map(({ revision, status, description }) => `${revision} ${status}: ${description}`)

describe.each(here)('the chart of an application with Helm $version', (helm) => {
  const namespace = namespaceOf(helm, 'web')
  const { kubectl, get, names } = inNamespace(namespace)
  const atomically = helm.major === 3 ? '--atomic' : '--rollback-on-failure'
  let user: HelmUser
  beforeAll(async () => {
    user = helmUser(helm, { kubeconfig: cluster.kubeconfig, namespace })
    await cluster.kubectl('create', 'namespace', namespace)
  })
  afterAll(() => user?.remove())

  it('renders it for this cluster: its version, its kinds, its objects', async () => {
    const rendered = await user.helm('template', 'site', web, '--validate', ...none)
    expect(rendered).toContain('Kubernetes 1.36\n    policies true\n    monitors false\n')
    expect(rendered).toMatch(/apiVersion: policy\/v1\nkind: PodDisruptionBudget/)
    const dry = await user.helm('install', 'site', web, helm.order < 313 ? '--dry-run' : '--dry-run=server', ...none)
    expect(dry).toContain('Hello is at http://web.example.com/ (revision 1).')
    expect(await names()).toEqual([])
  })

  it('installs it, and everything is as the chart says', async () => {
    const out = await user.helm('install', 'site', web, '--wait', '--timeout', '30s', ...none)
    expect(out).toMatch(/STATUS: deployed\nREVISION: 1\n/)
    expect(await names()).toEqual([
      'service/site', 'deployment.apps/site', expect.stringMatching(/^replicaset.apps\/site-/), 'configmap/site', 'secret/sh.helm.release.v1.site.v1', 'secret/site', 'ingress.networking.k8s.io/site',
      'networkpolicy.networking.k8s.io/site', 'poddisruptionbudget.policy/site', 'serviceaccount/site', 'role.rbac.authorization.k8s.io/site', 'rolebinding.rbac.authorization.k8s.io/site',
    ])
    const manifest = join(dirname(cluster.kubeconfig), `${namespace}.yaml`)
    writeFileSync(manifest, await user.helm('get', 'manifest', 'site'))
    expect(await cluster.tryKubectl(['-n', namespace, 'diff', '-f', manifest])).toMatchObject({ code: 0, stdout: '' })
    expect(await get('deployment site', '{.metadata.annotations.meta\\.helm\\.sh/release-name} {.metadata.labels.app\\.kubernetes\\.io/managed-by}')).toBe('site Helm')
    expect(await get('secret sh.helm.release.v1.site.v1', '{.type} {.metadata.labels.status}')).toBe('helm.sh/release.v1 deployed')
    expect(await user.helm('get', 'notes', 'site')).toContain('(revision 1)')
    expect(JSON.parse(await user.helm('get', 'values', 'site', '-o', 'json'))).toEqual({ replicas: 0 })
    expect(JSON.parse(await user.helm('list', '-o', 'json'))).toMatchObject([{ name: 'site', namespace, revision: '1', status: 'deployed', chart: 'web-1.0.0' }])
    expect((await user.tryHelm('install', 'site', web)).stderr).toMatch(/cannot re-?use a name that is still in use/)
  })

  it('upgrades it: what is new is made, what is no more goes, what others wrote stays, what was drawn by lot stays', async () => {
    const [password, uid] = [await get('secret site', '{.data.password}'), await get('deployment site', '{.metadata.uid}')]
    await kubectl('annotate', 'deployment/site', 'team=blue')
    await kubectl('label', 'service/site', 'looked-at=yes')
    await user.helm('upgrade', 'site', web, '--set', 'replicas=0,ingress.enabled=false,autoscaling.enabled=true,pages.more=text,colour=', '--timeout', '30s')
    expect(await names()).toEqual(expect.arrayContaining(['horizontalpodautoscaler.autoscaling/site', 'deployment.apps/site']))
    expect(await names()).not.toContain('ingress.networking.k8s.io/site')
    expect(await get('configmap site', '{.data.more} {.data.about}')).toMatch(/^text revision 2 of site in /)
    expect(await get('secret site', '{.data.password}')).toBe(password)
    expect(await get('deployment site', '{.metadata.uid} {.metadata.annotations.team} {.metadata.annotations.deployment\\.kubernetes\\.io/revision}')).toBe(`${uid} blue 2`)
    expect(await get('service site', '{.metadata.labels.looked-at}')).toBe('yes')
    await user.helm('upgrade', 'site', web, ...none)
    expect(await get('configmap site', '{.data.more}')).toBe('')
    expect(await names()).toContain('ingress.networking.k8s.io/site')
    expect(await names()).not.toContain('horizontalpodautoscaler.autoscaling/site')
  })

  it('brings back what others changed, or says who did', async () => {
    await kubectl('scale', 'deployment/site', '--replicas=2')
    await kubectl('delete', 'service/site')
    const upgraded = await user.tryHelm('upgrade', 'site', web, ...none)
    if (helm.major === 3) expect(upgraded).toMatchObject({ code: 0 })
    else {
      expect(upgraded.stderr).toContain('Apply failed with 1 conflict: conflict with "kubectl" with subresource "scale" using apps/v1: .spec.replicas')
      expect(await get('deployment site', '{.spec.replicas}')).toBe('2')
      await user.helm('upgrade', 'site', web, '--force-conflicts', ...none)
    }
    expect(await get('deployment site', '{.spec.replicas}')).toBe('0')
    expect(await get('service site', '{.metadata.name}')).toBe('site')
  })

  it('says what the server finds wrong, and takes back what was done', async () => {
    const before = await statusOf(user, 'site')
    const wrong = await user.tryHelm('upgrade', 'site', web, '--set', 'service.port=99999,title=Wrong', ...none)
    expect(wrong.code).toBe(1)
    expect(wrong.stderr).toContain('Service "site" is invalid: spec.ports[0].port: Invalid value: 99999: must be between 1 and 65535, inclusive')
    expect((await statusOf(user, 'site')).info.status).toBe('failed')
    expect(await get('service site', '{.spec.ports[0].port}')).toBe('80')
    await user.helm('rollback', 'site', String(before.version))
    const again = await user.tryHelm('upgrade', 'site', web, atomically, '--timeout', '20s', '--set', 'service.port=99999,title=Wrong', ...none)
    expect(again.stderr).toMatch(/Service "site" is invalid: spec\.ports\[0\]\.port/)
    expect(await get('configmap site', '{.data.index\\.html}')).toBe('Hello')
    expect((await historyOf(user, 'site')).slice(-3)).toEqual([
      `${before.version + 2} superseded: Rollback to ${before.version}`,
      expect.stringMatching(`^${before.version + 3} failed: Upgrade "site" failed: .*port: Invalid value: 99999`),
      `${before.version + 4} deployed: Rollback to ${before.version + 2}`,
    ])
    // Values are checked before the server is asked.
    expect((await user.tryHelm('upgrade', 'site', web, '--set', 'replicas=-1')).stderr).toMatch(/replicas/)
    expect((await statusOf(user, 'site')).version).toBe(before.version + 4)
  })

  it('replaces it when told so', async () => {
    const force = helm.major === 3 ? ['--force'] : ['--force-replace', '--server-side=false']
    const uid = await get('service site', '{.metadata.uid}')
    await user.helm('upgrade', 'site', web, '--history-max', '0', '--set', 'title=Anew', ...force, ...none)
    expect(await get('configmap site', '{.data.index\\.html}')).toBe('Anew')
    expect(await get('service site', '{.metadata.uid}')).toBe(uid)
    expect(await get('deployment site', '{.metadata.annotations.team}')).toBe('')
  })

  it('goes back to the first revision, and is taken away with or without its history', async () => {
    await user.helm('rollback', 'site', '1', '--wait', '--timeout', '30s', '--history-max', '0')
    expect(await get('configmap site', '{.data.about}')).toContain('revision 1 of site')
    expect((await historyOf(user, 'site')).at(-1)).toMatch(/ deployed: Rollback to 1$/)
    await user.helm('uninstall', 'site', '--keep-history')
    expect((await names()).filter((name) => !name.startsWith('secret/sh.helm.release.v1.site.'))).toEqual([])
    expect(JSON.parse(await user.helm('list', '--uninstalled', '-o', 'json'))).toMatchObject([{ name: 'site', status: 'uninstalled' }])
    if (helm.order > 308) {
      await user.helm('rollback', 'site', '1', '--history-max', '0')
      expect(await names()).toContain('deployment.apps/site')
    }
    await user.helm('uninstall', 'site', '--wait', '--timeout', '30s', ...(helm.order < 312 ? [] : ['--cascade', 'foreground']))
    expect(await names()).toEqual([])
  })

  it('does not take what it did not make, and an install that fails leaves nothing when told so', async () => {
    await kubectl('create', 'serviceaccount', 'other')
    const taken = await user.tryHelm('install', 'other', web, ...none)
    expect(taken.stderr).toMatch(/ServiceAccount "other" in namespace "[\w-]+" exists and cannot be imported into the current release: invalid ownership metadata/)
    expect(await names()).toEqual(['serviceaccount/other'])
    await kubectl('delete', 'serviceaccount', 'other')
    const failed = await user.tryHelm('install', 'other', web, atomically, '--timeout', '20s', '--set', 'ingress.host=No Host', ...none)
    expect(failed.stderr).toContain('Ingress.networking.k8s.io "other" is invalid: spec.rules[0].host: Invalid value: "No Host"')
    expect(await names()).toEqual([])
  })

  it('installs the chart that it makes itself', async () => {
    const starter = join(user.chart('empty', {}), '../starter')
    await user.helm('create', starter)
    await user.helm('install', 'starter', starter, '--set', 'replicaCount=0,ingress.enabled=true', '--wait', '--timeout', '30s')
    expect(await user.helm('get', 'notes', 'starter')).toContain('http://chart-example.local/')
    // Before 3.12 it makes autoscalers of a version that Kubernetes no longer has.
    const scaled = await user.tryHelm('upgrade', 'starter', starter, '--set', 'autoscaling.enabled=true')
    if (helm.order < 312) expect(scaled.stderr).toContain('no matches for kind "HorizontalPodAutoscaler" in version "autoscaling/v2beta1"')
    else expect(await get('hpa starter', '{.spec.metrics[0].resource.target.averageUtilization}')).toBe('80')
    await user.helm('uninstall', 'starter')
    expect(await names()).toEqual([])
  })

  it('keeps releases in config maps as well', async () => {
    const mapped = helmUser(helm, { kubeconfig: cluster.kubeconfig, namespace, env: { HELM_DRIVER: 'configmap' } })
    await mapped.helm('upgrade', '--install', 'mapped', web, ...none)
    await mapped.helm('upgrade', '--install', 'mapped', web, '--set', 'title=Two', ...none)
    expect(await kubectl('get', 'configmaps', '-l', 'owner=helm,status=deployed', '-o', 'name')).toBe('configmap/sh.helm.release.v1.mapped.v2\n')
    expect(await mapped.helm('list', '-q')).toBe('mapped\n')
    expect(await user.helm('list', '-q')).toBe('')
    await mapped.helm('uninstall', 'mapped')
    expect(await names()).toEqual([])
    mapped.remove()
  })
})
