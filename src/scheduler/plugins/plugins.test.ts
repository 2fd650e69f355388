import { describe, expect, it } from 'vitest'
import { core, storage } from '../../api/index.ts'
import { decodeObject } from '../../machinery/json.ts'
import { labelSelectorOf } from '../../machinery/labels.ts'
import { combinedFilter } from '../cycle.ts'
import { podInfo } from '../pod-info.ts'
import type { Cluster, Plugin } from '../plugin.ts'
import { createState } from '../state.ts'
import { dynamicResources } from './dynamic-resources.ts'
import { imageLocality, tagged } from './image-locality.ts'
import { interPodAffinity } from './inter-pod-affinity.ts'
import { nodeAffinity } from './node-affinity.ts'
import { nodeName } from './node-name.ts'
import { nodePorts } from './node-ports.ts'
import { nodeResourcesBalancedAllocation } from './node-resources-balanced-allocation.ts'
import { nodeResourcesFit } from './node-resources-fit.ts'
import { nodeUnschedulable } from './node-unschedulable.ts'
import { podTopologySpread } from './pod-topology-spread.ts'
import { taintToleration } from './taint-toleration.ts'
import { volumeBinding } from './volume-binding.ts'
import { volumeRestrictions } from './volume-restrictions.ts'
import { volumeZone } from './volume-zone.ts'

type Json = Record<string, unknown>

const nodeOf = (name: string, over: { labels?: Json; spec?: Json; allocatable?: Json; images?: readonly Json[] } = {}) => decodeObject(core.Node, {
  metadata: { name, labels: { 'kubernetes.io/hostname': name, ...over.labels } },
  spec: over.spec ?? {},
  status: { allocatable: { cpu: '4', memory: '8Gi', pods: '10', ...over.allocatable }, images: over.images ?? [] },
}).object
const podOf = (name: string, spec: Json = {}, metadata: Json = {}) => decodeObject(core.Pod, {
  metadata: { name, namespace: 'default', uid: name, ...metadata },
  spec: { containers: [{ name: 'main', image: 'busybox' }], ...spec },
}).object
const asking = (requests: Json) => ({ containers: [{ name: 'main', image: 'busybox', resources: { requests } }] })

interface World {
  readonly nodes: readonly core.Node[]
  /** node name → pods on it */
  readonly pods?: Readonly<Record<string, readonly core.Pod[]>>
  readonly claims?: readonly Json[]
  readonly volumes?: readonly Json[]
  readonly classes?: readonly Json[]
  readonly namespaces?: Readonly<Record<string, Record<string, string>>>
  readonly siblings?: Cluster['siblings']
}

function world({ nodes, pods = {}, claims = [], volumes = [], classes = [], namespaces = {}, siblings }: World): Cluster {
  const pvs = volumes.map((v) => decodeObject(core.PersistentVolume, v).object)
  const state = createState({
    namespaceLabels: (namespace) => namespaces[namespace],
    claim: (key) => claims.map((c) => decodeObject(core.PersistentVolumeClaim, c).object).find((c) => `${c.metadata.namespace}/${c.metadata.name}` === key),
    volume: (name) => pvs.find((v) => v.metadata.name === name),
    volumes: () => pvs,
    storageClass: (name) => classes.map((c) => decodeObject(storage.StorageClass, c).object).find((c) => c.metadata.name === name),
    siblings: siblings ?? (() => undefined),
  })
  for (const n of nodes) state.setNode(n)
  for (const [node, list] of Object.entries(pods)) for (const p of list) state.setPod({ ...p, spec: { ...p.spec, nodeName: node } })
  return state.cluster
}

/** node name → 'ok' or the reasons, with ` !` when preemption cannot help. */
function verdicts(plugin: Plugin | readonly Plugin[], pod: core.Pod, cluster: Cluster): Record<string, string> {
  const filter = combinedFilter([plugin].flat(), podInfo(pod), cluster)
  return Object.fromEntries(cluster.nodes.map((n) => {
    const refusal = typeof filter === 'function' ? filter(n) : filter
    return [n.name, refusal ? `${refusal.reasons.join(', ')}${refusal.unresolvable ? ' !' : ''}` : 'ok']
  }))
}

