/**
 * Runs inside a pod, on a bare Node: an operator as charts ship them (`operator.yaml`). A Site becomes a ConfigMap with its pages and a
 * Deployment that serves them; a register outside its namespace knows of it until its finalizer is done. Two of them run, one leads.
 * With the argument `serve` it is the program of such a Deployment.
 */
import { createHash } from 'node:crypto'
import { readFileSync, readdirSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { createServer, request as httpsRequest } from 'node:https'
import { hostname } from 'node:os'
import { createInterface } from 'node:readline'

interface Meta {
  readonly name: string; readonly namespace?: string; readonly uid: string; readonly generation?: number; readonly resourceVersion: string; readonly deletionTimestamp?: string
  readonly finalizers?: readonly string[]; readonly labels?: Record<string, string>; readonly annotations?: Record<string, string>
}
interface Condition { readonly type: string; readonly status: string; readonly lastTransitionTime: string }
interface SiteStatus { readonly observedGeneration?: number; readonly readyReplicas?: number; readonly conditions?: readonly Condition[] }
interface Site {
  readonly apiVersion: string; readonly kind: string; readonly metadata: Meta
  readonly spec: { readonly title: string; readonly replicas?: number; readonly pages?: Record<string, string>; readonly text?: string }
  readonly status?: SiteStatus
}
interface Answer { readonly code: number; readonly body: { readonly [field: string]: unknown; readonly message?: string; readonly metadata?: Meta } }

const account = '/var/run/secrets/kubernetes.io/serviceaccount'
const read = (file: string) => readFileSync(file, 'utf8')
const me = hostname()
const group = '/apis/sites.example.com/v1'
const finalizer = 'sites.example.com/register'
const pagesKept = 'sites.example.com/pages'
const counts = { reconciles: 0, reviews: 0, conversions: 0 }
let leading = false
let ready = false

function open(method: string, path: string, body: object | undefined, type: string, answer: (response: IncomingMessage) => void, failed: (error: Error) => void): void {
  const call = httpsRequest({
    host: process.env['KUBERNETES_SERVICE_HOST'], port: Number(process.env['KUBERNETES_SERVICE_PORT']), path, method, ca: read(`${account}/ca.crt`),
    headers: { authorization: `Bearer ${read(`${account}/token`)}`, 'content-type': type },
  }, answer)
  call.on('error', failed)
  call.end(body && JSON.stringify(body))
}

/** Asks the API server as the pod's own account. */
const api = (method: string, path: string, body?: object, type = 'application/json'): Promise<Answer> => new Promise((resolve, reject) => {
  open(method, path, body, type, (response) => {
    let text = ''
    response.setEncoding('utf8').on('data', (chunk: string) => void (text += chunk))
    response.on('error', reject).on('end', () => resolve({ code: response.statusCode ?? 0, body: JSON.parse(text) as Answer['body'] }))
  }, reject)
})

async function must(method: string, path: string, body?: object, type?: string): Promise<Answer['body']> {
  const answer = await api(method, path, body, type)
  if (answer.code >= 300) throw new Error(`${method} ${path}: ${answer.code} ${answer.body.message}`)
  return answer.body
}
const applied = (path: string, body: object) => must('PATCH', `${path}?fieldManager=site-operator&force=true`, body, 'application/apply-patch+yaml')
const merged = (path: string, body: object) => must('PATCH', path, body, 'application/merge-patch+json')

/** Hears of each object at `path`, now and as it changes, until the pod ends. */
async function follow(path: string, query: string, each: (object: Site) => void): Promise<void> {
  for (;;) {
    try {
      const list = await must('GET', `${path}?${query}`)
      for (const item of list['items'] as Site[]) each(item)
      const from = list.metadata?.resourceVersion ?? ''
      const response = await new Promise<IncomingMessage>((resolve, reject) => open('GET', `${path}?${query}&watch=true&resourceVersion=${from}`, undefined, 'application/json', resolve, reject))
      for await (const line of createInterface(response)) {
        const event = JSON.parse(line) as { type: string; object: Site }
        if (event.type === 'ERROR') break
        each(event.object)
      }
    } catch (error) {
      console.log(`following ${path}: ${String(error)}`)
    }
    await new Promise((resolve) => setTimeout(resolve, 500))
  }
}

const labelsOf = (site: Site) => ({ 'sites.example.com/site': site.metadata.name })

function childrenOf(site: Site): { readonly map: object; readonly deployment: object } {
  const { name, uid } = site.metadata
  const metadata = { name, labels: labelsOf(site), ownerReferences: [{ apiVersion: 'sites.example.com/v1', kind: 'Site', name, uid, controller: true, blockOwnerDeletion: true }] }
  const data = Object.fromEntries(Object.entries(site.spec.pages ?? {}).map(([page, text]) => [page, `${site.spec.title}: ${text}`]))
  const container = {
    name: 'site', image: 'site-operator:1.0', args: ['serve'], ports: [{ containerPort: 8080 }], volumeMounts: [{ name: 'pages', mountPath: '/pages' }],
    readinessProbe: { httpGet: { path: '/healthz', port: 8080 }, periodSeconds: 1 }, securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } },
  }
  const spec = {
    automountServiceAccountToken: false, terminationGracePeriodSeconds: 1, securityContext: { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } },
    containers: [container], volumes: [{ name: 'pages', configMap: { name } }],
  }
  const sum = createHash('sha256').update(JSON.stringify(data)).digest('hex')
  return {
    map: { apiVersion: 'v1', kind: 'ConfigMap', metadata, data },
    deployment: {
      apiVersion: 'apps/v1', kind: 'Deployment', metadata,
      spec: { replicas: site.spec.replicas, selector: { matchLabels: labelsOf(site) }, template: { metadata: { labels: labelsOf(site), annotations: { 'checksum/pages': sum } }, spec } },
    },
  }
}

