import { get, type IncomingMessage } from 'node:http'
import { afterEach, expect, it } from 'vitest'
import { core } from '../../api/index.ts'
import { plain } from './respond.ts'
import { startTestServer, type TestServer } from '../testing.ts'

let started: TestServer
afterEach(() => started.server.close())

const answerOf = (path: string): Promise<IncomingMessage> => new Promise((resolve, reject) => {
  get(`${started.server.url}${path}`, resolve).on('error', reject)
})

it('a list that is longer than what is written at once arrives whole, also at a slow reader', async () => {
  started = await startTestServer()
  await started.server.listen()
  const text = 'ä'.repeat(200_000)
  for (let i = 0; i < 5; i++) await started.client.create(core.configmaps, { metadata: { name: `m${i}`, namespace: 'default' }, data: { text } })
  const response = await answerOf('/api/v1/namespaces/default/configmaps')
  const chunks: Buffer[] = []
  let rested = false
  for await (const chunk of response) {
    chunks.push(chunk as Buffer)
    if (!rested) await new Promise((resolve) => setTimeout(resolve, 50))
    rested = true
  }
  const body = Buffer.concat(chunks)
  expect(body.length).toBe(Number(response.headers['content-length']))
  const { items } = JSON.parse(body.toString()) as { items: { data: { text: string } }[] }
  expect(items.map((item) => item.data.text === text)).toEqual([true, true, true, true, true])
})

it('a followed log does not keep the server from closing', async () => {
  started = await startTestServer({
    edges: {
      routes: {
        handle: () => undefined,
        subresource: () => async (_request, response) => {
          plain(response).writeHead(200)
          plain(response).write('a line\n')
        },
      },
    },
  })
  await started.server.listen()
  const response = await answerOf('/api/v1/namespaces/default/pods/a/log?follow=true')
  const ended = new Promise((resolve) => response.once('error', resolve).resume())
  const begun = performance.now()
  await started.server.close()
  expect(performance.now() - begun).toBeLessThan(5000)
  expect(await ended).toMatchObject({ code: 'ECONNRESET' })
})
