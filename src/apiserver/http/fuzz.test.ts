/** A server in the middle of things that make no sense: it answers each with an error of the client's, and what it answers so changes nothing. */
import * as fc from 'fast-check'
import { Agent, request } from 'node:http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { apps, core, type In } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { startTestServer, type TestServer } from '../testing.ts'

let started: TestServer
let agent: Agent
const deployment: In<typeof apps.Deployment> = {
  metadata: { name: 'target', namespace: 'default', labels: { app: 'web' }, annotations: { a: 'b' }, finalizers: ['example.com/x'] },
  spec: { replicas: 2, selector: { matchLabels: { app: 'web' } }, template: { metadata: { labels: { app: 'web' } }, spec: { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80 }], env: [{ name: 'A', value: '1' }] }] } } },
}
const configMap = { metadata: { name: 'target', namespace: 'default', finalizers: ['example.com/x'] }, data: { a: '1', b: '2' }, binaryData: { c: 'AAE=' } }
/** Made again when somebody has deleted it. */
const targets = [
  {
    path: '/apis/apps/v1/namespaces/default/deployments/target',
    read: (): Promise<ApiObject> => started.client.get(apps.deployments, 'target', { namespace: 'default' }).catch(() => started.client.create(apps.deployments, deployment)),
  },
  {
    path: '/api/v1/namespaces/default/configmaps/target',
    read: (): Promise<ApiObject> => started.client.get(core.configmaps, 'target', { namespace: 'default' }).catch(() => started.client.create(core.configmaps, configMap)),
  },
]

beforeAll(async () => {
  started = await startTestServer()
  await started.server.listen()
  agent = new Agent({ keepAlive: true, maxSockets: 8 })
})
afterAll(async () => {
  agent.destroy()
  await started.server.close()
})

interface Sent { readonly method: string; readonly path: string; readonly headers?: Readonly<Record<string, string>>; readonly body?: string | Buffer }
interface Answer { readonly code: number; readonly text: string }

/** The path goes out as it is. Of a watch that begins, only that it does. */
function ask({ method, path, headers = {}, body }: Sent): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent, host: '127.0.0.1', port: started.server.port, method, path, headers: { ...headers, ...(body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }) } }, (response) => {
      const answer = { code: response.statusCode ?? 0, text: '' }
      if (response.headers['transfer-encoding'] === 'chunked' && answer.code === 200) {
        sent.on('error', () => undefined).destroy()
        return resolve(answer)
      }
      response.setEncoding('utf8').on('data', (chunk: string) => (answer.text += chunk)).on('end', () => resolve(answer)).on('error', reject)
    })
    sent.on('error', reject).end(body)
  })
}

const shown = ({ method, path, headers, body }: Sent, { code, text }: Answer) => `${method} ${path} ${JSON.stringify(headers)}\n${body?.toString().slice(0, 2000)}\n→ ${code} ${text.slice(0, 500)}`

/** Never the server's fault; and a refusal is a `Status` that says why. */
async function survives(sent: Sent): Promise<Answer> {
  const answer = await ask(sent)
  expect(answer.code, shown(sent, answer)).toBeLessThan(500)
  if (answer.code >= 400 && answer.text.startsWith('{')) expect(JSON.parse(answer.text), shown(sent, answer)).toMatchObject({ kind: 'Status', status: 'Failure', code: answer.code, message: expect.stringMatching(/./s) })
  return answer
}

/** A refused request has changed nothing of any target. */
async function changesNothingWhenRefused(sent: Sent): Promise<void> {
  const before = await Promise.all(targets.map(({ read }) => read()))
  const answer = await survives(sent)
  if (answer.code < 400 && !sent.path.includes('dryRun=All')) return
  expect(await Promise.all(targets.map(({ read }) => read())), shown(sent, answer)).toEqual(before)
}

