/** What the server writes into its own log, at its most talkative: never what a secret holds, nor a credential. */
import { afterEach, expect, it } from 'vitest'
import { systemClock } from '../../machinery/clock.ts'
import { unauthorized } from '../../machinery/errors.ts'
import type { Logger } from '../../machinery/log.ts'
import { createMemoryStore } from '../../store/memory.ts'
import { createApiServer } from '../server.ts'
import { openAdmission, tester } from '../testing.ts'
import type { ApiServer } from '../options.ts'

let server: ApiServer | undefined
afterEach(async () => server?.close())

it('has no value of a secret and no token in it, whatever goes wrong', async () => {
  const lines: string[] = []
  const write = (fields: object, message = '') => void lines.push(JSON.stringify([fields, message]))
  const log: Logger = { debug: write, info: write, warn: write, error: write, child: () => log }
  const store = createMemoryStore()
  const bad = (name: string, text: string) => ({ op: 'put' as const, key: `/registry/core/secrets/default/${name}`, value: new TextEncoder().encode(text) })
  await store.commit({ writes: [bad('broken', '{"data":{"p":hush-hush'), bad('odd', '{"kind":"Secret","data":{"p":{"hush-hush":1}}}')] })
  server = await createApiServer({
    store, clock: systemClock, log, freeze: true,
    edges: () => ({
      authenticate: ({ headers }) => { if (headers.authorization === 'Bearer hush-hush-wrong') throw unauthorized(); return tester },
      authorize: (_, { verb }) => ({ allowed: verb !== 'deletecollection', reason: '' }),
      admission: { ...openAdmission, validate: async ({ name }) => { if (name === 'breaks') throw new TypeError('a plugin broke') } },
      routes: { handle: () => undefined },
    }),
  })
  await server.listen()
  const { url } = server
  const secrets = '/api/v1/namespaces/default/secrets'
  const ask = async (method: string, path: string, body?: string, headers: Record<string, string> = {}) => {
    const response = await fetch(url + path, { method, headers: { authorization: 'Bearer hush-hush-token', 'content-type': 'application/json', ...headers }, ...(body === undefined ? {} : { body }) })
    const text = await response.text()
    // Answers that are no object may be written down: they quote nothing of what was sent.
    if (!response.ok) expect(text).not.toContain('hush-hush')
    return response.status
  }
  const secret = (name: string, data: object) => JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name }, stringData: data })
  expect(await ask('POST', secrets, secret('a', { p: 'hush-hush' }))).toBe(201)
  expect(await ask('POST', secrets, secret('a', { p: 'hush-hush' }))).toBe(409)
  expect(await ask('POST', secrets, secret('breaks', { p: 'hush-hush' }))).toBe(500)
  expect(await ask('POST', secrets, secret('b', { 'hush hush/key': 'hush-hush' }))).toBe(422)
  expect(await ask('POST', secrets, `{"kind":"Secret","data":hush-hush}`)).toBe(400)
  expect(await ask('POST', secrets, 'kind: Secret\nstringData: {p: hush-hush', { 'content-type': 'application/yaml' })).toBe(400)
  expect(await ask('PATCH', `${secrets}/a?fieldManager=x`, 'kind: Secret\nstringData: {p: hush-hush', { 'content-type': 'application/apply-patch+yaml' })).toBe(400)
  expect(await ask('PATCH', `${secrets}/a`, JSON.stringify({ stringData: { p: { hush: 'hush-hush' } } }), { 'content-type': 'application/merge-patch+json' })).toBe(422)
  expect(await ask('GET', `${secrets}/a`)).toBe(200)
  expect(await ask('GET', secrets, undefined, { authorization: 'Bearer hush-hush-wrong' })).toBe(401)
  expect(await ask('DELETE', secrets)).toBe(403)
  expect(await ask('DELETE', `${secrets}/a`)).toBe(200)
  await expect.poll(() => lines.filter((line) => line.includes('"request"')).length).toBeGreaterThanOrEqual(10)
  expect(lines.some((line) => line.includes('/secrets/default/broken') || line.includes('secrets/default/broken'))).toBe(true)
  const text = lines.join('\n')
  for (const piece of ['hush', Buffer.from('hush-hush').toString('base64').slice(0, 8)]) expect(text).not.toContain(piece)
})
