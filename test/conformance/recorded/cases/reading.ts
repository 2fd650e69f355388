/** Lists and watches of custom objects: pages, revisions, selectors, bookmarks, initial events, forms of answers. */
import type { Step } from '../exchange.ts'
import type { Suite } from '../suite.ts'
import { definition, specOf } from './definition.ts'

const group = 'reading.example.com'
const at = (namespace = 'default') => `/apis/${group}/v1/namespaces/${namespace}/things`
const all = `/apis/${group}/v1/things`

/** Objects of a case are told apart by their label. */
let number = 0
function of(count: number, steps: (mine: string) => readonly Step[]): readonly Step[] {
  const name = `r${number++}`
  const make = Array.from({ length: count }, (_, i): Step => ['POST', at(), thing(`${name}-${i}`, name, i), { keep: `made${i}` }])
  return [...make, ...steps(`labelSelector=of%3D${name}`)]
}
const thing = (name: string, of: string, n = 0) => ({ apiVersion: `${group}/v1`, kind: 'Thing', metadata: { name, labels: { of } }, spec: { a: n % 2 ? 'odd' : 'even', n, flag: n > 1 } })
interface Page { readonly items?: readonly { readonly metadata: { readonly name: string } }[]; readonly metadata?: object }
interface Frame { readonly type: string; readonly object: { readonly kind?: string; readonly metadata?: { readonly name?: string; readonly annotations?: object }; readonly code?: number; readonly reason?: string; readonly message?: string; readonly spec?: { readonly a?: string } } }
const page = ((body: Page) => ({ items: body.items?.map((item) => item.metadata.name.replace(/^r\d+/, 'r')), metadata: body.metadata })) as (body: never) => unknown
const frame = (one: Frame): unknown => (one.object === undefined ? Object.keys(one) : [one.type, one.object.metadata?.name?.replace(/^r\d+/, 'r') ?? one.object, one.object.spec?.a, one.object.metadata?.annotations])
const frames = ((body: Frame | readonly Frame[] | string) => (typeof body === 'string' ? body : [body].flat().map((one) => frame(one as Frame)))) as (body: never) => unknown

const list = (query: string, more: object = {}): Step => ['GET', `${at()}?${query}`, undefined, { pick: page, ...more }]
const watch = (query: string, count?: number, more: object = {}): Step => ['GET', `${at()}?watch=1&${query}${query.includes('timeoutSeconds') || count ? '' : '&timeoutSeconds=1'}`, undefined, { pick: frames, ...(count ? { frames: count } : {}), ...more }]
const change = (name: string, spec: object): Step => ['PATCH', `${at()}/${name}`, { spec }]
const nameOf = (mine: string, i: number): string => `${mine.replace('labelSelector=of%3D', '')}-${i}`

/** Descriptions of Kubernetes's own columns are in its words. */
const words = ((body: unknown) => JSON.parse(JSON.stringify(body, (key, value: unknown) => (key === 'description' ? undefined : typeof value === 'string' ? value.replaceAll(/r\d+-/g, 'r-') : value))) as unknown) as (body: never) => unknown

