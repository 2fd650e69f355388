/** A control plane on a host without a way to the pods: it reaches webhooks, extension API servers and what is proxied to through the pods' node. */
import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { prepareCluster, root, type TestCluster } from '../support/cluster.ts'
import { selfSigned } from '../support/extension-server.ts'
import { createNeighbour, eventually, type TestHost } from '../support/host.ts'
import { buildNodeImage } from '../support/node-image.ts'

const program = join(root, 'skiff')
let cluster: TestCluster
let neighbour: TestHost
let directory: string
const running: ChildProcess[] = []
const said: string[] = []
const kubectl = (...args: string[]) => cluster.kubectl(...args)
const where = () => ({ name: neighbour.namespace, dataDir: join(directory, 'data') })

/** Runs skiff in the foreground on a host. */
function start(host: TestHost, ...args: string[]): void {
  const child = spawn('nsenter', [`--net=/run/netns/${host.namespace}`, program, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text: Buffer) => void said.push(text.toString()))
  running.push(child)
}

async function apply(...items: object[]): Promise<void> {
  const finished = await cluster.tryKubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
  if (finished.code !== 0) throw new Error(finished.stderr)
}

beforeAll(async () => {
  cluster = prepareCluster('planeonly', '172.31.96.2')
  neighbour = createNeighbour(cluster.host, 'carrier', '172.31.96.3')
  directory = mkdtempSync(join(tmpdir(), 'skiff-no-node-'))
  start(cluster.host, 'server', '--no-node', '--name', cluster.name, '--data-dir', cluster.dataDir, '--node-ip', cluster.host.address)
  const made = await eventually(`the API answers: ${said.join('')}`, async () => {
    const finished = await cluster.skiff('kubeconfig', '--for-node', 'node-2', '--node-ip', neighbour.address)
    return finished.code === 0 && (await cluster.tryKubectl(['get', 'namespaces'])).code === 0 ? finished.stdout : undefined
  })
  writeFileSync(join(directory, 'node.kubeconfig'), made, { mode: 0o600 })
  start(neighbour, 'agent', '--name', where().name, '--data-dir', where().dataDir, '--kubeconfig', join(directory, 'node.kubeconfig'), '--node-ip', neighbour.address)
  await eventually('the node is Ready', async () => ((await kubectl('get', 'node', 'node-2', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')) === 'True' ? true : undefined), 60_000)
  await buildNodeImage(where(), 'guard:1.0', join(root, 'test/support/pod-server.ts'))
}, 400_000)

afterAll(async () => {
  for (const child of running.toReversed()) child.kill()
  await neighbour?.run(program, ['down', '--purge', '--name', where().name, '--data-dir', where().dataDir])
  neighbour?.remove()
  await cluster?.destroy()
  rmSync(directory, { recursive: true, force: true })
})

describe('a control plane without a node', () => {
  it('has pods on the node of another host, and no way to them', async () => {
    const pair = await selfSigned(['guard.default.svc'])
    const caBundle = Buffer.from(pair.cert).toString('base64')
    const subjects = [{ kind: 'ServiceAccount', name: 'default', namespace: 'default' }]
    const rbac = (kind: string, name: string, roleKind: string, role: string, at: object) => ({ apiVersion: 'rbac.authorization.k8s.io/v1', kind, metadata: { name, ...at }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: roleKind, name: role }, subjects })
    await apply(
      rbac('RoleBinding', 'guard', 'Role', 'extension-apiserver-authentication-reader', { namespace: 'kube-system' }),
      rbac('ClusterRoleBinding', 'guard', 'ClusterRole', 'system:auth-delegator', {}),
      { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata: { name: 'guard', namespace: 'default' }, data: { 'tls.crt': caBundle, 'tls.key': Buffer.from(pair.key).toString('base64') } },
      { apiVersion: 'v1', kind: 'Service', metadata: { name: 'guard', namespace: 'default' }, spec: { selector: { app: 'guard' }, ports: [{ port: 443, targetPort: 8443 }] } },
      {
        apiVersion: 'v1', kind: 'Pod', metadata: { name: 'guard', namespace: 'default', labels: { app: 'guard' } },
        spec: { terminationGracePeriodSeconds: 1, volumes: [{ name: 'tls', secret: { secretName: 'guard' } }], containers: [{ name: 'guard', image: 'guard:1.0', volumeMounts: [{ name: 'tls', mountPath: '/tls' }], readinessProbe: { httpGet: { path: '/healthz', port: 8443, scheme: 'HTTPS' }, periodSeconds: 1 } }] },
      },
      {
        apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name: 'v1.pods.example.com' },
        spec: { group: 'pods.example.com', version: 'v1', groupPriorityMinimum: 1000, versionPriority: 15, service: { namespace: 'default', name: 'guard' }, caBundle },
      },
      {
        apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration', metadata: { name: 'guard' },
        webhooks: [{
          name: 'guard.example.com', sideEffects: 'None', admissionReviewVersions: ['v1'], failurePolicy: 'Fail', clientConfig: { service: { namespace: 'default', name: 'guard', path: '/validate' }, caBundle },
          rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }], objectSelector: { matchLabels: { guarded: 'yes' } },
        }],
      },
    )
    await kubectl('wait', '--for=condition=Ready', 'pod/guard', '--timeout=60s')
    const ip = await kubectl('get', 'pod', 'guard', '-o', 'jsonpath={.status.podIP}')
    expect((await cluster.host.run('curl', ['-sk', '--max-time', '2', `https://${ip}:8443/healthz`])).code).not.toBe(0)
  })

  it('asks a webhook in a pod all the same', async () => {
    const create = (name: string, labels: object) => cluster.tryKubectl(['create', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, labels: { guarded: 'yes', ...labels } } }))
    expect((await create('no', { forbidden: 'yes' })).stderr).toContain('admission webhook "guard.example.com" denied the request: the label says so')
    expect((await create('yes', {})).stdout).toBe('configmap/yes created\n')
  })

  it('passes requests on to an extension API server in a pod', async () => {
    await kubectl('wait', '--for=condition=Available', 'apiservice/v1.pods.example.com', '--timeout=40s')
    expect(await kubectl('get', 'visitors', '-o', 'name')).toBe('visitor.pods.example.com/kubernetes-admin\n')
  })

  it('proxies to pods and services, many at once', async () => {
    expect(await kubectl('get', '--raw', '/api/v1/namespaces/default/pods/https:guard:8443/proxy/healthz')).toBe('{}')
    const answers = await Promise.all(Array.from({ length: 10 }, () => kubectl('get', '--raw', '/api/v1/namespaces/default/services/https:guard:443/proxy/healthz')))
    expect(answers).toEqual(Array(10).fill('{}'))
    expect((await cluster.tryKubectl(['get', '--raw', '/api/v1/namespaces/default/pods/guard:9/proxy/'])).stderr).toContain('error trying to reach service')
  })

  it('sees logs, and goes inside', async () => {
    expect(await kubectl('logs', 'guard')).toContain('listening')
    expect(await kubectl('exec', 'guard', '--', '/usr/bin/node', '-p', '6*7')).toBe('42\n')
  })
})
