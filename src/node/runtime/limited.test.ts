import { expect, it } from 'vitest'
import { FakeClock } from '../../machinery/clock.ts'
import { createFakeRuntime } from '../testing/fake-runtime.ts'
import { limitedDriver } from './limited.ts'
import type { RuntimeDriver } from './driver.ts'

it('lets so many calls through at once, those nearest to a running container first', async () => {
  const order: string[] = []
  const gates: (() => void)[] = []
  const slow = (what: string) => new Promise<never>((resolve) => { order.push(what); gates.push(() => resolve(undefined as never)) })
  const driver: RuntimeDriver = {
    ...createFakeRuntime(new FakeClock()),
    runSandbox: (config) => slow(`run ${config.hostname}`), startContainer: (id) => slow(`start ${id}`), createContainer: (id) => slow(`create ${id}`),
  }
  const limited = limitedDriver(driver, 2)
  const sandbox = (hostname: string) => limited.runSandbox({ hostname } as never)
  const all = [sandbox('a'), sandbox('b'), sandbox('c'), limited.createContainer('x', {} as never, {} as never), limited.startContainer('y')]
  const step = async () => { await new Promise(setImmediate); gates.shift()?.() }
  await new Promise(setImmediate)
  expect(order).toEqual(['run a', 'run b'])
  for (let i = 0; i < 8; i++) await step()
  await Promise.all(all)
  expect(order).toEqual(['run a', 'run b', 'start y', 'create x', 'run c'])
})
