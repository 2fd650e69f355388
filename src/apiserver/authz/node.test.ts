import { describe, expect, it } from 'vitest'
import { core, dra, storage } from '../../api/index.ts'
import { environment, type Loose } from '../testing/environment.ts'
import type { Action, Decision } from './authorizer.ts'
import { createNodeMode, nodeNameOf } from './node.ts'

const n1 = { name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] }
const pod = (name: string, nodeName: string, spec: object, status: object = {}): Loose => ({ kind: 'Pod', metadata: { name, namespace: 'x' }, spec: { containers: [], nodeName, ...spec }, status })
const volume = (name: string, spec: object): Loose => ({ kind: 'PersistentVolume', metadata: { name }, spec })

const dra1 = { group: 'resource.k8s.io', version: 'v1' }

const env = environment(
  pod('mine', 'n1', {
    serviceAccountName: 'app',
    imagePullSecrets: [{ name: 'pull' }],
    containers: [{ name: 'a', env: [{ name: 'E', valueFrom: { secretKeyRef: { name: 'env', key: 'k' } } }], envFrom: [{ configMapRef: { name: 'all' } }] }],
    initContainers: [{ name: 'i', envFrom: [{ secretRef: { name: 'init' } }] }],
    volumes: [{ name: 'v', secret: { secretName: 'volume' } }, { name: 'p', projected: { sources: [{ configMap: { name: 'projected' } }] } }, { name: 'd', persistentVolumeClaim: { claimName: 'claim' } }, { name: 'e', ephemeral: {} }],
  }),
  pod('theirs', 'n2', { serviceAccountName: 'other', volumes: [{ name: 'v', secret: { secretName: 'theirs' } }] }),
  pod('claiming', 'n1', {
    resourceClaims: [{ name: 'a', resourceClaimName: 'named' }, { name: 'b', resourceClaimTemplateName: 't' }, { name: 'c', resourceClaimTemplateName: 't' }],
  }, { resourceClaimStatuses: [{ name: 'b', resourceClaimName: 'made' }, { name: 'x', resourceClaimName: 'alien' }], extendedResourceClaimStatus: { resourceClaimName: 'extended', requestMappings: [] } }),
  { ...pod('mirror', 'n1', { serviceAccountName: 'stolen', volumes: [{ name: 'v', secret: { secretName: 'stolen' } }] }), metadata: { name: 'mirror', namespace: 'x', annotations: { 'kubernetes.io/config.mirror': '' } } } as Loose,
  volume('disk', { claimRef: { namespace: 'x', name: 'claim' }, csi: { driver: 'd', volumeHandle: 'h', nodePublishSecretRef: { namespace: 'csi', name: 'publish' }, nodeStageSecretRef: { namespace: 'csi', name: 'stage' }, controllerPublishSecretRef: { namespace: 'csi', name: 'controller' } } }),
  volume('share', { claimRef: { namespace: 'x', name: 'mine-e' }, azureFile: { secretName: 'azure', shareName: 's' } }),
  volume('wanted', { claimRef: { namespace: 'y', name: 'claim' }, csi: { driver: 'd', volumeHandle: 'h', nodePublishSecretRef: { namespace: 'csi', name: 'other' } } }),
  { kind: 'PersistentVolumeClaim', metadata: { name: 'claim', namespace: 'x' }, spec: { volumeName: 'wanted' } },
  ...['n1', 'n2'].flatMap((nodeName): Loose[] => [{ kind: 'VolumeAttachment', metadata: { name: `at-${nodeName}` }, spec: { nodeName } }, { kind: 'ResourceSlice', metadata: { name: `of-${nodeName}` }, spec: { nodeName } }]),
)
const sourcesOf = (from: typeof env) => ({ pods: from.lister(core.pods), volumes: from.lister(core.persistentvolumes), attachments: from.lister(storage.volumeattachments), slices: from.lister(dra.resourceslices) })
const mode = createNodeMode(sourcesOf(env))
const decide = (verb: string, resource: string, name = '', more: Partial<Action> = {}, user = n1) => {
  const [plural = '', subresource = ''] = resource.split('/')
  const action: Action = { isResourceRequest: true, path: '', verb, group: '', version: 'v1', namespace: 'x', resource: plural, subresource, name, ...more }
  return mode.authorize(user, action) as Decision
}
const may = (...asked: Parameters<typeof decide>): boolean => decide(...asked).opinion === 'allow'

