import { afterEach, describe, expect, it } from 'vitest'
import { core } from '../../api/index.ts'
import { createBench, settle, type Bench } from '../testing/bench.ts'
import { formatCidr, parseCidr, part } from './cidr.ts'
import { parseRanges, startNodeIpamController } from './nodeipam.ts'

let bench: Bench | undefined
afterEach(() => bench?.stop())

async function start(cidr: string): Promise<Bench> {
  bench = createBench()
  await bench.start((context) => startNodeIpamController(context, cidr))
  return bench
}
const cidrs = (b: Bench) => [...b.client.stored(core.nodes).values()].map((n) => n.spec.podCIDRs?.join() ?? '')

describe('node IPAM', () => {
  it('gives each node its own part', async () => {
    const b = await start('10.42.0.0/16')
    for (const name of ['a', 'b', 'c']) await b.client.create(core.nodes, { metadata: { name } })
    await settle()
    expect(cidrs(b)).toEqual(['10.42.0.0/24', '10.42.1.0/24', '10.42.2.0/24'])
    expect(b.client.stored(core.nodes).get('a')?.spec.podCIDR).toBe('10.42.0.0/24')
  })

  it('leaves what a node has, gives no part twice, and gives again what a node that went had', async () => {
    const b = await start('10.42.0.0/16')
    await b.client.create(core.nodes, { metadata: { name: 'a' }, spec: { podCIDR: '10.42.0.0/23', podCIDRs: ['10.42.0.0/23'] } })
    await b.client.create(core.nodes, { metadata: { name: 'b' } })
    await settle()
    expect(cidrs(b)).toEqual(['10.42.0.0/23', '10.42.2.0/24'])
    await b.client.delete(core.nodes, 'a')
    await b.client.create(core.nodes, { metadata: { name: 'c' } })
    await settle()
    expect(cidrs(b)).toEqual(['10.42.2.0/24', '10.42.0.0/24'])
  })

  it('says when nothing is left', async () => {
    const b = await start('10.42.0.0/24')
    for (const name of ['a', 'b']) await b.client.create(core.nodes, { metadata: { name } })
    await settle()
    expect(cidrs(b)).toEqual(['10.42.0.0/24', ''])
    expect(b.events('CIDRNotAvailable')).not.toEqual([])
  })

  it('gives a part of each family', async () => {
    const b = await start('10.42.0.0/16,fd00:42::/48')
    await b.client.create(core.nodes, { metadata: { name: 'a' } })
    await settle()
    expect(cidrs(b)).toEqual(['10.42.0.0/24,fd00:42::/64'])
  })

  it('refuses what is no address range', () => {
    expect(() => parseRanges('10.42.0.0', undefined)).toThrow('no address range')
    expect(() => parseRanges('10.42.0.0/16', 8)).toThrow('cannot have a /8')
  })
})

describe('address ranges', () => {
  for (const [text, canonical] of [['10.42.3.9/16', '10.42.0.0/16'], ['fd00:0:0:1::/64', 'fd00:0:0:1::/64'], ['::/0', '::/0'], ['fd00::ffff:10.0.0.1/128', 'fd00::ffff:a00:1/128'], ['1:0:0:2:0:0:0:3/128', '1:0:0:2::3/128']] as const) {
    it(`${text} is ${canonical}`, () => expect(formatCidr(parseCidr(text))).toBe(canonical))
  }
  it('are cut into parts', () => expect(formatCidr(part(parseCidr('fd00:42::/48'), 64, 258))).toBe('fd00:42:0:102::/64'))
})
