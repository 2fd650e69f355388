import { once } from 'node:events'
import { createServer, request as ask, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { readBody } from './body.ts'

const read = (raw: IncomingMessage) => readBody({ raw, query: new URLSearchParams() })

/** Sends the pieces to a server that begins to read when `ready` says so; what it has read then, and whether at once. */
async function sent(pieces: readonly string[], ready: (raw: IncomingMessage) => boolean, headers: Readonly<Record<string, string>> = {}): Promise<{ readonly text: string; readonly atOnce: boolean }> {
  const server = createServer(async (raw, response) => {
    while (!ready(raw)) await sleep(1)
    const body = readBody({ raw, query: new URLSearchParams() })
    response.end(JSON.stringify({ text: (await body).toString(), atOnce: !(body instanceof Promise) }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = ask({ port: (server.address() as AddressInfo).port, method: 'POST', headers })
  for (const piece of pieces) client.write(piece)
  client.end()
  const [response] = await once(client, 'response') as [IncomingMessage]
  const answer = (await read(response)).toString()
  server.close()
  return JSON.parse(answer) as { text: string; atOnce: boolean }
}

it('what has come while a request waited is there at once, all of it', async () => {
  expect(await sent(['{"a":', '1}'], (raw) => raw.complete)).toEqual({ text: '{"a":1}', atOnce: true })
  expect(await sent(['{"a":1}'], (raw) => raw.complete, { 'content-length': '7' })).toEqual({ text: '{"a":1}', atOnce: true })
  expect(await sent([], (raw) => raw.complete)).toEqual({ text: '', atOnce: true })
})

it('what has still to come is waited for', async () => {
  expect(await sent(['{"a":', '1}'], () => true)).toEqual({ text: '{"a":1}', atOnce: false })
})
