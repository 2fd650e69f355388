/**
 * The Node authorizer. A kubelet may read the secrets, config maps, claims and service accounts of the pods on its node, and nothing
 * of other nodes' pods: a stolen node credential opens only what that node could see anyway.
 */
import type { core, dra, storage } from '../../api/index.ts'
import type { Lister } from '../options.ts'
import type { Identity } from '../identity.ts'
import type { Action, AuthorizationMode, Decision } from './authorizer.ts'
import { ruleAllows } from './rbac.ts'
import { nodeRules } from './node-rules.ts'
import { createNodeIndex, type UsedKind } from './node-index.ts'
import { createVolumeSecrets } from './node-volumes.ts'
import { requiresField } from './selectors.ts'

export interface NodeSources {
  readonly pods: Lister<core.Pod>
  readonly volumes: Lister<core.PersistentVolume>
  readonly attachments: Lister<storage.VolumeAttachment>
  readonly slices: Lister<dra.ResourceSlice>
}

type Rule = (node: string, action: Action) => Decision

const allow: Decision = { opinion: 'allow', reason: '' }
const none = (reason = ''): Decision => ({ opinion: 'none', reason })

/** The node name of a user; undefined for users that are not nodes, empty for a node that nobody knows. */
export function nodeNameOf(user: Identity): string | undefined {
  return user.groups.includes('system:nodes') && user.name.startsWith('system:node:') ? user.name.slice('system:node:'.length) : undefined
}

/** The user of a node's service network; its rights come from roles. */
export const isNetworkAccount = ({ namespace, name }: { readonly namespace: string; readonly name: string }): boolean => namespace === 'kube-system' && name === 'kube-proxy'

/** Creates the Node authorizer. */
export function createNodeMode(sources: NodeSources): AuthorizationMode {
  const rules = new Map(Object.entries(createRules(sources)))
  return {
    name: 'Node',
    authorize(user, action) {
      const node = nodeNameOf(user)
      if (node === undefined) return none()
      if (node === '') return none(`unknown node for user ${JSON.stringify(user.name)}`)
      if (!action.isResourceRequest) return none()
      return rules.get(`${action.group}/${action.resource}`)?.(node, action) ?? byRule(node, action)
    },
    // What a node may read depends on its pods, and cannot be listed as rules.
    rulesFor: (user) => (nodeNameOf(user) === undefined ? [] : undefined),
  }
}

/** What is no single node's. */
const byRule: Rule = (_, action) => (nodeRules.some((rule) => ruleAllows(rule, action)) ? allow : none())