const madeOf = (...pieces: string[]) => fc.array(fc.oneof({ weight: 8, arbitrary: fc.constantFrom(...pieces) }, { weight: 1, arbitrary: fc.string({ maxLength: 3 }) }), { maxLength: 6 }).map((parts) => parts.join(''))
const odd = fc.constantFrom<unknown>(null, '', 0, -1, 1.5, 1e30, true, [], {}, [null], 'x', '1Gi', '2026-01-01T00:00:00Z')
const key = fc.constantFrom('metadata', 'name', 'namespace', 'uid', 'resourceVersion', 'generation', 'labels', 'annotations', 'finalizers', 'ownerReferences', 'managedFields', 'creationTimestamp', 'deletionTimestamp', 'spec', 'replicas', 'selector', 'matchLabels',
  'template', 'containers', 'env', 'value', 'image', 'ports', 'containerPort', 'volumes', 'status', 'conditions', 'data', 'binaryData', 'immutable', 'kind', 'apiVersion', 'app', 'a', '$patch', '$retainKeys', '$setElementOrder/containers', '$deleteFromPrimitiveList/finalizers', '__proto__', 'constructor')
const { value } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 5 }, odd, fc.constantFrom('web', 'target', 'default', 'c', 'replace', 'delete', 'merge'), fc.array(tie('value'), { maxLength: 3 }), fc.dictionary(key, tie('value'), { maxKeys: 4 })),
}))
const pointer = fc.array(fc.oneof(key, fc.constantFrom('0', '1', '-', '-1', '~0', '~1', '~', '')), { maxLength: 5 }).map((parts) => parts.map((part) => `/${part}`).join(''))
const operations = fc.array(fc.record({ op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test', 'x'), path: pointer, from: pointer, value }, { requiredKeys: ['op'] }), { minLength: 1, maxLength: 4 })

const numbers = fc.constantFrom('0', '1', '-1', '1e9', '999999999999999999999', '', 'x', '1.5', '0x1', ' 1')
const flags = fc.constantFrom('true', 'false', '1', '0', '', 'yes', 'TRUE', 'x')
const queries = fc.record({
  dryRun: fc.constantFrom('All', 'all', '', 'None'), fieldManager: fc.constantFrom('m', '', 'x'.repeat(200), 'a\n', 'é'), fieldValidation: fc.constantFrom('Strict', 'Warn', 'Ignore', 'x', ''), force: flags,
  pretty: flags, limit: numbers, continue: fc.oneof(fc.base64String({ maxLength: 40 }), fc.constantFrom('x', 'eyJydiI6MX0', 'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6LTEsInN0YXJ0IjoiLi4vIn0')),
  resourceVersion: fc.constantFrom('0', '1', '-1', 'x', '', '1.5'), resourceVersionMatch: fc.constantFrom('Exact', 'NotOlderThan', 'x', ''), timeoutSeconds: fc.constantFrom('1', '0', '-1', 'x', ''),
  labelSelector: madeOf('a', '=', '!=', ',', ' in ', '(', ')', '!', 'b'), fieldSelector: madeOf('metadata.name', 'spec.x', '=', '!=', ',', 'target', '\\'),
  watch: flags, allowWatchBookmarks: flags, sendInitialEvents: flags, includeObject: fc.constantFrom('None', 'x', ''), propagationPolicy: fc.constantFrom('Orphan', 'Foreground', 'x', ''),
  gracePeriodSeconds: numbers, orphanDependents: flags, timeout: fc.constantFrom('1s', '0', '-1s', 'x'),
}, { requiredKeys: [] })
/** Few of the many at a time; a random one is repeated. */
const query = queries.chain((all) => fc.subarray(Object.entries(all) as [string, string][], { maxLength: 4 }).map((some) => (some.length ? `?${new URLSearchParams([...some, ...some.slice(0, Math.random() < 0.1 ? 1 : 0)])}` : '')))
const accept = fc.oneof(
  fc.constantFrom('application/json', 'application/yaml', 'application/vnd.kubernetes.protobuf', 'application/json;as=Table;v=v1;g=meta.k8s.io', 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io', '*/*', ''),
  madeOf('application/', 'json', 'yaml', '*', ';', 'as=', 'Table', 'v=v1', 'g=meta.k8s.io', ',', 'q=0.5', 'q=x', ' ', '/').map((text) => text.replace(/[^\x20-\x7e]/g, '')))
const patchTypes = ['application/json-patch+json', 'application/merge-patch+json', 'application/strategic-merge-patch+json', 'application/apply-patch+yaml'] as const

describe('what is refused changes nothing, and nothing is the server\'s fault', () => {
  const place = fc.tuple(fc.constantFrom(...targets), fc.constantFrom('', '', '', '/status', '/scale')).map(([{ path }, sub]) => path + sub)

  it('of patches of all types', async () => {
    const patch = fc.oneof(
      fc.record({ type: fc.constant(patchTypes[0]), body: fc.oneof({ weight: 5, arbitrary: operations as fc.Arbitrary<unknown> }, { weight: 1, arbitrary: value }) }),
      fc.record({ type: fc.constantFrom(...patchTypes.slice(1)), body: fc.dictionary(key, value, { maxKeys: 4 }) as fc.Arbitrary<unknown> }),
      fc.record({ type: fc.constant(patchTypes[3]), body: fc.record({ metadata: fc.record({ name: fc.constantFrom('target', 'other', ''), labels: value, finalizers: value }, { requiredKeys: ['name'] }), spec: value, data: value }) as fc.Arbitrary<unknown> }),
    )
    await fc.assert(fc.asyncProperty(place, patch, query, accept, (path, { type, body }, search, wanted) => {
      const kind = path.includes('deployments') ? { kind: 'Deployment', apiVersion: 'apps/v1' } : { kind: 'ConfigMap', apiVersion: 'v1' }
      const whole = type === patchTypes[3] ? { ...kind, ...(body as object) } : body
      return changesNothingWhenRefused({ method: 'PATCH', path: path + search, headers: { 'content-type': type, accept: wanted }, body: JSON.stringify(whole) })
    }), { numRuns: Number(process.env['FUZZ_RUNS'] ?? 500) })
  }, 60_000)

  it('of replacements, in JSON, YAML and protobuf that are nearly right', async () => {
    const [a, b] = await Promise.all(targets.map(async ({ path }) => ({ path, json: (await ask({ method: 'GET', path })).text, yaml: (await ask({ method: 'GET', path, headers: { accept: 'application/yaml' } })).text })))
    const bytes = await Promise.all([a!, b!].map(async ({ path }) => Buffer.from(await (await fetch(started.server.url + path, { headers: { accept: 'application/vnd.kubernetes.protobuf' } })).arrayBuffer())))
    const change = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 })
    const spoil = (good: Buffer, changes: readonly (readonly [number, number])[], cut: number) => {
      const copy = Buffer.from(good)
      for (const [at, byte] of changes) copy[at % copy.length] = byte
      return cut % 4 === 0 ? copy.subarray(0, cut % copy.length) : copy
    }
    await fc.assert(fc.asyncProperty(fc.constantFrom(0, 1), fc.constantFrom('json', 'yaml', 'protobuf'), change, fc.nat(), query, (which, form, changes, cut, search) => {
      const target = [a!, b!][which]!
      const good = form === 'protobuf' ? bytes[which]! : Buffer.from(form === 'json' ? target.json : target.yaml)
      const type = form === 'protobuf' ? 'application/vnd.kubernetes.protobuf' : `application/${form}`
      return changesNothingWhenRefused({ method: 'PUT', path: target.path + search, headers: { 'content-type': type }, body: spoil(good, changes, cut) })
    }), { numRuns: Number(process.env['FUZZ_RUNS'] ?? 500) })
  }, 60_000)

  it('of queries, headers and methods', async () => {
    const path = fc.oneof(place, fc.constantFrom('/api/v1/configmaps', '/apis/apps/v1/namespaces/default/deployments', '/api/v1/watch/configmaps', '/api', '/apis/apps', '/openapi/v3', '/version', '/api/v1/namespaces/default/pods/x/log'))
    const method = fc.constantFrom('GET', 'GET', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT', 'DELETE', 'TRACE', 'LOCK', 'PROPFIND')
    const type = fc.constantFrom('', 'application/json', 'text/plain', 'application/json; charset=utf-16', 'x', 'multipart/form-data', 'application/vnd.kubernetes.protobuf')
    const body = fc.oneof(fc.constant(undefined), fc.constantFrom('', '{}', 'null', '[]', '{"kind":"DeleteOptions","apiVersion":"v1","preconditions":{"uid":"x"}}', '{"preconditions":7}', '{"gracePeriodSeconds":"x"}', '{"kind":"Pod"}'))
    await fc.assert(fc.asyncProperty(method, path, query, accept, type, body, (verb, at, search, wanted, contentType, text) => {
      const safe = verb === 'DELETE' && !/target/.test(at) ? 'GET' : verb
      return changesNothingWhenRefused({ method: safe, path: at + search, headers: { accept: wanted, ...(contentType ? { 'content-type': contentType } : {}), 'accept-encoding': 'gzip, x' }, ...(text === undefined || safe === 'TRACE' ? {} : { body: text }) })
    }), { numRuns: Number(process.env['FUZZ_RUNS'] ?? 500) })
  }, 60_000)

  it('of paths', async () => {
    const path = madeOf('/', 'api', 'apis', 'v1', 'apps', 'namespaces', 'default', 'configmaps', 'deployments', 'target', 'status', '..', '.', '%2e%2e', '%2F', '%', '%zz', '%00', '%ff', '//', '?', '&', ';', ':', '~', 'watch', 'proxy', '[', '\\')
    await fc.assert(fc.asyncProperty(path, async (text) => {
      await changesNothingWhenRefused({ method: 'GET', path: `/${text}`.replace(/[^\x21-\x7e]/g, '') })
    }), { numRuns: Number(process.env['FUZZ_RUNS'] ?? 500) })
  }, 60_000)

  it('of bodies that are deep, long or multiply', async () => {
    const at = targets[1]!.path
    const deep = (n: number) => `{"metadata":{"name":"target"},"data":${'{"a":'.repeat(n)}1${'}'.repeat(n)}}`
    const list = (n: number) => `${'['.repeat(n)}${']'.repeat(n)}`
    const bodies: [string, string][] = [400, 600, 5000, 100_000].flatMap((n) => [
      ['application/json', deep(n)], ['application/json', list(n)], ['application/yaml', list(Math.min(n, 5000))], ['application/yaml', '- '.repeat(Math.min(n, 5000))],
      ...patchTypes.map((type): [string, string] => [type, type === patchTypes[0] ? `[{"op":"add","path":"${'/a'.repeat(n)}","value":${list(n)}}]` : deep(n)]),
    ])
    bodies.push(
      ['application/json', `{"metadata":{"name":"target"},"data":{${Array.from({ length: 50_000 }, (_, i) => `"k${i}":"v"`).join(',')}}}`],
      ['application/json', `{${'"data":{},'.repeat(100_000)}"metadata":{"name":"target"}}`],
      ['application/json', `{"metadata":{"name":"${'x'.repeat(1_000_000)}"}}`],
      ['application/yaml', `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'.split('').map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`).join('\n')}\n`],
      ['application/yaml', 'kind: ConfigMap\napiVersion: v1\nmetadata: {name: target}\ndata: &d\n  a: *d\n'],
      [patchTypes[0], `[${Array.from({ length: 20_000 }, () => '{"op":"copy","from":"/data","path":"/data/x"}').join(',')}]`],
      [patchTypes[0], `[${Array.from({ length: 40 }, () => '{"op":"copy","from":"/data","path":"/metadata/annotations"},{"op":"copy","from":"/metadata","path":"/data/m"}').join(',')}]`],
    )
    for (const [type, body] of bodies) {
      const begun = performance.now()
      await changesNothingWhenRefused({ method: type.includes('patch') ? 'PATCH' : 'PUT', path: `${at}?fieldManager=f`, headers: { 'content-type': type }, body })
      expect(performance.now() - begun, `${type} ${body.slice(0, 100)}`).toBeLessThan(5000)
    }
  }, 60_000)

  it('of names that no header can carry: warnings about them can', async () => {
    const name = fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }), fc.constantFrom('x'.repeat(100_000), '\u007f', '\u0000', '日本', '\ud800'))
    await fc.assert(fc.asyncProperty(fc.uniqueArray(name, { maxLength: 30 }), async (names) => {
      const body = JSON.stringify({ ...configMap, metadata: { generateName: 'warned-', namespace: 'default' }, ...Object.fromEntries(names.map((n) => [`z${n}`, 1])) })
      const answer = await survives({ method: 'POST', path: '/api/v1/namespaces/default/configmaps?dryRun=All', headers: { 'content-type': 'application/json' }, body })
      expect(answer.code).toBe(201)
    }), { numRuns: Number(process.env['FUZZ_RUNS'] ?? 100) })
  }, 60_000)
})
