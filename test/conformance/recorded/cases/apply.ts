/** Server-side apply on custom objects: owners of fields, conflicts, lists of each type, several versions. */
import type { Step } from '../exchange.ts'
import type { Suite } from '../suite.ts'
import { definition, specOf } from './definition.ts'

const group = 'apply.example.com'
const at = `/apis/${group}/v1/namespaces/default/things`

let number = 0
type Then = readonly [manager: string, spec: unknown, more?: { readonly force?: boolean; readonly metadata?: object; readonly path?: string; readonly version?: string; readonly status?: unknown }]

/** Applies on one object, in turn; `['', patch]` is a merge patch, `['-', operations]` a JSON patch, `['get', 0]` a read. */
function on(...steps: readonly Then[]): readonly Step[] {
  const name = `a${number++}`
  return steps.map(([manager, spec, { force, metadata, path = '', version = 'v1', status } = {}]): Step => {
    const url = `/apis/${group}/${version}/namespaces/default/things/${name}${path}`
    if (manager === 'get') return ['GET', url]
    if (manager === '') return ['PATCH', `${url}?fieldManager=patcher`, spec]
    if (manager === '-') return ['PATCH', `${url}?fieldManager=patcher`, spec, { type: 'application/json-patch+json' }]
    return ['APPLY', `${url}?fieldManager=${manager}${force ? '&force=true' : ''}`, { apiVersion: `${group}/${version}`, kind: 'Thing', metadata: { name, ...metadata }, ...(spec === undefined ? {} : { spec }), ...(status === undefined ? {} : { status }) }]
  })
}
const get: Then = ['get', 0]

