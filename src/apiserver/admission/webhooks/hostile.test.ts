/** Webhooks that mean harm, or have gone wrong: a real server asks them, and goes on serving everybody else. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import { admissionregistration, core } from '../../../api/index.ts'
import { systemClock } from '../../../machinery/clock.ts'
import { quiet } from '../../../machinery/log.ts'
import { createMemoryStore } from '../../../store/memory.ts'
import { createEdges } from '../../edges.ts'
import type { ApiServer } from '../../options.ts'
import { createApiServer } from '../../server.ts'
import { selfSigned } from '../../testing/self-signed.ts'
import { tester } from '../../testing.ts'

type Review = { readonly request: { readonly uid: string; readonly name: string } }

let hook: Server
let api: ApiServer
let caBundle: string
let answer: (review: Review, response: ServerResponse) => void
let asked: number
const configmaps = '/api/v1/namespaces/default/configmaps'

beforeAll(async () => {
  const { key, cert } = await selfSigned('localhost')
  caBundle = Buffer.from(cert).toString('base64')
  hook = createServer({ key, cert }, (incoming: IncomingMessage, response: ServerResponse) => {
    let text = ''
    incoming.setEncoding('utf8').on('data', (chunk: string) => (text += chunk)).on('end', () => {
      asked++
      answer(JSON.parse(text) as Review, response)
    })
  })
  await new Promise<void>((resolve) => hook.listen(0, '127.0.0.1', resolve))
})
afterAll(() => {
  hook.close()
  hook.closeAllConnections()
})

beforeEach(async () => {
  asked = 0
  api = await createApiServer({
    store: createMemoryStore(), clock: systemClock, log: quiet, freeze: true,
    edges: (env) => ({ ...createEdges({ serverAddress: () => 'x:1' })(env), authenticate: () => tester, authorize: () => ({ allowed: true, reason: '' }) }),
  })
  await api.listen()
  await api.client.create(core.namespaces, { metadata: { name: 'default' } })
})
afterEach(() => api.close())

async function install(kind: 'validating' | 'mutating', more: object = {}): Promise<void> {
  const webhooks = [{
    name: 'hook.example.com', sideEffects: 'None', admissionReviewVersions: ['v1'], failurePolicy: 'Fail', timeoutSeconds: 1,
    rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['configmaps'] }],
    clientConfig: { url: `https://localhost:${(hook.address() as AddressInfo).port}/`, caBundle }, ...more,
  }] as never
  if (kind === 'validating') await api.client.create(admissionregistration.validatingwebhookconfigurations, { metadata: { name: 'hook' }, webhooks })
  else await api.client.create(admissionregistration.mutatingwebhookconfigurations, { metadata: { name: 'hook' }, webhooks })
}

async function create(name: string): Promise<{ readonly code: number; readonly text: string }> {
  const response = await fetch(api.url + configmaps, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name }, data: { a: 'b' } }) })
  return { code: response.status, text: await response.text() }
}
const names = async (): Promise<readonly (string | undefined)[]> => (await api.client.list(core.configmaps, { namespace: 'default' })).items.map(({ metadata }) => metadata.name)
const say = (response: ServerResponse, review: Review, more: object): void => void response.end(JSON.stringify({ kind: 'AdmissionReview', apiVersion: 'admission.k8s.io/v1', response: { uid: review.request.uid, allowed: true, ...more } }))
const patchOf = (...operations: object[]) => ({ patchType: 'JSONPatch', patch: Buffer.from(JSON.stringify(operations)).toString('base64') })

it('a webhook that writes what it is asked about goes round until its time is over, and nobody else waits for it', async () => {
  let open = 0
  answer = (review, response) => {
    open++
    // It ends where names become too long; without any pause it would get there before anybody's time is over.
    setTimeout(() => void create(`${review.request.name}-x`).then(() => say(response, review, {}), () => response.destroy()).finally(() => open--), 20)
  }
  await install('validating')
  const begun = performance.now()
  const outer = create('loop')
  const times: number[] = []
  const state = { over: false }
  void outer.finally(() => (state.over = true))
  while (!state.over) {
    const at = performance.now()
    expect((await fetch(api.url + configmaps)).status).toBe(200)
    times.push(performance.now() - at)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
  const { code, text } = await outer
  expect([code, text]).toEqual([500, expect.stringContaining('failed calling webhook \\"hook.example.com\\"')])
  expect(performance.now() - begun).toBeLessThan(10_000)
  expect(asked).toBeGreaterThan(2)
  expect(times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)]).toBeLessThan(500)
  await expect.poll(() => open, { timeout: 10_000 }).toBe(0)
  expect(await names()).not.toContain('loop')
}, 30_000)

it('an answer that comes drop by drop, or never ends, is not waited for', async () => {
  await install('validating')
  const timers: NodeJS.Timeout[] = []
  answer = (_, response) => {
    response.write('{')
    timers.push(setInterval(() => response.write(' '), 50))
  }
  const begun = performance.now()
  expect(await create('slow')).toMatchObject({ code: 500, text: expect.stringContaining('failed calling webhook') })
  expect(performance.now() - begun).toBeLessThan(3000)
  const much = Buffer.alloc(1024 * 1024, ' ')
  answer = (_, response) => {
    const pump = () => { while (!response.destroyed && response.write(much)); }
    response.on('drain', pump)
    pump()
  }
  expect(await create('endless')).toMatchObject({ code: 500, text: expect.stringContaining('failed calling webhook') })
  for (const timer of timers) clearInterval(timer)
  expect(await names()).toEqual([])
}, 15_000)

it.each([
  ['a status code that is none', { allowed: false, status: { code: 99_999, message: 'no' } }],
  ['a status code below all', { allowed: false, status: { code: -1, message: 'no' } }],
  ['a status code that is no answer', { allowed: false, status: { code: 101, message: 'no' } }],
  ['a status code that is no number', { allowed: false, status: { code: 'x', message: 'no' } }],
  ['a status that says yes', { allowed: false, status: { code: 200, status: 'Success' } }],
  ['a status of another form', { allowed: false, status: [1] }],
  ['a message that is no text', { allowed: false, status: { message: { a: 1 } } }],
  ['no word about being allowed', { allowed: undefined }],
  ['a word about being allowed that is none', { allowed: 'maybe' }],
] as const)('%s refuses, with a code of HTTP', async (_, more) => {
  await install('validating')
  answer = (review, response) => say(response, review, more)
  const { code, text } = await create('refused')
  expect(code).toBeGreaterThanOrEqual(400)
  expect(code).toBeLessThan(600)
  expect(JSON.parse(text)).toMatchObject({ kind: 'Status', status: 'Failure', code })
  expect(await names()).toEqual([])
})

it('warnings and notes of any text and size let the answer through', async () => {
  await install('validating')
  answer = (review, response) => say(response, review, { warnings: ['a\r\nSet-Cookie: x', '\u0000\u007f日本', 'x'.repeat(500_000), ...Array.from({ length: 5000 }, (_, i) => `w${i}`)], auditAnnotations: { 'bad key': 'x', ok: 'y'.repeat(500_000) } })
  expect((await create('warned')).code).toBe(201)
})

it.each([
  ['another namespace', patchOf({ op: 'replace', path: '/metadata/namespace', value: 'other' })],
  ['another kind', patchOf({ op: 'replace', path: '/kind', value: 'Secret' })],
  ['what does not fit the type', patchOf({ op: 'replace', path: '/data', value: [1, 2] })],
  ['what is not valid', patchOf({ op: 'add', path: '/data/a b', value: 'x' })],
  ['a place that is not there', patchOf({ op: 'remove', path: '/spec/x' })],
  ['no operation', patchOf({ op: 'explode', path: '/' })],
  ['the prototype of everything', patchOf({ op: 'add', path: '/__proto__/polluted', value: 'yes' })],
  ['itself, over and over', patchOf(...Array.from({ length: 60 }, () => ({ op: 'copy', from: '/data', path: '/data/x' })))],
  ['no JSON', { patchType: 'JSONPatch', patch: Buffer.from('{').toString('base64') }],
  ['no base64', { patchType: 'JSONPatch', patch: 7 }],
  ['a patch of another type', { patchType: 'MergePatch', patch: Buffer.from('{}').toString('base64') }],
  ['a patch without a type', { patch: Buffer.from('[]').toString('base64') }],
] as const)('a webhook cannot make of an object %s', async (_, more) => {
  await install('mutating')
  answer = (review, response) => say(response, review, more)
  const { code, text } = await create('changed')
  expect(code, text).toBeGreaterThanOrEqual(400)
  expect(await names()).toEqual([])
  expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
  expect((await fetch(api.url + configmaps)).status).toBe(200)
})

it.each([
  ['a redirect', (response: ServerResponse): void => void response.writeHead(302, { location: 'https://169.254.169.254/' }).end()],
  ['an error', (response: ServerResponse): void => void response.writeHead(500).end('x')],
  ['nothing', (response: ServerResponse): void => void response.destroy()],
  ['a broken end', (response: ServerResponse): void => { response.writeHead(200, { 'content-length': 1000 }); response.write('{"kind":'); setTimeout(() => response.destroy(), 20) }],
  ['deep lists', (response: ServerResponse): void => void response.end('['.repeat(200_000))],
  ['no object', (response: ServerResponse): void => void response.end('null')],
] as const)('%s for an answer is a failure: refused, or let pass where the webhook says so', async (_, respond) => {
  await install('validating')
  answer = (_review, response) => respond(response)
  expect((await create('failed'))).toMatchObject({ code: 500, text: expect.stringContaining('failed calling webhook') })
  await api.client.delete(admissionregistration.validatingwebhookconfigurations, 'hook')
  await install('validating', { failurePolicy: 'Ignore' })
  expect((await create('passed')).code).toBe(201)
  expect(await names()).toEqual(['passed'])
})
