import { describe, expect, it } from 'vitest'
import { core } from '../api/index.ts'
import { FakeClock } from '../machinery/clock.ts'
import { decodeObject } from '../machinery/json.ts'
import { createHeap } from './heap.ts'
import type { Plugin } from './plugin.ts'
import { createQueue } from './queue.ts'

const podOf = (name: string, priority = 0, over: Record<string, unknown> = {}) => decodeObject(core.Pod, {
  metadata: { name, namespace: 'ns', uid: `uid-${name}` }, spec: { containers: [], priority, ...over },
}).object
const plugins: readonly Plugin[] = [{ name: 'Fit', wakes: ['pod deleted'] }, { name: 'Taint', wakes: ['node taints'] }]

function setUp() {
  const clock = new FakeClock()
  const queue = createQueue({ clock, plugins, ready: () => {} })
  const names = () => {
    const out: string[] = []
    for (let p = queue.next(); p; p = queue.next()) out.push(p.pod.metadata.name ?? '')
    return out
  }
  return { clock, queue, names }
}

describe('scheduling queue', () => {
  it('gives the highest priority first, and the one that waits longest among equals', async () => {
    const { clock, queue, names } = setUp()
    for (const [name, priority] of [['a', 0], ['b', 5], ['c', 0], ['d', 5]] as const) {
      queue.set(podOf(name, priority))
      await clock.advance(1)
    }
    expect(names()).toEqual(['b', 'd', 'a', 'c'])
  })

  it('lets a pod that was tried in vain go behind those that came meanwhile', async () => {
    const { clock, queue, names } = setUp()
    queue.set(podOf('old'))
    await clock.advance(1_000)
    queue.set(podOf('new'))
    await clock.advance(1_000)
    queue.refuse(queue.next()!, new Set(['Fit']))
    await clock.advance(5_000)
    queue.happened('pod deleted')
    expect(names()).toEqual(['new', 'old'])
  })

  it('backs off 1, 2, 4, 8 and then 10 seconds after errors', async () => {
    const { clock, queue } = setUp()
    queue.set(podOf('a'))
    for (const seconds of [1, 2, 4, 8, 10, 10]) {
      queue.fail(queue.next()!)
      await clock.advance(seconds * 1000 - 1)
      expect(queue.counts()).toEqual({ active: 0, backOff: 1, unschedulable: 0 })
      await clock.advance(1)
      expect(queue.counts().active).toBe(1)
    }
  })

  it('wakes refused pods for the events that may help them, and no others', async () => {
    const { clock, queue, names } = setUp()
    queue.set(podOf('fit'))
    queue.refuse(queue.next()!, new Set(['Fit']))
    queue.set(podOf('taint'))
    queue.refuse(queue.next()!, new Set(['Taint']))
    await clock.advance(5_000)
    queue.happened('node added')
    expect(names()).toEqual([])
    queue.happened('node taints')
    expect(names()).toEqual(['taint'])
    queue.happened('pod deleted')
    expect(names()).toEqual(['fit'])
  })

  it('lets a woken pod finish its back-off', async () => {
    const { clock, queue, names } = setUp()
    queue.set(podOf('a'))
    queue.refuse(queue.next()!, new Set(['Fit']))
    queue.happened('pod deleted')
    expect(names()).toEqual([])
    await clock.advance(1_000)
    expect(names()).toEqual(['a'])
  })

  it('tries everything again after five minutes', async () => {
    const { clock, queue, names } = setUp()
    queue.set(podOf('a'))
    queue.refuse(queue.next()!, new Set(['Fit']))
    await clock.advance(290_000)
    expect(names()).toEqual([])
    await clock.advance(40_000)
    expect(names()).toEqual(['a'])
  })

  it('gives a pod another chance when it asks for something else, not when its status changes', async () => {
    const { clock, queue, names } = setUp()
    const pod = podOf('a')
    queue.set(pod)
    queue.refuse(queue.next()!, new Set(['Fit']))
    await clock.advance(2_000)
    queue.set({ ...pod, status: { ...pod.status, message: 'x' } })
    expect(names()).toEqual([])
    queue.set(podOf('a', 0, { tolerations: [{ operator: 'Exists' }] }))
    expect(names()).toEqual(['a'])
  })

  it('forgets pods that go while they are tried, and keeps the one that comes in their place', () => {
    const { queue, names } = setUp()
    queue.set(podOf('a'))
    const trying = queue.next()!
    queue.remove('ns/a')
    queue.fail(trying)
    expect(queue.counts()).toEqual({ active: 0, backOff: 0, unschedulable: 0 })
    queue.set({ ...podOf('a'), metadata: { ...podOf('a').metadata, uid: 'another' } })
    queue.done(trying)
    expect(names()).toEqual(['a'])
  })
})

describe('heap', () => {
  it('gives items in order whatever is pushed and removed', () => {
    const heap = createHeap<{ n: number }>((a, b) => a.n < b.n)
    const items = Array.from({ length: 200 }, (_, i) => ({ n: (i * 7919) % 211 }))
    for (const item of items) heap.push(item)
    const removed = items.filter((_, i) => i % 3 === 0)
    for (const item of removed) expect(heap.remove(item)).toBe(true)
    const rest = items.filter((item) => !removed.includes(item)).map((i) => i.n).sort((a, b) => a - b)
    const out: number[] = []
    for (let item = heap.pop(); item; item = heap.pop()) out.push(item.n)
    expect(out).toEqual(rest)
  })
})