/** By group and resource: what a node may do with those that belong to some nodes and not to others. */
function createRules({ pods, volumes, attachments, slices }: NodeSources): Readonly<Record<string, Rule>> {
  const index = createNodeIndex(pods)
  const secrets = createVolumeSecrets(volumes)
  const mounts = (node: string, claim: { readonly namespace?: string | undefined; readonly name?: string | undefined } | undefined): boolean =>
    claim !== undefined && index.uses(node, 'persistentvolumeclaims', claim.namespace ?? '', claim.name ?? '')
  const uses = (node: string, { resource: kind, namespace, name }: Action): boolean => index.uses(node, kind as UsedKind, namespace, name)

  const related = (isRelated: (node: string, action: Action) => boolean): Rule => (node, action) => {
    if (action.name === '') return none('No Object name found')
    return isRelated(node, action) ? allow : none(`no relationship found between node '${node}' and this object`)
  }
  const used = related(uses)
  const getOnly = (rule: Rule): Rule => (node, action) => {
    if (action.verb !== 'get') return none('can only get individual resources of this type')
    return action.subresource ? none('cannot get subresource') : rule(node, action)
  }
  const readOnly = (rule: Rule): Rule => (node, action) => {
    if (!read.includes(action.verb)) return none('can only read resources of this type')
    if (action.subresource) return none('cannot read subresource')
    return action.namespace ? rule(node, action) : none('can only read namespaced object of this type')
  }
  const statusOnly = (node: string, action: Action) => (action.verb === 'update' || action.verb === 'patch' ? used(node, action) : none('can only get/update/patch this type'))
  const getUsed = getOnly(used)

  return {
    '/secrets': readOnly(related((node, action) => uses(node, action) || [...secrets.claims(action.namespace, action.name)].some((claim) => mounts(node, claim)))),
    '/configmaps': readOnly(used),
    '/persistentvolumeclaims': (node, action) => (action.subresource === 'status' ? statusOnly : getUsed)(node, action),
    // It is the volume that says whose it is: anybody may make a claim that names a volume.
    '/persistentvolumes': getOnly(related((node, { name }) => mounts(node, volumes.get('', name)?.spec.claimRef))),
    '/serviceaccounts': (node, action) => (action.verb === 'get' && !action.subresource ? used(node, action) : createToken(used, node, action)),
    '/nodes': ownNode,
    '/pods': (node, action) => readPods(used, getUsed, node, action),
    'resource.k8s.io/resourceclaims': getUsed,
    'resource.k8s.io/resourceslices': ownSlices(related((node, { name }) => slices.get('', name)?.spec.nodeName === node)),
    'storage.k8s.io/volumeattachments': getOnly(related((node, { name }) => attachments.get('', name)?.spec.nodeName === node)),
    'storage.k8s.io/csinodes': (node, action) => (action.subresource && sole.includes(action.verb) ? none('cannot authorize CSINode subresources') : ownObject('CSINode', node, action)),
    'coordination.k8s.io/leases': (node, action) => {
      if (sole.includes(action.verb) && action.namespace !== 'kube-node-lease') return none('can only access leases in the "kube-node-lease" system namespace')
      return ownObject('node lease', node, action)
    },
  }
}

const read = ['get', 'list', 'watch']
const sole = ['get', 'create', 'update', 'patch', 'delete']

/** An object that has the node's own name. What is created has none yet: admission looks at it. */
function ownObject(what: string, node: string, action: Action): Decision {
  if (!sole.includes(action.verb)) return none(`can only get, create, update, patch, or delete a ${what}`)
  return action.verb === 'create' || action.name === node ? allow : none(`can only access ${what} with the same name as the requesting node`)
}

function createToken(used: Rule, node: string, action: Action): Decision {
  if (action.verb !== 'create' || action.name === '') return none('can only create tokens for individual service accounts')
  if (action.subresource !== 'token') return none('can only create token subresource of serviceaccount')
  return isNetworkAccount(action) ? allow : used(node, action)
}

const ownNode: Rule = (node, action) => {
  if (action.subresource || !read.includes(action.verb)) return byRule(node, action)
  if (action.name === node) return allow
  return none(action.name ? `node '${node}' cannot read '${action.name}', only its own Node object` : `node '${node}' cannot read all nodes, only its own Node object`)
}

/** Pods bound to the node: one by its name, or all by field selector. */
function readPods(used: Rule, getUsed: Rule, node: string, action: Action): Decision {
  if (action.subresource || !read.includes(action.verb)) return byRule(node, action)
  if (action.verb === 'get') return getUsed(node, action)
  if (requiresField(action, 'spec.nodeName', node)) return allow
  return action.name ? used(node, action) : none('can only list/watch pods with spec.nodeName field selector')
}

/** What a node tells of its devices: its own, which admission makes sure of when one is created. */
const ownSlices = (own: Rule): Rule => (node, action) => {
  if (action.subresource) return none('cannot authorize ResourceSlice subresources')
  if (action.verb === 'create') return allow
  if (['get', 'update', 'patch', 'delete'].includes(action.verb)) return own(node, action)
  if (!['watch', 'list', 'deletecollection'].includes(action.verb)) return none('only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection')
  return requiresField(action, 'spec.nodeName', node) ? allow : none('can only list/watch/deletecollection resourceslices with nodeName field selector')
}
