/** Watches as they go over the wire: what is told, in which order, at which revision, and how a watch ends. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Store } from '../../src/store/store.ts'
import { startTestControlPlane } from '../support/control-plane.ts'
import type { TestControlPlane } from '../support/control-plane.ts'
import { events, json, send, stream } from '../support/requests.ts'
import type { WatchedEvent } from '../support/requests.ts'

let cluster: TestControlPlane
/** A few writes from before this server started, and forgotten: history that neither its cache nor its store has. */
async function prepare(store: Store): Promise<void> {
  for (let i = 0; i < 5; i++) await store.commit({ writes: [{ op: 'put', key: `/elsewhere/${i}`, value: Buffer.from('{}') }] })
  await store.compact(await store.revision())
}
beforeAll(async () => void (cluster = await startTestControlPlane({ prepare })))
afterAll(() => cluster?.stop())

interface ConfigMap { readonly metadata: { readonly name: string; readonly resourceVersion: string; readonly labels?: Record<string, string> }; readonly data?: Record<string, string> }
interface List { readonly metadata: { readonly resourceVersion: string }; readonly items: readonly ConfigMap[] }

/** Config maps of a namespace of the test's own. */
async function room(name: string) {
  await send(cluster, 'POST', '/api/v1/namespaces', { apiVersion: 'v1', kind: 'Namespace', metadata: { name } })
  const path = `/api/v1/namespaces/${name}/configmaps`
  // The namespace's own config map comes when it comes: these watches look at what carries the label.
  const mine = 'labelSelector=mine'
  const create = async (n: string, data: Record<string, string> = {}, labels: Record<string, string> = {}) => {
    const reply = await send(cluster, 'POST', path, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: n, labels: { mine: '', ...labels } }, data })
    expect(reply.code).toBe(201)
    return json<ConfigMap>(reply)
  }
  return {
    path,
    create,
    patch: async (n: string, body: object) => json<ConfigMap>(await send(cluster, 'PATCH', `${path}/${n}`, body, { 'content-type': 'application/merge-patch+json' })),
    remove: async (n: string) => void expect((await send(cluster, 'DELETE', `${path}/${n}`)).code).toBe(200),
    list: async (query = mine) => json<List>(await send(cluster, 'GET', `${path}?${query}`)),
    watch: (query: string) => stream(cluster, `${path}?watch=true&${mine}${query ? `&${query}` : ''}`),
  }
}

const told = (all: readonly WatchedEvent[]) => all.map(({ type, object }) => `${type} ${object.metadata.name ?? ''}`)
const revision = ({ object }: WatchedEvent) => Number(object.metadata.resourceVersion)

