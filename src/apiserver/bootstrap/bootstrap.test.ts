import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { core, discovery, flowcontrol, networking, rbac, scheduling } from '../../api/index.ts'
import type { Client } from '../../client/client.ts'
import { FakeClock } from '../../machinery/clock.ts'
import { isNotFound } from '../../machinery/errors.ts'
import { quiet, type Component } from '../../machinery/log.ts'
import { createMemoryStore } from '../../store/memory.ts'
import { missingRules } from '../authz/covers.ts'
import { createEdges } from '../edges.ts'
import type { ApiServer } from '../options.ts'
import { createApiServer } from '../server.ts'
import { aggregatedRules } from './aggregation.ts'
import { startBootstrap } from './bootstrap.ts'
import { firstAddress } from './kubernetes-service.ts'
import { clusterRoleBindings, clusterRoles } from './policy.ts'
import { ensureRoles } from './roles.ts'

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
  await expect.poll(async () => (await client.list(flowcontrol.flowschemas)).items.filter(({ status }) => status.conditions?.length).length).toBe(11)
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

it('lets nobody else speak for the service kubernetes, and writes only when somebody tried', async () => {
  const namespace = 'default'
  const slice = () => client.get(discovery.endpointslices, 'kubernetes', { namespace })
  const endpoints = () => client.get(core.endpoints, 'kubernetes', { namespace })
  const before = await Promise.all([slice(), endpoints()])
  const labels = { 'kubernetes.io/service-name': 'kubernetes' }
  await client.create(discovery.endpointslices, { metadata: { name: 'kubernetes-2', namespace, labels }, addressType: 'IPv4', endpoints: [{ addresses: ['192.0.2.66'] }], ports: [{ name: 'https', port: 6443 }] })
  await clock.advance(10_000)
  const mine = async () => (await client.list(discovery.endpointslices, { namespace })).items.map(({ metadata }) => metadata.name)
  await expect.poll(mine).toEqual(['kubernetes'])
  expect((await Promise.all([slice(), endpoints()])).map(({ metadata }) => metadata.resourceVersion)).toEqual(before.map(({ metadata }) => metadata.resourceVersion))

  const [oldSlice, oldEndpoints] = before
  await client.update(discovery.endpointslices, { ...oldSlice, metadata: { ...oldSlice.metadata, labels: { ...labels, mine: '1' } }, endpoints: [{ addresses: ['192.0.2.1'], conditions: { ready: false } }] } as never)
  await client.update(core.endpoints, { ...oldEndpoints, metadata: { ...oldEndpoints.metadata, labels: {} } } as never)
  await clock.advance(10_000)
  await expect.poll(async () => (await endpoints()).metadata.labels).toEqual({ 'endpointslice.kubernetes.io/skip-mirror': 'true' })
  await expect.poll(slice).toMatchObject({ metadata: { labels }, endpoints: [{ addresses: ['192.0.2.1'], conditions: { ready: true } }] })
  expect((await slice()).metadata.labels).toEqual(labels)
})

it('changes the family of its slice with its address', async () => {
  place = { address: '2001:db8::1', port: 6443 }
  await clock.advance(10_000)
  await expect.poll(async () => (await client.get(discovery.endpointslices, 'kubernetes', { namespace: 'default' })).addressType).toBe('IPv6')
})