function scores(plugin: Plugin, pod: core.Pod, cluster: Cluster): Record<string, number> | undefined {
  const given = plugin.score?.(podInfo(pod), cluster, cluster.nodes)
  if (!given) return undefined
  const raw = cluster.nodes.map((n) => given.score(n))
  const normal = given.normalize?.(raw, cluster.nodes) ?? raw
  return Object.fromEntries(cluster.nodes.map((n, i) => [n.name, normal[i]!]))
}

describe('NodeName, NodeUnschedulable', () => {
  it('keep a pod to the node it names', () => {
    expect(verdicts(nodeName, podOf('p', { nodeName: 'b' }), world({ nodes: [nodeOf('a'), nodeOf('b')] }))).toEqual({ a: "node(s) didn't match the requested node name !", b: 'ok' })
  })
  it('keep pods off cordoned nodes, except those that tolerate it', () => {
    const cluster = world({ nodes: [nodeOf('a', { spec: { unschedulable: true } }), nodeOf('b')] })
    expect(verdicts(nodeUnschedulable, podOf('p'), cluster)).toEqual({ a: 'node(s) were unschedulable !', b: 'ok' })
    const tolerant = podOf('p', { tolerations: [{ key: 'node.kubernetes.io/unschedulable', operator: 'Exists' }] })
    expect(verdicts(nodeUnschedulable, tolerant, cluster)).toEqual({ a: 'ok', b: 'ok' })
  })
})

describe('NodeResourcesFit', () => {
  it('names every resource that lacks, and those that the node will never have', () => {
    const cluster = world({ nodes: [nodeOf('a'), nodeOf('gpu', { allocatable: { 'example.com/gpu': '2' } })], pods: { a: [podOf('x', asking({ cpu: '3' }))], gpu: [podOf('y', asking({ 'example.com/gpu': '1', memory: '7Gi' }))] } })
    expect(verdicts(nodeResourcesFit, podOf('p', asking({ cpu: '2', memory: '2Gi', 'example.com/gpu': '2' })), cluster)).toEqual({
      a: 'Insufficient cpu, Insufficient example.com/gpu !', gpu: 'Insufficient memory, Insufficient example.com/gpu',
    })
    expect(verdicts(nodeResourcesFit, podOf('p', asking({ cpu: '4001m' })), cluster)['gpu']).toBe('Insufficient cpu !')
    expect(verdicts(nodeResourcesFit, podOf('p', asking({ 'ephemeral-storage': '1Gi' })), cluster)['gpu']).toBe('Insufficient ephemeral-storage !')
  })
  it('counts pods, also those that ask for nothing', () => {
    const cluster = world({ nodes: [nodeOf('a', { allocatable: { pods: '1' } })], pods: { a: [podOf('x')] } })
    expect(verdicts(nodeResourcesFit, podOf('p'), cluster)).toEqual({ a: 'Too many pods' })
  })
  it('reserves for init containers, sidecars and overhead what they need at worst', () => {
    const need = (spec: Json) => podInfo(podOf('p', spec)).requests.milliCpu
    const container = (cpu: string, over: Json = {}) => ({ name: `c${cpu}`, image: 'x', resources: { requests: { cpu } }, ...over })
    expect(need({ containers: [container('1'), container('500m')] })).toBe(1500)
    expect(need({ containers: [container('1')], initContainers: [container('3'), container('2')] })).toBe(3000)
    expect(need({ containers: [container('1')], initContainers: [container('500m', { restartPolicy: 'Always' }), container('2')] })).toBe(2500)
    expect(need({ containers: [container('2')], initContainers: [container('1'), container('500m', { restartPolicy: 'Always' })] })).toBe(2500)
    expect(need({ containers: [container('1')], overhead: { cpu: '250m' } })).toBe(1250)
    expect(need({ containers: [container('1')], resources: { requests: { cpu: '3' } } })).toBe(3000)
  })
  it('counts the overhead of a pod that asks for resources as a whole when it compares nodes, too', () => {
    const { scoring } = podInfo(podOf('p', { ...asking({ cpu: '1' }), resources: { requests: { cpu: '3' } }, overhead: { cpu: '250m' } }))
    expect(scoring).toEqual({ milliCpu: 3250, memory: 200 * 1024 * 1024 })
  })
  it('prefers nodes with more left, and counts something for pods that ask for nothing', () => {
    const cluster = world({ nodes: [nodeOf('a'), nodeOf('b'), nodeOf('c')], pods: { a: [podOf('x', asking({ cpu: '2', memory: '4Gi' }))], b: [podOf('y')] } })
    const result = scores(nodeResourcesFit, podOf('p', asking({ cpu: '1', memory: '1Gi' })), cluster)!
    expect(result).toEqual({ a: 31, b: 78, c: 81 })
  })
})

