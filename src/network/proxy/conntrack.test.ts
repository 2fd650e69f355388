import { describe, expect, it } from 'vitest'
import { quiet } from '../../machinery/log.ts'
import { CommandError } from '../host/run.ts'
import { createFlowCleaner, staleFlows } from './conntrack.ts'

const target = (ip: string) => ({ ip, port: 53, local: false })
const udp = (...ips: string[]) => ({ ip: '10.96.0.1', port: 53, protocol: 'udp', targets: ips.map(target) })

describe('UDP connections', () => {
  it('are forgotten when their endpoint goes', () => {
    expect(staleFlows([udp('10.0.0.1', '10.0.0.2')], [udp('10.0.0.2')])).toEqual([['-D', '-p', 'udp', '--orig-dst', '10.96.0.1', '--orig-port-dst', '53', '--dst-nat', '10.0.0.1']])
    expect(staleFlows([udp('10.0.0.1')], [])).toHaveLength(1)
  })

  it('are forgotten when the first endpoint comes, since they lead nowhere', () => {
    expect(staleFlows([udp()], [udp('10.0.0.1')])).toEqual([['-D', '-p', 'udp', '--orig-dst', '10.96.0.1', '--orig-port-dst', '53']])
    expect(staleFlows([{ port: 30_053, protocol: 'udp', targets: [] }], [{ port: 30_053, protocol: 'udp', targets: [target('10.0.0.1')] }])).toEqual([['-D', '-p', 'udp', '--orig-port-dst', '30053']])
  })

  it('are left alone when an endpoint is added, and TCP always', () => {
    expect(staleFlows([udp('10.0.0.1')], [udp('10.0.0.1', '10.0.0.2')])).toEqual([])
    const tcp = (...ips: string[]) => ({ ...udp(...ips), protocol: 'tcp' })
    expect(staleFlows([tcp('10.0.0.1')], [tcp()])).toEqual([])
  })

  it('are not asked about again once the tool is known to be missing, with one warning', async () => {
    const warnings: unknown[] = []
    let calls = 0
    const cleaner = createFlowCleaner({ ...quiet, warn: (...args) => warnings.push(args) }, async () => {
      calls++
      throw new CommandError('conntrack', [], undefined, 'spawn conntrack ENOENT')
    })
    await cleaner.clean([['-D'], ['-D']])
    await cleaner.clean([['-D']])
    expect([calls, warnings.length]).toEqual([1, 1])
  })
})
