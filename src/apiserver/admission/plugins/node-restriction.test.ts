import { describe, expect, it } from 'vitest'
import { certificates, coordination, core, dra, storage, type Resource } from '../../../api/index.ts'
import { isApiError } from '../../../machinery/errors.ts'
import { loadX509 } from '../../../machinery/x509.ts'
import { attributesOf, environment, type Loose, type Wanted } from '../../testing/environment.ts'
import { nodeRestriction } from './node-restriction.ts'

const user = { name: 'system:node:n1', groups: ['system:nodes', 'system:authenticated'] }
const pod = (spec: object = {}, metadata: object = {}, status: object = {}): Loose => ({ kind: 'Pod', metadata: { name: 'p', namespace: 'default', ...metadata }, spec: { containers: [{ name: 'a', resources: {} }], ...spec }, status })
const node = (name: string, more: object = {}, spec: object = {}): Loose => ({ kind: 'Node', metadata: { name, ...more }, spec, status: {} })
const theirs = pod({ nodeName: 'n2' }, { name: 'theirs' })
const plugin = nodeRestriction(environment(node('n1', { uid: 'u1' }), theirs))

async function ask(resource: Resource | unknown, object: Loose | undefined, wanted: Wanted = {}): Promise<string> {
  const attributes = attributesOf(resource, object, { user, ...wanted })
  if (!plugin.handles(attributes)) return 'admitted'
  return (async () => plugin.validate?.(attributes))().then(() => 'admitted', (error: unknown) => (isApiError(error) ? `${error.code} ${error.message}` : String(error)))
}

describe('what a node says of itself', () => {
  const update = (next: Loose, old: Loose, subresource = '') => ask(core.nodes, next, { operation: 'UPDATE', old, subresource })

  it('is about no other node, and no taints, owners or labels that draw pods', async () => {
    for (const subresource of ['', 'status']) {
      expect(await update(node('n2'), node('n2'), subresource)).toBe('403 nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"')
      expect(await update(node('n1', {}, { taints: [] }), node('n1', {}, { taints: [{ key: 'a', effect: 'NoSchedule' }] }), subresource)).toContain('node "n1" is not allowed to modify taints')
      expect(await update(node('n1', { ownerReferences: [{ apiVersion: 'v1', kind: 'ConfigMap', name: 'gone', uid: 'u' }] }), node('n1'), subresource)).toContain('node "n1" is not allowed to modify ownerReferences')
      expect(await update(node('n1', { labels: { 'node-restriction.kubernetes.io/zone': 'a', 'a.k8s.io/b': '' } }), node('n1'), subresource)).toContain('forbidden: is not allowed to modify labels: a.k8s.io/b, node-restriction.kubernetes.io/zone')
      expect(await update(node('n1'), node('n1', { labels: { 'node-restriction.kubernetes.io/zone': 'a' } }), subresource)).toContain('is not allowed to modify labels')
      expect(await update(node('n1', { labels: { 'topology.kubernetes.io/zone': 'a', 'a.kubelet.kubernetes.io/b': 'c', mine: 'b' } }), node('n1'), subresource)).toBe('admitted')
    }
    expect(await update(node('n1', {}, { configSource: { configMap: {} } }), node('n1'))).toContain('is not allowed to update configSource to a new non-nil configSource')
  })

  it('may not begin with such labels either, but with taints', async () => {
    expect(await ask(core.nodes, node('n1', { labels: { 'failure-domain.kubernetes.io/zone': 'a' } }))).toContain('node "n1" is not allowed to set the following labels: failure-domain.kubernetes.io/zone')
    expect(await ask(core.nodes, node('n1', {}, { taints: [{ key: 'a', effect: 'NoSchedule' }] }))).toBe('admitted')
    expect(await ask(core.nodes, node('n2'))).toContain('not allowed to modify node "n2"')
  })
})

