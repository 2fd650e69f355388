import { describe, expect, it } from 'vitest'
import { core } from '../../api/index.ts'
import { decodeObject } from '../../machinery/json.ts'
import { notFound } from '../../machinery/errors.ts'
import { dnsWarnings, kernelHostname, hostsFile, parseResolvConf, podDns, podHostname, readHostDns } from './dns.ts'
import { environment, type EnvSources } from './env.ts'
import { expand } from './expand.ts'
import { fieldValue, resourceValue } from './field-ref.ts'
import { cpuQuota, cpuShares, oomScoreAdjustment, podLimits, qosClass } from './resources.ts'
import { containerSecurity, sandboxSecurity } from './security.ts'
import { serviceVariables } from './service-env.ts'
import { matchesRegistry } from '../images/pull.ts'
import { referencesOf } from './references.ts'

const podOf = (spec: object, metadata: object = {}): core.Pod =>
  decodeObject(core.Pod, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', namespace: 'shop', uid: 'u1', ...metadata }, spec: { containers: [{ name: 'main', image: 'app' }], ...spec } }).object
const service = (name: string, clusterIP: string, ports: object[], namespace = 'shop'): core.Service =>
  decodeObject(core.Service, { apiVersion: 'v1', kind: 'Service', metadata: { name, namespace }, spec: { clusterIP, ports } }).object

describe('expand', () => {
  it('replaces known variables, leaves unknown ones, and halves dollars', () => {
    const value = (name: string) => ({ A: '1', B: '$(A)' })[name]
    expect(expand('a=$(A) b=$(B) c=$(C) $$(A) $A $(', value)).toBe('a=1 b=$(A) c=$(C) $(A) $A $(')
  })
})

describe('environment', () => {
  const addresses = { podIPs: ['10.0.0.9'], hostIPs: ['192.0.2.1'] }
  const sources: EnvSources = {
    configMap: async (_ns, name) => { if (name !== 'conf') throw notFound(core.configmaps, name); return { data: { a: '1', 'x=y': 'bad', MODE: 'fast' } } as unknown as core.ConfigMap },
    secret: async () => ({ data: { key: Buffer.from('hush').toString('base64') } }) as unknown as core.Secret,
    services: (ns) => (ns === 'default' ? [service('kubernetes', '10.96.0.1', [{ name: 'https', port: 443 }], 'default')] : [service('my-db', '10.96.0.7', [{ port: 5432 }]), service('headless', 'None', [{ port: 1 }])]),
    allocatable: () => ({ cpu: '4', memory: '8Gi' }),
  }
  const valuesOf = async (container: object, spec: object = {}) => {
    const pod = podOf({ containers: [{ name: 'main', image: 'app', ...container }], ...spec })
    return Object.fromEntries((await environment(pod, pod.spec.containers[0] as core.Container, addresses, sources)).map((v) => [v.key, v.value]))
  }

  it('puts services, envFrom and env together, the last one winning', async () => {
    const env = await valuesOf({
      envFrom: [{ configMapRef: { name: 'conf' } }, { prefix: 'P_', secretRef: { name: 's' } }],
      env: [{ name: 'MODE', value: 'slow of $(a)' }, { name: 'DB', value: '$(MY_DB_SERVICE_HOST):$(MY_DB_SERVICE_PORT)' }, { name: 'IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } }],
    })
    expect(env).toMatchObject({ a: '1', P_key: 'hush', MODE: 'slow of 1', DB: '10.96.0.7:5432', IP: '10.0.0.9', KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT_HTTPS: '443' })
    expect(env).not.toHaveProperty('x=y')
    expect(env).not.toHaveProperty('HEADLESS_SERVICE_HOST')
  })

  it('leaves services of the namespace out when links are off, but never the API server', async () => {
    const env = await valuesOf({}, { enableServiceLinks: false })
    expect(Object.keys(env).filter((key) => key.startsWith('MY_DB'))).toEqual([])
    expect(env['KUBERNETES_PORT_443_TCP_ADDR']).toBe('10.96.0.1')
  })

  it('refuses references to nothing unless they are optional', async () => {
    const ref = (optional: boolean) => valuesOf({ env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'none', key: 'k', optional } } }] })
    await expect(ref(false)).rejects.toThrow('configmap "none" not found')
    expect(await ref(true)).not.toHaveProperty('X')
    await expect(valuesOf({ env: [{ name: 'X', valueFrom: { configMapKeyRef: { name: 'conf', key: 'k' } } }] })).rejects.toThrow("couldn't find key k in ConfigMap shop/conf")
  })

  it('names ports as Docker links did', () => {
    const env = Object.fromEntries(serviceVariables(() => [service('web-2', '10.1.1.1', [{ name: 'http', port: 80 }, { name: 'dns', port: 53, protocol: 'UDP' }])], 'shop', true))
    expect(env).toMatchObject({ WEB_2_PORT: 'tcp://10.1.1.1:80', WEB_2_PORT_53_UDP: 'udp://10.1.1.1:53', WEB_2_PORT_53_UDP_PROTO: 'udp', WEB_2_SERVICE_PORT_DNS: '53' })
  })
})

