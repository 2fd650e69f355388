/** Tables of custom objects: columns of every type, dates, paths that find nothing, several values or objects. */
import type { Suite } from '../suite.ts'
import { definition } from './definition.ts'

const group = 'tables.example.com'
const at = `/apis/${group}/v1/namespaces/default`
const table = 'application/json;as=Table;v=v1;g=meta.k8s.io'

const paths = ['.spec.s', '.spec.i', '.spec.n', '.spec.b', '.spec.when', '.spec.o', '.spec.l', '.spec.l[0]', '.spec.l[*]', '.spec.l[5]', '.spec.items[*].name', '.spec.items[0].name', '.spec.items[?(@.name=="b")].v', ".spec.items[?(@.v>1)].name", '.spec.missing', '.spec.o.x', '.spec.m.a\\.b', ".spec.m['a.b']", '.metadata.creationTimestamp', '.metadata.name', '.metadata.labels.a', '.spec.l[-1]', '.spec.l[0:2]', '..name', '.spec.null', '.spec', '.metadata.labels']
const types = ['string', 'integer', 'number', 'boolean', 'date']
const columns = types.map((type) => definition({
  group, kind: `${type.charAt(0).toUpperCase()}${type.slice(1)}`,
  version: { additionalPrinterColumns: paths.map((jsonPath, i) => ({ name: `C${i}`, type, jsonPath, ...(i % 7 === 3 ? { priority: 1 } : {}), ...(i % 5 === 0 ? { description: `Column ${i}` } : {}), ...(type === 'integer' ? { format: 'int64' } : {}) })) },
}))
const objects: Readonly<Record<string, object>> = {
  full: { s: 'text', i: 5, n: 1.5, b: true, when: '2020-01-02T03:04:05Z', o: { x: 'y', z: 1 }, l: ['a', 'b', 'c'], items: [{ name: 'a', v: 1 }, { name: 'b', v: 2 }, { name: 'c', v: 3 }], m: { 'a.b': 'dotted' }, null: null },
  empty: {},
  other: { s: 7, i: '12', n: 3, b: 'true', when: 'yesterday', o: 'x', l: [], items: [], m: {} },
  strange: { s: ['x'], i: 5.9, n: '1e3', b: 0, when: 1600000000, l: [1, true, null, { a: 1 }], items: [{}, { name: 'b' }] },
  big: { s: true, i: 1099511627776, n: 1e21, b: false, when: '2999-01-01T00:00:00Z', l: [[1, 2], [3]] },
}
/** A cell without what is another tomorrow: ages in seconds are `NOW`, ages in years `YEARS`. */
function cell(shown: unknown): unknown {
  if (typeof shown !== 'string') return shown
  if (/^<?\d+s$|^\d{1,2}m(\d+s)?$/.test(shown)) return 'NOW'
  if (/^\d+y(\d+d)?$/.test(shown)) return 'YEARS'
  return shown.includes('uid') ? 'OBJECT' : shown
}
/** Without the words that are Kubernetes's own, and without what is only now. */
const shown = ((body: { columnDefinitions?: readonly { description: string }[]; rows?: readonly { cells: readonly unknown[] }[] }) => ({
  ...body,
  columnDefinitions: body.columnDefinitions?.map((column) => ({ ...column, description: /^(Column \d+|Custom resource definition column .*)$/.test(column.description) ? column.description : '' })),
  rows: body.rows?.map((row) => ({ ...row, cells: row.cells.map(cell) })),
})) as (body: never) => unknown

const get = (path: string, query = '', accept = table) => ['GET', `${at}/${path}${query}`, undefined, { accept, pick: shown }] as const
const cases: Suite['cases'] = Object.fromEntries(types.map((type) => {
  const kind = `${type.charAt(0).toUpperCase()}${type.slice(1)}`
  const plural = `${type}s`
  const make = Object.entries(objects).map(([name, spec]) => ['POST', `${at}/${plural}`, { apiVersion: `${group}/v1`, kind, metadata: { name, labels: { a: 'b' } }, spec }, { pick: (() => 'made') as (body: never) => unknown }] as const)
  return [`columns of type ${type}`, [...make, ...Object.keys(objects).map((name) => get(`${plural}/${name}`)), get(plural), get(`${plural}/full`, '?includeObject=None'), get(`${plural}/full`, '?includeObject=Object'), get(`${plural}/full`, '?includeObject=Metadata'), get(`${plural}/full`, '?includeObject=x'), get(plural, '?limit=2'), get(plural, '?includeObject=None&limit=1')]] as const
}))

const suite: Suite = {
  definitions: [...columns, definition({ group, kind: 'Plain' }), definition({ group, kind: 'Wide', scope: 'Cluster', version: { additionalPrinterColumns: [{ name: 'Name', type: 'string', jsonPath: '.spec.s' }, { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }, { name: 'A very long title', type: 'string', format: 'password', jsonPath: '.spec.s', priority: -1 }] } })],
  cases: {
    ...cases,
    'no columns': [['POST', `${at}/plains`, { apiVersion: `${group}/v1`, kind: 'Plain', metadata: { name: 'x' } }, { pick: (() => 'made') as (body: never) => unknown }], get('plains'), get('plains/x'), get('plains/missing'), get('plains/x', '', `${table},application/json`), get('plains/x', '', 'application/json;as=Table;v=v1beta1;g=meta.k8s.io')],
    'columns of names that are taken': [['POST', `/apis/${group}/v1/wides`, { apiVersion: `${group}/v1`, kind: 'Wide', metadata: { name: 'x' }, spec: { s: 'y' } }, { pick: (() => 'made') as (body: never) => unknown }], ['GET', `/apis/${group}/v1/wides`, undefined, { accept: table, pick: shown }]],
    'answers to writes': [['POST', `${at}/plains`, { apiVersion: `${group}/v1`, kind: 'Plain', metadata: { name: 'y' } }, { accept: table, pick: shown }], ['PATCH', `${at}/plains/y`, { spec: { a: 1 } }, { accept: table, pick: shown }], ['DELETE', `${at}/plains/y`, undefined, { accept: table, pick: shown }], ['DELETE', `${at}/plains`, undefined, { accept: table, pick: shown }]],
  },
}
export default suite