describe('NodeResourcesBalancedAllocation', () => {
  it('prefers nodes where CPU and memory fill up evenly, and has no opinion on pods that ask for neither', () => {
    const cluster = world({ nodes: [nodeOf('even'), nodeOf('odd')], pods: { even: [podOf('x', asking({ cpu: '1', memory: '2Gi' }))], odd: [podOf('y', asking({ cpu: '3' }))] } })
    expect(scores(nodeResourcesBalancedAllocation, podOf('p', asking({ cpu: '1', memory: '2Gi' })), cluster)).toEqual({ even: 100, odd: 62 })
    expect(scores(nodeResourcesBalancedAllocation, podOf('p'), cluster)).toBeUndefined()
  })
})

describe('NodeAffinity', () => {
  const nodes = [nodeOf('a', { labels: { zone: 'x', cores: '8' } }), nodeOf('b', { labels: { zone: 'y', cores: '16' } }), nodeOf('c')]
  const no = "node(s) didn't match Pod's node affinity/selector !"
  const required = (...terms: Json[]) => podOf('p', { affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: terms } } } })
  const expression = (key: string, operator: string, ...values: string[]) => ({ matchExpressions: [{ key, operator, ...(values.length ? { values } : {}) }] })

  it('wants every label of the node selector', () => {
    expect(verdicts(nodeAffinity, podOf('p', { nodeSelector: { zone: 'x' } }), world({ nodes }))).toEqual({ a: 'ok', b: no, c: no })
  })
  it.each([
    ['In', expression('zone', 'In', 'x', 'z'), ['a']],
    ['NotIn', expression('zone', 'NotIn', 'x'), ['b', 'c']],
    ['Exists', expression('zone', 'Exists'), ['a', 'b']],
    ['DoesNotExist', expression('zone', 'DoesNotExist'), ['c']],
    ['Gt', expression('cores', 'Gt', '8'), ['b']],
    ['Lt', expression('cores', 'Lt', '16'), ['a']],
    ['fields', { matchFields: [{ key: 'metadata.name', operator: 'In', values: ['c'] }] }, ['c']],
    ['fields that must not be', { matchFields: [{ key: 'metadata.name', operator: 'NotIn', values: ['c'] }] }, ['a', 'b']],
    ['an empty term', {}, []],
  ])('understands %s', (_, term, expected) => {
    const result = verdicts(nodeAffinity, required(term), world({ nodes }))
    expect(Object.keys(result).filter((n) => result[n] === 'ok')).toEqual(expected)
  })
  it('words it as Kubernetes does when the pod names its nodes, as daemon sets do', () => {
    const named = (...names: string[]) => ({ matchFields: names.map((name) => ({ key: 'metadata.name', operator: 'In', values: [name] })) })
    const skipped = "node(s) didn't satisfy plugin(s) [NodeAffinity] !"
    expect(verdicts(nodeAffinity, required(named('a'), named('b')), world({ nodes }))).toEqual({ a: 'ok', b: 'ok', c: skipped })
    expect(verdicts(nodeAffinity, required({ ...named('a'), ...expression('zone', 'In', 'y') }), world({ nodes }))).toEqual({ a: no, b: skipped, c: skipped })
    expect(verdicts(nodeAffinity, required(named('a', 'b')), world({ nodes }))['a']).toBe('pod affinity terms conflict !')
    const tainted = nodeOf('master', { spec: { taints: [{ key: 'x', effect: 'NoSchedule' }] } })
    expect(verdicts([taintToleration, nodeAffinity], required(named('a')), world({ nodes: [nodeOf('a'), tainted] }))).toEqual({ a: 'ok', master: skipped })
  })
  it('takes terms as alternatives and scores preferences by weight', () => {
    expect(verdicts(nodeAffinity, required(expression('zone', 'In', 'x'), expression('cores', 'In', '16')), world({ nodes }))).toEqual({ a: 'ok', b: 'ok', c: no })
    const preferring = podOf('p', { affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 10, preference: expression('zone', 'In', 'x') }, { weight: 40, preference: expression('zone', 'In', 'y') }] } } })
    expect(scores(nodeAffinity, preferring, world({ nodes }))).toEqual({ a: 25, b: 100, c: 0 })
  })
})

