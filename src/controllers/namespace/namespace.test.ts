import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { core } from '../../api/index.ts'
import { startServiceAccountController, startRootCaPublisher } from '../serviceaccount/serviceaccount.ts'
import { createBench, settle, type Bench } from '../testing/bench.ts'
import { startNamespaceController } from './namespace.ts'

let bench: Bench
beforeEach(() => { bench = createBench() })
afterEach(() => bench.stop())

const create = (name: string) => bench.client.create(core.namespaces, { metadata: { name }, spec: { finalizers: ['kubernetes'] }, status: { phase: 'Active' } })
const shop = () => bench.client.stored(core.namespaces).get('shop')

describe('a namespace that is deleted', () => {
  it('takes everything in it along, and only that', async () => {
    await bench.start(startNamespaceController)
    await create('shop')
    for (const namespace of ['shop', 'other']) {
      await bench.client.create(core.configmaps, { metadata: { name: 'c', namespace } })
      await bench.client.create(core.pods, { metadata: { name: 'p', namespace }, spec: { containers: [] } })
    }
    await bench.client.delete(core.namespaces, 'shop')
    await settle(60)
    expect(shop()).toBeUndefined()
    expect([...bench.client.stored(core.configmaps).keys(), ...bench.client.stored(core.pods).keys()]).toEqual(['other/c', 'other/p'])
  })

  it('waits for its pods before it deletes what they may need, and says what is left', async () => {
    await bench.start(startNamespaceController)
    await create('shop')
    await bench.client.create(core.configmaps, { metadata: { name: 'c', namespace: 'shop' } })
    await bench.client.create(core.pods, { metadata: { name: 'p', namespace: 'shop', finalizers: ['test/hold'] }, spec: { containers: [] } })
    await bench.client.delete(core.namespaces, 'shop')
    await bench.clock.advance(3000)
    expect(bench.client.stored(core.configmaps).size).toBe(1)
    const condition = (type: string) => shop()?.status.conditions?.find((c) => c.type === type)
    expect(condition('NamespaceContentRemaining')).toMatchObject({ status: 'True', reason: 'SomeResourcesRemain', message: 'Some resources are remaining: pods. has 1 resource instances' })
    expect(condition('NamespaceFinalizersRemaining')).toMatchObject({ status: 'True', message: 'Some content in the namespace has finalizers remaining: test/hold in 1 resource instances' })
    bench.client.edit(core.pods, 'shop/p', (p) => ({ ...p, metadata: { ...p.metadata, finalizers: [] } }))
    await bench.clock.advance(20_000)
    expect(shop()).toBeUndefined()
    expect(bench.client.stored(core.configmaps).size).toBe(0)
  })
})

describe('every namespace', () => {
  it('gets a default service account, again when someone deletes it, but not while it goes', async () => {
    await bench.start(startServiceAccountController)
    await create('shop')
    await settle()
    expect([...bench.client.stored(core.serviceaccounts).keys()]).toEqual(['shop/default'])
    await bench.client.delete(core.serviceaccounts, 'default', { namespace: 'shop' })
    await settle()
    expect(bench.client.stored(core.serviceaccounts).size).toBe(1)
    await bench.client.delete(core.namespaces, 'shop')
    await bench.client.delete(core.serviceaccounts, 'default', { namespace: 'shop' })
    await settle()
    expect(bench.client.stored(core.serviceaccounts).size).toBe(0)
  })

  it('gets the cluster\'s authority, and keeps it as it is', async () => {
    await bench.start((context) => startRootCaPublisher(context, 'PEM'))
    await create('shop')
    await settle()
    const map = () => bench.client.stored(core.configmaps).get('shop/kube-root-ca.crt')
    expect(map()?.data).toEqual({ 'ca.crt': 'PEM' })
    bench.client.edit(core.configmaps, 'shop/kube-root-ca.crt', (c) => ({ ...c, data: { 'ca.crt': 'forged' } }))
    await settle()
    expect(map()?.data).toEqual({ 'ca.crt': 'PEM' })
    bench.client.edit(core.configmaps, 'shop/kube-root-ca.crt', (c) => ({ ...c, metadata: { ...c.metadata, annotations: { own: 'a' } } }))
    await settle()
    expect(map()?.metadata.annotations).toMatchObject({ own: 'a', 'kubernetes.io/description': expect.stringContaining('CA bundle') as string })
  })
})
