/** An extension API server: metrics.k8s.io/v1beta1 over HTTPS, for whoever comes with the front proxy's certificate. */
import { createServer, request as httpsRequest, type Server } from 'node:https'
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'
import type { AddressInfo, Socket } from 'node:net'
import { loadX509 } from '../../src/machinery/x509.ts'
import type { KeyPair } from '../../src/cluster/certificate.ts'
import type { TestControlPlane } from './control-plane.ts'

export interface SeenRequest { readonly method: string; readonly url: string; readonly headers: IncomingHttpHeaders; readonly subject: string }

export interface ExtensionServer {
  readonly port: number
  /** base64 of its authority's certificate. */
  readonly caBundle: string
  readonly seen: readonly SeenRequest[]
  /** How it behaves: answers, answers without OpenAPI v3, answers 500, never answers, answers nonsense. */
  mode: 'good' | 'older' | 'broken' | 'silent' | 'lying'
  /** Its own objects (`reports`), by `namespace/name`: listed, watched and deleted through the API. */
  readonly reports: Map<string, Report>
  /** How many watches of nodes are open. Those of reports do not count: the garbage collector has one as soon as it has found them. */
  readonly watchers: number
  /** Sends an event to all watches. */
  emit(event: object): void
  /** Asks it directly; resolves with the status. */
  ask(headers: Record<string, string>, as?: KeyPair): Promise<number>
  /** Upgrades a connection through the cluster, says `text`, and resolves with what comes back. */
  upgradeThrough(cluster: TestControlPlane, path: string, text: string): Promise<string>
  stop(): Promise<void>
}

export interface Report { readonly kind: 'Report'; readonly apiVersion: string; readonly metadata: { readonly name: string; readonly namespace: string; readonly uid: string; readonly resourceVersion: string; readonly ownerReferences?: readonly object[] } }

export const report = (name: string, namespace: string, ownerReferences?: readonly object[]): Report =>
  ({ kind: 'Report', apiVersion: 'metrics.k8s.io/v1beta1', metadata: { name, namespace, uid: `uid-${namespace}-${name}`, resourceVersion: '1', ...(ownerReferences ? { ownerReferences } : {}) } })

/** A self-signed certificate for these names. */
export async function selfSigned(names: readonly string[]): Promise<KeyPair> {
  const x509 = await loadX509()
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01', name: 'CN=extension', keys, signingAlgorithm: algorithm, notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000),
    extensions: [new x509.SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns' as const, value }))), new x509.BasicConstraintsExtension(true)],
  })
  const key = `-----BEGIN PRIVATE KEY-----\n${Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')}\n-----END PRIVATE KEY-----`
  return { cert: certificate.toString('pem'), key }
}

