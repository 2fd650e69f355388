/** Addresses of services are objects: ranges can be added and taken away, and each address says whose it is. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestControlPlane, type TestControlPlane } from '../support/control-plane.ts'
import { eventually } from '../support/host.ts'

let cluster: TestControlPlane
const kubectl = (...args: string[]) => cluster.kubectl(...args)
const fails = async (...args: string[]) => (await cluster.tryKubectl(args)).stderr
beforeAll(async () => void (cluster = await startTestControlPlane()))
afterAll(() => cluster?.stop())

const range = (name: string, ...cidrs: string[]) => ({ apiVersion: 'networking.k8s.io/v1', kind: 'ServiceCIDR', metadata: { name }, spec: { cidrs } })
const service = (name: string, spec: object = {}) => ({ apiVersion: 'v1', kind: 'Service', metadata: { name, namespace: 'default' }, spec: { ports: [{ port: 80 }], ...spec } })
const refused = async (object: object) => (await cluster.tryKubectl(['create', '-f', '-'], JSON.stringify(object))).stderr

/** Asks until the answer holds the text. */
const shows = (what: string, text: string, ...args: string[]) => eventually(what, async () => ((await kubectl(...args)).includes(text) ? true : undefined))

describe('the range the cluster was started with', () => {
  it('is an object that is ready, and is kept', async () => {
    expect(await kubectl('get', 'servicecidrs', '--no-headers')).toMatch(/^kubernetes\s+10\.96\.0\.0\/16\s/)
    await eventually('the range is ready and has its finalizer', async () => {
      const { metadata, status } = JSON.parse(await kubectl('get', 'servicecidr', 'kubernetes', '-o', 'json')) as { metadata: { finalizers?: string[] }; status: { conditions: { type: string; status: string; message: string }[] } }
      const ready = status.conditions.some((c) => c.type === 'Ready' && c.status === 'True' && c.message === 'Kubernetes default Service CIDR is ready')
      return ready && metadata.finalizers?.includes('networking.k8s.io/service-cidr-finalizer') ? true : undefined
    })
    expect(await kubectl('get', 'ipaddress', '10.96.0.1', '--no-headers')).toMatch(/^10\.96\.0\.1\s+services\/default\/kubernetes\s/)
  })
})

describe('an address', () => {
  it('comes and goes with its service', async () => {
    await cluster.apply(service('one', { clusterIP: '10.96.0.50' }))
    expect(await kubectl('get', 'ipaddresses', '-l', 'ipaddress.kubernetes.io/managed-by=ipallocator.k8s.io,ipaddress.kubernetes.io/ip-family=IPv4', '-o', 'name')).toContain('ipaddress.networking.k8s.io/10.96.0.50\n')
    await kubectl('delete', 'service', 'one')
    expect(await fails('get', 'ipaddress', '10.96.0.50')).toContain('NotFound')
  })

  it('that something else has is not for services', async () => {
    await cluster.apply({ apiVersion: 'networking.k8s.io/v1', kind: 'IPAddress', metadata: { name: '10.96.0.60' }, spec: { parentRef: { group: 'example.com', resource: 'gateways', name: 'g', namespace: 'default' } } })
    expect(await refused(service('two', { clusterIP: '10.96.0.60' }))).toContain('spec.clusterIPs: Invalid value: ["10.96.0.60"]: failed to allocate IP 10.96.0.60: provided IP is already allocated')
    expect(await kubectl('create', 'service', 'clusterip', 'dry', '--tcp=80', '--dry-run=server', '-o', 'jsonpath={.spec.clusterIP}')).toMatch(/^10\.96\./)
    expect(await fails('get', 'service', 'dry')).toContain('NotFound')
  })

  it('is made again when somebody takes it away', async () => {
    await kubectl('delete', 'ipaddress', '10.96.0.1')
    await shows('the address is there again', 'services/default/kubernetes', 'get', 'ipaddress', '10.96.0.1', '--no-headers')
    await shows('an event tells of it', 'Cluster IP [IPv4]: 10.96.0.1 is not allocated; repairing', 'get', 'events', '-A', '--field-selector=reason=ClusterIPNotAllocated')
  })
})

