/** Custom objects over their life: patches, subresources, dry runs, generations, conflicts, deletion; and requests that are wrong. */
import type { Step } from '../exchange.ts'
import type { Suite } from '../suite.ts'
import { definition, specOf } from './definition.ts'

const group = 'writes.example.com'
const at = `/apis/${group}/v1/namespaces/default`
const type = { apiVersion: `${group}/v1`, kind: 'Thing' }

let number = 0
/** Requests on a new object: `NAME` in their paths and bodies is its name. */
function on(spec: unknown, steps: readonly Step[], plural = 'things', more: object = {}): readonly Step[] {
  const name = `w${number++}`
  const kind = plural === 'things' ? 'Thing' : plural === 'plains' ? 'Plain' : 'Cluster'
  const base = plural === 'clusters' ? `/apis/${group}/v1/${plural}` : `${at}/${plural}`
  const put = (value: unknown): unknown => (typeof value === 'string' ? value.replaceAll('NAME', name) : value === undefined ? undefined : JSON.parse(JSON.stringify(value).replaceAll('NAME', name)))
  return [
    ['POST', base, { ...type, kind, metadata: { name, ...(more as { metadata?: object }).metadata }, spec, ...(more as { status?: object }).status && { status: (more as { status?: object }).status } }],
    ...steps.map(([method, path, body, extras]) => [method, path.startsWith('/apis') || path.startsWith('/') ? path.replaceAll('NAME', name) : `${base}/${name}${path.slice(1)}`, put(body), extras] as unknown as Step),
  ]
}
const patch = (body: unknown, path = '.', kind = 'merge-patch'): Step => ['PATCH', path, body, { type: `application/${kind}+json` }]
const json = (...operations: readonly object[]): Step => patch(operations, '.', 'json-patch')
const get: Step = ['GET', '.']

const patches: Suite['cases'] = {
  'merge patches': on({ a: 'x', m: { k: 'v', l: 'w' }, l: ['a'] }, [patch({ spec: { a: 'y' } }), patch({ spec: { m: { k: null } } }), patch({ spec: { l: null } }), patch({ spec: { zzz: 1 } }), patch({ metadata: { labels: { a: 'b' } } }), patch({ spec: { a: 5 } }), patch({ spec: null }), patch({}), get]),
  'merge patches that are none': on({}, [patch('['), patch('5'), patch('[]'), patch('null'), patch('"x"'), patch('')]),
  'merge patches of what cannot change': on({}, [patch({ metadata: { name: 'other' } }), patch({ metadata: { namespace: 'other' } }), patch({ metadata: { uid: 'other' } }), patch({ metadata: { resourceVersion: '1' } }), patch({ metadata: { creationTimestamp: null } }), patch({ metadata: { generation: 9 } }), patch({ kind: 'Other' }), patch({ apiVersion: 'x/v1' }), patch({ apiVersion: null }), patch({ metadata: { deletionTimestamp: '2020-01-01T00:00:00Z' } }), patch({ metadata: { selfLink: 'x' } }), patch({ metadata: null })]),
  'strategic patches': on({}, [patch({ spec: { a: 'x' } }, '.', 'strategic-merge-patch')]),
  'unknown patches': on({}, [['PATCH', '.', {}, { type: 'application/json' }], ['PATCH', '.', {}, { type: 'text/plain' }], ['PATCH', '.', {}, { type: '' }]]),
  'JSON patches': on({ a: 'x', l: ['a', 'b'], m: { 'a/b': 'c', 'd~e': 'f' } }, [json({ op: 'replace', path: '/spec/a', value: 'y' }), json({ op: 'add', path: '/spec/l/-', value: 'c' }), json({ op: 'add', path: '/spec/l/0', value: 'z' }), json({ op: 'remove', path: '/spec/l/1' }), json({ op: 'copy', from: '/spec/a', path: '/spec/b' }),
    json({ op: 'move', from: '/spec/b', path: '/spec/c' }), json({ op: 'test', path: '/spec/a', value: 'y' }), json({ op: 'remove', path: '/spec/m/a~1b' }), json({ op: 'remove', path: '/spec/m/d~0e' }), json({ op: 'add', path: '/metadata/labels', value: { a: 'b' } }), json(), get]),
  'JSON patches that fail': on({ a: 'x', l: ['a'] }, [json({ op: 'replace', path: '/spec/zzz', value: 'y' }), json({ op: 'remove', path: '/spec/zzz' }), json({ op: 'test', path: '/spec/a', value: 'no' }), json({ op: 'test', path: '/spec/zzz', value: 'no' }), json({ op: 'add', path: '/spec/l/7', value: 'x' }), json({ op: 'remove', path: '/spec/l/7' }), json({ op: 'replace', path: '/spec/l/7', value: 'x' }), json({ op: 'add', path: '/zzz/a/b', value: 1 }),
    json({ op: 'copy', from: '/spec/zzz', path: '/spec/b' }), json({ op: 'move', from: '/spec/zzz', path: '/spec/b' }), json({ op: 'fly', path: '/spec/a' }), json({ path: '/spec/a' }), json({ op: 'add' }), json({ op: 'add', path: 'spec/a', value: 1 }), json({ op: 'remove', path: '' }), json({ op: 'add', path: '/spec/a' }), patch('{}', '.', 'json-patch'), patch('[', '.', 'json-patch'), patch('null', '.', 'json-patch'), json({ op: 'replace', path: '/spec/a', value: 5 }), json({ op: 'replace', path: '/metadata/name', value: 'q' })]),
  'patches of what is not there': [['PATCH', `${at}/things/nothing`, { spec: {} }], ['PATCH', `${at}/nothings/x`, {}], ['PUT', `${at}/things/nothing`, { ...type, metadata: { name: 'nothing' } }], ['DELETE', `${at}/things/nothing`], ['GET', `${at}/things/nothing`], ['PATCH', `${at}/things/nothing/status`, {}], ['GET', `${at}/things/nothing/scale`]],
}