const now = '2026-01-01T00:00:00Z'
const nodeMetrics = { kind: 'NodeMetrics', apiVersion: 'metrics.k8s.io/v1beta1', metadata: { name: 'node-1', creationTimestamp: now }, timestamp: now, window: '10s', usage: { cpu: '250m', memory: '1Gi' } }
const podMetrics = { kind: 'PodMetrics', apiVersion: 'metrics.k8s.io/v1beta1', metadata: { name: 'web', namespace: 'default', creationTimestamp: now }, timestamp: now, window: '10s', containers: [{ name: 'web', usage: { cpu: '100m', memory: '64Mi' } }] }
const kind = { group: 'metrics.k8s.io', version: 'v1beta1', kind: 'NodeMetrics' }
const list = (of: string, item: object) => ({ kind: `${of}List`, apiVersion: 'metrics.k8s.io/v1beta1', metadata: {}, items: [item] })
const schema = {
  type: 'object', description: 'What a node uses.', 'x-kubernetes-group-version-kind': [kind],
  properties: { kind: { type: 'string' }, apiVersion: { type: 'string' }, usage: { type: 'object', description: 'What the node uses.', additionalProperties: { type: 'string' } } },
}
const v3 = {
  openapi: '3.0.0', info: { title: 'metrics', version: '1' },
  paths: { '/apis/metrics.k8s.io/v1beta1/nodes': { get: { responses: {}, 'x-kubernetes-group-version-kind': kind, 'x-kubernetes-action': 'list' } } },
  components: { schemas: { 'io.k8s.metrics.v1beta1.NodeMetrics': schema } },
}
const v2 = {
  swagger: '2.0', info: { title: 'metrics', version: '1' },
  paths: { '/apis/metrics.k8s.io/v1beta1/nodes': { get: { responses: { 200: { description: 'OK', schema: { $ref: '#/definitions/io.k8s.metrics.v1beta1.NodeMetrics' } } }, produces: ['application/json'], 'x-kubernetes-group-version-kind': kind, 'x-kubernetes-action': 'list' } }, '/apis/other.example.com/v1/things': {} },
  definitions: { 'io.k8s.metrics.v1beta1.NodeMetrics': schema },
}
const verbs = ['get', 'list', 'watch']
const documents: Readonly<Record<string, object>> = {
  '/apis/metrics.k8s.io/v1beta1': {
    kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'metrics.k8s.io/v1beta1',
    resources: [{ name: 'nodes', singularName: '', namespaced: false, kind: 'NodeMetrics', verbs }, { name: 'pods', singularName: '', namespaced: true, kind: 'PodMetrics', verbs }, { name: 'reports', singularName: 'report', namespaced: true, kind: 'Report', verbs: [...verbs, 'delete', 'deletecollection', 'patch'] }],
  },
  '/apis/metrics.k8s.io/v1beta1/nodes': list('NodeMetrics', nodeMetrics),
  '/apis/metrics.k8s.io/v1beta1/nodes/node-1': nodeMetrics,
  '/apis/metrics.k8s.io/v1beta1/namespaces/default/pods': list('PodMetrics', podMetrics),
  '/openapi/v3': { paths: { 'apis/metrics.k8s.io/v1beta1': { serverRelativeURL: '/openapi/v3/apis/metrics.k8s.io/v1beta1?hash=ABC' } } },
  '/openapi/v3/apis/metrics.k8s.io/v1beta1': v3,
  '/openapi/v2': v2,
}