describe('a watch', () => {
  it('without a resourceVersion tells what there is, then what changes', async () => {
    const { create, patch, remove, watch } = await room('from-nothing')
    await create('a')
    await create('b')
    const w = await watch('')
    expect(w.code).toBe(200)
    expect(w.headers['content-type']).toBe('application/json')
    expect(told(events(await w.take(2))).toSorted()).toEqual(['ADDED a', 'ADDED b'])
    await create('c')
    await patch('a', { data: { x: '1' } })
    await remove('b')
    const later = events(await w.take(3))
    expect(told(later)).toEqual(['ADDED c', 'MODIFIED a', 'DELETED b'])
    expect(later.map(revision)).toEqual(later.map(revision).toSorted((a, b) => a - b))
    w.close()
  })

  it('from resourceVersion 0 tells what there is as well', async () => {
    const { create, watch } = await room('from-zero')
    await create('a')
    const w = await watch('resourceVersion=0')
    expect(told(events(await w.take(1)))).toEqual(['ADDED a'])
    w.close()
  })

  it('from a list\'s resourceVersion tells exactly what came after the list', async () => {
    const { create, patch, remove, list, watch } = await room('from-list')
    await create('a')
    const { metadata } = await list()
    await create('b')
    await patch('a', { data: { x: '1' } })
    await remove('a')
    const w = await watch(`resourceVersion=${metadata.resourceVersion}`)
    expect(told(events(await w.take(3)))).toEqual(['ADDED b', 'MODIFIED a', 'DELETED a'])
    w.close()
  })

  it('resumes after the last event it saw, without a gap and without a repetition', async () => {
    const { create, patch, list, watch } = await room('resumed')
    const start = (await list()).metadata.resourceVersion
    await create('a', { n: '0' })
    for (let i = 1; i <= 20; i++) await patch('a', { data: { n: String(i) } })
    const seen: string[] = []
    let from = start
    for (const count of [1, 5, 15]) {
      const w = await watch(`resourceVersion=${from}`)
      const some = events(await w.take(count))
      seen.push(...some.map(({ object }) => (object as unknown as ConfigMap).data!.n!))
      from = some.at(-1)!.object.metadata.resourceVersion
      w.close()
    }
    expect(seen).toEqual(Array.from({ length: 21 }, (_, i) => String(i)))
  })

  it('tells the last state of a deleted object, at the revision of its deletion', async () => {
    const { create, remove, list, watch } = await room('last-state')
    const made = await create('gone', { a: '1' })
    const w = await watch(`resourceVersion=${(await list()).metadata.resourceVersion}`)
    await remove('gone')
    const [event] = events(await w.take(1))
    expect(event).toMatchObject({ type: 'DELETED', object: { kind: 'ConfigMap', apiVersion: 'v1', data: { a: '1' } } })
    expect(revision(event!)).toBeGreaterThan(Number(made.metadata.resourceVersion))
    expect((await list()).metadata.resourceVersion).toBe(event!.object.metadata.resourceVersion)
    w.close()
  })

  it('sees an object enter a label selection as ADDED and leave it as DELETED', async () => {
    const { path, create, patch, list } = await room('selected')
    await create('a', { n: '1' }, { tier: 'db' })
    const web = await stream(cluster, `${path}?watch=1&labelSelector=${encodeURIComponent('tier=web')}&resourceVersion=${(await list()).metadata.resourceVersion}`)
    await patch('a', { data: { n: '2' } })
    await patch('a', { metadata: { labels: { tier: 'web' } } })
    await patch('a', { data: { n: '3' } })
    const left = await patch('a', { metadata: { labels: { tier: 'db' } }, data: { n: '4' } })
    const seen = events(await web.take(3))
    expect(told(seen)).toEqual(['ADDED a', 'MODIFIED a', 'DELETED a'])
    // It left in a state that the selector does not match: what is told is the last one that it did.
    expect(seen[2]!.object).toMatchObject({ metadata: { labels: { tier: 'web' }, resourceVersion: left.metadata.resourceVersion }, data: { n: '3' } })
    web.close()
  })

  it('of one object is told nothing of the others', async () => {
    const { path, create, patch } = await room('single')
    await create('a')
    await create('b')
    const [selected, old] = await Promise.all([stream(cluster, `${path}?watch=true&fieldSelector=metadata.name%3Da`), stream(cluster, `/api/v1/watch${path.slice('/api/v1'.length)}/a`)])
    await patch('b', { data: { x: '1' } })
    await patch('a', { data: { x: '1' } })
    for (const w of [selected, old]) {
      expect(told(events(await w.take(2)))).toEqual(['ADDED a', 'MODIFIED a'])
      w.close()
    }
  })
})

