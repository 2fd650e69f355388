import { describe, expect, it } from 'vitest'
import { apps, core } from '../../../api/index.ts'
import { complete, context, created, createErrors, environment } from '../testing.ts'
import { strategyFor } from '../strategies.ts'
import { newPod } from './pod-prepare.ts'

const web = { name: 'web', image: 'nginx:1.27' }
const pod = (spec: object, metadata: object = {}) => ({ metadata: { name: 'web', namespace: 'default', ...metadata }, spec: { containers: [web], ...spec } })
const strategy = strategyFor(core.pods as never, environment) as import('../../strategy.ts').Strategy<core.Pod>
const warnings = (object: object) => strategy.warnings?.(complete(core.pods, object))

describe('warnings about a pod', () => {
  const projected = (...sources: object[]) => pod({ volumes: [{ name: 'v', projected: { sources } }] })
  const items = (...paths: string[]) => paths.map((path) => ({ key: 'k', path }))
  const c = (more: object) => pod({ containers: [{ ...web, ...more }] })
  const seccomp = { 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined', 'container.seccomp.security.alpha.kubernetes.io/web': 'unconfined' }
  const profiled = { seccompProfile: { type: 'Unconfined' } }
  it.each<[string, object, string[]]>([
    ['nothing', pod({}), []],
    ['name', pod({}, { name: 'a.b' }), ["metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')]"]],
    ['old label', pod({ nodeSelector: { 'beta.kubernetes.io/os': 'linux' } }), ['spec.nodeSelector[beta.kubernetes.io/os]: deprecated since v1.14; use "kubernetes.io/os" instead']],
    ['old label in an affinity', pod({ affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [{ matchExpressions: [{ key: 'failure-domain.beta.kubernetes.io/zone', operator: 'Exists' }] }] } } } }),
      ['spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms[0].matchExpressions[0].key: failure-domain.beta.kubernetes.io/zone is deprecated since v1.17; use "topology.kubernetes.io/zone" instead']],
    ['preference for what cannot be', pod({ affinity: { nodeAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, preference: { matchExpressions: [{ key: 'a', operator: 'In', values: ['-1'] }] } }] } } }),
      ["spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].values[0]: -1 is invalid, a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"]],
    ['spread of nothing', pod({ topologySpreadConstraints: [{ maxSkew: 1, topologyKey: 'beta.kubernetes.io/arch', whenUnsatisfiable: 'DoNotSchedule' }] }),
      ['spec.topologySpreadConstraints[0].topologyKey: beta.kubernetes.io/arch is deprecated since v1.14; use "kubernetes.io/arch" instead', 'spec.topologySpreadConstraints[0].labelSelector: a null labelSelector results in matching no pod']],
    ['near nothing', pod({ affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 1, podAffinityTerm: { topologyKey: 'a' } }] } } }),
      ['spec.affinity.podAntiAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].podAffinityTerm.labelSelector: a null labelSelector results in matching no pod']],
    ['annotation', pod({}, { annotations: { 'security.alpha.kubernetes.io/sysctls': 'a' } }), ['metadata.annotations[security.alpha.kubernetes.io/sysctls]: non-functional in v1.11+; use the "sysctls" field instead']],
    ['seccomp annotations', pod({}, { annotations: seccomp }), [
      'metadata.annotations[seccomp.security.alpha.kubernetes.io/pod]: non-functional in v1.27+; use the "seccompProfile" field instead',
      'metadata.annotations[container.seccomp.security.alpha.kubernetes.io/web]: non-functional in v1.27+; use the "seccompProfile" field instead',
    ]],
    ['seccomp annotations beside fields', pod({ securityContext: profiled, containers: [{ ...web, securityContext: profiled }] }, { annotations: seccomp }), []],
    ['gone volumes', pod({ volumes: [{ name: 'v', cephfs: { monitors: ['m'] } }] }), ['spec.volumes[0].cephfs: deprecated in v1.28, non-functional in v1.31+']],
    ['fraction of a byte in a claim', pod({ volumes: [{ name: 'v', ephemeral: { volumeClaimTemplate: { spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '200m' } } } } } }] }),
      ['spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources.requests[storage]: fractional byte value "200m" is invalid, must be an integer']],
    ['overhead', pod({ overhead: { memory: '4m' } }), ['spec.overhead[memory]: fractional byte value "4m" is invalid, must be an integer']],
    ['file in the place of a directory', pod({ volumes: [{ name: 'v', configMap: { name: 'm', items: items('a', 'a/b', 'ab') } }] }), ['volume "v" (ConfigMap "m"): overlapping paths: "a/b" with "a"']],
    ['two sources with one file', projected({ secret: { name: 's', items: items('t') } }, { downwardAPI: { items: [{ path: 't', fieldRef: { fieldPath: 'metadata.name' } }] } }, { serviceAccountToken: { path: 't/u' } }), [
      'volume "v" (Projected): overlapping paths: "t" (DownwardAPI) with "t" (Secret "s")',
      'volume "v" (Projected): overlapping paths: "t/u" (ServiceAccountToken) with "t" (Secret "s")',
      'volume "v" (Projected): overlapping paths: "t/u" (ServiceAccountToken) with "t" (DownwardAPI)',
    ]],
    ['source of nothing', projected({}), ['volume "v" (Projected) has no sources provided']],
    ['alias twice', pod({ hostAliases: [{ ip: '10.0.0.1' }, { ip: '10.0.0.1' }] }), ['spec.hostAliases[1].ip: duplicate ip "10.0.0.1"']],
    ['secrets', pod({ imagePullSecrets: [{ name: 'a' }, { name: 'a' }, {}] }), ['spec.imagePullSecrets[1].name: duplicate name "a"', 'spec.imagePullSecrets[2].name: invalid empty name ""']],
    ['variable made of itself', c({ env: [{ name: 'A', value: '1' }, { name: 'A', value: '$(A)2' }, { name: 'A', value: '$(A)' }] }), ['spec.containers[0].env[2]: hides previous definition of "A", which may be dropped when using apply']],
    ['address without port', c({ ports: [{ containerPort: 80, hostIP: '10.0.0.1' }] }), ['spec.containers[0].ports[0]: hostIP set without hostPort: {Name: HostPort:0 ContainerPort:80 Protocol:TCP HostIP:10.0.0.1}']],
    ['ports in each other\'s way', c({ ports: [{ containerPort: 80, hostPort: 80, hostIP: '10.0.0.1' }, { containerPort: 80, hostPort: 80 }, { containerPort: 80 }] }), [
      'spec.containers[0].ports[1]: dangerously ambiguous port definition with spec.containers[0].ports[0]',
      'spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[0]',
      'spec.containers[0].ports[2]: overlapping port definition with spec.containers[0].ports[1]',
    ]],
    ['a name for two ports', pod({ initContainers: [{ name: 's', image: 'i', restartPolicy: 'Always', ports: [{ containerPort: 1, name: 'p' }] }, { name: 't', image: 'i', ports: [{ containerPort: 2, name: 'p' }] }], containers: [{ ...web, ports: [{ containerPort: 80, name: 'p' }] }] }),
      ['spec.containers[0].ports[0]: duplicate port name "p" with spec.initContainers[0].ports[0], services and probes that select ports by name will use spec.initContainers[0].ports[0]']],
    ['addresses', pod({ dnsConfig: { nameservers: ['fd00:0::1'] }, hostAliases: [{ ip: '::ffff:1.2.3.4' }] }), [
      'spec.dnsConfig.nameservers[0]: IPv6 address "fd00:0::1" should be in RFC 5952 canonical format ("fd00::1")',
      'spec.hostAliases[0].ip: non-standard IP address "::ffff:1.2.3.4" is invalid: use "1.2.3.4"',
    ]],
  ])('%s', (_, object, expected) => {
    expect(warnings(object)).toEqual(expected)
  })
  it('are not given again when it is updated', () => {
    const object = complete(core.pods, pod({ overhead: { memory: '4m' } }))
    expect(strategy.warnings?.(object, object)).toEqual([])
  })
})

