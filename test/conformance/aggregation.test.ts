/** Extension API servers behind this one: a real HTTPS server that believes nobody but the front proxy. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestControlPlane, type TestControlPlane } from '../support/control-plane.ts'
import { report, startExtensionServer, type ExtensionServer } from '../support/extension-server.ts'
import { eventually } from '../support/host.ts'
import { json, send, stream } from '../support/requests.ts'

let cluster: TestControlPlane
let extension: ExtensionServer
const kubectl = (...args: string[]) => cluster.kubectl(...args)

const condition = async (name: string) => {
  const { status } = JSON.parse(await kubectl('get', 'apiservice', name, '-o', 'json')) as { status: { conditions?: { type: string; status: string; reason: string; message: string }[] } }
  return status.conditions?.find((c) => c.type === 'Available')
}
const reason = (name: string, wanted: string) => eventually(`${name} ${wanted}`, async () => {
  const now = await condition(name)
  return now?.reason === wanted ? now : undefined
})

const apiService = (more: object = {}, name = 'v1beta1.metrics.k8s.io') => {
  const [version, ...group] = name.split('.')
  return {
    apiVersion: 'apiregistration.k8s.io/v1', kind: 'APIService', metadata: { name },
    spec: { group: group.join('.'), version, groupPriorityMinimum: 100, versionPriority: 100, service: { namespace: 'extensions', name: 'metrics', port: extension.port }, caBundle: extension.caBundle, ...more },
  }
}
const externalName = (name: string) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'extensions' }, spec: { type: 'ExternalName', externalName: 'localhost' } })

beforeAll(async () => {
  cluster = await startTestControlPlane()
  extension = await startExtensionServer({ names: ['metrics.extensions.svc'], frontProxyCa: cluster.pki.frontProxyCa.cert })
  await kubectl('create', 'namespace', 'extensions')
  await cluster.apply(externalName('metrics'))
  await cluster.apply(apiService())
  await reason('v1beta1.metrics.k8s.io', 'Passed')
})
afterAll(async () => {
  await extension?.stop()
  await cluster?.stop()
})

describe('what this server has itself', () => {
  it('has an API service for each group version, always available', async () => {
    const rows = (await kubectl('get', 'apiservices', '--no-headers')).trim().split('\n').map((row) => row.split(/\s+/).slice(0, 3))
    expect(rows).toEqual(expect.arrayContaining([['v1.', 'Local', 'True'], ['v1.apps', 'Local', 'True'], ['v2.autoscaling', 'Local', 'True'], ['v1beta1.metrics.k8s.io', 'extensions/metrics', 'True']]))
    expect(JSON.parse(await kubectl('get', 'apiservice', 'v1.apps', '-o', 'json'))).toMatchObject({
      metadata: { labels: { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' } },
      spec: { group: 'apps', version: 'v1', groupPriorityMinimum: 17800, versionPriority: 15 },
      status: { conditions: [{ type: 'Available', status: 'True', reason: 'Local', message: 'Local APIServices are always available' }] },
    })
  })

  it('has one for each version of a custom kind, as long as there is the kind', async () => {
    const schema = { openAPIV3Schema: { type: 'object' } }
    await cluster.apply({
      apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'boats.example.org' },
      spec: { group: 'example.org', scope: 'Namespaced', names: { plural: 'boats', kind: 'Boat' }, versions: [{ name: 'v1', served: true, storage: true, schema }, { name: 'v1beta1', served: true, storage: false, schema }] },
    })
    await eventually('its API services', async () => ((await kubectl('get', 'apiservices', '-l', 'kube-aggregator.kubernetes.io/automanaged=true', '-o', 'name')).trim() === 'apiservice.apiregistration.k8s.io/v1.example.org\napiservice.apiregistration.k8s.io/v1beta1.example.org' ? true : undefined))
    expect(JSON.parse(await kubectl('get', 'apiservice', 'v1.example.org', '-o', 'json'))).toMatchObject({ spec: { groupPriorityMinimum: 1000, versionPriority: 100 }, status: { conditions: [{ reason: 'Local', status: 'True' }] } })
    await kubectl('delete', 'crd', 'boats.example.org')
    await eventually('none any more', async () => ((await kubectl('get', 'apiservices', '-l', 'kube-aggregator.kubernetes.io/automanaged=true', '-o', 'name')) === '' ? true : undefined))
    expect(await kubectl('get', '--raw', '/readyz?verbose')).toContain('[+]autoregister-completion ok')
  })

  it('tells extension servers whom to believe', async () => {
    const { data } = JSON.parse(await kubectl('get', '-n', 'kube-system', 'configmap', 'extension-apiserver-authentication', '-o', 'json')) as { data: Record<string, string> }
    expect(data).toMatchObject({
      'client-ca-file': cluster.pki.ca.cert, 'requestheader-client-ca-file': cluster.pki.frontProxyCa.cert,
      'requestheader-allowed-names': '["front-proxy-client"]', 'requestheader-username-headers': '["X-Remote-User"]', 'requestheader-group-headers': '["X-Remote-Group"]',
    })
  })
})

describe('an extension server', () => {
  it('answers kubectl as if it were this one', async () => {
    expect(await kubectl('top', 'nodes', '--no-headers')).toMatch(/^node-1\s+250m\s+1024Mi/)
    expect(await kubectl('top', 'pods', '-n', 'default', '--no-headers')).toMatch(/^web\s+100m\s+64Mi\s*$/m)
    expect(await kubectl('get', 'nodes.metrics.k8s.io', 'node-1', '-o', 'jsonpath={.usage.cpu}')).toBe('250m')
    expect(await kubectl('api-resources', '--api-group=metrics.k8s.io', '--no-headers')).toMatch(/nodes\s+metrics.k8s.io\/v1beta1\s+false\s+NodeMetrics/)
  })

  it('learns who asks from headers that only this server can send', async () => {
    await send(cluster, 'GET', '/apis/metrics.k8s.io/v1beta1/nodes', undefined, {
      'X-Remote-User': 'evil', 'X-Remote-Group': 'system:masters', 'X-Remote-Extra-Scopes': 'all', Authorization: '', 'Impersonate-User': 'ana', 'Impersonate-Group': 'team', 'Impersonate-Extra-reason': 'test',
    })
    const denied = extension.seen.findLast((request) => request.url === '/apis/metrics.k8s.io/v1beta1/nodes')
    // Ana may not: the request is refused here, before anybody else sees it.
    expect(denied?.headers['x-remote-user']).not.toBe('ana')
    await kubectl('create', 'clusterrole', 'metrics', '--verb=get,list', '--resource=nodes.metrics.k8s.io')
    await kubectl('create', 'clusterrolebinding', 'metrics', '--clusterrole=metrics', '--user=ana')
    const reply = await send(cluster, 'GET', '/apis/metrics.k8s.io/v1beta1/nodes', undefined, {
      'X-Remote-User': 'evil', 'X-Remote-Group': 'system:masters', 'X-Remote-Extra-Scopes': 'all', 'Impersonate-User': 'ana', 'Impersonate-Group': 'team', 'Impersonate-Extra-Example.org%2freason': 'test',
    })
    expect(reply.code).toBe(200)
    const { headers, subject } = extension.seen.findLast((request) => request.url === '/apis/metrics.k8s.io/v1beta1/nodes')!
    expect(subject).toBe('front-proxy-client')
    expect(headers).toMatchObject({ 'x-remote-user': 'ana', 'x-remote-group': 'team, system:authenticated', 'x-remote-extra-example.org%2freason': 'test' })
    expect(headers['x-remote-extra-scopes']).toBeUndefined()
    for (const name of Object.keys(headers)) expect(name).not.toMatch(/^(impersonate-|authorization$)/)
  })

  it('believes nobody who comes by himself', async () => {
    expect(await extension.ask({ 'x-remote-user': 'kubernetes-admin', 'x-remote-group': 'system:masters' })).toBe(401)
    expect(await extension.ask({ 'x-remote-user': 'kubernetes-admin', 'x-remote-group': 'system:masters' }, cluster.pki.admin)).toBe(401)
  })

  it('gets bodies as they come, and its answers come as they go', async () => {
    const body = Buffer.alloc(3 * 1024 * 1024, 'x')
    const reply = await send(cluster, 'POST', '/apis/metrics.k8s.io/v1beta1/echo', body, { 'content-type': 'application/octet-stream' })
    expect([reply.code, reply.bytes.equals(body)]).toEqual([201, true])
    const watching = await stream(cluster, '/apis/metrics.k8s.io/v1beta1/nodes?watch=1')
    expect(JSON.parse(String((await watching.take(1))[0]))).toMatchObject({ type: 'ADDED' })
    extension.emit({ type: 'MODIFIED', object: { kind: 'NodeMetrics' } })
    expect(JSON.parse(String((await watching.take(1))[0]))).toMatchObject({ type: 'MODIFIED' })
    watching.close()
    await eventually('the watch ends at the other side too', () => (extension.watchers === 0 ? true : undefined))
  })

  it('takes over connections', async () => {
    expect(await extension.upgradeThrough(cluster, '/apis/metrics.k8s.io/v1beta1/nodes/node-1/shell', 'hello')).toBe('hello')
  })

  it('is in the OpenAPI documents', async () => {
    const index = json<{ paths: Record<string, { serverRelativeURL: string }> }>(await send(cluster, 'GET', '/openapi/v3'))
    const url = index.paths['apis/metrics.k8s.io/v1beta1']!.serverRelativeURL
    expect(url).toBe('/openapi/v3/apis/metrics.k8s.io/v1beta1?hash=ABC')
    const document = await send(cluster, 'GET', url)
    expect(json<{ info: { title: string } }>(document).info.title).toBe('metrics')
    expect((await send(cluster, 'GET', url, undefined, { 'if-none-match': String(document.headers.etag) })).code).toBe(304)
    const swagger = json<{ paths: object; definitions: Record<string, { description?: string }> }>(await send(cluster, 'GET', '/openapi/v2'))
    expect(Object.keys(swagger.paths)).toContain('/apis/metrics.k8s.io/v1beta1/nodes')
    expect(Object.keys(swagger.paths)).not.toContain('/apis/other.example.com/v1/things')
    expect(swagger.definitions['io.k8s.metrics.v1beta1.NodeMetrics']).toBeDefined()
    expect(await kubectl('explain', '--api-version=metrics.k8s.io/v1beta1', 'nodes.usage')).toContain('What the node uses.')
  })

  it('is there in v3 too when it knows v2 only', async () => {
    const index = async () => json<{ paths: Record<string, { serverRelativeURL: string } | undefined> }>(await send(cluster, 'GET', '/openapi/v3')).paths['apis/metrics.k8s.io/v1beta1']?.serverRelativeURL
    const again = async (mode: ExtensionServer['mode']) => {
      extension.mode = mode
      await kubectl('delete', 'apiservice', 'v1beta1.metrics.k8s.io')
      await cluster.apply(apiService())
      await reason('v1beta1.metrics.k8s.io', 'Passed')
    }
    await again('older')
    const url = await eventually('a document of its own', async () => { const now = await index(); return now && !now.endsWith('=ABC') ? now : undefined })
    const document = await send(cluster, 'GET', url)
    expect(url).toBe(`/openapi/v3/apis/metrics.k8s.io/v1beta1?hash=${String(document.headers.etag).slice(1, -1)}`)
    expect(json(document)).toEqual({
      openapi: '3.0.0', info: { title: 'metrics', version: '1' },
      paths: { '/apis/metrics.k8s.io/v1beta1/nodes': { get: expect.objectContaining({ responses: { 200: { description: 'OK', content: { 'application/json': { schema: { $ref: '#/components/schemas/io.k8s.metrics.v1beta1.NodeMetrics' } } } } } }) } },
      components: { schemas: { 'io.k8s.metrics.v1beta1.NodeMetrics': expect.objectContaining({ type: 'object' }) } },
    })
    expect((await send(cluster, 'GET', url, undefined, { 'if-none-match': String(document.headers.etag) })).code).toBe(304)
    expect((await send(cluster, 'GET', url, undefined, { accept: 'application/com.github.proto-openapi.spec.v3@v1.0+protobuf' })).headers['content-type']).toBe('application/com.github.proto-openapi.spec.v3.v1.0+protobuf')
    expect(await kubectl('explain', '--api-version=metrics.k8s.io/v1beta1', 'nodes.usage')).toContain('What the node uses.')
    await again('good')
    await eventually('its own document again', async () => ((await index())?.endsWith('=ABC') ? true : undefined))
  })

  it('stands in discovery where its priorities say', async () => {
    const groups = json<{ groups: { name: string }[] }>(await send(cluster, 'GET', '/apis')).groups.map((g) => g.name)
    expect(groups.at(-1)).toBe('metrics.k8s.io')
    await kubectl('patch', 'apiservice', 'v1beta1.metrics.k8s.io', '--type=merge', '-p', '{"spec":{"groupPriorityMinimum":19000}}')
    expect(json<{ groups: { name: string }[] }>(await send(cluster, 'GET', '/apis')).groups[0]!.name).toBe('metrics.k8s.io')
    expect(json(await send(cluster, 'GET', '/apis/metrics.k8s.io'))).toMatchObject({ kind: 'APIGroup', preferredVersion: { groupVersion: 'metrics.k8s.io/v1beta1' } })
  })
})

describe('objects of an extension server', () => {
  const exists = (key: string) => () => (extension.reports.has(key) ? undefined : true)

  it('go with their namespace', async () => {
    await kubectl('create', 'namespace', 'leaving')
    extension.reports.set('leaving/one', report('one', 'leaving'))
    extension.reports.set('default/other', report('other', 'default'))
    await kubectl('delete', 'namespace', 'leaving', '--timeout=20s')
    expect([...extension.reports.keys()]).toEqual(['default/other'])
  })

  it('go with what owned them', async () => {
    await kubectl('create', 'configmap', 'owner')
    const { metadata } = JSON.parse(await kubectl('get', 'configmap', 'owner', '-o', 'json')) as { metadata: { uid: string } }
    const owned = report('owned', 'default', [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'owner', uid: metadata.uid }])
    extension.reports.set('default/owned', owned)
    extension.emit({ type: 'ADDED', object: owned })
    await kubectl('delete', 'configmap', 'owner')
    await eventually('the owned report goes', exists('default/owned'))
    expect([...extension.reports.keys()]).toEqual(['default/other'])
  })

  it('keep their namespace waiting while nobody knows what is there, and only then', async () => {
    await kubectl('create', 'namespace', 'waiting')
    await kubectl('-n', 'waiting', 'create', 'configmap', 'content')
    extension.mode = 'broken'
    await kubectl('annotate', 'service', '-n', 'extensions', 'metrics', 'look=0', '--overwrite')
    await reason('v1beta1.metrics.k8s.io', 'FailedDiscoveryCheck')
    await kubectl('delete', 'namespace', 'waiting', '--wait=false')
    await eventually('it says what it waits for', async () => ((await kubectl('get', 'namespace', 'waiting', '-o', 'jsonpath={.status.conditions[?(@.type=="NamespaceDeletionDiscoveryFailure")].message}'))
      .includes('Discovery failed for some groups, 1 failing: unable to retrieve the complete list of server APIs: metrics.k8s.io/v1beta1: stale GroupVersion discovery: metrics.k8s.io/v1beta1') ? true : undefined))
    expect(await kubectl('-n', 'waiting', 'get', 'configmaps', '-o', 'name')).toBe('')
    extension.mode = 'good'
    await kubectl('annotate', 'service', '-n', 'extensions', 'metrics', 'look=00', '--overwrite')
    await kubectl('wait', '--for=delete', 'namespace/waiting', '--timeout=30s')
  })
})

describe('a server that cannot be reached', () => {
  const v2 = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
  interface Aggregated { items: { metadata: { name: string }; versions: { version: string; freshness: string; resources: unknown[] }[] }[] }

  it.each([
    ['ServiceNotFound', { service: { namespace: 'extensions', name: 'nobody', port: 443 } }, 'service/nobody in "extensions" is not present'],
    ['ServicePortError', { service: { namespace: 'default', name: 'kubernetes', port: 80 } }, 'service/kubernetes in "default" is not listening on port 80'],
    ['EndpointsNotFound', { service: { namespace: 'extensions', name: 'lonely', port: 443 } }, 'cannot find endpointslices for service/lonely in "extensions"'],
    ['MissingEndpoints', { service: { namespace: 'extensions', name: 'empty', port: 443 } }, 'endpointslices for service/empty in "extensions" have no addresses with port name "https"'],
    ['FailedDiscoveryCheck', { caBundle: undefined, insecureSkipTLSVerify: true, service: { namespace: 'extensions', name: 'metrics', port: 1 } }, 'failing or missing response from https://localhost:1/apis/broken.example.com/v1: Get "https://localhost:1/apis/broken.example.com/v1": dial tcp'],
    ['FailedDiscoveryCheck', {}, 'bad status from https://localhost'],
  ])('is told to be %s', async (wanted, spec, message) => {
    await cluster.apply({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'lonely', namespace: 'extensions' }, spec: { ports: [{ name: 'https', port: 443 }] } })
    await cluster.apply({ apiVersion: 'v1', kind: 'Service', metadata: { name: 'empty', namespace: 'extensions' }, spec: { selector: { app: 'none' }, ports: [{ name: 'https', port: 443 }] } })
    await cluster.apply(apiService(spec, 'v1.broken.example.com'))
    const now = await reason('v1.broken.example.com', wanted)
    expect(now.status).toBe('False')
    expect(now.message).toContain(message)
    expect((await cluster.tryKubectl(['get', 'things.v1.broken.example.com'])).stderr).toMatch(/the server doesn't have a resource type|the server is currently unable to handle the request/)
    const reply = await send(cluster, 'GET', '/apis/broken.example.com/v1/things')
    expect([reply.code, reply.bytes.toString(), reply.headers['content-type']]).toEqual([503, 'service unavailable\n', 'text/plain; charset=utf-8'])
    expect(await kubectl('get', 'apiservice', 'v1.broken.example.com', '--no-headers')).toContain(`False (${wanted})`)
    const metrics = await kubectl('get', '--raw', '/metrics')
    expect(metrics).toContain('aggregator_unavailable_apiservice{name="v1.broken.example.com"} 1\n')
    expect(metrics).toMatch(new RegExp(`aggregator_unavailable_apiservice_total{name="v1.broken.example.com",reason="${wanted}"} \\d`))
    expect(metrics).toContain('aggregator_unavailable_apiservice{name="v1.apps"} 0\n')
    await kubectl('delete', 'apiservice', 'v1.broken.example.com')
  })

  it('stays in discovery as stale, with what it said last, and comes back', async () => {
    const find = async () => json<Aggregated>(await send(cluster, 'GET', '/apis', undefined, { accept: v2 })).items.find((g) => g.metadata.name === 'metrics.k8s.io')!.versions[0]!
    expect(await find()).toMatchObject({ freshness: 'Current' })
    extension.mode = 'broken'
    await kubectl('annotate', 'service', '-n', 'extensions', 'metrics', 'look=1', '--overwrite')
    await reason('v1beta1.metrics.k8s.io', 'FailedDiscoveryCheck')
    const stale = await eventually('stale', async () => ((await find()).freshness === 'Stale' ? find() : undefined))
    expect(stale.resources.length).toBeGreaterThan(0)
    const top = await cluster.tryKubectl(['top', 'nodes'])
    expect(top.stderr).toMatch(/the server is currently unable to handle the request|Metrics API not available/)
    expect(await kubectl('get', 'nodes', '--no-headers')).toBe('')
    extension.mode = 'good'
    await kubectl('annotate', 'service', '-n', 'extensions', 'metrics', 'look=2', '--overwrite')
    await reason('v1beta1.metrics.k8s.io', 'Passed')
    await eventually('current again', async () => ((await find()).freshness === 'Current' ? true : undefined))
  })

  it('that never answers holds up nobody else', async () => {
    extension.mode = 'silent'
    await kubectl('annotate', 'service', '-n', 'extensions', 'metrics', 'look=3', '--overwrite')
    const begun = Date.now()
    for (const path of ['/apis', '/openapi/v3', '/openapi/v2', '/api/v1/namespaces', '/apis/metrics.k8s.io']) expect((await send(cluster, 'GET', path)).code).toBe(200)
    expect(Date.now() - begun).toBeLessThan(4_500)
    expect((await reason('v1beta1.metrics.k8s.io', 'FailedDiscoveryCheck')).message).toContain('context deadline exceeded')
    extension.mode = 'lying'
    await kubectl('annotate', 'service', '-n', 'extensions', 'metrics', 'look=4', '--overwrite')
    await reason('v1beta1.metrics.k8s.io', 'Passed')
    // What it says of itself is nonsense: the others are found all the same, and the next good answer counts.
    expect(await kubectl('api-resources', '--api-group=apps', '--no-headers')).toContain('deployments')
    extension.mode = 'good'
  })
})
