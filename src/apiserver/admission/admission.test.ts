import { describe, expect, it } from 'vitest'
import { certificates, core, networking, rbac, scheduling, type Resource } from '../../api/index.ts'
import { isApiError } from '../../machinery/errors.ts'
import { createAuthorizer } from '../authz/authorizer.ts'
import { createRbacIndex } from '../authz/rbac.ts'
import { attributesOf, environment, type Loose, type Wanted } from '../testing/environment.ts'
import type { AdmissionPlugin } from './admission.ts'
import { createAdmissionChain } from './chain.ts'
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './plugins/certificates.ts'
import { defaultIngressClass } from './plugins/default-ingress-class.ts'
import { defaultStorageClass } from './plugins/default-storage-class.ts'
import { defaultTolerationSeconds } from './plugins/default-toleration-seconds.ts'
import { extendedResourceToleration } from './plugins/extended-resource-toleration.ts'
import { limitRanger } from './plugins/limit-ranger.ts'
import { namespaceLifecycle } from './plugins/namespace-lifecycle.ts'
import { podTopologyLabels } from './plugins/pod-topology-labels.ts'
import { priority } from './plugins/priority.ts'
import { roleEscalation } from './plugins/role-escalation.ts'
import { runtimeClass } from './plugins/runtime-class.ts'
import { serviceAccount } from './plugins/service-account.ts'
import { storageObjectInUseProtection } from './plugins/storage-object-in-use-protection.ts'
import { taintNodesByCondition } from './plugins/taint-nodes-by-condition.ts'

interface PodSpec { readonly [key: string]: unknown; readonly tolerations?: { key: string; effect?: string }[]; readonly containers: { resources: Record<string, unknown>; volumeMounts?: object[] }[] }

const pod = (spec: object = {}, metadata: object = {}): Loose => ({ kind: 'Pod', metadata: { name: 'p', namespace: 'default', ...metadata }, spec: { containers: [{ name: 'a', resources: {} }], ...spec }, status: {} })
const namespace = (name: string, phase = 'Active'): Loose => ({ kind: 'Namespace', metadata: { name }, spec: {}, status: { phase } })
const account = (name: string, more: object = {}): Loose => ({ kind: 'ServiceAccount', metadata: { name, namespace: 'default' }, ...more })

/** Runs one plugin through the chain. */
async function admit(plugin: AdmissionPlugin, resource: Resource | unknown, object: Loose | undefined, wanted: Wanted = {}) {
  const chain = createAdmissionChain([plugin])
  const attributes = attributesOf(resource, object, wanted)
  const mutated = await chain.mutate(attributes)
  await chain.validate({ ...attributes, object: mutated })
  return mutated as unknown as { spec: PodSpec; metadata: { annotations?: Record<string, string> } }
}
const refusal = async (...parameters: Parameters<typeof admit>): Promise<string> =>
  admit(...parameters).then(() => 'admitted', (error: unknown) => (isApiError(error) ? `${error.code} ${error.message}` : String(error)))

describe('NamespaceLifecycle', () => {
  const plugin = namespaceLifecycle(environment(namespace('default'), namespace('going', 'Terminating')))

  it('lets nothing be created in a namespace that is missing or going away', async () => {
    expect(await refusal(plugin, core.configmaps, { kind: 'ConfigMap', metadata: { name: 'a', namespace: 'nowhere' } })).toBe('404 namespaces "nowhere" not found')
    expect(await refusal(plugin, core.configmaps, { kind: 'ConfigMap', metadata: { name: 'a', namespace: 'going' } }))
      .toBe('403 configmaps "a" is forbidden: unable to create new content in namespace going because it is being terminated')
    expect(await refusal(plugin, core.configmaps, { kind: 'ConfigMap', metadata: { name: 'a', namespace: 'default' } })).toBe('admitted')
  })

  it('lets what is in a namespace that goes away still change, and be deleted', async () => {
    const object = { kind: 'ConfigMap', metadata: { name: 'a', namespace: 'going' } }
    expect(await refusal(plugin, core.configmaps, object, { operation: 'UPDATE', old: object })).toBe('admitted')
    expect(await refusal(plugin, core.configmaps, undefined, { operation: 'DELETE', old: { kind: 'ConfigMap', metadata: { name: 'a', namespace: 'nowhere' } } })).toBe('admitted')
  })

  it('keeps the namespaces that the cluster lives in', async () => {
    const remove = (name: string) => refusal(plugin, core.namespaces, undefined, { operation: 'DELETE', old: namespace(name) })
    expect(await remove('kube-system')).toBe('403 namespaces "kube-system" is forbidden: this namespace may not be deleted')
    expect(await remove('mine')).toBe('admitted')
  })
})

