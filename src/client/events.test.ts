import { beforeEach, describe, expect, it } from 'vitest'
import { core } from '../api/index.ts'
import { FakeClock } from '../machinery/clock.ts'
import { forbidden } from '../machinery/errors.ts'
import { quiet } from '../machinery/log.ts'
import { createRecorder, type EventRecorder } from './events.ts'
import { createMemoryClient, type MemoryClient } from './testing/memory-client.ts'

let clock: FakeClock
let client: MemoryClient
let recorder: EventRecorder
const pod = { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'web', namespace: 'shop', uid: 'u1', resourceVersion: '7' } }
const events = () => [...client.stored(core.events).values()]

beforeEach(() => {
  clock = new FakeClock(Date.parse('2026-03-01T10:00:00Z'))
  client = createMemoryClient(clock)
  recorder = createRecorder(client, { component: 'test-controller', host: 'node-1', clock, log: quiet })
})

describe('an event recorder', () => {
  it('writes an event about the object, in its namespace', async () => {
    recorder.event(pod, 'Normal', 'Started', 'Started container web')
    await recorder.flush()
    expect(events()).toMatchObject([{
      metadata: { namespace: 'shop', name: expect.stringMatching(/^web\.[0-9a-f]+$/) as unknown },
      involvedObject: { kind: 'Pod', apiVersion: 'v1', name: 'web', namespace: 'shop', uid: 'u1', resourceVersion: '7' },
      type: 'Normal', reason: 'Started', message: 'Started container web', count: 1,
      firstTimestamp: '2026-03-01T10:00:00Z', lastTimestamp: '2026-03-01T10:00:00Z',
      source: { component: 'test-controller', host: 'node-1' }, reportingComponent: 'test-controller',
    }])
  })

  it('puts events about cluster-scoped objects in the default namespace', async () => {
    recorder.event({ kind: 'Node', apiVersion: 'v1', metadata: { name: 'n1' } }, 'Normal', 'NodeReady', 'ready')
    await recorder.flush()
    expect(events()[0]?.metadata.namespace).toBe('default')
  })

  it('counts the same event in one object', async () => {
    for (let i = 0; i < 3; i++) {
      recorder.event(pod, 'Warning', 'BackOff', 'Back-off restarting failed container')
      await recorder.flush()
      await clock.advance(10_000)
    }
    expect(events()).toMatchObject([{ count: 3, firstTimestamp: '2026-03-01T10:00:00Z', lastTimestamp: '2026-03-01T10:00:20Z' }])
  })

  it('puts a tenth different message of one reason together with those that follow', async () => {
    for (let i = 0; i < 14; i++) recorder.event(pod, 'Normal', 'SuccessfulCreate', `Created pod: web-${i}`)
    await recorder.flush()
    expect(events()).toHaveLength(10)
    expect(events().at(-1)).toMatchObject({ count: 5, message: '(combined from similar events): Created pod: web-13' })
  })

  it('cuts off a flood about one object, and lets one through every five minutes', async () => {
    const total = () => events().reduce((sum, e) => sum + (e.count ?? 0), 0)
    for (let i = 0; i < 40; i++) recorder.event(pod, 'Warning', 'BackOff', 'again')
    await recorder.flush()
    expect(total()).toBe(25)
    await clock.advance(300_000)
    for (let i = 0; i < 5; i++) recorder.event(pod, 'Warning', 'BackOff', 'again')
    await recorder.flush()
    expect(total()).toBe(26)
  })

  it('writes a new event when the one it counted in is gone', async () => {
    recorder.event(pod, 'Normal', 'Pulled', 'x')
    await recorder.flush()
    await client.delete(core.events, events()[0]?.metadata.name ?? '', { namespace: 'shop' })
    recorder.event(pod, 'Normal', 'Pulled', 'x')
    await recorder.flush()
    expect(events()).toMatchObject([{ count: 1 }])
  })

  it('gives up at once when the server refuses, and tries again when it does not answer', async () => {
    client.onCall = () => { throw forbidden(core.events, '', 'namespace is being terminated') }
    recorder.event(pod, 'Normal', 'A', 'refused')
    await recorder.flush()
    let failures = 2
    client.onCall = () => { if (failures-- > 0) throw new Error('connection refused') }
    recorder.event(pod, 'Normal', 'B', 'late')
    await clock.advance(25_000)
    expect(events().map((e) => e.message)).toEqual(['late'])
  })
})
