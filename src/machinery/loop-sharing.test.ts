import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { inTurn, isLoopShared, shareLoop, turn } from './loop-sharing.ts'

afterEach(() => shareLoop(0))

it('is shared for as long as somebody has said', async () => {
  expect(isLoopShared()).toBe(false)
  shareLoop(60_000)
  expect(isLoopShared()).toBe(true)
  shareLoop(20)
  await sleep(40)
  expect(isLoopShared()).toBe(false)
})

describe('steps', () => {
  /** The names of the steps that have run so far, after each of some iterations. */
  async function watch(done: readonly string[], iterations: number): Promise<string[]> {
    const seen: string[] = []
    for (let i = 0; i < iterations; i++) {
      await new Promise((resolve) => setImmediate(resolve))
      seen.push(done.join(''))
    }
    return seen
  }

  it('are all taken in the next iteration when nobody else is there', async () => {
    const done: string[] = []
    for (const name of ['a', 'b', 'c']) inTurn(() => done.push(name))
    expect(done).toEqual([])
    expect(await watch(done, 1)).toEqual(['abc'])
  })

  it('have an iteration each while the loop is shared, in their order; one that comes again is last', async () => {
    shareLoop(60_000)
    const done: string[] = []
    inTurn(() => {
      done.push('a')
      inTurn(() => done.push('A'))
    })
    for (const name of ['b', 'c']) void turn().then(() => done.push(name))
    expect(await watch(done, 5)).toEqual(['a', 'ab', 'abc', 'abcA', 'abcA'])
  })

  it('that still wait when the others are gone are all taken at once', async () => {
    shareLoop(60_000)
    const done: string[] = []
    for (const name of ['a', 'b', 'c', 'd']) inTurn(() => done.push(name))
    expect(await watch(done, 1)).toEqual(['a'])
    shareLoop(0)
    expect(await watch(done, 1)).toEqual(['abcd'])
  })
})
