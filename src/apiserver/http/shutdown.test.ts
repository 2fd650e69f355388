import { get as httpGet, Agent } from 'node:http'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { core } from '../../api/index.ts'
import { systemClock } from '../../machinery/clock.ts'
import { quiet } from '../../machinery/log.ts'
import { createMemoryStore } from '../../store/memory.ts'
import { createEdges } from '../edges.ts'
import type { ApiServer } from '../options.ts'
import { createApiServer } from '../server.ts'
import { tester } from '../testing.ts'

const configmaps = '/api/v1/namespaces/default/configmaps'
let server: ApiServer
let entered: () => void
let admit: () => void
const gate = { reached: Promise.resolve(), open: Promise.resolve() }

async function start(shutdownDelay?: number, requestTimeout?: number): Promise<void> {
  server = await createApiServer({
    store: createMemoryStore(), clock: systemClock, log: quiet, freeze: true, shutdownDelay, requestTimeout,
    edges: (env) => ({
      ...createEdges({ serverAddress: () => 'x:1' })(env),
      authenticate: () => tester,
      authorize: () => ({ allowed: true, reason: '' }),
      admission: {
        async mutate({ object, name }) {
          if (name === 'slow') {
            entered()
            await gate.open
          }
          return object
        },
        validate: async () => undefined,
      },
    }),
  })
  await server.listen()
  await server.client.create(core.namespaces, { metadata: { name: 'default' } })
}

beforeEach(() => {
  gate.reached = new Promise((resolve) => (entered = resolve))
  gate.open = new Promise((resolve) => (admit = resolve))
})
afterEach(() => {
  admit()
  return server.close()
})

const post = (name: string) => fetch(server.url + configmaps, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name } }) })

it('/readyz says so first, while everything else goes on', async () => {
  await start(400)
  expect((await fetch(`${server.url}/readyz`)).status).toBe(200)
  const closed = server.close()
  const ready = await fetch(`${server.url}/readyz?verbose`)
  expect([ready.status, await ready.text()]).toEqual([500, expect.stringContaining('[-]shutdown failed: reason withheld')])
  expect((await fetch(`${server.url}/livez`)).status).toBe(200)
  expect((await post('late')).status).toBe(201)
  await closed
  await expect(fetch(server.url + configmaps)).rejects.toThrow()
})

it('what is under way is finished, watches end, and nothing new is taken', async () => {
  await start()
  const { url } = server
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  const ask = () => new Promise<{ code: number | undefined; connection: string | undefined }>((resolve, reject) => {
    httpGet(url + configmaps, { agent }, (answer) => answer.resume().on('end', () => resolve({ code: answer.statusCode, connection: answer.headers.connection }))).on('error', reject)
  })
  expect(await ask()).toMatchObject({ code: 200 })
  const watch = (await fetch(`${url}${configmaps}?watch=1`)).text()
  const slow = post('slow')
  await gate.reached
  const closed = server.close()
  await watch
  const turnedAway = await ask().catch((error: NodeJS.ErrnoException) => error.code)
  expect([{ code: 503, connection: 'close' }, 'ECONNRESET', 'ECONNREFUSED']).toContainEqual(turnedAway)
  admit()
  expect((await slow).status).toBe(201)
  await closed
  await expect(ask()).rejects.toMatchObject({ code: 'ECONNREFUSED' })
  agent.destroy()
})

it('a request gets as long as its client says, and no longer', async () => {
  await start()
  const late = await fetch(`${server.url}${configmaps}?timeout=200ms`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'slow' } }) })
  expect([late.status, await late.json()]).toMatchObject([504, { reason: 'Timeout', message: expect.stringContaining('request did not complete within the allotted timeout') }])
  const odd = await fetch(`${server.url}${configmaps}?timeout=soon`)
  expect([odd.status, await odd.json()]).toMatchObject([400, { message: 'invalid timeout specified in the request URL - time: invalid duration "soon"' }])
  expect((await fetch(`${server.url}${configmaps}?timeout=2h`)).status).toBe(200)
})

it('no request gets longer than the server gives', async () => {
  await start(undefined, 200)
  expect((await post('slow')).status).toBe(504)
})