const owners: Suite['cases'] = {
  'creating': on(['a', { s: 'x', l: ['a'], m: { k: 'v' } }], get),
  'applying the same again': on(['a', { s: 'x' }], ['a', { s: 'x' }]),
  'a conflict': on(['a', { s: 'x' }], ['b', { s: 'y' }], ['b', { s: 'y' }, { force: true }], ['a', { s: 'x' }], ['a', {}], ['b', {}]),
  'several conflicts': on(['a', { s: 'x', n: 1 }], ['b', { t: 'z' }], ['c', { s: 'y', n: 2, t: 'w' }], ['c', { s: 'x', n: 2, t: 'w' }]),
  'a conflict with a patch': on(['a', { s: 'x' }], ['', { spec: { s: 'y' } }], ['a', { s: 'x' }], ['a', { s: 'x' }, { force: true }]),
  'a conflict with a creation': [['POST', at, { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name: 'created' }, spec: { s: 'x', m: { a: 'b' } } }], ['APPLY', `${at}/created?fieldManager=a`, { apiVersion: `${group}/v1`, kind: 'Thing', spec: { s: 'y' } }], ['APPLY', `${at}/created?fieldManager=a`, { apiVersion: `${group}/v1`, kind: 'Thing', spec: { s: 'x' } }], ['APPLY', `${at}/created?fieldManager=a`, { apiVersion: `${group}/v1`, kind: 'Thing', spec: {} }]],
  'sharing and letting go': on(['a', { s: 'x' }], ['b', { s: 'x' }], ['a', {}], ['b', {}]),
  'what is no longer applied goes': on(['a', { s: 'x', t: 'y', m: { a: '1', b: '2' } }], ['a', { s: 'x', m: { a: '1' } }], ['a', {}], ['a', undefined]),
  'a patch takes over, and gives back': on(['a', { s: 'x' }], ['', { spec: { s: null } }], ['a', { s: 'x' }]),
  'emptying objects': on(['a', { o: { x: 'y', p: { q: 'r' } } }], ['a', { o: {} }], ['a', { o: { p: {} } }], ['b', { o: { x: 'z' } }], ['a', {}]),
  'nulls': on(['a', { s: null, m: { a: null }, o: null }], ['a', { nullable: null, l: null }], ['a', { nullable: 'x' }], ['b', { nullable: null }]),
  'no manager': [['PATCH', `${at}/q`, { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name: 'q' } }, { type: 'application/apply-patch+yaml' }]],
  'no kind': [['APPLY', `${at}/q?fieldManager=a`, { metadata: { name: 'q' } }], ['APPLY', `${at}/q?fieldManager=a`, { apiVersion: `${group}/v1`, metadata: { name: 'q' } }], ['APPLY', `${at}/q?fieldManager=a`, { kind: 'Thing', metadata: { name: 'q' } }]],
  'another kind': [['APPLY', `${at}/q?fieldManager=a`, { apiVersion: `${group}/v1`, kind: 'Other', metadata: { name: 'q' } }], ['APPLY', `${at}/q?fieldManager=a`, { apiVersion: 'v1', kind: 'Thing', metadata: { name: 'q' } }], ['APPLY', `${at}/q?fieldManager=a`, { apiVersion: `${group}/v9`, kind: 'Thing', metadata: { name: 'q' } }]],
  'another name': [['APPLY', `${at}/q?fieldManager=a`, { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name: 'r' } }], ['APPLY', `${at}/q?fieldManager=a`, { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name: 'q', namespace: 'other' } }]],
  'a uid for what is not there': on(['a', {}, { metadata: { uid: '6ba7b810-9dad-11d1-80b4-00c04fd430c8' } }], ['a', {}, { metadata: { resourceVersion: '5' } }]),
  'a stale revision': on(['a', {}], ['a', { s: 'x' }, { metadata: { resourceVersion: '1' } }]),
  'managed fields in what is applied': on(['a', {}, { metadata: { managedFields: [] } }], ['a', {}, { metadata: { managedFields: [{ manager: 'a', operation: 'Apply' }] } }], ['a', {}, { metadata: { managedFields: null } }]),
  'bodies that are none': [['APPLY', `${at}/q?fieldManager=a`, ''], ['APPLY', `${at}/q?fieldManager=a`, '['], ['APPLY', `${at}/q?fieldManager=a`, '[]'], ['APPLY', `${at}/q?fieldManager=a`, 'a: b: c'], ['APPLY', `${at}/q?fieldManager=a`, 'null'], ['APPLY', `${at}/q?fieldManager=a`, 'text']],
  'wrong types': on(['a', { s: 5 }], ['a', { n: 'x' }], ['a', { l: 'x' }], ['a', { m: [] }], ['a', { o: 'x' }], ['a', { zzz: 1 }], ['a', { o: { zzz: 1 } }], ['a', { s: 5, n: 'x', zzz: 1 }], ['a', 'x']),
  'labels and annotations': on(['a', {}, { metadata: { labels: { x: 'a' }, annotations: { y: 'b' }, finalizers: ['a.b/c'] } }], ['b', {}, { metadata: { labels: { x: 'z' } } }], ['b', {}, { metadata: { labels: { w: 'z' }, finalizers: ['d.e/f'] } }], ['a', {}], ['', { metadata: { finalizers: null } }]),
  'owner references': on(['a', {}, { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'x', uid: '6ba7b810-9dad-11d1-80b4-00c04fd430c8' }] } }], ['b', {}, { metadata: { ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'y', uid: '6ba7b810-9dad-11d1-80b4-00c04fd430c9' }] } }], ['a', {}]),
}

