import { createSocket, type Socket } from 'node:dgram'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import packet from 'dns-packet'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { FakeClock } from '../../machinery/clock.ts'
import { quiet } from '../../machinery/log.ts'
import { createResolver } from './resolver.ts'
import { startDnsServer } from './server.ts'
import { createUpstream, nameserversIn } from './upstream.ts'
import { encodeReply, type DnsRecord } from './wire.ts'
import type { Zone, ZoneAnswer } from './zone.ts'

/** A nameserver on loopback that answers every A question with 192.0.2.<n>, n counting the questions. */
const directory = mkdtempSync(join(tmpdir(), 'skiff-dns-'))
const resolvConf = join(directory, 'resolv.conf')
const asked: string[] = []
let server: Socket
let port: number

beforeAll(async () => {
  server = createSocket('udp4')
  server.on('message', (bytes, from) => {
    const read = packet.decode(bytes)
    const name = read.questions?.[0]?.name ?? ''
    asked.push(name)
    if (name === 'silent.org') return
    const rcode = name === 'broken.org' ? 2 : 0
    const answers = name === 'many.org' ? [] : [{ type: 'A' as const, name, ttl: 60, data: `192.0.2.${asked.length}` }]
    server.send(packet.encode({ type: 'response', id: read.id, flags: rcode | (name === 'many.org' ? packet.TRUNCATED_RESPONSE : 0), questions: read.questions, answers: rcode ? [] : answers }), from.port, from.address)
  })
  await new Promise<void>((resolve) => { server.bind(0, '127.0.0.1', resolve) })
  port = server.address().port
  writeFileSync(resolvConf, '# comment\nsearch x\nnameserver 127.0.0.1\nnameserver banana\n')
})
afterAll(() => {
  server.close()
  rmSync(directory, { recursive: true })
})

const alias: DnsRecord = { name: 'ext.shop.svc.cluster.local', ttl: 5, type: 'CNAME', target: 'example.org' }
const zone: Zone = (q): ZoneAnswer => {
  if (q.name === 'ext.shop.svc.cluster.local') return { kind: 'external', alias, target: 'example.org' }
  if (q.name === 'loop.cluster.local') return { kind: 'external', alias: { ...alias, name: q.name, target: q.name }, target: q.name }
  if (q.name === 'throws.cluster.local') throw new Error('broken')
  return q.name.endsWith('cluster.local') ? { kind: 'reply', reply: { rcode: 0, authoritative: true, answers: [{ name: q.name, ttl: 5, type: 'A', address: Uint8Array.of(10, 0, 0, 1) }] } } : undefined
}

function setUp() {
  const clock = new FakeClock()
  const resolver = createResolver({ zone, upstream: createUpstream({ clock, own: ['10.96.0.10'], resolvConf, port }), log: quiet })
  const ask = async (name: string, over: object = {}) => {
    const bytes = await resolver(packet.encode({ type: 'query', id: 9, flags: packet.RECURSION_DESIRED, questions: [{ name, type: 'A' }], ...over }), 'udp')
    return bytes && packet.decode(bytes)
  }
  const data = async (name: string) => (await ask(name))?.answers?.map((r) => (r as { data: unknown }).data)
  return { clock, ask, data, resolver }
}

