import packet from 'dns-packet'
import { assert, property, uint8Array } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { addressAnswers, encodeQuery, encodeReply, FormatError, lifetimeOf, parseQuery, parseResponse, readdress, type DnsRecord, type Query } from './wire.ts'

const query = (over: Partial<Query> = {}): Query => ({ id: 77, opcode: 0, recursionDesired: true, checkingDisabled: false, question: { name: 'web.shop.svc.cluster.local', type: 1, class: 1 }, ...over })
const a = (i: number): DnsRecord => ({ name: 'web.shop.svc.cluster.local', ttl: 5, type: 'A', address: Uint8Array.of(10, 0, i >> 8, i & 255) })

describe('DNS messages', () => {
  it('reads a query with EDNS that another library wrote', () => {
    const bytes = packet.encode({ type: 'query', id: 5, flags: packet.RECURSION_DESIRED, questions: [{ name: 'a.b', type: 'SRV' }], additionals: [{ type: 'OPT', name: '.', udpPayloadSize: 1400, flags: packet.DNSSEC_OK } as never] })
    expect(parseQuery(bytes)).toEqual({ id: 5, opcode: 0, recursionDesired: true, checkingDisabled: false, question: { name: 'a.b', type: 33, class: 1 }, edns: { size: 1400, dnssec: true } })
  })

  it('writes records that another library reads', () => {
    const target = 'db-0.db.shop.svc.cluster.local'
    const answers: DnsRecord[] = [
      a(1),
      { name: 'x', ttl: 5, type: 'AAAA', address: Uint8Array.from([0xfd, ...Array<number>(14).fill(0), 1]) },
      { name: 'x', ttl: 5, type: 'SRV', priority: 1, weight: 2, port: 3, target },
      { name: 'x', ttl: 5, type: 'PTR', target },
      { name: 'x', ttl: 5, type: 'TXT', text: '1.1.0' },
    ]
    const soa: DnsRecord = { name: 'cluster.local', ttl: 5, type: 'SOA', primary: 'ns.dns.cluster.local', mailbox: 'hostmaster.cluster.local', serial: 9, minimum: 5 }
    const read = packet.decode(encodeReply(query({ edns: { size: 4096, dnssec: false } }), { rcode: 0, authoritative: true, answers, authority: [soa] }, 4096))
    expect(read.id).toBe(77)
    expect(read).toMatchObject({ flag_aa: true, flag_rd: true, flag_ra: true, flag_tc: false })
    expect(read.answers?.map((r) => (r as { data: unknown }).data)).toEqual(['10.0.0.1', 'fd00::1', { priority: 1, weight: 2, port: 3, target }, target, [Buffer.from('1.1.0')]])
    expect(read.authorities?.[0]).toMatchObject({ type: 'SOA', data: { mname: 'ns.dns.cluster.local', rname: 'hostmaster.cluster.local', serial: 9, minimum: 5 } })
    expect(read.additionals?.map((r) => r.type)).toEqual(['OPT'])
  })

  it('says every name once: thirty addresses go into 512 bytes', () => {
    const bytes = encodeReply(query(), { rcode: 0, authoritative: true, answers: Array.from({ length: 29 }, (_, i) => a(i)) }, 512)
    expect(packet.decode(bytes)).toMatchObject({ flag_tc: false })
    expect(packet.decode(bytes).answers).toHaveLength(29)
  })

  it('leaves out what does not fit and says so', () => {
    const bytes = encodeReply(query({ edns: { size: 512, dnssec: false } }), { rcode: 0, authoritative: true, answers: Array.from({ length: 100 }, (_, i) => a(i)) }, 512)
    expect(bytes.length).toBeLessThanOrEqual(512)
    const read = packet.decode(bytes)
    expect(read).toMatchObject({ flag_tc: true })
    expect(read.answers?.length).toBeGreaterThan(25)
    expect(read.additionals?.map((r) => r.type)).toEqual(['OPT'])
  })

  it('does not answer responses, and refuses what breaks off', () => {
    expect(parseQuery(packet.encode({ type: 'response', id: 1, questions: [{ name: 'a', type: 'A' }] }))).toBeUndefined()
    expect(parseQuery(Buffer.alloc(3))).toBeUndefined()
    expect(() => parseQuery(packet.encode({ type: 'query', id: 1, questions: [{ name: 'a', type: 'A' }] }).subarray(0, 14))).toThrow(FormatError)
  })

  it('survives any bytes', () => {
    assert(property(uint8Array({ minLength: 12, maxLength: 200 }), (bytes) => {
      for (const read of [parseQuery, parseResponse]) {
        try {
          read(Buffer.from(bytes))
        } catch (error) {
          if (!(error instanceof FormatError)) throw error
        }
      }
    }))
  })

  it('does not run in circles behind pointers that point at themselves', () => {
    const bytes = Buffer.concat([Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]), Buffer.from([0xc0, 12, 0, 1, 0, 1])])
    expect(() => parseQuery(bytes)).toThrow(FormatError)
  })

  it('readdresses a response: another id, less time to live', () => {
    const bytes = packet.encode({ type: 'response', id: 1, questions: [{ name: 'a.b', type: 'A' }], answers: [{ type: 'CNAME', name: 'a.b', ttl: 60, data: 'c.d' }, { type: 'A', name: 'c.d', ttl: 20, data: '192.0.2.1' }] })
    expect(lifetimeOf(bytes)).toBe(20)
    const read = packet.decode(readdress(bytes, 9, 15))
    expect([read.id, ...(read.answers ?? []).map((r) => (r as { ttl?: number }).ttl)]).toEqual([9, 45, 5])
    expect(addressAnswers(bytes)).toMatchObject([{ name: 'a.b', type: 'CNAME', target: 'c.d' }, { name: 'c.d', type: 'A' }])
  })

  it('keeps a denial as long as its SOA says', () => {
    const soa = { mname: 'n', rname: 'r', serial: 1, refresh: 1, retry: 1, expire: 1, minimum: 12 }
    expect(lifetimeOf(packet.encode({ type: 'response', id: 1, questions: [{ name: 'a', type: 'A' }], authorities: [{ type: 'SOA', name: 'a', ttl: 300, data: soa }] }))).toBe(12)
  })

  it('asks another server the same question', () => {
    expect(packet.decode(encodeQuery(query({ edns: { size: 4096, dnssec: true } }), 3))).toMatchObject({ id: 3, type: 'query', flag_rd: true, questions: [{ name: 'web.shop.svc.cluster.local', type: 'A' }] })
  })
})