const lists: Suite['cases'] = {
  'an atomic list': on(['a', { l: ['a', 'b'] }], ['b', { l: ['c'] }], ['b', { l: ['a', 'b'] }], ['a', { l: ['a'] }], ['a', { l: ['a'] }, { force: true }]),
  'a set': on(['a', { set: ['a', 'b'] }], ['b', { set: ['c', 'a'] }], ['a', { set: ['b'] }], ['b', { set: [] }], ['a', {}]),
  'a set in another order': on(['a', { set: ['a', 'b', 'c'] }], ['a', { set: ['c', 'a', 'b'] }], ['b', { set: ['d', 'a'] }]),
  'a set with duplicates': on(['a', { set: ['a', 'a'] }], ['', { spec: { set: ['a', 'b'] } }], ['a', { set: ['b', 'c', 'b'] }]),
  'a map': on(['a', { map: [{ k: 'x', v: 1 }] }], ['b', { map: [{ k: 'y', v: 2 }] }], ['b', { map: [{ k: 'x', v: 9 }] }], ['b', { map: [{ k: 'x', v: 9 }] }, { force: true }], ['a', { map: [{ k: 'x', w: 'q' }] }], ['b', { map: [] }], ['a', {}]),
  'a map in another order': on(['a', { map: [{ k: 'x' }, { k: 'y' }, { k: 'z' }] }], ['a', { map: [{ k: 'z' }, { k: 'x' }] }], ['b', { map: [{ k: 'n' }, { k: 'x', v: 1 }] }], ['', { spec: { map: [{ k: 'x', v: 2 }] } }]),
  'a map with duplicates': on(['a', { map: [{ k: 'x' }, { k: 'x' }] }], ['a', { map: [{ k: 'x' }] }], ['b', { map: [{ k: 'y' }, { k: 'y', v: 1 }] }]),
  'a map without keys': on(['a', { map: [{ v: 1 }] }], ['a', { map: ['x'] }], ['a', { map: [null] }], ['a', { map: [{ k: 5 }] }]),
  'a map with two keys, one by default': on(['a', { ports: [{ port: 80, v: 'x' }] }], ['b', { ports: [{ port: 80, protocol: 'TCP', v: 'y' }] }], ['b', { ports: [{ port: 80, protocol: 'UDP', v: 'y' }] }], get),
  'maps in maps': on(['a', { nested: [{ k: 'x', inner: [{ k: 'i', v: 1 }], tags: ['a'] }] }], ['b', { nested: [{ k: 'x', inner: [{ k: 'j', v: 2 }], tags: ['b'] }] }], ['c', { nested: [{ k: 'x', inner: [{ k: 'i', v: 3 }] }] }], ['a', { nested: [] }]),
  'an atomic object': on(['a', { atomic: { x: '1', y: '2' } }], ['b', { atomic: { x: '3' } }], ['b', { atomic: { x: '1', y: '2' } }], ['a', { atomic: { x: '1' } }]),
  'a granular map': on(['a', { m: { a: '1', b: '2' } }], ['b', { m: { b: '3', c: '4' } }], ['b', { m: { c: '4' } }], ['a', {}]),
  'int-or-string and any': on(['a', { ios: 5, any: { x: [1, { y: 2 }], z: 'q' } }], ['b', { ios: '5', any: { x: [1], z: 'r' } }], ['b', { any: { w: 1 } }], ['a', { any: 'text' }]),
  'an embedded resource': on(['a', { res: { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'x', labels: { a: 'b' } }, spec: { containers: [{ name: 'c' }] } } }], ['b', { res: { apiVersion: 'v1', kind: 'Pod', metadata: { labels: { a: 'c' } } } }]),
  'a list of objects without keys': on(['a', { things: [{ x: '1' }] }], ['b', { things: [{ x: '1', y: '2' }] }], ['b', { things: [{ x: '1' }] }]),
  'a patch on lists': on(['a', { map: [{ k: 'x', v: 1 }], set: ['a'] }], ['-', [{ op: 'add', path: '/spec/map/-', value: { k: 'y' } }, { op: 'add', path: '/spec/set/-', value: 'b' }]], ['a', { map: [{ k: 'y', v: 2 }] }]),
}

