import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { isLoopShared, shareLoop } from './loop-sharing.ts'

it('is shared for as long as somebody has said', async () => {
  expect(isLoopShared()).toBe(false)
  shareLoop(60_000)
  expect(isLoopShared()).toBe(true)
  shareLoop(20)
  await sleep(40)
  expect(isLoopShared()).toBe(false)
})