describe('TaintToleration', () => {
  const taint = (effect: string, value = '') => ({ key: 'dedicated', value, effect })
  const nodes = [nodeOf('a', { spec: { taints: [taint('NoSchedule', 'db')] } }), nodeOf('b', { spec: { taints: [taint('PreferNoSchedule')] } }), nodeOf('c', { spec: { taints: [taint('NoExecute', 'web')] } }), nodeOf('d')]
  const no = 'node(s) had untolerated taint(s) !'

  it.each([
    ['nothing', [], { a: no, b: 'ok', c: no, d: 'ok' }],
    ['a value', [{ key: 'dedicated', value: 'db' }], { a: 'ok', b: 'ok', c: no, d: 'ok' }],
    ['a key', [{ key: 'dedicated', operator: 'Exists' }], { a: 'ok', b: 'ok', c: 'ok', d: 'ok' }],
    ['an effect', [{ key: 'dedicated', operator: 'Exists', effect: 'NoSchedule' }], { a: 'ok', b: 'ok', c: no, d: 'ok' }],
    ['everything', [{ operator: 'Exists' }], { a: 'ok', b: 'ok', c: 'ok', d: 'ok' }],
    ['something else', [{ key: 'other', operator: 'Exists' }], { a: no, b: 'ok', c: no, d: 'ok' }],
  ])('lets pods that tolerate %s pass', (_, tolerations, expected) => {
    expect(verdicts(taintToleration, podOf('p', { tolerations }), world({ nodes }))).toEqual(expected)
  })
  it('prefers nodes without taints that ask to be avoided', () => {
    expect(scores(taintToleration, podOf('p'), world({ nodes }))).toEqual({ a: 100, b: 0, c: 100, d: 100 })
  })
})

describe('NodePorts', () => {
  const wanting = (port: number, over: Json = {}) => ({ containers: [{ name: 'c', image: 'x', ports: [{ containerPort: 80, hostPort: port, ...over }] }] })
  it('gives a host port once per address and protocol', () => {
    const cluster = world({ nodes: [nodeOf('a')], pods: { a: [podOf('x', wanting(80, { hostIP: '10.0.0.1' })), podOf('y', wanting(53))] } })
    const verdict = (spec: Json) => verdicts(nodePorts, podOf('p', spec), cluster)['a']
    const no = "node(s) didn't have free ports for the requested pod ports"
    expect(verdict(wanting(80))).toBe(no)
    expect(verdict(wanting(80, { hostIP: '10.0.0.2' }))).toBe('ok')
    expect(verdict(wanting(80, { hostIP: '10.0.0.1', protocol: 'UDP' }))).toBe('ok')
    expect(verdict(wanting(53, { hostIP: '10.0.0.1' }))).toBe(no)
    expect(verdict({})).toBe('ok')
  })
})

describe('ImageLocality', () => {
  it('prefers nodes that have big images already', () => {
    const nodes = [nodeOf('a', { images: [{ names: ['registry/app:1'], sizeBytes: 600 * 2 ** 20 }] }), nodeOf('b')]
    const pod = podOf('p', { containers: [{ name: 'c', image: 'registry/app:1' }] })
    expect(scores(imageLocality, pod, world({ nodes }))).toEqual({ a: 28, b: 0 })
    expect([tagged('nginx'), tagged('host:5000/nginx'), tagged('nginx:1')]).toEqual(['nginx:latest', 'host:5000/nginx:latest', 'nginx:1'])
  })
})

