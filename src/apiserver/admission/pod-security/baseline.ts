/** The baseline standard: what keeps a pod from taking over its node. */
import { containers, containersOf, distinct, hasOwnUsers, named, quoted, sayers, violation, which, type AnyContainer, type Check, type Subject, type Violation } from './words.ts'

const defaultCapabilities = new Set([
  'AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE', 'SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT',
])
/** Each with the minor version since which it is safe. */
const safeSysctls: ReadonlyMap<string, number> = new Map([
  ...['kernel.shm_rmid_forced', 'net.ipv4.ip_local_port_range', 'net.ipv4.tcp_syncookies', 'net.ipv4.ping_group_range', 'net.ipv4.ip_unprivileged_port_start'].map((name) => [name, 0] as const),
  ['net.ipv4.ip_local_reserved_ports', 27],
  ...['net.ipv4.tcp_keepalive_time', 'net.ipv4.tcp_fin_timeout', 'net.ipv4.tcp_keepalive_intvl', 'net.ipv4.tcp_keepalive_probes'].map((name) => [name, 29] as const),
  ['net.ipv4.tcp_rmem', 32], ['net.ipv4.tcp_wmem', 32],
])
const seLinuxTypes: ReadonlyMap<string, number> = new Map([['', 0], ['container_t', 0], ['container_init_t', 0], ['container_kvm_t', 0], ['container_engine_t', 31]])
const appArmor = 'container.apparmor.security.beta.kubernetes.io/'
const seccompAnnotations = { pod: 'seccomp.security.alpha.kubernetes.io/pod', container: 'container.seccomp.security.alpha.kubernetes.io/' } as const
/** Since which version seccomp profiles are fields, and no annotations. */
const seccompFields = 19
/** Since which version a user namespace of the pod's own counts. */
export const ownUsers = 35

const check = (id: string, run: Check['run'], since = 0): Check => ({ id, run, since })
const isSince = (known: ReadonlyMap<string, number>, name: string, minor: number): boolean => (known.get(name) ?? Infinity) <= minor

/** Names of containers that add a capability outside the set, and these capabilities. */
export function addedCapabilities(pod: Subject, allowed: ReadonlySet<string>): string | undefined {
  const added = (c: AnyContainer) => (c.securityContext?.capabilities?.add ?? []).filter((name) => !allowed.has(name))
  const names = which(pod, (c) => added(c).length > 0)
  return names.length === 0 ? undefined : `${containers(names)} must not include ${quoted(distinct(containersOf(pod).flatMap(added)))} in securityContext.capabilities.add`
}

/** The profiles that confine. */
const confining: readonly string[] = ['RuntimeDefault', 'Localhost']
type Profile = { readonly type: string } | undefined

/** Who names a profile that does not confine, and the types named. */
function loose(pod: Subject, field: 'seccompProfile' | 'appArmorProfile'): { readonly who: readonly string[]; readonly types: readonly string[] } {
  const bad = ({ securityContext }: { readonly securityContext?: { readonly [K in typeof field]?: Profile } | undefined }): readonly string[] => {
    const profile = securityContext?.[field]
    return profile && !confining.includes(profile.type) ? [profile.type] : []
  }
  const names = which(pod, (c) => bad(c).length > 0)
  return { who: sayers(bad(pod.spec).length > 0, names), types: distinct([pod.spec, ...containersOf(pod)].flatMap(bad)) }
}

/** That somebody names a seccomp profile that does not confine. */
export function looseSeccomp(pod: Subject): Violation | undefined {
  const { who, types } = loose(pod, 'seccompProfile')
  return who.length === 0 ? undefined : violation('seccompProfile', `${who.join(' and ')} must not set securityContext.seccompProfile.type to ${quoted(types)}`)
}

/** Fields and annotations; both count in every version of the standard. */
function appArmorProfiles(pod: Subject) {
  const { who, types } = loose(pod, 'appArmorProfile')
  const old = Object.entries(pod.metadata.annotations ?? {}).filter(([key, value]) => key.startsWith(appArmor) && value !== '' && value !== 'runtime/default' && !value.startsWith('localhost/'))
  const all = [...who, ...(old.length > 0 ? [old.length === 1 ? 'annotation' : 'annotations'] : [])]
  if (all.length === 0) return undefined
  const values = [...types, ...old.map(([key, value]) => `${key}=${JSON.stringify(value)}`).toSorted()]
  return violation(values.length === 1 ? 'forbidden AppArmor profile' : 'forbidden AppArmor profiles', `${all.join(' and ')} must not set AppArmor profile type to ${quoted(values)}`)
}

function hostPorts(pod: Subject) {
  const ports = (c: AnyContainer) => (c.ports ?? []).flatMap((p) => (p.hostPort ? [p.hostPort] : []))
  const names = which(pod, (c) => ports(c).length > 0)
  if (names.length === 0) return undefined
  // Sorted as text, as Kubernetes does.
  const all = distinct(containersOf(pod).flatMap(ports).map(String))
  return violation('hostPort', `${containers(names)} ${names.length === 1 ? 'uses' : 'use'} ${all.length === 1 ? 'hostPort' : 'hostPorts'} ${all.join(', ')}`)
}

