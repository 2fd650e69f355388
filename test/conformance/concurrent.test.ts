/** Many clients at once: nothing is lost, nothing is given out twice, and everybody is told the same story. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestControlPlane } from '../support/control-plane.ts'
import type { TestControlPlane } from '../support/control-plane.ts'
import { events, json, send, stream } from '../support/requests.ts'

let cluster: TestControlPlane
beforeAll(async () => void (cluster = await startTestControlPlane()))
afterAll(() => cluster?.stop())

const configmaps = '/api/v1/namespaces/default/configmaps'
interface ConfigMap { readonly metadata: { readonly name: string; readonly resourceVersion: string; readonly managedFields?: readonly { readonly manager: string }[] }; readonly data?: Record<string, string> }
const configMap = (name: string, data: Record<string, string> = {}) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name }, data })
const read = async (name: string) => json<ConfigMap>(await send(cluster, 'GET', `${configmaps}/${name}`))
const times = <T>(count: number, make: (i: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, (_, i) => make(i)))
const codes = (replies: readonly { readonly code: number }[]) => replies.map(({ code }) => code).toSorted()

describe('many writers', () => {
  it('of one object lose nothing when they patch', async () => {
    await send(cluster, 'POST', configmaps, configMap('shared'))
    const replies = await times(40, (i) => send(cluster, 'PATCH', `${configmaps}/shared`, { data: { [`k${i}`]: String(i) } }, { 'content-type': 'application/merge-patch+json' }))
    expect(new Set(codes(replies))).toEqual(new Set([200]))
    expect(Object.keys((await read('shared')).data!)).toHaveLength(40)
  })

  it('of one object lose nothing when they apply, and own what they applied', async () => {
    const replies = await times(20, (i) => send(cluster, 'PATCH', `${configmaps}/applied?fieldManager=m${i}`, configMap('applied', { [`k${i}`]: '' }), { 'content-type': 'application/apply-patch+yaml' }))
    expect(replies.filter(({ code }) => code !== 200 && code !== 201)).toEqual([])
    const { data, metadata } = await read('applied')
    expect(Object.keys(data!)).toHaveLength(20)
    expect(new Set(metadata.managedFields!.map(({ manager }) => manager)).size).toBe(20)
  })

  it('who replace the same state: one of them does', async () => {
    const made = json<ConfigMap>(await send(cluster, 'POST', configmaps, configMap('replaced')))
    const replies = await times(20, (i) => send(cluster, 'PUT', `${configmaps}/replaced`, { ...made, data: { by: String(i) } }))
    expect(codes(replies)).toEqual([200, ...Array<number>(19).fill(409)])
    const winner = replies.findIndex(({ code }) => code === 200)
    expect((await read('replaced')).data).toEqual({ by: String(winner) })
  })

  it('who create the same name: one of them does', async () => {
    expect(codes(await times(20, () => send(cluster, 'POST', configmaps, configMap('unique'))))).toEqual([201, ...Array<number>(19).fill(409)])
  })

  it('who delete the same object: one of them does', async () => {
    await send(cluster, 'POST', configmaps, configMap('doomed'))
    expect(codes(await times(20, () => send(cluster, 'DELETE', `${configmaps}/doomed`)))).toEqual([200, ...Array<number>(19).fill(404)])
  })

  it('who leave the name to the server get one each', async () => {
    const made = await times(100, () => send(cluster, 'POST', configmaps, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { generateName: 'many-' } }))
    expect(new Set(made.map((reply) => json<ConfigMap>(reply).metadata.name)).size).toBe(100)
  })
})

describe('what there is only once', () => {
  const services = '/api/v1/namespaces/default/services'
  const service = (name: string, spec: object) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } })

  it('is given out once: addresses and ports', async () => {
    const made = await times(50, (i) => send(cluster, 'POST', services, service(`np-${i}`, { type: 'NodePort' })))
    const specs = made.map((reply) => json<{ spec: { clusterIP: string; ports: { nodePort: number }[] } }>(reply).spec)
    expect(new Set(specs.map(({ clusterIP }) => clusterIP)).size).toBe(50)
    expect(new Set(specs.map(({ ports }) => ports[0]!.nodePort)).size).toBe(50)
  })

  // From the part of the ranges that the server gives to nobody by itself.
  it('goes to one of those who want the same', async () => {
    expect(codes(await times(10, (i) => send(cluster, 'POST', services, service(`ip-${i}`, { clusterIP: '10.96.0.200' }))))).toEqual([201, ...Array<number>(9).fill(422)])
    expect(codes(await times(10, (i) => send(cluster, 'POST', services, service(`port-${i}`, { type: 'NodePort', ports: [{ port: 80, nodePort: 30007 }] }))))).toEqual([201, ...Array<number>(9).fill(422)])
  })

  it('can be had again when it was given back', async () => {
    const owner = json<{ items: { metadata: { name: string }; spec: { clusterIP: string } }[] }>(await send(cluster, 'GET', services)).items.find(({ spec }) => spec.clusterIP === '10.96.0.200')!
    await send(cluster, 'DELETE', `${services}/${owner.metadata.name}`)
    expect((await send(cluster, 'POST', services, service('again', { clusterIP: '10.96.0.200' }))).code).toBe(201)
  })
})

describe('many watchers', () => {
  it('are told the same, in the order of the revisions, whenever they came', async () => {
    const path = '/api/v1/namespaces/watched/configmaps'
    await send(cluster, 'POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'watched' } })
    const { metadata } = json<{ metadata: { resourceVersion: string } }>(await send(cluster, 'GET', path))
    const label = { labels: { mine: '' } }
    const watchers: Awaited<ReturnType<typeof stream>>[] = []
    const writing = times(60, async (i) => {
      if (i % 6 === 0) watchers.push(await stream(cluster, `${path}?watch=true&labelSelector=mine&resourceVersion=${metadata.resourceVersion}`))
      const name = `w${i % 12}`
      await send(cluster, 'POST', path, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...label } })
      await send(cluster, 'PATCH', `${path}/${name}`, { data: { i: String(i) } }, { 'content-type': 'application/merge-patch+json' })
      if (i % 5 === 0) await send(cluster, 'DELETE', `${path}/${name}`)
    })
    await writing
    const last = json<ConfigMap>(await send(cluster, 'POST', path, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'last', ...label } }))
    const stories = await Promise.all(watchers.map(async (watcher) => {
      const story: string[] = []
      const revisions: number[] = []
      for (;;) {
        const [{ type, object } = { type: '', object: { metadata: { resourceVersion: '' } } }] = events(await watcher.take(1))
        story.push(`${type} ${object.metadata.name} ${object.metadata.resourceVersion}`)
        revisions.push(Number(object.metadata.resourceVersion))
        if (object.metadata.resourceVersion === last.metadata.resourceVersion) break
      }
      watcher.close()
      expect(revisions).toEqual(revisions.toSorted((a, b) => a - b))
      return story.join('\n')
    }))
    expect(stories).toHaveLength(10)
    expect(new Set(stories).size).toBe(1)
  })
})
