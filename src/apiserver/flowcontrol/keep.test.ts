import { afterEach, beforeEach, expect, it } from 'vitest'
import { flowcontrol } from '../../api/index.ts'
import type { Client } from '../../client/client.ts'
import { isNotFound } from '../../machinery/errors.ts'
import { systemClock } from '../../machinery/clock.ts'
import { quiet, type Component } from '../../machinery/log.ts'
import { startTestServer, type TestServer } from '../testing.ts'
import { autoUpdate, startKeeping } from './keep.ts'

let started: TestServer
let client: Client
let keeper: Component

const boot = async () => (keeper = await startKeeping({ client, clock: systemClock, log: quiet }))
const schema = (name: string) => client.get(flowcontrol.flowschemas, name)
const level = (name: string) => client.get(flowcontrol.prioritylevelconfigurations, name)
const dangling = async (name: string) => (await schema(name)).status.conditions?.find(({ type }) => type === 'Dangling')

beforeEach(async () => {
  started = await startTestServer()
  client = started.server.client
  await boot()
})
afterEach(async () => {
  await keeper.stop()
  await started.server.close()
})

it('makes what Kubernetes has', async () => {
  const schemas = (await client.list(flowcontrol.flowschemas)).items
  expect(schemas.map(({ metadata, spec }) => [metadata.name, spec.matchingPrecedence, spec.priorityLevelConfiguration.name])).toEqual([
    ['catch-all', 10_000, 'catch-all'], ['exempt', 1, 'exempt'], ['global-default', 9900, 'global-default'],
    ['kube-controller-manager', 800, 'workload-high'], ['kube-scheduler', 800, 'workload-high'], ['kube-system-service-accounts', 900, 'workload-high'],
    ['probes', 2, 'exempt'], ['service-accounts', 9000, 'workload-low'], ['system-leader-election', 100, 'leader-election'],
    ['system-node-high', 400, 'node-high'], ['system-nodes', 500, 'system'],
  ])
  expect((await client.list(flowcontrol.prioritylevelconfigurations)).items.map(({ metadata }) => metadata.name))
    .toEqual(['catch-all', 'exempt', 'global-default', 'leader-election', 'node-high', 'system', 'workload-high', 'workload-low'])
  expect((await schema('probes')).metadata.annotations).toEqual({ [autoUpdate]: 'true' })
})

it('changes nothing when it starts again', async () => {
  for (const name of ['exempt', 'probes', 'system-node-high']) await expect.poll(() => dangling(name)).toBeDefined()
  const before = [(await client.list(flowcontrol.flowschemas)).items, (await client.list(flowcontrol.prioritylevelconfigurations)).items].flat().map(({ metadata }) => `${metadata.name} ${metadata.generation}`)
  await keeper.stop()
  await boot()
  const after = [(await client.list(flowcontrol.flowschemas)).items, (await client.list(flowcontrol.prioritylevelconfigurations)).items].flat().map(({ metadata }) => `${metadata.name} ${metadata.generation}`)
  expect(after).toEqual(before)
})

it('keeps what is mandatory, whatever it is marked as', async () => {
  const current = await level('catch-all')
  const limited = { ...current.spec.limited!, nominalConcurrencyShares: 99 }
  await expect(client.update(flowcontrol.prioritylevelconfigurations, { ...current, spec: { ...current.spec, limited } })).rejects.toThrow("spec of 'catch-all' must equal the fixed value")
  await client.update(flowcontrol.prioritylevelconfigurations, { ...current, metadata: { ...current.metadata, annotations: { [autoUpdate]: 'false' } } })
  await expect.poll(async () => (await level('catch-all')).metadata.annotations).toEqual({ [autoUpdate]: 'true' })
  await client.delete(flowcontrol.flowschemas, 'exempt')
  await expect.poll(async () => (await schema('exempt').catch((e: unknown) => { if (!isNotFound(e)) throw e }))?.spec.matchingPrecedence).toBe(1)
})

it('leaves it to an administrator how many seats the exempt level has', async () => {
  const current = await level('exempt')
  await client.update(flowcontrol.prioritylevelconfigurations, { ...current, spec: { ...current.spec, exempt: { nominalConcurrencyShares: 10, lendablePercent: 50 } } })
  await keeper.stop()
  await boot()
  expect(await level('exempt')).toMatchObject({ spec: { type: 'Exempt', exempt: { nominalConcurrencyShares: 10, lendablePercent: 50 } }, metadata: { annotations: { [autoUpdate]: 'true' } } })
})

