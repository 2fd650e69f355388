import { describe, expect, it } from 'vitest'
import { core, networking } from '../../../api/index.ts'
import { found } from '../../../machinery/field.ts'
import type { Client } from '../../../client/client.ts'
import { ApiError, alreadyExists, notFound } from '../../../machinery/errors.ts'
import type { Strategy, StrategyEnvironment } from '../../strategy.ts'
import { strategyFor } from '../strategies.ts'
import { complete, context, created, createErrors, environment, row, updateErrors, updated } from '../testing.ts'
import { addressText, addressBits, ipRange } from './ip-range.ts'

const service = (spec: object, name = 'web') => ({ metadata: { name, namespace: 'default' }, spec })
const http = { port: 80 }

/** A client over services, addresses and ranges in memory. */
function addressClient(services: readonly core.Service[], addresses: Map<string, networking.IPAddress>, cidrs: readonly networking.ServiceCIDR[]): Client {
  const there = (name: string): networking.IPAddress => {
    const found = addresses.get(name)
    if (!found) throw notFound(networking.ipaddresses, name)
    return found
  }
  return {
    list: async (resource: unknown) => ({ metadata: {}, items: resource === core.services ? services : cidrs }),
    get: async (_: unknown, name: string) => there(name),
    create: async (_: unknown, object: networking.IPAddress) => {
      const { name = '' } = object.metadata
      if (addresses.has(name)) throw alreadyExists(networking.ipaddresses, name)
      addresses.set(name, object)
      return object
    },
    delete: async (_: unknown, name: string) => void (there(name), addresses.delete(name)),
  } as unknown as Client
}

function server(nodePorts: readonly [number, number] = [30000, 30001], serviceCidr = '10.96.0.0/29') {
  const stored: core.Service[] = []
  const addresses = new Map<string, networking.IPAddress>()
  const cidrs: networking.ServiceCIDR[] = []
  const client = addressClient(stored, addresses, cidrs)
  const env: StrategyEnvironment = { client, serviceCidr, nodePorts }
  const strategy = strategyFor(core.services as never, env) as Strategy<core.Service>
  const prepare = (spec: object, name: string) => strategy.prepareForCreate!(complete(core.services, service(spec, name)), context())
  const create = async (spec: object, name: string) => {
    const { object, rollback } = await strategy.allocation!.allocate(prepare(spec, name), undefined, context())
    stored.push(object)
    return { object, rollback }
  }
  const remove = async (name: string) => {
    const [gone] = stored.splice(stored.findIndex((s) => s.metadata.name === name), 1)
    await strategy.allocation!.release(gone!)
  }
  return { stored, addresses, cidrs, strategy, prepare, create, remove }
}
const failure = (promise: Promise<unknown>) => promise.then(() => 'no error', (e: unknown) => (e as ApiError).message)

describe('defaults of a service', () => {
  it('makes it a cluster service of one family', () => {
    expect(created(core.services, service({ ports: [http] })).spec).toEqual({
      ports: [{ protocol: 'TCP', port: 80, targetPort: 80 }], type: 'ClusterIP', sessionAffinity: 'None', internalTrafficPolicy: 'Cluster', ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack',
    })
  })
  it('opens a load balancer to all nodes', () => {
    expect(complete(core.services, service({ type: 'LoadBalancer', ports: [http] })).spec).toMatchObject({ externalTrafficPolicy: 'Cluster', allocateLoadBalancerNodePorts: true })
  })
  it('remembers clients for three hours', () => {
    expect(complete(core.services, service({ ports: [http], sessionAffinity: 'ClientIP' })).spec.sessionAffinityConfig).toEqual({ clientIP: { timeoutSeconds: 10800 } })
  })
  it('leaves an alias of a name alone', () => {
    expect(complete(core.services, service({ type: 'ExternalName', externalName: 'example.com' })).spec).toEqual({ type: 'ExternalName', externalName: 'example.com', sessionAffinity: 'None' })
  })
})

