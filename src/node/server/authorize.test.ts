import type { IncomingMessage } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { Client } from '../../client/index.ts'
import { FakeClock } from '../../machinery/clock.ts'
import { createAuthenticator, createAuthorizer } from './authorize.ts'

interface Review { readonly spec: { readonly token?: string; readonly user?: string; readonly resourceAttributes?: { readonly verb: string; readonly subresource: string } } }

function api(allowed: readonly string[] = []) {
  const asked: string[] = []
  const client = {
    create: async (_: unknown, { spec }: Review) => {
      if (spec.token !== undefined) {
        asked.push(`token ${spec.token}`)
        return { status: spec.token === 'good' ? { authenticated: true, user: { username: 'system:serviceaccount:monitoring:prometheus', groups: ['system:serviceaccounts'] } } : { authenticated: false, user: {} } }
      }
      const what = `${spec.resourceAttributes?.verb} ${spec.resourceAttributes?.subresource}`
      asked.push(what)
      return { status: { allowed: allowed.includes(what) } }
    },
  } as unknown as Client
  return { client, asked, clock: new FakeClock(), nodeName: 'n1' }
}
const request = (authorization?: string): IncomingMessage => ({ headers: { authorization }, socket: { authorized: false } }) as unknown as IncomingMessage

describe('the kubelet', () => {
  it('knows callers by tokens that the API server knows, and asks once for a while', async () => {
    const context = api()
    const who = createAuthenticator(context)
    for (let i = 0; i < 3; i++) expect(await who(request('Bearer good'))).toMatchObject({ user: 'system:serviceaccount:monitoring:prometheus' })
    for (let i = 0; i < 3; i++) expect(await who(request('Bearer bad'))).toBeUndefined()
    for (const nothing of [undefined, 'Basic eA==', 'Bearer ']) expect(await who(request(nothing))).toBeUndefined()
    expect(context.asked).toEqual(['token good', 'token bad'])
    await context.clock.advance(121_000)
    await who(request('Bearer good'))
    expect(context.asked).toHaveLength(3)
  })

  it('knows callers by their certificates, as long as these hold, also on a connection that is older', async () => {
    const context = api()
    const who = createAuthenticator(context)
    const peer = { subject: { CN: 'ana', O: ['devs', 'ops'] }, valid_to: 'Jan  2 00:00:00 2026 GMT' }
    const shown = (authorized: boolean) => ({ headers: {}, socket: { authorized, getPeerCertificate: () => peer } }) as unknown as IncomingMessage
    expect(await who(shown(true))).toEqual({ user: 'ana', groups: ['devs', 'ops', 'system:authenticated'] })
    expect(await who(shown(false))).toBeUndefined()
    await context.clock.advance(25 * 3_600_000)
    expect(await who(shown(true))).toBeUndefined()
  })

  it('remembers what one may do for nobody who differs in anything', async () => {
    const context = api(['get proxy'])
    const may = createAuthorizer(context)
    for (const more of [{}, { uid: '1' }, { extra: { a: ['b'] } }, {}]) await may({ user: 'u', groups: [], ...more }, 'GET', '/x')
    expect(context.asked).toHaveLength(3)
  })

  it('asks for the right to what a path is, and for that to everything where it came later', async () => {
    const may = async (method: string, path: string, ...allowed: string[]) => createAuthorizer(api(allowed))({ user: 'u', groups: [] }, method, path)
    expect(await may('GET', '/metrics/cadvisor', 'get metrics')).toBe(true)
    expect(await may('GET', '/metrics', 'get proxy')).toBe(false)
    expect(await may('GET', '/stats/summary', 'get stats')).toBe(true)
    expect(await may('GET', '/pods', 'get pods')).toBe(true)
    expect(await may('GET', '/pods', 'get proxy')).toBe(true)
    expect(await may('GET', '/configz', 'get configz')).toBe(true)
    expect(await may('GET', '/containerLogs/x/y/z', 'get proxy')).toBe(true)
    expect(await may('GET', '/metricsfoo', 'get metrics')).toBe(false)
  })

  it('runs nothing for those who may only look, whatever the method', async () => {
    const looker = createAuthorizer(api(['get proxy']))
    for (const path of ['/exec/ns/p/c', '/attach/ns/p/c', '/portForward/ns/p', '/run/ns/p/c']) for (const method of ['GET', 'POST']) expect(await looker({ user: 'u', groups: [] }, method, path), path).toBe(false)
    expect(await createAuthorizer(api(['create proxy']))({ user: 'u', groups: [] }, 'GET', '/exec/ns/p/c')).toBe(true)
  })
})
