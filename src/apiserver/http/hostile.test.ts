import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { declared, type AnyType, resolve } from '../../api/index.ts'
import { isStored } from '../registry/served.ts'
import { startTestServer, type TestServer } from '../testing.ts'

let started: TestServer
beforeAll(async () => {
  started = await startTestServer()
  await started.server.listen()
})
afterAll(() => started.server.close())

async function answer(method: string, path: string, body?: string | Uint8Array, headers: Record<string, string> = {}): Promise<{ code: number; text: string }> {
  const response = await fetch(started.server.url + path, { method, headers: { 'content-type': 'application/json', ...headers }, ...(body === undefined ? {} : { body: body as string }) })
  return { code: response.status, text: await response.text() }
}

/** Never the server's fault, whatever was sent. */
async function neverBreaks(method: string, path: string, body?: string | Uint8Array, headers?: Record<string, string>): Promise<void> {
  const { code, text } = await answer(method, path, body, headers)
  expect(code, `${method} ${path}\n${typeof body === 'string' ? body : ''}\n${text}`).toBeLessThan(500)
}

const odd = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom<unknown>(null, '', 0, -1, 1e30, true, [], {}, [null], [{}], { a: null }, 'x', '99999999999999999999', '2026-01-01T00:00:00Z', '10%') },
  { weight: 1, arbitrary: fc.jsonValue() },
)

/** Values that nearly fit a type: mostly its form, now and then something else. */
function near(type: AnyType, depth: number): fc.Arbitrary<unknown> {
  const t = resolve(type)
  const fitting = (): fc.Arbitrary<unknown> => {
    if (depth <= 0) return odd
    switch (t.form) {
      case 'struct': {
        const fields = Object.entries(t.fields).flatMap(([name, field]): [string, AnyType][] => {
          const inner = resolve(field.type)
          return field.inline && inner.form === 'struct' ? Object.entries(inner.fields).map(([n, f]) => [n, f.type]) : [[name, field.type]]
        })
        return fc.uniqueArray(fc.nat(Math.max(0, fields.length - 1)), { maxLength: 8 }).chain((picked) =>
          fc.record(Object.fromEntries(picked.flatMap((i) => (fields[i] ? [[fields[i][0], near(fields[i][1], depth - 1)]] : [])))))
      }
      case 'list': return fc.array(near(t.of, depth - 1), { maxLength: 2 })
      case 'map': return fc.dictionary(fc.constantFrom('a', 'app', 'k8s.io/x', 'a b', ''), near(t.of, depth - 1), { maxKeys: 2 })
      case 'scalar':
        if (t.values) return fc.constantFrom(...t.values, 'Other')
        if (t.name === 'string') return fc.constantFrom('a', 'web', 'A_B', '10.0.0.1', '/x', 'a/b', 'default', '')
        if (t.name === 'bool') return fc.boolean()
        if (t.name === 'quantity') return fc.constantFrom('1', '100m', '1Gi', '-1', 'x')
        if (t.name === 'bytes') return fc.constantFrom('', 'YQ==', '*')
        if (t.name === 'time' || t.name === 'microTime') return fc.constantFrom('2026-01-01T00:00:00Z', 'x')
        return fc.constantFrom(0, 1, 80, -5, 70_000)
      default: return odd
    }
  }
  return fc.oneof({ weight: 9, arbitrary: fitting() }, { weight: 1, arbitrary: odd })
}

const stored = declared.filter(isStored)
const collection = (r: (typeof stored)[number]) => `${r.group ? `/apis/${r.apiVersion}` : '/api/v1'}${r.namespaced ? '/namespaces/default' : ''}/${r.plural}`

describe('whatever is sent', () => {
  it.each(stored.map((r) => [`${r.apiVersion} ${r.kind}`, r] as const))('to create and patch a %s is never the server\'s fault', async (_, resource) => {
    const object = fc.record({ spec: near(resource.type, 6), valid: fc.boolean() }).map(({ spec, valid }) =>
      ({ ...(spec as object), ...(valid ? { metadata: { name: 'a', labels: { a: 'b' } } } : {}), kind: resource.kind, apiVersion: resource.apiVersion }))
    await fc.assert(fc.asyncProperty(object, async (body) => {
      const text = JSON.stringify(body)
      await neverBreaks('POST', collection(resource), text)
      await neverBreaks('PUT', `${collection(resource)}/a`, text)
      await neverBreaks('PATCH', `${collection(resource)}/a`, text, { 'content-type': 'application/merge-patch+json' })
      await neverBreaks('PATCH', `${collection(resource)}/a`, text, { 'content-type': 'application/strategic-merge-patch+json' })
      await neverBreaks('PATCH', `${collection(resource)}/a?fieldManager=f&force=true`, text, { 'content-type': 'application/apply-patch+yaml' })
      await neverBreaks('GET', collection(resource), undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' })
      await neverBreaks('GET', collection(resource), undefined, { accept: 'application/vnd.kubernetes.protobuf' })
      await neverBreaks('DELETE', `${collection(resource)}/a?gracePeriodSeconds=0`)
    }), { numRuns: Number(process.env['FUZZ_RUNS'] ?? 8) })
  }, 60_000)

  it('in queries and paths is never the server\'s fault', async () => {
    const text = fc.oneof(fc.string({ maxLength: 20 }), fc.constantFrom('a in (b', '!a', 'a=b,c', 'metadata.name=a', '=', ',', '-1', '1e9', '9'.repeat(30), 'true', '%', '\0'))
    const names = ['labelSelector', 'fieldSelector', 'limit', 'continue', 'resourceVersion', 'resourceVersionMatch', 'timeoutSeconds', 'pretty', 'includeObject', 'sendInitialEvents']
    await fc.assert(fc.asyncProperty(fc.dictionary(fc.constantFrom(...names), text, { maxKeys: 3 }), text, async (query, name) => {
      const search = new URLSearchParams({ ...query, ...(query['resourceVersion'] && /^\d+$/.test(query['resourceVersion']) ? { resourceVersion: '1' } : {}) })
      await neverBreaks('GET', `/api/v1/namespaces/default/pods?${search}`)
      await neverBreaks('GET', `/api/v1/namespaces/${encodeURIComponent(name)}/pods/${encodeURIComponent(name)}/${encodeURIComponent(name)}`)
    }), { numRuns: 150 })
  }, 60_000)

  it('as protobuf, YAML or nonsense is never the server\'s fault', async () => {
    const prefix = Buffer.from('k8s\0')
    await fc.assert(fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), fc.string(), async (bytes, text) => {
      await neverBreaks('POST', '/api/v1/namespaces/default/pods', Buffer.concat([prefix, bytes]), { 'content-type': 'application/vnd.kubernetes.protobuf' })
      await neverBreaks('POST', '/api/v1/namespaces/default/pods', text, { 'content-type': 'application/yaml' })
      await neverBreaks('POST', '/api/v1/namespaces/default/pods', text)
      await neverBreaks('PATCH', '/api/v1/namespaces/default/pods/a', text, { 'content-type': 'application/json-patch+json' })
      await neverBreaks('DELETE', '/api/v1/namespaces/default/pods/a', text)
    }), { numRuns: 100 })
    const bomb = `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'.split('').map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`).join('\n')}\n`
    await neverBreaks('POST', '/api/v1/namespaces/default/configmaps', bomb, { 'content-type': 'application/yaml' })
    await neverBreaks('POST', '/api/v1/namespaces/default/configmaps', `${'['.repeat(100_000)}`)
  }, 60_000)
})
