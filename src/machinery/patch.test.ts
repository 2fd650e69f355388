import { describe, expect, it } from 'vitest'
import { apps, core } from '../api/index.ts'
import { deepFreeze } from './meta.ts'
import { applyJsonPatch, applyMergePatch, applyStrategicMergePatch } from './patch.ts'

const invalid = expect.objectContaining({ code: 422 })
const bad = expect.objectContaining({ code: 400 })

describe('applyJsonPatch', () => {
  const doc = deepFreeze({ a: { b: [1, 2, 3] }, 'x/y': { '~': 1 }, n: null })
  it.each([
    [[{ op: 'add', path: '/a/b/1', value: 9 }], { ...doc, a: { b: [1, 9, 2, 3] } }],
    [[{ op: 'add', path: '/a/b/-', value: 9 }], { ...doc, a: { b: [1, 2, 3, 9] } }],
    [[{ op: 'add', path: '/a/c', value: { d: 1 } }], { ...doc, a: { b: [1, 2, 3], c: { d: 1 } } }],
    [[{ op: 'remove', path: '/a/b/0' }], { ...doc, a: { b: [2, 3] } }],
    [[{ op: 'remove', path: '/a/b/-1' }], { ...doc, a: { b: [1, 2] } }],
    [[{ op: 'replace', path: '/x~1y/~0', value: 2 }], { ...doc, 'x/y': { '~': 2 } }],
    [[{ op: 'move', from: '/a/b', path: '/b' }], { ...doc, a: {}, b: [1, 2, 3] }],
    [[{ op: 'copy', from: '/a/b/2', path: '/a/b/0' }], { ...doc, a: { b: [3, 1, 2, 3] } }],
    [[{ op: 'test', path: '/a/b', value: [1, 2, 3] }, { op: 'test', path: '/nothing', value: null }], doc],
    // As the API server does, though RFC 6902 would not: a key that is not there is set, or copied as null; -1 adds at the end.
    [[{ op: 'replace', path: '/new', value: 1 }, { op: 'copy', from: '/nothing', path: '/null' }], { ...doc, new: 1, null: null }],
    [[{ op: 'add', path: '/a/b/-1', value: 9 }, { op: 'add', path: '/a/b/01', value: 8 }], { ...doc, a: { b: [1, 8, 2, 3, 9] } }],
    [[{ op: 'add', path: '', value: { new: true } }], { new: true }],
  ])('%j', (operations, result) => expect(applyJsonPatch(doc, operations)).toEqual(result))

  it.each([
    [{ op: 'test', path: '/a/b', value: [] }], [{ op: 'remove', path: '/missing' }], [{ op: 'replace', path: '/missing/x', value: 1 }], [{ op: 'test', path: '/missing/x', value: null }], [{ op: 'test', path: '/n/x', value: null }],
    [{ op: 'add', path: '/missing/x', value: 1 }], [{ op: 'add', path: '/a/b/4', value: 1 }], [{ op: 'add', path: '/a/b/x', value: 1 }],
    [{ op: 'add', path: 'a', value: 1 }], [{ op: 'nope', path: '/a' }], [{ op: 'add' }], [{ op: 'move', path: '/a' }],
    [{ op: 'move', from: '/a', path: '/a/b/0' }], [{ op: 'remove', path: '/__proto__/x' }], [{ op: 'remove', path: '' }],
  ])('rejects %j with 422', (operation) => expect(() => applyJsonPatch(doc, [operation])).toThrow(invalid))

  it('refuses what is no list of operations', () => {
    for (const patch of [{}, null, 'x', [1], [null]]) expect(() => applyJsonPatch(doc, patch)).toThrow(bad)
    expect(() => applyJsonPatch(doc, Array.from({ length: 10_001 }, () => ({ op: 'test', path: '' })))).toThrow(expect.objectContaining({ code: 413 }))
  })
  it('stops copies from doubling a document without end', () => {
    const operations = Array.from({ length: 100 }, (_, i) => ({ op: 'copy', from: '', path: `/copy${i}` }))
    expect(() => applyJsonPatch(doc, operations)).toThrow(invalid)
  })
})