const pages: Suite['cases'] = {
  'pages': of(5, (mine) => [list(`${mine}&limit=2`, { keep: 'one' }), list(`${mine}&limit=2&continue=<one.continue>`, { keep: 'two' }), list(`${mine}&limit=2&continue=<two.continue>`), list(`${mine}&limit=5`), list(`${mine}&limit=0`), list(`${mine}&continue=<one.continue>`)]),
  'pages in all namespaces': of(3, (mine) => [['GET', `${all}?${mine}&limit=2`, undefined, { pick: page, keep: 'one' }], ['GET', `${all}?${mine}&limit=2&continue=<one.continue>`, undefined, { pick: page }]]),
  'pages are of one moment': of(4, (mine) => [list(`${mine}&limit=2`, { keep: 'one' }), ['DELETE', `${at()}/${nameOf(mine, 3)}`], ['POST', at(), thing(nameOf(mine, 2.5), 'later')], list(`${mine}&limit=2&continue=<one.continue>`)]),
  'pages of a moment that is named': of(4, (mine) => [list(mine, { keep: 'then' }), ['DELETE', `${at()}/${nameOf(mine, 0)}`], list(`${mine}&limit=2&resourceVersion=<then.resourceVersion>&resourceVersionMatch=Exact`, { keep: 'one' }), list(`${mine}&limit=2&continue=<one.continue>`), list(`${mine}&resourceVersion=<then.resourceVersion>&resourceVersionMatch=Exact`), list(`${mine}&resourceVersion=<then.resourceVersion>&resourceVersionMatch=NotOlderThan`), list(`${mine}&resourceVersion=<then.resourceVersion>`), list(`${mine}&resourceVersion=<then.resourceVersion>&limit=2`)]),
  'ways to name a moment': of(1, (mine) => ['resourceVersion=0', 'resourceVersion=0&limit=1', 'resourceVersion=0&resourceVersionMatch=NotOlderThan', 'resourceVersion=0&resourceVersionMatch=Exact', 'resourceVersionMatch=NotOlderThan', 'resourceVersionMatch=Exact', 'resourceVersion=&resourceVersionMatch=Exact', 'resourceVersion=x', 'resourceVersion=-1', 'resourceVersion=1.5', 'resourceVersion=18446744073709551616', 'resourceVersion=1&resourceVersionMatch=Exact',
    'resourceVersion=5&resourceVersionMatch=exact', 'resourceVersion=999999999&resourceVersionMatch=Exact', 'limit=x', 'limit=-1', 'limit=1&resourceVersionMatch=NotOlderThan&resourceVersion=0', 'sendInitialEvents=true', 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan', 'sendInitialEvents=false'].map((query) => list(`${mine}&${query}`))),
  'continuing with what is none': ['x', 'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MX0', 'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiIuLi8uLi9hIn0', 'eyJ2IjoidjkiLCJydiI6MSwic3RhcnQiOiJhIn0', 'bm90IGpzb24', ''].map((token) => list(`limit=1&continue=${token}`)),
  'continuing with options that do not go with it': of(2, (mine) => [list(`${mine}&limit=1`, { keep: 'one' }), ...['resourceVersion=5', 'resourceVersion=0', 'resourceVersionMatch=Exact', 'resourceVersion=5&resourceVersionMatch=Exact', 'resourceVersion=0&resourceVersionMatch=NotOlderThan'].map((query) => list(`${mine}&continue=<one.continue>&${query}`))]),
  'reading one of a moment': of(1, (mine) => ['resourceVersion=0', 'resourceVersion=<made0.resourceVersion>', 'resourceVersion=x', 'resourceVersion=999999999', 'resourceVersionMatch=Exact'].map((query): Step => ['GET', `${at()}/${nameOf(mine, 0)}?${query}`, undefined, { pick: (() => 'it') as (body: never) => unknown }])),
  'deletion of many': of(4, (mine) => [['DELETE', `${at()}?${mine}&dryRun=All`, undefined, { pick: page }], ['DELETE', `${at()}?${mine}&limit=2`, undefined, { pick: page }], ['DELETE', `${at()}?${mine}&fieldSelector=spec.a=odd`, undefined, { pick: page }], list(mine), ['DELETE', `${at()}?${mine}`, { propagationPolicy: 'Background' }, { pick: page }], list(mine), ['DELETE', `${at()}?${mine}`]]),
}

const selectors: Suite['cases'] = {
  'fields': of(4, (mine) => ['spec.a=odd', 'spec.a!=odd', 'spec.a==odd', 'spec.n=2', 'spec.flag=true', 'spec.missing=x', 'spec.a', 'spec.a=', 'spec.a in (odd)', 'metadata.name=x', 'metadata.namespace=default', 'metadata.namespace!=default', 'metadata.uid=x', 'spec.a=odd,spec.n=1', 'spec.a=odd,spec.missing=1', '.spec.a=odd', 'spec.a=odd,', ',', '=x', 'spec.when=2020-01-01T00:00:00Z', 'spec.a=\\x', 'spec.a=odd\\,even'].map((field) => list(`${mine}&fieldSelector=${encodeURIComponent(field)}`))),
  'labels': of(2, (mine) => ['of', '!of', 'of=x', 'of!=x', 'of in (x,y)', 'of notin (x,y)', 'of in x', 'of=x=y', 'of>5', 'of<x', 'of gt 5', 'a b', ',', 'of,', 'Of/x=y', '-x=y', 'of=-', `of=${'x'.repeat(64)}`, 'of exists', '!of=x', 'of in (x', 'of in (,)', '(of)', 'of=="x"'].map((label) => list(`${mine}&labelSelector=${encodeURIComponent(label)}`, { pick: ((body: Page) => typeof body.items) as (body: never) => unknown }))),
}

const watches: Suite['cases'] = {
  'from now': of(2, (mine) => [watch(mine, 2), watch(`${mine}&resourceVersion=0`, 2), watch(`${mine}&resourceVersion=`, 2)]),
  'from a moment': of(2, (mine) => [change(nameOf(mine, 0), { a: 'changed' }), ['PATCH', `${at()}/${nameOf(mine, 1)}`, { metadata: { labels: { of: 'other' } } }], ['DELETE', `${at()}/${nameOf(mine, 0)}`], watch(`${mine}&resourceVersion=<made0.resourceVersion>`, 4), watch(`${mine}&resourceVersion=<made1.resourceVersion>`, 3), watch(`${mine}&fieldSelector=spec.a%3Dchanged&resourceVersion=<made1.resourceVersion>`, 2)]),
  'with initial events': of(2, (mine) => [watch(`${mine}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`, 3), watch(`${mine}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=0`, 3), watch(`${mine}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=<made1.resourceVersion>`, 3),
    watch(`${mine}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=0`, 2), watch(`${mine}&sendInitialEvents=false&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`), watch(`${mine}&sendInitialEvents=false&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true&resourceVersion=0`)]),
  'with initial events, wrongly': ['sendInitialEvents=true', 'sendInitialEvents=true&resourceVersionMatch=Exact', 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=x', 'sendInitialEvents=x&resourceVersionMatch=NotOlderThan', 'resourceVersionMatch=NotOlderThan', 'resourceVersionMatch=Exact&resourceVersion=1', 'sendInitialEvents=false', 'resourceVersionMatch=NotOlderThan&resourceVersion=0', 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&continue=x', 'sendInitialEvents=true&resourceVersionMatch=NotOlderThan&limit=1'].map((query) => watch(`labelSelector=of%3Dnone&${query}`)),
  'from what is no moment': ['resourceVersion=x', 'resourceVersion=-1', 'resourceVersion=999999999', 'timeoutSeconds=x', 'timeoutSeconds=-1', 'continue=x&resourceVersion=0', 'allowWatchBookmarks=x', 'allowWatchBookmarks=true', 'allowWatchBookmarks=true&resourceVersion=0', 'allowWatchBookmarks=1&resourceVersion=1', 'allowWatchBookmarks=false', 'fieldSelector=spec.missing%3Dx', 'labelSelector=a%20b'].map((query) => watch(`${query.startsWith('label') ? '' : 'labelSelector=of%3Dnone&'}${query}`)),
  'in other ways': of(1, (mine) => [['GET', `/apis/${group}/v1/watch/things?timeoutSeconds=1&${mine}`], ['GET', `/apis/${group}/v1/watch/namespaces/default/things?timeoutSeconds=1&${mine}`, undefined, { pick: frames }], ['GET', `/apis/${group}/v1/watch/namespaces/default/things/${nameOf(mine, 0)}?timeoutSeconds=1`, undefined, { pick: frames }], ['GET', `${at()}/${nameOf(mine, 0)}?watch=1&timeoutSeconds=1`, undefined, { pick: frames }], ['GET', `${at()}?watch=true&timeoutSeconds=1&fieldSelector=metadata.name%3D${nameOf(mine, 0)}`, undefined, { pick: frames }], ['GET', `${at()}?watch=0&${mine}`, undefined, { pick: page }]]),
  'forms': of(1, (mine) => ['application/json;as=Table;v=v1;g=meta.k8s.io', 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io', 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io', 'application/json;stream=watch', 'application/yaml', 'application/vnd.kubernetes.protobuf', 'application/vnd.kubernetes.protobuf;stream=watch', 'text/html', 'application/json;as=Table;v=v1beta1;g=meta.k8s.io', 'application/json;as=Nothing;v=v1;g=meta.k8s.io'].map((accept): Step => ['GET', `${at()}?watch=1&${mine}&timeoutSeconds=1`, undefined, { accept, pick: words }])),
  'tables of changes': of(1, (mine) => [change(nameOf(mine, 0), { a: 'changed' }), ['DELETE', `${at()}/${nameOf(mine, 0)}`], ['GET', `${at()}?watch=1&${mine}&resourceVersion=<made0.resourceVersion>&timeoutSeconds=1`, undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io', pick: words }], ['GET', `${at()}?watch=1&${mine}&resourceVersion=<made0.resourceVersion>&timeoutSeconds=1`, undefined, { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io', pick: words }],
    ['GET', `${at()}?watch=1&${mine}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`, undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io', frames: 1, pick: words }], ['GET', `${at()}?watch=1&${mine}&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`, undefined, { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io', frames: 1, pick: words }]]),
}
const suite: Suite = {
  definitions: [definition({
    group, schema: specOf({ a: { type: 'string' }, n: { type: 'integer' }, flag: { type: 'boolean' }, when: { type: 'string', format: 'date-time' } }),
    version: { selectableFields: ['.spec.a', '.spec.n', '.spec.flag', '.spec.when'].map((jsonPath) => ({ jsonPath })), additionalPrinterColumns: [{ name: 'A', type: 'string', jsonPath: '.spec.a', description: 'mine' }] },
  })],
  cases: { ...pages, ...selectors, ...watches },
}
export default suite
