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
    const shown = (authorized: boolean, subject: object = { CN: 'ana', O: ['devs', 'ops'] }) =>
      ({ headers: {}, socket: { authorized, getPeerCertificate: () => ({ subject, valid_to: 'Jan  2 00:00:00 2026 GMT', fingerprint256: 'AB:01' }) } }) as unknown as IncomingMessage
    const extra = { 'authentication.kubernetes.io/credential-id': ['X509SHA256=ab01'] }
    expect(await who(shown(true))).toEqual({ user: 'ana', groups: ['devs', 'ops', 'system:authenticated'], extra })
    expect(await who(shown(false))).toBeUndefined()
    // The API server, which signed it, takes the last name for the user's.
    expect(await who(shown(true, { CN: ['system:masters', 'bob'] }))).toEqual({ user: 'bob', groups: ['system:authenticated'], extra })
    const uid = '1.3.6.1.4.1.57683.2'
    expect(await who(shown(true, { CN: 'ana', [uid]: '7' }))).toMatchObject({ user: 'ana', uid: '7' })
    for (const subject of [{ O: 'devs' }, { CN: 'ana', [uid]: '' }, { CN: 'ana', [uid]: ['7', '8'] }]) expect(await who(shown(true, subject))).toBeUndefined()
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
    const may = async (method: string, path: string, ...allowed: string[]) => (await createAuthorizer(api(allowed))({ user: 'u', groups: [] }, method, path)) === undefined
    expect(await may('GET', '/metrics/cadvisor', 'get metrics')).toBe(true)
    expect(await may('GET', '/metrics', 'get proxy')).toBe(false)
    expect(await may('GET', '/stats/summary', 'get stats')).toBe(true)
    expect(await may('GET', '/pods', 'get pods')).toBe(true)
    expect(await may('GET', '/pods', 'get proxy')).toBe(true)
    for (const path of ['/pods/', '/runningpods', '/runningpods/']) expect(await may('GET', path, 'get pods'), path).toBe(true)
    for (const path of ['/configz', '/configz/']) expect(await may('GET', path, 'get configz')).toBe(true)
    expect(await may('GET', '/healthz/ping', 'get healthz')).toBe(true)
    expect(await may('POST', '/checkpoint/ns/p/c', 'create proxy')).toBe(false)
    expect(await may('POST', '/checkpoint/ns/p/c', 'create checkpoint')).toBe(true)
    expect(await may('GET', '/containerLogs/x/y/z', 'get proxy')).toBe(true)
    expect(await may('GET', '/metricsfoo', 'get metrics')).toBe(false)
  })

  it('runs nothing for those who may only look, whatever the method', async () => {
    const looker = createAuthorizer(api(['get proxy']))
    for (const path of ['/exec/ns/p/c', '/attach/ns/p/c', '/portForward/ns/p', '/run/ns/p/c']) for (const method of ['GET', 'POST']) expect(await looker({ user: 'u', groups: [] }, method, path), path).toBe('Forbidden (user=u, verb=create, resource=nodes, subresource(s)=[proxy])\n')
    expect(await createAuthorizer(api(['create proxy']))({ user: 'u', groups: [] }, 'GET', '/exec/ns/p/c')).toBeUndefined()
  })

  it('says what is missing, and who cannot tell', async () => {
    expect(await createAuthorizer(api())({ user: 'ana', groups: [] }, 'GET', '/pods')).toBe('Forbidden (user=ana, verb=get, resource=nodes, subresource(s)=[pods proxy])\n')
    const client = { create: async () => { throw new Error('connection refused') } } as unknown as Client
    await expect(createAuthorizer({ client, clock: new FakeClock(), nodeName: 'n1' })({ user: 'ana', groups: [] }, 'GET', '/stats/summary')).rejects.toMatchObject({
      code: 500, message: 'Authorization error (user=ana, verb=get, resource=nodes, subresource=stats)',
    })
  })
})