it('says that the range of services is ready, and tells when somebody says it is not', async () => {
  const range = () => client.get(networking.servicecidrs, 'kubernetes')
  const ready = async () => (await range()).status.conditions?.filter(({ type }) => type === 'Ready')
  const say = async (status: string) => client.updateStatus(networking.servicecidrs, { ...(await range()), status: { conditions: [{ type: 'Ready', status, reason: 'Broken', message: 'it is broken', lastTransitionTime: '2026-01-01T00:00:00Z' }] } } as never)
  const events = async () => (await client.list(core.events, { namespace: 'default' })).items.map(({ reason, message }) => `${reason}: ${message}`)
  expect(await ready()).toMatchObject([{ status: 'True', message: 'Kubernetes default Service CIDR is ready' }])
  await say('Unknown')
  await clock.advance(10_000)
  await expect.poll(ready).toMatchObject([{ status: 'True' }])
  await say('False')
  await clock.advance(10_000)
  await expect.poll(events).toContain('Broken: Configuration matches, but it is broken')
  expect(await ready()).toMatchObject([{ status: 'False' }])
  await running.stop()
  await clock.advance(1000)
  running = await startBootstrap({ client, clock, log: quiet, serviceCidr: '10.97.0.0/16', place: () => place })
  await expect.poll(events).toContain('KubernetesDefaultServiceCIDRInconsistent: The default ServiceCIDR [10.96.0.0/16] does not match the controller flag configurations [10.97.0.0/16]')
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

  it('get back labels and annotations, what they select by and nothing that they cover already', async () => {
    const get = (name: string) => client.get(rbac.clusterroles, name)
    const view = await get('system:aggregate-to-view')
    await client.update(rbac.clusterroles, { ...view, metadata: { ...view.metadata, labels: { mine: 'a' }, annotations: {} } })
    const dns = await get('system:kube-dns')
    const wider = [{ verbs: ['*'], apiGroups: ['', 'discovery.k8s.io'], resources: ['*'] }]
    await client.update(rbac.clusterroles, { ...dns, rules: wider, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] } })
    const edit = await get('edit')
    await client.update(rbac.clusterroles, { ...edit, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] } })
    await running.stop()
    await boot()
    expect((await get('system:aggregate-to-view')).metadata).toMatchObject({ labels: { ...view.metadata.labels, mine: 'a' }, annotations: view.metadata.annotations })
    expect((await get('system:kube-dns')).aggregationRule).toBeUndefined()
    expect((await get('edit')).aggregationRule?.clusterRoleSelectors).toEqual([{ matchLabels: { a: 'b' } }, { matchLabels: { 'rbac.authorization.k8s.io/aggregate-to-edit': 'true' } }])
  })

  it('that cover their default rules get no more of them', async () => {
    const wider = [{ verbs: ['*'], apiGroups: ['', 'discovery.k8s.io'], resources: ['*'] }]
    await client.update(rbac.clusterroles, { ...(await client.get(rbac.clusterroles, 'system:kube-dns')), rules: wider })
    await running.stop()
    await boot()
    expect((await client.get(rbac.clusterroles, 'system:kube-dns')).rules).toEqual(wider)
  })

  it('are bound anew where somebody bound another role under their name, whose rights nobody else gets by that', async () => {
    const get = () => client.get(rbac.clusterrolebindings, 'system:discovery')
    const before = await get()
    const bindOther = async (annotations = {}) => {
      await client.delete(rbac.clusterrolebindings, 'system:discovery')
      await client.create(rbac.clusterrolebindings, { metadata: { name: 'system:discovery', annotations }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' }, subjects: [] })
      await running.stop()
      await boot()
    }
    await bindOther()
    expect(await get()).toMatchObject({ roleRef: before.roleRef, subjects: before.subjects })
    await bindOther({ 'rbac.authorization.kubernetes.io/autoupdate': 'false' })
    expect(await get()).toMatchObject({ roleRef: { name: 'cluster-admin' } })
    expect((await get()).subjects ?? []).toEqual([])
  })

  it('that cannot be written keep nobody from starting, nor the others from being written', async () => {
    for (const name of ['system:heapster', 'system:kube-dns']) await client.delete(rbac.clusterroles, name)
    const create: Client['create'] = (resource, object, options) => {
      if ((object as { metadata?: { name?: string } }).metadata?.name === 'system:heapster') return Promise.reject(new Error('a policy is against it'))
      return client.create(resource, object, options)
    }
    expect(await ensureRoles({ ...client, create }, quiet)).toBe(false)
    expect((await client.get(rbac.clusterroles, 'system:kube-dns')).metadata.name).toBe('system:kube-dns')
    await expect(client.get(rbac.clusterroles, 'system:heapster')).rejects.toMatchObject({ code: 404 })
  })

  it('that could not be written at the start are written as soon as they can be', async () => {
    await running.stop()
    await client.delete(rbac.clusterroles, 'system:heapster')
    let isFull = true
    const create: Client['create'] = (resource, object, options) =>
      (isFull && (resource as { readonly plural: string }).plural === 'clusterroles' ? Promise.reject(new Error('no space left')) : client.create(resource, object, options))
    running = await startBootstrap({ client: { ...client, create }, clock, log: quiet, serviceCidr: '10.96.0.0/16', place: () => place })
    await expect(client.get(rbac.clusterroles, 'system:heapster')).rejects.toMatchObject({ code: 404 })
    isFull = false
    await clock.advance(10_000)
    await expect.poll(() => client.get(rbac.clusterroles, 'system:heapster').then(() => true, () => false)).toBe(true)
  })

  it('keep certificates to the signers of Kubernetes', () => {
    const rules = clusterRoles.find(({ name }) => name === 'system:controller:certificate-controller')?.rules.filter(({ resources }) => resources?.includes('signers'))
    expect(rules?.every(({ resourceNames }) => resourceNames?.every((name) => name.startsWith('kubernetes.io/')) ?? false)).toBe(true)
  })

  it('let who may edit grant what charts still ask for of the group extensions', async () => {
    const rules = (await client.get(rbac.clusterroles, 'admin')).rules as rbac.PolicyRule[]
    expect(missingRules([{ verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'], apiGroups: ['extensions', 'networking.k8s.io'], resources: ['ingresses'] }], rules)).toEqual([])
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

  it('leave what else is said of an aggregated role to those who say it', async () => {
    const rule = { verbs: ['get'], apiGroups: ['example.com'], resources: ['things'] }
    await client.create(rbac.clusterroles, { metadata: { name: 'part', labels: { a: 'b' } }, rules: [rule] })
    await client.create(rbac.clusterroles, { metadata: { name: 'whole' }, aggregationRule: { clusterRoleSelectors: [{ matchLabels: { a: 'b' } }] } })
    const whole = () => client.get(rbac.clusterroles, 'whole')
    await expect.poll(async () => (await whole()).rules).toEqual([rule])
    const applied = (await whole()).metadata.managedFields?.find(({ operation }) => operation === 'Apply')
    expect(applied).toMatchObject({ manager: 'clusterrole-aggregation-controller', fieldsV1: { 'f:rules': {} } })
    await client.delete(rbac.clusterroles, 'part')
    await expect.poll(async () => (await whole()).rules ?? []).toEqual([])
  })

  it('are in the order of the selectors, then of their names', () => {
    const role = (name: string, labels = {}, resources = [name]): rbac.ClusterRole => ({ kind: 'ClusterRole', apiVersion: 'v1', metadata: { name, labels }, rules: [{ verbs: ['get'], apiGroups: [''], resources }] })
    const whole: rbac.ClusterRole = { ...role('whole'), aggregationRule: { clusterRoleSelectors: [{ matchLabels: { two: '' } }, { matchLabels: { one: '' } }] } }
    expect(aggregatedRules(whole, [role('b', { one: '' }), role('d', { two: '' }), role('a', { one: '' }), role('c', { one: '', two: '' })]).flatMap(({ resources }) => resources)).toEqual(['c', 'd', 'a', 'b'])
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
