import { describe, expect, it } from 'vitest'
import { core, events, type Resource } from '../../../api/index.ts'
import { FakeClock } from '../../../machinery/clock.ts'
import { isApiError } from '../../../machinery/errors.ts'
import { attributesOf, type Wanted } from '../../testing/environment.ts'
import { createAdmissionChain } from '../chain.ts'
import { eventRateLimit, parseEventRateLimit, type EventLimit } from './event-rate-limit.ts'

const head = 'apiVersion: eventratelimit.admission.k8s.io/v1alpha1\nkind: Configuration\n'
const limit = (type: EventLimit['type'], more: Partial<EventLimit> = {}): EventLimit => ({ type, qps: 1, burst: 2, cacheSize: 10, ...more })

function start(...limits: EventLimit[]) {
  const clock = new FakeClock()
  const chain = createAdmissionChain([eventRateLimit({ clock }, limits)])
  const write = async ({ namespace = 'a', host = 'h', name = 'e', resource = core.events as unknown as Resource, dryRun = false, ...wanted }: Wanted & { namespace?: string; host?: string; resource?: Resource; dryRun?: boolean } = {}): Promise<string> => {
    const attributes = attributesOf(resource, { kind: 'Event', metadata: { name, namespace }, source: { component: 'c', host }, involvedObject: { kind: 'Pod', name: 'p' } }, wanted)
    return (async () => chain.validate({ ...attributes, context: { ...attributes.context, dryRun } }))().then(() => 'written', (error: unknown) => (isApiError(error) ? `${error.code} ${error.reason} ${error.message}` : String(error)))
  }
  return { clock, write }
}

describe('EventRateLimit', () => {
  it('lets a burst in, then so many in a second', async () => {
    const { clock, write } = start(limit('Server'))
    expect([await write(), await write(), await write()]).toEqual(['written', 'written', '429 TooManyRequests Too many requests: limit reached on type Server for key '])
    await clock.advance(1000)
    expect([await write(), await write()]).toEqual(['written', expect.stringContaining('429')])
    await clock.advance(60_000)
    expect([await write(), await write(), await write()]).toEqual(['written', 'written', expect.stringContaining('429')])
  })

  it('counts each namespace, user and thing for itself', async () => {
    const { write } = start(limit('Namespace', { burst: 1 }))
    expect([await write(), await write({ namespace: 'b' }), await write()]).toEqual(['written', 'written', '429 TooManyRequests Too many requests: limit reached on type Namespace for key a'])
    const users = start(limit('User', { burst: 1 }))
    const bob = { user: { name: 'bob', groups: [] } }
    expect([await users.write(), await users.write(bob), await users.write(bob)]).toEqual(['written', 'written', '429 TooManyRequests Too many requests: limit reached on type User for key bob'])
    const things = start(limit('SourceAndObject', { burst: 1 }))
    expect([await things.write(), await things.write({ host: 'i' }), await things.write({ name: 'other' })]).toEqual(['written', 'written', '429 TooManyRequests Too many requests: limit reached on type SourceAndObject for key chPodp'])
  })

  it('names every limit that is reached, and counts the event with each of them', async () => {
    const { write } = start(limit('Server', { burst: 1 }), limit('Namespace', { burst: 1 }))
    await write()
    expect(await write()).toBe('429 TooManyRequests Too many requests: [limit reached on type Server for key , limit reached on type Namespace for key a]')
    // Refused by the server's limit, but the namespace's bucket has given.
    expect(await write({ namespace: 'b' })).toContain('type Server')
    expect(await write({ namespace: 'b' })).toContain('type Namespace for key b')
  })

  it('is not got round by the other group of events, and minds neither deletions, dry runs nor other kinds', async () => {
    const { write } = start(limit('Server', { burst: 1 }))
    for (let i = 0; i < 3; i++) expect(await write({ dryRun: true })).toBe('written')
    for (let i = 0; i < 3; i++) expect(await write({ operation: 'DELETE' })).toBe('written')
    for (let i = 0; i < 3; i++) expect(await write({ resource: core.configmaps as unknown as Resource })).toBe('written')
    expect(await write()).toBe('written')
    expect(await write({ operation: 'UPDATE' })).toContain('429')
    expect(await write({ resource: events.events as unknown as Resource })).toContain('429')
  })

  it('remembers so many at most', async () => {
    const { write } = start(limit('Namespace', { burst: 1, cacheSize: 2 }))
    for (const namespace of ['a', 'b', 'c']) expect(await write({ namespace })).toBe('written')
    expect(await write({ namespace: 'c' })).toContain('429')
    expect(await write({ namespace: 'a' })).toBe('written')
  })
})

describe('its configuration', () => {
  it('has a size of its own for what is remembered', () => {
    expect(parseEventRateLimit(`${head}limits:\n- {type: User, qps: 5, burst: 10}\n`)).toEqual([{ type: 'User', qps: 5, burst: 10, cacheSize: 4096 }])
  })

  it.each([
    ['no limits', 'limits: []', 'limits: Invalid value: []: must not be empty'],
    ['a type that there is not', 'limits: [{type: Pod, qps: 1, burst: 1}]', 'limits[0].type: Unsupported value: "Pod": supported values: "Namespace", "Server", "SourceAndObject", "User"'],
    ['numbers that are none', 'limits: [{type: User, qps: 0, burst: -1, cacheSize: -1}]', 'must be positive'],
  ])('with %s is refused', (_, text, message) => expect(() => parseEventRateLimit(head + text)).toThrow(message))
})
