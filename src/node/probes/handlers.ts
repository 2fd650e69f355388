/** One probe, once: HTTP, TCP and gRPC from the node, exec in the container. What it says is what an event will say. */
import { Client, credentials, Metadata } from '@grpc/grpc-js'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { connect, isIPv6 } from 'node:net'
import type { core } from '../../api/index.ts'
import { podText } from '../context.ts'
import { expand } from '../pods/expand.ts'
import { RuntimeError, type RuntimeDriver } from '../runtime/driver.ts'

export interface ProbeTarget {
  readonly pod: core.Pod
  readonly container: core.Container
  readonly containerId: string
  readonly podIP: string
  readonly runtime: RuntimeDriver
}

/**
 * `warning`: it passed, and whoever looks after the pod is told why that may not be meant. `errored`: it could not be asked at all, which says
 * nothing of the container.
 */
export interface Outcome { readonly success: boolean; readonly output: string; readonly warning?: true; readonly errored?: true }

const failed = (output: string): Outcome => ({ success: false, output })
const errored = (output: string): Outcome => ({ success: false, errored: true, output })
const passed = (output = ''): Outcome => ({ success: true, output })
const longestOutput = 10_240

/** Runs the handler; never throws. */
export async function runHandler(target: ProbeTarget, handler: core.ProbeHandler, timeoutSeconds: number): Promise<Outcome> {
  try {
    if (handler.exec) return await execute(target, expanded(handler.exec.command ?? [], target.container), timeoutSeconds)
    if (handler.httpGet) return await httpGet(target, handler.httpGet, timeoutSeconds)
    if (handler.tcpSocket) return await tcp(handler.tcpSocket.host || target.podIP, portNumber(target.container, handler.tcpSocket.port), timeoutSeconds)
    if (handler.grpc) return await grpcHealth(target.podIP, handler.grpc, timeoutSeconds)
    return errored(`missing probe handler for ${podText(target.pod)}:${target.container.name}`)
  } catch (error) {
    return errored(error instanceof Error ? error.message : String(error))
  }
}

/** `$(NAME)` in a probe's command: what the container's spec says literally, as nothing else is known once it runs. */
function expanded(command: readonly string[], { env }: core.Container): readonly string[] {
  return command.map((text) => expand(text, (name) => { const found = env?.findLast((v) => v.name === name); return found && (found.value ?? '') }))
}

/** A port by number, or by the name the container gives it. */
export function portNumber(container: core.Container, port: number | string): number {
  if (typeof port === 'number') return port
  const named = container.ports?.find((p) => p.name === port)?.containerPort
  const number = named ?? Number(port)
  if (!Number.isInteger(number) || number < 1 || number > 65_535) throw new Error(`couldn't find port: strconv.Atoi: parsing ${JSON.stringify(port)}: invalid syntax`)
  return number
}

async function execute({ runtime, containerId }: ProbeTarget, command: readonly string[], timeoutSeconds: number): Promise<Outcome> {
  try {
    const { exitCode, stdout, stderr } = await runtime.exec(containerId, command, timeoutSeconds)
    const output = Buffer.concat([stdout, stderr]).subarray(0, longestOutput).toString()
    return exitCode === 0 ? passed(output) : failed(output)
  } catch (error) {
    if (error instanceof RuntimeError && error.reason === 'timeout') return failed(`command timed out: ${JSON.stringify(command.join(' '))} timed out after ${timeoutSeconds}s`)
    throw error
  }
}

const hostPort = (host: string, port: number) => `${isIPv6(host) ? `[${host}]` : host}:${port}`

async function httpGet(target: ProbeTarget, action: core.HTTPGetAction, timeoutSeconds: number): Promise<Outcome> {
  const { url, headers } = requestOf(target, action, 'probe')
  return fetchOnce(url, headers, timeoutSeconds, 10).catch((error: unknown) => failed(error instanceof Error ? error.message : String(error)))
}

type Headers = Readonly<Record<string, string | string[]>>

function requestOf(target: Pick<ProbeTarget, 'container' | 'podIP'>, action: core.HTTPGetAction, agent: 'probe' | 'lifecycle'): { readonly url: string; readonly headers: Headers } {
  const scheme = (action.scheme ?? 'HTTP').toLowerCase()
  const path = action.path ? (action.path.startsWith('/') ? action.path : `/${action.path}`) : '/'
  const headers: Record<string, string | string[]> = { 'user-agent': `kube-${agent}/1.36`, accept: '*/*', connection: 'close' }
  // A header that is asked for twice is sent twice; there is but one host.
  for (const [name, given] of Map.groupBy(action.httpHeaders ?? [], (h) => h.name.toLowerCase())) {
    const values = given.map((h) => h.value)
    headers[name] = name === 'host' || values.length === 1 ? (values.at(-1) ?? '') : values
  }
  return { url: `${scheme}://${hostPort(action.host || target.podIP, portNumber(target.container, action.port))}${path}`, headers }
}

/** The request of a lifecycle hook: whatever answers, it was told. Resolves with `insecure` when an HTTPS hook had to be told over HTTP. Throws when nobody answers. */
export async function callHook(target: Pick<ProbeTarget, 'container' | 'podIP'>, action: core.HTTPGetAction, timeoutSeconds: number): Promise<{ readonly insecure?: string }> {
  const { url, headers } = requestOf(target, action, 'lifecycle')
  try {
    await fetchOnce(url, headers, timeoutSeconds, 10)
    return {}
  } catch (error) {
    if (!(error instanceof Error) || !error.message.includes(plainAnswer)) throw error
    const { authorization: _, ...others } = headers
    await fetchOnce(url.replace('https:', 'http:'), others, timeoutSeconds, 10)
    return { insecure: new URL(url).host }
  }
}