describe('the downward API', () => {
  it('reads fields, single labels and annotations, and whole maps', () => {
    const pod = podOf({ serviceAccountName: 'bot' }, { labels: { b: '2', a: '1"' }, annotations: { 'x/y': 'z' } })
    const addresses = { podIPs: ['10.0.0.1', 'fd00::1'], hostIPs: ['192.0.2.1'] }
    expect(fieldValue(pod, "metadata.labels['b']", addresses)).toBe('2')
    expect(fieldValue(pod, "metadata.annotations['x/y']", addresses)).toBe('z')
    expect(fieldValue(pod, 'metadata.labels', addresses)).toBe('a="1\\""\nb="2"')
    expect(fieldValue(pod, 'status.podIPs', addresses)).toBe('10.0.0.1,fd00::1')
    expect(() => fieldValue(pod, 'spec.nothing', addresses)).toThrow('unsupported fieldPath')
  })

  it('gives requests and limits in the divisor, rounded up, and the node when there is no limit', () => {
    const container = { resources: { limits: { memory: '100Mi' }, requests: { cpu: '250m' } } } as unknown as core.Container
    const value = (resource: string, divisor = '0') => resourceValue(container, { resource, divisor }, { cpu: '4' })
    expect([value('requests.cpu'), value('requests.cpu', '1m'), value('limits.memory', '1Mi'), value('limits.cpu')]).toEqual(['1', '250', '100', '4'])
    const none = { resources: { limits: { cpu: '0' } } } as unknown as core.Container
    const of = (resource: string) => resourceValue(none, { resource, divisor: '0' }, { cpu: '4', 'hugepages-2Mi': '8Mi' })
    expect([of('limits.cpu'), of('limits.hugepages-2Mi')]).toEqual(['4', '0'])
  })
})