describe('a node', () => {
  it('reads what its pods name, wherever they name it', () => {
    for (const name of ['pull', 'env', 'init', 'volume']) expect(may('get', 'secrets', name), name).toBe(true)
    for (const name of ['all', 'projected']) expect(may('get', 'configmaps', name), name).toBe(true)
    for (const name of ['claim', 'mine-e']) expect(may('get', 'persistentvolumeclaims', name), name).toBe(true)
    expect(may('get', 'persistentvolumes', 'disk', { namespace: '' })).toBe(true)
    expect(may('create', 'serviceaccounts/token', 'app')).toBe(true)
    expect(may('get', 'serviceaccounts', 'app')).toBe(true)
    for (const name of ['named', 'made', 'extended']) expect(may('get', 'resourceclaims', name, dra1), name).toBe(true)
  })

  it('reads nothing of the pods of other nodes, nothing of other namespaces, and no lists of secrets', () => {
    expect(may('get', 'secrets', 'theirs')).toBe(false)
    expect(may('get', 'secrets', 'pull', { namespace: 'kube-system' })).toBe(false)
    expect(may('list', 'secrets')).toBe(false)
    expect(may('watch', 'secrets', 'pull')).toBe(true)
    expect(may('update', 'secrets', 'pull')).toBe(false)
    expect(may('create', 'serviceaccounts/token', 'other')).toBe(false)
    expect(may('get', 'persistentvolumes', 'other', { namespace: '' })).toBe(false)
  })

  it('reads the secrets that volumes of its pods need on a node, not those of controllers', () => {
    for (const name of ['publish', 'stage']) expect(may('get', 'secrets', name, { namespace: 'csi' }), name).toBe(true)
    expect(may('get', 'secrets', 'azure')).toBe(true)
    for (const name of ['controller', 'other']) expect(may('get', 'secrets', name, { namespace: 'csi' }), name).toBe(false)
  })

  it('gets no volume by a claim that only names it, and nothing by what a mirror pod names', () => {
    expect(may('get', 'persistentvolumes', 'wanted', { namespace: '' })).toBe(false)
    expect(may('get', 'pods', 'mirror')).toBe(true)
    expect(may('get', 'secrets', 'stolen')).toBe(false)
    expect(may('create', 'serviceaccounts/token', 'stolen')).toBe(false)
  })

  it('reads no resource claims, attachments, slices, accounts and pod statuses of others', () => {
    expect(may('get', 'resourceclaims', 'alien', dra1)).toBe(false)
    expect(may('list', 'resourceclaims', '', dra1)).toBe(false)
    for (const [node, seen] of [['n1', true], ['n2', false]] as const) {
      expect(may('get', 'volumeattachments', `at-${node}`, { group: 'storage.k8s.io', namespace: '' })).toBe(seen)
      for (const verb of ['get', 'update', 'patch', 'delete']) expect(may(verb, 'resourceslices', `of-${node}`, { ...dra1, namespace: '' }), verb).toBe(seen)
      for (const verb of ['list', 'watch', 'deletecollection']) expect(may(verb, 'resourceslices', '', { ...dra1, namespace: '', fieldSelector: `spec.nodeName=${node}` }), verb).toBe(seen)
    }
    expect(may('create', 'resourceslices', '', { ...dra1, namespace: '' })).toBe(true)
    expect(may('get', 'serviceaccounts', 'other')).toBe(false)
    expect(may('get', 'pods/status', 'theirs')).toBe(false)
    expect(may('get', 'pods/status', 'mine')).toBe(false)
    expect(may('get', 'persistentvolumeclaims/status', 'claim')).toBe(false)
    expect(may('patch', 'persistentvolumeclaims/status', 'claim')).toBe(true)
  })

  it('is told why not', () => {
    const why = (...asked: Parameters<typeof decide>) => decide(...asked).reason
    expect(why('update', 'secrets', 'pull')).toBe('can only read resources of this type')
    expect(why('get', 'secrets')).toBe('No Object name found')
    expect(why('get', 'configmaps', 'a', { namespace: '' })).toBe('can only read namespaced object of this type')
    expect(why('get', 'secrets', 'theirs')).toBe("no relationship found between node 'n1' and this object")
    expect(why('delete', 'persistentvolumeclaims', 'claim')).toBe('can only get individual resources of this type')
    expect(why('delete', 'serviceaccounts', 'app')).toBe('can only create tokens for individual service accounts')
    expect(why('list', 'leases', '', { group: 'coordination.k8s.io', namespace: 'kube-node-lease' })).toBe('can only get, create, update, patch, or delete a node lease')
    expect(why('get', 'leases', 'n1', { group: 'coordination.k8s.io', namespace: 'x' })).toBe('can only access leases in the "kube-node-lease" system namespace')
    expect(why('get', 'csinodes', 'n2', { group: 'storage.k8s.io', namespace: '' })).toBe('can only access CSINode with the same name as the requesting node')
    expect(why('list', 'nodes', '', { namespace: '' })).toBe("node 'n1' cannot read all nodes, only its own Node object")
  })

  it('keeps its own lease and its own CSINode', () => {
    const lease = { group: 'coordination.k8s.io', namespace: 'kube-node-lease' }
    expect(may('update', 'leases', 'n1', lease)).toBe(true)
    expect(may('update', 'leases', 'n2', lease)).toBe(false)
    expect(may('update', 'leases', 'n1', { ...lease, namespace: 'kube-system' })).toBe(false)
    expect(may('get', 'csinodes', 'n1', { group: 'storage.k8s.io', namespace: '' })).toBe(true)
  })

  it('registers, reports, and follows services, but grants and deletes nothing', () => {
    expect(may('create', 'nodes', '', { namespace: '' })).toBe(true)
    expect(may('patch', 'pods/status', 'mine')).toBe(true)
    expect(may('watch', 'services', '', { namespace: '' })).toBe(true)
    expect(may('watch', 'endpointslices', '', { group: 'discovery.k8s.io', namespace: '' })).toBe(false)
    expect(may('delete', 'nodes', 'n2', { namespace: '' })).toBe(false)
    expect(may('create', 'clusterrolebindings', '', { group: 'rbac.authorization.k8s.io', namespace: '' })).toBe(false)
  })
})

