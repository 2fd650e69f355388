/** What a request leaves behind, from the socket to the event. */
import { connect, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, describe, expect, it } from 'vitest'
import { core, authentication } from '../../api/index.ts'
import { FakeClock, systemClock } from '../../machinery/clock.ts'
import { ApiError, badRequest, forbidden, unauthorized } from '../../machinery/errors.ts'
import { quiet } from '../../machinery/log.ts'
import type { ApiRequest } from '../http/request.ts'
import type { ApiServer, Edges, VirtualResource } from '../options.ts'
import { startTestServer, tester } from '../testing.ts'
import { createAudit } from './audit.ts'
import type { AuditBackend } from './backend.ts'
import { sourceAddresses, type AuditEvent } from './event.ts'
import { parsePolicy } from './policy.ts'

let server: ApiServer | undefined
afterEach(async () => {
  await server?.close()
  server = undefined
})

const policyOf = (rules: string) => parsePolicy(`apiVersion: audit.k8s.io/v1\nkind: Policy\nrules:\n${rules}`)

async function start(rules: string, edges: Partial<Edges> = {}, backend: Partial<AuditBackend> = {}) {
  const events: AuditEvent[] = []
  const write = (line: string): void => {
    const event = JSON.parse(line) as AuditEvent
    // What the server asks itself for is another matter.
    if ((event.user as { username?: string }).username !== 'system:apiserver') events.push(event)
  }
  const collect: AuditBackend = { name: 'test', strict: false, write, stop: async () => undefined, ...backend }
  const audit = createAudit({ policy: policyOf(rules), backends: [collect], clock: systemClock, log: quiet })
  const test = await startTestServer({ edges: { audit, ...edges } })
  server = test.server
  await server.listen()
  const { url } = server
  const ask = async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) => {
    const response = await fetch(url + path, { method, headers: { ...(body === undefined ? {} : { 'content-type': 'application/json' }), 'user-agent': 'test/1', ...headers }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
    return { code: response.status, text: await response.text(), id: response.headers.get('audit-id') }
  }
  const complete = async (count = 1) => {
    await expect.poll(() => events.filter((e) => e.stage === 'ResponseComplete').length).toBeGreaterThanOrEqual(count)
    return events.filter((e) => e.stage === 'ResponseComplete')
  }
  return { events, ask, complete, client: test.client, server: test.server }
}

const everything = '- level: RequestResponse\n'
const namespaces = '/api/v1/namespaces'
const namespace = (name: string) => ({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } })

