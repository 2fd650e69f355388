import { describe, expect, it } from 'vitest'
import { core, discovery } from '../../api/index.ts'
import { decodeObject } from '../../machinery/json.ts'
import { ipv4, ipv6 } from '../nft/family.ts'
import { planService } from './service.ts'

const service = (spec: object, over: object = {}): core.Service => decodeObject(core.Service, {
  metadata: { name: 'web', namespace: 'shop' },
  spec: { type: 'ClusterIP', clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'], ports: [{ port: 80, protocol: 'TCP', targetPort: 8080 }], ...spec },
  ...over,
}).object
const slice = (...endpoints: { ip: string; node?: string }[]): discovery.EndpointSlice => decodeObject(discovery.EndpointSlice, {
  metadata: { name: 'web-1', namespace: 'shop' }, addressType: endpoints[0]?.ip.includes(':') ? 'IPv6' : 'IPv4', ports: [{ port: 8080, protocol: 'TCP' }],
  endpoints: endpoints.map((e) => ({ addresses: [e.ip], nodeName: e.node ?? 'other', conditions: { ready: true } })),
}).object
const context = { family: ipv4, place: { node: 'here' }, clusterCidrs: ['10.244.0.0/16', 'fd00:244::/56'] }
const plan = (s: core.Service, ...slices: discovery.EndpointSlice[]) => planService(s, slices, context).fragment
const value = (fragment: ReturnType<typeof plan>, map: string, key: string) => fragment.elements?.find((e) => e.in === map && e.key === key)?.value
const rules = (fragment: ReturnType<typeof plan>, chain: string) => fragment.chains?.[chain]?.rules

const two = slice({ ip: '10.244.0.5', node: 'here' }, { ip: '10.244.1.5' })
const away = slice({ ip: '10.244.1.5' })
const svc = 'svc/shop/web/tcp/80'

describe('the rules of a service', () => {
  it('lead its cluster IP to any of its endpoints, masquerading who is no pod', () => {
    const fragment = plan(service({}), two)
    expect(value(fragment, 'service-ips', '10.96.0.1 . tcp . 80')).toBe(`goto ${svc}`)
    expect(rules(fragment, svc)).toEqual([
      'ip daddr 10.96.0.1 ip saddr != { 10.244.0.0/16 } meta mark set meta mark or 0x4000',
      'meta l4proto tcp dnat ip to numgen random mod 2 map { 0 : 10.244.0.5 . 8080, 1 : 10.244.1.5 . 8080 }',
    ])
  })

  it('remember local endpoints for hairpins, others not', () => {
    expect(plan(service({}), two).elements?.filter((e) => e.in === 'hairpin')).toEqual([{ in: 'hairpin', key: '10.244.0.5 . 10.244.0.5' }])
  })

  it('refuse a service without endpoints on every address it has', () => {
    const fragment = plan(service({ type: 'NodePort', externalIPs: ['192.0.2.1'], ports: [{ port: 80, nodePort: 30_080, protocol: 'TCP' }] }))
    expect(fragment.elements).toEqual([
      { in: 'no-endpoint-ips', key: '10.96.0.1 . tcp . 80', value: 'goto refuse' },
      { in: 'no-endpoint-ips', key: '192.0.2.1 . tcp . 80', value: 'goto refuse' },
      { in: 'no-endpoint-ports', key: 'tcp . 30080', value: 'goto refuse' },
    ])
    expect(fragment.chains).toEqual({})
  })

  it('masquerade what comes from outside', () => {
    const fragment = plan(service({ type: 'NodePort', ports: [{ port: 80, nodePort: 30_080, protocol: 'TCP' }] }), two)
    expect(value(fragment, 'node-ports', 'tcp . 30080')).toBe('goto ext/shop/web/tcp/80')
    expect(rules(fragment, 'ext/shop/web/tcp/80')).toEqual(['meta mark set meta mark or 0x4000', `goto ${svc}`])
  })

  it('under externalTrafficPolicy Local keep to local endpoints, save for pods and the node itself', () => {
    const fragment = plan(service({ type: 'NodePort', externalTrafficPolicy: 'Local', ports: [{ port: 80, nodePort: 30_080, protocol: 'TCP' }] }), two)
    expect(rules(fragment, 'ext/shop/web/tcp/80')).toEqual([
      `ip saddr { 10.244.0.0/16 } goto ${svc}`,
      'fib saddr type local meta mark set meta mark or 0x4000',
      `fib saddr type local goto ${svc}`,
      'goto loc/shop/web/tcp/80',
    ])
    expect(rules(fragment, 'loc/shop/web/tcp/80')?.at(-1)).toBe('meta l4proto tcp dnat ip to 10.244.0.5:8080')
  })

  it('drop, not refuse, what could be answered on another node only', () => {
    const external = plan(service({ type: 'NodePort', externalTrafficPolicy: 'Local', ports: [{ port: 80, nodePort: 30_080, protocol: 'TCP' }] }), away)
    expect(value(external, 'no-endpoint-ports', 'tcp . 30080')).toBe('drop')
    expect(value(external, 'node-ports', 'tcp . 30080')).toBe('goto ext/shop/web/tcp/80')
    const internal = plan(service({ internalTrafficPolicy: 'Local' }), away)
    expect(value(internal, 'no-endpoint-ips', '10.96.0.1 . tcp . 80')).toBe('drop')
    expect(value(internal, 'service-ips', '10.96.0.1 . tcp . 80')).toBeUndefined()
  })

  it('under internalTrafficPolicy Local lead the cluster IP to local endpoints', () => {
    expect(value(plan(service({ internalTrafficPolicy: 'Local' }), two), 'service-ips', '10.96.0.1 . tcp . 80')).toBe('goto loc/shop/web/tcp/80')
  })

  it('remember clients under session affinity for as long as the service says', () => {
    const fragment = plan(service({ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } }), two)
    expect(fragment.sets).toEqual({
      'aff/shop/web/tcp/80/10.244.0.5/8080/60': 'type ipv4_addr; flags dynamic, timeout; timeout 60s;',
      'aff/shop/web/tcp/80/10.244.1.5/8080/60': 'type ipv4_addr; flags dynamic, timeout; timeout 60s;',
    })
    expect(rules(fragment, svc)?.slice(1)).toEqual([
      'ip saddr @aff/shop/web/tcp/80/10.244.0.5/8080/60 goto ep/shop/web/tcp/80/10.244.0.5/8080',
      'ip saddr @aff/shop/web/tcp/80/10.244.1.5/8080/60 goto ep/shop/web/tcp/80/10.244.1.5/8080',
      'numgen random mod 2 vmap { 0 : goto ep/shop/web/tcp/80/10.244.0.5/8080, 1 : goto ep/shop/web/tcp/80/10.244.1.5/8080 }',
    ])
    expect(rules(fragment, 'ep/shop/web/tcp/80/10.244.0.5/8080')).toEqual(['update @aff/shop/web/tcp/80/10.244.0.5/8080/60 { ip saddr }', 'meta l4proto tcp dnat ip to 10.244.0.5:8080'])
  })

  it('answer load balancer addresses, those of a proxy left to the proxy, only for the allowed sources', () => {
    const fragment = plan(service({ type: 'LoadBalancer', loadBalancerSourceRanges: ['192.0.2.0/24', ' 198.51.100.0/24 ', 'fd00::/8'] }, {
      status: { loadBalancer: { ingress: [{ ip: '203.0.113.1' }, { ip: '203.0.113.2', ipMode: 'Proxy' }, { hostname: 'x' }] } },
    }), two)
    expect(value(fragment, 'service-ips', '203.0.113.1 . tcp . 80')).toBe('goto ext/shop/web/tcp/80')
    expect(value(fragment, 'service-ips', '203.0.113.2 . tcp . 80')).toBeUndefined()
    expect(value(fragment, 'load-balancer-firewall', '203.0.113.1 . tcp . 80')).toBe('goto fw/shop/web')
    expect(rules(fragment, 'fw/shop/web')).toEqual(['ip saddr != { 192.0.2.0/24, 198.51.100.0/24 } drop'])
  })

  it('are none for headless services, external names and those of another proxy', () => {
    const none = (s: core.Service) => expect(planService(s, [two], context).fragment).toEqual({ chains: {}, sets: {}, elements: [] })
    none(service({ clusterIP: 'None', clusterIPs: ['None'] }))
    none(service({ type: 'ExternalName', clusterIP: '', clusterIPs: [], externalName: 'x.org' }))
    none(service({}, { metadata: { name: 'web', namespace: 'shop', labels: { 'service.kubernetes.io/service-proxy-name': 'mine' } } }))
    none(service({}, { metadata: { name: 'web', namespace: 'shop', labels: { 'service.kubernetes.io/headless': '' } } }))
  })

  it('take the addresses of their own family', () => {
    const dual = service({ clusterIPs: ['10.96.0.1', 'fd00:96::1'], externalIPs: ['192.0.2.1', 'fd01::1'] })
    const six = planService(dual, [two, slice({ ip: 'fd00:244::5', node: 'here' })], { ...context, family: ipv6 }).fragment
    expect(six.elements?.map((e) => e.key)).toEqual(['fd00:96::1 . tcp . 80', 'fd01::1 . tcp . 80', 'fd00:244::5 . fd00:244::5'])
    expect(rules(six, svc)?.at(-1)).toBe('meta l4proto tcp dnat ip6 to [fd00:244::5]:8080')
  })
})
