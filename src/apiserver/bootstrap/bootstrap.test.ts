import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { core, discovery, flowcontrol, rbac, scheduling } from '../../api/index.ts'
import type { Client } from '../../client/client.ts'
import { FakeClock } from '../../machinery/clock.ts'
import { isNotFound } from '../../machinery/errors.ts'
import { quiet, type Component } from '../../machinery/log.ts'
import { createMemoryStore } from '../../store/memory.ts'
import { createEdges } from '../edges.ts'
import type { ApiServer } from '../options.ts'
import { createApiServer } from '../server.ts'
import { aggregatedRules } from './aggregation.ts'
import { startBootstrap } from './bootstrap.ts'
import { firstAddress } from './kubernetes-service.ts'
import { clusterRoleBindings, clusterRoles } from './policy.ts'

let clock: FakeClock
let api: ApiServer
let client: Client
let running: Component
let place = { address: '192.0.2.1', port: 6443 }

const boot = async () => (running = await startBootstrap({ client, clock, log: quiet, serviceCidr: '10.96.0.0/16', place: () => place }))

beforeEach(async () => {
  clock = new FakeClock()
  api = await createApiServer({ store: createMemoryStore(), clock, log: quiet, serviceCidr: '10.96.0.0/16', freeze: true, edges: createEdges({ serverAddress: () => '192.0.2.1:6443' }) })
  client = api.client
  await boot()
})
afterEach(async () => {
  place = { address: '192.0.2.1', port: 6443 }
  await running.stop()
  await api.close()
})

it('gives a cluster its namespaces, its priority classes and the way to its API', async () => {
  const names = (await client.list(core.namespaces)).items.map((n) => n.metadata.name)
  expect(names).toEqual(expect.arrayContaining(['default', 'kube-system', 'kube-public', 'kube-node-lease']))
  const service = await client.get(core.services, 'kubernetes', { namespace: 'default' })
  expect(service.spec).toMatchObject({ clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443, targetPort: 6443 }] })
  expect((await client.get(core.endpoints, 'kubernetes', { namespace: 'default' })).subsets).toMatchObject([{ addresses: [{ ip: '192.0.2.1' }], ports: [{ port: 6443 }] }])
  expect((await client.get(discovery.endpointslices, 'kubernetes', { namespace: 'default' })).endpoints).toMatchObject([{ addresses: ['192.0.2.1'] }])
  expect((await client.get(scheduling.priorityclasses, 'system-node-critical', {})).value).toBe(2_000_001_000)
})

it('writes nothing when everything is there already', async () => {
  await expect.poll(async () => (await client.list(flowcontrol.flowschemas)).items.filter(({ status }) => status.conditions?.length).length).toBe(13)
  const before = await client.list(rbac.clusterroles)
  await running.stop()
  await boot()
  expect((await client.list(rbac.clusterroles)).metadata.resourceVersion).toBe(before.metadata.resourceVersion)
})

it('brings back what somebody deleted, and follows the server when it moves', async () => {
  await client.delete(core.services, 'kubernetes', { namespace: 'default' })
  place = { address: '192.0.2.9', port: 7443 }
  await clock.advance(10_000)
  await expect.poll(async () => (await client.get(core.services, 'kubernetes', { namespace: 'default' }).catch((e: unknown) => (isNotFound(e) ? undefined : Promise.reject(e))))?.spec.ports?.[0]?.targetPort).toBe(7443)
  await expect.poll(async () => (await client.get(core.endpoints, 'kubernetes', { namespace: 'default' })).subsets?.[0]?.addresses?.[0]?.ip).toBe('192.0.2.9')
})

describe('default roles', () => {
  it('keep what an administrator added and get back what is missing, unless told not to', async () => {
    const get = (name: string) => client.get(rbac.clusterroles, name)
    const extra = { verbs: ['get'], apiGroups: ['example.com'], resources: ['things'] }
    const role = await get('system:kube-dns')
    await client.update(rbac.clusterroles, { ...role, rules: [extra] })
    const other = await get('system:node-proxier')
    await client.update(rbac.clusterroles, { ...other, rules: [], metadata: { ...other.metadata, annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } } })
    await running.stop()
    await boot()
    expect((await get('system:kube-dns')).rules).toEqual([extra, ...(role.rules ?? [])])
    expect((await get('system:node-proxier')).rules).toEqual([])
  })

  it('are bound to roles that exist', () => {
    const names = new Set(clusterRoles.map((r) => r.name))
    expect(clusterRoleBindings.filter((b) => !names.has(b.role))).toEqual([])
  })

  it('let view see no secrets and edit touch no roles', async () => {
    const rules = async (name: string) => (await client.get(rbac.clusterroles, name)).rules ?? []
    const all = (await rules('view')).flatMap((r) => r.resources ?? [])
    expect(all).toContain('pods')
    expect(all).not.toContain('secrets')
    expect((await rules('view')).flatMap((r) => r.verbs)).not.toContain('create')
    expect((await rules('edit')).some((r) => r.apiGroups?.includes('rbac.authorization.k8s.io'))).toBe(false)
    expect((await rules('admin')).some((r) => r.resources?.includes('rolebindings'))).toBe(true)
  })

  it('grow with the roles that operators label', async () => {
    await client.create(rbac.clusterroles, { metadata: { name: 'things-view', labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } }, rules: [{ verbs: ['get'], apiGroups: ['example.com'], resources: ['things'] }] })
    for (const name of ['view', 'edit', 'admin']) {
      await expect.poll(async () => (await client.get(rbac.clusterroles, name)).rules?.some((r) => r.resources?.includes('things'))).toBe(true)
    }
  })

  it('of a selector are each taken once', () => {
    const rule = { verbs: ['get'], apiGroups: [''], resources: ['pods'] }
    const role = (name: string): rbac.ClusterRole => ({ kind: 'ClusterRole', apiVersion: 'v1', metadata: { name, labels: { a: 'b' } }, rules: [rule], aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] } })
    expect(aggregatedRules(role('x'), [role('x'), role('y'), role('z')])).toEqual([rule])
  })
})

it('finds the first address of a range', () => {
  expect(firstAddress('10.96.0.0/12')).toBe('10.96.0.1')
  expect(firstAddress('10.96.5.7/16')).toBe('10.96.0.1')
  expect(firstAddress('fd00:10::/112')).toBe('fd00:10::1')
})