describe('InterPodAffinity', () => {
  const zoned = [nodeOf('a', { labels: { zone: 'x' } }), nodeOf('b', { labels: { zone: 'x' } }), nodeOf('c', { labels: { zone: 'y' } }), nodeOf('bare')]
  const term = (labels: Json, topologyKey: string, over: Json = {}) => ({ labelSelector: { matchLabels: labels }, topologyKey, ...over })
  const wanting = (kind: 'podAffinity' | 'podAntiAffinity', ...terms: Json[]) => ({ affinity: { [kind]: { requiredDuringSchedulingIgnoredDuringExecution: terms } } })
  const db = podOf('db', {}, { labels: { app: 'db' } })

  it('puts pods where those are that they want to be with, by topology', () => {
    const no = "node(s) didn't match pod affinity rules !"
    const cluster = world({ nodes: zoned, pods: { a: [db] } })
    expect(verdicts(interPodAffinity, podOf('p', wanting('podAffinity', term({ app: 'db' }, 'zone'))), cluster)).toEqual({ a: 'ok', b: 'ok', c: no, bare: no })
    expect(verdicts(interPodAffinity, podOf('p', wanting('podAffinity', term({ app: 'none' }, 'zone'))), cluster)).toEqual({ a: no, b: no, c: no, bare: no })
  })
  it('lets the first of a group start anywhere its topology is known', () => {
    const first = podOf('p', wanting('podAffinity', term({ app: 'web' }, 'zone')), { labels: { app: 'web' } })
    expect(verdicts(interPodAffinity, first, world({ nodes: zoned }))).toEqual({ a: 'ok', b: 'ok', c: 'ok', bare: "node(s) didn't match pod affinity rules !" })
  })
  it('keeps pods apart, whichever of the two asks for it', () => {
    const apart = podOf('p', wanting('podAntiAffinity', term({ app: 'db' }, 'zone')), { labels: { app: 'web' } })
    const no = "node(s) didn't match pod anti-affinity rules"
    expect(verdicts(interPodAffinity, apart, world({ nodes: zoned, pods: { a: [db] } }))).toEqual({ a: no, b: no, c: 'ok', bare: 'ok' })
    const shy = podOf('shy', wanting('podAntiAffinity', term({ app: 'web' }, 'kubernetes.io/hostname')))
    const existing = "node(s) didn't satisfy existing pods anti-affinity rules"
    expect(verdicts(interPodAffinity, podOf('p', {}, { labels: { app: 'web' } }), world({ nodes: zoned, pods: { b: [shy] } }))).toEqual({ a: 'ok', b: existing, c: 'ok', bare: 'ok' })
  })
  it('looks into other namespaces only when told to', () => {
    const elsewhere = podOf('db', {}, { namespace: 'prod', labels: { app: 'db' } })
    const cluster = world({ nodes: zoned, pods: { a: [elsewhere] }, namespaces: { prod: { env: 'prod' } } })
    const passes = (over: Json) => verdicts(interPodAffinity, podOf('p', wanting('podAffinity', term({ app: 'db' }, 'zone', over))), cluster)['b'] === 'ok'
    expect([{}, { namespaces: ['prod'] }, { namespaceSelector: { matchLabels: { env: 'prod' } } }, { namespaceSelector: { matchLabels: { env: 'dev' } } }, { namespaceSelector: {} }].map(passes)).toEqual([false, true, true, false, true])
  })
  it('scores preferences of the pod and of those already there', () => {
    const preferring = (kind: string, weight: number, labels: Json) => ({ affinity: { [kind]: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight, podAffinityTerm: term(labels, 'zone') }] } } })
    const cluster = world({ nodes: zoned, pods: { a: [db] } })
    expect(scores(interPodAffinity, podOf('p', preferring('podAffinity', 10, { app: 'db' })), cluster)).toEqual({ a: 100, b: 100, c: 0, bare: 0 })
    expect(scores(interPodAffinity, podOf('p', preferring('podAntiAffinity', 10, { app: 'db' })), cluster)).toEqual({ a: 0, b: 0, c: 100, bare: 100 })
    const fond = podOf('fond', preferring('podAffinity', 5, { app: 'web' }))
    expect(scores(interPodAffinity, podOf('p', {}, { labels: { app: 'web' } }), world({ nodes: zoned, pods: { c: [fond] } }))).toEqual({ a: 0, b: 0, c: 100, bare: 0 })
    expect(scores(interPodAffinity, podOf('p'), cluster)).toBeUndefined()
  })
})

