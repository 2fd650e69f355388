/** Which operations there are on which paths: independent of the OpenAPI version that writes them down. */
import { authentication, autoscalingV1, core, meta, policy, type Resource, type StructType } from '../../api/index.ts'
import { subresourceInfo } from '../discovery/subresources.ts'

export interface Parameter {
  readonly name: string
  readonly in: 'query' | 'path'
  readonly type: 'string' | 'boolean' | 'integer'
  readonly description: string
}

export interface Kind { readonly group: string; readonly version: string; readonly kind: string }
/** A type that goes over the wire: an object, a list of a resource, or nothing but text. */
export type Payload = { readonly type: StructType } | { readonly listOf: Resource } | 'text'

export interface Operation {
  readonly path: string
  readonly method: 'get' | 'put' | 'post' | 'patch' | 'delete'
  readonly id: string
  readonly tag: string
  readonly description: string
  readonly action: string
  readonly kind: Kind
  readonly parameters: readonly Parameter[]
  readonly body?: Payload
  readonly response: Payload
  readonly codes: readonly number[]
  /** Of a kind that is not built in. */
  readonly custom: boolean
}

const query = (name: string, type: Parameter['type'], description: string): Parameter => ({ name, in: 'query', type, description })

const pretty = query('pretty', 'string', 'If true, the output is indented.')
const write: readonly Parameter[] = [
  query('dryRun', 'string', 'All: do everything but store the result.'),
  query('fieldManager', 'string', 'Who makes this change, for the record of field owners.'),
  query('fieldValidation', 'string', 'What to do about unknown and duplicate fields: Ignore, Warn or Strict.'),
]
const force = query('force', 'boolean', 'Take over fields that others own; for apply patches only.')
const choose: readonly Parameter[] = [
  query('allowWatchBookmarks', 'boolean', 'Send BOOKMARK events in a watch.'),
  query('continue', 'string', 'Where the page begins: the token of the page before.'),
  query('fieldSelector', 'string', 'Only objects whose fields match.'),
  query('labelSelector', 'string', 'Only objects whose labels match.'),
  query('limit', 'integer', 'At most this many objects in one answer.'),
  query('resourceVersion', 'string', 'The revision to read at, or to watch from.'),
  query('resourceVersionMatch', 'string', 'How resourceVersion is meant: Exact or NotOlderThan.'),
  query('sendInitialEvents', 'boolean', 'Begin a watch with what is there already.'),
  query('shardSelector', 'string', 'Only a part of all objects; of no effect unless that is switched on.'),
  query('timeoutSeconds', 'integer', 'How long a list or watch may take.'),
]
const atRevision = choose.find(({ name }) => name === 'resourceVersion') as Parameter
const watch = query('watch', 'boolean', 'Watch for changes instead of listing.')
const remove: readonly Parameter[] = [
  query('dryRun', 'string', 'All: do everything but store the result.'),
  query('gracePeriodSeconds', 'integer', 'Seconds before the object is gone; zero: at once.'),
  query('ignoreStoreReadErrorWithClusterBreakingPotential', 'boolean', 'Delete an object that cannot be read any more.'),
  query('orphanDependents', 'boolean', 'Older form of propagationPolicy.'),
  query('propagationPolicy', 'string', 'What becomes of dependents: Orphan, Background or Foreground.'),
]
const name = (kind: string): Parameter => ({ name: 'name', in: 'path', type: 'string', description: `Name of the ${kind}.` })
const namespace: Parameter = { name: 'namespace', in: 'path', type: 'string', description: 'Namespace of the objects.' }
const rest: Parameter = { name: 'path', in: 'path', type: 'string', description: 'Path at the target.' }

const subresourceTypes: Readonly<Record<string, StructType>> = {
  Scale: autoscalingV1.Scale as StructType,
  Eviction: policy.Eviction as StructType,
  TokenRequest: authentication.TokenRequest as StructType,
  Binding: core.Binding as StructType,
}
const connects: Readonly<Record<string, StructType>> = {
  exec: core.PodExecOptions as StructType,
  attach: core.PodAttachOptions as StructType,
  portforward: core.PodPortForwardOptions as StructType,
  proxy: core.PodProxyOptions as StructType,
}

const title = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1)
/** `core`, `apps`, `rbacAuthorization`, `exampleCom`: a group in tags and names of operations. */
const groupWord = (group: string): string => (group === '' ? 'core' : group.replace(/\.k8s\.io$/, '').split('.').map((part, i) => (i === 0 ? part : title(part))).join(''))

