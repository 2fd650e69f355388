/** The kubelet's HTTPS server: logs, exec, attach, port-forward, pods, stats, metrics. Callers show a certificate of the cluster. */
import { createServer, type Server } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { Gauge, Registry } from 'prom-client'
import type { core } from '../../api/index.ts'
import { ApiError, internal, unauthorized } from '../../machinery/errors.ts'
import { serverTls } from '../../machinery/tls.ts'
import type { Component } from '../../machinery/log.ts'
import type { NodeContext } from '../context.ts'
import type { NodeTls } from '../options.ts'
import type { PodWorker } from '../pods/worker.ts'
import type { Prober } from '../probes/prober.ts'
import { createAuthenticator, createAuthorizer } from './authorize.ts'
import { serveLogs } from './container-logs.ts'
import { serveHostLogs } from './host-logs.ts'
import { createStats } from './stats.ts'
import { joinStreams, streamUrl } from './streams.ts'
import { isTranslated, translate } from './websocket.ts'

/** Bytes of a request's head: a command stands in the path of its exec, and may be as long as the API server takes. */
const headBytes = 512 * 1024

/** What there is only to be read. */
const onlyRead = /^\/(pods|runningpods|stats|containerLogs)(\/|$)/

export interface ServerOptions {
  readonly context: NodeContext
  readonly workers: ReadonlyMap<string, PodWorker>
  readonly prober: Pick<Prober, 'metrics'>
  readonly addresses: readonly string[]
  readonly port: number
  readonly maxPods: number
  readonly tls: NodeTls
}

/** Listens; resolves with the port. */
export async function startServer({ context, workers, prober, addresses, port, maxPods, tls }: ServerOptions): Promise<Component & { readonly port: number }> {
  const authenticate = createAuthenticator(context)
  const authorize = createAuthorizer(context)
  // A pod that is about to go may have the name of one that came after it: the later one is meant.
  const find = (namespace: string, name: string) => [...workers.values()].findLast((w) => w.pod.metadata.name === name && w.pod.metadata.namespace === namespace)
  const stats = createStats(context, workers)
  const registry = metricsRegistry(workers)

  const check = async (request: IncomingMessage, path: string): Promise<void> => {
    const caller = await authenticate(request).catch((error: unknown) => {
      context.log.warn({ error: String(error) }, 'nobody could tell whose token a request to the kubelet carries')
      throw unauthorized()
    })
    if (!caller) throw unauthorized()
    const refusal = await authorize(caller, request.method ?? 'GET', path)
    if (refusal !== undefined) throw new ApiError(403, 'Forbidden', refusal)
  }

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(request.url ?? '/', 'https://kubelet')
    await check(request, url.pathname)
    const send = (type: string, body: string) => response.writeHead(200, { 'content-type': type }).end(body)
    const path = url.pathname.replace(/\/$/, '') || '/'
    if (onlyRead.test(path) && request.method !== 'GET' && request.method !== 'HEAD') {
      response.setHeader('allow', 'GET')
      throw new ApiError(405, 'MethodNotAllowed', 'Method Not Allowed')
    }
    if (path === '/healthz' || path === '/healthz/ping') return void send('text/plain', 'ok')
    const podList = (items: readonly object[]) => send('application/json', JSON.stringify({ kind: 'PodList', apiVersion: 'v1', metadata: {}, items }))
    if (path === '/pods') return void podList([...workers.values()].map((w) => w.current()))
    if (path === '/runningpods') return void podList([...workers.values()].flatMap((w) => running(w.current())))
    if (path === '/stats/summary') return void send('application/json', JSON.stringify(await stats.summary()))
    if (path === '/metrics/resource') return void send('text/plain; version=0.0.4', await stats.resourceMetrics())
    if (path === '/metrics/cadvisor') return void send('text/plain; version=0.0.4', await stats.containerMetrics())
    if (path === '/configz') return void send('application/json', JSON.stringify({ kubeletconfig: configuration(context, maxPods) }))
    if (path === '/metrics') return void send(registry.contentType, await registry.metrics())
    if (path === '/metrics/probes') {
      const { type, text } = await prober.metrics()
      return void send(type, text)
    }
    if (path === '/logs' || path.startsWith('/logs/')) return serveHostLogs('/var/log', request, response, url.pathname)
    if (path.startsWith('/containerLogs/')) return serveLogs(context, find, url, response)
    if (/^\/(exec|attach|portForward)\//.test(path)) throw new ApiError(400, 'BadRequest', 'unable to upgrade: missing upgrade headers in request')
    throw new ApiError(404, 'NotFound', `the kubelet does not serve ${path}`)
  }

  const upgrade = async (request: IncomingMessage, socket: Duplex, head: Buffer): Promise<void> => {
    const url = new URL(request.url ?? '/', 'https://kubelet')
    await check(request, url.pathname)
    if (!/^\/(exec|attach|portForward)\//.test(url.pathname)) throw new ApiError(404, 'NotFound', `the kubelet does not stream ${url.pathname}`)
    const target = await streamUrl(context.runtime, find, url)
    if (isTranslated(request)) await translate(request, socket, head, target, url.searchParams)
    else joinStreams(request, socket, head, target)
  }

  const shown = { ca: tls.clientCa, ...serverTls }
  const server = createServer({ ...shown, key: tls.key, cert: tls.cert, requestCert: true, rejectUnauthorized: false, maxHeaderSize: headBytes }, (request, response) => {
    answer(request, response).catch((error: unknown) => refuse(response, error, context))
  })
  tls.onRenewal?.(({ key, cert }) => server.setSecureContext({ ...shown, key, cert }))
  const streams = new Set<Duplex>()
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    streams.add(socket)
    socket.once('close', () => streams.delete(socket))
    socket.on('error', () => socket.destroy())
    upgrade(request, socket, head).catch((error: unknown) => {
      const { status, code } = asApiError(error)
      socket.end(`HTTP/1.1 ${code} ${status.reason ?? 'Error'}\r\ncontent-type: text/plain\r\nconnection: close\r\n\r\n${status.message}\n`)
    })
  })
  server.requestTimeout = 0
  await listen(server, port, addresses)
  return {
    port: (server.address() as AddressInfo).port,
    stop: () => new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
      for (const socket of streams) socket.destroy()
    }),
  }
}