const managed: Suite['cases'] = {
  'defaults belong to nobody': on(['a', { d: {} }], ['b', { d: { x: 'other' } }], ['b', { d: { x: 'dx' } }]),
  'status belongs to its own endpoint': on(['a', { s: 'x' }, { status: { ready: 1 } }], ['a', undefined, { path: '/status', status: { ready: 2 } }], ['b', undefined, { path: '/status', status: { ready: 3 } }], ['a', { s: 'changed' }, { path: '/status', status: { ready: 2 } }], ['a', { s: 'x' }], get),
  'a status of what is not there': on(['a', undefined, { path: '/status', status: { ready: 1 } }]),
  'scale': [...on(['a', { replicas: 1 }], ['', { spec: { replicas: 2 } }, { path: '/scale' }], ['a', { replicas: 1 }], ['a', { replicas: 2 }], ['a', {}])],
  'several versions': on(['a', { s: 'x' }], ['b', { s: 'y' }, { version: 'v2' }], ['a', { s: 'z', t: 'q' }, { version: 'v2' }], ['a', { t: 'q' }], get),
  'managed fields reset': on(['a', { s: 'x' }], ['', { metadata: { managedFields: [{}] } }], ['b', { s: 'y' }], ['', { metadata: { managedFields: [] } }], ['', { metadata: { managedFields: null } }]),
  'managed fields written': on(['a', { s: 'x' }], ['', { metadata: { managedFields: [{ manager: 'z', operation: 'Apply', apiVersion: `${group}/v1`, fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': { 'f:s': {} } } }] } }], ['b', { s: 'y' }], ['', { metadata: { managedFields: [{ manager: 'z', operation: 'Fly' }] } }], ['', { metadata: { managedFields: [{ manager: 'z', operation: 'Apply', apiVersion: 'x/y/z' }] } }], ['', { metadata: { managedFields: [{ manager: 'z', operation: 'Apply', apiVersion: `${group}/v1`, fieldsType: 'V9' }] } }], ['', { metadata: { managedFields: [{ manager: 'z', operation: 'Apply', apiVersion: `${group}/v1`, fieldsType: 'FieldsV1', fieldsV1: { 'x:y': {} } }] } }]),
  'many writers': on(['a', { s: 'x' }], ...Array.from({ length: 12 }, (_, i): Then => [`m${i}`, { m: { [`k${i}`]: 'v' } }]), get),
  'a rule broken by an apply': on(['a', { fixed: 'a' }], ['b', { fixed: 'b' }, { force: true }], ['a', {}]),
  'dry run': [['APPLY', `${at}/dry?fieldManager=a&dryRun=All`, { apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name: 'dry' }, spec: { s: 'x' } }], ['GET', `${at}/dry`]],
}

const fields = {
  s: { type: 'string' }, t: { type: 'string' }, n: { type: 'integer' }, nullable: { type: 'string', nullable: true }, replicas: { type: 'integer' },
  l: { type: 'array', items: { type: 'string' } }, m: { type: 'object', additionalProperties: { type: 'string' } },
  o: { type: 'object', properties: { x: { type: 'string' }, p: { type: 'object', properties: { q: { type: 'string' } } } } },
  set: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
  map: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'], items: { type: 'object', required: ['k'], properties: { k: { type: 'string' }, v: { type: 'integer' }, w: { type: 'string' } } } },
  ports: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['port', 'protocol'], items: { type: 'object', required: ['port'], properties: { port: { type: 'integer' }, protocol: { type: 'string', default: 'TCP' }, v: { type: 'string' } } } },
  nested: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'], items: { type: 'object', required: ['k'], properties: { k: { type: 'string' }, tags: { type: 'array', 'x-kubernetes-list-type': 'set', items: { type: 'string' } },
    inner: { type: 'array', 'x-kubernetes-list-type': 'map', 'x-kubernetes-list-map-keys': ['k'], items: { type: 'object', required: ['k'], properties: { k: { type: 'string' }, v: { type: 'integer' } } } } } } },
  atomic: { type: 'object', 'x-kubernetes-map-type': 'atomic', properties: { x: { type: 'string' }, y: { type: 'string' } } },
  ios: { 'x-kubernetes-int-or-string': true }, any: { 'x-kubernetes-preserve-unknown-fields': true },
  res: { type: 'object', 'x-kubernetes-embedded-resource': true, 'x-kubernetes-preserve-unknown-fields': true },
  things: { type: 'array', items: { type: 'object', properties: { x: { type: 'string' }, y: { type: 'string' } } } },
  d: { type: 'object', properties: { x: { type: 'string', default: 'dx' } } },
  fixed: { type: 'string', 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] },
}
const schema = { type: 'object', properties: { ...(specOf(fields) as { properties: object }).properties, status: { type: 'object', properties: { ready: { type: 'integer' }, replicas: { type: 'integer' } } } } }
const version = (name: string, storage: boolean) => ({ name, served: true, storage, schema: { openAPIV3Schema: schema }, subresources: { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' } } })

const suite: Suite = { definitions: [definition({ group, versions: [version('v1', true), version('v2', false)] })], cases: { ...owners, ...lists, ...managed } }
export default suite