describe('PodTopologyLabels', () => {
  const zone = 'topology.kubernetes.io/zone'
  const region = 'topology.kubernetes.io/region'
  const node = (name: string, labels: object = {}): Loose => ({ kind: 'Node', metadata: { name, ...labels } })
  const plugin = podTopologyLabels(environment(node('n1', { labels: { [zone]: 'z1', [region]: 'r1', other: 'x' } }), node('bare')))
  const labelsOf = async (...wanted: Parameters<typeof admit> extends [unknown, ...infer Rest] ? Rest : never) =>
    ((await admit(plugin, ...wanted)) as unknown as { metadata: { labels?: object } }).metadata.labels
  const said = { labels: { [zone]: 'said', mine: 'y' } }
  const bind = (name: string) => labelsOf(core.pods, { kind: 'Binding', metadata: { name: 'p', namespace: 'default', ...said }, target: { name } }, { subresource: 'binding' })

  it('gives a pod the zone and the region of its node, whatever the scheduler says of them', async () => {
    expect(await bind('n1')).toEqual({ [zone]: 'z1', [region]: 'r1', mine: 'y' })
    expect(await labelsOf(core.pods, pod({ nodeName: 'n1' }))).toEqual({ [zone]: 'z1', [region]: 'r1' })
  })

  it('leaves pods alone that have no node, or one without a place', async () => {
    expect(await bind('bare')).toEqual({ [zone]: 'said', mine: 'y' })
    expect(await bind('unknown')).toEqual({ [zone]: 'said', mine: 'y' })
    expect(await labelsOf(core.pods, pod())).toBeUndefined()
  })
})