describe('bookmarks', () => {
  it('mark the end of the initial events, at the revision of a list', async () => {
    const { create, list, watch } = await room('streamed')
    await create('a')
    await create('b')
    const w = await watch('sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true')
    const [a, b, mark] = events(await w.take(3))
    expect(told([a!, b!])).toEqual(['ADDED a', 'ADDED b'])
    expect(mark).toMatchObject({ type: 'BOOKMARK', object: { kind: 'ConfigMap', apiVersion: 'v1', metadata: { annotations: { 'k8s.io/initial-events-end': 'true' } } } })
    expect(revision(mark!)).toBeLessThanOrEqual(Number((await list()).metadata.resourceVersion))
    await create('c')
    expect(told(events(await w.take(1)))).toEqual(['ADDED c'])
    w.close()
  })

  it('are not sent to those who did not ask', async () => {
    const { create, watch } = await room('unmarked')
    const w = await watch('sendInitialEvents=true&resourceVersionMatch=NotOlderThan')
    await create('a')
    expect(told(events(await w.take(1)))).toEqual(['ADDED a'])
    w.close()
  })
})

describe('a watch ends', () => {
  it('with an error 410 when its resourceVersion is too old', async () => {
    const { watch } = await room('too-old')
    const w = await watch('resourceVersion=1')
    const [error] = events(await w.take(1))
    expect(w.code).toBe(200)
    expect(error).toMatchObject({ type: 'ERROR', object: { kind: 'Status', apiVersion: 'v1', status: 'Failure', code: 410, reason: 'Expired' } })
    expect(error!.object.message).toMatch(/^too old resource version: 1 \(\d+\)$/)
    await w.ended
  })

  it('after timeoutSeconds', async () => {
    const { watch } = await room('timed')
    const started = Date.now()
    const w = await watch('timeoutSeconds=1')
    await w.ended
    expect(Date.now() - started).toBeGreaterThanOrEqual(950)
    expect(Date.now() - started).toBeLessThan(5000)
  })

  it('before it begins, when what it asks makes no sense', async () => {
    const { path } = await room('senseless')
    const ask = async (query: string) => json<{ code: number; message: string }>(await send(cluster, 'GET', `${path}?watch=true&${query}`))
    expect(await ask('resourceVersion=abc')).toMatchObject({ code: 400 })
    expect(await ask('sendInitialEvents=true')).toMatchObject({ code: 422, reason: 'Invalid' })
    expect(await ask('resourceVersionMatch=Exact&resourceVersion=1')).toMatchObject({ code: 422 })
    expect(await ask('labelSelector=a+in')).toMatchObject({ code: 400 })
    expect(await ask('timeoutSeconds=soon')).toMatchObject({ code: 400 })
  })
})

describe('a list', () => {
  it('at an exact resourceVersion is what there was then', async () => {
    const { create, remove, patch, list } = await room('history')
    await create('a', { n: '1' })
    const { metadata: { resourceVersion } } = await create('b')
    await patch('a', { data: { n: '2' } })
    await remove('b')
    await create('c')
    const then = await list(`labelSelector=mine&resourceVersion=${resourceVersion}&resourceVersionMatch=Exact`)
    expect(then.items.map(({ metadata, data }) => [metadata.name, data?.n])).toEqual([['a', '1'], ['b', undefined]])
    expect(then.metadata.resourceVersion).toBe(resourceVersion)
    const now = await list(`labelSelector=mine&resourceVersion=${resourceVersion}&resourceVersionMatch=NotOlderThan`)
    expect(now.items.map(({ metadata }) => metadata.name)).toEqual(['a', 'c'])
  })

  it('in pages is one state, whatever happens between the pages', async () => {
    const { create, remove, list } = await room('pages')
    for (const name of ['a', 'b', 'c', 'd', 'e']) await create(name)
    type Page = List & { readonly metadata: { readonly continue?: string } }
    let page = (await list('labelSelector=mine&limit=2')) as Page
    const { resourceVersion } = page.metadata
    const names = page.items.map(({ metadata }) => metadata.name)
    await create('bb')
    await remove('d')
    while (page.metadata.continue) {
      page = (await list(`labelSelector=mine&limit=2&continue=${encodeURIComponent(page.metadata.continue)}`)) as Page
      expect(page.metadata.resourceVersion).toBe(resourceVersion)
      names.push(...page.items.map(({ metadata }) => metadata.name))
    }
    expect(names).toEqual(['a', 'b', 'c', 'd', 'e'])
  })
})