/** Hosts in probes and lifecycle hooks make the node connect to anywhere. */
function probeHosts(pod: Subject) {
  const hosts = (c: AnyContainer) => [c.livenessProbe, c.readinessProbe, c.startupProbe, c.lifecycle?.postStart, c.lifecycle?.preStop]
    .flatMap((handler) => [handler?.httpGet?.host, handler?.tcpSocket?.host]).filter((host) => host !== undefined && host !== '') as string[]
  const names = distinct(which(pod, (c) => hosts(c).length > 0))
  if (names.length === 0) return undefined
  const all = distinct(containersOf(pod).flatMap(hosts))
  return violation('probe or lifecycle host', `${containers(names)} ${names.length === 1 ? 'uses' : 'use'} probe or lifecycle ${all.length === 1 ? 'host' : 'hosts'} ${quoted(all)}`)
}

function seLinuxOptions(pod: Subject, minor: number) {
  const optionsOf = (c: { readonly securityContext?: { readonly seLinuxOptions?: { readonly type?: string; readonly user?: string; readonly role?: string } | undefined } | undefined }) => c.securityContext?.seLinuxOptions ?? {}
  const isBadType = (type = '') => !isSince(seLinuxTypes, type, minor)
  const isBad = (c: Parameters<typeof optionsOf>[0]): boolean => {
    const { type, user, role } = optionsOf(c)
    return isBadType(type) || Boolean(user) || Boolean(role)
  }
  const who = sayers(isBad(pod.spec), which(pod, isBad))
  if (who.length === 0) return undefined
  const all = [pod.spec, ...containersOf(pod)].map(optionsOf)
  const types = distinct(all.map(({ type = '' }) => type).filter(isBadType))
  const what = [
    ...(types.length > 0 ? [named('type', 'types', types)] : []),
    ...(all.some(({ user }) => user) ? ['user may not be set'] : []),
    ...(all.some(({ role }) => role) ? ['role may not be set'] : []),
  ]
  return violation('seLinuxOptions', `${who.join(' and ')} set forbidden securityContext.seLinuxOptions: ${what.join('; ')}`)
}

/** How profiles were named before they had fields. */
function annotatedSeccomp(pod: Subject) {
  const { annotations = {} } = pod.metadata
  const keys = [seccompAnnotations.pod, ...containersOf(pod).map(({ name }) => seccompAnnotations.container + name)]
  const safe = (value: string): boolean => ['runtime/default', 'docker/default'].includes(value) || value.startsWith('localhost/')
  const bad = keys.filter((key) => annotations[key] !== undefined && !safe(annotations[key])).map((key) => `${key}=${JSON.stringify(annotations[key])}`)
  return bad.length === 0 ? undefined : violation('seccompProfile', `forbidden ${bad.length === 1 ? 'annotation' : 'annotations'} ${distinct(bad).join(', ')}`)
}

function hostProcess(pod: Subject) {
  const who = sayers(pod.spec.securityContext?.windowsOptions?.hostProcess === true, which(pod, (c) => c.securityContext?.windowsOptions?.hostProcess === true))
  return who.length === 0 ? undefined : violation('hostProcess', `${who.join(' and ')} must not set securityContext.windowsOptions.hostProcess=true`)
}

/** That `/proc` is shown with more than is usual. */
export function procMount(pod: Subject): Violation | undefined {
  const shown = (c: AnyContainer): readonly string[] => [c.securityContext?.procMount ?? 'Default'].filter((type) => type !== 'Default')
  return violation('procMount', each(pod, (c) => shown(c).length > 0, `must not set securityContext.procMount to ${quoted(distinct(containersOf(pod).flatMap(shown)))}`))
}

const each = (pod: Subject, test: (c: AnyContainer) => boolean, what: string): string | undefined => {
  const names = which(pod, test)
  return names.length === 0 ? undefined : `${containers(names)} ${what}`
}

export const baseline: readonly Check[] = [
  check('appArmorProfile', appArmorProfiles),
  check('capabilities_baseline', (pod) => violation('non-default capabilities', addedCapabilities(pod, defaultCapabilities))),
  check('hostNamespaces', (pod) => {
    const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((name) => pod.spec[name]).map((name) => `${name}=true`)
    return used.length === 0 ? undefined : violation('host namespaces', used.join(', '))
  }),
  check('hostPathVolumes', (pod) => {
    const names = (pod.spec.volumes ?? []).filter((v) => v.hostPath).map((v) => v.name)
    return names.length === 0 ? undefined : violation('hostPath volumes', named('volume', 'volumes', names))
  }),
  check('hostPorts', hostPorts),
  check('hostProbesAndHostLifecycle', probeHosts, 34),
  check('privileged', (pod) => violation('privileged', each(pod, (c) => c.securityContext?.privileged === true, 'must not set securityContext.privileged=true'))),
  check('procMount', (pod, minor) => (minor >= ownUsers && hasOwnUsers(pod) ? undefined : procMount(pod))),
  check('seLinuxOptions', seLinuxOptions),
  check('seccompProfile_baseline', (pod, minor) => (minor < seccompFields ? annotatedSeccomp(pod) : looseSeccomp(pod))),
  check('sysctls', (pod, minor) => {
    const names = (pod.spec.securityContext?.sysctls ?? []).map((s) => s.name).filter((name) => !isSince(safeSysctls, name, minor))
    return names.length === 0 ? undefined : violation('forbidden sysctls', names.join(', '))
  }),
  check('windowsHostProcess', hostProcess),
]
