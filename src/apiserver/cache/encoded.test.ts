import { expect, it } from 'vitest'
import { core } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { storedBytes, withResourceVersion } from '../registry/meta.ts'
import { startTestServer } from '../testing.ts'
import { Encoded } from './encoded.ts'

const json = (object: ApiObject, stored?: Uint8Array) => new Encoded('k', 7, withResourceVersion(object, '7'), stored).line().toString()

it('the line made from the stored form is the one made from the object', async () => {
  const { server, client } = await startTestServer()
  const annotations = { a: '"uid":"x"', 'b': 'ü"uid":"', c: '\n\u0000' }
  const made = [
    await client.create(core.configmaps, { metadata: { name: 'a', namespace: 'default', annotations, labels: { uid: 'x' } }, data: { uid: 'y' } }),
    await client.create(core.namespaces, { metadata: { generateName: 'n-', finalizers: ['example.com/x'] } }),
    await client.create(core.configmaps, { metadata: { name: 'b', namespace: 'default', ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid: 'u' }] } }),
  ] as unknown as ApiObject[]
  for (const object of made) expect(json(object, storedBytes(object))).toBe(`${JSON.stringify(withResourceVersion(object, '7'))}\n`)
  await server.close()
})

it('where the stored form is not as expected the object is written anew', () => {
  const bare = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a' } } as unknown as ApiObject
  const last = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a', uid: 'u' } } as unknown as ApiObject
  const other = { kind: 'ConfigMap', apiVersion: 'v1', metadata: { name: 'a', uid: 'v', generation: 1 } } as unknown as ApiObject
  for (const object of [bare, last]) expect(json(object, storedBytes(object))).toBe(json(object))
  expect(json(other, storedBytes(last))).toBe(json(other))
})