describe('PodTopologySpread', () => {
  const nodes = [nodeOf('a', { labels: { zone: 'x' } }), nodeOf('b', { labels: { zone: 'x' } }), nodeOf('c', { labels: { zone: 'y' } }), nodeOf('bare')]
  const web = (name: string) => podOf(name, {}, { labels: { app: 'web' } })
  const spreading = (over: Json = {}, more: Json = {}) => podOf('p', {
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'zone', whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'web' } }, ...over }], ...more,
  }, { labels: { app: 'web', version: '2' } })
  const no = "node(s) didn't match pod topology spread constraints"
  const missing = `${no} (missing required label) !`

  it('keeps the difference between domains within the skew', () => {
    const cluster = world({ nodes, pods: { a: [web('1')], b: [web('2')], c: [web('3')] } })
    expect(verdicts(podTopologySpread, spreading(), cluster)).toEqual({ a: no, b: no, c: 'ok', bare: missing })
    expect(verdicts(podTopologySpread, spreading({ maxSkew: 2 }), cluster)).toEqual({ a: 'ok', b: 'ok', c: 'ok', bare: missing })
  })
  it('does not count nodes that the pod cannot go to, unless told to', () => {
    const cluster = world({ nodes, pods: { a: [web('1')] } })
    expect(verdicts(podTopologySpread, spreading({}, { nodeSelector: { zone: 'x' } }), cluster)).toMatchObject({ a: 'ok', b: 'ok' })
    expect(verdicts(podTopologySpread, spreading({ nodeAffinityPolicy: 'Ignore' }, { nodeSelector: { zone: 'x' } }), cluster)).toMatchObject({ a: no, b: no })
  })
  it('wants as many domains as it is told to', () => {
    expect(verdicts(podTopologySpread, spreading({ minDomains: 3 }), world({ nodes, pods: { a: [web('1')], c: [web('2')] } }))).toMatchObject({ a: no, c: no })
  })
  it('counts only pods with the same values of its match label keys', () => {
    const cluster = world({ nodes, pods: { a: [podOf('old', {}, { labels: { app: 'web', version: '1' } })], b: [web('x')] } })
    expect(verdicts(podTopologySpread, spreading({ matchLabelKeys: ['version'] }), cluster)).toMatchObject({ a: 'ok', c: 'ok' })
    expect(verdicts(podTopologySpread, spreading(), cluster)).toMatchObject({ a: no, c: 'ok' })
  })
  it('prefers emptier domains when it may be broken', () => {
    const cluster = world({ nodes, pods: { a: [web('1')], b: [web('2')], c: [web('3')] } })
    const result = scores(podTopologySpread, spreading({ whenUnsatisfiable: 'ScheduleAnyway' }), cluster)!
    expect(result['c']).toBe(100)
    expect(result['a']).toBeLessThan(100)
    expect(result['bare']).toBe(0)
  })
  it('spreads the pods of a service over hosts although nobody asked', () => {
    const cluster = world({ nodes: [nodeOf('a'), nodeOf('b')], pods: { a: [web('1'), web('2')] }, siblings: () => labelSelectorOf([{ key: 'app', operator: '=', values: ['web'] }]) })
    const result = scores(podTopologySpread, web('p'), cluster)!
    expect(result['b']).toBeGreaterThan(result['a']!)
    expect(scores(podTopologySpread, podOf('p'), world({ nodes }))).toBeUndefined()
  })
})

