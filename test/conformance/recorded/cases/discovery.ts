/** What is told of custom kinds to clients that look for them: one document a path, and the aggregated form. */
import type { Step } from '../exchange.ts'
import type { Suite } from '../suite.ts'
import { definition, specOf } from './definition.ts'

const group = 'discovery.example.com'
const schema = { ...specOf({ a: { type: 'string' } }) }
const version = (name: string, more: object = {}) => ({ name, served: true, storage: false, schema: { openAPIV3Schema: schema }, ...more })
const scale = { specReplicasPath: '.spec.replicas', statusReplicasPath: '.status.replicas' }

interface Group { readonly metadata: { readonly name: string }; readonly name: string; readonly versions: readonly { readonly version: string; readonly resources: readonly Named[] }[] }
interface Named { readonly name?: string; readonly resource?: string }

const plural = ({ name, resource }: Named): string => (name ?? resource ?? '').replace(/\/.*/, '')
/** Kinds stand in no order of their own in a group; what belongs to one keeps its order. */
const byPlural = (resources: readonly Named[]): Named[] => resources.toSorted((a, b) => (plural(a) < plural(b) ? -1 : plural(a) > plural(b) ? 1 : 0))
const resources = ((body: { resources: Named[] }) => ({ ...body, resources: byPlural(body.resources) })) as (body: never) => unknown
const ours = ((body: { items?: Group[]; groups?: Group[] }) => ({
  ...body,
  ...(body.items ? { items: body.items.filter(({ metadata }) => metadata.name === group).map((item) => ({ ...item, versions: item.versions.map((v) => ({ ...v, resources: byPlural(v.resources) })) })) } : {}),
  ...(body.groups ? { groups: [] } : {}),
})) as (body: never) => unknown
const builtIn = ((body: { items: Group[] }) => body.items.filter(({ metadata }) => metadata.name === 'apiextensions.k8s.io')) as (body: never) => unknown

const v2 = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'
const v2beta1 = v2.replace('v=v2', 'v=v2beta1')
const whole = ({ items = [] }: { items?: Group[] }): boolean => (items.find(({ metadata }) => metadata.name === group)?.versions[0]?.resources.length ?? 3) > 2
const root = (accept: string): Step => ['GET', '/apis', undefined, { accept, pick: ours, until: whole as (body: never) => boolean }]

const accepts = [
  v2, v2beta1, `${v2},application/json`, `${v2},${v2beta1},application/json`, `${v2beta1},${v2}`, `application/json,${v2}`, 'application/json', '*/*', 'application/*', 'application/yaml', 'text/html', 'application/vnd.kubernetes.protobuf',
  'application/json;as=APIGroupDiscoveryList', 'application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList', 'application/json;g=apidiscovery.k8s.io;v=v3;as=APIGroupDiscoveryList,application/json', `text/html,${v2}`, `${v2};q=0.1,application/json;q=0.9`,
  'application/json;g=apidiscovery.k8s.io;v=v2;as=Nothing', 'application/json; g=apidiscovery.k8s.io; v=v2; as=APIGroupDiscoveryList', 'application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io', `${v2};profile=nopeer`, `${v2};profile=x`, 'application/cbor', '',
]

const suite: Suite = {
  definitions: [
    definition({ group, names: { shortNames: ['th', 'thi'], categories: ['all', 'others'] }, versions: [version('v1beta1', { storage: true }), version('v1', { subresources: { status: {}, scale } }), version('v2alpha1', { deprecated: true, subresources: { status: {} } }), version('v10', { served: false }), version('other')] }),
    definition({ group, kind: 'Wide', scope: 'Cluster', schema, names: { singular: 'big', listKind: 'Many' } }),
    definition({ group, kind: 'Late', schema, versions: [version('v1', { storage: true, subresources: { scale } })] }),
  ],
  cases: {
    'the whole is there': [root(v2)],
    'the group': [['GET', `/apis/${group}`], ['GET', `/apis/${group}/`], ['GET', '/apis/nothing.example.com']],
    'the versions': ['v1', 'v1beta1', 'v2alpha1', 'other', 'v1/'].map((name) => ['GET', `/apis/${group}/${name}`, undefined, { pick: resources }]),
    'versions that are not served': ['v10', 'v3', 'V1'].map((name) => ['GET', `/apis/${group}/${name}`]),
    'forms of the root': accepts.map(root),
    'forms of a group': accepts.map((accept) => ['GET', `/apis/${group}`, undefined, { accept }]),
    'forms of a version': accepts.map((accept) => ['GET', `/apis/${group}/other`, undefined, { accept }]),
    'the definitions themselves': [['GET', '/apis', undefined, { accept: v2, pick: builtIn }], ['GET', '/apis/apiextensions.k8s.io/v1'], ['GET', '/apis/apiextensions.k8s.io']],
  },
}
export default suite
