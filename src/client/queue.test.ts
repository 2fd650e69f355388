import { describe, expect, it } from 'vitest'
import { FakeClock } from '../machinery/clock.ts'
import { createQueue } from './queue.ts'

describe('the work queue', () => {
  it('hands a key out once, however often it was added', async () => {
    const queue = createQueue({ clock: new FakeClock() })
    queue.add('a')
    queue.add('b')
    queue.add('a')
    expect([await queue.take(), await queue.take(), queue.length]).toEqual(['a', 'b', 0])
  })

  it('hands a key that was added while it was worked on out again, but only after it is done', async () => {
    const queue = createQueue({ clock: new FakeClock() })
    queue.add('a')
    await queue.take()
    queue.add('a')
    expect(queue.length).toBe(0)
    queue.done('a')
    expect(queue.length).toBe(1)
    expect(await queue.take()).toBe('a')
  })

  it('makes one look of what arrives in one turn of the event loop, although a taker waits', async () => {
    const queue = createQueue({ clock: new FakeClock() })
    let looks = 0
    const work = async () => { for (let key = await queue.take(); key !== undefined; key = await queue.take()) { looks++; queue.done(key) } }
    const working = work()
    for (let i = 0; i < 5; i++) {
      queue.add('a')
      await Promise.resolve()
    }
    await new Promise((resolve) => { setTimeout(resolve, 5) })
    expect(looks).toBe(1)
    queue.shutDown()
    await working
  })

  it('gives a key to a taker that was already waiting', async () => {
    const queue = createQueue({ clock: new FakeClock() })
    const taken = queue.take()
    queue.add('a')
    expect(await taken).toBe('a')
  })

  it('doubles the delay of a failing key from 5 ms, and starts over when it is forgotten', async () => {
    const clock = new FakeClock()
    const queue = createQueue({ clock })
    const waits: number[] = []
    for (let i = 0; i < 4; i++) {
      const before = clock.now()
      queue.addRateLimited('a')
      while (queue.length === 0) await clock.advance(1)
      waits.push(clock.now() - before)
      queue.done((await queue.take()) as string)
    }
    expect(waits).toEqual([5, 10, 20, 40])
    queue.forget('a')
    queue.addRateLimited('a')
    await clock.advance(5)
    expect(queue.length).toBe(1)
  })

  it('never waits longer than 1000 s', async () => {
    const clock = new FakeClock()
    const queue = createQueue({ clock })
    for (let i = 0; i < 60; i++) queue.addRateLimited('b')
    queue.done((await (async () => { await clock.advance(5); return queue.take() })()) as string)
    queue.addRateLimited('b')
    await clock.advance(999_999)
    expect(queue.length).toBe(0)
    await clock.advance(1)
    expect(queue.length).toBe(1)
  })

  it('keeps the earliest of several waits for one key', async () => {
    const clock = new FakeClock()
    const queue = createQueue({ clock })
    queue.addAfter('a', 1000)
    queue.addAfter('a', 10)
    queue.addAfter('a', 5000)
    await clock.advance(10)
    expect(queue.length).toBe(1)
    queue.done((await queue.take()) as string)
    await clock.advance(10_000)
    expect(queue.length).toBe(0)
  })

  it('lets takers go when it shuts down', async () => {
    const queue = createQueue({ clock: new FakeClock() })
    const taken = queue.take()
    queue.shutDown()
    queue.add('a')
    expect(await taken).toBeUndefined()
    expect(await queue.take()).toBeUndefined()
  })
})
