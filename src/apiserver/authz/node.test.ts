import { describe, expect, it } from 'vitest'
import { core } from '../../api/index.ts'
import type { Lister } from '../options.ts'
import { environment, type Loose } from '../testing/environment.ts'
import type { Action } from './authorizer.ts'
import { createNodeMode, nodeNameOf } from './node.ts'

const n1 = { name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] }
const pod = (name: string, nodeName: string, spec: object): Loose => ({ kind: 'Pod', metadata: { name, namespace: 'x' }, spec: { containers: [], nodeName, ...spec } })

const env = environment(
  pod('mine', 'n1', {
    serviceAccountName: 'app',
    imagePullSecrets: [{ name: 'pull' }],
    containers: [{ name: 'a', env: [{ name: 'E', valueFrom: { secretKeyRef: { name: 'env', key: 'k' } } }], envFrom: [{ configMapRef: { name: 'all' } }] }],
    initContainers: [{ name: 'i', envFrom: [{ secretRef: { name: 'init' } }] }],
    volumes: [{ name: 'v', secret: { secretName: 'volume' } }, { name: 'p', projected: { sources: [{ configMap: { name: 'projected' } }] } }, { name: 'd', persistentVolumeClaim: { claimName: 'claim' } }, { name: 'e', ephemeral: {} }],
  }),
  pod('theirs', 'n2', { serviceAccountName: 'other', volumes: [{ name: 'v', secret: { secretName: 'theirs' } }] }),
  { kind: 'PersistentVolumeClaim', metadata: { name: 'claim', namespace: 'x' }, spec: { volumeName: 'disk' } },
)
const mode = createNodeMode({ pods: env.lister(core.pods), claims: env.lister(core.persistentvolumeclaims) as Lister<core.PersistentVolumeClaim> })
const may = (verb: string, resource: string, name = '', more: Partial<Action> = {}, user = n1): boolean => {
  const [plural = '', subresource = ''] = resource.split('/')
  const action: Action = { isResourceRequest: true, path: '', verb, group: '', version: 'v1', namespace: 'x', resource: plural, subresource, name, ...more }
  return (mode.authorize(user, action) as { opinion: string }).opinion === 'allow'
}

describe('a node', () => {
  it('reads what its pods name, wherever they name it', () => {
    for (const name of ['pull', 'env', 'init', 'volume']) expect(may('get', 'secrets', name), name).toBe(true)
    for (const name of ['all', 'projected']) expect(may('get', 'configmaps', name), name).toBe(true)
    for (const name of ['claim', 'mine-e']) expect(may('get', 'persistentvolumeclaims', name), name).toBe(true)
    expect(may('get', 'persistentvolumes', 'disk', { namespace: '' })).toBe(true)
    expect(may('create', 'serviceaccounts/token', 'app')).toBe(true)
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
  const node = createNodeMode({ pods: changing.lister(core.pods), claims: changing.lister(core.persistentvolumeclaims) })
  const reads = () => (node.authorize(n1, { isResourceRequest: true, path: '', verb: 'get', group: '', version: 'v1', namespace: 'x', resource: 'secrets', subresource: '', name: 's' }) as { opinion: string }).opinion
  expect(reads()).toBe('allow')
  changing.objects.pop()
  expect(reads()).toBe('allow')
  changing.objects.pop()
  expect(reads()).toBe('none')
})

it('is a node only with both the name and the group', () => {
  expect(nodeNameOf(n1)).toBe('n1')
  expect(nodeNameOf({ name: 'system:node:n1', groups: [] })).toBeUndefined()
  expect(nodeNameOf({ name: 'ana', groups: ['system:nodes'] })).toBeUndefined()
  expect(may('get', 'secrets', 'pull', {}, { name: 'ana', groups: ['system:nodes'] })).toBe(false)
})
