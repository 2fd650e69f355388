import http, { type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import type { core, discovery } from '../../api/index.ts'
import { ApiError, isApiError } from '../../machinery/errors.ts'
import { parseRequestInfo } from '../http/request-info.ts'
import type { ApiRequest, Handler, UpgradeHandler } from '../http/request.ts'
import type { Lister } from '../options.ts'
import { ask } from '../testing/ask.ts'
import { chooseContainer, logParameters, streamParameters } from './containers.ts'
import type { Kubelets } from './kubelet.ts'
import { createPodStreams } from './pods.ts'
import { forward } from './forward.ts'
import { createProxies } from './proxy.ts'
import { checkProxyable, parseTarget } from './target.ts'

const pod = (name: string, spec: object = {}, status: object = {}) =>
  ({ kind: 'Pod', apiVersion: 'v1', metadata: { name, namespace: 'default' }, spec: { containers: [{ name: 'a' }], nodeName: 'node-1', ...spec }, status }) as unknown as core.Pod
const listerOf = <T extends { readonly metadata: { readonly name?: string | undefined; readonly namespace?: string | undefined } }>(...objects: T[]): Lister<T> => ({
  get: (namespace, name) => objects.find((o) => (o.metadata.namespace ?? '') === namespace && o.metadata.name === name),
  list: () => objects,
  revision: () => 1,
  since: () => undefined,
})
const message = (run: () => unknown): string => {
  try {
    run()
  } catch (error) {
    if (isApiError(error)) return `${error.code} ${error.message}`
    throw error
  }
  return 'nothing was thrown'
}

describe('which container is meant', () => {
  const two = pod('x', { containers: [{ name: 'a' }, { name: 'b' }], initContainers: [{ name: 'i' }] })

  it('is the only one, or the one that is named', () => {
    expect(chooseContainer(pod('x'), '')).toBe('a')
    expect(chooseContainer(two, 'i')).toBe('i')
  })

  it('must be said when there are several', () => {
    expect(message(() => chooseContainer(two, ''))).toBe('400 a container name must be specified for pod x, choose one of: [i a b]')
    expect(message(() => chooseContainer(two, 'z'))).toBe('400 container z is not valid for pod x')
  })
})

describe('parameters', () => {
  it('of streams are said in the words of the node', () => {
    expect(streamParameters(new URLSearchParams('stdin=true&stdout=1&stderr=false&command=sh&command=-c&container=a')).toString()).toBe('input=1&output=1&command=sh&command=-c')
  })

  it('of logs are checked and passed on', () => {
    expect(logParameters('x', new URLSearchParams('follow=true&tailLines=3&timestamps=false&sinceTime=2026-01-01T00:00:00Z')).toString()).toBe('follow=true&tailLines=3&sinceTime=2026-01-01T00%3A00%3A00Z')
    expect(message(() => logParameters('x', new URLSearchParams('tailLines=-1')))).toBe('422 PodLogOptions "x" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0')
    expect(message(() => logParameters('x', new URLSearchParams('sinceSeconds=0')))).toContain('must be greater than 0')
    expect(message(() => logParameters('x', new URLSearchParams('limitBytes=x')))).toContain('400 ')
    for (const text of ['', '1e3', '0x10', ' 1', '1.0']) expect(message(() => logParameters('x', new URLSearchParams({ tailLines: text }))), text).toBe(`400 strconv.ParseInt: parsing ${JSON.stringify(text)}: invalid syntax`)
    expect(logParameters('x', new URLSearchParams('tailLines=%2B9223372036854775807')).toString()).toBe('tailLines=9223372036854775807')
    expect(message(() => logParameters('x', new URLSearchParams('tailLines=9223372036854775808')))).toBe('400 strconv.ParseInt: parsing "9223372036854775808": value out of range')
    expect(message(() => logParameters('x', new URLSearchParams('sinceSeconds=0&sinceTime=2026-01-01T00:00:00Z')))).toBe('422 PodLogOptions "x" is invalid: : Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified')
  })
})

describe('what is never proxied to', () => {
  it('is this host, its links, and what is no address', () => {
    for (const address of ['127.0.0.1', '127.8.8.8', '169.254.169.254', '0.0.0.0', '::1', '::', 'fe80::1', '::ffff:127.0.0.1', '::ffff:169.254.169.254', '224.0.0.1', '239.1.2.3', '255.255.255.255', 'ff05::2', 'localhost', '']) {
      expect(message(() => checkProxyable(address)), address).toBe('400 address not allowed')
    }
    for (const address of ['10.1.2.3', '192.168.1.1', 'fd00::1']) expect(() => checkProxyable(address)).not.toThrow()
  })

  it('cannot be reached by a pod or an endpoint that claims to be there', async () => {
    const slice = { metadata: { name: 's', namespace: 'default', labels: { 'kubernetes.io/service-name': 'svc' } }, addressType: 'IPv4', ports: [{ name: '', port: 80 }], endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true }, targetRef: { kind: 'Pod', name: 'loop' } }] }
    const stray = { ...slice, ports: [{ name: 'stray', port: 80 }], endpoints: [{ addresses: ['10.0.0.1'] }, { addresses: ['10.0.0.2'], targetRef: { kind: 'Pod', name: 'loop' } }, { addresses: ['10.0.0.3'], targetRef: { kind: 'Pod', name: 'loop', namespace: 'other' } }] }
    const proxies = createProxies({
      nodes: listerOf<core.Node>(),
      pods: listerOf(pod('evil', {}, { podIP: '169.254.169.254' }), pod('loop', {}, { podIPs: [{ ip: '127.0.0.1' }, { ip: '10.0.0.3' }] })),
      services: listerOf({ metadata: { name: 'svc', namespace: 'default' }, spec: { ports: [{ port: 80 }] } } as unknown as core.Service),
      slices: listerOf(slice as unknown as discovery.EndpointSlice, stray as unknown as discovery.EndpointSlice),
      kubelets: {} as Kubelets,
    })
    await expect(ask(proxies.handler('pods'), '/api/v1/namespaces/default/pods/evil/proxy/latest')).rejects.toMatchObject({ code: 400, message: 'address not allowed' })
    await expect(ask(proxies.handler('services'), '/api/v1/namespaces/default/services/svc/proxy/')).rejects.toMatchObject({ code: 400 })
    await expect(ask(proxies.handler('services'), '/api/v1/namespaces/default/services/svc:stray/proxy/')).rejects.toMatchObject({ code: 503, message: 'no endpoints available for service "svc"' })
    await expect(ask(proxies.handler('services'), '/api/v1/namespaces/default/services/svc:web/proxy/')).rejects.toMatchObject({ code: 503, message: 'no endpoints available for service "svc"' })
    await expect(ask(proxies.handler('services'), '/api/v1/namespaces/default/services/svc:81/proxy/')).rejects.toMatchObject({ code: 503 })
    await expect(ask(proxies.handler('pods'), '/api/v1/namespaces/default/pods/gone/proxy/')).rejects.toMatchObject({ code: 404 })
  })
})

