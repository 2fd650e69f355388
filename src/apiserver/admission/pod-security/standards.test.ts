/** What the standards say of a pod, in Kubernetes's words, by version. */
import { describe, expect, it } from 'vitest'
import type { core } from '../../../api/index.ts'
import { minorOf, type Level } from './levels.ts'
import { checksOf } from './restricted.ts'
import type { Subject } from './words.ts'

type Annotations = Readonly<Record<string, string>>
const pod = (spec: object, annotations: Annotations = {}): Subject => ({ metadata: { annotations }, spec: { containers: [], ...spec } as unknown as core.PodSpec })
/** Containers called a, b, c … with these security contexts. */
const contexts = (...all: (object | undefined)[]) => ({ containers: all.map((securityContext, i) => ({ name: String.fromCharCode(97 + i), ...(securityContext ? { securityContext } : {}) })) })

/** What one check has against the pod; undefined: nothing. */
function of(id: string, subject: Subject, level: Level = 'restricted', version = 'latest') {
  const minor = minorOf({ level, version })
  const check = checksOf(level, minor).find((c) => c.id === id)
  if (!check) throw new Error(`there is no check ${id} in ${level}:${version}`)
  const found = check.run(subject, minor)
  return found && `${found.reason} (${found.detail})`
}
const baseline = (id: string, subject: Subject, version?: string) => of(id, subject, 'baseline', version)

describe('pods with users of their own', () => {
  const own = (context: object) => pod({ hostUsers: false, ...contexts(context) })

  it.each(['runAsNonRoot', 'runAsUser'])('need not keep %s since 1.35', (id) => {
    for (const version of ['v1.35', 'v1.36', 'latest']) expect(of(id, own({ runAsUser: 0, runAsNonRoot: false }), 'restricted', version)).toBeUndefined()
    expect(of(id, own({ runAsUser: 0, runAsNonRoot: false }), 'restricted', 'v1.34')).toContain('container "a" must not set')
    expect(of(id, pod({ hostUsers: true, ...contexts({ runAsUser: 0, runAsNonRoot: false }) }))).toContain('container "a" must not set')
  })

  it('may see all of /proc in the baseline since 1.35, and nowhere else', () => {
    const text = 'procMount (container "a" must not set securityContext.procMount to "Unmasked")'
    expect(baseline('procMount', own({ procMount: 'Unmasked' }))).toBeUndefined()
    expect(baseline('procMount', own({ procMount: 'Unmasked' }), 'v1.34')).toBe(text)
    expect(baseline('procMount', pod(contexts({ procMount: 'Unmasked' })))).toBe(text)
    expect(of('procMount_restricted', own({ procMount: 'Unmasked' }))).toBe(text)
    expect(of('procMount', own({ procMount: 'Unmasked' }), 'restricted', 'v1.34')).toBe(text)
  })
})

it('has each check once, those of the baseline first, by name', () => {
  const ids = (level: Level, minor: number) => checksOf(level, minor).map(({ id }) => id)
  expect(ids('restricted', 36)).toEqual([
    'appArmorProfile', 'hostNamespaces', 'hostPorts', 'hostProbesAndHostLifecycle', 'privileged', 'seLinuxOptions', 'sysctls', 'windowsHostProcess',
    'allowPrivilegeEscalation', 'capabilities_restricted', 'procMount_restricted', 'restrictedVolumes', 'runAsNonRoot', 'runAsUser', 'seccompProfile_restricted',
  ])
  expect(ids('restricted', 0)).toEqual([
    'appArmorProfile', 'capabilities_baseline', 'hostNamespaces', 'hostPorts', 'privileged', 'procMount', 'seLinuxOptions', 'seccompProfile_baseline', 'sysctls', 'windowsHostProcess', 'restrictedVolumes', 'runAsNonRoot',
  ])
})

it('lets images be volumes, and nothing of the node', () => {
  const volumes = [{ name: 'v', image: { reference: 'x' } }, { name: 'w', nfs: {} }, { name: 'x', hostPath: { path: '/' } }, { name: 'y', nfs: {} }]
  for (const version of ['v1.0', 'latest']) expect(of('restrictedVolumes', pod({ volumes }), 'restricted', version)).toBe('restricted volume types (volumes "w", "x", "y" use restricted volume types "hostPath", "nfs")')
})