describe('VolumeBinding', () => {
  const mounting = (...names: string[]) => podOf('p', { volumes: names.map((name) => ({ name, persistentVolumeClaim: { claimName: name } })) })
  const claim = (name: string, spec: Json = {}, phase = 'Pending') => ({ metadata: { name, namespace: 'default' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, ...spec }, status: { phase } })
  const volume = (name: string, spec: Json = {}) => ({ metadata: { name }, spec: { capacity: { storage: '5Gi' }, accessModes: ['ReadWriteOnce'], ...spec } })
  const on = (...nodes: string[]) => ({ nodeAffinity: { required: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: nodes }] }] } } })
  const nodes = [nodeOf('a'), nodeOf('b')]
  const lazy = { metadata: { name: 'lazy' }, provisioner: 'kubernetes.io/no-provisioner', volumeBindingMode: 'WaitForFirstConsumer' }

  it('waits for claims that are missing, lost or not bound yet', () => {
    const verdict = (claims: readonly Json[]) => verdicts(volumeBinding, mounting('data'), world({ nodes, claims }))['a']
    expect(verdict([])).toBe('persistentvolumeclaim "data" not found !')
    expect(verdict([claim('data')])).toBe('pod has unbound immediate PersistentVolumeClaims !')
    expect(verdict([claim('data', { volumeName: 'v' }, 'Lost')])).toBe('persistentvolumeclaim "data" bound to non-existent persistentvolume "v" !')
  })
  it('waits for a claim that names its volume, although its class waits for the pod', () => {
    const cluster = world({ nodes, classes: [lazy], claims: [claim('data', { storageClassName: 'lazy', volumeName: 'mine' })], volumes: [volume('other', { storageClassName: 'lazy' })] })
    expect(verdicts(volumeBinding, mounting('data'), cluster)['a']).toBe('pod has unbound immediate PersistentVolumeClaims !')
  })
  it('takes for an ephemeral volume only the claim that was made for the pod', () => {
    const pod = podOf('p', { volumes: [{ name: 'scratch', ephemeral: { volumeClaimTemplate: { spec: {} } } }] })
    const made = (uid: string) => {
      const { metadata, ...rest } = claim('p-scratch', { volumeName: 'v' }, 'Bound')
      return { ...rest, metadata: { ...metadata, ownerReferences: [{ apiVersion: 'v1', kind: 'Pod', name: 'p', uid, controller: true }] } }
    }
    const verdict = (claims: readonly Json[]) => verdicts(volumeBinding, pod, world({ nodes, claims, volumes: [volume('v')] }))['a']
    expect(verdict([])).toBe('waiting for ephemeral volume controller to create the persistentvolumeclaim "p-scratch" !')
    expect(verdict([claim('p-scratch', { volumeName: 'v' }, 'Bound')])).toBe('PVC default/p-scratch was not created for pod default/p (pod is not owner) !')
    expect(verdict([made('another')])).toBe('PVC default/p-scratch was not created for pod default/p (pod is not owner) !')
    expect(verdict([made('p')])).toBe('ok')
  })
  it('puts the pod where its bound volumes reach', () => {
    const cluster = world({ nodes, claims: [claim('data', { volumeName: 'v' }, 'Bound')], volumes: [volume('v', on('b'))] })
    expect(verdicts(volumeBinding, mounting('data'), cluster)).toEqual({ a: "node(s) didn't match PersistentVolume's node affinity !", b: 'ok' })
  })
  it('looks for volumes that claims which wait for their pod could have', () => {
    const cluster = (over: Json) => world({ nodes, classes: [lazy], claims: [claim('data', { storageClassName: 'lazy' })], volumes: [volume('v', { storageClassName: 'lazy', ...on('b'), ...over })] })
    const no = "node(s) didn't find available persistent volumes to bind !"
    expect(verdicts(volumeBinding, mounting('data'), cluster({}))).toEqual({ a: no, b: 'ok' })
    expect(verdicts(volumeBinding, mounting('data'), cluster({ capacity: { storage: '500Mi' } }))).toEqual({ a: no, b: no })
    expect(verdicts(volumeBinding, mounting('data'), cluster({ claimRef: { name: 'other', namespace: 'default' } }))).toEqual({ a: no, b: no })
  })
  it('trusts a provisioner to make a volume where the class allows it', () => {
    const made = { ...lazy, provisioner: 'example.com/disk', allowedTopologies: [{ matchLabelExpressions: [{ key: 'kubernetes.io/hostname', values: ['a'] }] }] }
    const cluster = world({ nodes, classes: [made], claims: [claim('data', { storageClassName: 'lazy' })] })
    expect(verdicts(volumeBinding, mounting('data'), cluster)).toEqual({ a: 'ok', b: "node(s) didn't find available persistent volumes to bind !" })
  })
  it('leaves a claim with the node that its provisioner was told', () => {
    const made = { ...lazy, provisioner: 'example.com/disk' }
    const { metadata, ...rest } = claim('data', { storageClassName: 'lazy' })
    const told = { ...rest, metadata: { ...metadata, annotations: { 'volume.kubernetes.io/selected-node': 'b' } } }
    expect(verdicts(volumeBinding, mounting('data'), world({ nodes, classes: [made], claims: [told] }))).toEqual({ a: "node(s) didn't find available persistent volumes to bind !", b: 'ok' })
  })
  it('names both what does not reach the node and what is not to be had there', () => {
    const cluster = world({ nodes, classes: [lazy], claims: [claim('old', { volumeName: 'v' }, 'Bound'), claim('new', { storageClassName: 'lazy' })], volumes: [volume('v', on('b'))] })
    const none = "node(s) didn't find available persistent volumes to bind !"
    expect(verdicts(volumeBinding, mounting('old', 'new'), cluster)).toEqual({ a: `node(s) didn't match PersistentVolume's node affinity, ${none}`, b: none })
  })
})

