/** Kinds in two versions that a webhook converts: well, wrongly and not at all. Without one only `apiVersion` changes. */
import type { Step } from '../exchange.ts'
import type { Suite } from '../suite.ts'
import { definition, specOf } from './definition.ts'

const group = 'conversion.example.com'
const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions'
const text = { type: 'string' }
const versions = [
  { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: specOf({ text }) }, subresources: { status: {} } },
  { name: 'v2', served: true, storage: false, schema: { openAPIV3Schema: specOf({ left: text, right: text, d: { type: 'string', default: 'filled' } }) }, subresources: { status: {} }, selectableFields: [{ jsonPath: '.spec.left' }], additionalPrinterColumns: [{ name: 'Left', type: 'string', jsonPath: '.spec.left', description: 'x' }] },
]
const webhook = (mode: string, more: object = {}) => ({ strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig: { url: `<webhook.url>${mode}`, caBundle: '<webhook.caBundle>' }, ...more } })
const nothing = (() => 'done') as (body: never) => unknown
const at = (version: string, plural: string, namespace = 'default') => `/apis/${group}/${version}/namespaces/${namespace}/${plural}`
const object = (version: string, kind: string, name: string, spec: object) => ({ apiVersion: `${group}/${version}`, kind, metadata: { name }, spec })

interface Frame { readonly type: string; readonly object: { readonly apiVersion?: string; readonly metadata?: { readonly name?: string }; readonly spec?: object; readonly message?: string } }
const frames = ((body: Frame | readonly Frame[] | string) => (typeof body === 'string' ? body : [body].flat().map((one) => ((one as Frame).type === 'BOOKMARK' ? 'BOOKMARK' : [(one as Frame).type, (one as Frame).object.apiVersion, (one as Frame).object.metadata?.name, (one as Frame).object.spec, (one as Frame).object.message])))) as (body: never) => unknown
const short = ((body: { items?: readonly { metadata: object; spec?: object }[]; apiVersion?: string; metadata?: { labels?: unknown }; spec?: object }) => ({ apiVersion: body.apiVersion, ...(body.items ? { items: body.items.map(({ spec }) => spec) } : { metadata: body.metadata, spec: body.spec }) })) as (body: never) => unknown

/** A kind whose webhook does this: an object written in one version, and read, listed, watched and changed in the other. */
let number = 0
function kind(conversion: object, steps: (plural: string, kind: string) => readonly Step[]): readonly Step[] {
  const name = `Kind${number++}`
  const plural = `${name.toLowerCase()}s`
  const served = ((_body: unknown, code: number) => code === 200) as (body: never, code: number) => boolean
  return [
    ['POST', definitions, definition({ group, kind: name, versions, spec: { conversion } }), { pick: nothing }],
    ['GET', at('v1', plural), undefined, { pick: nothing, until: served }], ['GET', at('v2', plural), undefined, { pick: nothing, until: served }],
    ...steps(plural, name),
    ['DELETE', `${definitions}/${plural}.${group}`, undefined, { pick: nothing }],
  ]
}
const both = (plural: string, name: string): readonly Step[] => [
  ['POST', at('v1', plural), object('v1', name, 'a', { text: 'x-y' }), { pick: short, keep: 'made' }],
  ['GET', `${at('v2', plural)}/a`, undefined, { pick: short }],
  ['GET', at('v2', plural), undefined, { pick: short }],
  ['GET', `${at('v2', plural)}?watch=1&timeoutSeconds=1&resourceVersion=0`, undefined, { pick: frames, frames: 1 }],
  ['PATCH', `${at('v2', plural)}/a`, { spec: { right: 'z' } }, { pick: short }],
  ['POST', at('v2', plural), object('v2', name, 'b', { left: 'l', right: 'r' }), { pick: short }],
  ['GET', `${at('v1', plural)}/a`, undefined, { pick: short }],
  ['DELETE', `${at('v2', plural)}/a`, undefined, { pick: short }],
]
const wrong = ['other-uid', 'no-uid', 'fewer', 'more', 'none', 'other-version', 'other-group', 'no-version', 'other-kind', 'other-name', 'other-namespace', 'other-metadata-uid', 'no-metadata', 'metadata-text', 'labels', 'bad-labels', 'labels-number', 'finalizers', 'unknown', 'wrong', 'failed', 'failed-silently', 'failed-with-objects', 'no-result', 'null', 'text', 'empty', 'http-500', 'http-201', 'http-404', 'garbage', 'redirect', 'beta', 'other-review', 'no-response', 'typeless']