it('asks the pod itself not to run as root, also where all containers say that they do not', () => {
  const subject = pod({ securityContext: { runAsNonRoot: false }, ...contexts({ runAsNonRoot: true }) })
  expect(of('runAsNonRoot', subject)).toBe('runAsNonRoot != true (pod must not set securityContext.runAsNonRoot=false)')
  // Who says nothing is told of when nobody says something wrong.
  expect(of('runAsNonRoot', pod(contexts({ runAsNonRoot: false }, undefined)))).toBe('runAsNonRoot != true (container "a" must not set securityContext.runAsNonRoot=false)')
  expect(of('runAsNonRoot', pod(contexts({ runAsNonRoot: true }, undefined)))).toBe('runAsNonRoot != true (pod or container "b" must set securityContext.runAsNonRoot=true)')
})

it('takes profiles of seccomp that confine', () => {
  const [unconfined, confined] = [{ seccompProfile: { type: 'Unconfined' } }, { seccompProfile: { type: 'Localhost' } }]
  const mixed = pod({ securityContext: unconfined, ...contexts(confined, unconfined, undefined) })
  const text = 'seccompProfile (pod and container "b" must not set securityContext.seccompProfile.type to "Unconfined")'
  expect([of('seccompProfile_restricted', mixed), baseline('seccompProfile_baseline', mixed)]).toEqual([text, text])
  expect(of('seccompProfile_restricted', pod(contexts(confined, unconfined, undefined)))).toBe('seccompProfile (container "b" must not set securityContext.seccompProfile.type to "Unconfined")')
  expect(baseline('seccompProfile_baseline', pod({ securityContext: { seccompProfile: { type: 'Odd' } } }))).toContain('pod must not set securityContext.seccompProfile.type to "Odd"')
})

it('takes no empty annotation for a profile of seccomp', () => {
  expect(baseline('seccompProfile_baseline', pod({}, { 'seccomp.security.alpha.kubernetes.io/pod': '' }), 'v1.18')).toBe('seccompProfile (forbidden annotation seccomp.security.alpha.kubernetes.io/pod="")')
})

it('tells of AppArmor profiles in fields and annotations together', () => {
  const key = 'container.apparmor.security.beta.kubernetes.io'
  const unconfined = { appArmorProfile: { type: 'Unconfined' } }
  expect(baseline('appArmorProfile', pod({ securityContext: unconfined }))).toBe('forbidden AppArmor profile (pod must not set AppArmor profile type to "Unconfined")')
  const both = pod({ securityContext: unconfined, ...contexts(unconfined) }, { [`${key}/b`]: 'unconfined', [`${key}/a`]: 'odd', [`${key}/c`]: 'localhost/x', [`${key}/d`]: '', [`${key}/e`]: 'runtime/default' })
  expect(baseline('appArmorProfile', both)).toBe(`forbidden AppArmor profiles (pod and container "a" and annotations must not set AppArmor profile type to "Unconfined", "${key}/a="odd"", "${key}/b="unconfined"")`)
  expect(baseline('appArmorProfile', pod({}, { [`${key}/a`]: 'unconfined' }))).toBe(`forbidden AppArmor profile (annotation must not set AppArmor profile type to "${key}/a="unconfined"")`)
  // Fields count in versions of before there were any.
  expect(baseline('appArmorProfile', pod(contexts(unconfined)), 'v1.0')).toContain('container "a" must not set AppArmor profile type')
})

it('lists what SELinux options are wrong: types, then user and role', () => {
  const subject = pod({ securityContext: { seLinuxOptions: { role: 'r', type: 'b' } }, ...contexts({ seLinuxOptions: { user: 'u', type: 'a' } }, { seLinuxOptions: { type: 'container_t' } }) })
  expect(baseline('seLinuxOptions', subject)).toBe('seLinuxOptions (pod and container "a" set forbidden securityContext.seLinuxOptions: types "a", "b"; user may not be set; role may not be set)')
  expect(baseline('seLinuxOptions', pod(contexts({ seLinuxOptions: { user: 'u' } })))).toBe('seLinuxOptions (container "a" set forbidden securityContext.seLinuxOptions: user may not be set)')
})

it('sorts ports as text, and containers with hosts in probes by name', () => {
  const ports = (...all: number[]) => all.map((hostPort) => ({ containerPort: 1, hostPort }))
  expect(baseline('hostPorts', pod({ containers: [{ name: 'z', ports: ports(80, 1000) }, { name: 'a', ports: ports(80) }] }))).toBe('hostPort (containers "z", "a" use hostPorts 1000, 80)')
  const probe = (host: string) => ({ livenessProbe: { tcpSocket: { host, port: 1 } } })
  expect(baseline('hostProbesAndHostLifecycle', pod({ containers: [{ name: 'z', ...probe('h') }, { name: 'a', ...probe('g') }, { name: 'b', ...probe('') }] }))).toBe('probe or lifecycle host (containers "a", "z" use probe or lifecycle hosts "g", "h")')
})