const register = `/api/v1/namespaces/${process.env['POD_NAMESPACE']}/configmaps/site-register`

async function event(site: Site, reason: string, note: string): Promise<void> {
  const { name, namespace, uid, resourceVersion } = site.metadata
  const regarding = { apiVersion: site.apiVersion, kind: site.kind, name, namespace, uid, resourceVersion }
  const happened = { type: 'Normal', reason, action: reason, note, regarding, reportingController: 'sites.example.com/operator', reportingInstance: me, eventTime: new Date().toISOString().replace('Z', '000Z') }
  await must('POST', `/apis/events.k8s.io/v1/namespaces/${namespace}/events`, { apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata: { generateName: `${name}-`, namespace }, ...happened })
}

async function goodbye(site: Site, path: string): Promise<void> {
  const { name, namespace, finalizers = [], resourceVersion } = site.metadata
  if (!finalizers.includes(finalizer)) return
  await merged(register, { data: { [`${namespace}.${name}`]: null } })
  await merged(path, { metadata: { resourceVersion, finalizers: finalizers.filter((one) => one !== finalizer) } })
}

async function reconcile(namespace: string, name: string): Promise<void> {
  const path = `${group}/namespaces/${namespace}/sites/${name}`
  const answer = await api('GET', path)
  if (answer.code === 404) return
  if (answer.code !== 200) throw new Error(`${path}: ${answer.body.message}`)
  const site = answer.body as unknown as Site
  const { finalizers = [], resourceVersion, generation } = site.metadata
  if (site.metadata.deletionTimestamp) return goodbye(site, path)
  if (!finalizers.includes(finalizer)) return void (await merged(path, { metadata: { resourceVersion, finalizers: [...finalizers, finalizer] } }))
  const children = childrenOf(site)
  await merged(register, { data: { [`${namespace}.${name}`]: site.spec.title } })
  await applied(`/api/v1/namespaces/${namespace}/configmaps/${name}`, children.map)
  const deployment = await applied(`/apis/apps/v1/namespaces/${namespace}/deployments/${name}`, children.deployment)
  const { readyReplicas = 0, updatedReplicas = 0, observedGeneration = 0 } = (deployment['status'] ?? {}) as { readyReplicas?: number; updatedReplicas?: number; observedGeneration?: number }
  const wanted = site.spec.replicas ?? 1
  const good = observedGeneration === deployment.metadata?.generation && readyReplicas === wanted && updatedReplicas === wanted ? 'True' : 'False'
  const before = site.status?.conditions?.find((one) => one.type === 'Ready')
  if (site.status?.observedGeneration !== generation) await event(site, 'Reconciled', `${Object.keys(site.spec.pages ?? {}).length} pages are served by ${wanted} pods`)
  if (site.status?.observedGeneration === generation && site.status?.readyReplicas === readyReplicas && before?.status === good) return
  const condition = { type: 'Ready', status: good, reason: good === 'True' ? 'Served' : 'Waiting', message: '', observedGeneration: generation, lastTransitionTime: before?.status === good ? before.lastTransitionTime : new Date().toISOString().replace(/\.\d+/, '') }
  await applied(`${path}/status`, { apiVersion: 'sites.example.com/v1', kind: 'Site', metadata: { name, namespace }, status: { observedGeneration: generation, readyReplicas, conditions: [condition] } })
}