const puts: Suite['cases'] = {
  'puts': on({ a: 'x' }, [['PUT', '.', { ...type, metadata: { name: 'NAME' }, spec: { a: 'y' } }], ['PUT', '.', { ...type, metadata: { name: 'NAME', resourceVersion: '1' }, spec: { a: 'y' } }], ['PUT', '.', { ...type, metadata: { name: 'NAME', resourceVersion: 'x' } }], ['PUT', '.', { ...type, metadata: { name: 'other', resourceVersion: '1' } }], ['PUT', '.', { ...type, metadata: {} }],
    ['PUT', '.', { ...type, metadata: { name: 'NAME', namespace: 'other', resourceVersion: '1' } }], ['PUT', '.', { ...type, metadata: { name: 'NAME', uid: 'x', resourceVersion: '1' } }], ['PUT', '.', {}], ['PUT', '.', { ...type, kind: 'Other', metadata: { name: 'NAME', resourceVersion: '1' } }]]),
  'creating again, and elsewhere': on({}, [['POST', `${at}/things`, { ...type, metadata: { name: 'NAME' } }], ['POST', `${at}/things?dryRun=All`, { ...type, metadata: { name: 'NAME' } }], ['POST', `${at}/things`, { ...type, metadata: { name: 'q', namespace: 'other' } }], ['POST', `${at}/things`, { ...type, metadata: { name: 'q', resourceVersion: '5' } }], ['POST', `/apis/${group}/v1/namespaces/missing/things`, { ...type, metadata: { name: 'q' } }], ['POST', `/apis/${group}/v1/things`, { ...type, metadata: { name: 'q' } }]]),
  'dry runs': on({ a: 'x' }, [['PATCH', '.?dryRun=All', { spec: { a: 'y' } }], ['PATCH', '.?dryRun=Some', { spec: { a: 'y' } }], ['PUT', '.?dryRun=All&dryRun=All', { ...type, metadata: { name: 'NAME' } }], ['DELETE', '.?dryRun=All'], ['DELETE', '.?dryRun=x'], get]),
  'generated names': [['POST', `${at}/things?dryRun=All`, { ...type, metadata: { generateName: 'Ab-' } }], ['POST', `${at}/things?dryRun=All`, { ...type, metadata: {} }], ['POST', `${at}/things?dryRun=All`, { ...type }]],
  'generations': on({ a: 'x' }, [patch({ spec: { a: 'y' } }), patch({ metadata: { labels: { a: 'b' } } }), patch({ status: { ready: 5 } }), patch({ status: { ready: 5 } }, './status'), patch({ spec: { a: 'z' } }, './status'), get]),
  'generations without a status of its own': on({ a: 'x' }, [patch({ spec: { a: 'y' } }), patch({ metadata: { labels: { a: 'b' } } }), patch({ status: { ready: 5 } }), patch({ status: {} }, './status'), ['GET', './status'], ['GET', './scale'], get], 'plains'),
  'a status at creation': on({}, [get], 'things', { status: { ready: 7 } }),
  'a status at creation where it is nothing special': on({}, [get], 'plains', { status: { ready: 7 } }),
  'status': on({ a: 'x', replicas: 2 }, [['GET', './status'], ['PUT', './status', { ...type, metadata: { name: 'NAME' }, status: { ready: 1 } }], patch({ status: { ready: 'x' } }, './status'), patch({ metadata: { labels: { s: 't' }, annotations: { s: 't' }, finalizers: ['a.b/c'] }, spec: { a: 'changed' }, status: { ready: 2 } }, './status'), patch({ status: null }, './status'), ['DELETE', './status'], ['POST', './status', {}], get]),
  'scale': on({ replicas: 2 }, [['GET', './scale'], patch({ spec: { replicas: 5 } }, './scale'), patch({ spec: { replicas: -1 } }, './scale'), patch({ spec: { replicas: 'x' } }, './scale'), ['PUT', './scale', { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'NAME' }, spec: { replicas: 7 } }], ['PUT', './scale', { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'other' }, spec: { replicas: 7 } }],
    ['PUT', './scale', { apiVersion: 'autoscaling/v1', kind: 'Scale', metadata: { name: 'NAME', resourceVersion: '1' }, spec: { replicas: 7 } }], ['PUT', './scale', { ...type }], patch({ status: { replicas: 3, selector: 'a=b' } }, './status'), ['GET', './scale'], ['GET', './scale', undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' }], get]),
  'scale of an object without replicas': on({}, [['GET', './scale'], patch({ spec: { replicas: 5 } }, './scale'), patch({ spec: { replicas: null } }), ['GET', './scale']]),
  'scale out of the range': on({ replicas: -5 }, [['GET', './scale']]),
  'scale of a wrong status': on({ replicas: 1 }, [patch({ status: { replicas: -2 } }, './status'), patch({ status: { selector: 'a b c' } }, './status'), ['GET', './scale']]),
  'deletion': on({}, [['DELETE', '.']]),
  'deletion with preconditions': on({}, [['DELETE', '.', { preconditions: { uid: 'x' } }], ['DELETE', '.', { preconditions: { resourceVersion: '1' } }], ['DELETE', '.', { propagationPolicy: 'Sideways' }], ['DELETE', '.', { orphanDependents: true, propagationPolicy: 'Orphan' }], ['DELETE', '.', { gracePeriodSeconds: -1 }], ['DELETE', '.', 'x'], ['DELETE', '.', { kind: 'Other', apiVersion: 'v1' }], ['DELETE', '.?propagationPolicy=Foreground'], get]),
  'deletion, orphaning': on({}, [['DELETE', '.', { propagationPolicy: 'Orphan' }], ['DELETE', '.', { propagationPolicy: 'Foreground' }], get, patch({ metadata: { finalizers: null } })]),
  'deletion with finalizers': on({}, [['DELETE', '.'], ['DELETE', '.'], get, patch({ spec: { a: 'late' } }), patch({ metadata: { finalizers: ['a.b/c', 'd.e/f'] } }), patch({ metadata: { deletionTimestamp: null } }), patch({ metadata: { finalizers: null } }), get], 'things', { metadata: { finalizers: ['a.b/c'] } }),
  'finalizers without a domain': on({}, [patch({ metadata: { finalizers: ['short', 'with.dots', 'a.b/c', 'orphan'] } }), patch({ metadata: { finalizers: ['not good'] } }), patch({ metadata: { finalizers: [] } })], 'things', { metadata: { finalizers: ['short'] } }),
  'cluster scoped': [...on({}, [get, patch({ metadata: { namespace: 'default' } })], 'clusters'), ['GET', `${at}/clusters`], ['POST', `/apis/${group}/v1/clusters`, { ...type, kind: 'Cluster', metadata: { name: 'q', namespace: 'default' } }]],
  'what is immutable by a rule': on({ fixed: 'a' }, [patch({ spec: { fixed: 'b' } }), patch({ spec: { fixed: null } }), patch({ spec: { fixed: 'a', a: 'x' } })]),
}

const validation: Suite['cases'] = Object.fromEntries(['', 'Ignore', 'Warn', 'Strict', 'Nonsense'].map((mode) => {
  const query = mode ? `&fieldValidation=${mode}` : ''
  const text = `{"apiVersion":"${group}/v1","kind":"Thing","metadata":{"name":"q","foo":1,"labels":{"a":"b","a":"c"}},"spec":{"a":"x","a":"y","zzz":1,"m":{"k":"v","k":"w"},"l":["a"],"deep":[{"u":1}]},"extra":{"x":1}}`
  const yaml = `apiVersion: ${group}/v1\nkind: Thing\nmetadata:\n  name: q\nspec:\n  a: x\n  a: y\n  zzz: 1\n`
  return [`unknown and repeated fields, ${mode || 'by default'}`, [
    ['POST', `${at}/things?dryRun=All${query}`, text], ['POST', `${at}/things?dryRun=All${query}`, yaml, { type: 'application/yaml' }],
    ...on({}, [['PATCH', `.?dryRun=All${query}`, '{"spec":{"a":"x","a":"y","zzz":1}}'], ['PATCH', `.?dryRun=All${query}`, [{ op: 'add', path: '/spec/zzz', value: 1 }], { type: 'application/json-patch+json' }], ['PATCH', `.?dryRun=All${query}`, '[{"op":"add","op":"add","path":"/spec/a","value":"x"}]', { type: 'application/json-patch+json' }],
      ['APPLY', `.?dryRun=All&fieldManager=m${query}`, { ...type, spec: { zzz: 1, a: 'x' } }], ['APPLY', `.?dryRun=All&fieldManager=m${query}`, yaml]]),
    ['POST', `/apis/apiextensions.k8s.io/v1/customresourcedefinitions?dryRun=All${query}`, { ...definition({ group: 'other.example.com' }), extra: 1 }],
  ] as readonly Step[]]
}))

const wrong: Suite['cases'] = {
  'media types of bodies': [['POST', `${at}/things`, '{}', { type: 'text/plain' }], ['POST', `${at}/things`, '{}', { type: 'application/vnd.kubernetes.protobuf' }], ['POST', `${at}/things`, '{}', { type: 'x' }], ['POST', `${at}/things?dryRun=All`, { ...type, metadata: { name: 'q' } }, { type: 'application/json; charset=utf-8' }], ['POST', `${at}/things?dryRun=All`, 'apiVersion: [', { type: 'application/yaml' }]],
  'media types of answers': ['text/html', 'application/vnd.kubernetes.protobuf', 'application/json;as=Table;v=v1;g=meta.k8s.io', 'application/json;as=Table;v=v9;g=meta.k8s.io', 'application/json;as=Nothing;v=v1;g=meta.k8s.io', 'application/xml, application/json', '*/*', 'application/yaml', 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io', 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io']
    .flatMap((accept): Step[] => [['GET', `${at}/things?labelSelector=none=such`, undefined, { accept }], ['GET', `${at}/things/nothing`, undefined, { accept }]]),
  'paths': [['GET', `/apis/${group}`], ['GET', `/apis/${group}/v1`], ['GET', `/apis/${group}/v2`], ['GET', `/apis/${group}/v1/nothings`], ['GET', `/apis/${group}/v1/namespaces/default`], ['GET', `/apis/${group}/v1/things/x`], ['GET', `${at}/things/x/y`], ['GET', `${at}/things/x/status/y`], ['GET', `${at}/`], ['GET', `${at}/things/`], ['GET', `/apis/nothing.example.com/v1`], ['GET', '/apis/nothing.example.com/v1/things'], ['GET', '/apis/apiextensions.k8s.io/v1/nothings']],
  'methods': [['POST', `${at}/things/x`, {}], ['PUT', `${at}/things`, {}], ['PATCH', `${at}/things`, {}], ['DELETE', `/apis/${group}/v1/things`], ['OPTIONS', `${at}/things`], ['POST', `${at}/things/x/scale`, {}], ['DELETE', `${at}/things/x/scale`]],
  'options of requests': [['GET', `${at}/things?limit=x`], ['GET', `${at}/things?limit=-1`], ['GET', `${at}/things?labelSelector=a%20b`], ['GET', `${at}/things?labelSelector=a%20in%20()`], ['GET', `${at}/things?fieldSelector=spec.a=x`], ['GET', `${at}/things?fieldSelector=spec.nothing=x`], ['GET', `${at}/things?fieldSelector=metadata.name=x`], ['GET', `${at}/things?fieldSelector=metadata.labels=x`], ['GET', `${at}/things?fieldSelector=x`], ['GET', `${at}/things?resourceVersion=x`],
    ['GET', `${at}/things?resourceVersionMatch=Exact`], ['GET', `${at}/things?resourceVersionMatch=Exact&resourceVersion=0`], ['GET', `${at}/things?resourceVersionMatch=Nonsense&resourceVersion=1`], ['GET', `${at}/things?continue=x`], ['GET', `${at}/things?continue=x&resourceVersion=1`], ['GET', `${at}/things?resourceVersion=999999999`], ['GET', `${at}/things?timeoutSeconds=x`], ['GET', `${at}/things?timeoutSeconds=1&watch=maybe`], ['GET', `${at}/things?timeoutSeconds=1&watch=1&resourceVersionMatch=Exact&resourceVersion=1`], ['GET', `${at}/things?timeoutSeconds=1&watch=1&sendInitialEvents=true`],
    ['GET', `${at}/things?sendInitialEvents=true`], ['GET', `${at}/things?timeoutSeconds=1&watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan`], ['GET', `${at}/things?allowWatchBookmarks=x`], ['POST', `${at}/things?fieldManager=${'x'.repeat(129)}`, { ...type, metadata: { name: 'q' } }], ['POST', `${at}/things?fieldManager=a%00b`, { ...type, metadata: { name: 'q' } }]],
}

const fields = {
  a: { type: 'string' }, b: { type: 'string' }, c: { type: 'string' }, m: { type: 'object', additionalProperties: { type: 'string' } }, l: { type: 'array', items: { type: 'string' } }, replicas: { type: 'integer' },
  fixed: { type: 'string', 'x-kubernetes-validations': [{ rule: 'self == oldSelf', message: 'fixed is fixed' }] }, deep: { type: 'array', items: { type: 'object', properties: { a: { type: 'string' } } } },
}
const schema = { ...specOf(fields), properties: { ...(specOf(fields) as { properties: object }).properties, status: { type: 'object', properties: { ready: { type: 'integer' }, replicas: { type: 'integer' }, selector: { type: 'string' } } } } }
const subresources = { status: {}, scale: { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas', labelSelectorPath: '.status.selector' } }

const suite: Suite = {
  definitions: [
    definition({ group, schema, version: { subresources, selectableFields: [{ jsonPath: '.spec.a' }] }, names: { shortNames: ['th'], categories: ['all'] } }),
    definition({ group, kind: 'Plain', schema }),
    definition({ group, kind: 'Cluster', schema, scope: 'Cluster' }),
  ],
  cases: { ...patches, ...puts, ...validation, ...wrong },
}
export default suite
