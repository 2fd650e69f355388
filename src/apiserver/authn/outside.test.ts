/** Ways to come in that an administrator sets up: static tokens, a webhook, anonymity on some paths. */
import type { IncomingHttpHeaders } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../machinery/clock.ts'
import { isApiError } from '../../machinery/errors.ts'
import { createPost } from '../remote.ts'
import { environment } from '../testing/environment.ts'
import type { RawRequest } from './authenticator.ts'
import { setUpAuthentication, type AuthenticationOptions } from './setup.ts'
import { startServer, type TestServer } from './testing.ts'
import { parseTokenFile } from './token-file.ts'

const requestWith = (headers: IncomingHttpHeaders = {}, url = '/api'): RawRequest => ({ headers, url, rawHeaders: Object.entries(headers).flat(), socket: {} }) as unknown as RawRequest
const bearer = (token: string) => requestWith({ authorization: `Bearer ${token}` })
const code = async (ask: () => Promise<unknown> | unknown): Promise<unknown> => {
  try {
    return await ask()
  } catch (error) {
    return isApiError(error) ? error.code : String(error)
  }
}
const setUp = (options: AuthenticationOptions, clock = new FakeClock()) => {
  const { authenticate } = setUpAuthentication({ ...environment(), clock }, undefined, options)
  return (request: RawRequest) => code(() => authenticate(request))
}

describe('the static token file', () => {
  it('says who carries a token', async () => {
    const who = setUp({ tokens: parseTokenFile('s3cret,ana,17,"devs,ops"\n\nother,ben,,\n"a,b",col,2\n') })
    expect(await who(bearer('s3cret'))).toEqual({ name: 'ana', uid: '17', groups: ['devs', 'ops', 'system:authenticated'] })
    expect(await who(bearer('other'))).toEqual({ name: 'ben', groups: ['system:authenticated'] })
    expect(await who(bearer('a,b'))).toMatchObject({ name: 'col' })
    expect(await who(bearer('S3CRET'))).toBe(401)
    expect(await who(bearer(''))).toMatchObject({ name: 'system:anonymous' })
  })

  it('is refused where it makes no sense, with the line', () => {
    expect(() => parseTokenFile('a,b')).toThrow('line 1: it must have at least 3 columns')
    expect(() => parseTokenFile('a,b,c\n,x,y')).toThrow('line 2: the token is empty')
    expect(() => parseTokenFile('a,b,c\na,d,e')).toThrow('line 2: the same token is there twice')
    expect(() => parseTokenFile('a,"b,c')).toThrow('line 1: a quote')
  })
})

describe('the token webhook', () => {
  let server: TestServer
  let asked: { spec: { token: string; audiences?: string[] }; apiVersion: string }[]
  let answer: (token: string) => object | number
  beforeAll(async () => {
    server = await startServer((request, response) => {
      let text = ''
      request.on('data', (chunk: Buffer) => void (text += chunk.toString()))
      request.on('end', () => {
        const review = JSON.parse(text) as (typeof asked)[number]
        asked.push(review)
        const status = answer(review.spec.token)
        if (typeof status === 'number') response.writeHead(status).end()
        else response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ ...review, status }))
      })
    })
  })
  beforeEach(() => {
    asked = []
    answer = (token) => (token === 'good' ? { authenticated: true, user: { username: 'ana', uid: '1', groups: ['devs'], extra: { Scope: ['a'] } } } : { authenticated: false })
  })
  afterAll(() => server.close())
  const withWebhook = (clock = new FakeClock()) => ({ clock, who: setUp({ webhook: { post: createPost({ server: server.url, ca: server.ca }), cacheTtl: 60_000 } }, clock) })

  it('is asked once for a token, again when its answer has aged', async () => {
    const { who, clock } = withWebhook()
    for (let i = 0; i < 3; i++) expect(await who(bearer('good'))).toEqual({ name: 'ana', uid: '1', groups: ['devs', 'system:authenticated'], extra: { Scope: ['a'] } })
    for (let i = 0; i < 3; i++) expect(await who(bearer('bad'))).toBe(401)
    expect(asked.map((r) => r.spec.token)).toEqual(['good', 'bad'])
    expect(asked[0]).toMatchObject({ apiVersion: 'authentication.k8s.io/v1', spec: { audiences: ['https://kubernetes.default.svc'] } })
    await clock.advance(61_000)
    await who(bearer('good'))
    expect(asked).toHaveLength(3)
  })

  it('waits for one answer when many ask at once', async () => {
    const { who } = withWebhook()
    await Promise.all(Array.from({ length: 10 }, () => who(bearer('good'))))
    expect(asked).toHaveLength(1)
  })

  it('lets nobody in when it fails, is away, or vouches for other audiences; and is tried again', async () => {
    const { who, clock } = withWebhook()
    answer = () => 503
    const late = who(bearer('good'))
    for (let i = 0; i < 6; i++) {
      await new Promise((resolve) => setTimeout(resolve, 20))
      await clock.advance(3000)
    }
    expect(await late).toBe(401)
    expect(asked).toHaveLength(5)
    answer = () => ({ authenticated: true, user: { username: 'ana' }, audiences: ['elsewhere'] })
    expect(await who(bearer('good'))).toBe(401)
    answer = () => ({ authenticated: true, user: {} })
    expect(await who(bearer('nobody'))).toBe(401)
    const away = setUp({ webhook: { post: createPost({ server: 'https://127.0.0.1:1', ca: server.ca }) } })
    expect(await away(bearer('good'))).toBe(401)
    const stranger = setUp({ webhook: { post: createPost({ server: server.url }) } })
    expect(await stranger(bearer('good'))).toBe(401)
  })
})

