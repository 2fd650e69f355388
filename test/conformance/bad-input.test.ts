/** Bad input gets the error Kubernetes gives, and changes nothing. */
import { request as httpsRequest } from 'node:https'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestControlPlane } from '../support/control-plane.ts'
import type { TestControlPlane } from '../support/control-plane.ts'

let cluster: TestControlPlane
beforeAll(async () => void (cluster = await startTestControlPlane()))
afterAll(() => cluster?.stop())

interface Reply { readonly code: number; readonly body: { kind?: string; reason?: string; message?: string; details?: { causes?: { reason: string; field: string; message: string }[] } }; readonly headers: Record<string, unknown> }

/** One request as the administrator, with any body. */
function send(method: string, path: string, body?: string | Buffer | object, headers: Record<string, string> = {}): Promise<Reply> {
  const { pki } = cluster
  const bytes = body === undefined ? undefined : Buffer.isBuffer(body) || typeof body === 'string' ? body : JSON.stringify(body)
  return new Promise((resolve, reject) => {
    const call = httpsRequest(`${cluster.url}${path}`, { method, ca: pki.ca.cert, cert: pki.admin.cert, key: pki.admin.key, agent: false, headers: { ...(bytes === undefined ? {} : { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(bytes)) }), ...headers } }, (response) => {
      let text = ''
      response.on('data', (chunk: Buffer) => void (text += chunk.toString()))
      response.on('end', () => resolve({ code: response.statusCode ?? 0, body: text.startsWith('{') ? JSON.parse(text) : { message: text }, headers: response.headers }))
    })
    call.on('error', reject)
    call.end(bytes)
  })
}
const configmaps = '/api/v1/namespaces/default/configmaps'
const pod = (spec: object, metadata: object = { name: 'p' }) => ({ apiVersion: 'v1', kind: 'Pod', metadata, spec })
const causes = (reply: Reply) => (reply.body.details?.causes ?? []).map((cause) => `${cause.field}: ${cause.message}`)

describe('requests that make no sense', () => {
  it.each([
    ['malformed JSON', 'POST', configmaps, '{"metadata":', 400, 'BadRequest'],
    ['an empty body', 'POST', configmaps, '', 400, 'BadRequest'],
    ['another kind than the path says', 'POST', configmaps, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'x' } }, 400, 'BadRequest'],
    ['a wrong type', 'POST', configmaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data: { a: 1 } }, 400, 'BadRequest'],
    ['an unknown resource', 'GET', '/api/v1/namespaces/default/gizmos', undefined, 404, 'NotFound'],
    ['what is not there', 'DELETE', `${configmaps}/none`, undefined, 404, 'NotFound'],
    ['a bad label selector', 'GET', `${configmaps}?labelSelector=${encodeURIComponent('a in (')}`, undefined, 400, 'BadRequest'],
    ['a field selector for a field that has none', 'GET', `${configmaps}?fieldSelector=data.x%3D1`, undefined, 400, 'BadRequest'],
    ['a resourceVersion that is none', 'GET', `${configmaps}?resourceVersion=abc`, undefined, 400, 'BadRequest'],
    ['a continue token that is none', 'GET', `${configmaps}?limit=1&continue=abc`, undefined, 400, 'BadRequest'],
    ['an unknown patch type', 'PATCH', `${configmaps}/x`, {}, 415, 'UnsupportedMediaType'],
    ['a verb the resource has not', 'PUT', configmaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' } }, 405, 'MethodNotAllowed'],
  ])('%s', async (_, method, path, body, code, reason) => {
    const reply = await send(method, path, body)
    expect(reply.body).toMatchObject({ kind: 'Status', status: 'Failure', code, reason })
    expect(reply.code).toBe(code)
  })

  it.each(['/apis/none.example.com/v1/things', '/apis/none.example.com', '/nope'])('%s, which is of nobody', async (path) => {
    expect(await send('GET', path)).toMatchObject({ code: 404, body: { message: '404 page not found\n' }, headers: { 'content-type': 'text/plain; charset=utf-8' } })
  })

  it('too large a body', async () => {
    const reply = await send('POST', configmaps, JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'big' }, data: { a: 'x'.repeat(4 << 20) } }))
    expect(reply.code).toBe(413)
  })

  it('a body nested beyond reason', async () => {
    const deep = `${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`
    const reply = await send('POST', configmaps, `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"deep"},"x":${deep}}`)
    expect(reply.code).toBe(400)
  })
})

