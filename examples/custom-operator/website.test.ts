/** The operator and its kind against a real API server, in this process. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { core } from '../../src/api/index.ts'
import { systemClock } from '../../src/machinery/clock.ts'
import { quiet } from '../../src/machinery/log.ts'
import { startTestServer } from '../../src/cluster/testing.ts'
import type { TestServer } from '../../src/cluster/testing.ts'
import { startWebsites, websites } from './website.ts'

let server: TestServer
let ended: AbortController
beforeAll(async () => {
  server = await startTestServer()
  await server.install(readFileSync(join(import.meta.dirname, 'website.yaml'), 'utf8'))
})
afterAll(() => server?.stop())
beforeEach(() => {
  ended = new AbortController()
  startWebsites({ client: server.client, clock: systemClock, log: quiet, signal: ended.signal })
})
afterEach(() => ended.abort())

const namespace = 'default'
const make = (name: string, pages?: Record<string, string>) => server.client.create(websites, { metadata: { name, namespace }, spec: { title: 'Home', ...(pages ? { pages } : {}) } as never })
const pages = (name: string) => server.client.get(core.configmaps, name, { namespace }).then((map) => map.data, () => undefined)
const status = (name: string) => server.client.get(websites, name, { namespace }).then((site) => site.status)

it('keeps the pages, and says how many there are', async () => {
  await make('first', { index: 'hello' })
  await expect.poll(() => pages('first')).toEqual({ index: '<title>Home</title>hello' })
  await expect.poll(() => status('first')).toEqual({ pages: 1, observedGeneration: 1 })
  await server.client.patch(websites, 'first', { type: 'merge', body: { spec: { pages: { about: 'us' } } } }, { namespace })
  await expect.poll(() => status('first')).toEqual({ pages: 2, observedGeneration: 2 })
})

it('puts back what others change', async () => {
  await make('guarded', { index: 'a' })
  await expect.poll(() => pages('guarded')).toBeDefined()
  await server.client.patch(core.configmaps, 'guarded', { type: 'merge', body: { data: { index: 'changed' } } }, { namespace })
  await expect.poll(() => pages('guarded')).toEqual({ index: '<title>Home</title>a' })
})

it('is told by the server what is no website', async () => {
  await expect(server.client.create(websites, { metadata: { name: 'bad', namespace }, spec: { title: '' } as never })).rejects.toThrow('spec.title: Invalid value')
  expect((await make('bare')).spec).toEqual({ pages: {}, title: 'Home' })
})
