/** Long answers over every protocol, in every form, to readers of every kind: what arrives is what there is, and nothing is mixed up. */
import { get as getPlain, Agent as PlainAgent, type IncomingMessage } from 'node:http'
import { connect, constants, type ClientHttp2Session } from 'node:http2'
import { Agent, request } from 'node:https'
import { gunzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { core } from '../../api/index.ts'
import { formatYaml, parseYaml } from '../../machinery/yaml.ts'
import { decodeList, unwrapUnknown } from '../../machinery/protobuf.ts'
import { selfSigned } from '../testing/self-signed.ts'
import { plain } from './respond.ts'
import { startTestServer, type TestServer } from '../testing.ts'

const tls = await selfSigned('localhost')
const path = '/api/v1/namespaces/default/configmaps'
const count = 300

let started: TestServer
/** How many requests are over. */
let finished = 0
async function start(options: Parameters<typeof startTestServer>[0]): Promise<void> {
  started = await startTestServer(options)
  await started.server.listen()
  for (let i = 0; i < count; i++) await started.client.create(core.configmaps, { metadata: { name: `m${1000 + i}`, namespace: 'default' }, data: { text: `${i}ä`.repeat(2000) } })
}

interface Answer { readonly headers: Readonly<Record<string, unknown>>; readonly body: Buffer }

/** Reads an answer; `slow`: with a rest after each of the first chunks. */
async function bodyOf(stream: AsyncIterable<unknown>, slow = false): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of stream) {
    chunks.push(chunk as Buffer)
    if (slow && chunks.length < 20) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return Buffer.concat(chunks)
}

const agent = new Agent({ keepAlive: true, maxSockets: 4, rejectUnauthorized: false })
async function get(query = '', headers: Record<string, string> = {}, method = 'GET', slow = false): Promise<Answer> {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request(`${started.server.url}${path}${query}`, { agent, headers, method }, resolve).on('error', reject).end()
  })
  return { headers: response.headers, body: await bodyOf(response, slow) }
}

async function getOver(session: ClientHttp2Session, headers: Record<string, string> = {}, slow = false): Promise<Answer> {
  const stream = session.request({ ':path': path, ...headers })
  const answered = new Promise<Record<string, unknown>>((resolve, reject) => stream.on('response', resolve).on('error', reject))
  const [head, body] = await Promise.all([answered, bodyOf(stream, slow)])
  return { headers: head, body }
}

/** The texts of all objects, by name. */
const expected = Array.from({ length: count }, (_, i) => [`m${1000 + i}`, `${i}ä`.repeat(2000)])
type Item = { readonly metadata: { readonly name?: string }; readonly data?: Readonly<Record<string, string>> }
const found = ({ items }: { readonly items: readonly Item[] }) => items.map(({ metadata, data }) => [metadata.name, data?.['text']])
const json = (body: Buffer) => JSON.parse(body.toString()) as { items: Item[]; rows: { object: Item }[] }

