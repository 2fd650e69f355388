import { createServer, type Http2Server, type Http2ServerRequest, type Http2ServerResponse, type ServerHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { apps, core } from '../api/index.ts'
import { isConflict, isExpired } from '../machinery/errors.ts'
import { createHttpsClient, type HttpsClient } from './https.ts'

interface Seen { readonly method: string; readonly url: string; readonly headers: Readonly<Record<string, unknown>>; readonly body: string }
type Handler = (request: Seen, response: Http2ServerResponse) => void

let server: Http2Server
let client: HttpsClient
let seen: Seen[]
let handle: Handler
let sessions: Set<ServerHttp2Session>

/** HTTP/2 without TLS: what is tested is what is said, not how it is hidden. */
beforeEach(async () => {
  seen = []
  sessions = new Set()
  handle = (_, response) => json(response, 200, {})
  server = createServer((request: Http2ServerRequest, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const call = { method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(chunks).toString() }
      seen.push(call)
      handle(call, response)
    })
  })
  server.on('session', (session) => { sessions.add(session); session.once('close', () => sessions.delete(session)) })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  client = createHttpsClient({ server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'secret' })
})
afterEach(async () => {
  client.close()
  for (const session of sessions) session.destroy()
  await new Promise((resolve) => { server.close(resolve) })
})

