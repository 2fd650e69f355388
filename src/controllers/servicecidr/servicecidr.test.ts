import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { networking } from '../../api/index.ts'
import { createBench, settle, type Bench } from '../testing/bench.ts'
import { covers, finalizer, mayGo, startServiceCidrController } from './servicecidr.ts'

let bench: Bench
beforeEach(async () => {
  bench = createBench()
  await bench.start(startServiceCidrController)
})
afterEach(() => bench.stop())

const get = (name: string) => bench.client.stored(networking.servicecidrs).get(name)
const range = (name: string, ...cidrs: string[]) => bench.client.create(networking.servicecidrs, { metadata: { name }, spec: { cidrs } })
const address = (name: string) => bench.client.create(networking.ipaddresses, { metadata: { name }, spec: { parentRef: { resource: 'services', namespace: 'default', name: 'web' } } })
const readyOf = (name: string) => get(name)?.status.conditions?.find((c) => c.type === 'Ready')

describe('a range of service addresses', () => {
  it('is kept by a finalizer and may be used', async () => {
    await range('new', '10.97.0.0/24')
    await settle()
    expect(get('new')?.metadata.finalizers).toEqual([finalizer])
    expect(readyOf('new')).toMatchObject({ status: 'True', message: 'Kubernetes Service CIDR is ready' })
  })

  it('stays while services have addresses of it, says why, and goes when they are gone', async () => {
    await range('new', '10.97.0.0/24')
    await address('10.97.0.7')
    await settle()
    await bench.client.delete(networking.servicecidrs, 'new')
    await settle()
    expect(readyOf('new')).toMatchObject({ status: 'False', reason: 'Terminating', message: 'There are still IPAddresses referencing the ServiceCIDR, please remove them or create a new ServiceCIDR' })
    await bench.client.delete(networking.ipaddresses, '10.97.0.7')
    await bench.clock.advance(11_000)
    await settle()
    expect(get('new')).toBeUndefined()
  })

  it('goes at once under addresses that another range has too, but never before the allocator has heard of it', async () => {
    await range('new', '10.97.0.0/24')
    await range('wide', '10.97.0.0/16')
    await address('10.97.0.7')
    await settle()
    await bench.client.delete(networking.servicecidrs, 'new')
    await bench.clock.advance(9_000)
    await settle()
    expect(get('new')).toBeDefined()
    await bench.clock.advance(2_000)
    await settle()
    expect(get('new')).toBeUndefined()
  })

  it('writes nothing at rest', async () => {
    await range('new', '10.97.0.0/24')
    await settle()
    const before = get('new')?.metadata.resourceVersion
    await bench.clock.advance(600_000)
    await settle()
    expect(get('new')?.metadata.resourceVersion).toBe(before)
  })
})

it('knows which blocks lie within which', () => {
  expect([covers('10.96.0.0/12', '10.97.0.0/16'), covers('10.97.0.0/16', '10.96.0.0/12'), covers('fd00::/64', 'fd00::/112'), covers('10.0.0.0/8', 'fd00::/112')]).toEqual([true, false, true, false])
})

it('lets a range go for the addresses that others have, one by one', () => {
  const cidr = (name: string, ...cidrs: string[]) => ({ metadata: { name }, spec: { cidrs }, status: {} }) as unknown as networking.ServiceCIDR
  const taken = ['10.97.0.1', '10.97.1.1'].map((name) => ({ metadata: { name } }) as unknown as networking.IPAddress)
  expect(mayGo(cidr('a', '10.97.0.0/16'), [cidr('b', '10.97.0.0/24'), cidr('c', '10.97.1.0/24')], taken)).toBe(true)
  expect(mayGo(cidr('a', '10.97.0.0/16'), [cidr('b', '10.97.0.0/24')], taken)).toBe(false)
})
