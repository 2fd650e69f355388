/** Privileged pods where none may be: in every writing, through ephemeral containers, workloads and updates. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attempt, type Attempt } from '../../support/attackers.ts'
import { startTestControlPlane, type TestControlPlane } from '../../support/control-plane.ts'

let cluster: TestControlPlane
const dir = mkdtempSync(join(tmpdir(), 'skiff-pod-security-'))
const merge = 'application/merge-patch+json'
beforeAll(async () => {
  writeFileSync(join(dir, 'tokens.csv'), 'mallory-token,mallory,,\n')
  cluster = await startTestControlPlane({ apiServerArguments: { 'token-auth-file': join(dir, 'tokens.csv') } })
  await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'tight', labels: { 'pod-security.kubernetes.io/enforce': 'restricted', 'pod-security.kubernetes.io/warn': 'restricted' } } })
  await cluster.kubectl('create', 'rolebinding', 'mallory', '-n', 'tight', '--clusterrole=admin', '--user=mallory')
  await cluster.kubectl('create', 'role', 'debug', '-n', 'tight', '--verb=patch', '--resource=pods/ephemeralcontainers')
  await cluster.kubectl('create', 'rolebinding', 'debug', '-n', 'tight', '--role=debug', '--user=mallory')
})
afterAll(async () => {
  await cluster?.stop()
  rmSync(dir, { recursive: true })
})

const tight = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] }, runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }
const container = (more: object = {}, context: object = {}) => ({ name: 'c', image: 'x', securityContext: { ...tight, ...context }, ...more })
const pod = (name: string, spec: object = {}, metadata: object = {}) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name, ...metadata }, spec: { containers: [container()], ...spec } })
const ask = (path: string, one: Attempt = {}) => attempt(cluster, path, { token: 'mallory-token', ...one })
const pods = '/api/v1/namespaces/tight/pods'

describe('a restricted namespace', () => {
  it('takes pods that keep its rules, and none that break one', async () => {
    expect((await ask(pods, { body: pod('good') })).code).toBe(201)
    const bad: Readonly<Record<string, object>> = {
      privileged: { containers: [container({}, { privileged: true, allowPrivilegeEscalation: true })] }, escalation: { containers: [container({}, { allowPrivilegeEscalation: true })] }, root: { containers: [container({}, { runAsUser: 0 })] },
      network: { hostNetwork: true }, pid: { hostPID: true }, ipc: { hostIPC: true }, path: { volumes: [{ name: 'v', hostPath: { path: '/' } }] }, capability: { containers: [container({}, { capabilities: { drop: ['ALL'], add: ['SYS_ADMIN'] } })] },
      nothing: { containers: [{ name: 'c', image: 'x' }] }, port: { containers: [container({ ports: [{ containerPort: 80, hostPort: 80 }] })] }, unconfined: { containers: [container({}, { seccompProfile: { type: 'Unconfined' } })] },
      proc: { hostUsers: true, containers: [container({}, { procMount: 'Unmasked' })] }, sysctl: { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }, init: { initContainers: [{ name: 'i', image: 'x', securityContext: { privileged: true } }] },
      second: { containers: [container(), { name: 'd', image: 'x', securityContext: { privileged: true } }] }, selinux: { securityContext: { seLinuxOptions: { type: 'spc_t' } } }, probe: { containers: [container({ livenessProbe: { httpGet: { port: 80, host: '169.254.169.254' } } })] },
    }
    for (const [name, spec] of Object.entries(bad)) {
      const { code, text } = await ask(pods, { body: pod(name, spec) })
      expect([403, 422], `${name}: ${text}`).toContain(code)
      if (code === 403) expect(text).toContain('violates PodSecurity \\"restricted:latest\\"')
    }
    const list = (await ask(pods)).json.items as unknown as { metadata: { name: string } }[]
    expect(list.map((p) => p.metadata.name)).toEqual(['good'])
  })

  it('is not got around by other writings of the same request', async () => {
    const evil = pod('evil', { containers: [container({}, { privileged: true, allowPrivilegeEscalation: true })] })
    expect((await ask(`${pods}/evil?fieldManager=m`, { method: 'PATCH', body: evil, contentType: 'application/apply-patch+yaml' })).code).toBe(403)
    expect((await ask(pods, { body: { apiVersion: 'v1', kind: 'List', items: [evil] } })).code).toBe(400)
    expect((await ask(pods, { body: JSON.stringify(evil).replace('"privileged":true', '"Privileged":true,"privileged":true') })).code).toBe(403)
    expect((await ask(pods, { body: JSON.stringify(evil).replace('"privileged":true', '"privileged":false,"privileged":true') })).code).toBe(403)
    const bound = { ...evil, spec: { ...evil.spec, nodeName: 'n' } }
    expect((await ask(pods, { body: { ...bound, metadata: { ...evil.metadata, annotations: { 'container.apparmor.security.beta.kubernetes.io/c': 'unconfined', 'kubernetes.io/config.mirror': 'x' } } } })).code).toBe(403)
    expect((await ask(pods, { body: { ...evil, metadata: { ...evil.metadata, namespace: 'default' } } })).code).toBe(400)
    expect((await ask(`${pods}?dryRun=All`, { body: evil })).code).toBe(403)
  })

  it('holds for ephemeral containers and for updates', async () => {
    const debug = (context: object) => ({ spec: { ephemeralContainers: [{ name: 'debug', image: 'x', securityContext: context }] } })
    const add = (context: object) => ask(`${pods}/good/ephemeralcontainers`, { method: 'PATCH', body: debug(context), contentType: 'application/strategic-merge-patch+json' })
    for (const context of [{ privileged: true }, {}]) expect((await add(context)).text).toContain('violates PodSecurity')
    expect((await add(tight)).code).toBe(200)
    expect((await ask(`${pods}/good`, { method: 'PATCH', body: { spec: { hostNetwork: true } }, contentType: merge })).code).toBeGreaterThanOrEqual(403)
  })

  it('warns of workloads whose pods it will not take', async () => {
    const template = { metadata: { labels: { a: 'b' } }, spec: { containers: [{ name: 'c', image: 'x', securityContext: { privileged: true } }] } }
    const deployment = { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' }, spec: { selector: { matchLabels: { a: 'b' } }, template } }
    const reply = await ask('/apis/apps/v1/namespaces/tight/deployments', { body: deployment })
    expect(reply.code).toBe(201)
    expect(String(reply.headers['warning'])).toContain('would violate PodSecurity')
    const job = { apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'j' }, spec: { schedule: '* * * * *', jobTemplate: { spec: { template: { spec: { ...template.spec, restartPolicy: 'Never' } } } } } }
    expect(String((await ask('/apis/batch/v1/namespaces/tight/cronjobs', { body: job })).headers['warning'])).toContain('would violate PodSecurity')
  })

  it('stays tight for those who may not change it', async () => {
    for (const labels of [{ 'pod-security.kubernetes.io/enforce': 'privileged' }, { 'pod-security.kubernetes.io/enforce': null }, { 'pod-security.kubernetes.io/enforce-version': 'v1.0' }]) {
      expect((await ask('/api/v1/namespaces/tight', { method: 'PATCH', body: { metadata: { labels } }, contentType: merge })).code).toBe(403)
      expect((await ask('/api/v1/namespaces/tight/status', { method: 'PATCH', body: { metadata: { labels } }, contentType: merge })).code).toBe(403)
      expect((await ask('/api/v1/namespaces/tight/finalize', { method: 'PUT', body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'tight', labels } } })).code).toBe(403)
    }
    expect((await ask('/api/v1/namespaces/tight', { method: 'DELETE' })).code).toBe(403)
  })

  it('with a level that nobody knows is as tight as can be', async () => {
    const reply = await attempt(cluster, '/api/v1/namespaces', { cert: cluster.pki.admin, body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'odd', labels: { 'pod-security.kubernetes.io/enforce': 'Priviledged' } } } })
    expect([201, 422]).toContain(reply.code)
    if (reply.code === 201) expect((await attempt(cluster, '/api/v1/namespaces/odd/pods', { cert: cluster.pki.admin, body: pod('p', { hostNetwork: true }) })).code).toBe(403)
  })
})