describe('the resolver', () => {
  it('answers the cluster from what it knows, and asks others about the rest', async () => {
    const { data, ask } = setUp()
    expect(await data('web.shop.svc.cluster.local')).toEqual(['10.0.0.1'])
    expect(await ask('example.com')).toMatchObject({ id: 9, rcode: 'NOERROR', answers: [{ name: 'example.com' }] })
  })

  it('asks once for one question, however many ask it, until the answer grows old', async () => {
    const { data, clock } = setUp()
    const before = asked.length
    const [first, second] = await Promise.all([data('once.org'), data('once.org')])
    expect(second).toEqual(first)
    await clock.advance(20_000)
    expect(await data('ONCE.org')).toEqual(first)
    expect(asked.length - before).toBe(1)
    await clock.advance(11_000)
    expect(await data('once.org')).not.toEqual(first)
  })

  it('follows the alias of an external name out of the cluster, and never in circles', async () => {
    const { ask } = setUp()
    expect((await ask('ext.shop.svc.cluster.local'))?.answers).toMatchObject([{ type: 'CNAME', data: 'example.org' }, { type: 'A', name: 'example.org' }])
    expect(await ask('loop.cluster.local')).toMatchObject({ rcode: 'SERVFAIL' })
  })

  it('passes a server failure on and remembers it for a moment', async () => {
    const { ask, clock } = setUp()
    const before = asked.length
    expect(await ask('broken.org')).toMatchObject({ rcode: 'SERVFAIL' })
    expect(await ask('broken.org')).toMatchObject({ rcode: 'SERVFAIL' })
    expect(asked.length - before).toBe(1)
    await clock.advance(6000)
    await ask('broken.org')
    expect(asked.length - before).toBe(2)
  })

  it('says server failure within seconds when nobody answers, at once the second time', async () => {
    const { ask } = setUp()
    const started = Date.now()
    expect(await ask('silent.org')).toMatchObject({ rcode: 'SERVFAIL' })
    const first = Date.now() - started
    expect(await ask('silent.org')).toMatchObject({ rcode: 'SERVFAIL' })
    expect(first).toBeLessThan(4500)
    expect(Date.now() - started - first).toBeLessThan(200)
  })

  it('passes truncation on', async () => {
    expect(await setUp().ask('many.org')).toMatchObject({ flag_tc: true })
  })

  it('answers with an error what it cannot do or read, and nothing to responses', async () => {
    const { ask, resolver } = setUp()
    expect(await ask('throws.cluster.local')).toMatchObject({ rcode: 'SERVFAIL' })
    expect(await ask('a.cluster.local', { flags: 2 << 11 })).toMatchObject({ rcode: 'NOTIMP' })
    expect(await ask('version.bind', { questions: [{ name: 'version.bind', type: 'TXT', class: 'CH' }] })).toMatchObject({ rcode: 'REFUSED' })
    expect(packet.decode((await resolver(Buffer.from([0, 9, 1, 0, 0, 2, 0, 0, 0, 0, 0, 0]), 'udp')) as Buffer)).toMatchObject({ id: 9, rcode: 'FORMERR' })
    expect(await resolver(Buffer.from([0, 9, 0x81, 0, 0, 1, 0, 0, 0, 0, 0, 0]), 'udp')).toBeUndefined()
  })
})

describe('nameservers', () => {
  it('are the addresses in resolv.conf', () => {
    expect(nameserversIn('nameserver 127.0.0.53\n#nameserver 1.1.1.1\nnameserver  fe80::1%eth0\noptions edns0\nnameserver x')).toEqual(['127.0.0.53', 'fe80::1%eth0'])
  })
})

describe('the server', () => {
  it('answers over UDP and TCP, several questions on one connection', async () => {
    const { resolver } = setUp()
    const free = createServer()
    const at = await new Promise<number>((resolve) => { free.listen(0, '127.0.0.1', () => resolve((free.address() as { port: number }).port)) })
    await new Promise((resolve) => { free.close(resolve) })
    const component = await startDnsServer({ address: '127.0.0.1', port: at, resolver, log: quiet })
    const { connect } = await import('node:net')
    const query = packet.encode({ type: 'query', id: 3, questions: [{ name: 'web.shop.svc.cluster.local', type: 'A' }] })
    const expected = encodeReply({ id: 3, opcode: 0, recursionDesired: false, checkingDisabled: false, question: { name: 'web.shop.svc.cluster.local', type: 1, class: 1 } }, (zone({ name: 'web.shop.svc.cluster.local', type: 1, class: 1 }) as Extract<ZoneAnswer, { kind: 'reply' }>).reply, 512)
    const udp = createSocket('udp4')
    const overUdp = new Promise<Buffer>((resolve) => { udp.once('message', resolve) })
    udp.send(query, at, '127.0.0.1')
    expect(await overUdp).toEqual(expected)
    udp.close()
    const socket = connect(at, '127.0.0.1')
    const framed = Buffer.concat([Buffer.from([0, query.length]), query])
    socket.write(framed.subarray(0, 5))
    setTimeout(() => socket.write(Buffer.concat([framed.subarray(5), framed])), 5)
    let received = Buffer.alloc(0)
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      received = Buffer.concat([received, chunk])
      if (received.length >= 2 * (expected.length + 2)) break
    }
    expect(received).toEqual(Buffer.concat([Buffer.from([0, expected.length]), expected, Buffer.from([0, expected.length]), expected]))
    await component.stop()
    await component.stop()
  })
})

