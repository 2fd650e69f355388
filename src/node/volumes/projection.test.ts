import { beforeEach, describe, expect, it } from 'vitest'
import type { core } from '../../api/index.ts'
import type { Client } from '../../client/index.ts'
import { FakeClock } from '../../machinery/clock.ts'
import { rfc3339 } from '../../machinery/time.ts'
import { createTokens } from './projection.ts'

describe('the tokens of pods', () => {
  const pod = { metadata: { name: 'p', namespace: 'x', uid: 'u' }, spec: { serviceAccountName: 'app', containers: [] } } as unknown as core.Pod
  const projection = { path: 'token', expirationSeconds: 3600 }
  let clock: FakeClock
  let answers: boolean
  let asked: number
  let warned: number
  let tokens: ReturnType<typeof createTokens>
  beforeEach(() => {
    clock = new FakeClock();
    [answers, asked, warned] = [true, 0, 0]
    const createSubresource = async (_: unknown, name: string, __: string, { spec }: { readonly spec: { readonly expirationSeconds: number } }) => {
      asked++
      if (!answers) throw new Error('nobody answers')
      return { status: { token: `${name} ${asked}`, expirationTimestamp: rfc3339(clock.now() + spec.expirationSeconds * 1000) } }
    }
    tokens = createTokens({ client: { createSubresource } as unknown as Client, clock, log: { warn: () => void warned++ }, allocatable: () => undefined, addresses: () => ({}) as never })
  })

  it('are asked for again after four fifths of their time, and after a day', async () => {
    expect(await tokens.get(pod, projection)).toBe('app 1')
    await clock.advance(2_880_000)
    expect(await tokens.get(pod, projection)).toBe('app 1')
    await clock.advance(1000)
    expect(await tokens.get(pod, projection)).toBe('app 2')
    const long = { path: 'token', expirationSeconds: 1_000_000 }
    expect(await tokens.get(pod, long)).toBe('app 3')
    await clock.advance(24 * 3_600_000 + 1000)
    expect(await tokens.get(pod, long)).toBe('app 4')
  })

  it('that cannot be renewed are used as long as they hold', async () => {
    await tokens.get(pod, projection)
    answers = false
    await clock.advance(3_000_000)
    expect(await tokens.get(pod, projection)).toBe('app 1')
    expect(warned).toBe(1)
    await clock.advance(601_000)
    await expect(tokens.get(pod, projection)).rejects.toThrow('nobody answers')
    await expect(tokens.get({ ...pod, metadata: { ...pod.metadata, uid: 'new' } }, projection)).rejects.toThrow('nobody answers')
  })

  it('go with their pod', async () => {
    await tokens.get(pod, projection)
    tokens.forget('u')
    expect(await tokens.get(pod, projection)).toBe('app 2')
  })
})