const plainAnswer = 'server gave HTTP response to HTTPS client'

/** The redirects that clients follow. */
const followed = new Set([301, 302, 303, 307, 308])

/** A redirect to the same host is followed; one to another host, or to nowhere, counts as healthy: somebody answered. */
async function fetchOnce(url: string, headers: Headers, timeoutSeconds: number, redirects: number): Promise<Outcome> {
  const answer = await get(url, headers, timeoutSeconds)
  const { status, location } = answer
  const next = followed.has(status) && location ? new URL(location, url) : undefined
  if (next?.hostname === new URL(url).hostname) {
    if (redirects === 0) return failed(`Get ${JSON.stringify(url)}: stopped after 10 redirects`)
    return fetchOnce(next.href, headers, timeoutSeconds, redirects - 1)
  }
  if (status >= 300 && status < 400) return { success: true, warning: true, output: `Probe terminated redirects, Response body: ${answer.body}` }
  return status >= 200 && status < 300 ? passed(answer.body) : failed(`HTTP probe failed with statuscode: ${status}`)
}

function get(url: string, headers: Headers, timeoutSeconds: number): Promise<{ status: number; location: string | undefined; body: string }> {
  return new Promise((resolve, reject) => {
    const parsed = new URL(url)
    const send = parsed.protocol === 'https:' ? httpsRequest : httpRequest
    const signal = AbortSignal.timeout(timeoutSeconds * 1000)
    const request = send(url, { headers, agent: false, rejectUnauthorized: false, signal }, (response) => {
      const chunks: Buffer[] = []
      let size = 0
      const done = () => resolve({ status: response.statusCode ?? 0, location: response.headers.location, body: Buffer.concat(chunks).subarray(0, longestOutput).toString() })
      response.on('data', (chunk: Buffer) => {
        chunks.push(chunk)
        size += chunk.length
        if (size > longestOutput) { done(); response.destroy() }
      })
      response.on('end', done)
      response.on('error', (error) => reject(signal.aborted ? new Error(`Get ${JSON.stringify(url)}: context deadline exceeded (Client.Timeout exceeded while reading body)`) : error))
    })
    request.on('error', (error: NodeJS.ErrnoException) => {
      const why = signal.aborted ? 'context deadline exceeded (Client.Timeout exceeded while awaiting headers)' : dialError(parsed.hostname, Number(parsed.port), error)
      reject(new Error(`Get ${JSON.stringify(url)}: ${why}`))
    })
    request.end()
  })
}

function dialError(host: string, port: number, error: NodeJS.ErrnoException): string {
  const where = `dial tcp ${hostPort(host.replace(/^\[|\]$/g, ''), port)}`
  const words: Record<string, string> = { ECONNREFUSED: 'connect: connection refused', EHOSTUNREACH: 'connect: no route to host', ENETUNREACH: 'connect: network is unreachable', ETIMEDOUT: 'i/o timeout' }
  if (error.code === 'EPROTO' && /wrong version number|packet length too long/.test(error.message)) return `http: ${plainAnswer}`
  if (error.code === 'ECONNRESET') return 'read: connection reset by peer'
  return error.code && words[error.code] ? `${where}: ${words[error.code]}` : error.message
}

function tcp(host: string, port: number, timeoutSeconds: number): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: timeoutSeconds * 1000 })
    const end = (outcome: Outcome) => { socket.destroy(); resolve(outcome) }
    socket.once('connect', () => end(passed()))
    socket.once('timeout', () => end(failed(`dial tcp ${hostPort(host, port)}: i/o timeout`)))
    socket.once('error', (error) => end(failed(dialError(host, port, error))))
  })
}

const servingStatus = ['UNKNOWN', 'SERVING', 'NOT_SERVING', 'SERVICE_UNKNOWN']

/** grpc.health.v1.Health/Check: one string in, one number out. */
function grpcHealth(host: string, action: core.GRPCAction, timeoutSeconds: number): Promise<Outcome> {
  const client = new Client(hostPort(host, action.port), credentials.createInsecure(), { 'grpc.primary_user_agent': 'kube-probe/1.36', 'grpc.use_local_subchannel_pool': 1 })
  const service = Buffer.from(action.service ?? '')
  const encode = (): Buffer => (service.length === 0 ? Buffer.alloc(0) : Buffer.concat([Buffer.from([0x0a]), varint(service.length), service]))
  const decode = (bytes: Buffer): number => (bytes[0] === 0x08 ? (bytes[1] ?? 0) : 0)
  return new Promise<Outcome>((resolve) => {
    client.makeUnaryRequest('/grpc.health.v1.Health/Check', encode, decode, {}, new Metadata(), { deadline: Date.now() + timeoutSeconds * 1000 }, (error, status) => {
      if (error?.code === 12) resolve(failed('error: this server does not implement the grpc health protocol (grpc.health.v1.Health)'))
      // No connection (14) is tried for again until the time is up.
      else if (error?.code === 4 || error?.code === 14) resolve(failed(`timeout: failed to connect service ${JSON.stringify(hostPort(host, action.port))} within ${timeoutSeconds}s: context deadline exceeded`))
      else if (error) resolve(failed(`error: health rpc probe failed: ${error.message}`))
      else if (status !== 1) resolve(failed(`service unhealthy (responded with ${JSON.stringify(servingStatus[status ?? 0] ?? String(status))})`))
      else resolve(passed('service healthy'))
    })
  }).finally(() => client.close())
}

function varint(n: number): Buffer {
  const bytes: number[] = []
  for (; n > 127; n >>>= 7) bytes.push((n & 127) | 128)
  return Buffer.from([...bytes, n])
}
