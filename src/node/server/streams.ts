/** exec, attach and port-forward: the caller's upgraded connection is joined to the runtime's own streaming server. */
import { request as httpRequest, type IncomingMessage } from 'node:http'
import type { Duplex } from 'node:stream'
import { ApiError, badRequest } from '../../machinery/errors.ts'
import type { RuntimeDriver } from '../runtime/driver.ts'
import type { PodWorker } from '../pods/worker.ts'
import { latest, readWorld } from '../pods/world.ts'
import { podUid } from '../context.ts'

export type FindPod = (namespace: string, name: string) => PodWorker | undefined

const isSet = (query: URLSearchParams, name: string) => ['1', 'true'].includes(query.get(name) ?? '')

const noPod = (message: string): ApiError => new ApiError(404, 'NotFound', message)

/**
 * The URL of the runtime that serves `/<action>/<namespace>/<pod>[/<uid>]`, with a container at its end for all but ports. Throws `ApiError`
 * for pods and containers that are not there or not running; a uid that is another pod's is one that is not there.
 */
export async function streamUrl(runtime: RuntimeDriver, find: FindPod, url: URL): Promise<string> {
  const [, action, namespace = '', name = '', ...rest] = url.pathname.split('/')
  const query = url.searchParams
  const streams = action === 'portForward' ? undefined : streamsOf(query)
  const worker = find(namespace, name)
  if (!worker) throw noPod('pod does not exist')
  const containerName = streams ? (rest.pop() ?? '') : ''
  const [uid, ...more] = rest
  const isOther = (uid !== undefined && uid !== worker.pod.metadata.uid) || more.length > 0
  const world = await readWorld(runtime, podUid(worker.pod))
  if (!streams) {
    if (isOther) throw noPod('pod not found')
    if (!world.sandbox || world.sandbox.state !== 'ready') throw badRequest(`unable to do port forwarding: pod is not running. Current status=${worker.current().status.phase}`)
    return runtime.portForwardUrl(world.sandbox.id, query.getAll('port').flatMap((p) => p.split(',')).map(portOf))
  }
  const container = isOther ? undefined : latest(world, containerName)
  if (container?.state !== 'running') throw badRequest(`container not found (${JSON.stringify(containerName)})`)
  const request = { containerId: container.id, ...streams }
  return action === 'exec' ? runtime.execUrl({ ...request, command: query.getAll('command') }) : runtime.attachUrl(request)
}

/** Which streams are wanted. Throws `ApiError` 400 when none is. */
function streamsOf(query: URLSearchParams) {
  const tty = isSet(query, 'tty')
  // A terminal has one stream for both.
  const streams = { stdin: isSet(query, 'input'), stdout: isSet(query, 'output'), stderr: isSet(query, 'error') && !tty, tty }
  if (!streams.stdin && !streams.stdout && !streams.stderr) throw badRequest('you must specify at least 1 of stdin, stdout, stderr')
  return streams
}

/** Throws `ApiError` 400 for what is no port. */
function portOf(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1 || port > 65535) throw badRequest(`port ${JSON.stringify(text)} must be a positive integer below 65536`)
  return port
}

/** Repeats the caller's upgrade request to `target` and, once it is accepted, passes bytes both ways until one side ends. */
export function joinStreams(request: IncomingMessage, client: Duplex, head: Buffer, target: string): void {
  const url = new URL(target)
  const headers = { ...request.headers, host: url.host }
  const upstream = httpRequest({ host: url.hostname, port: url.port, path: url.pathname + url.search, method: request.method, headers, agent: false })
  const fail = (error: Error) => {
    if (client.writable) client.end(`HTTP/1.1 502 Bad Gateway\r\nconnection: close\r\ncontent-type: text/plain\r\n\r\n${error.message}\n`)
  }
  upstream.once('error', fail)
  const giveUp = () => upstream.destroy()
  client.once('close', giveUp)
  upstream.once('upgrade', (response, server: Duplex, first: Buffer) => {
    client.off('close', giveUp)
    client.write(`${statusLine(response)}${headerLines(response)}\r\n`)
    if (first.length > 0) client.write(first)
    if (head.length > 0) server.write(head)
    server.pipe(client)
    client.pipe(server)
    const close = () => { server.destroy(); client.destroy() }
    for (const side of [server, client]) side.once('error', close).once('close', close)
  })
  // No upgrade: a refusal with a body, passed on as it is, so that the caller can fall back to another protocol.
  upstream.once('response', (response) => {
    client.write(`${statusLine(response)}${headerLines(response)}\r\n`)
    response.pipe(client)
  })
  upstream.end()
}

const statusLine = (response: IncomingMessage) => `HTTP/1.1 ${response.statusCode} ${response.statusMessage}\r\n`

function headerLines(response: IncomingMessage): string {
  const lines: string[] = []
  const hop = response.statusCode === 101 ? new Set<string>() : new Set(['transfer-encoding', 'connection', 'keep-alive'])
  for (let i = 0; i < response.rawHeaders.length; i += 2) if (!hop.has((response.rawHeaders[i] as string).toLowerCase())) lines.push(`${response.rawHeaders[i]}: ${response.rawHeaders[i + 1]}\r\n`)
  if (response.statusCode !== 101) lines.push('connection: close\r\n')
  return lines.join('')
}
