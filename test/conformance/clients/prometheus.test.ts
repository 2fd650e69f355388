/** Prometheus, as Debian packages it: it discovers what to scrape through the API with rights of its own, and scrapes the API server. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { freePort, startTestControlPlane } from '../../support/control-plane.ts'
import type { TestControlPlane } from '../../support/control-plane.ts'
import { genuine } from '../../support/genuine.ts'
import { eventually } from '../../support/host.ts'
import { startPretendNode } from '../../support/pretend-node.ts'
import type { PretendNode } from '../../support/pretend-node.ts'

const clients = await genuine()

interface Target { readonly scrapePool: string; readonly scrapeUrl: string; readonly health: string; readonly lastError: string; readonly discoveredLabels: Readonly<Record<string, string>> }

describe.skipIf(clients === undefined)('Prometheus', () => {
  const directory = mkdtempSync(join(tmpdir(), 'skiff-prometheus-'))
  let cluster: TestControlPlane
  let node: PretendNode
  let port: number
  const stop = new AbortController()
  beforeAll(async () => {
    cluster = await startTestControlPlane()
    node = await startPretendNode(cluster.plane.clientFor('test-node', ['system:masters']), 'node-1')
    await cluster.kubectl('patch', 'node', 'node-1', '--subresource=status', '--type=merge', '-p', '{"status":{"addresses":[{"type":"InternalIP","address":"127.0.0.9"}],"daemonEndpoints":{"kubeletEndpoint":{"Port":10250}}}}')
    await cluster.kubectl('create', 'namespace', 'shop')
    await cluster.kubectl('create', 'serviceaccount', 'prometheus', '-n', 'shop')
    const watched = ['nodes', 'namespaces', 'services', 'endpoints', 'pods']
    const rules = [
      { apiGroups: [''], resources: watched, verbs: ['get', 'list', 'watch'] }, { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['get', 'list', 'watch'] },
      { apiGroups: ['networking.k8s.io'], resources: ['ingresses'], verbs: ['get', 'list', 'watch'] }, { nonResourceURLs: ['/metrics'], verbs: ['get'] },
    ]
    await cluster.apply({ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'prometheus' }, rules })
    await cluster.kubectl('create', 'clusterrolebinding', 'prometheus', '--clusterrole=prometheus', '--serviceaccount=shop:prometheus')
    await cluster.kubectl('create', 'deployment', 'web', '-n', 'shop', '--image=x', '--port=8080')
    await cluster.kubectl('expose', 'deployment', 'web', '-n', 'shop')
    await cluster.kubectl('create', 'ingress', 'web', '-n', 'shop', '--rule=shop.example.com/cart=web:8080')
    writeFileSync(join(directory, 'token'), (await cluster.kubectl('create', 'token', 'prometheus', '-n', 'shop')).trim(), { mode: 0o600 })
    writeFileSync(join(directory, 'ca.crt'), cluster.pki.ca.cert)
    port = await freePort()
    writeFileSync(join(directory, 'prometheus.json'), JSON.stringify(configuration()))
    const program = spawn(clients!.prometheus, [`--config.file=${join(directory, 'prometheus.json')}`, `--storage.tsdb.path=${join(directory, 'data')}`, `--web.listen-address=127.0.0.1:${port}`], { signal: stop.signal, stdio: 'ignore' })
    program.on('error', (error) => { if (!stop.signal.aborted) throw error })
  })
  afterAll(async () => {
    stop.abort()
    node?.stop()
    await cluster?.stop()
    rmSync(directory, { recursive: true, force: true, maxRetries: 10 })
  })

  const access = () => ({ authorization: { credentials_file: join(directory, 'token') }, tls_config: { ca_file: join(directory, 'ca.crt') } })
  /** A job for each role, and one that keeps the API server of all endpoints, as everybody's configuration has it. */
  const configuration = () => {
    const discover = (role: string, more: object = {}) => ({ role, api_server: cluster.url, ...access(), ...more })
    const inShop = { namespaces: { names: ['shop'] } }
    const own = { namespaces: { names: ['default'] }, selectors: [{ role: 'endpointslice', label: 'kubernetes.io/service-name=kubernetes' }] }
    return {
      global: { scrape_interval: '1s', scrape_timeout: '1s' },
      scrape_configs: [
        { job_name: 'node', kubernetes_sd_configs: [discover('node')] },
        ...['service', 'pod', 'endpoints', 'endpointslice', 'ingress'].map((role) => ({ job_name: role, kubernetes_sd_configs: [discover(role, inShop)] })),
        {
          job_name: 'apiserver', scheme: 'https', ...access(), kubernetes_sd_configs: [discover('endpointslice', own)],
          relabel_configs: [{ source_labels: ['__meta_kubernetes_service_name', '__meta_kubernetes_endpointslice_port_name'], action: 'keep', regex: 'kubernetes;https' }],
        },
      ],
    }
  }
  const ask = async <T>(path: string): Promise<T> => ((await (await fetch(`http://127.0.0.1:${port}/api/v1/${path}`)).json()) as { data: T }).data

  it('finds targets in every role', async () => {
    const roles = ['apiserver', 'endpoints', 'endpointslice', 'ingress', 'node', 'pod', 'service']
    const targets = await eventually('targets of every role', async () => {
      const { activeTargets } = await ask<{ activeTargets: Target[] }>('targets')
      return roles.every((role) => activeTargets.some((one) => one.scrapePool === role)) ? activeTargets : undefined
    }, 60_000)
    const one = (role: string) => targets.find((target) => target.scrapePool === role)!
    expect(one('node').scrapeUrl).toBe('http://127.0.0.9:10250/metrics')
    expect(one('service').scrapeUrl).toBe('http://web.shop.svc:8080/metrics')
    expect(one('ingress').discoveredLabels).toMatchObject({ __address__: 'shop.example.com', __meta_kubernetes_ingress_path: '/cart' })
    expect(one('pod').discoveredLabels).toMatchObject({ __meta_kubernetes_pod_container_port_number: '8080', __meta_kubernetes_pod_controller_kind: 'ReplicaSet', __meta_kubernetes_pod_label_app: 'web', __meta_kubernetes_pod_node_name: 'node-1' })
    expect(one('endpointslice').discoveredLabels).toMatchObject({ __meta_kubernetes_endpointslice_endpoint_conditions_ready: 'true', __meta_kubernetes_service_name: 'web' })
    expect(one('endpoints').discoveredLabels).toMatchObject({ __meta_kubernetes_endpoint_ready: 'true', __meta_kubernetes_service_name: 'web' })
  })

  it('hears of a pod that comes later', async () => {
    await cluster.kubectl('scale', 'deployment', 'web', '-n', 'shop', '--replicas=3')
    await eventually('three endpoints', async () => ((await ask<{ activeTargets: Target[] }>('targets')).activeTargets.filter((target) => target.scrapePool === 'endpointslice').length === 3 || undefined), 60_000)
  })

  it('scrapes the API server with its token', async () => {
    const value = await eventually('a metric of the API server', async () => {
      const { result } = await ask<{ result: { value: [number, string] }[] }>(`query?query=${encodeURIComponent('sum(apiserver_request_total{job="apiserver"})')}`)
      return result[0]?.value[1]
    }, 60_000)
    expect(Number(value)).toBeGreaterThan(0)
    const { activeTargets } = await ask<{ activeTargets: Target[] }>('targets')
    expect(activeTargets.find((target) => target.scrapePool === 'apiserver')).toMatchObject({ health: 'up', lastError: '' })
  })
})
