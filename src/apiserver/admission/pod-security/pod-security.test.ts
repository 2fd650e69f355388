import { describe, expect, it } from 'vitest'
import { apps, core } from '../../../api/index.ts'
import { isApiError } from '../../../machinery/errors.ts'
import { attributesOf, environment, type Loose } from '../../testing/environment.ts'
import { createAdmissionChain } from '../chain.ts'
import { podSecurity } from '../plugins/pod-security.ts'
import { parseAdmissionConfiguration } from '../configuration.ts'
import type { PodSecurityOptions } from './configuration.ts'

const prefix = 'pod-security.kubernetes.io'
const namespace = (labels: Record<string, string>): Loose => ({ kind: 'Namespace', metadata: { name: 'x', labels } as never })
const hard = { allowPrivilegeEscalation: false, runAsNonRoot: true, capabilities: { drop: ['ALL'] }, seccompProfile: { type: 'RuntimeDefault' } }
const pod = (container: object = {}, spec: object = {}): Loose => ({ kind: 'Pod', metadata: { name: 'p', namespace: 'x' }, spec: { containers: [{ name: 'a', image: 'i', ...container }], ...spec } })

/** What the API says of a pod in a namespace with these labels: the refusal, or the warnings. */
async function verdict(labels: Record<string, string>, object: Loose, resource: unknown = core.pods, old?: Loose, others: Loose[] = []): Promise<string> {
  const attributes = attributesOf(resource, object, old ? { operation: 'UPDATE', old } : {})
  try {
    await createAdmissionChain([podSecurity(environment(namespace(labels), ...others))]).validate(attributes)
  } catch (error) {
    if (isApiError(error)) return error.message
    throw error
  }
  return attributes.warnings.join('\n')
}
const enforce = (level: string, object: Loose) => verdict({ [`${prefix}/enforce`]: level }, object)

describe('a namespace without labels', () => {
  it('takes every pod', async () => {
    expect(await verdict({}, pod({ securityContext: { privileged: true } }, { hostNetwork: true }))).toBe('')
  })
})

describe('baseline', () => {
  it('takes ordinary pods', async () => {
    expect(await enforce('baseline', pod({ securityContext: { capabilities: { add: ['CHOWN'] }, runAsUser: 0 } }))).toBe('')
  })

  it.each([
    [pod({}, { hostNetwork: true, hostPID: true }), 'host namespaces (hostNetwork=true, hostPID=true)'],
    [pod({ securityContext: { privileged: true } }), 'privileged (container "a" must not set securityContext.privileged=true)'],
    [pod({ securityContext: { capabilities: { add: ['SYS_ADMIN', 'CHOWN'] } } }), 'non-default capabilities (container "a" must not include "SYS_ADMIN" in securityContext.capabilities.add)'],
    [pod({}, { volumes: [{ name: 'v', hostPath: { path: '/' } }] }), 'hostPath volumes (volume "v")'],
    [pod({ ports: [{ containerPort: 80, hostPort: 80 }] }), 'hostPort (container "a" uses hostPort 80)'],
    [pod({ securityContext: { procMount: 'Unmasked' } }), 'procMount (container "a" must not set securityContext.procMount to "Unmasked")'],
    [pod({}, { securityContext: { seccompProfile: { type: 'Unconfined' } } }), 'seccompProfile (pod must not set securityContext.seccompProfile.type to "Unconfined")'],
    [pod({}, { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }), 'forbidden sysctls (kernel.msgmax)'],
    [pod({ securityContext: { windowsOptions: { hostProcess: true } } }), 'hostProcess (container "a" must not set securityContext.windowsOptions.hostProcess=true)'],
    [pod({ securityContext: { seLinuxOptions: { type: 'spc_t' } } }), 'seLinuxOptions (container "a" set forbidden securityContext.seLinuxOptions: type "spc_t")'],
    [pod({ livenessProbe: { httpGet: { host: '169.254.169.254', port: 80 } } }), 'probe or lifecycle host (container "a" uses probe or lifecycle host "169.254.169.254")'],
    [pod({}, { initContainers: [{ name: 'i', securityContext: { privileged: true } }], ephemeralContainers: [{ name: 'e', securityContext: { privileged: true } }] }), 'privileged (containers "i", "e" must not set securityContext.privileged=true)'],
  ])('refuses %#', async (object, reason) => {
    expect(await enforce('baseline', object)).toBe(`pods "p" is forbidden: violates PodSecurity "baseline:latest": ${reason}`)
  })
})