const waiting = new Set<string>()
let working = false
async function work(): Promise<void> {
  if (working) return
  working = true
  for (const key of waiting) {
    if (!leading) break
    waiting.delete(key)
    counts.reconciles++
    const [namespace, name] = key.split('/') as [string, string]
    await reconcile(namespace, name).catch((error: unknown) => {
      console.log(`again later: ${key}: ${String(error)}`)
      setTimeout(() => enqueue(key), 500)
    })
  }
  working = false
}
function enqueue(key: string): void {
  waiting.add(key)
  void work()
}

/** What the account was never given is asked for, and the answers are told: whoever gets in here gets no further. */
async function overreach(): Promise<void> {
  const escalated = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', metadata: { name: 'mine' }, roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' }, subjects: [] }
  const attempts: readonly (readonly [string, string, object?, string?])[] = [
    ['GET', '/api/v1/namespaces/kube-system/secrets'],
    ['GET', `/api/v1/namespaces/${process.env['POD_NAMESPACE']}/secrets/site-operator-tls`],
    ['POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', escalated],
    ['PATCH', '/apis/rbac.authorization.k8s.io/v1/clusterroles/site-operator', { rules: [] }, 'application/merge-patch+json'],
    ['DELETE', '/apis/apps/v1/namespaces/default/deployments/any'],
    ['PATCH', `/api/v1/namespaces/${process.env['POD_NAMESPACE']}/services/mine?fieldManager=x`, { apiVersion: 'v1', kind: 'Service', metadata: { name: 'mine' }, spec: { ports: [{ port: 80 }] } }, 'application/apply-patch+yaml'],
  ]
  for (const [method, path, body, type] of attempts) {
    const answer = await api(method, path, body, type)
    console.log(`tried ${method} ${path.split('?')[0]}: ${answer.code} ${answer.body.message ?? 'done'}`)
  }
}

const leasePath = `/apis/coordination.k8s.io/v1/namespaces/${process.env['POD_NAMESPACE']}/leases`
const lasts = 6
interface Lease { readonly metadata: Meta; readonly spec: { readonly holderIdentity?: string; readonly renewTime?: string; readonly leaseTransitions?: number; readonly acquireTime?: string } }

/** One step of the election: true while the lease is ours. */
async function elected(): Promise<boolean> {
  const now = new Date().toISOString().replace('Z', '000Z')
  const got = await api('GET', `${leasePath}/site-operator`)
  const spec = { holderIdentity: me, leaseDurationSeconds: lasts, acquireTime: now, renewTime: now, leaseTransitions: 0 }
  if (got.code === 404) return (await api('POST', leasePath, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata: { name: 'site-operator' }, spec })).code === 201
  if (got.code !== 200) throw new Error(got.body.message)
  const lease = got.body as unknown as Lease
  const { holderIdentity = '', renewTime = now, leaseTransitions = 0, acquireTime = now } = lease.spec
  if (holderIdentity !== '' && holderIdentity !== me && Date.parse(renewTime) + lasts * 1000 > Date.now()) return false
  const next = { ...lease, spec: { ...spec, acquireTime: holderIdentity === me ? acquireTime : now, leaseTransitions: holderIdentity === me ? leaseTransitions : leaseTransitions + 1 } }
  return (await api('PUT', `${leasePath}/site-operator`, next)).code === 200
}

async function campaign(): Promise<void> {
  for (;;) {
    const won = await elected().catch((error: unknown) => {
      console.log(`the lease: ${String(error)}`)
      return false
    })
    if (won && !leading) console.log(`${me} leads`)
    leading = won
    if (won) void work()
    await new Promise((resolve) => setTimeout(resolve, 1000))
  }
}

async function resign(): Promise<never> {
  if (leading) {
    const lease = (await api('GET', `${leasePath}/site-operator`)).body as unknown as Lease
    if (lease.spec.holderIdentity === me) await api('PUT', `${leasePath}/site-operator`, { ...lease, spec: { ...lease.spec, holderIdentity: '' } })
  }
  process.exit(0)
}

