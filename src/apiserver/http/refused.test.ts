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

  it.each([[{ propagationPolicy: 'Foo' }], [{ propagationPolicy: 'Orphan', orphanDependents: true }]])('keep a deletion with the options %j from deleting any, were there none', async (options) => {
    expect((await call('DELETE', `${configmaps}?labelSelector=none%3Dsuch`, { kind: 'DeleteOptions', apiVersion: 'v1', ...options })).body).toMatchObject({ code: 422, details: { kind: 'DeleteOptions' } })
  })
  it.each(['limit=', 'timeoutSeconds='])('are for numbers without digits: %s', async (query) => {
    expect((await call('GET', `${configmaps}?${query}`)).body).toMatchObject({ code: 400, message: 'strconv.ParseInt: parsing "": invalid syntax' })
  })
  it('say of bodies of other kinds what Kubernetes says', async () => {
    const said = async (body: object) => (await call('POST', configmaps, body)).body.message
    expect(await said({ kind: 'Secret', apiVersion: 'v1' })).toBe('Secret in version "v1" cannot be handled as a ConfigMap: converting (v1.Secret) to (core.ConfigMap): unknown conversion')
    expect(await said({ kind: 'Foo', apiVersion: 'v1' })).toBe('Foo in version "v1" cannot be handled as a ConfigMap: no kind "Foo" is registered for version "v1" in scheme "k8s.io/kubernetes/pkg/api/legacyscheme/scheme.go:30"')
    expect(await said({ kind: 'ConfigMap', apiVersion: 'v2' })).toBe('the API version in the data (v2) does not match the expected API version (v1)')
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
    expect((await call('PUT', `${configmaps}/a`, { metadata: { name: 'a', uid: 'x' } })).body).toMatchObject({
      code: 409, reason: 'Conflict',
      message: expect.stringMatching(/^Operation cannot be fulfilled on configmaps "a": StorageError: invalid object, Code: 4, Key: \/registry\/configmaps\/default\/a, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: x, /) as string,
    })
  })

  it.each([
    ['coordination.k8s.io/v1/namespaces/default/leases', {}], ['policy/v1/namespaces/default/poddisruptionbudgets', { spec: { minAvailable: 1 } }],
    ['node.k8s.io/v1/runtimeclasses', { handler: 'runc' }], ['admissionregistration.k8s.io/v1/validatingwebhookconfigurations', {}],
  ])('are not for finalizers without a domain in %s, as they are in other kinds', async (path, rest) => {
    const metadata = { name: 'finalized', finalizers: ['good'] }
    expect((await call('POST', `/apis/${path}`, { metadata, ...rest })).code).toBe(201)
    expect((await call('POST', configmaps, { metadata })).code).toBe(422)
  })

  it('are not for what a client says of when the object was made', async () => {
    await call('POST', configmaps, { metadata: { name: 'a' } })
    const before = (await call('GET', `${configmaps}/a`)).body as unknown as { metadata: object }
    const after = await call('PUT', `${configmaps}/a`, { metadata: { name: 'a', creationTimestamp: '2020-01-01T00:00:00Z' } })
    expect([after.code, after.body]).toEqual([200, expect.objectContaining({ metadata: expect.objectContaining({ creationTimestamp: (before.metadata as { creationTimestamp: string }).creationTimestamp }) as object })])
  })
})
