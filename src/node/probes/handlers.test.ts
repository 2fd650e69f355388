import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { core } from '../../api/index.ts'
import { RuntimeError, type RuntimeDriver } from '../runtime/driver.ts'
import { callHook, portNumber, runHandler } from './handlers.ts'

let server: Server
let port = 0
const seen: Record<string, string | string[] | undefined>[] = []
beforeAll(async () => {
  server = createServer((request, response) => {
    seen.push(request.headers)
    if (request.url === '/slow') return
    if (request.url === '/moved') return void response.writeHead(302, { location: '/ok' }).end()
    if (request.url === '/away') return void response.writeHead(302, { location: 'http://elsewhere.invalid/' }).end('gone away')
    if (request.url === '/same') return void response.writeHead(304).end()
    response.writeHead(request.url === '/ok' ? 200 : 503).end('body')
  })
  await new Promise<void>((resolve) => { server.listen(0, '127.0.0.1', resolve) })
  port = (server.address() as AddressInfo).port
})
afterAll(() => { server.closeAllConnections(); server.close() })

const container = { name: 'main', ports: [{ name: 'web', containerPort: 80 }] } as unknown as core.Container
const run = (handler: core.ProbeHandler, runtime: Partial<RuntimeDriver> = {}, timeout = 1) =>
  runHandler({ pod: {} as core.Pod, container, containerId: 'c', podIP: '127.0.0.1', runtime: runtime as RuntimeDriver }, handler, timeout)

describe('an HTTP probe', () => {
  const http = (path: string, more: object = {}) => run({ httpGet: { port, path, ...more } })

  it('passes from 200 to 399 and says the code otherwise', async () => {
    expect(await http('/ok')).toEqual({ success: true, output: 'body' })
    expect(await http('/bad')).toEqual({ success: false, output: 'HTTP probe failed with statuscode: 503' })
  })

  it('follows a redirect to the same host, and takes one to another for an answer', async () => {
    expect(await http('/moved')).toEqual({ success: true, output: 'body' })
    expect(await http('/away')).toEqual({ success: true, warning: true, output: 'Probe terminated redirects, Response body: gone away' })
    expect(await http('/same')).toEqual({ success: true, warning: true, output: 'Probe terminated redirects, Response body: ' })
  })

  it('sends its own headers and those asked for', async () => {
    await http('/ok', { httpHeaders: [{ name: 'X-Me', value: 'you' }, { name: 'Host', value: 'name.example' }] })
    expect(seen.at(-1)).toMatchObject({ 'user-agent': 'kube-probe/1.36', 'x-me': 'you', host: 'name.example' })
    await http('/ok', { httpHeaders: [{ name: 'X-Me', value: 'you' }, { name: 'x-me', value: 'too' }] })
    expect(seen.at(-1)?.['x-me']).toBe('you, too')
  })

  it('says in Go\'s words why nobody answered', async () => {
    expect(await http('/slow')).toEqual({ success: false, output: `Get "http://127.0.0.1:${port}/slow": context deadline exceeded (Client.Timeout exceeded while awaiting headers)` })
    expect(await run({ httpGet: { port: 1, path: '/' } })).toEqual({ success: false, output: 'Get "http://127.0.0.1:1/": dial tcp 127.0.0.1:1: connect: connection refused' })
  })
})

describe('other probes', () => {
  it('TCP: passes when somebody listens', async () => {
    expect((await run({ tcpSocket: { port } })).success).toBe(true)
    expect(await run({ tcpSocket: { port: 1 } })).toEqual({ success: false, output: 'dial tcp 127.0.0.1:1: connect: connection refused' })
  })

  it('exec: passes with exit code 0, and times out', async () => {
    const exec = (exitCode: number) => ({ exec: async () => ({ exitCode, stdout: Buffer.from('out '), stderr: Buffer.from('err') }) })
    expect(await run({ exec: { command: ['x'] } }, exec(0))).toEqual({ success: true, output: 'out err' })
    expect(await run({ exec: { command: ['x'] } }, exec(2))).toEqual({ success: false, output: 'out err' })
    const late = { exec: async () => { throw new RuntimeError('timeout', 'x') } }
    expect(await run({ exec: { command: ['sleep', '9'] } }, late)).toEqual({ success: false, output: 'command timed out: "sleep 9" timed out after 1s' })
  })

  it('exec: knows the variables that the container\'s spec gives a value', async () => {
    const commands: (readonly string[])[] = []
    const runtime = { exec: async (_id: string, command: readonly string[]) => { commands.push(command); return { exitCode: 0, stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) } } } as unknown as RuntimeDriver
    const withEnv = { name: 'main', env: [{ name: 'PORT', value: '80' }] } as unknown as core.Container
    await runHandler({ pod: {} as core.Pod, container: withEnv, containerId: 'c', podIP: '127.0.0.1', runtime }, { exec: { command: ['check', 'localhost:$(PORT)', '$(OTHER)', '$$(PORT)'] } }, 1)
    expect(commands).toEqual([['check', 'localhost:80', '$(OTHER)', '$(PORT)']])
  })

  it('gRPC: asks the health service', async () => {
    const grpc = new GrpcServer()
    const plain = (value: Buffer) => value
    grpc.addService({ Check: { path: '/grpc.health.v1.Health/Check', requestStream: false, responseStream: false, requestSerialize: plain, requestDeserialize: plain, responseSerialize: plain, responseDeserialize: plain } }, {
      Check: (call: { request: Buffer }, done: (error: null, value: Buffer) => void) => done(null, Buffer.from([8, call.request.length > 0 ? 2 : 1])),
    })
    const grpcPort = await new Promise<number>((resolve, reject) => { grpc.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => (error ? reject(error) : resolve(bound))) })
    expect(await run({ grpc: { port: grpcPort, service: '' } })).toEqual({ success: true, output: 'service healthy' })
    expect(await run({ grpc: { port: grpcPort, service: 'db' } })).toEqual({ success: false, output: 'service unhealthy (responded with "NOT_SERVING")' })
    grpc.forceShutdown()
    expect((await run({ grpc: { port: grpcPort, service: '' } })).success).toBe(false)
  })

  it('find ports by name', () => {
    expect(portNumber(container, 'web')).toBe(80)
    expect(portNumber(container, '8080')).toBe(8080)
    expect(() => portNumber(container, 'none')).toThrow("couldn't find port")
  })
})

describe('a lifecycle hook over HTTP', () => {
  const call = (path: string, more: object = {}) => callHook({ container, podIP: '127.0.0.1' }, { port, path, ...more } as core.HTTPGetAction, 1)

  it('is content with any answer, and fails without one', async () => {
    expect(await call('/bad')).toEqual({})
    expect(seen.at(-1)?.['user-agent']).toBe('kube-lifecycle/1.36')
    await expect(call('/slow')).rejects.toThrow('context deadline exceeded')
    await expect(call('/', { port: 1 })).rejects.toThrow('connection refused')
  })

  it('goes to a server without TLS without its credentials, and says so', async () => {
    expect(await call('/ok', { scheme: 'HTTPS', httpHeaders: [{ name: 'Authorization', value: 'Bearer x' }, { name: 'X-Me', value: 'you' }] })).toEqual({ insecure: `127.0.0.1:${port}` })
    expect(seen.at(-1)).toMatchObject({ 'x-me': 'you' })
    expect(seen.at(-1)).not.toHaveProperty('authorization')
  })
})
