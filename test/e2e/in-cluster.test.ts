/** The API server reaches into the cluster: an admission webhook and an extension API server that run in a pod, behind a service, with rights of their own. */
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Duplex } from 'node:stream'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { root, startCluster, type TestCluster } from '../support/cluster.ts'
import { selfSigned } from '../support/extension-server.ts'
import { forwardInto } from '../support/forward.ts'
import { eventually } from '../support/host.ts'
import { buildNodeImage } from '../support/node-image.ts'

let cluster: TestCluster
let caBundle: string
const kubectl = (...args: string[]) => cluster.kubectl(...args)
const tried = async (object: object) => {
  const { stdout, stderr } = await cluster.tryKubectl(['create', '-f', '-', '-o', 'json'], JSON.stringify(object))
  return { stdout, stderr }
}
async function apply(...items: object[]): Promise<void> {
  const finished = await cluster.tryKubectl(['apply', '-f', '-'], JSON.stringify({ apiVersion: 'v1', kind: 'List', items }))
  if (finished.code !== 0) throw new Error(finished.stderr)
}

const namespace = 'operators'
const account = { kind: 'ServiceAccount', name: 'guard', namespace }
const binding = (kind: string, name: string, role: string, roleKind: string, at: object = {}) =>
  ({ apiVersion: 'rbac.authorization.k8s.io/v1', kind, metadata: { name, ...at }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: roleKind, name: role }, subjects: [account] })
const rules = [{ operations: ['CREATE', 'UPDATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'], scope: 'Namespaced' }]
const webhook = (kind: 'Mutating' | 'Validating', path: string, more: object = {}) => ({
  apiVersion: 'admissionregistration.k8s.io/v1', kind: `${kind}WebhookConfiguration`, metadata: { name: 'guard' },
  webhooks: [{
    name: 'guard.operators.example.com', rules, sideEffects: 'None', admissionReviewVersions: ['v1'], failurePolicy: 'Fail', timeoutSeconds: 5,
    namespaceSelector: { matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'NotIn', values: ['kube-system'] }] },
    clientConfig: { service: { namespace, name: 'guard', path, port: 443 }, caBundle }, ...more,
  }],
})
const map = (name: string, labels: Record<string, string> = {}, at = 'default') => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: at, labels } })

beforeAll(async () => {
  cluster = await startCluster('incluster', '172.31.93.2')
  await buildNodeImage(cluster, 'guard:1.0', join(root, 'test/support/pod-server.ts'))
  const pair = await selfSigned(['guard.operators.svc'])
  caBundle = Buffer.from(pair.cert).toString('base64')
  await apply(
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace, labels: { 'pod-security.kubernetes.io/enforce': 'restricted' } } },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'guard', namespace } },
    binding('RoleBinding', 'guard', 'extension-apiserver-authentication-reader', 'Role', { namespace: 'kube-system' }),
    binding('ClusterRoleBinding', 'guard', 'system:auth-delegator', 'ClusterRole'),
    { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata: { name: 'guard', namespace }, data: { 'tls.crt': caBundle, 'tls.key': Buffer.from(pair.key).toString('base64') } },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: 'guard', namespace }, spec: { selector: { app: 'guard' }, ports: [{ port: 443, targetPort: 8443 }] } },
    {
      apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'guard', namespace },
      spec: {
        selector: { matchLabels: { app: 'guard' } },
        template: {
          metadata: { labels: { app: 'guard' } },
          spec: {
            serviceAccountName: 'guard', terminationGracePeriodSeconds: 1, volumes: [{ name: 'tls', secret: { secretName: 'guard' } }],
            securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
            containers: [{
              name: 'guard', image: 'guard:1.0', ports: [{ containerPort: 8443 }], volumeMounts: [{ name: 'tls', mountPath: '/tls' }],
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
              readinessProbe: { httpGet: { path: '/healthz', port: 8443, scheme: 'HTTPS' }, periodSeconds: 1 },
            }],
          },
        },
      },
    },
  )
  await kubectl('-n', namespace, 'rollout', 'status', 'deployment/guard', '--timeout=60s')
}, 400_000)
afterAll(() => cluster?.destroy())

describe('what is proxied to', () => {
  const base = '/api/v1/namespaces/operators/services/https:guard:443/proxy'
  let door: number
  let token: string
  beforeAll(async () => {
    door = await forwardInto(cluster.host.namespace, Number(new URL((await kubectl('config', 'view', '-o', 'jsonpath={.clusters[0].cluster.server}')).trim()).port))
    await kubectl('create', 'clusterrolebinding', 'reader', '--clusterrole=cluster-admin', '--serviceaccount=default:default')
    token = (await kubectl('create', 'token', 'default')).trim()
  })
  const open = (path: string, headers: Record<string, string> = {}) =>
    request({ host: '127.0.0.1', port: door, path, rejectUnauthorized: false, agent: false, headers: { authorization: `Bearer ${token}`, host: 'door.example', ...headers } }).end()

  it('has its redirects and links lead back through the proxy', async () => {
    const [moved] = (await once(open(`${base}/old`), 'response')) as [IncomingMessage]
    expect([moved.statusCode, moved.headers.location, moved.headers['access-control-allow-origin']]).toEqual([302, `${base}/page`, undefined])
    const [page] = (await once(open(`${base}/page`), 'response')) as [IncomingMessage]
    expect(await text(page)).toBe(`<a href="${base}/next">next</a><img src="logo.png">`)
  })

  it('takes over connections, and never learns who the client is', async () => {
    const [, socket, head] = (await once(open(`${base}/talk?x=1`, { connection: 'Upgrade', upgrade: 'echo', 'x-own': '1' }), 'upgrade')) as [IncomingMessage, Duplex, Buffer]
    socket.unshift(head)
    const lines = createInterface(socket)[Symbol.asyncIterator]()
    const told = JSON.parse((await lines.next()).value as string) as Record<string, string>
    expect(told).toMatchObject({ upgrade: 'echo', 'x-own': '1', host: 'door.example' })
    expect(told['authorization']).toBeUndefined()
    socket.write('hello\n')
    expect((await lines.next()).value).toBe('hello')
    socket.destroy()
  })
})

