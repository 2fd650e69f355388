/**
 * Runs inside a pod, on a bare Node: an admission webhook and an extension API server over HTTPS, as operators ship them. Nothing but
 * what the cluster gives it: a certificate in /tls, its service account, and the service network.
 */
import { readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:https'
import { createServer } from 'node:https'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { TLSSocket } from 'node:tls'

const account = '/var/run/secrets/kubernetes.io/serviceaccount'
const read = (file: string) => readFileSync(file, 'utf8')

interface Answer { readonly code: number; readonly body: Record<string, unknown> }

/** Asks the API server as the pod's own account. */
function api(method: string, path: string, body?: object): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = httpRequest({
      host: process.env['KUBERNETES_SERVICE_HOST'], port: Number(process.env['KUBERNETES_SERVICE_PORT']), path, method, ca: read(`${account}/ca.crt`),
      headers: { authorization: `Bearer ${read(`${account}/token`)}`, 'content-type': 'application/json' },
    }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => void (text += chunk.toString()))
      response.on('end', () => resolve({ code: response.statusCode ?? 0, body: JSON.parse(text) as Record<string, unknown> }))
    })
    call.on('error', reject)
    call.end(body && JSON.stringify(body))
  })
}

async function bodyOf(request: IncomingMessage): Promise<Record<string, unknown>> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString()) as Record<string, unknown>
}

interface Review { readonly uid: string; readonly object: { readonly metadata: { readonly labels?: Record<string, string>; readonly namespace?: string } } }

async function admit(request: IncomingMessage, mutate: boolean): Promise<object> {
  const { request: review } = (await bodyOf(request)) as unknown as { request: Review }
  const labels = review.object.metadata.labels ?? {}
  const patch = labels['seen'] ? [] : [{ op: 'add', path: '/metadata/labels', value: { ...labels, seen: 'by-the-webhook' } }]
  const response = mutate
    ? { uid: review.uid, allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') }
    : { uid: review.uid, allowed: labels['forbidden'] === undefined, status: { code: 403, message: 'the label says so' }, warnings: ['looked at by a pod'] }
  return { kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', response }
}

const list = { kind: 'APIResourceList', apiVersion: 'v1', groupVersion: 'pods.example.com/v1', resources: [{ name: 'visitors', singularName: 'visitor', namespaced: true, kind: 'Visitor', verbs: ['get', 'list'] }] }

/** The extension API server's part: who asks is in the front proxy's headers, whether he may the API server says. */
async function extension(request: IncomingMessage, path: string): Promise<Answer> {
  const socket = request.socket as TLSSocket
  const user = String(request.headers['x-remote-user'] ?? '')
  const fromProxy = socket.authorized && socket.getPeerCertificate().subject.CN === 'front-proxy-client'
  if (!fromProxy || !user) return { code: 401, body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 401, reason: 'Unauthorized', message: 'not through the front proxy' } }
  if (path === '/apis/pods.example.com/v1') return { code: 200, body: list }
  const match = /^\/apis\/pods\.example\.com\/v1\/namespaces\/([^/]+)\/visitors$/.exec(path)
  if (!match) return { code: 404, body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 404, reason: 'NotFound', message: 'not here' } }
  const review = await api('POST', '/apis/authorization.k8s.io/v1/subjectaccessreviews', {
    kind: 'SubjectAccessReview', apiVersion: 'authorization.k8s.io/v1',
    spec: { user, groups: String(request.headers['x-remote-group'] ?? '').split(', '), resourceAttributes: { namespace: match[1], verb: 'list', group: 'pods.example.com', version: 'v1', resource: 'visitors' } },
  })
  const { allowed } = review.body['status'] as { allowed: boolean }
  if (!allowed) return { code: 403, body: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 403, reason: 'Forbidden', message: `${user} may not` } }
  return { code: 200, body: { kind: 'VisitorList', apiVersion: 'pods.example.com/v1', metadata: {}, items: [{ kind: 'Visitor', apiVersion: 'pods.example.com/v1', metadata: { name: user.replaceAll(':', '-'), namespace: match[1] } }] } }
}

function send(response: ServerResponse, code: number, body: object): void {
  response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body))
}

const { body: config } = await api('GET', '/api/v1/namespaces/kube-system/configmaps/extension-apiserver-authentication')
const frontProxyCa = (config['data'] as Record<string, string> | undefined)?.['requestheader-client-ca-file']
if (!frontProxyCa) throw new Error(`whom to believe is not known: ${JSON.stringify(config)}`)

/** A page with links of its own, and a way to it. */
function site(response: ServerResponse, path: string): boolean {
  if (path === '/old') response.writeHead(302, { location: '/page', 'set-cookie': 'seen=1', 'access-control-allow-origin': '*' }).end()
  else if (path === '/page') response.writeHead(200, { 'content-type': 'text/html' }).end('<a href="/next">next</a><img src="logo.png">')
  else return false
  return true
}

const server = createServer({ cert: read('/tls/tls.crt'), key: read('/tls/tls.key'), ca: frontProxyCa, requestCert: true, rejectUnauthorized: false }, (request, response) => {
  const path = (request.url ?? '/').split('?')[0] as string
  if (site(response, path)) return
  const answer = path === '/healthz' ? Promise.resolve({ code: 200, body: {} })
    : path === '/mutate' || path === '/validate' ? admit(request, path === '/mutate').then((body) => ({ code: 200, body: body as Record<string, unknown> }))
      : extension(request, path)
  answer.then(({ code, body }) => send(response, code, body), (error: unknown) => send(response, 500, { message: String(error) }))
})
// Whoever upgrades hears what the server was told of him, and then his own words.
server.on('upgrade', (request, socket, head: Buffer) => {
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: ${request.headers.upgrade}\r\n\r\n${JSON.stringify(request.headers)}\n`)
  if (head.length > 0) socket.write(head)
  socket.pipe(socket)
})
server.listen(8443, () => console.log('listening'))
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => process.exit(0))