describe('over HTTPS', () => {
  beforeAll(() => start({ tls, edges: { observer: { started: () => undefined, finished: () => void finished++ } } }))
  afterAll(() => started.server.close())

  it('arrive whole and in order, and say their length once it is known', async () => {
    const first = await get()
    expect(found(json(first.body))).toEqual(expected)
    // Asked for again they are kept.
    await get()
    const third = await get('', {}, 'GET', true)
    expect(Number(third.headers['content-length'])).toBe(first.body.length)
    expect(third.headers['transfer-encoding']).toBeUndefined()
    expect(third.body.equals(first.body)).toBe(true)
  })

  it('arrive in every form', async () => {
    const list = JSON.parse((await get('?limit=40')).body.toString()) as object
    expect((await get('?limit=40&pretty=true')).body.toString()).toBe(`${JSON.stringify(list, null, 2)}\n`)
    const yaml = (await get('?limit=40', { accept: 'application/yaml' })).body.toString()
    expect(yaml).toBe(formatYaml(list))
    expect(parseYaml(yaml)).toEqual(list)
    for (let round = 0; round < 3; round++) {
      const { headers, body: bytes } = await get('', { accept: 'application/vnd.kubernetes.protobuf' })
      expect(Number(headers['content-length'])).toBe(bytes.length)
      expect(found(decodeList(core.ConfigMap, unwrapUnknown(bytes).message))).toEqual(expected)
    }
    const { rows } = json((await get('', { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' })).body)
    expect(rows.map(({ object }) => object.metadata.name)).toEqual(expected.map(([name]) => name))
    const partial = json((await get('', { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io' })).body)
    expect(partial.items.map(({ metadata }) => metadata.name)).toEqual(expected.map(([name]) => name))
    expect(found(json((await get('?limit=100')).body))).toEqual(expected.slice(0, 100))
  })

  it('are compressed on the way', async () => {
    for (const slow of [false, true]) {
      const { headers, body } = await get('', { 'accept-encoding': 'gzip' }, 'GET', slow)
      expect(headers['content-encoding']).toBe('gzip')
      expect(body.length).toBeLessThan(1e6)
      expect(found(json(gunzipSync(body)))).toEqual(expected)
    }
  })

  it('have a head of their own', async () => {
    for (let round = 0; round < 3; round++) expect(await get('', {}, 'HEAD')).toMatchObject({ headers: { 'content-type': 'application/json' }, body: Buffer.alloc(0) })
    expect(found(json((await get()).body))).toEqual(expected)
  })

  it('are not mixed up when many read at different paces, and some of them leave', async () => {
    const session = connect(started.server.url, { rejectUnauthorized: false })
    const whole = (await get()).body
    const leave = () => new Promise<void>((resolve) => {
      const call = request(`${started.server.url}${path}`, { agent: false, rejectUnauthorized: false }, (response) => response.once('data', () => call.destroy()).on('error', () => resolve()).on('close', resolve))
      call.on('error', () => resolve()).end()
    })
    const cancel = () => new Promise<void>((resolve) => {
      const stream = session.request({ ':path': path })
      stream.once('data', () => stream.close(constants.NGHTTP2_CANCEL)).on('close', resolve).on('error', () => undefined)
    })
    const answers = await Promise.all(Array.from({ length: 24 }, async (_, i) => {
      if (i % 6 === 0) return void (await leave())
      if (i % 6 === 1) return void (await cancel())
      if (i % 6 === 2) return gunzipSync((await get('', { 'accept-encoding': 'gzip' }, 'GET', i % 2 === 0)).body)
      return i % 6 === 3 ? (await getOver(session, {}, i % 2 === 0)).body : (await get('', {}, 'GET', i % 3 === 0)).body
    }))
    session.close()
    for (const answer of answers) if (answer) expect(answer.equals(whole)).toBe(true)
  })

  it.each([['CANCEL', constants.NGHTTP2_CANCEL], ['NO_ERROR', constants.NGHTTP2_NO_ERROR]])('end when their reader says %s', async (_, code) => {
    const session = connect(started.server.url, { rejectUnauthorized: false })
    finished = 0
    await new Promise<void>((resolve) => {
      const stream = session.request({ ':path': path })
      stream.once('data', () => stream.close(code)).on('close', resolve).on('error', () => undefined)
    })
    await expect.poll(() => finished, { timeout: 5000 }).toBe(1)
    session.close()
  })

  it('go over HTTP/2, with and without a body', async () => {
    const session = connect(started.server.url, { rejectUnauthorized: false })
    for (let round = 0; round < 3; round++) {
      expect(await getOver(session, { ':method': 'HEAD' })).toMatchObject({ headers: { ':status': 200 }, body: Buffer.alloc(0) })
      expect(found(json((await getOver(session)).body))).toEqual(expected)
      expect(found(json(gunzipSync((await getOver(session, { 'accept-encoding': 'gzip' })).body)))).toEqual(expected)
    }
    session.close()
  })
})

describe('over plain HTTP', () => {
  afterEach(() => started.server.close())

  it('go through one connection after the other, or in one that is closed', async () => {
    await start({})
    for (const keeping of [new PlainAgent({ keepAlive: true, maxSockets: 1 }), new PlainAgent({ keepAlive: false })]) {
      const bodies = await Promise.all(Array.from({ length: 4 }, async (_, i) => {
        const response = await new Promise<IncomingMessage>((resolve, reject) => getPlain(`${started.server.url}${path}`, { agent: keeping }, resolve).on('error', reject))
        return bodyOf(response, i === 1)
      }))
      for (const body of bodies) expect(found(json(body))).toEqual(expected)
      keeping.destroy()
    }
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
    const response = await new Promise<IncomingMessage>((resolve, reject) => getPlain(`${started.server.url}/api/v1/namespaces/default/pods/a/log?follow=true`, resolve).on('error', reject))
    const ended = new Promise((resolve) => response.once('error', resolve).resume())
    const begun = performance.now()
    await started.server.close()
    expect(performance.now() - begun).toBeLessThan(5000)
    expect(await ended).toMatchObject({ code: 'ECONNRESET' })
  })
})
