import { expect, it } from 'vitest'
import { core } from '../../api/index.ts'
import { startTestServer } from '../testing.ts'
import { keepDerived } from './derived.ts'

interface Item { readonly kind: 'ConfigMap'; readonly apiVersion: 'v1'; readonly metadata: { readonly name: string; readonly namespace: string }; readonly value?: number }
const item = (name: string, value = 0): Item => ({ kind: 'ConfigMap', apiVersion: 'v1', metadata: { name, namespace: 'x' }, value })

function followed() {
  const state = { objects: new Map<string, Item>(), at: 0, history: [] as { revision: number; object: Item; gone: boolean }[], horizon: 0, listed: 0 }
  const seen: string[] = []
  const bring = keepDerived<Item>({
    list: () => (state.listed++, [...state.objects.values()]),
    revision: () => state.at,
    since: (revision) => (revision < state.horizon ? undefined : state.history.filter((h) => h.revision > revision)),
  }, (_, name, next, before) => void seen.push(`${name}:${before?.value ?? '-'}>${next?.value ?? '-'}`))
  const put = (object: Item, gone = false) => {
    if (gone) state.objects.delete(object.metadata.name)
    else state.objects.set(object.metadata.name, object)
    state.history.push({ revision: ++state.at, object, gone })
  }
  return { state, put, take: () => (bring(), seen.splice(0)) }
}

it('tells what changed since the last time, without listing everything again', () => {
  const { state, put, take } = followed()
  put(item('a', 1))
  expect(take()).toEqual(['a:->1'])
  put(item('b', 1))
  put(item('a', 2))
  expect(take()).toEqual(['b:->1', 'a:1>2'])
  put(item('a', 2), true)
  expect(take()).toEqual(['a:2>-'])
  expect(take()).toEqual([])
  expect(state.listed).toBe(1)
})

it('compares everything where the history does not reach back, deletions included', () => {
  const { state, put, take } = followed()
  put(item('a', 1))
  put(item('b', 1))
  take()
  put(item('a'), true)
  put(item('c', 1))
  state.horizon = state.at
  expect(take().toSorted()).toEqual(['a:1>-', 'c:->1'])
  expect(state.listed).toBe(2)
})

it('works on the lister of a server', async () => {
  let seen: string[] = []
  let bring = (): void => undefined
  const { server, client } = await startTestServer({ onEnvironment: (env) => {
    bring = keepDerived<core.ConfigMap>(env.lister(core.configmaps), (namespace, name, next) => void seen.push(`${namespace}/${name} ${next ? 'is' : 'is gone'}`))
  } })
  await client.create(core.namespaces, { metadata: { name: 'x' } })
  bring()
  await client.create(core.configmaps, { metadata: { name: 'a', namespace: 'x' } })
  await client.create(core.configmaps, { metadata: { name: 'b', namespace: 'x' } })
  bring()
  expect(seen).toEqual(['x/a is', 'x/b is'])
  seen = []
  await client.delete(core.configmaps, 'a', { namespace: 'x' })
  bring()
  expect(seen).toEqual(['x/a is gone'])
  await server.close()
})