describe('restricted', () => {
  it('says everything that is missing, in the order that users know', async () => {
    expect(await enforce('restricted', pod())).toBe('pods "p" is forbidden: violates PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false), '
      + 'unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true), '
      + 'seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")')
  })

  it('takes hardened pods, with what the pod says for all its containers', async () => {
    expect(await enforce('restricted', pod({ securityContext: hard }))).toBe('')
    expect(await enforce('restricted', pod({ securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'], add: ['NET_BIND_SERVICE'] } } }, { securityContext: { runAsNonRoot: true, seccompProfile: { type: 'Localhost' } } }))).toBe('')
  })

  it('refuses volumes of the node and the root user', async () => {
    expect(await enforce('restricted', pod({ securityContext: hard }, { volumes: [{ name: 'v', hostPath: { path: '/' } }] }))).toContain('restricted volume types (volume "v" uses restricted volume type "hostPath")')
    expect(await enforce('restricted', pod({ securityContext: { ...hard, runAsUser: 0 } }))).toContain('runAsUser=0 (container "a" must not set runAsUser=0)')
    expect(await enforce('restricted', pod({ securityContext: { ...hard, runAsNonRoot: false } }))).toContain('container "a" must not set securityContext.runAsNonRoot=false')
  })
})

describe('a version of a standard', () => {
  const of = (standard: string, object: Loose) => {
    const [level = '', version = ''] = standard.split(':')
    return verdict({ [`${prefix}/enforce`]: level, [`${prefix}/enforce-version`]: version }, object)
  }
  const sysctl = (name: string) => pod({}, { securityContext: { sysctls: [{ name, value: '1' }] } })
  const soft = { ...hard, capabilities: undefined, seccompProfile: undefined }
  const windows = pod({}, { os: { name: 'windows' }, securityContext: { runAsNonRoot: true } })
  const annotated = (value: string): Loose => ({ ...pod(), metadata: { name: 'p', namespace: 'x', annotations: { 'container.seccomp.security.alpha.kubernetes.io/a': value } } as never })

  it.each<[string, string, string, Loose]>([
    ['hosts of probes', 'baseline:v1.33', 'baseline:v1.34', pod({ livenessProbe: { httpGet: { host: '10.0.0.1', port: 80 } } })],
    ['capabilities that are kept', 'restricted:v1.21', 'restricted:v1.22', pod({ securityContext: { ...soft, seccompProfile: hard.seccompProfile } })],
    ['no profile of seccomp', 'restricted:v1.18', 'restricted:v1.19', pod({ securityContext: soft })],
    ['the root user', 'restricted:v1.22', 'restricted:v1.23', pod({ securityContext: { ...hard, runAsUser: 0 } })],
    ['privileges that grow', 'restricted:v1.7', 'restricted:v1.8', pod({ securityContext: { runAsNonRoot: true } })],
    ['profiles of seccomp in fields', 'baseline:v1.18', 'baseline:v1.19', pod({ securityContext: { seccompProfile: { type: 'Unconfined' } } })],
  ])('knows %s since it does', async (_, before, since, object) => {
    expect(await of(before, object)).toBe('')
    expect(await of(since, object)).toContain(`violates PodSecurity "${since}"`)
    expect(await of(`${since.split(':')[0]}:latest`, object)).toContain('violates')
    expect(await of(`${since.split(':')[0]}:v1.99`, object)).toContain('violates')
  })

  it.each<[string, string, string, Loose]>([
    ['reserved ports', 'baseline:v1.26', 'baseline:v1.27', sysctl('net.ipv4.ip_local_reserved_ports')],
    ['keepalive', 'baseline:v1.28', 'baseline:v1.29', sysctl('net.ipv4.tcp_keepalive_time')],
    ['buffers', 'baseline:v1.31', 'baseline:v1.32', sysctl('net.ipv4.tcp_rmem')],
    ['containers that run containers', 'baseline:v1.30', 'baseline:v1.31', pod({ securityContext: { seLinuxOptions: { type: 'container_engine_t' } } })],
    ['what means nothing on Windows', 'restricted:v1.24', 'restricted:v1.25', windows],
  ])('allows %s since it does', async (_, before, since, object) => {
    expect(await of(before, object)).toContain(`violates PodSecurity "${before}"`)
    expect(await of(since, object)).toBe('')
    expect(await of(`${since.split(':')[0]}:latest`, object)).toBe('')
  })

  it('of long ago reads profiles of seccomp in annotations', async () => {
    expect(await of('baseline:v1.18', annotated('unconfined'))).toContain('seccompProfile (forbidden annotation container.seccomp.security.alpha.kubernetes.io/a="unconfined")')
    expect(await of('baseline:v1.18', annotated('runtime/default'))).toBe('')
    expect(await of('baseline:v1.19', annotated('unconfined'))).toBe('')
  })

  it('that warns may be another than the one that is enforced', async () => {
    const labels = { [`${prefix}/enforce`]: 'baseline', [`${prefix}/enforce-version`]: 'v1.30', [`${prefix}/warn`]: 'baseline', [`${prefix}/warn-version`]: 'latest' }
    expect(await verdict(labels, pod({ livenessProbe: { httpGet: { host: '10.0.0.1', port: 80 } } }))).toContain('would violate PodSecurity "baseline:latest": probe or lifecycle host')
  })
})

describe('warnings', () => {
  it('tell of what another level would refuse', async () => {
    expect(await verdict({ [`${prefix}/enforce`]: 'baseline', [`${prefix}/warn`]: 'restricted', [`${prefix}/warn-version`]: 'v1.30' }, pod({ securityContext: { ...hard, runAsNonRoot: undefined } })))
      .toBe('would violate PodSecurity "restricted:v1.30": runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true)')
  })

  it('come with what makes pods, which is not refused itself', async () => {
    const deployment: Loose = { kind: 'Deployment', metadata: { name: 'd', namespace: 'x' }, spec: { template: { metadata: {}, spec: { containers: [{ name: 'a' }], hostPID: true } } } }
    expect(await verdict({ [`${prefix}/enforce`]: 'baseline', [`${prefix}/warn`]: 'baseline' }, deployment, apps.deployments)).toBe('would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)')
  })

  it('name the pods that are there already when a namespace becomes stricter', async () => {
    const text = await verdict({}, namespace({ [`${prefix}/enforce`]: 'baseline' }), core.namespaces, namespace({}), ['p1', 'p2'].map((name) => ({ ...pod({}, { hostPID: true }), metadata: { name, namespace: 'x' } })))
    expect(text).toBe('existing pods in namespace "x" violate the new PodSecurity enforce level "baseline:latest"\np1 (and 1 other pod): host namespaces')
  })
})

it('refuses labels that it cannot read, and stays closed where one got in', async () => {
  expect(await verdict({}, namespace({ [`${prefix}/enforce`]: 'strict' }), core.namespaces)).toContain('must be one of privileged, baseline, restricted')
  expect(await enforce('strict', pod())).toContain('violates PodSecurity "restricted:latest"')
})

it('looks again only at what matters for security', async () => {
  const labels = { [`${prefix}/enforce`]: 'restricted' }
  expect(await verdict(labels, pod(), core.pods, pod())).toBe('')
  expect(await verdict(labels, pod({}, { tolerations: [{ operator: 'Exists' }], activeDeadlineSeconds: 5 }), core.pods, pod())).toBe('')
  const annotated = (key: string): Loose => ({ ...pod(), metadata: { name: 'p', namespace: 'x', annotations: { [key]: 'unconfined' } } as never })
  expect(await verdict(labels, annotated('note'), core.pods, pod())).toBe('')
  // Another image is another program with the same rights.
  expect(await verdict(labels, pod({ image: 'new' }), core.pods, pod())).toContain('violates PodSecurity')
  expect(await verdict(labels, pod({}, { initContainers: [{ name: 'i', image: 'x' }] }), core.pods, pod())).toContain('violates PodSecurity')
  expect(await verdict(labels, annotated('container.seccomp.security.alpha.kubernetes.io/a'), core.pods, pod())).toContain('violates PodSecurity')
  expect(await verdict(labels, pod({ securityContext: { privileged: true } }), core.pods, pod())).toContain('privileged')
})

it('leaves notes for the audit log: what was enforced, and what the audit level would have refused', async () => {
  const notes = async (labels: Record<string, string>, object: Loose, resource: unknown = core.pods) => {
    const attributes = attributesOf(resource, object)
    await (async () => createAdmissionChain([podSecurity(environment(namespace(labels)))]).validate(attributes))().catch(() => undefined)
    return attributes.annotations
  }
  expect(await notes({}, pod())).toEqual({ [`${prefix}/enforce-policy`]: 'privileged:latest' })
  const violations = expect.stringMatching(/^would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false/) as string
  expect(await notes({ [`${prefix}/enforce`]: 'baseline', [`${prefix}/audit`]: 'restricted' }, pod())).toEqual({ [`${prefix}/enforce-policy`]: 'baseline:latest', [`${prefix}/audit-violations`]: violations })
  const deployment = { kind: 'Deployment', metadata: { name: 'd', namespace: 'x' }, spec: { template: { metadata: {}, spec: (pod() as { spec?: object }).spec } } }
  expect(await notes({ [`${prefix}/audit`]: 'restricted' }, deployment, apps.deployments)).toEqual({ [`${prefix}/audit-violations`]: violations })
  expect(await notes({ [`${prefix}/audit`]: 'restricted' }, pod({ securityContext: hard }))).toEqual({ [`${prefix}/enforce-policy`]: 'privileged:latest' })
})

describe('a configuration', () => {
  const head = 'apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\n'
  const parsed = (...given: Parameters<typeof parseAdmissionConfiguration>) => parseAdmissionConfiguration(...given).PodSecurity as PodSecurityOptions
  const inline = (rest: string) => parsed(`${head}plugins:\n- name: PodSecurity\n  configuration:\n    apiVersion: pod-security.admission.config.k8s.io/v1\n    kind: PodSecurityConfiguration\n${rest}`, () => '')
  const options = inline('    defaults: {enforce: baseline, warn: restricted, audit: restricted, audit-version: v1.30}\n    exemptions: {usernames: [root], namespaces: [kube-system], runtimeClasses: [kata]}\n')
  const run = async (object: Loose, labels: Record<string, string> = {}, more: { user?: string; namespace?: string } = {}) => {
    const at = more.namespace ?? 'x'
    const attributes = attributesOf(core.pods, { ...object, metadata: { ...object.metadata, namespace: at } }, { user: { name: more.user ?? 'ana', groups: [] } })
    const plugin = podSecurity(environment({ kind: 'Namespace', metadata: { name: at, labels } as never }), options)
    const error = await (async () => createAdmissionChain([plugin]).validate(attributes))().then(() => '', (e: Error) => e.message)
    return { error, warnings: attributes.warnings.join(), annotations: attributes.annotations }
  }
  const privileged = pod({ securityContext: { privileged: true } })

  it('says what holds where labels do not', async () => {
    expect((await run(privileged)).error).toContain('violates PodSecurity "baseline:latest"')
    expect((await run(privileged, { [`${prefix}/enforce`]: 'privileged' })).error).toBe('')
    const { warnings, annotations } = await run(pod())
    expect(warnings).toContain('would violate PodSecurity "restricted:latest"')
    expect(annotations[`${prefix}/audit-violations`]).toContain('would violate PodSecurity "restricted:v1.30"')
  })

  it('lets users, namespaces and runtime classes pass, and says so in the audit log', async () => {
    expect(await run(privileged, {}, { user: 'root' })).toEqual({ error: '', warnings: '', annotations: { [`${prefix}/exempt`]: 'user' } })
    expect((await run(privileged, { [`${prefix}/enforce`]: 'restricted' }, { namespace: 'kube-system' })).annotations).toEqual({ [`${prefix}/exempt`]: 'namespace' })
    expect((await run(pod({ securityContext: { privileged: true } }, { runtimeClassName: 'kata' }))).annotations).toEqual({ [`${prefix}/exempt`]: 'runtimeClass' })
  })

  it('can be a file of its own', () => {
    const read = (path: string) => (path === 'pods.yaml' ? 'apiVersion: pod-security.admission.config.k8s.io/v1\nkind: PodSecurityConfiguration\ndefaults: {enforce: restricted}\n' : '')
    expect(parsed(`${head}plugins: [{name: PodSecurity, path: pods.yaml}]`, read).defaults.enforce).toEqual({ level: 'restricted', version: 'latest' })
    expect(parsed(head, read)).toBeUndefined()
  })

  it.each<[string, () => unknown, string]>([
    ['another plugin', () => parsed(`${head}plugins:\n- name: LimitRanger\n`, () => ''), 'line 4: plugins[0].name: Unsupported value: "LimitRanger": supported values: "EventRateLimit", '],
    ['a level that there is not', () => inline('    defaults: {enforce: strict}\n'), 'plugins[0].configuration: defaults.enforce: Invalid value: "strict": must be one of privileged, baseline, restricted'],
    ['a namespace that cannot be', () => inline('    exemptions: {namespaces: [Big]}\n'), 'exemptions.namespaces[0]: Invalid value: "Big": a lowercase RFC 1123 label must consist'],
    ['a runtime class named twice', () => inline('    exemptions: {runtimeClasses: [kata, kata]}\n'), 'exemptions.runtimeClasses[1]: Duplicate value: "kata"'],
    ['a user without a name', () => inline('    exemptions: {usernames: [ana, ""]}\n'), 'exemptions.usernames[1]: Required value'],
    ['a field that nobody knows', () => inline('    exemption: {}\n'), 'plugins[0].configuration: exemption: unknown field'],
  ])('with %s is refused', (_, act, message) => expect(act).toThrow(message))
})

it('warns of what makes pods by what is enforced, unless a label says otherwise', async () => {
  const deployment: Loose = { kind: 'Deployment', metadata: { name: 'd', namespace: 'x' }, spec: { template: { metadata: {}, spec: { containers: [{ name: 'a' }], hostPID: true } } } }
  expect(await verdict({ [`${prefix}/enforce`]: 'baseline', [`${prefix}/enforce-version`]: 'v1.30' }, deployment, apps.deployments)).toBe('would violate PodSecurity "baseline:v1.30": host namespaces (hostPID=true)')
  expect(await verdict({ [`${prefix}/enforce`]: 'baseline', [`${prefix}/warn`]: 'privileged' }, deployment, apps.deployments)).toBe('')
})