describe('another range of service addresses', () => {
  it('leads to pods like the first', async () => {
    await apply({ apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name: 'more' }, spec: { cidrs: ['10.210.0.0/24'] } })
    await kubectl('wait', '--for=condition=Ready', 'servicecidr/more', '--timeout=20s')
    await apply({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'far', namespace }, spec: { clusterIP: '10.210.0.7', selector: { app: 'guard' }, ports: [{ port: 443, targetPort: 8443 }] } })
    const ask = `process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'; process.stdout.write(await (await fetch('https://10.210.0.7/healthz', { signal: AbortSignal.timeout(3000) })).text())`
    await eventually('the service answers a pod', async () => ((await kubectl('-n', namespace, 'exec', 'deploy/guard', '--', '/usr/bin/node', '--no-warnings', '--input-type=module', '-e', ask)) === '{}' ? true : undefined))
  })
})

describe('an extension API server in a pod', () => {
  it('is available, answers kubectl, and decides by the rights of whoever asks', async () => {
    await apply({
      apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name: 'v1.pods.example.com' },
      spec: { group: 'pods.example.com', version: 'v1', groupPriorityMinimum: 1000, versionPriority: 15, service: { namespace, name: 'guard' }, caBundle },
    })
    await kubectl('wait', '--for=condition=Available', 'apiservice/v1.pods.example.com', '--timeout=30s')
    expect(await kubectl('get', 'visitors.pods.example.com', '-o', 'name')).toBe('visitor.pods.example.com/kubernetes-admin\n')
    await kubectl('create', 'role', 'visitors', '--verb=list', '--resource=visitors.pods.example.com')
    await kubectl('create', 'rolebinding', 'visitors', '--role=visitors', '--serviceaccount=default:default')
    expect(await kubectl('get', 'visitors', '-o', 'name', '--as=system:serviceaccount:default:default')).toBe('visitor.pods.example.com/system-serviceaccount-default-default\n')
    expect((await cluster.tryKubectl(['get', 'visitors', '--as=ana'])).stderr).toContain('visitors.pods.example.com is forbidden: User "ana" cannot list resource "visitors" in API group "pods.example.com"')
  })
})

describe('an admission webhook in a pod', () => {
  it('changes what is created, and refuses', async () => {
    await apply(webhook('Mutating', '/mutate'), webhook('Validating', '/validate'))
    const made = await tried(map('fine', { a: 'b' }))
    expect(JSON.parse(made.stdout)).toMatchObject({ metadata: { labels: { a: 'b', seen: 'by-the-webhook' } } })
    expect(made.stderr).toContain('Warning: looked at by a pod')
    expect((await tried(map('not-fine', { forbidden: 'yes' }))).stderr).toContain('admission webhook "guard.operators.example.com" denied the request: the label says so')
    expect((await cluster.tryKubectl(['get', 'configmap', 'not-fine'])).stderr).toContain('NotFound')
  })

  it('has no say in a namespace that its selector leaves out', async () => {
    expect(JSON.parse((await tried(map('system', { forbidden: 'yes' }, 'kube-system'))).stdout)).toMatchObject({ metadata: { labels: { forbidden: 'yes' } } })
  })

  it('that is gone stops what it was to look at, unless its policy is to go on', async () => {
    await kubectl('-n', namespace, 'scale', 'deployment/guard', '--replicas=0')
    await eventually('nobody is behind the service', async () => ((await kubectl('-n', namespace, 'get', 'endpointslices', '-o', 'jsonpath={.items[*].endpoints[*].addresses}')) === '' ? true : undefined))
    expect((await tried(map('late'))).stderr).toContain('Internal error occurred: failed calling webhook "guard.operators.example.com": failed to call webhook: no endpoints available for service "guard"')
    await apply(webhook('Mutating', '/mutate', { failurePolicy: 'Ignore' }), webhook('Validating', '/validate', { failurePolicy: 'Ignore' }))
    expect(JSON.parse((await tried(map('late', { forbidden: 'yes' }))).stdout)).toMatchObject({ metadata: { labels: { forbidden: 'yes' } } })
    expect(await kubectl('get', 'apiservice', 'v1.pods.example.com', '-o', 'jsonpath={.status.conditions[0].reason}')).toBe('MissingEndpoints')
    // Other groups are listed although this one cannot be reached.
    expect(await kubectl('api-resources', '--api-group=apps', '-o', 'name')).toContain('deployments.apps')
  })

  it('works again when it is back', async () => {
    await apply(webhook('Mutating', '/mutate'), webhook('Validating', '/validate'))
    await kubectl('-n', namespace, 'scale', 'deployment/guard', '--replicas=1')
    await kubectl('-n', namespace, 'rollout', 'status', 'deployment/guard', '--timeout=60s')
    await eventually('it looks again', async () => ((await tried(map('again', { forbidden: 'yes' }))).stderr.includes('denied the request') ? true : undefined))
    await kubectl('wait', '--for=condition=Available', 'apiservice/v1.pods.example.com', '--timeout=30s')
  })
})
