import { describe, expect, it } from 'vitest'
import { core, discovery, networking, type Resource } from '../../api/index.ts'
import type { ApiObject } from '../../client/client.ts'
import { found, path } from '../../machinery/field.ts'
import type { Strategy } from '../strategy.ts'
import { addressWarnings, blockWarnings, ordinaryAddress, plainAddress, plainBlock } from './addresses.ts'
import { strategyFor } from './strategies.ts'
import { complete, createErrors, created, environment, updateErrors } from './testing.ts'

describe('an address', () => {
  it.each([
    ['10.0.0.1', undefined], ['2001:DB8::1', undefined], ['x', 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'], ['fe80::1%eth0', 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'],
    ['010.0.0.1', 'must not have leading 0s'], ['::ffff:10.0.0.01', 'must not have leading 0s'], ['::ffff:10.0.0.1', 'must not be an IPv4-mapped IPv6 address'], ['::ffff:a00:1', 'must not be an IPv4-mapped IPv6 address'],
  ])('%s', (value, why) => {
    expect(plainAddress(value)).toEqual(why ? [why] : [])
  })
  it.each([
    ['10.0.0.0/8', undefined], ['fd00::/8', undefined], ['10.0.0.0', 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)'], ['10.0.0.0/08', 'must not have leading 0s in IP or prefix length'],
    ['010.0.0.0/8', 'must not have leading 0s in IP or prefix length'], ['::ffff:10.0.0.0/104', 'must not have an IPv4-mapped IPv6 address'], ['10.0.0.1/8', 'must not have bits set beyond the prefix length'],
  ])('of a block: %s', (value, why) => {
    expect(plainBlock(value)).toEqual(why ? [why] : [])
  })
  it.each([
    ['127.0.0.1', 'loopback'], ['::1', 'loopback'], ['0:0:0:0:0:0:0:1', 'loopback'], ['::ffff:7f00:1', 'loopback'], ['169.254.169.254', 'link-local range'], ['::ffff:a9fe:a9fe', 'link-local range'], ['FE80::1', 'link-local range'],
    ['224.0.0.1', 'link-local multicast'], ['ff02::1', 'link-local multicast'], ['ff12::1', 'link-local multicast'], ['0.0.0.0', 'unspecified'], ['::', 'unspecified'], ['0:0::0', 'unspecified'],
  ])('%s leads nowhere from elsewhere', (value, why) => {
    expect(found((root) => ordinaryAddress(root, value)).map(String)).toEqual([expect.stringContaining(why)])
  })
  it('of somewhere leads there', () => {
    expect(found((root) => ['10.0.0.1', 'fd00::1', '224.0.1.1', 'ff05::1', '1::'].forEach((value) => ordinaryAddress(root, value)))).toEqual([])
  })
  it('that should be written otherwise is warned about', () => {
    const at = path('a')
    expect(['10.0.0.1', 'fd00::1', 'x', undefined].flatMap((value) => addressWarnings(at, value))).toEqual([])
    expect(['::ffff:10.0.0.1', 'FD00::1'].flatMap((value) => addressWarnings(at, value))).toEqual([
      'a: non-standard IP address "::ffff:10.0.0.1" is invalid: use "10.0.0.1"', 'a: IPv6 address "FD00::1" should be in RFC 5952 canonical format ("fd00::1")',
    ])
    expect(['10.0.0.0/8', 'x'].flatMap((value) => blockWarnings(at, value))).toEqual([])
    expect(['10.0.0.1/8', '010.0.0.0/8', '::ffff:10.0.0.0/104', 'FD00::/8'].flatMap((value) => blockWarnings(at, value))).toEqual([
      'a: CIDR value "10.0.0.1/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.0.0.1/32"?)',
      'a: non-standard CIDR value "010.0.0.0/8" is invalid: use "10.0.0.0/8"', 'a: non-standard CIDR value "::ffff:10.0.0.0/104" is invalid: use "10.0.0.0/8"',
      'a: IPv6 CIDR value "FD00::/8" should be in RFC 5952 canonical format ("fd00::/8")',
    ])
  })
})

const any = <T extends ApiObject, I>(resource: Resource<T, I>) => resource as unknown as Resource<ApiObject>
const named = (body: object) => ({ metadata: { name: 'a', namespace: 'default' }, ...body })
const mapped = '::ffff:10.0.0.1'
const why = 'must not be an IPv4-mapped IPv6 address'
const policyOf = (...cidrs: string[]) => ({ spec: { podSelector: {}, egress: [{ to: cidrs.map((cidr) => ({ ipBlock: { cidr, except: ['10.1.0.0/16'] } })) }] } })

describe('what an older address cannot be any more, and may stay', () => {
  it.each<[string, Resource<ApiObject>, object, object, string]>([
    ['endpoints', any(core.endpoints), { subsets: [{ addresses: [{ ip: mapped }] }] }, { subsets: [{ addresses: [{ ip: mapped }], ports: [{ port: 80 }] }] }, `subsets[0].addresses[0].ip: Invalid value: "${mapped}": ${why}`],
    ['an endpoint slice', any(discovery.endpointslices), { addressType: 'IPv6', endpoints: [{ addresses: [mapped] }], ports: [] }, { addressType: 'IPv6', endpoints: [{ addresses: [mapped] }], ports: [{ port: 80 }] },
      `endpoints[0].addresses[0]: Invalid value: "${mapped}": ${why}`],
    ['a network policy', any(networking.networkpolicies), policyOf('10.0.0.1/8'), policyOf('10.0.0.1/8', '10.0.0.0/8'), 'spec.egress[0].to[0].ipBlock.cidr: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length'],
    ['a node', any(core.nodes), { spec: { podCIDR: '10.0.0.1/24' } }, { spec: { podCIDR: '10.0.0.1/24', unschedulable: true } }, 'spec.podCIDRs[0]: Invalid value: "10.0.0.1/24": must not have bits set beyond the prefix length'],
  ])('%s', (_, resource, before, after, error) => {
    expect(createErrors(resource, named(before))).toEqual([error])
    expect(updateErrors(resource, named(after), created(resource, named(before)))).toEqual([])
    expect((strategyFor(resource as never, environment) as Strategy).warnings?.(complete(resource, named(before)))).toHaveLength(1)
  })
})
