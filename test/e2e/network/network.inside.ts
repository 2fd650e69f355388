/**
 * The node's network against a real kernel: pods by the CNI plugins, rules by nft, DNS on port 53. Runs inside a network
 * namespace that `../network.test.ts` makes for it.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { core, discovery, networking } from '../../../src/api/index.ts'
import { createMemoryClient } from '../../../src/client/testing/memory-client.ts'
import { systemClock } from '../../../src/machinery/clock.ts'
import { quiet, type Logger } from '../../../src/machinery/log.ts'
import { removeNetwork, startNetwork, type Network } from '../../../src/network/index.ts'
import { makeNeighbour, makePod, sh, thisHost, type Host } from './world.ts'

/** The namespace this runs in; the names of what is made here begin with it. */
const inside = process.env['SKIFF_TEST_NETNS']
if (inside === undefined) throw new Error('test/e2e/network.test.ts runs this file')

const until = async (what: () => Promise<boolean> | boolean, ms = 5000) => {
  const end = Date.now() + ms
  while (!(await what())) {
    if (Date.now() > end) throw new Error('did not happen in time')
    await new Promise((resolve) => setTimeout(resolve, 30))
  }
}

/** How many lines each write to nftables had. */
const writes: number[] = []
/** Says what went wrong, and nothing else. */
const loud: Logger = {
  ...quiet, debug: (fields, message) => { if (message === 'nftables written') writes.push((fields as { lines: number }).lines) },
  warn: (fields, message) => console.warn(message, fields), error: (fields, message) => console.error(message, fields), child: () => loud,
}