/** A pod as far as it runs: its name and its running containers; nothing of one in which none runs. */
function running({ metadata: { name, namespace, uid }, status }: core.Pod): readonly object[] {
  const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? []), ...(status.ephemeralContainerStatuses ?? [])].filter((c) => c.state.running)
  return all.length === 0 ? [] : [{ metadata: { name, namespace, uid }, spec: { containers: all.map((c) => ({ name: c.name, image: c.image, resources: {} })) }, status: {} }]
}

/** What this agent does, in the words of the kubelet's configuration file: tools read the node's limits from it. */
const configuration = ({ clusterDns, clusterDomain }: NodeContext, maxPods: number) => ({
  kind: 'KubeletConfiguration', apiVersion: 'kubelet.config.k8s.io/v1beta1', clusterDNS: clusterDns, clusterDomain, maxPods, cgroupDriver: 'cgroupfs', seccompDefault: true, containerLogMaxSize: '10Mi', containerLogMaxFiles: 5,
  nodeStatusUpdateFrequency: '10s', nodeStatusReportFrequency: '5m0s', nodeLeaseDurationSeconds: 40, imageGCHighThresholdPercent: 85, imageGCLowThresholdPercent: 80, imageMinimumGCAge: '2m0s',
})

const asApiError = (error: unknown): ApiError => (error instanceof ApiError ? error : internal(error instanceof Error ? error.message : String(error)))

/** The body is the bare message, as the kubelet's is: the API server makes a Status of it. */
function refuse(response: ServerResponse, error: unknown, { log }: NodeContext): void {
  const refusal = asApiError(error)
  if (refusal.code >= 500) log.warn({ error: refusal.message }, 'a request to the kubelet failed')
  if (response.headersSent) response.destroy()
  else response.writeHead(refusal.code, { 'content-type': 'text/plain; charset=utf-8' }).end(refusal.message)
}

/** On all addresses: the API server, metrics and pods reach the node by any of them. */
function listen(server: Server, port: number, addresses: readonly string[]): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(error.code === 'EADDRINUSE' ? new Error(`port ${port} of the kubelet is in use (address ${addresses.join(', ')})`, { cause: error }) : error))
    server.listen({ port, host: addresses.length === 1 ? addresses[0] : undefined }, () => resolve())
  })
}

function metricsRegistry(workers: ReadonlyMap<string, PodWorker>): Registry {
  const registry = new Registry()
  const pods = new Gauge({
    name: 'kubelet_running_pods',
    help: 'Number of pods that have a running pod sandbox',
    registers: [registry],
    collect() { pods.set([...workers.values()].filter((w) => w.current().status.phase === 'Running').length) },
  })
  return registry
}