describe('what a node does with pods', () => {
  const status = (old: Loose, next = old) => ask(core.pods, next, { operation: 'UPDATE', subresource: 'status', old })

  it('is with those that are bound to it', async () => {
    expect(await status(pod({ nodeName: 'n1' }))).toBe('admitted')
    expect(await status(pod({ nodeName: 'n2' }))).toContain('node "n1" can only update pod status for pods with spec.nodeName set to itself')
    expect(await ask(core.pods, undefined, { operation: 'DELETE', old: pod({ nodeName: 'n2' }) })).toContain('node "n1" can only delete pods')
    expect(await ask(core.pods, { kind: 'Eviction', metadata: theirs.metadata }, { subresource: 'eviction' })).toContain('node n1 can only evict pods')
    expect(await ask(core.pods, { kind: 'Eviction', metadata: { name: 'none', namespace: 'default' } }, { subresource: 'eviction' })).toBe('404 pods "none" not found')
  })

  it('is making and deleting mirror pods, statuses and evictions: nothing else', async () => {
    const own = pod({ nodeName: 'n1' })
    expect(await ask(core.pods, own)).toContain('can only create mirror pods')
    expect(await ask(core.pods, own, { operation: 'UPDATE', old: own })).toContain('unexpected operation "UPDATE", node "n1" can only create and delete mirror pods')
    expect(await ask(core.pods, own, { operation: 'UPDATE', subresource: 'ephemeralcontainers', old: own })).toContain('unexpected pod subresource "ephemeralcontainers", only \'status\' and \'eviction\' are allowed')
  })

  it('changes neither labels nor the claims in a status, which it could read then', async () => {
    const own = pod({ nodeName: 'n1' }, {}, { resourceClaimStatuses: [{ name: 'gpu', resourceClaimName: 'made' }] })
    expect(await status(own, pod({ nodeName: 'n1' }, { labels: { app: 'web' } }, own['status'] as object))).toContain('node "n1" cannot update labels through pod status')
    for (const resourceClaimStatuses of [[], [{ name: 'gpu' }], [{ name: 'gpu', resourceClaimName: 'other' }]]) expect(await status(own, pod({ nodeName: 'n1' }, {}, { resourceClaimStatuses }))).toContain('node "n1" cannot update resource claim statues')
    expect(await status(own, pod({ nodeName: 'n1' }, {}, { ...own['status'] as object, extendedResourceClaimStatus: { resourceClaimName: 'other' } }))).toContain('node "n1" cannot update extended resource claim status')
    expect(await status(own, pod({ nodeName: 'n1' }, {}, { ...own['status'] as object, phase: 'Running' }))).toBe('admitted')
  })
})

describe('a mirror pod', () => {
  const owner = { apiVersion: 'v1', kind: 'Node', name: 'n1', uid: 'u1', controller: true }
  const make = (spec: object = {}, ownerReferences: readonly object[] = [owner]) => ask(core.pods, pod({ nodeName: 'n1', ...spec }, { annotations: { 'kubernetes.io/config.mirror': 'x' }, ownerReferences }))
  const volume = (source: object) => ({ volumes: [{ name: 'v', ...source }] })

  it('uses nothing of the API', async () => {
    expect(await make(volume({ hostPath: { path: '/a' } }))).toBe('admitted')
    expect(await make(volume({ projected: { sources: [{ downwardAPI: {} }] } }))).toBe('admitted')
    for (const [what, spec] of [
      ['serviceaccounts', { serviceAccountName: 'a' }], ['secrets', volume({ secret: { secretName: 's' } })], ['secrets', { imagePullSecrets: [{ name: 's' }] }], ['secrets', { containers: [{ name: 'a', resources: {}, envFrom: [{ secretRef: { name: 's' } }] }] }],
      ['configmaps', volume({ configMap: { name: 'c' } })], ['persistentvolumeclaims', volume({ persistentVolumeClaim: { claimName: 'c' } })], ['persistentvolumeclaims (via ephemeral volumes)', volume({ ephemeral: {} })],
      ['resourceclaims', { resourceClaims: [{ name: 'r', resourceClaimName: 'r' }] }], ['csidrivers (via CSI volumes)', volume({ csi: { driver: 'd' } })], ['clustertrustbundles', volume({ projected: { sources: [{ clusterTrustBundle: { path: 'a' } }] } })],
      ['serviceaccounts (via projected volumes)', volume({ projected: { sources: [{ serviceAccountToken: { path: 't' } }] } })], ['an unknown type of volume (v)', volume({ unheardOf: {} })],
    ] as const) expect(await make(spec), what).toBe(`403 pods "p" is forbidden: node "n1" can not create pods that reference ${what}`)
  })

  it('belongs to its node, and to nobody else', async () => {
    expect(await make({ nodeName: 'n2' })).toContain('can only create pods with spec.nodeName set to itself')
    for (const [wrong, says] of [
      [[], 'owner reference set to itself'], [[owner, owner], 'single owner reference'], [[{ ...owner, name: 'n2' }], 'owner reference set to itself'], [[{ ...owner, controller: false }], 'controller owner reference'],
      [[{ ...owner, blockOwnerDeletion: true }], 'must not set blockOwnerDeletion'], [[{ ...owner, uid: 'u2' }], 'node n1 UID mismatch: expected u2 got u1'],
    ] as const) expect(await make({}, wrong)).toContain(says)
  })
})