it('sees its own pods and its own Node, and no list of all', () => {
  const all = { namespace: '' }
  expect(may('get', 'pods', 'mine')).toBe(true)
  expect(may('get', 'pods', 'theirs')).toBe(false)
  for (const verb of ['list', 'watch']) {
    expect(may(verb, 'pods', '', { ...all, fieldSelector: 'spec.nodeName=n1,metadata.namespace=x' })).toBe(true)
    for (const fieldSelector of [undefined, 'spec.nodeName=n2', 'spec.nodeName!=n1', 'spec.nodeName=n1\\,x', 'status.phase=Running', 'spec.nodeName']) expect(may(verb, 'pods', '', { ...all, fieldSelector }), fieldSelector).toBe(false)
    expect(may(verb, 'nodes', 'n1', all)).toBe(true)
    expect(may(verb, 'nodes', '', all)).toBe(false)
    expect(may(verb, 'nodes', 'n2', all)).toBe(false)
  }
})

it('takes on the account of its network, and no other that its pods do not have', () => {
  expect(may('create', 'serviceaccounts/token', 'kube-proxy', { namespace: 'kube-system' })).toBe(true)
  expect(may('create', 'serviceaccounts/token', 'kube-proxy')).toBe(false)
  expect(may('create', 'serviceaccounts/token', 'namespace-controller', { namespace: 'kube-system' })).toBe(false)
})

it('loses what a pod used with the pod', () => {
  const changing = environment(pod('one', 'n1', { volumes: [{ name: 'v', secret: { secretName: 's' } }] }), pod('two', 'n1', { volumes: [{ name: 'v', secret: { secretName: 's' } }] }))
  const node = createNodeMode(sourcesOf(changing))
  const reads = () => (node.authorize(n1, { isResourceRequest: true, path: '', verb: 'get', group: '', version: 'v1', namespace: 'x', resource: 'secrets', subresource: '', name: 's' }) as { opinion: string }).opinion
  expect(reads()).toBe('allow')
  changing.objects.pop()
  expect(reads()).toBe('allow')
  changing.objects.pop()
  expect(reads()).toBe('none')
})

it('follows the claims that are made for a pod after it', () => {
  const changing = environment(pod('one', 'n1', { resourceClaims: [{ name: 'b', resourceClaimTemplateName: 't' }] }))
  const node = createNodeMode(sourcesOf(changing))
  const reads = () => (node.authorize(n1, { isResourceRequest: true, path: '', verb: 'get', ...dra1, namespace: 'x', resource: 'resourceclaims', subresource: '', name: 'made' }) as Decision).opinion
  expect(reads()).toBe('none')
  changing.objects.splice(0, 1, { ...changing.objects[0]!, status: { resourceClaimStatuses: [{ name: 'b', resourceClaimName: 'made' }] } }, { kind: 'Other', metadata: { name: 'o' } })
  expect(reads()).toBe('allow')
})

it('is nobody without a name', () => {
  const nobody = { name: 'system:node:', groups: ['system:nodes'] }
  for (const asked of [['list', 'nodes', '', { namespace: '' }], ['list', 'pods', '', { fieldSelector: 'spec.nodeName=' }], ['create', 'events'], ['get', 'services', 'a']] as const) {
    expect(decide(asked[0], asked[1], asked[2] ?? '', asked[3] ?? {}, nobody)).toEqual({ opinion: 'none', reason: 'unknown node for user "system:node:"' })
  }
})

it('is a node only with both the name and the group', () => {
  expect(nodeNameOf(n1)).toBe('n1')
  expect(nodeNameOf({ name: 'system:node:n1', groups: [] })).toBeUndefined()
  expect(nodeNameOf({ name: 'ana', groups: ['system:nodes'] })).toBeUndefined()
  expect(may('get', 'secrets', 'pull', {}, { name: 'ana', groups: ['system:nodes'] })).toBe(false)
})