describe('what is wrong with a service', () => {
  it.each<[string, object, string[]]>([
    ['no ports', {}, ['spec.ports: Required value']],
    ['headless needs none', { clusterIP: 'None', selector: { a: 'b' } }, []],
    ['ports without names', { ports: [http, { port: 81 }] }, ['spec.ports[0].name: Required value', 'spec.ports[1].name: Required value']],
    ['port out of range', { ports: [{ port: 0 }] }, ['spec.ports[0].port: Invalid value: 0: must be between 1 and 65535, inclusive', 'spec.ports[0].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive']],
    ['type', { type: 'Magic', ports: [http] }, ['spec.type: Unsupported value: "Magic": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"']],
    ['node port of a cluster service', { ports: [{ port: 80, nodePort: 30000 }] }, ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"]],
    ['cluster address', { clusterIP: 'x', ports: [http] }, ['spec.clusterIPs[0]: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)']],
    ['traffic policy', { ports: [http], externalTrafficPolicy: 'Local' }, ['spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services']],
    ['external name', { type: 'ExternalName' }, ['spec.externalName: Required value']],
    ['affinity', { ports: [http], sessionAffinity: 'Sticky' }, ['spec.sessionAffinity: Unsupported value: "Sticky": supported values: "ClientIP", "None"']],
    ['source ranges', { ports: [http], loadBalancerSourceRanges: ['10.0.0.0/8'] }, ["spec.LoadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'"]],
    ['two families', { ports: [http], ipFamilyPolicy: 'RequireDualStack' }, ['spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services']],
    ['the other family', { ports: [http], ipFamilies: ['IPv6'] }, ['spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster']],
    ['loopback outside', { ports: [http], externalIPs: ['127.0.0.1'] }, ['spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)']],
  ])('%s', (_, spec, errors) => {
    expect(createErrors(core.services, service(spec))).toEqual(errors)
  })
})

describe('an update of a service', () => {
  const current = created(core.services, service({ type: 'NodePort', clusterIP: '10.96.0.9', ports: [{ port: 80, nodePort: 30080 }] }))

  it('keeps its address and its node ports when the client leaves them out', () => {
    const next = updated(core.services, service({ type: 'NodePort', ports: [http, { port: 81, name: 'b' }] }), current)
    expect(next.spec).toMatchObject({ clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'], ports: [{ port: 80, nodePort: 30080 }, { port: 81 }] })
  })
  it('may not move to another address', () => {
    expect(updateErrors(core.services, service({ ...current.spec, clusterIP: '10.96.0.10' }), current)).toEqual(['spec.clusterIPs[0]: Invalid value: ["10.96.0.10"]: may not change once set'])
  })
  it('forgets the address of a load balancer that is none any more', () => {
    const balanced = { ...created(core.services, service({ type: 'LoadBalancer', clusterIP: '10.96.0.8', ports: [http] })), status: { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } } }
    expect(updated(core.services, service({ ...balanced.spec }), balanced).status).toEqual(balanced.status)
    expect(updated(core.services, service({ ...balanced.spec, type: 'ClusterIP' }), balanced).status).toEqual({ loadBalancer: {} })
  })
  it('drops what the new type has no use for', () => {
    const plain = updated(core.services, service({ ...current.spec, type: 'ClusterIP' }), current)
    expect(plain.spec.ports?.[0]?.nodePort).toBeUndefined()
    expect(plain.spec.externalTrafficPolicy).toBeUndefined()
    const alias = updated(core.services, service({ ...current.spec, type: 'ExternalName', externalName: 'a.b' }), current)
    expect(alias.spec.clusterIP).toBeUndefined()
    expect(updateErrors(core.services, service({ ...current.spec, type: 'ExternalName', externalName: 'a.b', ports: [] }), current)).toEqual([])
  })
})

describe('addresses of a service', () => {
  const written = (spec: object, annotations = {}) => ({ metadata: { ...service(spec).metadata, annotations }, spec: { ports: [http], ...spec } })
  it('are written so that all read the same', () => {
    expect(createErrors(core.services, written({ type: 'LoadBalancer', clusterIP: '::ffff:10.96.0.9', externalIPs: ['010.1.1.1'], loadBalancerSourceRanges: ['10.0.0.1/8', ' 10.0.0.0/8 '] }))).toEqual([
      'spec.clusterIPs[0]: Invalid value: "::ffff:10.96.0.9": must not be an IPv4-mapped IPv6 address',
      'spec.externalIPs[0]: Invalid value: "010.1.1.1": must not have leading 0s',
      'spec.LoadBalancerSourceRanges[0]: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length',
    ])
  })
  it('may stay as they were written', () => {
    const old = written({ type: 'LoadBalancer', externalIPs: ['::ffff:1.1.1.1'], loadBalancerSourceRanges: ['10.0.0.1/8'] })
    expect(updateErrors(core.services, { ...old, metadata: { ...old.metadata, labels: { a: 'b' } } }, created(core.services, old))).toEqual([])
  })
  it('are ranges in an annotation too, of load balancers', () => {
    const key = 'service.beta.kubernetes.io/load-balancer-source-ranges'
    expect(createErrors(core.services, written({}, { [key]: '10.0.0.0/8, x' }))).toEqual([
      `metadata.annotations[${key}]: Forbidden: may only be used when \`type\` is 'LoadBalancer'`,
      `metadata.annotations[${key}]: Invalid value: "x": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)`,
    ])
  })
})

it('a service may have a name that begins with a digit', () => {
  const rule = (strategyFor(core.services as never, environment) as Strategy<core.Service>).validateName
  expect(rule?.('1web')).toEqual([])
  expect(rule?.('Web')).toHaveLength(1)
})

describe('warnings about a service', () => {
  const strategy = strategyFor(core.services as never, environment) as Strategy<core.Service>
  it('name what has no effect', () => {
    expect(strategy.warnings?.(complete(core.services, service({ clusterIP: 'None', externalName: 'a.b', sessionAffinity: 'ClientIP' }))))
      .toEqual(['spec.SessionAffinity is ignored for headless services', 'spec.externalName is ignored when spec.type is not "ExternalName"'])
  })
  it('name what is old, and addresses that should be written otherwise', () => {
    const warnings = (spec: object, annotations = {}) => strategy.warnings?.(complete(core.services, { metadata: { ...service(spec).metadata, annotations }, spec }))
    expect(warnings({ externalIPs: ['2001:DB8::1'], trafficDistribution: 'PreferClose', loadBalancerIP: '010.0.0.1' }, { 'service.kubernetes.io/topology-aware-hints': 'auto' })).toEqual([
      'annotation service.kubernetes.io/topology-aware-hints is deprecated, please use service.kubernetes.io/topology-mode instead',
      'spec.externalIPs[0]: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
      'spec.externalIPs is deprecated and may no longer be implemented in some clusters',
      'spec.loadBalancerIP: non-standard IP address "010.0.0.1" is invalid: use "10.0.0.1"',
      'spec.trafficDistribution: "PreferClose" is deprecated; use "PreferSameZone"',
    ])
    expect(warnings({ type: 'ExternalName', externalName: 'a.b', externalIPs: ['1.2.3.4'] })).toEqual(['spec.externalIPs is ignored when spec.type is "ExternalName"'])
  })
})

describe('allocation', () => {

  it('gives every service an address of its own until none is left', async () => {
    const { create, remove } = server()
    const all = new Set<string | undefined>()
    for (let i = 1; i <= 6; i++) all.add((await create({ ports: [http] }, `s${i}`)).object.spec.clusterIP)
    expect([...all].toSorted()).toEqual(['10.96.0.1', '10.96.0.2', '10.96.0.3', '10.96.0.4', '10.96.0.5', '10.96.0.6'])
    expect(await failure(create({ ports: [http] }, 's7'))).toBe('Internal error occurred: failed to allocate a serviceIP: range is full')
    await remove('s3')
    expect(await failure(create({ ports: [http] }, 's7'))).toBe('no error')
  })

  it('gives the address that is asked for, once', async () => {
    const { create } = server()
    expect((await create({ clusterIP: '10.96.0.5', ports: [http] }, 'a')).object.spec).toMatchObject({ clusterIP: '10.96.0.5', clusterIPs: ['10.96.0.5'] })
    expect(await failure(create({ clusterIP: '10.96.0.5', ports: [http] }, 'b')))
      .toBe('Service "b" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.5"]: failed to allocate IP 10.96.0.5: provided IP is already allocated')
    expect(await failure(create({ clusterIP: '10.97.0.5', ports: [http] }, 'c')))
      .toBe('Service "c" is invalid: spec.clusterIPs: Invalid value: ["10.97.0.5"]: failed to allocate IP 10.97.0.5: the provided network does not match the current range')
  })

  it('gives a headless service none', async () => {
    const { create } = server()
    expect((await create({ clusterIP: 'None', selector: { a: 'b' } }, 'a')).object.spec).toMatchObject({ clusterIP: 'None', clusterIPs: ['None'] })
  })

  it('opens node ports, the same number for both protocols of a port', async () => {
    const { create } = server([30000, 30000])
    const { object } = await create({ type: 'NodePort', ports: [{ name: 't', port: 53 }, { name: 'u', port: 53, protocol: 'UDP' }] }, 'dns')
    expect(object.spec.ports?.map((p) => p.nodePort)).toEqual([30000, 30000])
    expect(await failure(create({ type: 'NodePort', ports: [http] }, 'b'))).toBe('Internal error occurred: failed to allocate a nodePort: range is full')
  })

  it('refuses node ports that are taken or outside', async () => {
    const { create } = server()
    await create({ type: 'NodePort', ports: [{ port: 80, nodePort: 30001 }] }, 'a')
    expect(await failure(create({ type: 'NodePort', ports: [{ port: 80, nodePort: 30001 }] }, 'b')))
      .toBe('Service "b" is invalid: spec.ports[0].nodePort: Invalid value: 30001: provided port is already allocated')
    expect(await failure(create({ type: 'NodePort', ports: [{ port: 80, nodePort: 80 }] }, 'c')))
      .toBe('Service "c" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-30001')
  })

  it('takes back everything of a request that failed', async () => {
    const { create, stored } = server([30000, 30000])
    const { rollback } = await create({ type: 'NodePort', clusterIP: '10.96.0.2', ports: [http] }, 'a')
    stored.length = 0
    await rollback()
    expect(await failure(create({ type: 'NodePort', clusterIP: '10.96.0.2', ports: [http] }, 'b'))).toBe('no error')
  })

  it('finds again what an update no longer holds', async () => {
    const { create, stored, strategy } = server([30000, 30000])
    const { object } = await create({ type: 'NodePort', ports: [http] }, 'a')
    const next = { ...object, spec: { ...object.spec, type: 'ClusterIP' as const, ports: [{ port: 80, protocol: 'TCP' as const, targetPort: 80 }] } }
    stored[0] = (await strategy.allocation!.allocate(next, object, context())).object
    expect((await create({ type: 'NodePort', ports: [http] }, 'b')).object.spec.ports?.[0]?.nodePort).toBe(30000)
  })

  it('knows the services that were there before it', async () => {
    const { create, stored } = server()
    stored.push(created(core.services, service({ clusterIP: '10.96.0.1', ports: [http] }, 'kubernetes')))
    expect(await failure(create({ clusterIP: '10.96.0.1', ports: [http] }, 'b'))).toContain('provided IP is already allocated')
  })

  it('gives a local load balancer a health check port', async () => {
    const { create } = server()
    const { object } = await create({ type: 'LoadBalancer', externalTrafficPolicy: 'Local', ports: [http] }, 'a')
    expect([object.spec.ports?.[0]?.nodePort, object.spec.healthCheckNodePort].toSorted()).toEqual([30000, 30001])
  })

  it('counts addresses of both families', () => {
    const range = ipRange('fd00:10:96::/112')
    expect(range.size).toBe(65535n)
    expect(range.at(10n)).toBe('fd00:10:96::a')
    expect(range.indexOf('fd00:10:96::a')).toBe(10n)
    expect(addressText(addressBits('2001:db8::1:0:0:1'), 'IPv6')).toBe('2001:db8::1:0:0:1')
  })
})

describe('addresses as objects', () => {
  const ready = (name: string, cidr: string, more: object = {}) => ({ metadata: { name, ...more }, spec: { cidrs: [cidr] }, status: { conditions: [{ type: 'Ready', status: 'True' }] } }) as unknown as networking.ServiceCIDR

  it('are made with the service, say whose they are, and go with it', async () => {
    const { addresses, create, remove } = server()
    await create({ clusterIP: '10.96.0.5', ports: [http] }, 'a')
    expect(addresses.get('10.96.0.5')).toMatchObject({
      metadata: { name: '10.96.0.5', labels: { 'ipaddress.kubernetes.io/ip-family': 'IPv4', 'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io' } },
      spec: { parentRef: { group: '', resource: 'services', namespace: 'default', name: 'a' } },
    })
    await remove('a')
    expect([...addresses.keys()]).toEqual([])
  })

  it('that somebody else has are not given out', async () => {
    const { addresses, create } = server()
    for (const i of [1, 2, 3, 4, 6]) addresses.set(`10.96.0.${i}`, { metadata: { name: `10.96.0.${i}` }, spec: { parentRef: { group: 'gateway.networking.k8s.io', resource: 'gateways', name: 'g' } } } as networking.IPAddress)
    expect(await failure(create({ clusterIP: '10.96.0.2', ports: [http] }, 'a'))).toContain('failed to allocate IP 10.96.0.2: provided IP is already allocated')
    expect((await create({ ports: [http] }, 'b')).object.spec.clusterIP).toBe('10.96.0.5')
    expect(await failure(create({ ports: [http] }, 'c'))).toContain('range is full')
    expect(addresses.size).toBe(6)
  })

  it('come from every range that is ready and stays', async () => {
    const { cidrs, create } = server([30000, 30001], '10.96.0.0/30')
    cidrs.push(ready('kubernetes', '10.96.0.0/30'), ready('leaving', '10.97.0.0/30', { deletionTimestamp: '2026-01-01T00:00:00Z' }), { ...ready('new', '10.98.0.0/30'), status: {} })
    for (const name of ['a', 'b']) await create({ ports: [http] }, name)
    expect(await failure(create({ ports: [http] }, 'c'))).toContain('range is full')
    expect(await failure(create({ clusterIP: '10.97.0.1', ports: [http] }, 'c'))).toContain('the provided network does not match the current range')
    cidrs[2] = ready('new', '10.98.0.0/30')
    expect((await create({ ports: [http] }, 'c')).object.spec.clusterIP).toMatch(/^10\.98\.0\.[12]$/)
  })

  it('come from the range the cluster was started with as long as its object says nothing of itself', async () => {
    const { cidrs, create } = server()
    cidrs.push({ ...ready('kubernetes', '10.96.0.0/29'), status: {} })
    expect((await create({ ports: [http] }, 'a')).object.spec.clusterIP).toMatch(/^10\.96\.0\./)
    cidrs[0] = { ...ready('kubernetes', '10.96.0.0/29'), status: { conditions: [{ type: 'Ready', status: 'False', reason: '', message: '', lastTransitionTime: null }] } } as never
    expect(await failure(create({ ports: [http] }, 'b'))).toContain('range is full')
  })

  it('that cannot be given back keep no service from going', async () => {
    const { addresses, create, remove } = server()
    const { object } = await create({ ports: [http] }, 'a')
    addresses.delete = () => { throw new ApiError(403, 'Forbidden', 'a webhook says no') }
    await expect(remove('a')).resolves.toBeUndefined()
    expect(addresses.has(object.spec.clusterIP ?? '')).toBe(true)
    expect((await create({ clusterIP: object.spec.clusterIP, ports: [http] }, 'a')).object.spec.clusterIP).toBe(object.spec.clusterIP)
  })

  it('are not made by a dry run', async () => {
    const { addresses, strategy, prepare } = server()
    const { object, rollback } = await strategy.allocation!.allocate(prepare({ ports: [http] }, 'a'), undefined, context({ dryRun: true }))
    expect([object.spec.clusterIP?.startsWith('10.96.0.'), addresses.size]).toEqual([true, 0])
    await rollback()
  })

  it('are given back by a request that failed, and by an update that needs them no longer', async () => {
    const { addresses, strategy, prepare } = server([30000, 30001], '10.96.0.0/29,fd00::/125')
    const first = await strategy.allocation!.allocate(prepare({ ports: [http], ipFamilyPolicy: 'RequireDualStack' }, 'a'), undefined, context())
    expect(first.object.spec.clusterIPs).toEqual([expect.stringMatching(/^10\.96\./), expect.stringMatching(/^fd00::/)])
    expect(addresses.size).toBe(2)
    const next = strategy.prepareForUpdate!({ ...first.object, spec: { ...first.object.spec, ipFamilyPolicy: 'SingleStack' } }, first.object, context())
    expect(next.spec).toMatchObject({ clusterIPs: [first.object.spec.clusterIP], ipFamilies: ['IPv4'] })
    const second = await strategy.allocation!.allocate(next, first.object, context())
    expect(addresses.size).toBe(2)
    await second.commit!()
    expect([...addresses.keys()]).toEqual([first.object.spec.clusterIP])
    await first.rollback()
    expect(addresses.size).toBe(0)
  })
})

describe('families', () => {
  const dual = server([30000, 30001], '10.96.0.0/16,fd00::/112')
  const of = (spec: object) => {
    const { ipFamilyPolicy, ipFamilies, clusterIPs } = dual.prepare({ ports: [http], ...spec }, 'a').spec
    return { ipFamilyPolicy, ipFamilies, ...(clusterIPs ? { clusterIPs } : {}) }
  }
  const errors = (spec: object) => found((root) => dual.strategy.validate!(dual.prepare({ ports: [http], ...spec }, 'a'), root, context())).map(String)

  it.each<[string, object, object]>([
    ['the cluster\'s own without a word', {}, { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'] }],
    ['both when they are preferred', { ipFamilyPolicy: 'PreferDualStack' }, { ipFamilyPolicy: 'PreferDualStack', ipFamilies: ['IPv4', 'IPv6'] }],
    ['the one that is named first, then the other', { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6'] }, { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6', 'IPv4'] }],
    ['that of the address', { clusterIP: 'fd00::7' }, { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv6'], clusterIPs: ['fd00::7'] }],
    ['both without selector and address', { clusterIP: 'None' }, { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv4', 'IPv6'], clusterIPs: ['None'] }],
    ['one for a selector without address', { clusterIP: 'None', selector: { a: 'b' } }, { ipFamilyPolicy: 'SingleStack', ipFamilies: ['IPv4'], clusterIPs: ['None'] }],
    ['none for an alias', { type: 'ExternalName', externalName: 'a.b' }, { ipFamilyPolicy: undefined, ipFamilies: undefined }],
  ])('are %s', (_, spec, expected) => expect(of(spec)).toEqual(expected))

  it.each<[string, object, string[]]>([
    ['two families and one policy', { ipFamilies: ['IPv4', 'IPv6'] }, ["spec.ipFamilyPolicy: Invalid value: \"SingleStack\": must be RequireDualStack or PreferDualStack when multiple 'ipFamilies' are specified"]],
    ['two addresses of one family', { ipFamilyPolicy: 'RequireDualStack', clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1', '10.96.0.2'] }, ['spec.clusterIPs: Invalid value: ["10.96.0.1","10.96.0.2"]: may specify no more than one IP for each IP family', 'spec.ipFamilies[1]: Duplicate value: "IPv4"']],
    ['an address of another family than is said', { ipFamilies: ['IPv6'], clusterIP: '10.96.0.1' }, ['spec.clusterIPs[0]: Invalid value: "10.96.0.1": expected an IPv6 value as indicated by `ipFamilies[0]`']],
    ['addresses without the first', { clusterIPs: ['10.96.0.1'] }, ['spec.clusterIPs: Invalid value: ["10.96.0.1"]: must be empty when `clusterIP` is not specified']],
  ])('say what is wrong: %s', (_, spec, expected) => expect(errors(spec)).toEqual(expected))

  it('change only on request, and never the first', () => {
    const current = { ...dual.prepare({ ports: [http], ipFamilyPolicy: 'PreferDualStack' }, 'a') }
    const had = { ...current, spec: { ...current.spec, clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9', 'fd00::9'] } }
    const update = (spec: object) => dual.strategy.prepareForUpdate!(complete(core.services, service({ ports: [http], ...spec }, 'a')), had, context())
    const wrong = (spec: object) => found((root) => dual.strategy.validateUpdate!(update(spec), had, root, context())).map(String)
    // An old client that knows one address, and one that leaves out everything, change nothing.
    expect(update({ clusterIP: '10.96.0.9' }).spec).toMatchObject({ ipFamilyPolicy: 'PreferDualStack', ipFamilies: ['IPv4', 'IPv6'], clusterIPs: ['10.96.0.9', 'fd00::9'] })
    expect(update({}).spec).toMatchObject({ ipFamilyPolicy: 'PreferDualStack', clusterIPs: ['10.96.0.9', 'fd00::9'] })
    expect(wrong({ clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9'], ipFamilies: ['IPv4'] })).toEqual(["spec.ipFamilyPolicy: Invalid value: \"PreferDualStack\": must be set to 'SingleStack' when releasing the secondary clusterIP"])
    expect(wrong({ clusterIP: '10.96.0.9', clusterIPs: ['10.96.0.9', 'fd00::9'], ipFamilies: ['IPv6', 'IPv4'] })).toContain('spec.ipFamilies[0]: Invalid value: ["IPv6","IPv4"]: may not change once set')
    expect(wrong({ ...had.spec, ipFamilyPolicy: 'SingleStack' })).toEqual([])
  })
})

describe('kubectl get services', () => {
  const show = (spec: object, status: object = {}) => row(core.services, complete(core.services, { ...service(spec), status }))
  it.each<[string, object, object, object]>([
    ['a cluster service', { clusterIP: '10.96.0.1', ports: [http, { port: 443, name: 'b' }], selector: { b: '2', a: '1' } }, {}, { Type: 'ClusterIP', 'Cluster-IP': '10.96.0.1', 'External-IP': '<none>', 'Port(s)': '80/TCP,443/TCP', Selector: 'a=1,b=2' }],
    ['node ports', { type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }] }, {}, { 'Port(s)': '80:30080/TCP' }],
    ['a load balancer that waits', { type: 'LoadBalancer', ports: [http] }, {}, { 'External-IP': '<pending>' }],
    ['a load balancer', { type: 'LoadBalancer', ports: [http] }, { loadBalancer: { ingress: [{ ip: '1.2.3.4' }] } }, { 'External-IP': '1.2.3.4' }],
    ['an alias', { type: 'ExternalName', externalName: 'a.b' }, {}, { 'Cluster-IP': '<none>', 'External-IP': 'a.b', 'Port(s)': '<none>' }],
  ])('shows %s', (_, spec, status, cells) => {
    expect(show(spec, status)).toMatchObject(cells)
  })
})
