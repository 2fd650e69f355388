import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apps, core, type In, type meta } from '../../api/index.ts'
import { ownerReference } from '../../machinery/meta.ts'
import { createBench, settle, type Bench } from '../testing/bench.ts'
import { startGarbageCollector } from './garbagecollector.ts'

let bench: Bench
beforeEach(async () => {
  bench = createBench()
  await bench.start(startGarbageCollector)
  await settle(40)
})
afterEach(() => bench.stop())

const names = () => [...bench.client.stored(core.configmaps).keys()].map((key) => key.replace('default/', '')).sort()
const get = (name: string) => bench.client.stored(core.configmaps).get(`default/${name}`) as core.ConfigMap
async function create(name: string, owners: readonly meta.OwnerReference[] = [], over: Partial<In<typeof core.ConfigMap>['metadata']> = {}): Promise<core.ConfigMap> {
  return bench.client.create(core.configmaps, { metadata: { name, namespace: 'default', ...(owners.length > 0 ? { ownerReferences: owners } : {}), ...over } })
}
const gone = (name = 'ghost'): meta.OwnerReference => ({ apiVersion: 'v1', kind: 'ConfigMap', name, uid: 'never-was' })
const remove = (name: string, propagationPolicy?: 'Orphan' | 'Background' | 'Foreground') => bench.client.delete(core.configmaps, name, { namespace: 'default', ...(propagationPolicy ? { propagationPolicy } : {}) })

describe('in the background', () => {
  it('what an owner leaves behind is deleted, and what that leaves behind', async () => {
    const a = await create('a')
    const b = await create('b', [ownerReference(a)])
    await create('c', [ownerReference(b)])
    await create('other')
    await settle()
    await remove('a')
    await settle(60)
    expect(names()).toEqual(['other'])
  })

  it('what has another owner stays, without the reference to the one that went', async () => {
    const a = await create('a')
    const b = await create('b')
    await create('c', [ownerReference(a), ownerReference(b, { controller: false })])
    await settle()
    await remove('a')
    await settle(60)
    expect(names()).toEqual(['b', 'c'])
    expect(get('c').metadata.ownerReferences?.map((o) => o.name)).toEqual(['b'])
  })

  it('what is given another owner in the last moment stays', async () => {
    const b = await create('b')
    bench.client.onCall = ({ verb, name }) => {
      if (verb !== 'delete' || name !== 'c') return
      bench.client.onCall = undefined
      bench.client.edit(core.configmaps, 'default/c', (c) => ({ ...c, metadata: { ...c.metadata, ownerReferences: [ownerReference(b)] } }))
    }
    await create('c', [gone()])
    await bench.clock.advance(5000)
    expect(bench.client.onCall).toBeUndefined()
    expect(names()).toEqual(['b', 'c'])
  })

  it('what is made with an owner that does not exist is deleted', async () => {
    await create('c', [gone()])
    await bench.clock.advance(2000)
    expect(names()).toEqual([])
  })

  it('an owner of the same name but another uid does not count', async () => {
    const a = await create('a')
    await create('c', [ownerReference(a)])
    await settle()
    await remove('a')
    await create('a')
    await settle(60)
    expect(names()).toEqual(['a'])
  })

  it('nothing is deleted for an owner of a kind that is not served', async () => {
    await create('c', [{ apiVersion: 'example.com/v1', kind: 'Widget', name: 'w', uid: 'w1' }])
    await bench.clock.advance(10_000)
    expect(names()).toEqual(['c'])
  })

  it('an object seen before its owner is left alone', async () => {
    const rs = await bench.client.create(apps.replicasets, { metadata: { name: 'r', namespace: 'default' }, spec: { selector: {}, template: { spec: { containers: [] } } } })
    await create('c', [ownerReference(rs)])
    await bench.clock.advance(10_000)
    expect(names()).toEqual(['c'])
  })

  it('an owner in another namespace is no owner', async () => {
    const far = await bench.client.create(core.configmaps, { metadata: { name: 'a', namespace: 'elsewhere' } })
    await create('c', [ownerReference(far)])
    await settle()
    bench.client.edit(core.configmaps, 'default/c', (c) => ({ ...c, metadata: { ...c.metadata, ownerReferences: [ownerReference(far), gone()] } }))
    await bench.clock.advance(2000)
    expect(names()).toEqual(['elsewhere/a'])
    expect(bench.events('OwnerRefInvalidNamespace').length).toBeGreaterThan(0)
  })
})

describe('in the foreground', () => {
  it('the owner stays until what blocks it is gone', async () => {
    const a = await create('a')
    await create('held', [ownerReference(a)], { finalizers: ['test/hold'] })
    await create('b', [ownerReference(a)])
    await settle()
    await remove('a', 'Foreground')
    await settle(60)
    expect(names()).toEqual(['a', 'held'])
    expect(get('held').metadata.deletionTimestamp).toBeDefined()
    bench.client.edit(core.configmaps, 'default/held', (c) => ({ ...c, metadata: { ...c.metadata, finalizers: [] } }))
    await settle(60)
    expect(names()).toEqual([])
  })

  it('what does not block the owner does not hold it up', async () => {
    const a = await create('a')
    await create('held', [ownerReference(a, { blockOwnerDeletion: false })], { finalizers: ['test/hold'] })
    await settle()
    await remove('a', 'Foreground')
    await settle(60)
    expect(names()).toEqual(['held'])
  })

  it('dependents of dependents go first', async () => {
    const a = await create('a')
    const b = await create('b', [ownerReference(a)])
    await create('c', [ownerReference(b)], { finalizers: ['test/hold'] })
    await settle()
    await remove('a', 'Foreground')
    await settle(60)
    expect(names()).toEqual(['a', 'b', 'c'])
    expect(get('b').metadata.finalizers).toContain('foregroundDeletion')
    bench.client.edit(core.configmaps, 'default/c', (c) => ({ ...c, metadata: { ...c.metadata, finalizers: [] } }))
    await settle(80)
    expect(names()).toEqual([])
  })
})

describe('orphaning', () => {
  it('lets dependents live on without the owner', async () => {
    const a = await create('a')
    await create('b', [ownerReference(a)])
    await settle()
    await remove('a', 'Orphan')
    await settle(60)
    expect(names()).toEqual(['b'])
    expect(get('b').metadata.ownerReferences).toBeUndefined()
  })
})

describe('at rest', () => {
  it('writes and reads nothing', async () => {
    const a = await create('a')
    await create('b', [ownerReference(a)])
    await bench.clock.advance(5000)
    const before = bench.client.calls.length
    let reads = 0
    const get = bench.client.get
    bench.client.get = ((...args: never[]) => { reads++; return (get as (...a: never[]) => unknown)(...args) }) as typeof bench.client.get
    bench.client.edit(core.configmaps, 'default/b', (c) => ({ ...c, data: { x: '1' } }))
    await bench.clock.advance(60_000)
    expect([bench.client.calls.length - before, reads]).toEqual([0, 0])
  })
})
