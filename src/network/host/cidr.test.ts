import { describe, expect, it } from 'vitest'
import { canonicalAddress, cidrContains, ipv6Groups, parseCidr } from './cidr.ts'

describe('addresses and CIDRs', () => {
  it('reads both families, an address alone as a CIDR of one', () => {
    expect(parseCidr('10.1.2.3/8')).toEqual({ family: 4, base: 10n << 24n, bits: 8 })
    expect(parseCidr('10.0.0.1')?.bits).toBe(32)
    expect(parseCidr('fd00::/8')).toEqual({ family: 6, base: 0xfdn << 120n, bits: 8 })
    for (const wrong of ['10.0.0.0/33', '10.0.0/8', 'x', '10.0.0.0/-1', '10.0.0.0/', 'fd00::/129']) expect(parseCidr(wrong), wrong).toBeUndefined()
  })

  it('tells what is inside', () => {
    expect(cidrContains('10.244.0.0/16', '10.244.255.1')).toBe(true)
    expect(cidrContains('10.244.0.0/16', '10.245.0.1')).toBe(false)
    expect(cidrContains('fd00:1::/32', 'fd00:1:2::3')).toBe(true)
    expect(cidrContains('0.0.0.0/0', 'fd00::1')).toBe(false)
  })

  it('spells an IPv6 address in one way', () => {
    expect(canonicalAddress('fd00::1')).toBe(canonicalAddress('fd00:0:0:0:0:0:0:1'))
    expect(ipv6Groups('::ffff:10.0.0.1')).toEqual([0, 0, 0, 0, 0, 0xffff, 0x0a00, 1])
  })
})
