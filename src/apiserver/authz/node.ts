/**
 * The Node authorizer. A kubelet may read the secrets, config maps, claims and service accounts of the pods on its node, and nothing
 * of other nodes' pods: a stolen node credential opens only what that node could see anyway.
 */
import type { core } from '../../api/index.ts'
import type { Lister } from '../options.ts'
import type { Identity } from '../identity.ts'
import type { Action, AuthorizationMode, Decision } from './authorizer.ts'
import { ruleAllows } from './rbac.ts'
import { nodeRules } from './node-rules.ts'
import { createNodeIndex, type UsedKind } from './node-index.ts'
import { requiresField } from './selectors.ts'

export interface NodeSources {
  readonly pods: Lister<core.Pod>
  readonly claims: Lister<core.PersistentVolumeClaim>
}

const allow: Decision = { opinion: 'allow', reason: '' }
const none = (reason = ''): Decision => ({ opinion: 'none', reason })

/** The node name of a user; undefined for users that are not nodes. */
export function nodeNameOf(user: Identity): string | undefined {
  return user.groups.includes('system:nodes') && user.name.startsWith('system:node:') ? user.name.slice('system:node:'.length) : undefined
}

/** The user of a node's service network; its rights come from roles. */
export const isNetworkAccount = ({ namespace, name }: { readonly namespace: string; readonly name: string }): boolean => namespace === 'kube-system' && name === 'kube-proxy'

/** Creates the Node authorizer. */
export function createNodeMode(sources: NodeSources): AuthorizationMode {
  const index = createNodeIndex(sources.pods)

  /** Whether a pod on the node uses the object. */
  function used(node: string, { resource, namespace, name }: Action): boolean {
    if (resource !== 'persistentvolumes') return index.uses(node, resource as UsedKind, namespace, name)
    for (const claim of index.claims(node)) if (sources.claims.get(claim.namespace, claim.name)?.spec.volumeName === name) return true
    return false
  }

  /** Pods bound to the node: one by its name, or all by field selector. */
  function readPods(node: string, action: Action): Decision {
    if (action.name !== '') return index.uses(node, 'pods', action.namespace, action.name) ? allow : none(`no relationship found between node '${node}' and this object`)
    return requiresField(action, 'spec.nodeName', node) ? allow : none(`can only list/watch pods with spec.nodeName field selector`)
  }

  return {
    name: 'Node',
    authorize(user, action) {
      const node = nodeNameOf(user)
      if (node === undefined || !action.isResourceRequest) return none()
      const key = `${action.group}/${action.resource}${action.subresource ? `/${action.subresource}` : ''}`
      const verbs = Object.hasOwn(byPod, key) ? byPod[key] : undefined
      if (verbs) {
        if (!verbs.includes(action.verb)) return none(`can only ${verbs.join('/')} resources of this type`)
        if (action.name === '') return none('No Object name found')
        if (key === '/serviceaccounts/token' && isNetworkAccount(action)) return allow
        return used(node, action) ? allow : none(`no relationship found between node '${node}' and this object`)
      }
      if (Object.hasOwn(own, key)) return ownObject(node, action, own[key] ?? '')
      if (key === '/pods' && read.includes(action.verb)) return readPods(node, action)
      if (key === 'resource.k8s.io/resourceslices' && ['list', 'watch', 'deletecollection'].includes(action.verb) && !requiresField(action, 'spec.nodeName', node)) return none('can only list/watch/deletecollection resourceslices with spec.nodeName field selector')
      if (key === '/nodes' && read.includes(action.verb)) return action.name === node ? allow : none(`node '${node}' cannot read '${action.name}', only its own Node object`)
      return nodeRules.some((rule) => ruleAllows(rule, action)) ? allow : none()
    },
    // What a node may read depends on its pods, and cannot be listed as rules.
    rulesFor: (user) => (nodeNameOf(user) === undefined ? [] : undefined),
  }
}

const read = ['get', 'list', 'watch']
/** Objects that are reached through a pod of the node, and the verbs on them. */
const byPod: Readonly<Record<string, readonly string[]>> = {
  '/secrets': read,
  '/configmaps': read,
  '/persistentvolumeclaims': ['get'],
  '/persistentvolumes': ['get'],
  '/persistentvolumeclaims/status': ['get', 'update', 'patch'],
  '/serviceaccounts/token': ['create'],
}

/** Objects that have the node's own name, and their namespace. */
const own: Readonly<Record<string, string>> = { 'coordination.k8s.io/leases': 'kube-node-lease', 'storage.k8s.io/csinodes': '' }

function ownObject(node: string, action: Action, namespace: string): Decision {
  if (!['get', 'create', 'update', 'patch', 'delete'].includes(action.verb)) return none('can only get, create, update, patch, or delete a node\'s own object')
  if (action.namespace !== namespace) return none(`can only access objects in the "${namespace}" system namespace`)
  return action.verb === 'create' || action.name === node ? allow : none('can only access objects with the same name as the requesting node')
}