describe('ServiceAccount', () => {
  const token = { mountTokens: true }

  it('names the default account, mounts its token and takes over its pull secrets', async () => {
    const { spec } = await admit(serviceAccount(environment(account('default', { imagePullSecrets: [{ name: 's' }] })), token), core.pods, pod())
    expect(spec).toMatchObject({ serviceAccountName: 'default', imagePullSecrets: [{ name: 's' }] })
    expect(spec['volumes']).toMatchObject([{ name: expect.stringMatching(/^kube-api-access-[a-z0-9]{5}$/) as string, projected: { sources: [{ serviceAccountToken: { path: 'token' } }, { configMap: { name: 'kube-root-ca.crt' } }, { downwardAPI: {} }] } }])
    expect(spec.containers[0]?.volumeMounts).toMatchObject([{ mountPath: '/var/run/secrets/kubernetes.io/serviceaccount', readOnly: true }])
  })

  it('mounts none where the pod, or else the account, says no', async () => {
    const no = { automountServiceAccountToken: false }
    const mounts = async (a: object, p: object) => (await admit(serviceAccount(environment(account('default', a)), token), core.pods, pod(p))).spec['volumes'] !== undefined
    expect(await mounts(no, {})).toBe(false)
    expect(await mounts({}, no)).toBe(false)
    expect(await mounts(no, { automountServiceAccountToken: true })).toBe(true)
  })

  it('waits a second for the default account of a new namespace', async () => {
    const env = environment()
    const outcome = admit(serviceAccount(env, token), core.pods, pod())
    await env.clock.advance(250)
    env.objects.push(account('default'))
    await env.clock.advance(250)
    expect((await outcome).spec).toMatchObject({ serviceAccountName: 'default' })
  })

  it('keeps pods of an account that says so to the secrets that it names', async () => {
    const strict = account('default', { metadata: { name: 'default', namespace: 'default', annotations: { 'kubernetes.io/enforce-mountable-secrets': 'true' } }, secrets: [{ name: 'mine' }], imagePullSecrets: [{ name: 'pull' }] })
    const plugin = serviceAccount(environment(strict), { mountTokens: false })
    const uses = (secret: string) => ({ env: [{ name: 'E', valueFrom: { secretKeyRef: { name: secret, key: 'k' } } }] })
    const because = 'is not allowed because service account default does not reference that'
    expect(await refusal(plugin, core.pods, pod({ containers: [{ name: 'a', ...uses('mine') }], volumes: [{ name: 'v', secret: { secretName: 'mine' } }] }))).toBe('admitted')
    expect(await refusal(plugin, core.pods, pod({ volumes: [{ name: 'v', secret: { secretName: 'theirs' } }] }))).toBe(`403 pods "p" is forbidden: volume with secret.secretName="theirs" ${because} secret`)
    expect(await refusal(plugin, core.pods, pod({ containers: [{ name: 'a', ...uses('theirs') }] }))).toContain(`container a with envVar E referencing secret.secretName="theirs" ${because} secret`)
    expect(await refusal(plugin, core.pods, pod({ initContainers: [{ name: 'i', envFrom: [{ secretRef: { name: 'theirs' } }] }] }))).toContain(`init container i with envFrom referencing secret.secretName="theirs" ${because} secret`)
    expect(await refusal(plugin, core.pods, pod({ imagePullSecrets: [{ name: 'pull' }, { name: 'theirs' }] }))).toContain(`imagePullSecrets[1].name="theirs" ${because} imagePullSecret`)
    const debugged = pod({ serviceAccountName: 'default', ephemeralContainers: [{ name: 'd', ...uses('theirs') }] })
    expect(await refusal(plugin, core.pods, debugged, { operation: 'UPDATE', subresource: 'ephemeralcontainers', old: pod() })).toContain('ephemeral container d with envVar E referencing secret.secretName="theirs"')
    const debugs = { operation: 'UPDATE', subresource: 'ephemeralcontainers', old: pod() } as const
    const running = pod({ serviceAccountName: 'default', containers: [{ name: 'a', ...uses('theirs') }], ephemeralContainers: [{ name: 'd', ...uses('mine') }] })
    expect(await refusal(plugin, core.pods, running, debugs)).toBe('admitted')
    expect(await refusal(plugin, core.pods, pod({ serviceAccountName: 'gone', ephemeralContainers: [{ name: 'd', ...uses('theirs') }] }), debugs)).toContain('error looking up service account default/gone')
    expect(await refusal(serviceAccount(environment(account('default')), { mountTokens: false }), core.pods, pod({ volumes: [{ name: 'v', secret: { secretName: 'theirs' } }] }))).toBe('admitted')
  })

  it('lets mirror pods use no secrets in any way', async () => {
    const mirror = (spec: object) => pod({ nodeName: 'n', ...spec }, { annotations: { 'kubernetes.io/config.mirror': 'x' } })
    for (const spec of [{ volumes: [{ name: 'v', secret: { secretName: 's' } }] }, { containers: [{ name: 'a', envFrom: [{ secretRef: { name: 's' } }] }] }, { imagePullSecrets: [{ name: 's' }] }, { volumes: [{ name: 'v', projected: { sources: [{ secret: { name: 's' } }] } }] }, { volumes: [{ name: 'v', cinder: { volumeID: 'x', secretRef: { name: 's' } } }] }]) {
      expect(await refusal(serviceAccount(environment(), token), core.pods, mirror(spec)), JSON.stringify(spec)).toContain('a mirror pod may not reference secrets')
    }
  })

  it('refuses accounts that are not there', async () => {
    expect(await refusal(serviceAccount(environment(), token), core.pods, pod({ serviceAccountName: 'x' })))
      .toBe('403 pods "p" is forbidden: error looking up service account default/x: serviceaccount "x" not found')
  })
})