describe('another range', () => {
  it('gives addresses, and stays until they are given back', async () => {
    expect(await refused(service('far', { clusterIP: '10.200.0.7' }))).toContain('failed to allocate IP 10.200.0.7: the provided network does not match the current range')
    await cluster.apply(range('more', '10.200.0.0/24'))
    await kubectl('wait', '--for=condition=Ready', 'servicecidr/more', '--timeout=10s')
    await cluster.apply(service('far', { clusterIP: '10.200.0.7' }))
    await kubectl('delete', 'servicecidr', 'more', '--wait=false')
    await shows('it says why it stays', 'There are still IPAddresses referencing the ServiceCIDR', 'get', 'servicecidr', 'more', '-o', 'jsonpath={.status.conditions[0].message}')
    expect(await refused(service('late', { clusterIP: '10.200.0.8' }))).toContain('the provided network does not match the current range')
    await kubectl('delete', 'service', 'far')
    await kubectl('wait', '--for=delete', 'servicecidr/more', '--timeout=30s')
  })

  it.each([
    ['no range', range('bad'), 'spec.cidrs: Required value: at least one CIDR required'],
    ['none at all', range('bad', 'x'), 'spec.cidrs[0]: Invalid value: "x": must be a valid CIDR value'],
    ['two of a family', range('bad', '10.1.0.0/16', '10.2.0.0/16'), 'may specify no more than one IP for each IP family'],
  ])('that is %s is refused', async (_, object, message) => expect(await refused(object)).toContain(message))

  it('cannot become another', async () => {
    await cluster.apply(range('fixed', '10.201.0.0/24'))
    expect(await fails('patch', 'servicecidr', 'fixed', '--type=merge', '-p', '{"spec":{"cidrs":["10.202.0.0/24"]}}')).toContain('spec.cidrs[0]: Invalid value: "10.202.0.0/24": field is immutable')
  })
})

describe('a cluster of one family', () => {
  it.each([
    ['RequireDualStack', { ipFamilyPolicy: 'RequireDualStack' }, 'spec.ipFamilyPolicy: Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services'],
    ['the other family', { ipFamilies: ['IPv6'] }, 'spec.ipFamilies[0]: Invalid value: "IPv6": not configured on this cluster'],
  ])('cannot give %s', async (_, spec, message) => expect(await refused(service('bad', spec))).toContain(message))

  it('gives one of two that are only preferred', async () => {
    await cluster.apply(service('prefers', { ipFamilyPolicy: 'PreferDualStack' }))
    expect(await kubectl('get', 'service', 'prefers', '-o', 'jsonpath={.spec.ipFamilyPolicy} {.spec.ipFamilies}')).toBe('PreferDualStack ["IPv4"]')
  })
})

describe('a cluster of two families', () => {
  let dual: TestControlPlane
  beforeAll(async () => void (dual = await startTestControlPlane({ settings: { serviceCidr: '10.96.0.0/16,fd00:96::/112' } })))
  afterAll(() => dual?.stop())
  const spec = async (name: string, wanted: object) => {
    await dual.apply(service(name, wanted))
    return (JSON.parse(await dual.kubectl('get', 'service', name, '-o', 'json')) as { spec: { clusterIP: string; clusterIPs: string[]; ipFamilies: string[]; ipFamilyPolicy: string } }).spec
  }

  it('has one object for both ranges, and its own service in the first', async () => {
    expect(await dual.kubectl('get', 'servicecidr', 'kubernetes', '-o', 'jsonpath={.spec.cidrs}')).toBe('["10.96.0.0/16","fd00:96::/112"]')
    expect(await dual.kubectl('get', 'service', 'kubernetes', '-o', 'jsonpath={.spec.clusterIPs}')).toBe('["10.96.0.1"]')
  })

  it('gives one address, or two, in the order of the families', async () => {
    expect(await spec('plain', {})).toMatchObject({ ipFamilies: ['IPv4'], ipFamilyPolicy: 'SingleStack' })
    const six = await spec('six', { ipFamilyPolicy: 'RequireDualStack', ipFamilies: ['IPv6', 'IPv4'] })
    expect(six.clusterIPs).toEqual([expect.stringMatching(/^fd00:96::/), expect.stringMatching(/^10\.96\./)])
    expect(six.clusterIP).toBe(six.clusterIPs[0])
    expect((await dual.kubectl('get', 'ipaddresses', '-o', 'name')).split('\n')).toEqual(expect.arrayContaining(six.clusterIPs.map((ip) => `ipaddress.networking.k8s.io/${ip}`)))
  })

  it('takes the second address back on request only', async () => {
    const before = await spec('shrinks', { ipFamilyPolicy: 'PreferDualStack' })
    expect(before.ipFamilies).toEqual(['IPv4', 'IPv6'])
    const wrong = await dual.tryKubectl(['patch', 'service', 'shrinks', '--type=merge', '-p', JSON.stringify({ spec: { clusterIPs: [before.clusterIP], ipFamilies: ['IPv4'] } })])
    expect(wrong.stderr).toContain("must be set to 'SingleStack' when releasing the secondary clusterIP")
    await dual.kubectl('patch', 'service', 'shrinks', '--type=merge', '-p', '{"spec":{"ipFamilyPolicy":"SingleStack"}}')
    expect(await dual.kubectl('get', 'service', 'shrinks', '-o', 'jsonpath={.spec.clusterIPs}')).toBe(`["${before.clusterIP}"]`)
    expect((await dual.tryKubectl(['get', 'ipaddress', before.clusterIPs[1]!])).stderr).toContain('NotFound')
    await dual.kubectl('patch', 'service', 'shrinks', '--type=merge', '-p', '{"spec":{"ipFamilyPolicy":"RequireDualStack"}}')
    expect(await dual.kubectl('get', 'service', 'shrinks', '-o', 'jsonpath={.spec.ipFamilies}')).toBe('["IPv4","IPv6"]')
  })
})