describe('warnings about a template', () => {
  const deployments = strategyFor(apps.deployments as never, environment) as import('../../strategy.ts').Strategy<apps.Deployment>
  const annotations = { 'container.apparmor.security.beta.kubernetes.io/web': 'unconfined' }
  const deployment = (generation: number, name = 'd', securityContext: object = {}) => complete(apps.deployments, {
    metadata: { name, namespace: 'default', generation },
    spec: { selector: { matchLabels: { a: 'b' } }, template: { metadata: { labels: { a: 'b' }, annotations }, spec: { containers: [web], securityContext } } },
  })
  const apparmor = 'spec.template.metadata.annotations[container.apparmor.security.beta.kubernetes.io/web]: deprecated since v1.30; use the "appArmorProfile" field instead'
  it('name annotations that have become fields', () => {
    expect(deployments.warnings?.(deployment(1))).toEqual([apparmor])
    expect(deployments.warnings?.(deployment(1, 'd', { appArmorProfile: { type: 'Unconfined' } }))).toEqual([])
  })
  it('are given when it is new and when it changed', () => {
    expect(deployments.warnings?.(deployment(2), deployment(1))).toEqual([apparmor])
    expect(deployments.warnings?.(deployment(1), deployment(1))).toEqual([])
  })
  it('name a name that no host can have', () => {
    expect(deployments.warnings?.(deployment(1, 'a.b'))?.[0]).toMatch(/^metadata\.name: this is used in Pod names and hostnames, which can result in surprising behavior; a DNS label is recommended: \[/)
  })
})

describe('a new pod with AppArmor annotations', () => {
  const key = 'container.apparmor.security.beta.kubernetes.io/web'
  const made = (profile: string, spec: object = {}) => {
    const said: string[] = []
    const object = newPod(complete(core.pods, pod(spec, { annotations: { [key]: profile } })), context({ warn: (text) => void said.push(text) }))
    return { profile: object.spec.containers[0]?.securityContext?.appArmorProfile, said }
  }
  const said = [`metadata.annotations[${key}]: deprecated since v1.30; use the "appArmorProfile" field instead`]
  it.each<[string, core.AppArmorProfile | undefined]>([
    ['localhost/tight', { type: 'Localhost', localhostProfile: 'tight' }], ['runtime/default', { type: 'RuntimeDefault' }], ['unconfined', { type: 'Unconfined' }],
    ['localhost/', undefined], ['localhost/ a', undefined], ['', undefined],
  ])('is confined by %s', (annotation, profile) => {
    expect(made(annotation)).toEqual({ profile, said })
  })
  it('keeps the field that it has, and the profile of the whole pod where that is the same', () => {
    expect(made('unconfined', { containers: [{ ...web, securityContext: { appArmorProfile: { type: 'Unconfined' } } }] })).toEqual({ profile: { type: 'Unconfined' }, said: [] })
    expect(made('unconfined', { securityContext: { appArmorProfile: { type: 'Unconfined' } } })).toEqual({ profile: undefined, said: [] })
    expect(made('unconfined', { os: { name: 'windows' } })).toEqual({ profile: undefined, said: [] })
  })
  it.each<[string, object, string[]]>([
    ['type', { appArmorProfile: { type: 'RuntimeDefault' } }, ['spec.containers[0].securityContext.appArmorProfile.type: Forbidden: apparmor type in annotation and field must match']],
    ['profile', { appArmorProfile: { type: 'Localhost', localhostProfile: 'loose' } }, ['spec.containers[0].securityContext.appArmorProfile.localhostProfile: Forbidden: apparmor profile in annotation and field must match']],
  ])('is refused when the field says another %s', (_, securityContext, wrong) => {
    expect(createErrors(core.pods, pod({ containers: [{ ...web, securityContext }] }, { annotations: { [key]: 'localhost/tight' } }))).toEqual(wrong)
  })
})

describe('a new pod with seccomp annotations', () => {
  const of = (annotations: object, spec: object) => createErrors(core.pods, pod(spec, { annotations }))
  it('is refused when its fields say something else', () => {
    expect(of({ 'seccomp.security.alpha.kubernetes.io/pod': 'unconfined' }, { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } }))
      .toEqual(['spec.securityContext.seccompProfile.type: Forbidden: seccomp type in annotation and field must match'])
    expect(of({ 'container.seccomp.security.alpha.kubernetes.io/web': 'localhost/a' }, { containers: [{ ...web, securityContext: { seccompProfile: { type: 'Localhost', localhostProfile: 'b' } } }] }))
      .toEqual(['spec.containers[0].securityContext.seccompProfile.localhostProfile: Forbidden: seccomp profile in annotation and field must match'])
    expect(of({ 'seccomp.security.alpha.kubernetes.io/pod': 'docker/default' }, { securityContext: { seccompProfile: { type: 'RuntimeDefault' } } })).toEqual([])
  })
})

describe('a new pod that asks for what is off', () => {
  it('is stored without it', () => {
    const preStop = { sleep: { seconds: 1 } }
    const lifecycles = [{ stopSignal: 'SIGUSR1' }, { stopSignal: 'SIGUSR1', preStop }]
    const { spec } = created(core.pods, pod({ schedulingGroup: { podGroupName: 'g' }, containers: lifecycles.map((lifecycle, i) => ({ ...web, name: `c${i}`, lifecycle })) }))
    expect(spec.containers.map(({ lifecycle }) => lifecycle)).toEqual([undefined, { preStop }])
    expect(spec.schedulingGroup).toBeUndefined()
  })
})

it('says no more of ports and files than their number allows', () => {
  const ports = Array.from({ length: 2000 }, () => ({ containerPort: 1 }))
  const items = Array.from({ length: 2000 }, () => ({ key: 'k', path: 'a' }))
  const said = warnings(pod({ containers: [{ ...web, ports }], volumes: [{ name: 'v', configMap: { name: 'c', items } }] })) ?? []
  expect(said.length).toBeLessThan(2000 * 8 + 500)
})