describe('requests without credentials', () => {
  const anonymousAt = (options: AuthenticationOptions, path: string) => setUp(options)(requestWith({}, path))
  it('are anonymous, or nobody, or anonymous on some paths only', async () => {
    expect(await anonymousAt({}, '/x')).toMatchObject({ name: 'system:anonymous' })
    expect(await anonymousAt({ anonymous: () => ({ enabled: true }) }, '/x')).toEqual({ name: 'system:anonymous', groups: ['system:unauthenticated'] })
    expect(await anonymousAt({ anonymous: () => ({ enabled: false }) }, '/healthz')).toBe(401)
    const some: AuthenticationOptions = { anonymous: () => ({ enabled: true, paths: ['/healthz'] }) }
    expect(await anonymousAt(some, '/healthz?verbose')).toMatchObject({ name: 'system:anonymous' })
    for (const path of ['/healthz/', '/healthz/../api', '/api', '/healthz%2f']) expect(await anonymousAt(some, path), path).toBe(401)
  })

  it('with a token that nobody knows are not anonymous', async () => {
    expect(await setUp({ anonymous: () => ({ enabled: true }) })(bearer('junk'))).toBe(401)
    expect(await setUp({})(bearer('junk'))).toBe(401)
  })

  it('with a header that holds no token are as those without', async () => {
    for (const authorization of ['Basic cm9vdDpyb290', 'Bearer', 'Bearer  junk', 'Token junk']) {
      expect(await setUp({})(requestWith({ authorization })), authorization).toMatchObject({ name: 'system:anonymous' })
      expect(await setUp({ anonymous: () => ({ enabled: false }) })(requestWith({ authorization })), authorization).toBe(401)
    }
  })

  it('but with a token among the protocols of a WebSocket are whose that is, and of nothing else', async () => {
    const token = (text: string) => `base64url.bearer.authorization.k8s.io.${Buffer.from(text).toString('base64url')}`
    const offer = (protocols: string, upgrade: object = { connection: 'Upgrade', upgrade: 'websocket' }) => setUp({ tokens: parseTokenFile('s3cret,ana,17') })(requestWith({ ...upgrade, 'sec-websocket-protocol': protocols }))
    expect(await offer(`${token('s3cret')}, v5.channel.k8s.io`)).toMatchObject({ name: 'ana' })
    expect(await offer(`${token('s3cret')}, v5.channel.k8s.io`, {})).toMatchObject({ name: 'system:anonymous' })
    expect(await offer('v5.channel.k8s.io')).toMatchObject({ name: 'system:anonymous' })
    for (const bad of [token('s3cret'), `${token('wrong')}, v5`, `${token('s3cret')}, ${token('s3cret')}, v5`, `${token('s3cret')}=, v5`, `base64url.bearer.authorization.k8s.io._w, v5`]) expect(await offer(bad), bad).toBe(401)
  })
})
