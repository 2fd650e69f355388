/** A definition of ten versions whose schema and storage version change while clients write its objects: nobody is refused, nothing is lost. */
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestServer, type TestServer } from '../../src/cluster/testing.ts'
import { send, target, type Answer } from './recorded/exchange.ts'
import type { Target } from './recorded/target.ts'
import { eventually } from '../support/host.ts'

const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const boats = (version: number, name = '') => `/apis/churn.example.com/v${version}/namespaces/default/boats${name && `/${name}`}`
const schema = (made: number) => ({ openAPIV3Schema: { type: 'object', properties: {
  spec: { type: 'object', properties: { kind: { type: 'string' }, n: { type: 'integer' }, made: { type: 'string', default: `by ${made}` } } },
  status: { type: 'object', default: {}, properties: { phase: { type: 'string', default: 'New' } } },
} } })
const versions = (stored: number, made: number) => Array.from({ length: 10 }, (_, i) => ({ name: `v${i + 1}`, served: true, storage: i + 1 === stored, schema: schema(made), subresources: { status: {} }, selectableFields: [{ jsonPath: '.spec.kind' }] }))
const definition = { apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata: { name: 'boats.churn.example.com' }, spec: { group: 'churn.example.com', scope: 'Namespaced', names: { plural: 'boats', kind: 'Boat' }, versions: versions(1, 0) } }

interface Boat { readonly spec: { readonly n: number; readonly made: string }; readonly status?: { readonly phase: string }; readonly items?: readonly unknown[] }
interface Definition { readonly status: { readonly storedVersions: readonly string[]; readonly conditions: readonly { readonly type: string; readonly reason: string }[] } }

let kit: TestServer
let server: Target
beforeAll(async () => {
  kit = await startTestServer()
  server = target(kit.kubeconfigFile)
  expect((await send(server, ['POST', definitions, definition])).code).toBe(201)
  await eventually('the kind is served', async () => ((await send(server, ['GET', boats(10)])).code === 200 ? true : undefined))
})
afterAll(async () => {
  server.stop()
  await kit.stop()
})

it('keeps every write while the definition changes under it', async () => {
  const failed: Answer[] = []
  const ask = async (...step: Parameters<typeof send>[1]): Promise<Boat> => {
    const answer = await send(server, step)
    if (answer.code >= 300) failed.push(answer)
    return answer.body as Boat
  }
  const changes = new AbortController()
  let total = 0
  const writer = async (name: string): Promise<void> => {
    for (let written = 0; !changes.signal.aborted; written++) {
      const mine = `${name}-${written}`
      const version = (written % 10) + 1
      await ask('POST', boats(version), { apiVersion: `churn.example.com/v${version}`, kind: 'Boat', metadata: { name: mine }, spec: { kind: `k${written % 3}`, n: written } })
      await ask('PATCH', boats(11 - version, mine), { spec: { n: written + 1 } })
      await ask('PATCH', `${boats(3, mine)}/status`, { status: { phase: 'Afloat' } })
      total++
      expect(await ask('GET', boats(5, mine))).toMatchObject({ spec: { n: written + 1, made: expect.stringMatching(/^by \d+$/) as string }, status: { phase: 'Afloat' } })
    }
  }
  const writers = ['a', 'b', 'c'].map(writer)
  for (let change = 1; change <= 10; change++) {
    const before = total
    await ask('PATCH', `${definitions}/boats.churn.example.com`, { spec: { versions: versions((change % 10) + 1, change) } })
    await eventually('objects are written', () => (total >= before + 5 ? true : undefined))
  }
  changes.abort()
  await Promise.all(writers)
  expect(failed).toEqual([])
  const lists = await Promise.all(['k0', 'k1', 'k2'].map((kind) => ask('GET', `${boats(9)}?fieldSelector=spec.kind=${kind}`)))
  expect(lists.reduce((sum, { items = [] }) => sum + items.length, 0)).toBe(total)
  const { status } = (await ask('GET', `${definitions}/boats.churn.example.com`)) as unknown as Definition
  expect(status.storedVersions).toEqual(['v1', 'v2', 'v3', 'v4', 'v5', 'v6', 'v7', 'v8', 'v9', 'v10'])
}, 60_000)

it('goes with a thousand objects, and waits for those that have finalizers', async () => {
  for (let i = 0; i < 1000; i += 50) {
    const some = await Promise.all(Array.from({ length: 50 }, (_, j) => send(server, ['POST', boats(1), { apiVersion: 'churn.example.com/v1', kind: 'Boat', metadata: { name: `many-${i + j}`, ...(i + j < 3 ? { finalizers: ['example.com/wait'] } : {}) } }])))
    expect(some.map(({ code }) => code)).toEqual(some.map(() => 201))
  }
  await send(server, ['DELETE', `${definitions}/boats.churn.example.com`])
  await eventually('only those with finalizers are left', async () => (((await send(server, ['GET', boats(2)])).body as Boat).items?.length === 3 ? true : undefined))
  expect((await send(server, ['POST', boats(1), { apiVersion: 'churn.example.com/v1', kind: 'Boat', metadata: { name: 'late' } }])).code).toBe(403)
  const { status } = (await send(server, ['GET', `${definitions}/boats.churn.example.com`])).body as Definition
  expect(status.conditions.find(({ type }) => type === 'Terminating')?.reason).toBe('InstanceDeletionInProgress')
  for (const i of [0, 1, 2]) expect((await send(server, ['PATCH', boats(4, `many-${i}`), { metadata: { finalizers: null } }])).code).toBe(200)
  await eventually('the definition goes', async () => ((await send(server, ['GET', `${definitions}/boats.churn.example.com`])).code === 404 ? true : undefined))
}, 60_000)
