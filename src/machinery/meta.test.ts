import { describe, expect, it } from 'vitest'
import { controllerOf, deepEqual, deepFreeze, generatedName, isControlledBy, keyOf, ownerReference, podTemplateHash, randomSuffix, splitKey, stableStringify, uid } from './meta.ts'

describe('owners', () => {
  const owner = { kind: 'ReplicaSet', apiVersion: 'apps/v1', metadata: { name: 'r', uid: '1' } }
  it('are found again by their uid', () => {
    const pod = { metadata: { ownerReferences: [{ ...ownerReference(owner, { controller: false }), uid: '2' }, ownerReference(owner)] } }
    expect(controllerOf(pod)).toEqual({ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'r', uid: '1', controller: true, blockOwnerDeletion: true })
    expect([isControlledBy(pod, owner), isControlledBy(pod, { metadata: { uid: '9' } }), controllerOf({ metadata: {} })]).toEqual([true, false, undefined])
  })
})

describe('names that are made', () => {
  it('have the letters of Kubernetes', () => expect(randomSuffix(200)).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{200}$/))
  it('fit into a label', () => expect(generatedName('x'.repeat(100))).toHaveLength(63))
  it('have a uid', () => expect(uid()).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/))
  it('are keys and back', () => {
    expect([keyOf({ metadata: { name: 'a', namespace: 'n' } }), keyOf({ metadata: { name: 'a' } }), splitKey('n/a'), splitKey('a')])
      .toEqual(['n/a', 'a', { namespace: 'n', name: 'a' }, { namespace: '', name: 'a' }])
  })
})

describe('deepEqual', () => {
  it.each([
    [{ a: [1, { b: null }] }, { a: [1, { b: null }] }, true], [{ a: 1 }, { a: 1, b: undefined }, true], [{ a: 1, b: undefined }, { a: 1 }, true], [{ a: 1 }, { b: 1 }, false],
    [[1], { 0: 1 }, false], [{}, [], false], [null, {}, false], [{ a: undefined }, { b: undefined }, true], [{ a: 1 }, { a: 1, b: 2 }, false], [[1, 2], [1], false], [{}, { toString: 1 }, false],
  ])('%j and %j: %s', (a, b, same) => expect(deepEqual(a, b)).toBe(same))
})

describe('podTemplateHash', () => {
  it('depends on what is in the template, not on how it is written', () => {
    expect(podTemplateHash({ a: 1, b: [2] })).toBe(podTemplateHash({ b: [2], a: 1 }))
    expect(new Set([podTemplateHash({ a: 1 }), podTemplateHash({ a: 2 }), podTemplateHash({ a: 1 }, 0), podTemplateHash({ a: 1 }, 1)]).size).toBe(4)
    expect(podTemplateHash({ a: 1 })).toMatch(/^[bcdfghjklmnpqrstvwxz2456789]{4,10}$/)
  })
  it('leaves out what is undefined', () => expect(stableStringify({ b: undefined, a: [undefined, { c: 1 }] })).toBe('{"a":[null,{"c":1}]}'))
})

it('deepFreeze freezes everything', () => {
  const object = deepFreeze({ a: { b: [1] } })
  expect([object, object.a, object.a.b].every((o) => Object.isFrozen(o))).toBe(true)
})