describe('applyMergePatch', () => {
  it('removes with null, merges objects, replaces the rest', () => {
    expect(applyMergePatch(deepFreeze({ a: { b: 1, c: 2 }, d: [1] }), { a: { b: null, e: { f: null, g: 1 } }, d: [2] })).toEqual({ a: { c: 2, e: { g: 1 } }, d: [2] })
  })
  it('refuses what is no object', () => {
    for (const patch of [[], null, 1]) expect(() => applyMergePatch({}, patch)).toThrow(bad)
  })
})

describe('applyStrategicMergePatch', () => {
  const pod = deepFreeze({
    metadata: { name: 'p', labels: { a: '1', b: '2' }, finalizers: ['x/1', 'x/2'] },
    spec: {
      containers: [{ name: 'a', image: 'a:1', args: ['1'], ports: [{ containerPort: 80, protocol: 'TCP' }] }, { name: 'b', image: 'b:1' }, { name: 'c', image: 'c:1' }],
      tolerations: [{ key: 'k', operator: 'Exists' }],
      volumes: [{ name: 'v', emptyDir: {} }],
    },
  })
  const patch = (spec: object) => (applyStrategicMergePatch(core.Pod, pod, { spec }) as { spec: Record<string, unknown> }).spec
  const names = (spec: Record<string, unknown>) => (spec.containers as { name: string }[]).map((c) => c.name).join('')

  it('merges lists by their key, and keeps the order they had', () => {
    const out = patch({ containers: [{ name: 'b', image: 'b:2' }] })
    expect(out.containers).toEqual([pod.spec.containers[0], { name: 'b', image: 'b:2' }, pod.spec.containers[2]])
  })
  it('replaces lists that have no merge key', () => {
    expect(patch({ tolerations: [{ key: 'other' }] }).tolerations).toEqual([{ key: 'other' }])
    expect((patch({ containers: [{ name: 'a', args: ['2'] }] }).containers as { args: string[] }[])[0]?.args).toEqual(['2'])
  })
  it('puts new elements ahead of the ones it does not name, as Kubernetes does', () => expect(names(patch({ containers: [{ name: 'd' }] }))).toBe('dabc'))
  it('deletes elements with $patch: delete, and all others with $patch: replace', () => {
    expect(names(patch({ containers: [{ name: 'b', $patch: 'delete' }] }))).toBe('ac')
    expect(patch({ containers: [{ name: 'z', image: 'z' }, { $patch: 'replace' }] }).containers).toEqual([{ name: 'z', image: 'z' }])
  })
  it('replaces an object with $patch: replace', () => {
    expect(applyStrategicMergePatch(core.Pod, pod, { metadata: { $patch: 'replace', name: 'q' } })).toEqual({ ...pod, metadata: { name: 'q' } })
    expect(applyStrategicMergePatch(core.Pod, pod, { metadata: { labels: { $patch: 'delete' } } })).toMatchObject({ metadata: { labels: {} } })
  })
  it('puts elements in the order of $setElementOrder', () => {
    expect(names(patch({ '$setElementOrder/containers': [{ name: 'c' }, { name: 'b' }, { name: 'a' }] }))).toBe('cba')
    expect(names(patch({ '$setElementOrder/containers': [{ name: 'd' }, { name: 'a' }], containers: [{ name: 'd', image: 'd' }] }))).toBe('dabc')
    expect(names(patch({ '$setElementOrder/containers': [{ name: 'c' }, { name: 'a' }], containers: [{ name: 'b', $patch: 'delete' }] }))).toBe('ca')
    expect(() => patch({ '$setElementOrder/containers': [{ name: 'a' }, { name: 'b' }], containers: [{ name: 'b' }, { name: 'a' }] })).toThrow(bad)
  })
  it('refuses an element without its key, in Kubernetes\'s words', () => {
    expect(() => patch({ containers: [{ image: 'i', ports: [{ containerPort: 80 }], args: ['a', 'b'], stdin: true }] }))
      .toThrow(expect.objectContaining({ code: 400, reason: 'BadRequest', message: 'map: map[args:[a b] image:i ports:[map[containerPort:80]] stdin:true] does not contain declared merge key: name' }))
  })
  it('merges and deletes in lists of scalars', () => {
    const meta = (metadata: object) => (applyStrategicMergePatch(core.Pod, pod, { metadata }) as typeof pod).metadata.finalizers
    expect(meta({ finalizers: ['x/3'] })).toEqual(['x/3', 'x/1', 'x/2'])
    expect(meta({ '$deleteFromPrimitiveList/finalizers': ['x/1'] })).toEqual(['x/2'])
    expect(meta({ '$setElementOrder/finalizers': ['x/2', 'x/1'] })).toEqual(['x/2', 'x/1'])
  })
  it('keeps only the keys of $retainKeys', () => {
    const deployment = { spec: { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1 } } } }
    expect(applyStrategicMergePatch(apps.Deployment, deployment, { spec: { strategy: { $retainKeys: ['type'], type: 'Recreate' } } })).toEqual({ spec: { strategy: { type: 'Recreate' } } })
    expect(() => applyStrategicMergePatch(apps.Deployment, deployment, { spec: { strategy: { $retainKeys: [], type: 'Recreate' } } })).toThrow(bad)
  })
  it('takes null as a wish to remove, also in what is new', () => {
    expect(applyStrategicMergePatch(core.Pod, pod, { metadata: { labels: { a: null, z: null }, annotations: { x: null, y: 'z' } } }))
      .toMatchObject({ metadata: { labels: { b: '2' }, annotations: { y: 'z' } } })
    expect(applyStrategicMergePatch(core.Pod, pod, { metadata: { labels: { a: null } } })).not.toHaveProperty('metadata.labels.a')
  })
  it('never leaves a directive in the result', () => {
    const out = patch({ nodeSelector: { $patch: 'replace', a: 'b' }, initContainers: [{ name: 'i', $patch: 'delete' }, { name: 'j', '$setElementOrder/ports': [] }], affinity: { $retainKeys: ['podAffinity'], podAffinity: {} } })
    expect(JSON.stringify(out)).not.toContain('$')
  })
  it.each([
    { $patch: 'unknown' }, { containers: [{ name: 'a', $patch: 'merge' }] }, { containers: ['text'] },
    { '$setElementOrder/containers': 1 }, { '$deleteFromPrimitiveList/containers': [{}] }, { $retainKeys: 'x' },
  ])('refuses %j with 400', (spec) => expect(() => patch(spec)).toThrow(bad))
  it('deletes from lists after merging into them', () => {
    const finalizers = (metadata: object) => (applyStrategicMergePatch(core.Pod, pod, { metadata }) as typeof pod).metadata.finalizers
    expect(finalizers({ finalizers: ['x/3'], '$setElementOrder/finalizers': ['x/3', 'x/1'], '$deleteFromPrimitiveList/finalizers': ['x/2', 'x/3'] })).toEqual(['x/1'])
    expect(finalizers({ '$deleteFromPrimitiveList/finalizers': {} })).toEqual(['x/1', 'x/2'])
    expect(finalizers({ '$deleteFromPrimitiveList/finalizers': null })).toBeUndefined()
  })
  it('makes nothing of a new object that is to be deleted', () => {
    expect(patch({ affinity: { $patch: 'delete' }, dnsConfig: { $patch: 'replace', options: [] } })).toEqual(pod.spec)
  })
  it('refuses lists of lists with 422', () => expect(() => applyStrategicMergePatch(core.Pod, { spec: { containers: [] } }, { spec: { containers: [['a']] } })).toThrow(invalid))
})
