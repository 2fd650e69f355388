import { createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, it } from 'vitest'
import { chunksOf, createTransport, type Transport } from './http2-transport.ts'

const stops: (() => void)[] = []
afterEach(() => { for (const stop of stops.splice(0)) stop() })

async function serve(answer: (stream: import('node:http2').ServerHttp2Stream) => void): Promise<Transport> {
  const server = createServer().on('stream', answer)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const transport = createTransport({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
  stops.push(() => {
    transport.close()
    server.close()
  })
  return transport
}

const read = async (transport: Transport, wait = 0): Promise<string> => {
  const { stream } = await transport.send({ method: 'GET', path: '/', headers: {} })
  await new Promise((resolve) => setTimeout(resolve, wait))
  const chunks: Buffer[] = []
  for await (const chunk of chunksOf(stream)) chunks.push(chunk)
  return Buffer.concat(chunks).toString()
}

it('a response that has ended before anybody reads it is whole', async () => {
  const text = 'x'.repeat(30_000)
  const transport = await serve((stream) => {
    stream.respond({ ':status': 200 })
    stream.end(text)
  })
  expect(await read(transport, 100)).toBe(text)
  expect(await read(transport)).toBe(text)
})

it('a response without a body ends at once', async () => {
  const transport = await serve((stream) => stream.respond({ ':status': 200 }, { endStream: true }))
  expect(await read(transport, 50)).toBe('')
})

it('a response that breaks off is an error', async () => {
  const transport = await serve((stream) => {
    stream.respond({ ':status': 200 })
    stream.on('error', () => undefined)
    stream.write('half')
    setTimeout(() => stream.session?.destroy(), 50)
  })
  await expect(read(transport)).rejects.toThrow()
})
