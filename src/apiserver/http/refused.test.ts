/** Requests that are refused with everything that is wrong with them, and change nothing. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestServer, tester, type TestServer } from '../testing.ts'

let started: TestServer
beforeAll(async () => {
  started = await startTestServer({ edges: { authenticate: () => tester, authorize: () => ({ allowed: true, reason: '' }) } })
  await started.server.listen()
})
afterAll(() => started.server.close())

interface Cause { readonly message: string; readonly field: string }
interface Refusal { readonly code?: number; readonly message: string; readonly details: { readonly causes: readonly Cause[] } }

const configmaps = '/api/v1/namespaces/default/configmaps'
async function call(method: string, path: string, body?: object, headers: Record<string, string> = {}): Promise<{ readonly code: number; readonly body: Refusal }> {
  const response = await fetch(started.server.url + path, { method, headers: { 'content-type': 'application/json', ...headers }, ...(body ? { body: JSON.stringify(body) } : {}) })
  return { code: response.status, body: (await response.json()) as Refusal }
}

describe('refusals', () => {
  it.each([
    ['resourceVersionMatch=x', ['resourceVersionMatch is forbidden unless resourceVersion is provided', 'Unsupported value: "x": supported values: "Exact", "NotOlderThan", ""']],
    ['resourceVersionMatch=Exact&resourceVersion=0&continue=x', ['resourceVersionMatch is forbidden when continue is provided', 'resourceVersionMatch "exact" is forbidden for resourceVersion "0"']],
    ['sendInitialEvents=true', ['sendInitialEvents is forbidden for list']],
    ['watch=true&resourceVersionMatch=x', ['resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided', 'Unsupported value: "x": supported values: "NotOlderThan"']],
    ['watch=true&sendInitialEvents=true&resourceVersionMatch=Exact', ['sendInitialEvents requires setting resourceVersionMatch to NotOlderThan', 'Unsupported value: "Exact": supported values: "NotOlderThan"']],
  ])('tell all that is wrong with the options %s', async (query, causes) => {
    const { body } = await call('GET', `${configmaps}?${query}`)
    expect(body).toMatchObject({ code: 422, reason: 'Invalid', details: { group: 'meta.k8s.io', kind: 'ListOptions' } })
    expect(body.details.causes).toEqual(causes.map((message) => expect.objectContaining({ message: expect.stringContaining(message) as string }) as object))
  })

  it.each([['limit=x', 400], ['timeoutSeconds=x', 400], ['labelSelector=a%20b%20c', 400], ['fieldSelector=data.a%3D1', 400], ['dryRun=Some', 422], ['resourceVersionMatch=Exact', 422]])(
    'keep a deletion of many with the option %s from deleting any', async (query, code) => {
      await call('POST', configmaps, { metadata: { name: 'a' } })
      expect((await call('DELETE', `${configmaps}?${query}`)).code).toBe(code)
      expect((await call('GET', `${configmaps}/a`)).code).toBe(200)
    })

  it('are about the scale, where that is what is missing or wrong', async () => {
    const of = (plural: string, group = 'apps/v1') => `/${group === 'v1' ? 'api' : 'apis'}/${group}/namespaces/default/${plural}`
    const missing = async (path: string) => (await call('GET', `${path}/x/scale`)).body
    expect(await missing(of('deployments'))).toMatchObject({ code: 404, message: 'deployments/scale.apps "x" not found', details: { kind: 'deployments/scale', group: 'apps', name: 'x' } })
    expect((await missing(of('replicasets'))).message).toBe('replicasets/scale.apps "x" not found')
    expect((await missing(of('replicationcontrollers', 'v1'))).message).toBe('replicationcontrollers/scale.autoscaling "x" not found')
    expect((await missing(of('statefulsets'))).message).toBe('statefulsets.apps "x" not found')
    const labels = { app: 'a' }
    await call('POST', of('deployments'), { metadata: { name: 'a' }, spec: { selector: { matchLabels: labels }, template: { metadata: { labels }, spec: { containers: [{ name: 'c', image: 'i' }] } } } })
    const patch = (body: object) => call('PATCH', `${of('deployments')}/a/scale`, body, { 'content-type': 'application/merge-patch+json' })
    expect((await patch({ spec: { replicas: -1 } })).body).toMatchObject({
      code: 422, message: 'Scale.autoscaling "a" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0', details: { kind: 'Scale', group: 'autoscaling', name: 'a' },
    })
    expect((await patch({ spec: { replicas: 2 } })).code).toBe(200)
  })

  it('are for whoever sends a version that is no number, or another uid', async () => {
    await call('POST', configmaps, { metadata: { name: 'a' } })
    const patch = (metadata: object) => call('PATCH', `${configmaps}/a`, { metadata }, { 'content-type': 'application/merge-patch+json' })
    expect((await patch({ resourceVersion: 'x' })).body).toMatchObject({ code: 400, message: 'strconv.ParseUint: parsing "x": invalid syntax' })
    expect((await patch({ uid: 'x' })).body).toMatchObject({ code: 422, message: 'ConfigMap "a" is invalid: metadata.uid: Invalid value: "x": field is immutable' })
    expect((await call('PUT', `${configmaps}/a`, { metadata: { name: 'a', uid: 'x' } })).body).toMatchObject({ code: 409, reason: 'Conflict' })
  })
})
