import { describe, expect, it } from 'vitest'
import { core } from '../api/index.ts'
import { createInformers } from '../client/informer.ts'
import { createMemoryClient } from '../client/testing/memory-client.ts'
import { FakeClock } from '../machinery/clock.ts'
import { quiet } from '../machinery/log.ts'
import { followRoutes } from './routes.ts'

const node = (name: string, ip: string, cidr: string) => ({ metadata: { name }, spec: { podCIDR: cidr, podCIDRs: [cidr] }, status: { addresses: [{ type: 'InternalIP', address: ip }, { type: 'Hostname', address: name }] } })

describe('routes to other nodes', () => {
  it('come and go with the nodes, and follow a node to another address', async () => {
    const clock = new FakeClock()
    const client = createMemoryClient(clock)
    const informers = createInformers(client, { clock, log: quiet })
    const calls: string[] = []
    const addresses: (readonly string[])[] = []
    const abort = new AbortController()
    await client.create(core.nodes, node('a', '192.0.2.1', '10.244.0.0/24') as never)
    const routes = followRoutes({ informers, log: quiet, nodeName: 'a', onAddresses: (list) => addresses.push(list), run: async (_, args) => { calls.push(args.slice(1).join(' ')); return '' } })
    informers.start(abort.signal)
    await clock.advance(0)
    expect(calls).toEqual([])
    await client.create(core.nodes, node('b', '192.0.2.2', '10.244.1.0/24') as never)
    await clock.advance(0)
    client.edit(core.nodes, 'b', (n) => ({ ...n, metadata: { ...n.metadata, labels: { x: 'y' } } }))
    await clock.advance(0)
    client.edit(core.nodes, 'b', (n) => ({ ...n, status: { ...n.status, addresses: [{ type: 'InternalIP', address: '192.0.2.3' }] } }))
    await clock.advance(0)
    await client.delete(core.nodes, 'b')
    await clock.advance(0)
    expect(calls).toEqual(['route replace 10.244.1.0/24 via 192.0.2.2', 'route replace 10.244.1.0/24 via 192.0.2.3', 'route delete 10.244.1.0/24'])
    expect(addresses).toEqual([['192.0.2.1'], ['192.0.2.1', '192.0.2.2'], ['192.0.2.1', '192.0.2.3'], ['192.0.2.1']])
    abort.abort()
    await routes.stop()
  })
})