it('takes names with a scheme and a port apart', () => {
  expect(parseTarget('web', 'service')).toEqual({ scheme: '', name: 'web', port: '' })
  expect(parseTarget('web:http', 'service')).toEqual({ scheme: '', name: 'web', port: 'http' })
  expect(parseTarget('https:web:443', 'service')).toEqual({ scheme: 'https', name: 'web', port: '443' })
  for (const bad of ['ftp:web:21', 'a:b:c:d', ':80']) expect(message(() => parseTarget(bad, 'service'))).toBe(`400 invalid service request "${bad}"`)
})

const mayCreate = async ({ user }: ApiRequest) => {
  if (user.name !== 'u') throw new ApiError(403, 'Forbidden', 'cannot create')
}

describe('a node that answers', () => {
  let node: Server
  let seen: { url?: string | undefined; headers?: IncomingMessage['headers'] }
  let kubelets: Kubelets
  let front: Server | undefined

  beforeEach(async () => {
    seen = {}
    node = http.createServer((request, response) => {
      seen = { url: request.url, headers: request.headers }
      if (request.url?.includes('/waiting')) return void response.writeHead(400).end('container "a" in pod "waiting" is waiting to start: ContainerCreating')
      response.writeHead(200, { 'content-type': 'text/plain' }).end('line 1\nline 2\n')
    })
    node.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      seen = { url: request.url, headers: request.headers }
      if (request.url?.includes('/refused')) return void socket.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno')
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: SPDY/3.1\r\nConnection: Upgrade\r\nX-Stream-Protocol-Version: v4.channel.k8s.io\r\n\r\nhello ')
      if (head.length > 0) socket.write(head)
      socket.pipe(socket)
    })
    await new Promise<void>((resolve) => node.listen(0, '127.0.0.1', resolve))
    const { port } = node.address() as AddressInfo
    kubelets = {
      find: () => { throw new Error('not asked') },
      destination: (_, path, query) => ({ scheme: 'http', address: '127.0.0.1', port, path: query ? `${path}?${query.toString()}` : path }),
    }
  })
  afterEach(() => {
    node.close()
    node.closeAllConnections()
    front?.close()
    front?.closeAllConnections()
    front = undefined
  })

  const streams = () => createPodStreams(listerOf(pod('x'), pod('waiting'), pod('refused'), pod('new', { nodeName: undefined })), kubelets, mayCreate)

  it('is asked for logs, and its answer is the answer', async () => {
    const answer = await ask(streams().log, '/api/v1/namespaces/default/pods/x/log?tailLines=2', { authorization: 'Bearer secret' })
    expect(answer).toMatchObject({ code: 200, text: 'line 1\nline 2\n' })
    expect(seen.url).toBe('/containerLogs/default/x/a?tailLines=2')
    expect(seen.headers?.authorization).toBeUndefined()
  })

  it('passes its reasons on as errors', async () => {
    await expect(ask(streams().log, '/api/v1/namespaces/default/pods/waiting/log')).rejects.toMatchObject({ code: 400, message: 'container "a" in pod "waiting" is waiting to start: ContainerCreating' })
    await expect(ask(streams().log, '/api/v1/namespaces/default/pods/none/log')).rejects.toMatchObject({ code: 404 })
  })

  it('is not asked about pods that no node runs', async () => {
    expect(await ask(streams().log, '/api/v1/namespaces/default/pods/new/log')).toMatchObject({ code: 200, text: '' })
    await expect(ask(streams().notUpgraded, '/api/v1/namespaces/default/pods/new/exec', {}, undefined, 'POST')).rejects.toMatchObject({ message: 'pod new does not have a host assigned' })
    // Who may not create on it learns nothing of the pod, also without an upgrade.
    for (const name of ['new', 'none']) await expect(ask(streams().notUpgraded, `/api/v1/namespaces/default/pods/${name}/exec`)).rejects.toMatchObject({ code: 403 })
    await expect(ask(streams().log, '/api/v1/namespaces/default/pods/none/log?tailLines=-1')).rejects.toMatchObject({ code: 422 })
  })

  it.each(['POST', 'PUT', 'PATCH', 'DELETE'])('is only read: no %s', async (method) => {
    await expect(ask(streams().log, '/api/v1/namespaces/default/pods/x/log', {}, undefined, method)).rejects.toMatchObject({ code: 405, reason: 'MethodNotAllowed' })
  })

  /** A server in front, as the corridor would call the handler. */
  async function serve(upgrade: UpgradeHandler): Promise<number> {
    front = http.createServer()
    front.on('upgrade', (raw: IncomingMessage, socket: Socket, head: Buffer) => {
      const { pathname, searchParams } = new URL(raw.url ?? '', 'http://test')
      const request = { info: parseRequestInfo(raw.method ?? '', pathname, searchParams), method: raw.method, query: searchParams, headers: raw.headers, user: { name: 'u', groups: [] }, raw, signal: new AbortController().signal }
      void upgrade(request as unknown as ApiRequest, socket, head)
    })
    await new Promise<void>((resolve) => front?.listen(0, '127.0.0.1', resolve))
    return (front.address() as AddressInfo).port
  }
  const connect = (port: number, name: string) => http.request({ port, method: 'POST', path: `/api/v1/namespaces/default/pods/${name}/exec?command=sh&stdin=true&stdout=true`, headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1', authorization: 'Bearer secret' } })

  it('and the client talk through one pipe after an upgrade', async () => {
    const outgoing = connect(await serve(streams().upgrades['exec'] as UpgradeHandler), 'x')
    const text = await new Promise<string>((resolve, reject) => {
      outgoing.on('upgrade', (answer, socket, head) => {
        expect(answer.headers['x-stream-protocol-version']).toBe('v4.channel.k8s.io')
        let got = head.toString()
        socket.on('data', (chunk: Buffer) => {
          got += chunk.toString()
          if (got.endsWith('world')) {
            socket.destroy()
            resolve(got)
          }
        })
        socket.write('world')
      }).on('error', reject).end()
    })
    expect(text).toBe('hello world')
    expect(seen.url).toBe('/exec/default/x/a?input=1&output=1&command=sh')
    expect(seen.headers).toMatchObject({ upgrade: 'SPDY/3.1' })
    expect(seen.headers?.authorization).toBeUndefined()
  })

  it('sends its log over a WebSocket, in bytes or in base64', async () => {
    const port = await serve(streams().upgrades['log'] as UpgradeHandler)
    const read = (...protocols: string[]) => new Promise<{ messages: string[]; protocol: string }>((resolve, reject) => {
      const ws = new WebSocket(`ws://127.0.0.1:${port}/api/v1/namespaces/default/pods/x/log?tailLines=2`, protocols)
      const messages: string[] = []
      ws.on('message', (data: Buffer, binary: boolean) => void messages.push(`${binary ? 'bytes' : 'text'} ${data.toString()}`))
      ws.on('close', () => resolve({ messages, protocol: ws.protocol })).on('error', reject)
    })
    expect(await read('binary.k8s.io')).toEqual({ messages: ['bytes ', 'bytes line 1\nline 2\n'], protocol: 'binary.k8s.io' })
    expect(await read('base64url.bearer.authorization.k8s.io.c2VjcmV0', 'base64.binary.k8s.io')).toEqual({ messages: ['text ', `text ${Buffer.from('line 1\nline 2\n').toString('base64')}`], protocol: 'base64.binary.k8s.io' })
    expect(await read()).toEqual({ messages: ['bytes ', 'bytes line 1\nline 2\n'], protocol: '' })
    expect(seen.url).toBe('/containerLogs/default/x/a?tailLines=2')
    const log = streams().upgrades['log'] as UpgradeHandler
    const refused = (name: string, protocol: string) => {
      const info = parseRequestInfo('GET', `/api/v1/namespaces/default/pods/${name}/log`, new URLSearchParams())
      return log({ info, query: new URLSearchParams(), headers: { 'sec-websocket-protocol': protocol } } as unknown as ApiRequest, undefined as never, Buffer.alloc(0))
    }
    await expect(refused('x', 'v4.channel.k8s.io')).rejects.toMatchObject({ code: 403, message: expect.stringContaining('requested protocol(s) are not supported: [v4.channel.k8s.io]') as string })
    await expect(refused('none', 'binary.k8s.io')).rejects.toMatchObject({ code: 404 })
  })

  it('is not reached with GET by those who may only look', async () => {
    const exec = streams().upgrades['exec'] as UpgradeHandler
    const info = parseRequestInfo('GET', '/api/v1/namespaces/default/pods/x/exec', new URLSearchParams())
    const request = { info, method: 'GET', query: new URLSearchParams('command=sh&stdout=1'), headers: {}, user: { name: 'viewer', groups: [] } } as unknown as ApiRequest
    await expect(exec(request, undefined as never, Buffer.alloc(0))).rejects.toMatchObject({ code: 403 })
    expect(seen.url).toBeUndefined()
  })

  it('says no to an upgrade, and the client hears it', async () => {
    const outgoing = connect(await serve(streams().upgrades['exec'] as UpgradeHandler), 'refused')
    const code = await new Promise((resolve, reject) => void outgoing.on('response', (answer) => resolve(answer.statusCode)).on('error', reject).end())
    expect(code).toBe(403)
  })

  it('that has gone is an error with a reason', async () => {
    node.close()
    await expect(ask(streams().log, '/api/v1/namespaces/default/pods/x/log')).rejects.toMatchObject({ code: 503, message: expect.stringMatching(/^error trying to reach service: dial tcp 127\.0\.0\.1:\d+: connect: connection refused$/) as string })
  })

  it('gets a forwarded request without what proves who the client is, nor what belongs to its connection', async () => {
    const to = { ...kubelets.destination('', '/app/x'), path: '/app/x' }
    const headers = { 'sec-websocket-protocol': 'base64url.bearer.authorization.k8s.io.c2VjcmV0, v4.channel.k8s.io', ':authority': 'api:6443', authorization: 'Bearer secret', 'impersonate-user': 'root', 'x-remote-user': 'root', x_remote_group: 'system:masters', cookie: 'a=b', 'x-own': '1', connection: 'keep-alive, X-Hop', 'x-hop': '1' }
    await ask((request, response) => forward(request, response, to), '/api/v1/namespaces/default/pods/x/proxy/x', headers)
    expect(seen.headers).toMatchObject({ cookie: 'a=b', 'x-own': '1', 'sec-websocket-protocol': 'v4.channel.k8s.io' })
    for (const name of [':authority', 'authorization', 'impersonate-user', 'x-remote-user', 'x_remote_group', 'x-hop']) expect(seen.headers).not.toHaveProperty(name)
  })

  it('is sent the client\'s redirect to the slash, so that relative links work', async () => {
    const proxies = createProxies({ nodes: listerOf<core.Node>(), pods: listerOf(pod('x', {}, { podIP: '10.0.0.9' })), services: listerOf<core.Service>(), slices: listerOf<discovery.EndpointSlice>(), kubelets })
    const handler: Handler = proxies.handler('pods')
    expect(await ask(handler, '/api/v1/namespaces/default/pods/x/proxy?a=b')).toMatchObject({ code: 301, headers: { location: '/api/v1/namespaces/default/pods/x/proxy/?a=b' } })
  })
})
