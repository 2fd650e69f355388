/**
 * A driver that lets only so many heavy calls through at once. A hundred sandboxes made at the same time take longer than the
 * same hundred made a few at a time; and what is nearer to a running container goes first, so that pods come up one by one.
 */
import type { RuntimeDriver } from './driver.ts'

/** Lower goes first. */
const ranks = { startContainer: 0, createContainer: 1, runSandbox: 2, stopSandbox: 1, removeSandbox: 2, removeContainer: 2 } as const

export function limitedDriver(driver: RuntimeDriver, width: number): RuntimeDriver {
  const waiting: (() => void)[][] = [[], [], []]
  let running = 0

  const next = (): void => {
    if (running >= width) return
    const go = waiting.find((queue) => queue.length > 0)?.shift()
    if (!go) return
    running++
    go()
  }
  const limited = <A extends readonly unknown[], R>(rank: number, call: (...args: A) => Promise<R>) => async (...args: A): Promise<R> => {
    await new Promise<void>((resolve) => { waiting[rank]?.push(resolve); next() })
    try {
      return await call(...args)
    } finally {
      running--
      next()
    }
  }
  return {
    ...driver,
    startContainer: limited(ranks.startContainer, driver.startContainer),
    createContainer: limited(ranks.createContainer, driver.createContainer),
    runSandbox: limited(ranks.runSandbox, driver.runSandbox),
    stopSandbox: limited(ranks.stopSandbox, driver.stopSandbox),
    removeSandbox: limited(ranks.removeSandbox, driver.removeSandbox),
    removeContainer: limited(ranks.removeContainer, driver.removeContainer),
  }
}