/** Starts one on loopback; `names`: what its certificate is for. */
export async function startExtensionServer(options: { readonly names: readonly string[]; readonly frontProxyCa: string }): Promise<ExtensionServer> {
  const pair = await selfSigned(options.names)
  const seen: SeenRequest[] = []
  const watches = new Set<ServerResponse>()
  const reportWatches = new Set<ServerResponse>()
  const reports = new Map<string, Report>()
  const self = { mode: 'good' as ExtensionServer['mode'] }
  const subjectOf = (request: IncomingMessage): string => {
    const socket = request.socket as TLSSocket
    return socket.authorized ? String(socket.getPeerCertificate().subject?.CN ?? '') : ''
  }
  const server: Server = createServer({ ...pair, requestCert: true, rejectUnauthorized: false, ca: options.frontProxyCa }, (request, response) => {
    const subject = subjectOf(request)
    const path = (request.url ?? '').split('?')[0] as string
    seen.push({ method: request.method ?? '', url: request.url ?? '', headers: request.headers, subject })
    if (self.mode === 'silent') return
    if (self.mode === 'broken') return void response.writeHead(500).end('broken')
    if (subject !== 'front-proxy-client' || !request.headers['x-remote-user']) return void response.writeHead(401).end('who are you?')
    if (self.mode === 'lying') return void response.writeHead(200, { 'content-type': 'application/json' }).end(path === '/apis' ? '{"groups":7}' : '[{"resources":')
    if (/\/reports(\/|$)/.test(path)) return answerReports(request, response, path, reports, reportWatches)
    if (/watch=(1|true)/.test(request.url ?? '')) {
      response.writeHead(200, { 'content-type': 'application/json' })
      response.write(`${JSON.stringify({ type: 'ADDED', object: nodeMetrics })}\n`)
      watches.add(response)
      response.on('close', () => watches.delete(response))
      return
    }
    if (path.endsWith('/echo')) {
      response.writeHead(201, { 'content-type': 'application/octet-stream' })
      request.pipe(response)
      return
    }
    const document = self.mode === 'older' && path.startsWith('/openapi/v3') ? undefined : documents[path]
    if (!document) return void response.writeHead(404, { 'content-type': 'application/json' }).end('{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","message":"not here","code":404}')
    response.writeHead(request.headers['if-none-match'] === '"ABC"' ? 304 : 200, { 'content-type': 'application/json', etag: '"ABC"' })
    response.end(request.headers['if-none-match'] === '"ABC"' ? undefined : JSON.stringify(document))
  })
  server.on('upgrade', (request: IncomingMessage, socket: Socket, head: Buffer) => {
    if (subjectOf(request) !== 'front-proxy-client' || request.headers['x-remote-user'] === undefined) return void socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n')
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: shell\r\n\r\n')
    if (head.length > 0) socket.write(head)
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    caBundle: Buffer.from(pair.cert).toString('base64'),
    seen,
    reports,
    get mode() { return self.mode },
    set mode(mode) { self.mode = mode },
    get watchers() { return watches.size },
    emit(event) {
      for (const watch of [...watches, ...reportWatches]) watch.write(`${JSON.stringify(event)}\n`)
    },
    ask: (headers, as) => new Promise((resolve, reject) => {
      const call = httpsRequest({ host: 'localhost', port, path: '/apis/metrics.k8s.io/v1beta1/nodes', headers, rejectUnauthorized: false, agent: false, ...(as ? { cert: as.cert, key: as.key } : {}) }, (response) => {
        response.resume()
        resolve(response.statusCode ?? 0)
      })
      call.on('error', reject).end()
    }),
    upgradeThrough,
    stop: () => new Promise((resolve) => {
      server.close(() => resolve())
      server.closeAllConnections()
    }),
  }
}

function answerReports(request: IncomingMessage, response: ServerResponse, path: string, reports: Map<string, Report>, watches: Set<ServerResponse>): void {
  const [, namespace = '', name = ''] = /^\/apis\/metrics\.k8s\.io\/v1beta1(?:\/namespaces\/([^/]+))?\/reports(?:\/([^/]+))?$/.exec(path) ?? []
  const chosen = [...reports.values()].filter(({ metadata }) => (!namespace || metadata.namespace === namespace) && (!name || metadata.name === name))
  const send = (code: number, body: object) => void response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body))
  if (/watch=(1|true)/.test(request.url ?? '')) {
    response.writeHead(200, { 'content-type': 'application/json' })
    response.flushHeaders()
    watches.add(response)
    return void response.on('close', () => watches.delete(response))
  }
  if (name && chosen.length === 0) return send(404, { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound', message: `reports.metrics.k8s.io "${name}" not found`, code: 404 })
  if (request.method === 'DELETE') {
    for (const one of chosen) {
      reports.delete(`${one.metadata.namespace}/${one.metadata.name}`)
      for (const watch of watches) watch.write(`${JSON.stringify({ type: 'DELETED', object: one })}\n`)
    }
    return send(200, name ? chosen[0]! : { kind: 'Status', apiVersion: 'v1', status: 'Success', code: 200 })
  }
  send(200, name ? chosen[0]! : { kind: 'ReportList', apiVersion: 'metrics.k8s.io/v1beta1', metadata: { resourceVersion: '1' }, items: chosen })
}

function upgradeThrough(cluster: TestControlPlane, path: string, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const { cert, key } = cluster.pki.admin
    const call = httpsRequest(`${cluster.url}${path}`, { method: 'POST', ca: cluster.pki.ca.cert, cert, key, agent: false, headers: { connection: 'Upgrade', upgrade: 'shell' } })
    call.on('error', reject)
    call.on('response', (response) => reject(new Error(`status ${response.statusCode}`)))
    call.on('upgrade', (_, socket) => {
      socket.once('data', (chunk: Buffer) => {
        resolve(chunk.toString())
        socket.destroy()
      })
      socket.write(text)
    })
    call.end()
  })
}