describe('the network of a node', () => {
  const directory = mkdtempSync(join(tmpdir(), 'skiff-nettest-'))
  const dns = '10.96.0.10'
  const options = {
    clusterName: 'nettest', nodeName: 'node-a', clusterCidr: '10.244.0.0/16,fd00:244::/56', podCidr: '10.244.0.0/24,fd00:244::/64',
    serviceCidr: '10.96.0.0/16,fd00:96::/112', clusterDnsAddress: `${dns},fd00:96::a`, clusterDomain: 'cluster.local', cniConfDir: join(directory, 'cni'), dataDir: join(directory, 'data'),
    hostDir: join(directory, 'host'), nodeAddress: '192.168.77.1',
  }
  const sysctls = () => ['ipv4/ip_forward', 'ipv4/conf/all/route_localnet', 'ipv6/conf/all/forwarding'].map((name) => readFileSync(`/proc/sys/net/${name}`, 'utf8').trim())
  const before = sysctls()
  const client = createMemoryClient(systemClock)
  const abort = new AbortController()
  const pods: Host[] = []
  let network: Network | undefined
  let node: Host
  let outside: Host
  const [a, b, c] = [() => pods[0] as Host, () => pods[1] as Host, () => pods[2] as Host]

  const service = (name: string, spec: object, status?: object) => client.create(core.services, { metadata: { name, namespace: 'default' }, spec: { clusterIP: '10.96.9.9', ports: [{ port: 80, targetPort: 8080 }], ...spec }, ...(status ? { status } : {}) } as never)
  const slice = (name: string, endpoints: { ip: string; node?: string; ready?: boolean; hostname?: string }[], ports: object[] = [{ port: 8080, protocol: 'TCP' }]) =>
    client.create(discovery.endpointslices, {
      metadata: { name: `${name}-1`, namespace: 'default', labels: { 'kubernetes.io/service-name': name } },
      addressType: 'IPv4',
      ports,
      endpoints: endpoints.map((e) => ({ addresses: [e.ip], nodeName: e.node ?? 'node-a', conditions: { ready: e.ready ?? true }, ...(e.hostname ? { hostname: e.hostname } : {}) })),
    } as never)
  const answers = async (ask: () => Promise<string>, n = 24) => {
    const seen = new Set<string>()
    for (let i = 0; i < n; i++) seen.add(await ask())
    return [...seen].sort()
  }
  /** Everything changed so far has come through the watches and is in the kernel; old UDP connections are forgotten. */
  const settled = async () => {
    await new Promise((resolve) => setTimeout(resolve, 30))
    await network?.flush()
    await new Promise((resolve) => setTimeout(resolve, 30))
  }

  beforeAll(async () => {
    sh('ip', 'link', 'set', 'lo', 'up')
    sh('iptables-nft', '-P', 'FORWARD', 'DROP') // as Docker leaves it
    outside = await makeNeighbour(`${inside}-out`, '192.168.77.1', '192.168.77.2', dns)
    await client.create(core.namespaces, { metadata: { name: 'default' } })
    await client.create(core.namespaces, { metadata: { name: 'kube-system' } })
    network = await startNetwork({ ...options, client, clock: systemClock, log: loud, signal: abort.signal })
    await network.configured
    const confFile = join(options.cniConfDir, '10-skiff.conflist')
    for (const name of ['a', 'b', 'c']) {
      const pod = await makePod(`${inside}-${name}`, confFile, dns)
      pods.push(pod)
      await pod.ask({ op: 'serve', port: 8080, name })
    }
    node = await thisHost('192.168.77.1', dns)
    await node.ask({ op: 'serve', port: 7000, name: 'node' })
    await outside.ask({ op: 'serve', port: 7000, name: 'outside' })
    await network.ready
  })

  afterAll(async () => {
    for (const pod of pods) pod.remove()
    abort.abort()
    await network?.stop()
    node?.remove()
    await removeNetwork(options)
    outside?.remove()
    rmSync(directory, { recursive: true, force: true })
  })

  it('connects pods to each other, to the node and to the outside', async () => {
    expect(await a().tcp(b().ip, 8080)).toBe(`b ${a().ip}`)
    expect(await node.tcp(a().ip, 8080)).toMatch(/^a /)
    expect(await a().tcp('192.168.77.1', 7000)).toBe(`node ${a().ip}`)
    // Outside sees the node's address.
    expect(await a().tcp('192.168.77.2', 7000)).toBe('outside 192.168.77.1')
    expect(await a().udp('192.168.77.2', 7000)).toBe('outside 192.168.77.1')
  })

  it('spreads a cluster IP over its endpoints, from pods and from the node', async () => {
    await service('web', { clusterIP: '10.96.1.1', ports: [{ port: 80, protocol: 'TCP' }, { name: 'u', port: 80, protocol: 'UDP' }] })
    await slice('web', [{ ip: a().ip }, { ip: b().ip }], [{ port: 8080, protocol: 'TCP' }, { name: 'u', port: 8080, protocol: 'UDP' }])
    await settled()
    expect(await answers(() => c().tcp('10.96.1.1', 80))).toEqual([`a ${c().ip}`, `b ${c().ip}`])
    expect(await answers(() => c().udp('10.96.1.1', 80))).toEqual([`a ${c().ip}`, `b ${c().ip}`])
    expect((await answers(() => node.tcp('10.96.1.1', 80))).map((t) => t[0])).toEqual(['a', 'b'])
  })

  it('lets a pod reach itself through its own service', async () => {
    await service('self', { clusterIP: '10.96.1.2' })
    await slice('self', [{ ip: a().ip }])
    await settled()
    expect(await a().tcp('10.96.1.2', 80)).toMatch(/^a /)
    expect(await a().udp('10.96.1.2', 80)).not.toMatch(/^a/)
  })

  it('refuses what has no endpoints and what belongs to no service, and opens when the first endpoint comes', async () => {
    await service('empty', { clusterIP: '10.96.1.3', type: 'NodePort', ports: [{ port: 80, nodePort: 30_003 }] })
    await settled()
    expect(await a().tcp('10.96.1.3', 80)).toBe('ECONNREFUSED')
    expect(await node.tcp('10.96.1.3', 80)).toBe('ECONNREFUSED')
    expect(await outside.tcp('192.168.77.1', 30_003)).toBe('ECONNREFUSED')
    expect(await a().tcp('10.96.200.200', 80)).toBe('ECONNREFUSED')
    expect(await node.udp('10.96.200.200', 80)).toBe('ECONNREFUSED')
    await slice('empty', [{ ip: b().ip }])
    await until(async () => (await a().tcp('10.96.1.3', 80)) === `b ${a().ip}`)
    client.edit(discovery.endpointslices, 'default/empty-1', (s) => ({ ...s, endpoints: [{ addresses: [b().ip], conditions: { ready: false } }] }))
    await until(async () => (await a().tcp('10.96.1.3', 80)) === 'ECONNREFUSED')
  })

  it('answers node ports from outside, from pods, from the node, and on 127.0.0.1', async () => {
    await service('np', { clusterIP: '10.96.1.4', type: 'NodePort', ports: [{ port: 80, nodePort: 30_004 }] })
    await slice('np', [{ ip: a().ip }, { ip: b().ip }])
    await settled()
    expect((await answers(() => outside.tcp('192.168.77.1', 30_004))).map((t) => t[0])).toEqual(['a', 'b'])
    for (const [host, address] of [[c(), '192.168.77.1'], [node, '192.168.77.1'], [node, '127.0.0.1'], [a(), '192.168.77.1']] as const) {
      expect(await host.tcp(address, 30_004), address).toMatch(/^[ab] /)
    }
  })

  it('keeps the client address under externalTrafficPolicy Local and leaves it to other nodes when nothing is here', async () => {
    await service('local', { clusterIP: '10.96.1.5', type: 'NodePort', externalTrafficPolicy: 'Local', ports: [{ port: 80, nodePort: 30_005 }] })
    await slice('local', [{ ip: a().ip }, { ip: '10.244.7.7', node: 'node-b' }])
    await service('away', { clusterIP: '10.96.1.6', type: 'NodePort', externalTrafficPolicy: 'Local', ports: [{ port: 80, nodePort: 30_006 }] })
    await slice('away', [{ ip: '10.244.7.7', node: 'node-b' }])
    await settled()
    expect(await answers(() => outside.tcp('192.168.77.1', 30_005), 8)).toEqual(['a 192.168.77.2'])
    expect(await outside.tcp('192.168.77.1', 30_006)).toBe('timeout')
  })

  it('keeps inside traffic on the node under internalTrafficPolicy Local', async () => {
    await service('inner', { clusterIP: '10.96.1.7', internalTrafficPolicy: 'Local' })
    await slice('inner', [{ ip: a().ip }, { ip: '10.244.7.7', node: 'node-b' }])
    await settled()
    expect(await answers(() => c().tcp('10.96.1.7', 80), 8)).toEqual([`a ${c().ip}`])
  })

  it('sends a client to the endpoint it had before under session affinity', async () => {
    await service('sticky', { clusterIP: '10.96.1.8', sessionAffinity: 'ClientIP' })
    await slice('sticky', [{ ip: a().ip }, { ip: b().ip }])
    await settled()
    expect(await answers(() => c().tcp('10.96.1.8', 80))).toHaveLength(1)
    const first = (await c().tcp('10.96.1.8', 80))[0]
    // An unrelated change must not forget it; the loss of its endpoint must.
    await service('other', { clusterIP: '10.96.1.9' })
    await settled()
    expect((await c().tcp('10.96.1.8', 80))[0]).toBe(first)
    const [gone, left] = first === 'a' ? [a(), b()] : [b(), a()]
    client.edit(discovery.endpointslices, 'default/sticky-1', (s) => ({ ...s, endpoints: s.endpoints.filter((e) => e.addresses[0] !== gone.ip) }))
    await settled()
    expect(await c().tcp('10.96.1.8', 80)).toBe(`${first === 'a' ? 'b' : 'a'} ${c().ip}`)
    expect(left.ip).not.toBe(gone.ip)
  })

  it('answers external and load balancer addresses, the latter only for the allowed sources', async () => {
    await service('lb', { clusterIP: '10.96.2.1', type: 'LoadBalancer', externalIPs: ['192.168.77.50'], loadBalancerSourceRanges: ['192.168.99.0/24', '192.168.99.7/32'] },
      { loadBalancer: { ingress: [{ ip: '192.168.77.60' }, { ip: '192.168.77.61', ipMode: 'Proxy' }] } })
    await slice('lb', [{ ip: a().ip }])
    await settled()
    sh('ip', '-n', `${inside}-out`, 'route', 'add', '192.168.77.50', 'via', '192.168.77.1')
    sh('ip', '-n', `${inside}-out`, 'route', 'add', '192.168.77.60', 'via', '192.168.77.1')
    expect(await outside.tcp('192.168.77.50', 80)).toMatch(/^a /)
    expect(await outside.tcp('192.168.77.60', 80)).toBe('timeout')
    client.edit(core.services, 'default/lb', (s) => ({ ...s, spec: { ...s.spec, loadBalancerSourceRanges: ['192.168.77.0/24'] } }))
    await until(async () => (await outside.tcp('192.168.77.60', 80)).startsWith('a '))
  })

  it('moves a UDP client that keeps sending when its endpoint goes', async () => {
    const ports = [{ port: 8080, protocol: 'UDP' }]
    await service('udp', { clusterIP: '10.96.2.2', ports: [{ port: 53, protocol: 'UDP' }] })
    await settled()
    expect(await c().udp('10.96.2.2', 53, 4444)).toBe('ECONNREFUSED')
    await slice('udp', [{ ip: a().ip }], ports)
    await until(async () => (await c().udp('10.96.2.2', 53, 4444)) === `a ${c().ip}`)
    client.edit(discovery.endpointslices, 'default/udp-1', (s) => ({ ...s, endpoints: [{ addresses: [b().ip], conditions: { ready: true } }] }))
    await until(async () => (await c().udp('10.96.2.2', 53, 4444)) === `b ${c().ip}`)
  })

  it('does the same over IPv6', async () => {
    const six = sh('ip', '-n', `${inside}-a`, '-6', '-br', 'address', 'show', 'eth0').match(/fd00:244::[0-9a-f]+/)?.[0] ?? ''
    await service('six', { clusterIP: '10.96.3.1', clusterIPs: ['10.96.3.1', 'fd00:96::31'], ipFamilies: ['IPv4', 'IPv6'] })
    await service('six-empty', { clusterIP: 'fd00:96::32', clusterIPs: ['fd00:96::32'], ipFamilies: ['IPv6'], type: 'NodePort', ports: [{ port: 80, nodePort: 30_066 }] })
    await client.create(discovery.endpointslices, {
      metadata: { name: 'six-1', namespace: 'default', labels: { 'kubernetes.io/service-name': 'six' } },
      addressType: 'IPv6', ports: [{ port: 8080, protocol: 'TCP' }], endpoints: [{ addresses: [six], nodeName: 'node-a', conditions: { ready: true } }],
    } as never)
    await settled()
    expect(await b().tcp(six, 8080)).toMatch(/^a fd00:244::/)
    expect(await b().tcp('fd00:96::31', 80)).toMatch(/^a fd00:244::/)
    expect(await node.tcp('fd00:96::31', 80)).toMatch(/^a /)
    expect(await a().tcp('fd00:96::31', 80)).toMatch(/^a /)
    expect(await b().tcp('fd00:96::32', 80)).toBe('ECONNREFUSED')
    expect(await node.tcp('::1', 30_066)).toBe('ECONNREFUSED')
    expect(await a().dns('six.default.svc.cluster.local', 'AAAA')).toEqual(['fd00:96::31'])
    expect(await a().ask({ op: 'dns', server: 'fd00:96::a', name: 'six.default.svc.cluster.local', type: 'A' })).toEqual(['10.96.3.1'])
  })

  it('leads host ports to the pod, on all addresses or on one', async () => {
    const pod = (name: string, ip: string, port: object) => client.create(core.pods, {
      metadata: { name, namespace: 'default' },
      spec: { nodeName: 'node-a', containers: [{ name: 'c', image: 'x', ports: [port] }] },
      status: { phase: 'Running', podIP: ip, podIPs: [{ ip }] },
    } as never)
    await pod('hp', a().ip, { containerPort: 8080, hostPort: 8888 })
    await pod('hp-local', b().ip, { containerPort: 8080, hostPort: 8889, hostIP: '127.0.0.1' })
    await settled()
    expect(await outside.tcp('192.168.77.1', 8888)).toBe('a 192.168.77.2')
    expect(await node.tcp('127.0.0.1', 8888)).toMatch(/^a /)
    expect(await a().tcp('192.168.77.1', 8888)).toMatch(/^a /)
    expect(await node.tcp('127.0.0.1', 8889)).toMatch(/^b /)
    expect(await outside.tcp('192.168.77.1', 8889)).toBe('ECONNREFUSED')
    await client.delete(core.pods, 'hp', { namespace: 'default' })
    await until(async () => (await outside.tcp('192.168.77.1', 8888)) === 'ECONNREFUSED')
  })

  it('answers a health check node port with the number of local endpoints', async () => {
    await service('hc', { clusterIP: '10.96.2.3', type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 32_100 })
    await slice('hc', [{ ip: a().ip }])
    await until(async () => (await fetch('http://127.0.0.1:32100/')).status === 200)
    expect(await (await fetch('http://127.0.0.1:32100/')).json()).toMatchObject({ service: { namespace: 'default', name: 'hc' }, localEndpoints: 1 })
    client.edit(discovery.endpointslices, 'default/hc-1', (s) => ({ ...s, endpoints: [] }))
    await until(async () => (await fetch('http://127.0.0.1:32100/')).status === 503)
  })

  it('resolves services, headless endpoints, ports and addresses for pods and for the node', async () => {
    await service('db', { clusterIP: 'None', ports: [{ name: 'sql', port: 5432 }] })
    await slice('db', [{ ip: a().ip, hostname: 'db-0' }, { ip: b().ip }, { ip: c().ip, ready: false }], [{ name: 'sql', port: 5432, protocol: 'TCP' }])
    await service('ext', { type: 'ExternalName', clusterIP: undefined, ports: [], externalName: 'web.default.svc.cluster.local' })
    await settled()
    expect(await a().dns('web.default.svc.cluster.local', 'A')).toEqual(['10.96.1.1'])
    expect(await node.dns('kubernetes-missing.default.svc.cluster.local', 'A')).toBe('ENOTFOUND')
    expect(await a().dns('web.default.svc.cluster.local', 'AAAA')).toBe('ENODATA')
    expect(((await a().dns('db.default.svc.cluster.local', 'A')) as string[]).sort()).toEqual([a().ip, b().ip].sort())
    expect(await a().dns('db-0.db.default.svc.cluster.local', 'A')).toEqual([a().ip])
    expect(await a().dns('_sql._tcp.db.default.svc.cluster.local', 'SRV')).toHaveLength(2)
    expect(await a().dns('1.1.96.10.in-addr.arpa', 'PTR')).toEqual(['web.default.svc.cluster.local'])
    expect(await a().dns('ext.default.svc.cluster.local', 'A')).toEqual(['10.96.1.1'])
    expect(await a().dns(`${a().ip.replaceAll('.', '-')}.default.pod.cluster.local`, 'A')).toEqual([a().ip])
    await until(() => client.stored(core.services).has('kube-system/kube-dns'))
    await settled()
    expect(await a().dns('web.default.svc.cluster.local', 'A')).toEqual(['10.96.1.1'])
    expect(client.stored(core.services).get('kube-system/kube-dns')?.spec.clusterIP).toBe(dns)
  })

  describe('NetworkPolicy', () => {
    const pod = (name: string, ip: string, labels: object) => client.create(core.pods, {
      metadata: { name, namespace: 'default', labels },
      spec: { nodeName: 'node-a', containers: [{ name: 'c', image: 'x', ports: [{ name: 'web', containerPort: 8080 }] }] },
      status: { phase: 'Running', podIP: ip, podIPs: [{ ip }] },
    } as never)
    const policy = (name: string, spec: object) => client.create(networking.networkpolicies, { metadata: { name, namespace: 'default' }, spec } as never)
    const reaches = async (from: Host, to: Host) => (await from.tcp(to.ip, 8080)).startsWith(to === a() ? 'a' : to === b() ? 'b' : 'c')

    beforeAll(async () => {
      await pod('pa', a().ip, { app: 'a' })
      await pod('pb', b().ip, { app: 'b' })
      await pod('pc', c().ip, { app: 'c' })
    })
    afterEach(async () => {
      await client.deleteCollection(networking.networkpolicies, { namespace: 'default' })
      await settled()
    })

    it('isolates the pods it selects, and only those; the node still reaches them', async () => {
      await policy('deny', { podSelector: { matchLabels: { app: 'a' } }, policyTypes: ['Ingress'] })
      await settled()
      expect(await b().tcp(a().ip, 8080)).toBe('timeout')
      expect(await c().tcp('10.96.1.2', 80)).toBe('timeout') // through the service that leads to a
      expect(await reaches(a(), b())).toBe(true)
      expect(await reaches(node, a())).toBe(true)
      expect(await a().tcp('10.96.1.2', 80)).toMatch(/^a /)
    })

    it('lets in the pods that a rule names, by label and by named port, as they come', async () => {
      await policy('allow', { podSelector: { matchLabels: { app: 'a' } }, ingress: [{ from: [{ podSelector: { matchLabels: { role: 'friend' } } }], ports: [{ port: 'web' }] }] })
      await settled()
      expect(await b().tcp(a().ip, 8080)).toBe('timeout')
      client.edit(core.pods, 'default/pb', (p) => ({ ...p, metadata: { ...p.metadata, labels: { app: 'b', role: 'friend' } } }))
      await until(() => reaches(b(), a()))
      expect(await c().tcp(a().ip, 8080)).toBe('timeout')
    })

    it('keeps pods from going out, save to the blocks that a rule names', async () => {
      await policy('out', { podSelector: {}, policyTypes: ['Egress'], egress: [{ to: [{ ipBlock: { cidr: '10.244.0.0/16', except: [`${b().ip}/32`] } }], ports: [{ port: 8000, endPort: 8100, protocol: 'TCP' }] }] })
      await settled()
      expect(await reaches(a(), c())).toBe(true)
      expect(await a().tcp(b().ip, 8080)).toBe('timeout')
      expect(await a().tcp('192.168.77.2', 7000)).toBe('timeout')
      expect(await a().dns('web.default.svc.cluster.local', 'A')).toEqual(['10.96.1.1'])
    })

    it('lets in whole namespaces by their labels, and the sum of what several policies allow', async () => {
      await policy('one', { podSelector: {}, ingress: [{ from: [{ namespaceSelector: { matchLabels: { team: 'red' } } }] }] })
      await policy('two', { podSelector: { matchLabels: { app: 'c' } }, ingress: [{ from: [{ ipBlock: { cidr: '192.168.77.0/24' } }] }] })
      await settled()
      expect(await a().tcp(b().ip, 8080)).toBe('timeout')
      client.edit(core.namespaces, 'default', (n) => ({ ...n, metadata: { ...n.metadata, labels: { team: 'red' } } }))
      await until(() => reaches(a(), b()))
      sh('ip', '-n', `${inside}-out`, 'route', 'replace', '10.244.0.0/16', 'via', '192.168.77.1')
      expect(await reaches(outside, c())).toBe(true)
      expect(await outside.tcp(b().ip, 8080)).toBe('timeout')
    })
  })

  it('writes only the difference when one of a thousand services changes', async () => {
    const started = Date.now()
    await Promise.all(Array.from({ length: 1000 }, async (_, i) => {
      await service(`many-${i}`, { clusterIP: `10.96.${100 + (i >> 8)}.${i & 255}` })
      await slice(`many-${i}`, [{ ip: a().ip }, { ip: b().ip }])
    }))
    await until(async () => (await c().tcp('10.96.103.231', 80)) !== 'ECONNREFUSED')
    const all = Date.now() - started
    const edited = Date.now()
    client.edit(discovery.endpointslices, 'default/many-500-1', (s) => ({ ...s, endpoints: s.endpoints.slice(0, 1) }))
    await until(() => /dnat (ip )?to 10\.244\.0\.\d+:8080/.test(sh('nft', 'list', 'chain', 'ip', 'skiff-nettest', 'svc/default/many-500/tcp/80')))
    console.log(`1000 services: ${all} ms; one change among them: ${Date.now() - edited} ms`)
    await settled()
    expect(writes.at(-1)).toBe(3) // the chain is flushed and gets its two rules
  })

  it('takes up the rules again after a restart, without a gap for clients', async () => {
    let failures = 0
    const over = new AbortController()
    const knocking = (async () => { while (!over.signal.aborted) if (!(await c().tcp('10.96.1.1', 80)).match(/^[ab] /)) failures++ })()
    await network?.stop()
    network = await startNetwork({ ...options, client, clock: systemClock, log: loud, signal: abort.signal })
    await network.ready
    await settled()
    over.abort()
    await knocking
    expect(failures).toBe(0)
  })

  it('leaves nothing behind', async () => {
    for (const pod of pods.splice(0)) pod.remove()
    await network?.stop()
    await removeNetwork(options)
    await removeNetwork(options)
    expect(sh('nft', 'list', 'tables')).toBe('table ip filter\n')
    expect(sh('iptables-nft', '-S', 'FORWARD')).toBe('-P FORWARD DROP\n')
    expect(sh('ip', '-br', 'link').split('\n').filter((line) => line && !/^(lo|wire|tunl|sit|ip6|gre|erspan|ifb)/.test(line))).toEqual([])
    expect(sysctls()).toEqual(before)
    expect(sh('ip', 'route', 'show', 'root', '10.0.0.0/8') + sh('ip', '-6', 'route', 'show', 'root', 'fd00::/16')).toBe('')
    expect(readdirSync(options.cniConfDir)).toEqual([])
    expect(existsSync(join(options.dataDir, 'leases'))).toBe(false)
    expect(readdirSync(options.hostDir)).toEqual([])
  })
})