/** v1alpha1 has one text, v1 has pages; what one cannot say is kept in an annotation, so that nothing is lost on the way back. */
function converted(site: Site, apiVersion: string): Site {
  if (site.apiVersion === apiVersion) return site
  const { [pagesKept]: kept, ...annotations } = site.metadata.annotations ?? {}
  if (apiVersion.endsWith('/v1')) {
    const { text, ...spec } = site.spec
    const others = kept ? (JSON.parse(kept) as Record<string, string>) : {}
    return { ...site, apiVersion, metadata: { ...site.metadata, annotations }, spec: { ...spec, pages: { ...(text === undefined ? {} : { index: text }), ...others } } }
  }
  const { pages: { index, ...others } = {}, ...spec } = site.spec
  const notes = Object.keys(others).length > 0 ? { ...annotations, [pagesKept]: JSON.stringify(others) } : annotations
  return { ...site, apiVersion, metadata: { ...site.metadata, annotations: notes }, spec: { ...spec, ...(index === undefined ? {} : { text: index }) } }
}

interface Review { readonly uid: string; readonly object: Site; readonly userInfo: { readonly username: string }; readonly desiredAPIVersion: string; readonly objects: readonly Site[] }

function review(path: string, { uid, object, userInfo, desiredAPIVersion, objects }: Review): object {
  if (path === '/convert') {
    counts.conversions++
    return { apiVersion: 'apiextensions.k8s.io/v1', kind: 'ConversionReview', response: { uid, result: { status: 'Success' }, convertedObjects: objects.map((one) => converted(one, desiredAPIVersion)) } }
  }
  counts.reviews++
  const reviewed = (response: object) => ({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: { uid, ...response } })
  if (path === '/validate') {
    const allowed = !object.spec.title.includes('casino')
    return reviewed({ allowed, ...(allowed ? {} : { status: { code: 422, reason: 'Invalid', message: `a site of ${userInfo.username} is no casino` } }) })
  }
  const labels = object.metadata.labels ?? {}
  if (labels['sites.example.com/made-in']) return reviewed({ allowed: true })
  const patch = [{ op: 'add', path: '/metadata/labels', value: { ...labels, 'sites.example.com/made-in': object.apiVersion.split('/')[1] } }]
  return reviewed({ allowed: true, patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') })
}

async function bodyOf(request: IncomingMessage): Promise<{ readonly request: Review }> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return JSON.parse(Buffer.concat(chunks).toString()) as { request: Review }
}

const metrics = () => Object.entries({ ...counts, leader: leading ? 1 : 0 }).map(([name, value]) => `site_operator_${name} ${value}\n`).join('')

function operate(): void {
  const tls = { cert: read('/tls/tls.crt'), key: read('/tls/tls.key') }
  createServer(tls, (request, response) => {
    bodyOf(request).then((body) => response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(review(request.url?.split('?')[0] ?? '', body.request))))
      .catch((error: unknown) => response.writeHead(500).end(String(error)))
  }).listen(9443, () => void (ready = true))
  createHttpServer((request, response) => {
    if (request.url === '/metrics') response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(metrics())
    else response.writeHead(request.url === '/healthz' || (request.url === '/readyz' && ready) ? 200 : 503).end()
  }).listen(8080)
  void overreach().then(campaign)
  void follow(`${group}/sites`, '', ({ metadata: { namespace, name } }) => enqueue(`${namespace}/${name}`))
  void follow('/apis/apps/v1/deployments', 'labelSelector=sites.example.com/site', ({ metadata: { namespace, labels } }) => enqueue(`${namespace}/${labels?.['sites.example.com/site']}`))
}

function serve(): void {
  createHttpServer((request, response) => {
    const page = (request.url ?? '/').split('?')[0]?.slice(1) ?? ''
    if (page === 'healthz') response.writeHead(200).end()
    else if (readdirSync('/pages').includes(page)) response.writeHead(200, { 'content-type': 'text/plain' }).end(read(`/pages/${page}`))
    else response.writeHead(404).end('no such page\n')
  }).listen(8080)
}

const serving = process.argv[2] === 'serve'
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void (serving ? process.exit(0) : resign()))
if (serving) serve()
else operate()