describe('Priority', () => {
  const high: Loose = { kind: 'PriorityClass', metadata: { name: 'high' }, value: 1000, preemptionPolicy: 'Never' }
  const plain: Loose = { kind: 'PriorityClass', metadata: { name: 'plain' }, value: 5, globalDefault: true }

  it('is the number of the class, or of the default one, or 0', async () => {
    expect((await admit(priority(environment(high)), core.pods, pod({ priorityClassName: 'high' }))).spec).toMatchObject({ priority: 1000, preemptionPolicy: 'Never' })
    expect((await admit(priority(environment(high, plain)), core.pods, pod())).spec).toMatchObject({ priority: 5, priorityClassName: 'plain' })
    expect((await admit(priority(environment(high)), core.pods, pod())).spec).toMatchObject({ priority: 0, preemptionPolicy: 'PreemptLowerPriority' })
    expect((await admit(priority(environment()), core.pods, pod({ priorityClassName: 'system-node-critical' }))).spec).toMatchObject({ priority: 2_000_001_000 })
  })

  it('has one default class only', async () => {
    expect(await refusal(priority(environment(plain)), scheduling.priorityclasses, { ...plain, metadata: { name: 'other' } })).toContain('PriorityClass plain is already marked as default. Only one default can exist')
    expect(await refusal(priority(environment(plain)), scheduling.priorityclasses, plain)).toContain('is already marked as default')
    expect(await refusal(priority(environment(plain)), scheduling.priorityclasses, plain, { operation: 'UPDATE', old: plain })).toBe('admitted')
  })

  it('of the pods that stand for a node\'s own is that of others', async () => {
    expect((await admit(priority(environment(plain)), core.pods, pod({ nodeName: 'n' }, { annotations: { 'kubernetes.io/config.mirror': 'x' } }))).spec).toMatchObject({ priority: 5, priorityClassName: 'plain' })
  })

  it('is not taken from the client', async () => {
    expect(await refusal(priority(environment()), core.pods, pod({ priorityClassName: 'none' }))).toBe('403 pods "p" is forbidden: no PriorityClass with name none was found')
    expect(await refusal(priority(environment(high)), core.pods, pod({ priorityClassName: 'high', priority: 1 }))).toContain('the integer value of priority (1) must not be provided in pod spec')
  })
})