const json = (response: Http2ServerResponse, code: number, body: unknown, headers: Record<string, string> = {}) => {
  response.writeHead(code, { 'content-type': 'application/json', ...headers })
  response.end(JSON.stringify(body))
}
const map = (name: string, over = {}) => ({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name, namespace: 'a', resourceVersion: '7' }, ...over })
const status = (code: number, reason: string, message: string) => ({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', code, reason, message })

describe('the HTTPS client', () => {
  it('speaks to the paths of the API, as who it is', async () => {
    handle = (_, response) => json(response, 200, map('x'))
    await client.get(core.configmaps, 'x', { namespace: 'a' })
    await client.list(apps.deployments, { labelSelector: 'app in (a,b)', limit: 5 })
    await client.create(core.configmaps, { metadata: { name: 'x', namespace: 'a' } }, { dryRun: true })
    await client.updateStatus(apps.deployments, { metadata: { name: 'd', namespace: 'a' }, spec: {} as never })
    await client.patch(core.nodes, 'n', { type: 'strategic', body: { spec: {} } }, { subresource: 'status' })
    await client.delete(core.configmaps, 'x', { namespace: 'a', propagationPolicy: 'Orphan', preconditions: { uid: 'u' } })
    await client.deleteCollection(core.configmaps, { namespace: 'a', labelSelector: 'x=y' })
    await client.createSubresource(core.pods, 'p', 'binding', { target: {} }, { namespace: 'a' })
    expect(seen.map((s) => `${s.method} ${s.url}`)).toEqual([
      'GET /api/v1/namespaces/a/configmaps/x',
      'GET /apis/apps/v1/deployments?labelSelector=app+in+%28a%2Cb%29&limit=5',
      'POST /api/v1/namespaces/a/configmaps?dryRun=All',
      'PUT /apis/apps/v1/namespaces/a/deployments/d/status',
      'PATCH /api/v1/nodes/n/status',
      'DELETE /api/v1/namespaces/a/configmaps/x',
      'DELETE /api/v1/namespaces/a/configmaps?labelSelector=x%3Dy',
      'POST /api/v1/namespaces/a/pods/p/binding',
    ])
    expect(seen.every((s) => s.headers.authorization === 'Bearer secret')).toBe(true)
    expect(JSON.parse(seen[2]?.body ?? '')).toEqual({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'x', namespace: 'a' } })
    expect(seen[4]?.headers['content-type']).toBe('application/strategic-merge-patch+json')
    expect(JSON.parse(seen[5]?.body ?? '')).toMatchObject({ kind: 'DeleteOptions', propagationPolicy: 'Orphan', preconditions: { uid: 'u' } })
    expect(sessions.size).toBe(1)
  })

  it('gives objects in the form of the schema, whatever the server leaves out', async () => {
    handle = (_, response) => json(response, 200, { kind: 'PodList', apiVersion: 'v1', metadata: { resourceVersion: '9' }, items: [{ metadata: { name: 'p' }, spec: { containers: [] }, future: 1 }] })
    const list = await client.list(core.pods)
    expect(list).toEqual({ metadata: { resourceVersion: '9' }, items: [{ kind: 'Pod', apiVersion: 'v1', metadata: { name: 'p' }, spec: { containers: [] }, status: {} }] })
  })

  it('throws what the server says', async () => {
    handle = (_, response) => json(response, 409, status(409, 'Conflict', 'the object has been modified'))
    const error: unknown = await client.update(core.configmaps, { metadata: { name: 'x', namespace: 'a' } }).catch((e: unknown) => e)
    expect(isConflict(error)).toBe(true)
    handle = (_, response) => { response.writeHead(502); response.end('bad gateway') }
    await expect(client.get(core.configmaps, 'x', { namespace: 'a' })).rejects.toMatchObject({ message: 'bad gateway', code: 502 })
  })

  it('resolves a deletion that left nothing with undefined', async () => {
    handle = (_, response) => json(response, 200, { ...status(200, '', ''), status: 'Success' })
    expect(await client.delete(core.configmaps, 'x', { namespace: 'a' })).toBeUndefined()
  })

  it('tries again when the server asks for it', async () => {
    let calls = 0
    handle = (_, response) => (++calls < 3 ? json(response, 429, status(429, 'TooManyRequests', 'slow down'), { 'retry-after': '0' }) : json(response, 200, map('x')))
    expect((await client.get(core.configmaps, 'x', { namespace: 'a' })).metadata.name).toBe('x')
    expect(calls).toBe(3)
  })

  it('watches: events in order, cut anywhere, and the server\'s error at the end', async () => {
    const lines = [{ type: 'ADDED', object: map('ä') }, { type: 'BOOKMARK', object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { resourceVersion: '12' } } }, { type: 'ERROR', object: status(410, 'Expired', 'too old') }]
    handle = (_, response) => {
      response.writeHead(200)
      const bytes = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
      for (let at = 0; at < bytes.length; at += 7) response.write(bytes.subarray(at, at + 7))
      response.end()
    }
    const events: string[] = []
    let error: unknown
    try {
      for await (const event of client.watch(core.configmaps, { namespace: 'a', resourceVersion: '5', allowBookmarks: true })) events.push(`${event.type} ${event.object.metadata.name ?? event.object.metadata.resourceVersion}`)
    } catch (e) {
      error = e
    }
    expect(events).toEqual(['ADDED ä', 'BOOKMARK 12'])
    expect(isExpired(error)).toBe(true)
    expect(seen[0]?.url).toBe('/api/v1/namespaces/a/configmaps?resourceVersion=5&watch=true&allowWatchBookmarks=true')
  })

  it('ends a watch when the signal aborts', async () => {
    handle = (_, response) => { response.writeHead(200); response.write(`${JSON.stringify({ type: 'ADDED', object: map('x') })}\n`) }
    const stop = new AbortController()
    let count = 0
    for await (const _ of client.watch(core.configmaps, { signal: stop.signal })) {
      count++
      stop.abort()
    }
    expect(count).toBe(1)
  })

  it('opens another connection for more watches than one can bear, and calls still go through', async () => {
    handle = (request, response) => {
      if (request.url.includes('watch')) { response.writeHead(200); response.write('\n') } else json(response, 200, map('x'))
    }
    const stop = new AbortController()
    const watches = Array.from({ length: 95 }, async () => { for await (const event of client.watch(core.configmaps, { signal: stop.signal })) expect(event).toBeUndefined() })
    while (seen.length < 95) await new Promise((resolve) => { setTimeout(resolve, 5) })
    expect((await client.get(core.configmaps, 'x', { namespace: 'a' })).metadata.name).toBe('x')
    expect(sessions.size).toBe(2)
    stop.abort()
    await Promise.all(watches)
  })

  it('connects anew after the connection broke', async () => {
    handle = (_, response) => json(response, 200, map('x'))
    await client.get(core.configmaps, 'x', { namespace: 'a' })
    for (const session of sessions) session.destroy()
    await new Promise((resolve) => { setTimeout(resolve, 20) })
    expect((await client.get(core.configmaps, 'x', { namespace: 'a' })).metadata.name).toBe('x')
  })

  it('says that the server cannot be reached', async () => {
    const nowhere = createHttpsClient({ server: 'http://127.0.0.1:1' })
    await expect(nowhere.get(core.configmaps, 'x', { namespace: 'a' })).rejects.toThrow(/cannot reach the API server at http:\/\/127.0.0.1:1/)
    nowhere.close()
  })
})
