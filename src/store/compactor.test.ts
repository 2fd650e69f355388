import { expect, it } from 'vitest'
import { FakeClock } from '../machinery/clock.ts'
import { quiet } from '../machinery/log.ts'
import { startCompactor } from './compactor.ts'
import { createMemoryStore } from './memory.ts'

it('forgets what is older than the interval, and nothing younger', async () => {
  const clock = new FakeClock()
  const store = createMemoryStore({ clock })
  const write = async (n: number) => { for (let i = 0; i < n; i++) await store.commit({ writes: [{ op: 'put', key: 'a', value: new Uint8Array([i]) }] }) }
  await write(5)
  const compactor = startCompactor({ store, clock, log: quiet })
  await clock.advance(299_000)
  expect(await store.compacted()).toBe(1)
  await write(3)
  await clock.advance(2_000)
  expect(await store.compacted()).toBe(6)
  await write(4)
  await clock.advance(300_000)
  expect(await store.compacted()).toBe(9)
  await clock.advance(600_000)
  expect(await store.compacted()).toBe(13)
  await compactor.stop()
  await write(1)
  await clock.advance(600_000)
  expect(await store.compacted()).toBe(13)
})