it('keeps what it suggests, unless it is told that somebody else does', async () => {
  const change = async (mark: string) => {
    const current = await level('workload-low')
    const limited = { ...current.spec.limited!, nominalConcurrencyShares: 1 }
    await client.update(flowcontrol.prioritylevelconfigurations, { ...current, metadata: { ...current.metadata, annotations: { [autoUpdate]: mark } }, spec: { ...current.spec, limited } })
  }
  await change('true')
  await expect.poll(async () => (await level('workload-low')).spec.limited?.nominalConcurrencyShares).toBe(100)
  await change('false')
  await keeper.stop()
  await boot()
  expect((await level('workload-low')).spec.limited?.nominalConcurrencyShares).toBe(1)
})

it('reads its mark as Kubernetes does, and takes away what an older release suggested', async () => {
  await keeper.stop()
  for (const [name, mark] of [['node-high', 'F'], ['system', 'True']] as const) {
    await client.delete(flowcontrol.prioritylevelconfigurations, name)
    await client.create(flowcontrol.prioritylevelconfigurations, { metadata: { name, annotations: { [autoUpdate]: mark } }, spec: { type: 'Limited', limited: { nominalConcurrencyShares: 7, limitResponse: { type: 'Reject' } } } })
  }
  const older = (name: string, mark: string) => client.create(flowcontrol.flowschemas, { metadata: { name, annotations: { [autoUpdate]: mark } }, spec: { priorityLevelConfiguration: { name: 'system' }, matchingPrecedence: 150, rules: [] } })
  await older('endpoint-controller', '1')
  await older('workload-leader-election', 'False')
  await boot()
  await expect.poll(async () => (await level('system')).spec.limited?.nominalConcurrencyShares).toBe(30)
  await expect.poll(() => schema('endpoint-controller').then(() => 'there', (error: unknown) => isNotFound(error))).toBe(true)
  expect((await level('system')).metadata.annotations).toEqual({ [autoUpdate]: 'True' })
  expect(await level('node-high')).toMatchObject({ spec: { limited: { nominalConcurrencyShares: 7 } }, metadata: { annotations: { [autoUpdate]: 'F' } } })
  expect((await schema('workload-leader-election')).spec.matchingPrecedence).toBe(150)
})

it('takes an object without a mark for its own only as long as nobody has changed it', async () => {
  await keeper.stop()
  for (const [name, changed] of [['node-high', false], ['system', true]] as const) {
    await client.delete(flowcontrol.prioritylevelconfigurations, name)
    const made = await client.create(flowcontrol.prioritylevelconfigurations, { metadata: { name }, spec: { type: 'Limited', limited: { nominalConcurrencyShares: 7, limitResponse: { type: 'Reject' } } } })
    if (changed) await client.update(flowcontrol.prioritylevelconfigurations, { ...made, spec: { ...made.spec, limited: { ...made.spec.limited!, nominalConcurrencyShares: 8 } } })
  }
  await boot()
  expect((await level('node-high')).spec.limited?.nominalConcurrencyShares).toBe(40)
  await expect.poll(async () => (await level('system')).metadata.annotations).toEqual({ [autoUpdate]: 'false' })
  expect((await level('system')).spec.limited?.nominalConcurrencyShares).toBe(8)
})

it('says of a schema whether its level is there', async () => {
  await client.create(flowcontrol.flowschemas, { metadata: { name: 'mine' }, spec: { priorityLevelConfiguration: { name: 'none' }, rules: [] } })
  await expect.poll(() => dangling('mine')).toMatchObject({ status: 'True', reason: 'NotFound', message: 'This FlowSchema references the PriorityLevelConfiguration object named "none" but there is no such object' })
  await client.create(flowcontrol.prioritylevelconfigurations, { metadata: { name: 'none' }, spec: { type: 'Limited', limited: { limitResponse: { type: 'Reject' } } } })
  await expect.poll(() => dangling('mine')).toMatchObject({ status: 'False', reason: 'Found', message: 'This FlowSchema references the PriorityLevelConfiguration object named "none" and it exists' })
})
