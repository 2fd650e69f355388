/** The same short story with every kubectl that is on this machine, from 1.20 on: old ones ask for other things than new ones. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestControlPlane } from '../support/control-plane.ts'
import type { TestControlPlane } from '../support/control-plane.ts'
import { run } from '../support/host.ts'
import { kubectls } from '../support/kubectls.ts'

let cluster: TestControlPlane
beforeAll(async () => void (cluster = await startTestControlPlane()))
afterAll(() => cluster?.stop())

const manifest = (name: string, image = 'x:1') => JSON.stringify({
  apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name, labels: { app: name } },
  spec: { replicas: 1, selector: { matchLabels: { app: name } }, template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'c', image }] } } },
})

describe.each(kubectls)('kubectl $version', ({ minor, path }) => {
  const name = `web-${minor}`
  const call = (args: readonly string[], input?: string) => run(path, args, { env: { KUBECONFIG: cluster.kubeconfig, HOME: `${cluster.kubeconfig}-${minor}` }, ...(input === undefined ? {} : { input }) })
  const kubectl = async (...args: string[]) => {
    const { code, stdout, stderr } = await call(args)
    if (code !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`)
    return stdout
  }
  const apply = async (text: string, ...args: string[]) => (await call(['apply', '-f', '-', ...args], text))

  it('knows the server', async () => {
    expect(JSON.parse(await kubectl('version', '-o', 'json')).serverVersion).toMatchObject({ major: '1', minor: '36' })
    const resources = await kubectl('api-resources', '--no-headers')
    expect(resources).toMatch(/^deployments\s+deploy\s+apps\/v1\s+true\s+Deployment/m)
    expect(resources.trim().split('\n').length).toBeGreaterThan(60)
  })

  it('applies, and knows what changed', async () => {
    expect(await apply(manifest(name))).toMatchObject({ code: 0, stdout: `deployment.apps/${name} created\n` })
    expect(await apply(manifest(name))).toMatchObject({ code: 0, stdout: `deployment.apps/${name} unchanged\n` })
    expect(await apply(manifest(name, 'x:2'))).toMatchObject({ code: 0, stdout: `deployment.apps/${name} configured\n` })
    expect(await apply(manifest(name, 'x:3'), '--dry-run=server')).toMatchObject({ code: 0, stdout: `deployment.apps/${name} configured (server dry run)\n` })
  })

  it('says no to fields that there are not', async () => {
    const refused = await apply(manifest(name).replace('"replicas"', '"replicaz"'))
    expect(refused.code).toBe(1)
    expect(refused.stderr).toMatch(/unknown field "(\w+\.)*replicaz"|unknown field "replicaz" in /)
  })

  it('applies on the server', async () => {
    const config = JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: `served-${minor}` }, data: { a: '1' } })
    expect(await apply(config, '--server-side')).toMatchObject({ code: 0, stdout: `configmap/served-${minor} serverside-applied\n` })
  })

  it('gets and describes', async () => {
    expect(await kubectl('get', 'deployment', name)).toMatch(/^NAME\s+READY\s+UP-TO-DATE\s+AVAILABLE\s+AGE\nweb-\d+\s+0\/1\s/)
    expect(await kubectl('get', 'deployment', name, '-o', 'jsonpath={.spec.template.spec.containers[0].image}')).toBe('x:2')
    expect(await kubectl('get', 'all', '-l', `app=${name}`)).toContain(`deployment.apps/${name}`)
    expect(await kubectl('describe', 'deployment', name)).toMatch(/Replicas:\s+1 desired/)
  })

  it('patches, labels, annotates and scales', async () => {
    expect(await kubectl('patch', 'deployment', name, '-p', '{"spec":{"minReadySeconds":3}}')).toBe(`deployment.apps/${name} patched\n`)
    expect(await kubectl('label', 'deployment', name, 'tier=web')).toBe(`deployment.apps/${name} labeled\n`)
    expect(await kubectl('annotate', 'deployment', name, 'note=here')).toMatch(/ annotated?\n$/)
    expect(await kubectl('scale', 'deployment', name, '--replicas=0')).toBe(`deployment.apps/${name} scaled\n`)
    expect(await kubectl('set', 'image', `deployment/${name}`, 'c=x:9')).toBe(`deployment.apps/${name} image updated\n`)
    const { metadata, spec } = JSON.parse(await kubectl('get', 'deployment', name, '-o', 'json'))
    expect(spec).toMatchObject({ minReadySeconds: 3, replicas: 0 })
    expect(metadata).toMatchObject({ labels: { tier: 'web' }, annotations: { note: 'here' } })
  })

  it('waits', async () => {
    expect(await kubectl('wait', '--for=condition=Available', `deployment/${name}`, '--timeout=30s')).toBe(`deployment.apps/${name} condition met\n`)
    expect(await kubectl('rollout', 'status', `deployment/${name}`, '--timeout=30s')).toContain('successfully rolled out')
    expect(await kubectl('rollout', 'history', `deployment/${name}`)).toMatch(/REVISION\s+CHANGE-CAUSE\n1\s/)
  })

  it('makes things by short commands, and describes them', async () => {
    await kubectl('create', 'deployment', `app-${minor}`, '--image=x', '--replicas=0')
    const made = await Promise.all([
      ['deployment', `app-${minor}`, 'get'],
      ['service', `app-${minor}`, 'expose', 'deployment', `app-${minor}`, '--port=80'],
      ['horizontalpodautoscaler', `app-${minor}`, 'autoscale', 'deployment', `app-${minor}`, '--max=3'],
      ['ingress', `in-${minor}`, 'create', 'ingress', `in-${minor}`, '--rule=a.example/*=s:80'],
      ['job', `once-${minor}`, 'create', 'job', `once-${minor}`, '--image=x'],
      ['quota', `few-${minor}`, 'create', 'quota', `few-${minor}`, '--hard=count/widgets.x=1'],
      ['serviceaccount', `me-${minor}`, 'create', 'serviceaccount', `me-${minor}`],
      ['role', `may-${minor}`, 'create', 'role', `may-${minor}`, '--verb=get', '--resource=pods'],
      ['priorityclass', `high-${minor}`, 'create', 'priorityclass', `high-${minor}`, '--value=5'],
    ].map(async ([kind = '', named = '', ...args]) => {
      if (args[0] !== 'get') await kubectl(...args)
      return (await kubectl('describe', kind, named)).split('\n')[0]
    }))
    const names = ['app', 'app', 'app', 'in', 'once', 'few', 'me', 'may', 'high']
    expect(made).toEqual(names.map((name) => expect.stringMatching(new RegExp(`^Name:\\s+${name}-${minor}$`))))
    await kubectl('rollout', 'restart', 'deployment', `app-${minor}`)
    await kubectl('rollout', 'status', 'deployment', `app-${minor}`, '--timeout=30s')
    expect(await kubectl('rollout', 'undo', 'deployment', `app-${minor}`)).toBe(`deployment.apps/app-${minor} rolled back\n`)
  })

  it('is told where Kubernetes has removed what it asks for', async () => {
    const budget = await call(['create', 'poddisruptionbudget', `some-${minor}`, '--selector=a=b', '--min-available=1'])
    if (minor <= 21) expect(budget).toMatchObject({ code: 1, stderr: expect.stringMatching(/could not find the requested resource|no matches for kind "PodDisruptionBudget" in version "policy\/v1beta1"/) })
    else expect(budget).toMatchObject({ code: 0, stdout: `poddisruptionbudget.policy/some-${minor} created\n` })
    const cron = await call(['create', 'cronjob', `often-${minor}`, '--image=x', '--schedule=* * * * *'])
    if (minor <= 20) expect(cron).toMatchObject({ code: 1, stderr: expect.stringContaining('could not find the requested resource') })
    else expect(cron).toMatchObject({ code: 0, stdout: `cronjob.batch/often-${minor} created\n` })
  })

  it('says what would change', async () => {
    expect(await call(['diff', '-f', '-'], manifest(name, 'x:9').replace('"replicas":1', '"replicas":0'))).toMatchObject({ code: 0, stdout: '' })
    const changed = await call(['diff', '-f', '-'], manifest(name, 'x:10'))
    expect([changed.code, changed.stdout]).toEqual([1, expect.stringMatching(/^-\s+- image: x:9\n\+\s+- image: x:10$/m)])
  })

  it('explains', async () => {
    const text = await kubectl('explain', 'deployment.spec.strategy')
    expect(text).toMatch(/KIND:\s+Deployment/)
    expect(text).toMatch(/rollingUpdate\s+<(RollingUpdateDeployment|Object)>/)
    expect(await kubectl('explain', 'pods', '--recursive')).toContain('livenessProbe')
  })

  it('asks what it may do', async () => {
    expect((await kubectl('auth', 'can-i', 'create', 'pods')).trim()).toBe('yes')
    expect((await call(['auth', 'can-i', 'create', 'pods', '--as=nobody'])).stdout.trim()).toBe('no')
    expect(await kubectl('auth', 'can-i', '--list')).toMatch(/\*\.\*\s+\[\]\s+\[\]\s+\[\*\]/)
  })

  it('deletes, and waits until it is gone', async () => {
    expect(await kubectl('delete', 'deployment', name, '--timeout=30s')).toMatch(new RegExp(`^deployment.apps "${name}" deleted`))
    expect((await call(['get', 'deployment', name])).stderr).toBe(`Error from server (NotFound): deployments.apps "${name}" not found\n`)
  })
})