describe('VolumeZone', () => {
  it('keeps a pod to the zones its volumes are labelled with', () => {
    const zone = 'topology.kubernetes.io/zone'
    const nodes = [nodeOf('x', { labels: { [zone]: 'x' } }), nodeOf('y', { labels: { [zone]: 'y' } }), nodeOf('nowhere'), nodeOf('region', { labels: { 'topology.kubernetes.io/region': 'r' } })]
    const claims = [{ metadata: { name: 'data', namespace: 'default' }, spec: { volumeName: 'v' }, status: { phase: 'Bound' } }]
    const pod = podOf('p', { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }] })
    const fitting = (labels: Json) => {
      const found = verdicts(volumeZone, pod, world({ nodes, claims, volumes: [{ metadata: { name: 'v', labels }, spec: {} }] }))
      expect(new Set(Object.values(found).filter((v) => v !== 'ok'))).toEqual(new Set(Object.values(found).every((v) => v === 'ok') ? [] : ['node(s) had no available volume zone !']))
      return Object.keys(found).filter((n) => found[n] === 'ok')
    }
    expect(fitting({ [zone]: 'x' })).toEqual(['x', 'nowhere'])
    expect(fitting({ [zone]: 'x__y' })).toEqual(['x', 'y', 'nowhere'])
    expect(fitting({ 'failure-domain.beta.kubernetes.io/zone': 'y' })).toEqual(['y', 'nowhere'])
    expect(fitting({ [zone]: 'x__' })).toEqual(['x', 'y', 'nowhere', 'region'])
    expect(fitting({})).toEqual(['x', 'y', 'nowhere', 'region'])
  })
})

describe('VolumeRestrictions', () => {
  it('gives a claim that is for one pod only to one pod in the cluster', () => {
    const claim = (name: string, mode: string, namespace = 'default') => ({ metadata: { name, namespace }, spec: { accessModes: [mode] }, status: { phase: 'Bound' } })
    const using = (name: string, claimName: string, namespace = 'default') => podOf(name, { volumes: [{ name: 'data', persistentVolumeClaim: { claimName } }] }, { namespace })
    const claims = [claim('one', 'ReadWriteOncePod'), claim('many', 'ReadWriteOnce'), claim('one', 'ReadWriteOncePod', 'other')]
    const cluster = (...there: core.Pod[]) => world({ nodes: [nodeOf('a'), nodeOf('b')], claims, pods: { a: there } })
    const no = 'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod'
    expect(verdicts(volumeRestrictions, using('p', 'one'), cluster(using('first', 'one')))).toEqual({ a: no, b: no })
    expect(verdicts(volumeRestrictions, using('p', 'many'), cluster(using('first', 'many')))).toEqual({ a: 'ok', b: 'ok' })
    expect(verdicts(volumeRestrictions, using('p', 'one'), cluster(using('first', 'one', 'other')))).toEqual({ a: 'ok', b: 'ok' })
    expect(verdicts(volumeRestrictions, using('p', 'one'), cluster())).toEqual({ a: 'ok', b: 'ok' })
  })
})

describe('DynamicResources', () => {
  it('says that resource claims are not supported', () => {
    const pod = podOf('p', { resourceClaims: [{ name: 'gpu', resourceClaimName: 'x' }] })
    expect(verdicts(dynamicResources, pod, world({ nodes: [nodeOf('a')] }))).toEqual({ a: 'pod needs resource claims (gpu), and dynamic resource allocation is not supported !' })
    expect(verdicts(dynamicResources, podOf('p'), world({ nodes: [nodeOf('a')] }))).toEqual({ a: 'ok' })
  })
})