describe('a request over HTTP', () => {
  it('is written down when it comes and when it is answered, under the id that the client gets', async () => {
    const { ask, complete, events } = await start('- level: Metadata\n')
    const { id } = await ask('POST', `${namespaces}?fieldManager=me`, namespace('a'), { 'x-forwarded-for': '192.0.2.7, nonsense, 198.51.100.1' })
    const [event] = await complete()
    expect(events.map((e) => e.stage)).toEqual(['RequestReceived', 'ResponseComplete'])
    expect(events[0]).not.toHaveProperty('responseStatus')
    expect(event).toMatchObject({
      kind: 'Event', apiVersion: 'audit.k8s.io/v1', level: 'Metadata', auditID: id, stage: 'ResponseComplete', requestURI: `${namespaces}?fieldManager=me`, verb: 'create',
      user: { username: 'tester', groups: ['system:authenticated'] }, sourceIPs: ['192.0.2.7', '198.51.100.1', '127.0.0.1'], userAgent: 'test/1',
      objectRef: { resource: 'namespaces', name: 'a', apiVersion: 'v1' }, responseStatus: { metadata: {}, code: 201 },
      annotations: { 'authorization.k8s.io/decision': 'allow', 'authorization.k8s.io/reason': '' },
    })
    expect(event?.stageTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/)
    expect(event).not.toHaveProperty('requestObject')
  })

  it('leaves its bodies where the policy wants them, without the managers of fields where it does not want those', async () => {
    const { ask, complete } = await start('- {level: Request, verbs: [create]}\n- {level: RequestResponse, omitManagedFields: true}\n')
    await ask('POST', namespaces, namespace('a'))
    await ask('PATCH', `${namespaces}/a`, { metadata: { labels: { x: 'y' } } }, { 'content-type': 'application/merge-patch+json' })
    await ask('GET', namespaces)
    const [created, patched, listed] = await complete(3)
    expect(created).toMatchObject({ requestObject: { kind: 'Namespace', metadata: { name: 'a' } } })
    expect(created).not.toHaveProperty('responseObject')
    expect(patched).toMatchObject({ requestObject: { metadata: { labels: { x: 'y' } } }, responseObject: { kind: 'Namespace', metadata: { name: 'a', labels: { x: 'y' } } } })
    expect(patched).not.toHaveProperty('responseObject.metadata.managedFields')
    expect(listed).toMatchObject({ verb: 'list', responseObject: { kind: 'NamespaceList', items: [{ metadata: { name: 'a' } }] } })
  })

  it('that fails says why', async () => {
    const { ask, complete } = await start(everything, { authorize: (_, { verb }) => ({ allowed: verb === 'get', reason: 'no binding' }) })
    await ask('GET', `${namespaces}/none`)
    await ask('DELETE', `${namespaces}/none`)
    const [missing, refused] = await complete(2)
    expect(missing).toMatchObject({ responseStatus: { metadata: {}, status: 'Failure', reason: 'NotFound', code: 404 }, responseObject: { kind: 'Status', code: 404 } })
    expect(refused).toMatchObject({ responseStatus: { reason: 'Forbidden', code: 403 }, annotations: { 'authorization.k8s.io/decision': 'forbid', 'authorization.k8s.io/reason': 'no binding' } })
    expect(missing?.responseStatus).not.toHaveProperty('kind')
  })

  it('names who really asks, and as whom', async () => {
    const { ask, complete } = await start('- {level: Metadata, users: [tester]}\n', { impersonate: () => ({ name: 'bob', groups: ['devs'] }) })
    await ask('GET', namespaces)
    expect((await complete())[0]).toMatchObject({ user: { username: 'tester' }, impersonatedUser: { username: 'bob', groups: ['devs'] } })
  })

  it('with credentials that are bad is written down without them', async () => {
    const { ask, events } = await start('- level: Metadata\n', { authenticate: () => { throw unauthorized() } })
    const { id } = await ask('GET', namespaces, undefined, { authorization: 'Bearer hush-hush' })
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({ auditID: id, user: {}, stage: 'ResponseStarted', responseStatus: { code: 401, message: 'Authentication failed, attempted: bearer' } })
    expect(JSON.stringify(events)).not.toContain('hush')
    expect(events[0]?.user).toEqual({})
  })

  it('that watches is told when it begins and when it ends', async () => {
    const { events } = await start('- level: Metadata\n')
    const stop = new AbortController()
    const response = await fetch(`${server?.url}${namespaces}?watch=true`, { signal: stop.signal })
    expect(response.status).toBe(200)
    expect(events.map((e) => e.stage)).toEqual(['RequestReceived', 'ResponseStarted'])
    stop.abort()
    await expect.poll(() => events.at(-1)?.stage).toBe('ResponseComplete')
    expect(events).toHaveLength(3)
  })

  it('that takes the connection over is told when it does and when the connection ends', async () => {
    const upgrade = async ({ info }: ApiRequest, socket: Duplex) => {
      if (info.name === 'none') throw badRequest('no such pod')
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n')
      socket.resume().once('end', () => socket.end())
    }
    const { events } = await start('- {level: Metadata, omitStages: [RequestReceived]}\n', { routes: { handle: () => undefined, upgrade: () => upgrade } })
    const { port } = new URL(server?.url ?? '')
    const open = (path: string) => new Promise<{ answer: string; socket: Socket }>((resolve) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: echo\r\nAudit-ID: mine\r\n\r\n`))
      socket.once('data', (data: Buffer) => resolve({ answer: data.toString(), socket }))
    })
    const { answer, socket } = await open('/api/v1/namespaces/a/pods/p/exec?command=id')
    expect(answer).toContain('101')
    const told = () => events.map(({ stage, responseStatus, objectRef, auditID, verb }) => [stage, responseStatus?.code, objectRef?.subresource, auditID, verb])
    expect(told()).toEqual([['ResponseStarted', 101, 'exec', 'mine', 'get']])
    socket.destroy()
    await expect.poll(told).toEqual([['ResponseStarted', 101, 'exec', 'mine', 'get'], ['ResponseComplete', 101, 'exec', 'mine', 'get']])
    const refused = await open('/api/v1/namespaces/a/pods/none/exec')
    expect(refused.answer).toMatch(/^HTTP\/1.1 400 .*Audit-ID: mine/s)
    await expect.poll(() => events.at(-1)).toMatchObject({ stage: 'ResponseComplete', objectRef: { name: 'none' }, responseStatus: { code: 400 } })
    refused.socket.destroy()
  })

  it('that breaks the server is told as a panic', async () => {
    const { ask, events } = await start('- level: Metadata\n', { admission: { mutate: async () => { throw new TypeError('oh') }, validate: async () => undefined } })
    expect((await ask('POST', namespaces, namespace('a'))).code).toBe(500)
    expect(events.at(-1)).toMatchObject({ stage: 'Panic', responseStatus: { code: 500, reason: 'InternalError' } })
  })

  it('leaves nothing when the policy wants nothing, or not that stage', async () => {
    const { ask, complete, events } = await start('- {level: None, resources: [{group: "", resources: [nodes]}]}\n- {level: Metadata, omitStages: [RequestReceived]}\n')
    await ask('GET', '/api/v1/nodes')
    await ask('GET', namespaces)
    await complete()
    expect(events).toHaveLength(1)
    expect(events[0]).toMatchObject({ objectRef: { resource: 'namespaces' } })
  })

  it('carries what admission noted, the first value of a key', async () => {
    const { ask, complete } = await start('- level: Metadata\n', {
      admission: {
        mutate: async ({ object }) => object,
        validate: async ({ context }) => {
          context.annotate('pod-security.kubernetes.io/enforce-policy', 'restricted:latest')
          context.annotate('pod-security.kubernetes.io/enforce-policy', 'other')
        },
      },
    })
    await ask('POST', namespaces, namespace('a'))
    expect((await complete())[0]?.annotations).toMatchObject({ 'pod-security.kubernetes.io/enforce-policy': 'restricted:latest' })
  })
})

describe('components in this process', () => {
  it('leave the same trail', async () => {
    const { client, complete, events } = await start(everything)
    await client.create(core.namespaces, { metadata: { name: 'a' } })
    await client.get(core.namespaces, 'b').catch(() => undefined)
    const [created, missing] = await complete(2)
    expect(created).toMatchObject({ verb: 'create', requestURI: namespaces, user: { username: tester.name }, objectRef: { resource: 'namespaces', name: 'a' }, requestObject: { kind: 'Namespace' }, responseStatus: { code: 201 } })
    expect(missing).toMatchObject({ requestURI: `${namespaces}/b`, responseStatus: { code: 404 }, annotations: { 'authorization.k8s.io/decision': 'allow' } })
    const stop = new AbortController()
    for await (const event of client.watch(core.namespaces, { signal: stop.signal })) if (event.type === 'ADDED') break
    expect(events.slice(-3).map((e) => `${e.verb} ${e.stage}`)).toEqual(['watch RequestReceived', 'watch ResponseStarted', 'watch ResponseComplete'])
  })
})

describe('no secret is in an event', () => {
  const secret = (more: object = {}) => ({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'a', annotations: { 'kubectl.kubernetes.io/last-applied-configuration': '{"stringData":{"p":"hush-hush"}}' } }, stringData: { p: 'hush-hush' }, ...more })
  const encoded = Buffer.from('hush-hush').toString('base64')

  it('neither of a Secret, however it is written or read', async () => {
    const { ask, complete, events } = await start(everything)
    const secrets = `${namespaces}/a/secrets`
    await ask('POST', namespaces, namespace('a'))
    expect((await ask('POST', secrets, secret())).code).toBe(201)
    expect((await ask('PATCH', `${secrets}/s`, { stringData: { q: 'hush-hush' } }, { 'content-type': 'application/strategic-merge-patch+json' })).code).toBe(200)
    expect((await ask('PATCH', `${secrets}/s`, [{ op: 'add', path: '/data/r', value: encoded }, { op: 'add', path: '/metadata/labels', value: { l: 'm' } }], { 'content-type': 'application/json-patch+json' })).code).toBe(200)
    expect((await ask('GET', secrets)).text).toContain(encoded)
    expect((await ask('DELETE', `${secrets}/s`)).code).toBe(200)
    const text = JSON.stringify(await complete(6))
    expect(text).not.toContain('hush')
    expect(text).not.toContain(encoded)
    expect(text).toContain('"p":"[hidden]"')
    expect(events.find((e) => e.verb === 'patch' && Array.isArray(e.requestObject))?.requestObject).toMatchObject([{ value: '[hidden]' }, { value: { l: 'm' } }])
  })

  it('nor of a token, asked for or shown', async () => {
    const virtual = new Map<string, VirtualResource>([
      ['tokenreviews.authentication.k8s.io', { create: (body) => ({ ...body, status: { authenticated: true } }) }],
      ['serviceaccounts/token', { type: authentication.TokenRequest as never, apiVersion: 'authentication.k8s.io/v1', create: (body) => ({ ...body, status: { token: 'hush-hush', expirationTimestamp: '2026-01-01T00:00:00Z' } }) as never }],
    ])
    const { ask, complete } = await start(everything, { routes: { handle: () => undefined, virtual } })
    expect((await ask('POST', '/apis/authentication.k8s.io/v1/tokenreviews', { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token: 'hush-hush' } })).code).toBe(201)
    expect((await ask('POST', `${namespaces}/a/serviceaccounts/x/token`, { apiVersion: 'authentication.k8s.io/v1', kind: 'TokenRequest', spec: {} })).text).toContain('hush')
    const text = JSON.stringify(await complete(2))
    expect(text).not.toContain('hush')
    expect(text).toContain('[hidden]')
  })
})

it('an event that is too large for a backend comes without its bodies, or not at all', async () => {
  const { ask, complete } = await start('- {level: RequestResponse, omitStages: [RequestReceived]}\n', {}, { maxEventSize: 1500 })
  await ask('POST', namespaces, { ...namespace('a'), metadata: { name: 'a', annotations: { long: 'x'.repeat(2000) } } })
  const [event] = await complete()
  expect(event).toMatchObject({ responseStatus: { code: 201 }, annotations: { 'audit.k8s.io/truncated': 'true', 'authorization.k8s.io/decision': 'allow' } })
  expect(event).not.toHaveProperty('requestObject')
  await ask('GET', `${namespaces}?labelSelector=${'x'.repeat(2000)}`)
  await ask('GET', `${namespaces}/a`)
  expect((await complete(2)).at(-1)).toMatchObject({ requestURI: `${namespaces}/a` })
})

describe('when an event cannot be written', () => {
  const broken = { write: () => { throw new Error('disk full') } }
  it('the request goes on', async () => {
    const { ask } = await start('- level: Metadata\n', {}, broken)
    expect((await ask('GET', namespaces)).code).toBe(200)
  })
  it('a strict backend refuses the request before anything has happened', async () => {
    const { ask, server } = await start('- {level: Metadata, verbs: [create]}\n', {}, { ...broken, strict: true })
    expect((await ask('POST', namespaces, namespace('a')))).toMatchObject({ code: 500, text: expect.stringContaining('failed to store audit event') as string })
    await expect(server.client.get(core.namespaces, 'a')).rejects.toMatchObject({ code: 404 })
  })
  it('a backend that must be waited for is waited for', async () => {
    const clock = new FakeClock()
    const { ask } = await start('- {level: Metadata, omitStages: [ResponseComplete]}\n', {}, { strict: true, write: () => clock.sleep(1000) })
    let answered = false
    const answer = ask('GET', namespaces).then(({ code }) => { answered = true; return code })
    await expect.poll(async () => { await clock.advance(100); return clock.now() }).toBeGreaterThan(0)
    expect(answered).toBe(false)
    await expect.poll(async () => { await clock.advance(500); return answered }).toBe(true)
    expect(await answer).toBe(200)
  })
})

it('tells addresses apart from what only looks like them', () => {
  expect(sourceAddresses({ 'x-forwarded-for': '10.0.0.1,evil', 'x-real-ip': '10.0.0.2' }, '::ffff:127.0.0.1')).toEqual(['10.0.0.1', '10.0.0.2', '127.0.0.1'])
  expect(sourceAddresses({ 'x-real-ip': '127.0.0.1' }, '127.0.0.1')).toEqual(['127.0.0.1'])
  expect(sourceAddresses({}, '2001:db8::1')).toEqual(['2001:db8::1'])
})

it('errors of clients are no panics', async () => {
  const { ask, events, complete } = await start('- level: Metadata\n', { admission: { mutate: async () => { throw forbidden({ group: '', plural: 'namespaces' }, 'a', 'no') }, validate: async () => { throw new ApiError(400, 'BadRequest', 'no') } } })
  await ask('POST', namespaces, namespace('a'))
  await complete()
  expect(events.map((e) => e.stage)).toEqual(['RequestReceived', 'ResponseComplete'])
})
