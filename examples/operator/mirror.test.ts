/** The operator against a real API server, in this process: no containers, no root. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { core } from '../../src/api/index.ts'
import { systemClock } from '../../src/machinery/clock.ts'
import { quiet } from '../../src/machinery/log.ts'
import { startTestServer } from '../../src/cluster/testing.ts'
import type { TestServer } from '../../src/cluster/testing.ts'
import { mirrorTo, startMirror } from './mirror.ts'

let server: TestServer
let ended: AbortController
beforeAll(async () => {
  server = await startTestServer()
  for (const name of ['source', 'a', 'b']) await server.client.create(core.namespaces, { metadata: { name } })
})
afterAll(() => server.stop())
beforeEach(() => {
  ended = new AbortController()
  startMirror({ client: server.client, clock: systemClock, log: quiet, signal: ended.signal })
})
afterEach(() => ended.abort())

const dataIn = (namespace: string, name: string) => server.client.get(core.configmaps, name, { namespace }).then((object) => object.data, () => undefined)
const make = (name: string, to: string) => server.client.create(core.configmaps, { metadata: { name, namespace: 'source', annotations: { [mirrorTo]: to } }, data: { a: '1' } })

it('keeps a copy in every namespace that is named', async () => {
  await make('copied', 'a, b')
  await expect.poll(() => dataIn('a', 'copied')).toEqual({ a: '1' })
  await expect.poll(() => dataIn('b', 'copied')).toEqual({ a: '1' })
})

it('puts back what others change in a copy', async () => {
  await make('guarded', 'a')
  await expect.poll(() => dataIn('a', 'guarded')).toEqual({ a: '1' })
  await server.client.patch(core.configmaps, 'guarded', { type: 'merge', body: { data: { a: 'changed' } } }, { namespace: 'a' })
  await expect.poll(() => dataIn('a', 'guarded')).toEqual({ a: '1' })
})

it('takes copies away with the original, and when it is no longer to be mirrored', async () => {
  await make('short-lived', 'a,b')
  await expect.poll(() => dataIn('b', 'short-lived')).toEqual({ a: '1' })
  await server.client.patch(core.configmaps, 'short-lived', { type: 'merge', body: { metadata: { annotations: { [mirrorTo]: 'a' } } } }, { namespace: 'source' })
  await expect.poll(() => dataIn('b', 'short-lived')).toBeUndefined()
  await server.client.delete(core.configmaps, 'short-lived', { namespace: 'source' })
  await expect.poll(() => dataIn('a', 'short-lived')).toBeUndefined()
})

it('leaves a ConfigMap alone that is not its own', async () => {
  await server.client.create(core.configmaps, { metadata: { name: 'taken', namespace: 'a' }, data: { mine: 'yes' } })
  await make('taken', 'a,b')
  await expect.poll(() => dataIn('b', 'taken')).toEqual({ a: '1' })
  expect(await dataIn('a', 'taken')).toEqual({ mine: 'yes' })
})