const suite: Suite = {
  webhook: true,
  cases: {
    'without a webhook': kind({ strategy: 'None' }, (plural, name) => [...both(plural, name), ['GET', at('v2', plural), undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io', pick: ((body: { rows: readonly { cells: unknown }[] }) => body.rows.map(({ cells }) => cells)) as (body: never) => unknown }]]),
    'well': kind(webhook('good'), both),
    'in ways of reading': kind(webhook('good'), (plural, name) => [
      ['POST', at('v1', plural), object('v1', name, 'a', { text: 'x-y' }), { pick: nothing, keep: 'made' }], ['POST', at('v2', plural), object('v2', name, 'b', { left: 'l', right: 'r' }), { pick: nothing }],
      ['PATCH', `${at('v1', plural)}/a`, { spec: { text: 'q-y' } }, { pick: nothing }], ['DELETE', `${at('v2', plural)}/b`, undefined, { pick: nothing }],
      ['GET', `${at('v2', plural)}?watch=1&timeoutSeconds=1&resourceVersion=<made.resourceVersion>`, undefined, { pick: frames, frames: 3 }], ['GET', `${at('v2', plural)}?watch=1&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`, undefined, { pick: frames, frames: 2 }],
      ['GET', `${at('v2', plural)}?fieldSelector=spec.left=q`, undefined, { pick: short }], ['GET', `${at('v2', plural)}?fieldSelector=spec.left=x`, undefined, { pick: short }], ['GET', `${at('v1', plural)}?fieldSelector=spec.left=q`], ['GET', `${at('v2', plural)}?limit=1&resourceVersion=<made.resourceVersion>&resourceVersionMatch=Exact`, undefined, { pick: short }],
      ['GET', at('v2', plural), undefined, { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io', pick: ((body: { rows: readonly { cells: unknown }[] }) => body.rows.map(({ cells }) => cells)) as (body: never) => unknown }], ['GET', at('v2', plural), undefined, { accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io', pick: ((body: { items: readonly unknown[] }) => body.items.length) as (body: never) => unknown }],
      ['PUT', `${at('v2', plural)}/a`, object('v2', name, 'a', { left: 'put', right: 'it' }), { pick: short }], ['PUT', `${at('v2', plural)}/a`, object('v1', name, 'a', { text: 'put-it' }), { pick: short }], ['PATCH', `${at('v2', plural)}/a/status`, { status: {} }, { pick: short }],
      ['APPLY', `${at('v2', plural)}/a?fieldManager=m&force=true`, { ...object('v2', name, 'a', { left: 'applied' }) }, { pick: short }], ['APPLY', `${at('v1', plural)}/a?fieldManager=n`, object('v1', name, 'a', { text: 'other' })],
      ['DELETE', at('v2', plural), undefined, { pick: short }],
    ]),
    ...Object.fromEntries(wrong.map((mode) => [`answers: ${mode}`, kind(webhook(mode), both)])),
    'one of many fails': kind(webhook('failed-partly'), (plural, name) => [
      ['POST', at('v1', plural), object('v1', name, 'good', { text: 'x-y' }), { pick: nothing }], ['POST', at('v1', plural), object('v1', name, 'bad', { text: 'x-y' }), { pick: nothing }], ['POST', at('v2', plural), object('v2', name, 'very-bad', { left: 'x', right: 'y' })],
      ['GET', at('v2', plural), undefined, { pick: short }], ['GET', `${at('v2', plural)}/good`, undefined, { pick: short }], ['GET', `${at('v2', plural)}/bad`], ['GET', `${at('v2', plural)}?limit=1`, undefined, { pick: short }], ['GET', `${at('v2', plural)}?watch=1&timeoutSeconds=1&resourceVersion=0`, undefined, { pick: frames }],
      ['DELETE', `${at('v2', plural)}/bad`, undefined, { pick: short }], ['DELETE', at('v2', plural), undefined, { pick: short }], ['GET', at('v1', plural), undefined, { pick: short }],
    ]),
    'nobody there': kind({ strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig: { url: 'https://127.0.0.1:1/x' } } }, (plural, name) => both(plural, name).slice(0, 5)),
    'nobody who is trusted': kind({ strategy: 'Webhook', webhook: { conversionReviewVersions: ['v1'], clientConfig: { url: '<webhook.url>good' } } }, (plural, name) => both(plural, name).slice(0, 2)),
    'in versions of reviews that nobody knows': kind(webhook('good', { conversionReviewVersions: ['v9', 'v1beta1'] }), both),
    'in the older version of reviews': kind(webhook('beta', { conversionReviewVersions: ['v1beta1'] }), both),
  },
}
export default suite
