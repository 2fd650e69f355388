import { describe, expect, it } from 'vitest'
import { core, type StructType } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { decodeObject, parseJson } from '../../machinery/json.ts'
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

const podType = core.pods.type as unknown as StructType<ApiObject>
const pod = decodeObject(podType, {
  kind: 'Pod', apiVersion: 'v1', metadata: { name: 'a', namespace: 'default', uid: 'u-1', creationTimestamp: '2026-01-01T00:00:00Z', labels: { '7': 'ü' }, generation: 9007199254740993n },
  spec: { containers: [{ name: 'c', image: 'i', ports: [{ containerPort: 80 }] }] },
}).object
const shown = withResourceVersion(pod, '7')

describe('an object that was written, with its bytes and its tree', () => {
  const written = () => {
    let revived = 0
    const item = new Encoded('k', 7, shown, storedBytes(pod), (json) => {
      revived++
      return parseJson(json).value as ApiObject
    })
    return { item, revivals: () => revived }
  }
  const whole = `${JSON.stringify(shown)}\n`

  it('gives its tree away, and makes it again for who asks: the same in each encoding', () => {
    const { item, revivals } = written()
    item.forgetTree()
    expect([item.line().toString(), item.line().toString(), item.json().toString()]).toEqual([whole, whole, whole.slice(0, -1)])
    expect(revivals()).toBe(0)
    expect(item.object).toEqual(shown)
    expect(item.object).not.toBe(shown)
    expect(item.object).toBe(item.object)
    expect(revivals()).toBe(1)
    expect(Buffer.compare(item.message(podType), new Encoded('k', 7, shown).message(podType))).toBe(0)
  })

  it('makes no tree to stay where only a message is wanted', () => {
    const { item, revivals } = written()
    item.forgetTree()
    item.newMessage(podType)
    item.newMessage(podType)
    expect(revivals()).toBe(2)
  })

  it('keeps the tree and no bytes when somebody has looked at it', () => {
    const { item, revivals } = written()
    expect(item.object).toBe(shown)
    item.forgetTree()
    item.forgetStored()
    expect(item.object).toBe(shown)
    expect(item.keptLine()).toBeUndefined()
    expect([item.line().toString(), revivals()]).toEqual([whole, 0])
  })

  it('gives up in time the form that nobody asks for, and never both', () => {
    const [sent, looked] = [written(), written()]
    for (const { item } of [sent, looked]) {
      item.forgetTree()
      expect(item.object).toEqual(shown)
    }
    sent.item.line()
    sent.item.age()
    sent.item.line()
    sent.item.age()
    expect(sent.item.object).toEqual(shown)
    expect(sent.revivals()).toBe(2)
    looked.item.age()
    expect(looked.item.keptLine()).toBeUndefined()
    expect(looked.item.object).toEqual(shown)
    expect(looked.revivals()).toBe(1)
    for (const { item } of [sent, looked]) {
      for (let i = 0; i < 3; i++) item.age()
      expect(item.line().toString()).toBe(whole)
      expect(item.object).toEqual(shown)
    }
  })

  it('hands on that it was looked at to what replaces it, and keeps one form', () => {
    const [before, after] = [written(), written()]
    expect(before.item.object).toBe(shown)
    after.item.replace(before.item)
    after.item.forgetTree()
    expect(after.item.object).toBe(shown)
    expect(before.item.object).toEqual(shown)
    expect(before.revivals()).toBe(1)
  })
})
