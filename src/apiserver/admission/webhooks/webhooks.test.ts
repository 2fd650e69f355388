import https, { type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { core, type admission, type Resource } from '../../../api/index.ts'
import type { ApiObject } from '../../../client/client.ts'
import { isApiError } from '../../../machinery/errors.ts'
import { loadX509 } from '../../../machinery/x509.ts'
import { attributesOf, environment, type Loose, type Wanted } from '../../testing/environment.ts'
import type { Authorizer } from '../../authz/authorizer.ts'
import type { AdmissionPlugin } from '../admission.ts'
import { createAdmissionChain } from '../chain.ts'
import { createAdmissionMetrics } from '../metrics.ts'
import { webhooks } from '../plugins/webhooks.ts'
import type { CallWebhook } from './call.ts'
import { matches } from './match.ts'

type Request = admission.AdmissionRequest
type Reply = { allowed?: boolean; patch?: object[]; warnings?: string[]; status?: object; [key: string]: unknown }

let server: Server
let ca: string
let port: number
let seen: Request[]
let reviews: string[]
let reply: (request: Request, url: string) => Reply | string | Promise<Reply | string>

beforeAll(async () => {
  const x509 = await loadX509()
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01', name: 'CN=hook', keys, signingAlgorithm: algorithm, notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000),
    extensions: [new x509.SubjectAlternativeNameExtension([{ type: 'ip', value: '127.0.0.1' }, { type: 'dns', value: 'hook.tools.svc' }]), new x509.BasicConstraintsExtension(true)],
  })
  ca = Buffer.from(certificate.toString('pem')).toString('base64')
  const key = `-----BEGIN PRIVATE KEY-----\n${Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')}\n-----END PRIVATE KEY-----`
  server = https.createServer({ key, cert: certificate.toString('pem') }, async (incoming, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of incoming) chunks.push(chunk as Buffer)
    const { request, apiVersion } = JSON.parse(Buffer.concat(chunks).toString()) as { request: Request; apiVersion: string }
    seen.push(request)
    reviews.push(apiVersion)
    const answer = await reply(request, incoming.url ?? '')
    if (typeof answer === 'string') return void response.end(answer)
    const { patch, ...rest } = answer
    const withPatch = patch ? { patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(patch)).toString('base64') } : {}
    response.end(JSON.stringify({ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', response: { uid: request.uid, allowed: true, ...withPatch, ...rest } }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
})
afterAll(() => {
  server.close()
  server.closeAllConnections()
})
beforeEach(() => {
  seen = []
  reviews = []
  reply = () => ({})
})

const nobodyAsks = { decide: () => ({ opinion: 'none', reason: '' }) } as unknown as Authorizer
const rules = [{ operations: ['CREATE', 'UPDATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }]
const hook = (more: object = {}, name = 'check.example.com') =>
  ({ name, rules, sideEffects: 'None', admissionReviewVersions: ['v1'], failurePolicy: 'Fail', clientConfig: { url: `https://127.0.0.1:${port}/hook`, caBundle: ca }, ...more })
const configuration = (kind: 'Mutating' | 'Validating', ...hooks: object[]): Loose => ({ kind: `${kind}WebhookConfiguration`, metadata: { name: 'c' }, webhooks: hooks })
const map = (data: object = {}, metadata: object = {}): Loose => ({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'm', namespace: 'x', ...metadata }, data })

/** What becomes of a config map: the object as it would be stored, or why not. */
async function outcome(objects: Loose[], object = map(), wanted: Wanted = {}, dryRun = false, call?: CallWebhook): Promise<{ data?: unknown; error?: string; code?: number; warnings: string[] }> {
  const { mutating, validating } = webhooks(environment({ kind: 'Namespace', metadata: { name: 'x', labels: { team: 'a' } as never } as never }, ...objects), nobodyAsks, undefined, call)
  const chain = createAdmissionChain([mutating, validating])
  const plain = attributesOf(core.configmaps, object, wanted)
  const attributes = { ...plain, context: { ...plain.context, dryRun } }
  try {
    const mutated = (await chain.mutate(attributes)) as unknown as { data: unknown }
    await chain.validate({ ...attributes, object: mutated as never })
    return { data: mutated.data, warnings: plain.warnings }
  } catch (error) {
    if (isApiError(error)) return { error: error.message, code: error.code, warnings: plain.warnings }
    throw error
  }
}

describe('a validating webhook', () => {
  it('is asked over a connection that is kept, and over another when that was closed meanwhile', async () => {
    let connections = 0
    const count = () => void connections++
    server.closeIdleConnections()
    server.on('secureConnection', count)
    for (let i = 0; i < 3; i++) expect(await outcome([configuration('Validating', hook())])).toMatchObject({ data: {} })
    expect(connections).toBe(1)
    server.closeIdleConnections()
    for (let i = 0; i < 3; i++) expect(await outcome([configuration('Validating', hook())])).toMatchObject({ data: {} })
    server.off('secureConnection', count)
    // One to ask again, one to keep.
    expect(connections).toBeLessThanOrEqual(3)
  })

  it('is told who wants what, and its yes lets it in', async () => {
    reply = () => ({ warnings: ['mind the gap'] })
    expect(await outcome([configuration('Validating', hook())], map({ a: 'b' }))).toMatchObject({ data: { a: 'b' }, warnings: ['mind the gap'] })
    expect(seen[0]).toMatchObject({
      operation: 'CREATE', name: 'm', namespace: 'x', kind: { group: '', version: 'v1', kind: 'ConfigMap' }, resource: { resource: 'configmaps' },
      userInfo: { username: 'ana', groups: ['system:authenticated'] }, object: { data: { a: 'b' } }, oldObject: null, dryRun: false,
    })
  })

  it('leaves notes for the audit log under its own name, also when it refuses', async () => {
    reply = () => ({ allowed: false, auditAnnotations: { rule: 'no-latest' } })
    const attributes = attributesOf(core.configmaps, map())
    const { validating } = webhooks(environment(configuration('Validating', hook())), nobodyAsks)
    await expect(createAdmissionChain([validating]).validate(attributes)).rejects.toMatchObject({ code: 400 })
    expect(attributes.annotations).toEqual({ 'check.example.com/rule': 'no-latest' })
  })

  it('that failed and is gone on without is noted too, and so is who changed what', async () => {
    const notes = async (...objects: Loose[]) => {
      const attributes = attributesOf(core.configmaps, map())
      const { mutating, validating } = webhooks(environment(...objects), nobodyAsks)
      const chain = createAdmissionChain([mutating, validating])
      await chain.mutate(attributes)
      await chain.validate(attributes)
      return attributes.annotations
    }
    reply = (_, url) => (url.startsWith('/change') ? { patch: [{ op: 'add', path: '/data/x', value: 'y' }] } : url.startsWith('/fail') ? 'no json' : {})
    const at = (path: string) => ({ clientConfig: { url: `https://127.0.0.1:${port}${path}`, caBundle: ca }, failurePolicy: 'Ignore' })
    expect(await notes(configuration('Mutating', hook(at('/fail'), 'a.example.com'), hook(at('/change'), 'b.example.com'), hook(at('/same'), 'd.example.com')), configuration('Validating', hook(at('/fail'))))).toEqual({
      'failed-open.mutation.webhook.admission.k8s.io/round_0_index_0': 'a.example.com',
      'mutation.webhook.admission.k8s.io/round_0_index_0': '{"configuration":"c","webhook":"a.example.com","mutated":false}',
      'mutation.webhook.admission.k8s.io/round_0_index_1': '{"configuration":"c","webhook":"b.example.com","mutated":true}',
      'patch.webhook.admission.k8s.io/round_0_index_1': '{"configuration":"c","webhook":"b.example.com","patch":[{"op":"add","path":"/data/x","value":"y"}],"patchType":"JSONPatch"}',
      'mutation.webhook.admission.k8s.io/round_0_index_2': '{"configuration":"c","webhook":"d.example.com","mutated":false}',
      'failed-open.validating.webhook.admission.k8s.io/round_0_index_0': 'check.example.com',
    })
  })

  it('refuses in its own words and with its own code', async () => {
    reply = () => ({ allowed: false, status: { message: 'not on a Friday', code: 403, reason: 'Forbidden' } })
    expect(await outcome([configuration('Validating', hook())])).toMatchObject({ code: 403, error: 'admission webhook "check.example.com" denied the request: not on a Friday' })
    reply = () => ({ allowed: false })
    expect(await outcome([configuration('Validating', hook())])).toMatchObject({ code: 400, error: 'admission webhook "check.example.com" denied the request without explanation' })
  })

  it('that fails, lies or is another decides by its policy', async () => {
    const fail = async (more: object = {}) => outcome([configuration('Validating', hook(more))])
    const ignore = async (more: object = {}) => fail({ failurePolicy: 'Ignore', ...more })
    for (const answer of ['no json', '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1beta1"}', '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1"}', '{"kind":"AdmissionReview","apiVersion":"admission.k8s.io/v1","response":{"uid":"other","allowed":true}}']) {
      reply = () => answer
      expect(await fail(), answer).toMatchObject({ code: 500, error: expect.stringMatching(/failed calling webhook "check\.example\.com": (failed to call webhook|received invalid webhook response): /) as string })
      expect((await ignore()).error).toBeUndefined()
    }
    reply = () => ({})
    expect((await fail({ clientConfig: { url: `https://127.0.0.1:${port}/` } })).error).toContain('tls: failed to verify certificate: x509: certificate signed by unknown authority')
    expect((await fail({ clientConfig: { url: 'https://127.0.0.1:1/', caBundle: ca } })).error).toContain('dial tcp 127.0.0.1:1: connect: connection refused')
    expect((await fail({ clientConfig: { service: { namespace: 'tools', name: 'none' } } })).error).toContain('service "none" not found')
  })

  it('that gives back what only others may is no answer', async () => {
    const said = async (kind: 'Validating' | 'Mutating', answer: Reply) => {
      reply = () => answer
      return (await outcome([configuration(kind, hook())])).error
    }
    const words = (why: string) => `Internal error occurred: failed calling webhook "check.example.com": received invalid webhook response: ${why}`
    expect(await said('Validating', { patch: [] })).toBe(words('validating webhook may not return response.patch'))
    expect(await said('Validating', { patchType: 'JSONPatch' })).toBe(words('validating webhook may not return response.patchType'))
    expect(await said('Mutating', { patchType: 'JSONPatch' })).toBe(words('webhook returned response.patchType but not response.patch'))
    expect(await said('Mutating', { patch: [], patchType: undefined })).toBe(words('webhook returned response.patch but not response.patchType'))
    expect(await said('Mutating', { patch: [{ op: 'add', path: '/data/a', value: 'b' }], patchType: 'MergePatch' })).toContain('unsupported patch type "MergePatch"')
  })

  it('that knows only the older AdmissionReview is sent that one; one that knows neither fails', async () => {
    reply = (request) => JSON.stringify({ kind: 'AdmissionReview', apiVersion: reviews.at(-1), response: { uid: request.uid, allowed: false, status: { message: 'old' } } })
    expect((await outcome([configuration('Validating', hook({ admissionReviewVersions: ['v9', 'v1beta1', 'v1'] }))])).error).toContain('denied the request: old')
    expect(reviews).toEqual(['admission.k8s.io/v1beta1'])
    expect((await outcome([configuration('Validating', hook({ admissionReviewVersions: ['v9'] }))])).error).toContain('webhook does not accept known AdmissionReview versions (v1, v1beta1)')
  })

  it('that answers with something else is quoted', async () => {
    const said = async (answer: string) => {
      reply = () => answer
      return (await outcome([configuration('Validating', hook())])).error
    }
    const words = (why: string) => `Internal error occurred: failed calling webhook "check.example.com": ${why}`
    expect(await said('[]')).toBe(words("failed to call webhook: couldn't get version/kind; json parse error: json: cannot unmarshal array into an AdmissionReview"))
    expect(await said('')).toBe(words('failed to call webhook: 0-length response with status code: 200 and content type: application/json'))
    expect(await said('{}')).toBe(words('received invalid webhook response: webhook response was absent'))
  })

  it('that lies about types has not answered; notes under names that are none are left out', async () => {
    for (const lie of [{ warnings: 'text' }, { warnings: { a: 1 } }, { auditAnnotations: { a: { b: 1 } } }, { allowed: 'yes' }, { status: 'text' }, { patchType: { a: 1 } }]) {
      reply = () => lie as unknown as Reply
      const { error, warnings } = await outcome([configuration('Validating', hook())])
      expect([error, warnings], JSON.stringify(lie)).toEqual([expect.stringContaining('failed calling webhook "check.example.com": failed to call webhook: ') as string, []])
      expect((await outcome([configuration('Mutating', hook({ failurePolicy: 'Ignore' }))])).error).toBeUndefined()
    }
    reply = () => ({ auditAnnotations: { good: 'a', 'bad key!': 'b', 'a/b': 'c', __proto__: 'd' } })
    const attributes = attributesOf(core.configmaps, map())
    await createAdmissionChain([webhooks(environment(configuration('Validating', hook())), nobodyAsks).validating]).validate(attributes)
    expect(attributes.annotations).toEqual({ 'check.example.com/good': 'a' })
  })

  it('is shown the revision that a patch is of', async () => {
    const old = map({}, { resourceVersion: '7' })
    const { validating } = webhooks(environment(configuration('Validating', hook())), nobodyAsks)
    const attributes = attributesOf(core.configmaps, map(), { operation: 'UPDATE', old })
    await createAdmissionChain([validating]).validate({ ...attributes, context: { ...attributes.context, verb: 'patch' } })
    expect(seen).toMatchObject([{ object: { metadata: { resourceVersion: '7' } } }])
  })

  it('keeps the details of its refusal', async () => {
    reply = () => ({ allowed: false, status: { code: 409, reason: 'Conflict', message: 'busy', details: { retryAfterSeconds: 5, causes: [{ field: 'spec.x', message: 'taken' }] } } })
    const { validating } = webhooks(environment(configuration('Validating', hook())), nobodyAsks)
    await expect(createAdmissionChain([validating]).validate(attributesOf(core.configmaps, map()))).rejects.toMatchObject({
      status: { code: 409, reason: 'Conflict', details: { retryAfterSeconds: 5, causes: [{ field: 'spec.x', message: 'taken' }] } },
    })
  })

  it('has no more time than the request it is about', async () => {
    let url = ''
    reply = (_, at) => ((url = at), {})
    const env = environment(configuration('Validating', hook({ timeoutSeconds: 20 })))
    const plain = attributesOf(core.configmaps, map())
    const chain = createAdmissionChain([webhooks(env, nobodyAsks).validating])
    await chain.validate({ ...plain, context: { ...plain.context, caller: { gone: undefined, deadline: env.clock.now() + 2_500 } } })
    expect(url).toBe('/hook?timeout=3s')
    const gone = new AbortController()
    reply = () => new Promise(() => gone.abort(new Error('bye')))
    await expect(chain.validate({ ...plain, context: { ...plain.context, caller: { get gone() { return gone.signal.reason as unknown }, signal: gone.signal } } })).rejects.toMatchObject({ code: 500, message: expect.stringContaining('context canceled') as string })
  })

  it('is counted, with what became of it', async () => {
    const registry = new Registry()
    const metrics = createAdmissionMetrics(registry)
    const run = async (kind: 'Validating' | 'Mutating', answer: Reply | string, more: object = {}) => {
      reply = () => answer
      const { mutating, validating } = webhooks(environment({ kind: 'Namespace', metadata: { name: 'x' } }, configuration(kind, hook(more))), nobodyAsks, metrics)
      const chain = createAdmissionChain([mutating, validating], metrics)
      const attributes = attributesOf(core.configmaps, map())
      await (async () => chain.mutate(attributes))().then(() => chain.validate(attributes)).catch(() => undefined)
    }
    await run('Validating', {})
    await run('Validating', { allowed: false, status: { code: 999 } })
    await run('Validating', 'no json', { failurePolicy: 'Ignore' })
    await run('Mutating', 'no json')
    await run('Mutating', { patch: [{ op: 'remove', path: '/nope' }] })
    await run('Mutating', {}, { matchConditions: [{ name: 'a', expression: 'false' }] })
    await run('Mutating', {}, { matchConditions: [{ name: 'a', expression: 'object.nope == 1' }] })
    const page = await registry.metrics()
    const of = (name: string) => page.split('\n').filter((line) => line.startsWith(`apiserver_admission_${name}{`)).map((line) => line.slice(`apiserver_admission_${name}`.length))
    expect(of('webhook_rejection_count')).toEqual([
      '{name="check.example.com",type="validating",operation="CREATE",error_type="no_error",rejection_code="600"} 1',
      '{name="check.example.com",type="admit",operation="CREATE",error_type="calling_webhook_error",rejection_code="503"} 1',
      '{name="check.example.com",type="admit",operation="CREATE",error_type="apiserver_internal_error",rejection_code="0"} 1',
    ])
    expect(of('webhook_fail_open_count')).toEqual(['{name="check.example.com",type="validating"} 1'])
    expect(of('webhook_request_total')).toContain('{name="check.example.com",type="validating",operation="CREATE",code="200",rejected="false"} 1')
    expect(of('webhook_admission_duration_seconds_count')).toContain('{name="check.example.com",type="admit",operation="CREATE",rejected="true"} 2')
    expect(of('match_condition_exclusions_total')).toEqual(['{name="check.example.com",kind="webhook",type="admit",operation="CREATE"} 1'])
    expect(of('match_condition_evaluation_errors_total')).toEqual(['{name="check.example.com",kind="webhook",type="admit",operation="CREATE"} 1'])
    expect(of('controller_admission_duration_seconds_count')).toContain('{name="ValidatingAdmissionWebhook",type="validate",operation="CREATE",rejected="true"} 1')
    expect(of('step_admission_duration_seconds_count')).toContain('{type="admit",operation="CREATE",rejected="true"} 3')
  })

  it('that is slow is not waited for longer than it may take', async () => {
    reply = () => new Promise((resolve) => setTimeout(() => resolve({}), 3_000).unref())
    const started = performance.now()
    expect((await outcome([configuration('Validating', hook({ timeoutSeconds: 1 }))])).error).toContain('context deadline exceeded')
    expect(performance.now() - started).toBeLessThan(2_500)
  })

  it('with side effects is not asked on a dry run', async () => {
    expect(await outcome([configuration('Validating', hook({ sideEffects: 'Some' }))], map(), {}, true)).toMatchObject({ code: 400, error: 'admission webhook "check.example.com" does not support dry run' })
    expect((await outcome([configuration('Validating', hook())], map(), {}, true)).error).toBeUndefined()
    expect(seen.map((r) => r.dryRun)).toEqual([true])
  })

  it('is reached through a service, under the service\'s name', async () => {
    const service: Loose = { kind: 'Service', metadata: { name: 'hook', namespace: 'tools' }, spec: { ports: [{ port: 443, targetPort: 8443 }] } }
    const slice: Loose = { kind: 'EndpointSlice', metadata: { name: 's', namespace: 'tools', labels: { 'kubernetes.io/service-name': 'hook' } } as never, ports: [{ name: '', port }], endpoints: [{ addresses: ['127.0.0.1'], conditions: { ready: true } }] }
    let url = ''
    reply = (_, at) => ((url = at), {})
    const config = { clientConfig: { service: { namespace: 'tools', name: 'hook', path: '/validate' }, caBundle: ca } }
    expect((await outcome([configuration('Validating', hook(config)), service, slice])).error).toBeUndefined()
    expect(url).toBe('/validate?timeout=10s')
  })
})

describe('a mutating webhook', () => {
  it('changes the object, and those after it see the change', async () => {
    reply = (request) => ({ patch: [{ op: 'add', path: `/data/${Object.keys((request.object as { data: object }).data).length}`, value: 'x' }] })
    expect(await outcome([configuration('Mutating', hook(), hook({}, 'second.example.com'))])).toMatchObject({ data: { 0: 'x', 1: 'x' } })
  })

  it('is asked again, once, when it wants to and others changed the object after it', async () => {
    reply = (request, url) => (url.startsWith('/second') ? { patch: [{ op: 'add', path: '/data/second', value: 'x' }] } : { patch: [{ op: 'add', path: `/data/first${(request.object as { data: { second?: string } }).data.second ?? ''}`, value: 'y' }] })
    const second = hook({ clientConfig: { url: `https://127.0.0.1:${port}/second`, caBundle: ca } }, 'second.example.com')
    expect((await outcome([configuration('Mutating', hook({ reinvocationPolicy: 'IfNeeded' }), second)])).data).toEqual({ first: 'y', second: 'x', firstx: 'y' })
    expect(seen).toHaveLength(3)
  })

  it('cannot make an object what it may not be', async () => {
    reply = () => ({ patch: [{ op: 'replace', path: '/data', value: 'text' }] })
    expect((await outcome([configuration('Mutating', hook())])).code).toBeGreaterThanOrEqual(400)
    reply = () => ({ patch: [{ op: 'remove', path: '/data/none' }] })
    expect(await outcome([configuration('Mutating', hook())])).toMatchObject({ code: 500, error: "Internal error occurred: error in remove for path: '/data/none': unable to remove nonexistent key: none: missing value" })
  })
})

describe('match conditions of a webhook', () => {
  const conditions = (...expressions: string[]) => ({ matchConditions: expressions.map((expression, i) => ({ name: `c${i}`, expression })) })
  it('decide whether it is asked', async () => {
    const asked = async (more: object) => { seen = []; const { error } = await outcome([configuration('Validating', hook(more)), configuration('Mutating', hook(more))]); expect(error).toBeUndefined(); return seen.length }
    expect(await asked(conditions("request.userInfo.username == 'ana'", "object.metadata.name == 'm' && oldObject == null"))).toBe(2)
    expect(await asked(conditions("request.userInfo.username == 'ana'", "object.metadata.name != 'm'"))).toBe(0)
    expect(await asked(conditions("object.nope == 1", 'false'))).toBe(0)
    expect(await asked(conditions("authorizer.requestResource.check('breakglass').allowed()"))).toBe(0)
  })
  it('that fail refuse, or keep the webhook from being asked, as its policy says', async () => {
    expect(await outcome([configuration('Validating', hook(conditions('object.nope == 1')))])).toMatchObject({ code: 403, error: "configmaps \"m\" is forbidden: expression 'object.nope == 1' resulted in error: no such key: nope" })
    expect((await outcome([configuration('Validating', hook({ ...conditions('object.nope == 1'), failurePolicy: 'Ignore' }))])).error).toBeUndefined()
    expect(seen).toEqual([])
  })
})

describe('the mutating run', () => {
  it('is made a second time when a webhook changed something, for everybody who came before it', async () => {
    reply = () => ({ patch: [{ op: 'add', path: '/data/hook', value: 'x' }] })
    const { mutating } = webhooks(environment({ kind: 'Namespace', metadata: { name: 'x' } }, configuration('Mutating', hook())), nobodyAsks)
    const met: unknown[] = []
    const before: AdmissionPlugin = { name: 'before', handles: () => true, mutate: ({ object }) => (met.push((object as unknown as { data: unknown }).data), object) }
    await createAdmissionChain([before, mutating]).mutate(attributesOf(core.configmaps, map({ a: 'b' })))
    expect(met).toEqual([{ a: 'b' }, { a: 'b', hook: 'x' }])
    reply = () => ({})
    met.length = 0
    await createAdmissionChain([before, mutating]).mutate(attributesOf(core.configmaps, map({ a: 'b' })))
    expect(met).toEqual([{ a: 'b' }])
  })

  it('tells webhooks of deletions, and nobody else', async () => {
    const deleting = { ...hook(), rules: [{ ...rules[0], operations: ['DELETE'] }] }
    const { mutating } = webhooks(environment({ kind: 'Namespace', metadata: { name: 'x' } }, configuration('Mutating', deleting)), nobodyAsks)
    const before: AdmissionPlugin = { name: 'before', handles: () => true, mutate: () => { throw new Error('not its business') } }
    const deletion = attributesOf(core.configmaps, undefined, { operation: 'DELETE', old: map() })
    expect(await createAdmissionChain([before, mutating]).mutate(deletion)).toBeUndefined()
    expect(seen).toMatchObject([{ operation: 'DELETE', object: null, oldObject: { kind: 'ConfigMap' } }])
    reply = () => ({ allowed: false })
    await expect(createAdmissionChain([mutating]).mutate(deletion)).rejects.toMatchObject({ code: 400 })
  })
})

describe('which webhook hears of what', () => {
  it('may be said by another version of the resource, and then it is shown that one', async () => {
    const other = { resource: { ...core.configmaps, version: 'v9', apiVersion: 'v9' } as unknown as Resource, to: (object: ApiObject) => ({ ...object, apiVersion: 'v9' }), from: (object: ApiObject) => ({ ...object, apiVersion: 'v1' }) }
    const nine = { ...hook(), rules: [{ ...rules[0], apiVersions: ['v9'] }], matchPolicy: 'Equivalent' }
    const attributes = { ...attributesOf(core.configmaps, map({ a: 'b' })), others: () => [other] }
    const run = async (webhook: object) => createAdmissionChain([webhooks(environment({ kind: 'Namespace', metadata: { name: 'x' } }, configuration('Mutating', webhook)), nobodyAsks).mutating]).mutate(attributes)
    reply = () => ({ patch: [{ op: 'add', path: '/data/c', value: 'd' }] })
    expect(await run(nine)).toMatchObject({ apiVersion: 'v1', data: { a: 'b', c: 'd' } })
    expect(seen).toMatchObject([{ kind: { version: 'v9' }, requestKind: { version: 'v1' }, object: { apiVersion: 'v9' } }])
    expect(await run({ ...nine, matchPolicy: 'Exact' })).toMatchObject({ data: { a: 'b' } })
    expect(seen).toHaveLength(1)
  })

  const about = (webhook: object, resource: unknown = core.pods, object: Loose = { kind: 'Pod', metadata: { name: 'p', namespace: 'x', labels: { app: 'a' } } as never }, wanted: Wanted = {}) =>
    matches({ matchPolicy: 'Exact', ...webhook } as never, attributesOf(resource, object, wanted), () => ({ team: 'a' }))
  const rule = (more: object) => ({ rules: [{ operations: ['*'], apiGroups: ['*'], apiVersions: ['*'], resources: ['*'], ...more }] })

  it('is said by resources and subresources', () => {
    expect(about(rule({ resources: ['pods'] }))).toBe(true)
    expect(about(rule({ resources: ['pods'] }), core.pods, undefined, { subresource: 'status', operation: 'UPDATE' })).toBe(false)
    expect(about(rule({ resources: ['pods/status'] }), core.pods, undefined, { subresource: 'status', operation: 'UPDATE' })).toBe(true)
    expect(about(rule({ resources: ['*/*'] }), core.pods, undefined, { subresource: 'status', operation: 'UPDATE' })).toBe(true)
    expect(about(rule({ resources: ['*'] }), core.pods, undefined, { subresource: 'status', operation: 'UPDATE' })).toBe(false)
    expect(about(rule({ apiGroups: ['apps'] }))).toBe(false)
    expect(about(rule({ operations: ['DELETE'] }))).toBe(false)
    expect(about(rule({ scope: 'Cluster' }))).toBe(false)
  })

  it('is said by the labels of the object and of its namespace', () => {
    expect(about({ ...rule({}), objectSelector: { matchLabels: { app: 'a' } } })).toBe(true)
    expect(about({ ...rule({}), objectSelector: { matchLabels: { app: 'b' } } })).toBe(false)
    expect(about({ ...rule({}), namespaceSelector: { matchLabels: { team: 'a' } } })).toBe(true)
    expect(about({ ...rule({}), namespaceSelector: { matchLabels: { team: 'b' } } })).toBe(false)
    const namespace: Loose = { kind: 'Namespace', metadata: { name: 'n', labels: { team: 'b' } } as never }
    expect(about({ ...rule({}), namespaceSelector: { matchLabels: { team: 'b' } } }, core.namespaces, namespace)).toBe(true)
  })
})
