import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../../testing.ts'
import type { Schema } from './props.ts'
import { json, schemas, values } from './testing.ts'

let started: TestServer
beforeAll(async () => {
  started = await startTestServer()
  await started.server.listen()
})
afterAll(() => started.server.close())

async function send(method: string, path: string, body?: unknown, type = 'application/json'): Promise<{ readonly code: number; readonly text: string }> {
  const response = await fetch(started.server.url + path, { method, headers: { 'content-type': type }, ...(body === undefined ? {} : { body: JSON.stringify(body) }) })
  const text = await response.text()
  expect(response.status, `${method} ${path}\n${JSON.stringify(body)}\n${text}`).toBeLessThan(500)
  return { code: response.status, text }
}

let count = 0
const group = 'hostile.example.com'

/** Defines a kind, if its schema is accepted; resolves with the path of its objects when they are served. */
async function define(spec: Schema): Promise<string | undefined> {
  const plural = `things${++count}`
  const { code } = await send('POST', '/apis/apiextensions.k8s.io/v1/customresourcedefinitions', {
    metadata: { name: `${plural}.${group}` },
    spec: { group, scope: 'Cluster', names: { plural, kind: `Thing${count}` }, versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: { type: 'object', properties: { spec } } } }] },
  })
  if (code !== 201) return undefined
  const path = `/apis/${group}/v1/${plural}`
  await expect.poll(async () => (await fetch(started.server.url + path)).status, { interval: 2, timeout: 5000 }).toBe(200)
  return path
}

const patchTypes = ['application/merge-patch+json', 'application/json-patch+json', 'application/apply-patch+yaml'] as const

it('whatever schema is defined, and whatever is sent for it, is never the server\'s fault and never half done', async () => {
  let defined = 0
  await fc.assert(fc.asyncProperty(schemas, fc.array(values, { minLength: 3, maxLength: 3 }), json, async (schema, bodies, metadata) => {
    const path = await define(schema)
    if (!path) return
    defined++
    const kind = `Thing${count}`
    const object = (spec: unknown, more: object = {}) => ({ apiVersion: `${group}/v1`, kind, metadata: { name: 'x', ...more }, spec })
    await send('POST', path, { ...object(bodies[0]), metadata })
    for (const body of bodies) {
      await send('POST', path, object(body))
      for (const [i, type] of patchTypes.entries()) {
        const patch = i === 0 ? { spec: bodies[i] } : i === 1 ? [{ op: 'replace', path: '/spec', value: bodies[i] }] : object(bodies[i])
        const before = await send('GET', `${path}/x`)
        const { code } = await send('PATCH', `${path}/x${i === 2 ? '?fieldManager=f&force=true' : ''}`, patch, type)
        if (code >= 400) expect((await send('GET', `${path}/x`)).text).toBe(before.text)
      }
      await send('PUT', `${path}/x`, object(body, { resourceVersion: '1' }))
      await send('GET', path)
      await send('DELETE', `${path}/x`)
    }
    await send('DELETE', `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${path.split('/').at(-1)}.${group}`)
  }), { numRuns: 60, endOnFailure: true })
  expect(defined).toBeGreaterThan(5)
}, 60_000)