describe('objects that are wrong', () => {
  it('names the field, as Kubernetes does', async () => {
    const reply = await send('POST', '/api/v1/namespaces/default/pods', pod({ containers: [{ name: 'Bad_Name' }], restartPolicy: 'Sometimes' }))
    expect(reply.code).toBe(422)
    expect(reply.body.reason).toBe('Invalid')
    expect(reply.body.message).toMatch(/^Pod "p" is invalid: \[/)
    expect(causes(reply)).toEqual(expect.arrayContaining([
      expect.stringMatching(/^spec\.containers\[0\]\.name: Invalid value: "Bad_Name": a lowercase RFC 1123 label must consist of/),
      'spec.containers[0].image: Required value',
      'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
    ]))
  })

  it.each([
    ['a name with a capital', configmaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'Upper' } }, 'metadata.name'],
    ['no name at all', configmaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} }, 'metadata.name'],
    ['a label that is too long', configmaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', labels: { a: 'x'.repeat(64) } } }, 'metadata.labels'],
    ['a key that is no file name', configmaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x' }, data: { 'a/b': '1' } }, 'data[a/b]'],
    ['no containers', '/api/v1/namespaces/default/pods', pod({ containers: [] }), 'spec.containers'],
    ['a mount of no volume', '/api/v1/namespaces/default/pods', pod({ containers: [{ name: 'c', image: 'x', volumeMounts: [{ name: 'v', mountPath: '/v' }] }] }), 'spec.containers[0].volumeMounts[0].name'],
    ['a port beyond 65535', '/api/v1/namespaces/default/pods', pod({ containers: [{ name: 'c', image: 'x', ports: [{ containerPort: 70000 }] }] }), 'spec.containers[0].ports[0].containerPort'],
    ['more requested than allowed', '/api/v1/namespaces/default/pods', pod({ containers: [{ name: 'c', image: 'x', resources: { requests: { cpu: '2' }, limits: { cpu: '1' } } }] }), 'spec.containers[0].resources.requests'],
    ['a service without ports', '/api/v1/namespaces/default/services', { apiVersion: 'v1', kind: 'Service', metadata: { name: 's' }, spec: { selector: { a: 'b' } } }, 'spec.ports'],
  ])('%s', async (_, path, body, field) => {
    const reply = await send('POST', path, body)
    expect(reply.code).toBe(422)
    expect(reply.body.details?.causes?.map((cause) => cause.field)).toContain(field)
  })

  it('a selector that the template does not match', async () => {
    const reply = await send('POST', '/apis/apps/v1/namespaces/default/deployments', {
      apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'd' },
      spec: { selector: { matchLabels: { a: '1' } }, template: { metadata: { labels: { a: '2' } }, spec: { containers: [{ name: 'c', image: 'x' }] } } },
    })
    expect(causes(reply).join()).toMatch(/^spec\.template\.metadata\.labels: Invalid value: .*`selector` does not match template `labels`$/)
  })

  it('says which fields it does not know, as strictly as it was asked to', async () => {
    const body = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'unknown' }, datum: {} }
    const strict = await send('POST', `${configmaps}?fieldValidation=Strict`, body)
    expect(strict.code).toBe(400)
    expect(strict.body.message).toContain('strict decoding error: unknown field "datum"')
    const warned = await send('POST', `${configmaps}?fieldValidation=Warn&dryRun=All`, body)
    expect(warned.code).toBe(201)
    expect(warned.headers['warning']).toBe('299 - "unknown field \\"datum\\""')
  })
})

describe('writes that come too late', () => {
  it('are refused with a conflict, and change nothing', async () => {
    const made = await send('POST', configmaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'contended' }, data: { a: '1' } })
    const first = made.body as { metadata: object; data: object }
    expect((await send('PUT', `${configmaps}/contended`, { ...first, data: { a: '2' } })).code).toBe(200)
    const late = await send('PUT', `${configmaps}/contended`, { ...first, data: { a: '3' } })
    expect(late.body).toMatchObject({ code: 409, reason: 'Conflict', message: 'Operation cannot be fulfilled on configmaps "contended": the object has been modified; please apply your changes to the latest version and try again' })
    expect((await send('GET', `${configmaps}/contended`)).body).toMatchObject({ data: { a: '2' } })
  })

  it('are refused when the name is taken', async () => {
    const again = await send('POST', configmaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'contended' } })
    expect(again.body).toMatchObject({ code: 409, reason: 'AlreadyExists', message: 'configmaps "contended" already exists' })
  })

  it('are refused when another object has the name by now', async () => {
    const reply = await send('DELETE', `${configmaps}/contended`, { kind: 'DeleteOptions', apiVersion: 'v1', preconditions: { uid: 'someone-else' } })
    expect(reply.body).toMatchObject({ code: 409, reason: 'Conflict' })
  })

  it('are refused on fields that are fixed', async () => {
    const path = '/api/v1/namespaces/default/secrets'
    await send('POST', path, { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'fixed' }, immutable: true, stringData: { a: '1' } })
    const reply = await send('PATCH', `${path}/fixed`, { stringData: { a: '2' } }, { 'content-type': 'application/merge-patch+json' })
    expect(causes(reply)).toEqual(['data: Forbidden: field is immutable when `immutable` is set'])
  })
})