describe('LimitRanger', () => {
  const range = (limits: object): Loose => ({ kind: 'LimitRange', metadata: { name: 'r', namespace: 'default' }, spec: { limits: [limits] } })

  it('gives containers the defaults they lack, and says so', async () => {
    const plugin = limitRanger(environment(range({ type: 'Container', default: { cpu: '1', memory: '1Gi' }, defaultRequest: { cpu: '100m' } })))
    const { spec, metadata } = await admit(plugin, core.pods, pod({ containers: [{ name: 'a', resources: { limits: { cpu: '2' } } }] }))
    expect(spec.containers[0]?.resources).toEqual({ limits: { cpu: '2', memory: '1Gi' }, requests: { cpu: '100m' } })
    expect(metadata.annotations?.['kubernetes.io/limit-ranger']).toBe('LimitRanger plugin set: cpu request for container a; memory limit for container a')
  })

  it('refuses what is out of bounds', async () => {
    const container = (resources: object) => pod({ containers: [{ name: 'a', resources }] })
    const plugin = limitRanger(environment(range({ type: 'Container', min: { cpu: '100m' }, max: { cpu: '1' } })))
    expect(await refusal(plugin, core.pods, container({ requests: { cpu: '50m' }, limits: { cpu: '2' } })))
      .toBe('403 pods "p" is forbidden: [minimum cpu usage per Container is 100m, but request is 50m, maximum cpu usage per Container is 1, but limit is 2]')
    expect(await refusal(plugin, core.pods, container({}))).toContain('No request is specified')
    expect(await refusal(plugin, core.pods, container({ requests: { cpu: '100m' }, limits: { cpu: '1000m' } }))).toBe('admitted')
  })

  it('of several ranges asks the first that says something, and refuses in the words of one', async () => {
    const named = (name: string, limits: object): Loose => ({ ...range({ type: 'Container', ...limits }), metadata: { name, namespace: 'default' } })
    const plugin = limitRanger(environment(named('a', { default: { cpu: '1' } }), named('b', { default: { cpu: '2', memory: '1Gi' } }), named('c', { max: { cpu: '500m' } }), named('d', { max: { memory: '1Mi' } })))
    expect(await refusal(plugin, core.pods, pod({ containers: [{ name: 'x', resources: {} }, { name: 'y', resources: {} }] }))).toBe('403 pods "p" is forbidden: maximum cpu usage per Container is 500m, but limit is 1')
  })

  it('says what is wrong with an amount once', async () => {
    const container = pod({ containers: [{ name: 'a', resources: { requests: { cpu: '3' }, limits: { cpu: '4' } } }] })
    expect(await refusal(limitRanger(environment(range({ type: 'Container', max: { cpu: '2' } }))), core.pods, container)).toBe('403 pods "p" is forbidden: maximum cpu usage per Container is 2, but limit is 4')
  })

  it('lets claims that are out of bounds go', async () => {
    const claim = (storage: string, deletionTimestamp?: string): Loose => ({ kind: 'PersistentVolumeClaim', metadata: { name: 'c', namespace: 'default', deletionTimestamp } as never, spec: { resources: { requests: { storage } } } })
    const plugin = limitRanger(environment(range({ type: 'PersistentVolumeClaim', min: { storage: '1Gi' }, max: { storage: '2Gi' } })))
    expect(await refusal(plugin, core.persistentvolumeclaims, claim('1Mi'))).toContain('minimum storage usage per PersistentVolumeClaim is 1Gi, but request is 1Mi')
    expect(await refusal(plugin, core.persistentvolumeclaims, claim('3Gi'), { operation: 'UPDATE', old: claim('3Gi') })).toContain('maximum storage usage per PersistentVolumeClaim is 2Gi, but request is 3Gi')
    expect(await refusal(plugin, core.persistentvolumeclaims, claim('3Gi', 'now'), { operation: 'UPDATE', old: claim('3Gi', 'now') })).toBe('admitted')
  })

  it('adds up the containers of a pod', async () => {
    const plugin = limitRanger(environment(range({ type: 'Pod', max: { memory: '1Gi' } })))
    const two = pod({ containers: ['a', 'b'].map((name) => ({ name, resources: { limits: { memory: '600Mi' } } })) })
    expect(await refusal(plugin, core.pods, two)).toContain('maximum memory usage per Pod is 1Gi, but limit is 1200Mi')
  })

  it('adds sidecars to those that they run beside, and goes by what a pod says as a whole', async () => {
    const plugin = limitRanger(environment(range({ type: 'Pod', max: { memory: '1Gi' } })))
    const limits = (memory: string) => ({ limits: { memory } })
    const beside = (restartPolicy?: string) => pod({ initContainers: [{ name: 's', restartPolicy, resources: limits('600Mi') }, { name: 'i', resources: limits('500Mi') }], containers: [{ name: 'a', resources: limits('500Mi') }] })
    expect(await refusal(plugin, core.pods, beside())).toBe('admitted')
    expect(await refusal(plugin, core.pods, beside('Always'))).toContain('maximum memory usage per Pod is 1Gi, but limit is 1100Mi')
    expect(await refusal(plugin, core.pods, pod({ resources: limits('2Gi'), containers: [{ name: 'a', resources: {} }] }))).toContain('but limit is 2Gi')
  })

  it('holds for pods that grow while they run', async () => {
    const plugin = limitRanger(environment(range({ type: 'Container', max: { cpu: '1' } })))
    const sized = (cpu: string) => pod({ containers: [{ name: 'a', resources: { requests: { cpu }, limits: { cpu } } }] })
    expect(await refusal(plugin, core.pods, sized('2'), { operation: 'UPDATE', subresource: 'resize', old: sized('1') })).toContain('maximum cpu usage per Container is 1, but limit is 2')
    expect(await refusal(plugin, core.pods, sized('1'), { operation: 'UPDATE', subresource: 'resize', old: sized('500m') })).toBe('admitted')
    expect(await refusal(plugin, core.pods, sized('2'), { operation: 'UPDATE', old: sized('2') })).toBe('admitted')
    const defaults = limitRanger(environment(range({ type: 'Container', default: { memory: '1Gi' } })))
    expect((await admit(defaults, core.pods, sized('2'), { operation: 'UPDATE', subresource: 'resize', old: sized('1') })).spec.containers[0]?.resources).toMatchObject({ limits: { cpu: '2', memory: '1Gi' } })
  })
})

