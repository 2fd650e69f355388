import { beforeEach, describe, expect, it } from 'vitest'
import { coordination } from '../api/index.ts'
import { FakeClock } from '../machinery/clock.ts'
import { quiet } from '../machinery/log.ts'
import { runLeaderElection } from './leader-election.ts'
import { createMemoryClient, type MemoryClient } from './testing/memory-client.ts'

let clock: FakeClock
let client: MemoryClient
let log: string[]

beforeEach(() => {
  clock = new FakeClock()
  client = createMemoryClient(clock)
  log = []
})

const candidate = (identity: string, over: MemoryClient = client) => runLeaderElection({
  client: over, lease: { namespace: 'kube-system', name: 'x' }, identity, clock, log: quiet,
  onStartedLeading: () => void log.push(`${identity} leads`),
  onStoppedLeading: () => void log.push(`${identity} stops`),
})
const lease = () => client.stored(coordination.leases).get('kube-system/x')

describe('leader election', () => {
  it('lets one lead, and another only after the first gave the lease back', async () => {
    const a = candidate('a')
    await clock.advance(100)
    const b = candidate('b')
    await clock.advance(60_000)
    expect(log).toEqual(['a leads'])
    await a.stop()
    await clock.advance(4000)
    expect(log).toEqual(['a leads', 'a stops', 'b leads'])
    expect(lease()?.spec).toMatchObject({ holderIdentity: 'b', leaseTransitions: 1, leaseDurationSeconds: 15 })
    await b.stop()
  })

  it('takes a lease that nobody renewed for its whole duration', async () => {
    await client.create(coordination.leases, {
      metadata: { namespace: 'kube-system', name: 'x' },
      spec: { holderIdentity: 'dead', leaseDurationSeconds: 15, leaseTransitions: 4 },
    })
    const b = candidate('b')
    await clock.advance(14_000)
    expect(log).toEqual([])
    await clock.advance(4000)
    expect(log).toEqual(['b leads'])
    expect(lease()?.spec.leaseTransitions).toBe(5)
    await b.stop()
  })

  it('stops leading when it could not renew for ten seconds', async () => {
    const a = candidate('a')
    await clock.advance(100)
    const get = client.get
    client.get = (() => Promise.reject(new Error('no route'))) as typeof client.get
    await clock.advance(9000)
    expect(log).toEqual(['a leads'])
    await clock.advance(4000)
    expect(log).toEqual(['a leads', 'a stops'])
    client.get = get
    await clock.advance(3000)
    expect(log).toEqual(['a leads', 'a stops', 'a leads'])
    await a.stop()
  })
})
