/** The order of what a request meets, seen from outside. */
import { afterEach, describe, expect, it } from 'vitest'
import { core } from '../api/index.ts'
import { forbidden, unauthorized } from '../machinery/errors.ts'
import type { Identity } from './identity.ts'
import type { ApiServer, AuditEdge, Edges } from './options.ts'
import { FakeClock } from '../machinery/clock.ts'
import { startTestServer } from './testing.ts'

const ana: Identity = { name: 'ana', groups: ['system:authenticated'] }
const bob: Identity = { name: 'bob', groups: ['system:authenticated'] }

let server: ApiServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

/** A server whose edges write down when they are asked. */
async function start(edges: Partial<Edges> = {}) {
  const seen: string[] = []
  const audit: AuditEdge = {
    begin: ({ user, info }) => {
      seen.push(`audit ${user.name} ${info.verb}`)
      return {
        wantsRequest: false, wantsResponse: false,
        impersonated: (user) => void seen.push(`as ${user.name}`),
        annotate: (key, value) => void seen.push(`${key}=${value}`),
        requestObject: () => undefined, responseObject: () => undefined,
        failed: ({ code }) => void seen.push(`failed ${code}`),
        started: (code) => void seen.push(`started ${code}`),
        panicked: () => void seen.push('panicked'),
        finished: (code) => void seen.push(`finished ${code}`),
      }
    },
    unauthenticated: (_, { code }) => void seen.push(`unauthenticated ${code}`),
  }
  ;({ server } = await startTestServer({
    edges: {
      authenticate: () => ana,
      audit,
      impersonate: (user, headers) => {
        seen.push('impersonate')
        return headers['impersonate-user'] ? bob : user
      },
      flow: { enter: ({ user }) => { seen.push(`enter ${user.name}`); return () => void seen.push('left') } },
      authorize: ({ name }) => { seen.push(`authorize ${name}`); return { allowed: true, reason: 'because' } },
      ...edges,
    },
  }))
  await server.listen()
  const { url } = server
  const ask = async (path: string, headers: Record<string, string> = {}) => {
    const response = await fetch(url + path, { headers })
    await response.text()
    return response
  }
  return { seen, ask }
}

it('is answered with 504 when it takes more than a minute', async () => {
  const clock = new FakeClock()
  let entered: () => void
  const there = new Promise<void>((resolve) => (entered = resolve))
  ;({ server } = await startTestServer({ clock, edges: { authorize: () => { entered(); return new Promise(() => undefined) } } }))
  await server.listen()
  const answer = fetch(`${server.url}/api/v1/pods`)
  await there
  await clock.advance(59_000)
  const early = await Promise.race([answer, new Promise((resolve) => setTimeout(() => resolve('none'), 20))])
  await clock.advance(2000)
  const response = await answer
  expect([early, response.status, ((await response.json()) as { reason: string }).reason]).toEqual(['none', 504, 'Timeout'])
})

describe('a request', () => {
  it('meets audit as the one who sends it, everything after as the one it is made as, and gives its place back', async () => {
    const { seen, ask } = await start()
    expect((await ask('/api/v1/namespaces', { 'impersonate-user': 'bob' })).status).toBe(200)
    await expect.poll(() => seen.length).toBe(9)
    expect(seen.filter((s) => s !== 'left')).toEqual([
      'audit ana list', 'impersonate', 'as bob', 'enter bob', 'authorize bob',
      'authorization.k8s.io/decision=allow', 'authorization.k8s.io/reason=because', 'finished 200',
    ])
    expect(seen).toContain('left')
  })

  it('that took long tells audit where its time went', async () => {
    const { seen, ask } = await start({ authorize: () => new Promise((resolve) => { setTimeout(() => resolve({ allowed: true, reason: 'late' }), 600) }) })
    await ask('/api/v1/pods')
    await expect.poll(() => seen.at(-1)).toBe('finished 200')
    expect(seen.find((line) => line.startsWith('apiserver.latency.k8s.io/authorization='))).toMatch(/=[5-9]\d\d(\.\d+)?ms$|=\d+\.\d+s$/)
    expect(seen.some((line) => line.startsWith('apiserver.latency.k8s.io/total='))).toBe(true)
  })

  it('that is refused gives its place back too', async () => {
    const { seen, ask } = await start({ authorize: () => ({ allowed: false, reason: '' }) })
    expect((await ask('/api/v1/namespaces')).status).toBe(403)
    expect(seen).toContain('left')
    expect(seen).toContain('authorization.k8s.io/decision=forbid')
    expect(seen).toContain('failed 403')
  })

  it('that may not impersonate does not reach flow control', async () => {
    const { seen, ask } = await start({ impersonate: () => { throw forbidden({ group: '', plural: 'users' }, 'bob', 'no') } })
    expect((await ask('/api/v1/namespaces')).status).toBe(403)
    expect(seen.filter((s) => s.startsWith('enter'))).toEqual([])
  })

  it('with bad credentials is told to audit, and goes no further', async () => {
    const { seen, ask } = await start({ authenticate: () => { throw unauthorized() } })
    expect((await ask('/api/v1/namespaces')).status).toBe(401)
    expect(seen).toEqual(['unauthenticated 401'])
  })
})

describe('the answer', () => {
  it('names the request: by a name of its own, or by the one the client gave', async () => {
    const { ask } = await start({ audit: undefined })
    const first = (await ask('/api/v1/namespaces')).headers.get('audit-id')
    expect(first).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
    expect((await ask('/api/v1/namespaces')).headers.get('audit-id')).not.toBe(first)
    expect((await ask('/api/v1/pods/%ZZ', { 'audit-id': 'mine' })).headers.get('audit-id')).toBe('mine')
    expect((await ask('/nowhere', { 'audit-id': 'mine' })).headers.get('audit-id')).toBe('mine')
    expect((await ask(`/api/v1/${core.pods.plural}`, { 'audit-id': 'x\u00e4' })).headers.get('audit-id')).toMatch(/^[0-9a-f-]{36}$/)
  })
})