describe('small plugins', () => {
  it('taint new nodes as not ready', async () => {
    const node: Loose = { kind: 'Node', metadata: { name: 'n' }, spec: {}, status: {} }
    expect((await admit(taintNodesByCondition(), core.nodes, node)).spec['taints']).toEqual([{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }])
  })

  it('let pods stay five minutes on a lost node, unless they say otherwise', async () => {
    const keys = async (tolerations: object[]) => (await admit(defaultTolerationSeconds(), core.pods, pod({ tolerations }))).spec.tolerations?.map((t) => t.key)
    expect(await keys([])).toEqual(['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'])
    expect(await keys([{ key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' }])).toEqual(['node.kubernetes.io/not-ready', 'node.kubernetes.io/unreachable'])
    expect(await keys([{ operator: 'Exists' }])).toEqual([undefined])
  })

  it('let pods that ask for a device onto the nodes that have it', async () => {
    const { spec } = await admit(extendedResourceToleration(), core.pods, pod({ containers: [{ name: 'a', resources: { requests: { cpu: '1', 'example.com/gpu': '1' } } }] }))
    expect(spec.tolerations).toEqual([{ key: 'example.com/gpu', operator: 'Exists', effect: 'NoSchedule' }])
  })

  it('keep claims and volumes from going while they are used', async () => {
    const born = async (resource: unknown, kind: string) => ((await admit(storageObjectInUseProtection(), resource, { kind, metadata: { name: 'a' } })) as unknown as { metadata: { finalizers?: string[] } }).metadata.finalizers
    expect(await born(core.persistentvolumeclaims, 'PersistentVolumeClaim')).toEqual(['kubernetes.io/pvc-protection'])
    expect(await born(core.persistentvolumes, 'PersistentVolume')).toEqual(['kubernetes.io/pv-protection'])
    expect(await born(core.configmaps, 'ConfigMap')).toBeUndefined()
  })

  it('choose the newest default class', async () => {
    const marked = (kind: string, name: string, mark: string, creationTimestamp: string) => ({ kind, metadata: { name, creationTimestamp, annotations: { [mark]: 'true' } } })
    const mark = 'storageclass.kubernetes.io/is-default-class'
    const storage = defaultStorageClass(environment(marked('StorageClass', 'old', mark, '2025-01-01T00:00:00Z'), marked('StorageClass', 'new', mark, '2026-01-01T00:00:00Z')))
    const claim = (spec: object): Loose => ({ kind: 'PersistentVolumeClaim', metadata: { name: 'c', namespace: 'default' }, spec, status: {} })
    expect((await admit(storage, core.persistentvolumeclaims, claim({}))).spec['storageClassName']).toBe('new')
    expect((await admit(storage, core.persistentvolumeclaims, claim({ storageClassName: '' }))).spec['storageClassName']).toBe('')
    const ingress = defaultIngressClass(environment(marked('IngressClass', 'web', 'ingressclass.kubernetes.io/is-default-class', '2025-01-01T00:00:00Z')))
    expect((await admit(ingress, networking.ingresses, { kind: 'Ingress', metadata: { name: 'i', namespace: 'default' }, spec: {} })).spec['ingressClassName']).toBe('web')
  })

  it('bring a runtime class\'s overhead and nodes', async () => {
    const plugin = runtimeClass(environment({ kind: 'RuntimeClass', metadata: { name: 'vm' }, handler: 'kata', overhead: { podFixed: { cpu: '1' } }, scheduling: { nodeSelector: { vm: 'yes' } } }))
    expect((await admit(plugin, core.pods, pod({ runtimeClassName: 'vm' }))).spec).toMatchObject({ overhead: { cpu: '1' }, nodeSelector: { vm: 'yes' } })
    expect(await refusal(plugin, core.pods, pod({ runtimeClassName: 'vm', nodeSelector: { vm: 'no' } }))).toContain('conflict: runtimeClass.scheduling.nodeSelector[vm] = yes')
    expect(await refusal(plugin, core.pods, pod({ runtimeClassName: 'x' }))).toContain('pod rejected: RuntimeClass "x" not found')
    expect(await refusal(plugin, core.pods, pod({ overhead: { cpu: '1' } }))).toContain('pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead')
    expect(await refusal(plugin, core.pods, pod({ runtimeClassName: 'vm', overhead: { cpu: '1000m' } }))).toBe('admitted')
    const light = runtimeClass(environment({ kind: 'RuntimeClass', metadata: { name: 'light' }, handler: 'runc', scheduling: { tolerations: [{ key: 'a', operator: 'Exists' }] } }))
    expect(await refusal(light, core.pods, pod({ runtimeClassName: 'light', overhead: { cpu: '1' } }))).toContain('without corresponding RuntimeClass defined Overhead')
    expect((await admit(light, core.pods, pod({ runtimeClassName: 'light', tolerations: [{ key: 'a', operator: 'Exists', effect: 'NoExecute' }] }))).spec.tolerations).toEqual([{ key: 'a', operator: 'Exists' }])
  })
})

describe('RoleEscalation', () => {
  const index = createRbacIndex()
  index.setRole('', 'own', [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods', 'pods/log'] }, { verbs: ['create', 'update'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles', 'rolebindings', 'clusterroles'] }, { verbs: ['bind'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'], resourceNames: ['view'] }])
  index.setBinding('', 'b', { metadata: { name: 'b' }, subjects: [{ kind: 'User', name: 'ana' }], roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'own' } })
  const plugin = roleEscalation(environment({ kind: 'ClusterRole', metadata: { name: 'cluster-admin' }, rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] }, { kind: 'ClusterRole', metadata: { name: 'view' }, rules: [{ verbs: ['get'], apiGroups: ['*'], resources: ['*'] }] }), createAuthorizer([index]))
  const role = (...rules: object[]): Loose => ({ kind: 'Role', metadata: { name: 'r', namespace: 'default' }, rules })
  const bind = (name: string): Loose => ({ kind: 'RoleBinding', metadata: { name: 'b', namespace: 'default' }, subjects: [], roleRef: { kind: 'ClusterRole', name, apiGroup: 'rbac.authorization.k8s.io' } })

  it('lets nobody write rights into a role that they do not have', async () => {
    expect(await refusal(plugin, rbac.roles, role({ verbs: ['get'], apiGroups: [''], resources: ['pods'] }))).toBe('admitted')
    expect(await refusal(plugin, rbac.roles, role({ verbs: ['get'], apiGroups: [''], resources: ['secrets'] }))).toContain('is attempting to grant RBAC permissions not currently held')
    expect(await refusal(plugin, rbac.roles, role({ verbs: ['*'], apiGroups: [''], resources: ['pods'] }))).toContain('403 ')
    expect(await refusal(plugin, rbac.clusterroles, { kind: 'ClusterRole', metadata: { name: 'x' }, rules: [], aggregationRule: { clusterRoleSelectors: [{}] } })).toBe('403 clusterroles.rbac.authorization.k8s.io "x" is forbidden: must have cluster-admin privileges to use the aggregationRule')
  })

  it('lets nobody change a role in any way that has more than they, but for what the garbage collector needs', async () => {
    const old: Loose = { kind: 'ClusterRole', metadata: { name: 'x' }, rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] }
    const change = (metadata: object) => refusal(plugin, rbac.clusterroles, { ...old, metadata: { ...old.metadata, ...metadata } }, { operation: 'UPDATE', old })
    expect(await change({ labels: { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' } })).toContain('is attempting to grant RBAC permissions not currently held')
    expect(await change({ finalizers: ['a/b'], ownerReferences: [{ kind: 'A', name: 'a', uid: 'u', apiVersion: 'v1' }], resourceVersion: '7' })).toBe('admitted')
  })

  it('lets nobody bind a role that has more than they, unless they may bind it', async () => {
    expect(await refusal(plugin, rbac.rolebindings, bind('cluster-admin'))).toContain('403 ')
    expect(await refusal(plugin, rbac.rolebindings, bind('view'))).toBe('admitted')
    expect(await refusal(plugin, rbac.rolebindings, bind('none'))).toBe('404 clusterroles.rbac.authorization.k8s.io "none" not found')
    expect(await refusal(plugin, rbac.rolebindings, bind('cluster-admin'), { user: { name: 'root', groups: ['system:masters'] } })).toBe('admitted')
  })
})

describe('the chain', () => {
  const add = (name: string): AdmissionPlugin => ({ name, handles: () => true, mutate: ({ object }) => ({ ...object!, metadata: { ...object!.metadata, labels: { ...object!.metadata.labels, [name]: Object.keys(object!.metadata.labels ?? {}).join() } } }) })

  it('runs plugins in order, each on what the one before it made', async () => {
    const result = await createAdmissionChain([add('a'), add('b')]).mutate(attributesOf(core.pods, pod()))
    expect(result?.metadata.labels).toEqual({ a: '', b: 'a' })
  })

  it('says which plugin failed', async () => {
    const broken: AdmissionPlugin = { name: 'Broken', handles: () => true, validate: () => { throw new TypeError('oops') } }
    await expect((async () => createAdmissionChain([broken]).validate(attributesOf(core.pods, pod())))()).rejects.toMatchObject({ code: 500, message: expect.stringContaining('admission plugin Broken: oops') as string })
  })
})

describe('CertificateApproval and CertificateSigning', () => {
  const index = createRbacIndex()
  index.setRole('', 'r', [{ verbs: ['approve'], apiGroups: ['certificates.k8s.io'], resources: ['signers'], resourceNames: ['example.com/*'] }, { verbs: ['sign'], apiGroups: ['certificates.k8s.io'], resources: ['signers'], resourceNames: ['example.com/one'] }])
  index.setBinding('', 'b', { metadata: { name: 'b' }, subjects: [{ kind: 'User', name: 'ana' }], roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'r' } })
  const authorizer = createAuthorizer([index])
  const request = (signerName: string, certificate?: string): Loose => ({ kind: 'CertificateSigningRequest', metadata: { name: 'c' }, spec: { signerName }, status: { certificate } })

  it('take the right to use the signer, by name or for its domain', async () => {
    const approve = (signer: string) => refusal(certificateApproval(authorizer), certificates.certificatesigningrequests, request(signer), { operation: 'UPDATE', subresource: 'approval', old: request(signer) })
    expect(await approve('example.com/one')).toBe('admitted')
    expect(await refusal(certificateApproval(authorizer), certificates.certificatesigningrequests, request('example.com/one'), { operation: 'UPDATE', subresource: 'approval', old: request('other.com/one') })).toContain('"other.com/one"')
    expect(await refusal(certificateSigning(authorizer), certificates.certificatesigningrequests, request('example.com/one', 'pem'), { operation: 'UPDATE', subresource: 'status', old: request('example.com/two') })).toContain('"example.com/two"')
    expect(await approve('other.com/one')).toContain('user not permitted to approve requests with signerName "other.com/one"')
    const sign = (signer: string, certificate: string) => refusal(certificateSigning(authorizer), certificates.certificatesigningrequests, request(signer, certificate), { operation: 'UPDATE', subresource: 'status', old: request(signer) })
    expect(await sign('example.com/one', 'pem')).toBe('admitted')
    expect(await refusal(certificateApproval(authorizer), certificates.certificatesigningrequests, request('example.com/one'), { operation: 'UPDATE', subresource: 'approval', old: request('other.com/one') })).toContain('"other.com/one"')
    expect(await sign('example.com/two', 'pem')).toContain('user not permitted to sign requests with signerName "example.com/two"')
  })
})

describe('CertificateSubjectRestriction', () => {
  it('lets nobody ask for a master\'s certificate', async () => {
    await import('reflect-metadata')
    const { Pkcs10CertificateRequestGenerator, Name } = await import('@peculiar/x509')
    const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
    const request = async (group: string): Promise<Loose> => {
      const csr = await Pkcs10CertificateRequestGenerator.create({ name: new Name([{ O: [group] }, { CN: ['eve'] }]), keys, signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' } })
      return { kind: 'CertificateSigningRequest', metadata: { name: 'c' }, spec: { signerName: 'kubernetes.io/kube-apiserver-client', request: Buffer.from(csr.toString('pem')).toString('base64') } }
    }
    const plugin = certificateSubjectRestriction()
    expect(await refusal(plugin, certificates.certificatesigningrequests, await request('system:masters'))).toContain('signer with system:masters group is not allowed')
    expect(await refusal(plugin, certificates.certificatesigningrequests, await request('devs'))).toBe('admitted')
  })
})
