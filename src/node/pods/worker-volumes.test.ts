import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { core } from '../../api/index.ts'
import { startTestNode, type TestNode } from '../testing/node.ts'
import { RuntimeError } from '../runtime/driver.ts'

let node: TestNode
beforeEach(async () => { node = await startTestNode() })
afterEach(() => node.close())

describe('volumes', () => {
  const slowly = { timeout: 10_000 }
  const data = () => readdirSync(node.directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.name === '..data').map((entry) => entry.parentPath)
  const conf = (name: string, value: string) => ({ metadata: { name, namespace: 'default' }, data: { a: value } })
  const volumes = ['gone', 'conf'].map((name) => ({ name, configMap: { name } }))

  it('are brought up to date beside one that cannot be, which an event tells', slowly, async () => {
    for (const name of ['gone', 'conf']) await node.client.create(core.configmaps, conf(name, '0'))
    await node.create('web', { volumes })
    await expect.poll(data, slowly).toHaveLength(2)
    await node.client.delete(core.configmaps, 'gone', { namespace: 'default' })
    node.client.edit(core.configmaps, 'default/conf', () => conf('conf', '1'))
    await expect.poll(() => data().map((volume) => readFileSync(join(volume, 'a'), 'utf8')).toSorted(), slowly).toEqual(['0', '1'])
    await expect.poll(() => node.events('web'), slowly).toContain('FailedMount: MountVolume.SetUp failed for volume "gone" : configmap "gone" not found')
  })

  /** Answers to `get` of ConfigMaps come when told. */
  const held = () => {
    const gate = Promise.withResolvers<void>()
    const get = node.client.get
    const spy = vi.spyOn(node.client, 'get').mockImplementation(async (resource: Parameters<typeof get>[0], ...rest) => {
      const answer = get(resource, ...rest)
      if (resource.plural === 'configmaps') await gate.promise
      return answer
    })
    return { open: gate.resolve, spy }
  }
  const leftovers = () => readdirSync(node.directory, { recursive: true, withFileTypes: true }).filter((entry) => entry.parentPath.includes('kubernetes.io~'))

  it('that are still being written are removed when that is done, and not before', slowly, async () => {
    for (const name of ['gone', 'conf']) await node.client.create(core.configmaps, conf(name, '0'))
    await node.create('web', { volumes })
    await expect.poll(() => node.runtime.container('main')?.state, slowly).toBe('running')
    const { open } = held()
    for (const name of ['gone', 'conf']) node.client.edit(core.configmaps, `default/${name}`, () => conf(name, '1'))
    for (const worker of node.workers.values()) worker.refreshVolumes()
    await node.delete('web')
    expect(node.released('web')).toBe(false)
    open()
    await vi.waitFor(() => expect(node.released('web')).toBe(true), slowly)
    expect(leftovers()).toEqual([])
  })

  it('that are made while their sandbox fails are waited for', slowly, async () => {
    for (const name of ['gone', 'conf']) await node.client.create(core.configmaps, conf(name, '0'))
    const { open } = held()
    node.runtime.onCall = (call) => { if (call.startsWith('run')) throw new RuntimeError('failed', 'no network') }
    await node.create('web', { volumes })
    await node.delete('web')
    expect(node.released('web')).toBe(false)
    open()
    await vi.waitFor(() => expect(node.released('web')).toBe(true), slowly)
    expect(leftovers()).toEqual([])
  })

  it('are left alone in a pod that is about to end: what they show may be gone already', slowly, async () => {
    for (const name of ['gone', 'conf']) await node.client.create(core.configmaps, conf(name, '0'))
    node.runtime.stubborn.add('main')
    await node.create('web', { volumes })
    await expect.poll(() => node.runtime.container('main')?.state, slowly).toBe('running')
    for (const name of ['gone', 'conf']) await node.client.delete(core.configmaps, name, { namespace: 'default' })
    for (const worker of node.workers.values()) worker.evict('Evicted', 'for a test')
    await node.pass(0)
    expect(node.runtime.calls.at(-1)).toBe('stop main 2')
    for (const worker of node.workers.values()) worker.refreshVolumes()
    await node.pass(0)
    expect(node.events('web').join()).not.toContain('FailedMount')
  })

  it('that are brought up to date several times at once end with what is newest, and nothing beside it', { timeout: 30_000 }, async () => {
    await node.client.create(core.configmaps, { metadata: { name: 'conf', namespace: 'default' }, data: { a: '0' } })
    await node.create('web', { volumes: [{ name: 'v', configMap: { name: 'conf' } }] })
    const worker = [...node.workers.values()][0]!
    const data = () => readdirSync(node.directory, { recursive: true, withFileTypes: true }).find((entry) => entry.name === '..data')
    await expect.poll(data, slowly).toBeDefined()
    const volume = data()!.parentPath
    for (let i = 1; i <= 20; i++) {
      node.client.edit(core.configmaps, 'default/conf', (map) => ({ ...map, data: { a: String(i) } }))
      worker.refreshVolumes()
      await new Promise((resolve) => setTimeout(resolve, i % 3))
    }
    await expect.poll(() => readFileSync(join(volume, 'a'), 'utf8'), slowly).toBe('20')
    await expect.poll(() => readdirSync(volume).filter((name) => name.startsWith('..') && name !== '..data'), slowly).toHaveLength(1)
  })
})