/** Every operation on a resource and its subresources. */
export function operationsOf(resource: Resource): readonly Operation[] {
  const operations: Operation[] = []
  const { group, version, kind, plural, namespaced } = resource
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`
  const collection = namespaced ? `${root}/namespaces/{namespace}/${plural}` : `${root}/${plural}`
  const item = `${collection}/{name}`
  const scope: readonly Parameter[] = namespaced ? [namespace, pretty] : [pretty]
  const tag = `${groupWord(group)}_${version}`
  const stem = `${title(groupWord(group))}${title(version)}`
  const noun = `${namespaced ? 'Namespaced' : ''}${kind}`
  const type = resource.type as StructType
  const own: Kind = { group, version, kind }
  const custom = type.codec !== undefined
  const add = (o: Pick<Operation, 'path' | 'method' | 'id' | 'description' | 'action' | 'parameters' | 'response'> & Partial<Operation>) =>
    operations.push({ tag, kind: own, codes: [200], custom, ...o })
  const has = (verb: Resource['verbs'][number]) => resource.verbs.includes(verb)

  if (has('list')) {
    add({ path: collection, method: 'get', id: `list${stem}${noun}`, description: `list or watch objects of kind ${kind}`, action: 'list', parameters: [...choose, watch, ...scope], response: { listOf: resource } })
    if (namespaced) {
      add({ path: `${root}/${plural}`, method: 'get', id: `list${stem}${kind}ForAllNamespaces`, description: `list or watch objects of kind ${kind}`, action: 'list', parameters: [...choose, watch, pretty], response: { listOf: resource } })
    }
  }
  if (has('create')) add({ path: collection, method: 'post', id: `create${stem}${noun}`, description: `create a ${kind}`, action: 'post', parameters: [...write, ...scope], body: { type }, response: { type }, codes: [200, 201, 202] })
  if (has('deletecollection')) add({ path: collection, method: 'delete', id: `delete${stem}Collection${noun}`, description: `delete a collection of ${kind}`, action: 'deletecollection', parameters: custom ? [...choose, watch, ...scope] : [...choose.slice(1), ...remove, ...scope], ...(custom ? {} : { body: { type: meta.DeleteOptions as StructType } }), response: { type: meta.Status as StructType } })
  const one = [name(kind), ...scope]
  if (has('get')) add({ path: item, method: 'get', id: `read${stem}${noun}`, description: `read the specified ${kind}`, action: 'get', parameters: custom ? [atRevision, ...one] : one, response: { type } })
  if (has('update')) add({ path: item, method: 'put', id: `replace${stem}${noun}`, description: `replace the specified ${kind}`, action: 'put', parameters: [...write, ...one], body: { type }, response: { type }, codes: [200, 201] })
  if (has('patch')) add({ path: item, method: 'patch', id: `patch${stem}${noun}`, description: `partially update the specified ${kind}`, action: 'patch', parameters: [...write, force, ...one], body: 'text', response: { type }, codes: custom ? [200] : [200, 201] })
  if (has('delete')) add({ path: item, method: 'delete', id: `delete${stem}${noun}`, description: `delete a ${kind}`, action: 'delete', parameters: [...remove, ...one], body: { type: meta.DeleteOptions as StructType }, response: { type: meta.Status as StructType }, codes: [200, 202] })
  for (const subresource of resource.subresources) addSubresource(resource, subresource, { add, item, stem, noun, one })
  return operations
}

interface Around {
  readonly add: (o: Pick<Operation, 'path' | 'method' | 'id' | 'description' | 'action' | 'parameters' | 'response'> & Partial<Operation>) => void
  readonly item: string
  readonly stem: string
  readonly noun: string
  readonly one: readonly Parameter[]
}

function addSubresource(resource: Resource, subresource: string, { add, item, stem, noun, one }: Around): void {
  const info = subresourceInfo(resource, subresource)
  const custom = (resource.type as StructType).codec !== undefined
  const { group, version } = custom ? resource : info
  const kind: Kind = { group, version, kind: custom ? resource.kind : info.kind }
  const path = `${item}/${subresource}`
  const id = (verb: string) => `${verb}${stem}${noun}${title(subresource)}`
  if (subresource === 'log') {
    add({ path, method: 'get', id: id('read'), description: `read log of the specified ${resource.kind}`, action: 'get', kind, parameters: [...optionsOf(core.PodLogOptions as StructType), ...one], response: 'text' })
    return
  }
  const connect = connects[subresource]
  if (connect) {
    const methods = { create: 'post', delete: 'delete', get: 'get', patch: 'patch', update: 'put' } as const
    for (const verb of info.verbs as readonly (keyof typeof methods)[]) {
      const method = methods[verb]
      const about = { method, description: `connect ${method.toUpperCase()} requests to ${subresource} of ${resource.kind}`, action: 'connect', kind, response: 'text' as const }
      add({ ...about, path, id: id(`connect${title(method)}`), parameters: [...optionsOf(connect), ...one] })
      if (subresource === 'proxy') add({ ...about, path: `${path}/{path}`, id: `${id(`connect${title(method)}`)}WithPath`, parameters: [...optionsOf(connect), rest, ...one] })
    }
    return
  }
  const type = subresourceTypes[info.kind] ?? (resource.type as StructType)
  if (info.verbs.includes('create')) add({ path, method: 'post', id: id('create'), description: `create ${subresource} of a ${resource.kind}`, action: 'post', kind, parameters: [...write, ...one], body: { type }, response: { type }, codes: [200, 201, 202] })
  if (info.verbs.includes('get')) add({ path, method: 'get', id: id('read'), description: `read ${subresource} of the specified ${resource.kind}`, action: 'get', kind, parameters: custom ? [atRevision, ...one] : one, response: { type } })
  if (info.verbs.includes('update')) add({ path, method: 'put', id: id('replace'), description: `replace ${subresource} of the specified ${resource.kind}`, action: 'put', kind, parameters: [...write, ...one], body: { type }, response: { type }, codes: [200, 201] })
  if (info.verbs.includes('patch')) add({ path, method: 'patch', id: id('patch'), description: `partially update ${subresource} of the specified ${resource.kind}`, action: 'patch', kind, parameters: [...write, force, ...one], body: 'text', response: { type }, codes: custom ? [200] : [200, 201] })
}

/** The fields of an options type, as query parameters. */
function optionsOf(type: StructType): readonly Parameter[] {
  const kinds: Readonly<Record<string, Parameter['type']>> = { bool: 'boolean', int32: 'integer', int64: 'integer' }
  return Object.entries(type.fields).map(([name, field]) =>
    query(name, field.type.form === 'scalar' ? (kinds[field.type.name] ?? 'string') : 'string', field.doc ?? ''))
}