it('says of claims how far they have grown, and nothing else', async () => {
  const claim = (metadata: object = {}, spec: object = {}, status: object = {}): Loose => ({ kind: 'PersistentVolumeClaim', metadata: { name: 'c', namespace: 'default', ...metadata }, spec, status })
  const old = claim({ resourceVersion: '1' }, {}, { phase: 'Bound' })
  const update = (next: Loose) => ask(core.persistentvolumeclaims, next, { operation: 'UPDATE', subresource: 'status', old })
  expect(await update(claim({ resourceVersion: '' }, {}, { phase: 'Bound', capacity: { storage: '1Gi' }, conditions: [{ type: 'Resizing', status: 'True' }], allocatedResources: { storage: '1Gi' }, allocatedResourceStatuses: { storage: 'a' } }))).toBe('admitted')
  for (const next of [claim({ labels: { a: 'b' } }, {}, { phase: 'Bound' }), claim({ finalizers: ['a/b'] }, {}, { phase: 'Bound' }), claim({}, {}, { phase: 'Lost' })]) expect(await update(next)).toContain('node "n1" is not allowed to update fields other than status.quantity and status.conditions')
  expect(await ask(core.persistentvolumeclaims, old, { operation: 'UPDATE', old })).toBe('403 persistentvolumeclaims "c" is forbidden: may only update PVC status')
})

it('has leases, CSINodes and slices of its own', async () => {
  const lease = (name: string, namespace = 'kube-node-lease'): Loose => ({ kind: 'Lease', metadata: { name, namespace } })
  expect(await ask(coordination.leases, lease('n1'))).toBe('admitted')
  expect(await ask(coordination.leases, lease('n2'))).toContain('can only access node lease with the same name as the requesting node')
  expect(await ask(coordination.leases, lease('n1', 'x'))).toContain('can only access leases in the "kube-node-lease" system namespace')
  expect(await ask(storage.csinodes, { kind: 'CSINode', metadata: { name: 'n2' } })).toContain('can only access CSINode')
  const slice = (nodeName: string): Loose => ({ kind: 'ResourceSlice', metadata: { name: 's' }, spec: { nodeName } })
  expect(await ask(dra.resourceslices, slice('n1'))).toBe('admitted')
  expect(await ask(dra.resourceslices, slice('n2'))).toContain('can only create ResourceSlice with the same NodeName as the requesting node')
  expect(await ask(dra.resourceslices, undefined, { operation: 'DELETE', old: slice('n2') })).toContain('can only delete ResourceSlice')
  const request: Loose = { kind: 'CertificateSigningRequest', metadata: { name: 'r' }, spec: { signerName: 'kubernetes.io/kubelet-serving', request: 'eA==' } }
  expect(await ask(certificates.certificatesigningrequests, request)).toContain('can only create a node CSR with CN=system:node:n1')
})

it('asks for certificates of its own name: of several the last one counts', async () => {
  const { Pkcs10CertificateRequestGenerator } = await loadX509()
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const request = async (name: string, signerName = 'kubernetes.io/kube-apiserver-client-kubelet') => {
    const csr = await Pkcs10CertificateRequestGenerator.create({ name, keys, signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' } })
    return ask(certificates.certificatesigningrequests, { kind: 'CertificateSigningRequest', metadata: { name: 'r' }, spec: { signerName, request: Buffer.from(csr.toString('pem')).toString('base64') } })
  }
  expect(await request('CN=system:node:n1,O=system:nodes')).toBe('admitted')
  expect(await request('CN=system:node:n1,CN=system:node:n2,O=system:nodes')).toContain('can only create a node CSR with CN=system:node:n1')
  expect(await request('CN=ana', 'kubernetes.io/kube-apiserver-client')).toBe('admitted')
})

it('is nobody without a name; others are none of its business', async () => {
  expect(await ask(core.events, { kind: 'Event', metadata: { name: 'e', namespace: 'default' } }, { user: { ...user, name: 'system:node:' } })).toBe('403 events "e" is forbidden: could not determine node from user "system:node:"')
  expect(await ask(core.nodes, node('n2'), { operation: 'UPDATE', old: node('n2'), user: { name: 'ana', groups: [] } })).toBe('admitted')
})
