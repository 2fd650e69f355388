import { Agent, createServer, request, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../machinery/clock.ts'
import { createHolds, type Holds } from './hold.ts'
import type { Flow } from './level.ts'

const flowOf = (waiting: number): Flow => ({ distinguisher: 'ana', hand: [0], executing: 0, waiting, held: [], coming: 0, round: -1 })

let clock: FakeClock
let holds: Holds
let server: Server
let agent: Agent
/** Paths of requests that the server has read. */
let seen: string[]
/** Whose request comes next. */
let flow: Flow

beforeEach(async () => {
  clock = new FakeClock()
  holds = createHolds(clock)
  seen = []
  agent = new Agent({ keepAlive: true, maxSockets: 1 })
  server = createServer((raw: IncomingMessage, response) => {
    seen.push(raw.url ?? '')
    raw.resume().on('end', () => {
      response.end()
      holds.answered(flow, raw)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})

afterEach(() => {
  agent.destroy()
  server.closeAllConnections()
  server.close()
})

/** A request on the one connection; resolves when it is answered. */
const ask = (path: string, body?: string): Promise<void> => new Promise((resolve, reject) => {
  const { port } = server.address() as AddressInfo
  request({ port, host: '127.0.0.1', path, agent, method: body === undefined ? 'GET' : 'POST' }, (answer) => answer.resume().on('end', () => resolve())).on('error', reject).end(body)
})

describe('a connection whose request has been answered', () => {
  it('is read again at once while few of its flow wait', async () => {
    flow = flowOf(3)
    for (const path of ['/a', '/b', '/c']) await ask(path)
    expect(seen).toEqual(['/a', '/b', '/c'])
  })

  it.each([undefined, '{}'])('is read again when few of its flow are left that wait (body %s)', async (body) => {
    flow = flowOf(40)
    await ask('/a', body)
    await ask('/b', body)
    const last = ask('/c', body)
    for (let i = 0; i < 50; i++) await new Promise((resolve) => setImmediate(resolve))
    expect([seen, flow.held.length]).toEqual([['/a', '/b'], 1])
    holds.left(flow)
    expect(flow.held).toHaveLength(1)
    flow.waiting = 5
    holds.left(flow)
    await last
    expect(seen).toEqual(['/a', '/b', '/c'])
  })

  it('is read again after a quarter of a second, whatever becomes of its flow', async () => {
    flow = flowOf(40)
    await ask('/a')
    await ask('/b')
    const last = ask('/c')
    await clock.advance(200)
    expect(seen).toEqual(['/a', '/b'])
    await clock.advance(100)
    await last
    expect(seen).toEqual(['/a', '/b', '/c'])
  })

  it('is never held once it has brought requests of several flows: the next may be of a third', async () => {
    const others = flowOf(40)
    flow = flowOf(40)
    await ask('/a')
    flow = others
    await ask('/b')
    for (const path of ['/c', '/d', '/e']) await ask(path)
    expect([seen, others.held]).toEqual([['/a', '/b', '/c', '/d', '/e'], []])
  })

  it('may be gone when its turn to be read comes', async () => {
    flow = flowOf(40)
    await ask('/a')
    await ask('/b')
    expect(flow.held).toHaveLength(1)
    agent.destroy()
    server.closeAllConnections()
    await clock.advance(300)
    expect(flow.held).toHaveLength(0)
    await ask('/c')
    expect(seen).toEqual(['/a', '/b', '/c'])
  })
})

describe('connections that are read again', () => {
  /** A flow with held connections; `resumed` counts those that are read. */
  const crowded = (count: number) => {
    const crowd = flowOf(40)
    let resumed = 0
    const sockets = Array.from({ length: count }, () => ({ pause: () => undefined, resume: () => void resumed++, destroyed: false }))
    const raws = sockets.map((socket) => ({ httpVersionMajor: 1, complete: true, socket }) as unknown as IncomingMessage)
    for (const raw of [...raws, ...raws]) holds.answered(crowd, raw)
    expect(crowd.held).toHaveLength(count)
    return { crowd, raws, resumed: () => resumed }
  }

  it('are only as many as there may be requests that wait', () => {
    const { crowd, raws, resumed } = crowded(20)
    crowd.waiting = 4
    holds.left(crowd)
    expect(resumed()).toBe(2)
    crowd.waiting = 3
    holds.left(crowd)
    expect(resumed()).toBe(3)
    // One of them has brought its request.
    holds.arrived(raws[0]!)
    crowd.waiting = 4
    holds.left(crowd)
    expect(resumed()).toBe(3)
  })

  it('make room for others when they bring nothing', async () => {
    const { crowd, resumed } = crowded(20)
    crowd.waiting = 0
    holds.left(crowd)
    expect(resumed()).toBe(6)
    await clock.advance(40)
    expect(resumed()).toBeGreaterThanOrEqual(12)
    await clock.advance(60)
    expect([resumed(), crowd.held.length]).toEqual([20, 0])
    await clock.advance(100)
    expect(crowd.coming).toBe(0)
  })

  it('may bring a request of another flow, which is then expected of nobody', () => {
    const { crowd, raws } = crowded(20)
    const others = flowOf(40)
    crowd.waiting = 0
    holds.left(crowd)
    expect(crowd.coming).toBe(6)
    holds.arrived(raws[0]!)
    holds.answered(others, raws[0]!)
    expect([crowd.coming, others.coming, others.held.length]).toEqual([5, 0, 0])
  })
})