describe('resources', () => {
  const withResources = (...all: object[]) => podOf({ containers: all.map((resources, i) => ({ name: `c${i}`, image: 'x', resources })) })

  it('tells the quality of service', () => {
    expect(qosClass(withResources({}))).toBe('BestEffort')
    expect(qosClass(withResources({ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1000m', memory: '1Gi' } }))).toBe('Guaranteed')
    expect(qosClass(withResources({ limits: { cpu: '1', memory: '1Gi' } }, {}))).toBe('Burstable')
    expect(qosClass(withResources({ requests: { cpu: '1' } }))).toBe('Burstable')
  })

  it('turns CPU into shares and quota as the kubelet does', () => {
    expect([cpuShares(0), cpuShares(1), cpuShares(500), cpuShares(1e9)]).toEqual([2, 2, 512, 262_144])
    expect([cpuQuota(0), cpuQuota(5), cpuQuota(1500)]).toEqual([0, 1000, 150_000])
  })

  it('protects guaranteed pods from the OOM killer and offers best-effort ones first', () => {
    const burstable = withResources({ requests: { memory: '2Gi' } })
    const score = (pod: core.Pod) => oomScoreAdjustment(pod, pod.spec.containers[0] as core.Container, 8 * 2 ** 30)
    expect([score(withResources({})), score(burstable), score(withResources({ limits: { cpu: '1', memory: '1Gi' }, requests: { cpu: '1', memory: '1Gi' } }))]).toEqual([1000, 750, -997])
  })

  it('limits the whole pod only when every container is limited', () => {
    expect(podLimits(withResources({ limits: { cpu: '1', memory: '1Gi' } }, { limits: { cpu: '500m', memory: '1Gi' } }))).toMatchObject({ quota: 150_000, memoryBytes: 2 * 2 ** 30 })
    expect(podLimits(withResources({ limits: { cpu: '1' } }, {}))).toMatchObject({ quota: 0, memoryBytes: 0 })
  })
})

describe('names and addresses', () => {
  const environment = { clusterDns: ['10.96.0.10'], clusterDomain: 'cluster.local', host: parseResolvConf('search corp.example\nnameserver 1.1.1.1\noptions timeout:1\n') }

  it('asks the cluster first, then where the host asks', () => {
    expect(podDns(podOf({ dnsPolicy: 'ClusterFirst' }), environment)).toEqual({
      servers: ['10.96.0.10'], searches: ['shop.svc.cluster.local', 'svc.cluster.local', 'cluster.local', 'corp.example'], options: ['ndots:5'],
    })
    expect(podDns(podOf({ dnsPolicy: 'Default' }), environment)).toEqual(environment.host)
    expect(podDns(podOf({ dnsPolicy: 'ClusterFirst', hostNetwork: true }), environment)).toEqual(environment.host)
    expect(podDns(podOf({ dnsPolicy: 'None', dnsConfig: { nameservers: ['9.9.9.9'], options: [{ name: 'ndots', value: '2' }] } }), environment)).toEqual({ servers: ['9.9.9.9'], searches: [], options: ['ndots:2'] })
  })

  it('looks behind a resolver that only the host itself can reach', async () => {
    const files: Record<string, string> = { '/etc/resolv.conf': 'nameserver 127.0.0.53\n', '/run/systemd/resolve/resolv.conf': 'nameserver 9.9.9.9\n' }
    expect((await readHostDns(async (file) => files[file] ?? '')).servers).toEqual(['9.9.9.9'])
    files['/etc/resolv.conf'] = 'nameserver 8.8.8.8\n'
    expect((await readHostDns(async (file) => files[file] ?? '')).servers).toEqual(['8.8.8.8'])
  })

  it('leaves out what resolvers cannot take, wherever it comes from, and says so', () => {
    const host = parseResolvConf('nameserver 1.1.1.1\nnameserver 2.2.2.2\nnameserver 3.3.3.3\nnameserver 4.4.4.4\nsearch corp.example. .\n')
    expect(host.searches).toEqual(['corp.example', '.'])
    const own = podOf({ dnsPolicy: 'Default' })
    expect(podDns(own, { ...environment, host }).servers).toEqual(['1.1.1.1', '2.2.2.2', '3.3.3.3'])
    expect(dnsWarnings(own, { ...environment, host })).toEqual(['Nameserver limits were exceeded, some nameservers have been omitted, the applied nameserver line is: 1.1.1.1 2.2.2.2 3.3.3.3'])
    const searching = (searches: string[]) => podOf({ dnsPolicy: 'None', dnsConfig: { nameservers: ['9.9.9.9'], searches } })
    const [long, longer] = ['a'.repeat(250), 'b'.repeat(254)]
    expect(podDns(searching(['x', longer, 'y']), environment).searches).toEqual(['x', 'y'])
    expect(dnsWarnings(searching(['x', longer, 'y']), environment)).toEqual(['Search Line limits were exceeded, some search paths have been omitted, the applied search line is: x y'])
    expect(podDns(searching(Array.from({ length: 9 }, (_, i) => `${i}${long}`)), environment).searches).toHaveLength(8)
    expect(dnsWarnings(searching(['x']), environment)).toEqual([])
  })

  it('refuses a full name that the kernel does not take', () => {
    const named = (hostname: string) => podOf({ hostname, subdomain: 'sub', setHostnameAsFQDN: true })
    expect(kernelHostname(named('a'), 'cluster.local')).toBe('a.sub.shop.svc.cluster.local')
    expect(() => kernelHostname(named('a'.repeat(60)), 'cluster.local')).toThrow('is too long (64 characters is the max, 87 characters requested)')
    expect(podHostname(podOf({ hostnameOverride: `${'a'.repeat(62)}.b` }), 'cluster.local').hostname).toBe('a'.repeat(62))
  })

  it('gives a pod with a subdomain its full name', () => {
    const pod = podOf({ hostname: 'a', subdomain: 'sub', hostAliases: [{ ip: '1.2.3.4', hostnames: ['foo', 'bar'] }] })
    expect(podHostname(pod, 'cluster.local')).toEqual({ hostname: 'a', domain: 'sub.shop.svc.cluster.local' })
    const hosts = hostsFile(pod, ['10.0.0.1'], 'cluster.local', '')
    expect(hosts).toContain('10.0.0.1\ta.sub.shop.svc.cluster.local\ta\n')
    expect(hosts).toMatch(/# Entries added by HostAliases\.\n1\.2\.3\.4\tfoo\tbar\n$/)
  })
})

describe('security', () => {
  const of = (own: object, image: object, podContext: object = {}) => {
    const pod = podOf({ securityContext: podContext, containers: [{ name: 'main', image: 'x', securityContext: own }] })
    return containerSecurity(pod, pod.spec.containers[0] as core.Container, { id: 'i', tags: [], digests: [], size: 0, pinned: false, ...image }, '/seccomp')
  }

  it('prefers the container over the pod over the image', () => {
    expect(of({ runAsUser: 5 }, { uid: 7 }, { runAsUser: 6, fsGroup: 9, supplementalGroups: [8] })).toMatchObject({ runAsUser: 5, supplementalGroups: [8, 9] })
    expect(of({}, { uid: 7 }, { runAsUser: 6 }).runAsUser).toBe(6)
    expect(of({}, { uid: 7 }).runAsUser).toBe(7)
    expect(of({}, { user: 'www' })).toMatchObject({ runAsUserName: 'www' })
  })

  it('keeps root out where it must be', () => {
    expect(() => of({ runAsNonRoot: true, runAsUser: 0 }, {})).toThrow("container's runAsUser breaks non-root policy")
    expect(() => of({ runAsNonRoot: true }, { uid: 0 })).toThrow('image will run as root')
    expect(() => of({ runAsNonRoot: true }, { user: 'www' })).toThrow('image has non-numeric user (www), cannot verify user is non-root')
    expect(of({ runAsNonRoot: true }, { uid: 3 }).runAsUser).toBe(3)
  })

  it('filters system calls unless asked not to', () => {
    expect(of({}, {}).seccomp).toEqual({ kind: 'runtimeDefault' })
    // What holds a pod's namespaces runs nothing of the pod's, and has no need of more.
    for (const type of [undefined, 'Unconfined', 'RuntimeDefault']) expect(sandboxSecurity({ spec: { containers: [], ...(type ? { securityContext: { seccompProfile: { type } } } : {}) } } as unknown as core.Pod, '/seccomp').seccomp, type).toEqual({ kind: 'runtimeDefault' })
    expect(of({ seccompProfile: { type: 'Unconfined' } }, {}).seccomp).toEqual({ kind: 'unconfined' })
    expect(of({}, {}, { seccompProfile: { type: 'Unconfined' } }).seccomp).toEqual({ kind: 'unconfined' })
    expect(of({ seccompProfile: { type: 'RuntimeDefault' } }, {}, { seccompProfile: { type: 'Unconfined' } }).seccomp).toEqual({ kind: 'runtimeDefault' })
    expect(of({ seccompProfile: { type: 'Localhost', localhostProfile: 'p.json' } }, {}).seccomp).toEqual({ kind: 'localhost', localhost: '/seccomp/p.json' })
  })

  it('hides parts of /proc unless asked not to', () => {
    expect(of({}, {}).maskedPaths).toContain('/proc/kcore')
    expect(of({ procMount: 'Unmasked' }, {}).maskedPaths).toEqual([])
    expect(of({ allowPrivilegeEscalation: false }, {}).noNewPrivileges).toBe(true)
  })
})

describe('what a pod refers to', () => {
  it('is every ConfigMap and Secret of its volumes and environments', () => {
    const pod = podOf({
      volumes: [{ name: 'a', configMap: { name: 'c1' } }, { name: 'b', projected: { sources: [{ secret: { name: 's1' } }, { configMap: { name: 'c1' } }] } }],
      containers: [{ name: 'main', image: 'x', envFrom: [{ secretRef: { name: 's2' } }], env: [{ name: 'K', valueFrom: { configMapKeyRef: { name: 'c2', key: 'k' } } }] }],
    })
    expect([...referencesOf(pod).keys()].toSorted()).toEqual(['configmap/shop/c1', 'configmap/shop/c2', 'secret/shop/s1', 'secret/shop/s2'])
  })
})

describe('registry credentials', () => {
  it('fit by host, wildcard label and path', () => {
    expect(matchesRegistry('https://index.docker.io/v1/', 'docker.io/library/x:1')).toBe(true)
    expect(matchesRegistry('*.example.com', 'a.example.com/x:1')).toBe(true)
    expect(matchesRegistry('*.example.com', 'a.b.example.com/x:1')).toBe(false)
    expect(matchesRegistry('reg.io/team', 'reg.io/team/x:1')).toBe(true)
    expect(matchesRegistry('reg.io/team', 'reg.io/other/x:1')).toBe(false)
  })
})
