/** The DNS wire format: the parts of RFC 1035 (header, question, compressed records) and RFC 6891 (EDNS) that a server needs. */

export const types = { A: 1, NS: 2, CNAME: 5, SOA: 6, PTR: 12, TXT: 16, AAAA: 28, SRV: 33, OPT: 41, ANY: 255 } as const
export const rcodes = { noError: 0, formatError: 1, serverFailure: 2, nameError: 3, notImplemented: 4, refused: 5 } as const

export interface Question {
  /** As sent, without the trailing dot. */
  readonly name: string
  readonly type: number
  readonly class: number
}

export interface Query {
  readonly id: number
  readonly opcode: number
  readonly recursionDesired: boolean
  readonly checkingDisabled: boolean
  readonly question: Question
  /** The client's EDNS, if any: the largest UDP answer it accepts, and whether it wants DNSSEC records. */
  readonly edns?: { readonly size: number; readonly dnssec: boolean } | undefined
}

interface Named { readonly name: string; readonly ttl: number }
export interface AddressRecord extends Named { readonly type: 'A' | 'AAAA'; readonly address: Uint8Array }
export interface TargetRecord extends Named { readonly type: 'CNAME' | 'NS' | 'PTR'; readonly target: string }
export interface TextRecord extends Named { readonly type: 'TXT'; readonly text: string }
export interface ServiceRecord extends Named { readonly type: 'SRV'; readonly priority: number; readonly weight: number; readonly port: number; readonly target: string }
export interface AuthorityRecord extends Named { readonly type: 'SOA'; readonly primary: string; readonly mailbox: string; readonly serial: number; readonly minimum: number }
export type DnsRecord = AddressRecord | TargetRecord | TextRecord | ServiceRecord | AuthorityRecord

export interface Reply {
  readonly rcode: number
  readonly authoritative: boolean
  readonly answers: readonly DnsRecord[]
  readonly authority?: readonly DnsRecord[]
  readonly additional?: readonly DnsRecord[]
}

/** A malformed or truncated message. */
export class FormatError extends Error {}

const headerSize = 12

/** The name at `offset`, and where it ends. Pointers must go backwards, so a hostile message cannot cause a loop. */
function readName(bytes: Buffer, offset: number): { readonly name: string; readonly end: number } {
  const labels: string[] = []
  let at = offset
  let end = -1
  let lowest = offset
  for (;;) {
    const length = bytes[at]
    if (length === undefined) throw new FormatError('name breaks off')
    if (length === 0) break
    if ((length & 0xc0) === 0xc0) {
      const low = bytes[at + 1]
      if (low === undefined) throw new FormatError('name breaks off')
      if (end < 0) end = at + 2
      at = ((length & 0x3f) << 8) | low
      if (at >= lowest) throw new FormatError('name points forwards')
      lowest = at
      continue
    }
    if (length > 63 || at + 1 + length > bytes.length) throw new FormatError('bad label')
    labels.push(bytes.toString('latin1', at + 1, at + 1 + length))
    at += 1 + length
    if (labels.length > 127) throw new FormatError('name too long')
  }
  return { name: labels.join('.'), end: end < 0 ? at + 1 : end }
}

interface RecordHead { readonly type: number; readonly class: number; readonly ttl: number; readonly ttlAt: number; readonly dataAt: number; readonly end: number }

function readRecordHead(bytes: Buffer, offset: number): RecordHead {
  const { end } = readName(bytes, offset)
  if (end + 10 > bytes.length) throw new FormatError('record breaks off')
  const dataAt = end + 10
  const dataEnd = dataAt + bytes.readUInt16BE(end + 8)
  if (dataEnd > bytes.length) throw new FormatError('record breaks off')
  return { type: bytes.readUInt16BE(end), class: bytes.readUInt16BE(end + 2), ttl: bytes.readUInt32BE(end + 4), ttlAt: end + 4, dataAt, end: dataEnd }
}

function readQuestion(bytes: Buffer): { readonly question: Question; readonly end: number } {
  const { name, end } = readName(bytes, headerSize)
  if (end + 4 > bytes.length) throw new FormatError('question breaks off')
  return { question: { name, type: bytes.readUInt16BE(end), class: bytes.readUInt16BE(end + 2) }, end: end + 4 }
}

/** The records of the answer, authority and additional sections, in order. */
function* recordHeads(bytes: Buffer, from: number): Generator<RecordHead & { readonly section: number }> {
  let at = from
  for (const section of [0, 1, 2]) {
    for (let i = bytes.readUInt16BE(6 + 2 * section); i > 0; i--) {
      const head = readRecordHead(bytes, at)
      yield { ...head, section }
      at = head.end
    }
  }
}

/** Decodes a query. Throws `FormatError`; returns undefined for a message that is not a query and must not be answered. */
export function parseQuery(bytes: Buffer): Query | undefined {
  if (bytes.length < headerSize) return undefined
  const flags = bytes.readUInt16BE(2)
  if (flags & 0x8000) return undefined
  if (bytes.readUInt16BE(4) !== 1) throw new FormatError('not one question')
  const { question, end } = readQuestion(bytes)
  let edns: Query['edns']
  for (const record of recordHeads(bytes, end)) {
    if (record.type === types.OPT) edns = { size: Math.max(512, record.class), dnssec: (record.ttl & 0x8000) !== 0 }
  }
  return { id: bytes.readUInt16BE(0), opcode: (flags >> 11) & 15, recursionDesired: (flags & 0x100) !== 0, checkingDisabled: (flags & 0x10) !== 0, question, edns }
}

class Full extends Error {}

/** Writes names and records into a buffer of fixed size; a record that does not fit throws `Full` and is rolled back. */
function writer(size: number, reserved: number) {
  const bytes = Buffer.alloc(size)
  const offsets = new Map<string, number>()
  let at = headerSize
  let end = size - reserved
  const need = (n: number) => { if (at + n > end) throw new Full() }
  const u8 = (n: number) => { need(1); at = bytes.writeUInt8(n, at) }
  const u16 = (n: number) => { need(2); at = bytes.writeUInt16BE(n, at) }
  const u32 = (n: number) => { need(4); at = bytes.writeUInt32BE(n, at) }
  const raw = (data: Uint8Array) => { need(data.length); bytes.set(data, at); at += data.length }
  const name = (text: string, compress = true) => {
    let rest = text
    while (rest !== '') {
      const known = compress ? offsets.get(rest.toLowerCase()) : undefined
      if (known !== undefined) return u16(0xc000 | known)
      if (at < 0x4000 && !offsets.has(rest.toLowerCase())) offsets.set(rest.toLowerCase(), at)
      const dot = rest.indexOf('.')
      const label = Buffer.from(dot < 0 ? rest : rest.slice(0, dot), 'latin1')
      u8(label.length)
      raw(label)
      rest = dot < 0 ? '' : rest.slice(dot + 1)
    }
    return u8(0)
  }
  const data = (r: DnsRecord): void => {
    switch (r.type) {
      case 'A': case 'AAAA': return raw(r.address)
      case 'CNAME': case 'NS': case 'PTR': return name(r.target)
      case 'TXT': return raw(Buffer.concat([Buffer.of(r.text.length), Buffer.from(r.text, 'latin1')]))
      case 'SRV':
        for (const n of [r.priority, r.weight, r.port]) u16(n)
        return name(r.target, false) // RFC 2782: not compressed
      case 'SOA':
        name(r.primary)
        name(r.mailbox)
        for (const n of [r.serial, 7200, 1800, 86_400, r.minimum]) u32(n)
    }
  }
  return {
    question(q: Question) { name(q.name); u16(q.type); u16(q.class) },
    record(r: DnsRecord) {
      const start = at
      try {
        name(r.name)
        u16(types[r.type])
        u16(1)
        u32(r.ttl)
        u16(0)
        const dataAt = at
        data(r)
        bytes.writeUInt16BE(at - dataAt, dataAt - 2)
      } catch (error) {
        for (const [suffix, offset] of offsets) if (offset >= start) offsets.delete(suffix)
        at = start
        throw error
      }
    },
    opt(dnssec: boolean) { end = size; u8(0); u16(types.OPT); u16(1232); u32(dnssec ? 0x8000 : 0); u16(0) },
    finish(flags: number, id: number, counts: readonly number[]) {
      bytes.writeUInt16BE(id, 0)
      bytes.writeUInt16BE(flags, 2)
      for (const [i, count] of counts.entries()) bytes.writeUInt16BE(count, 4 + 2 * i)
      return bytes.subarray(0, at)
    },
  }
}

/** An OPT record without options. */
const optSize = 11

/** Encodes the answer in at most `limit` bytes. If answers do not fit, they are left out and the truncation flag is set; additional records are dropped silently. */
export function encodeReply(query: Query, reply: Reply, limit: number): Buffer {
  const w = writer(Math.min(65_535, limit), query.edns ? optSize : 0)
  w.question(query.question)
  const put = (records: readonly DnsRecord[] = []): number => {
    let n = 0
    for (const record of records) {
      try {
        w.record(record)
      } catch (error) {
        if (!(error instanceof Full)) throw error
        return n
      }
      n++
    }
    return n
  }
  const answers = put(reply.answers)
  const whole = answers === reply.answers.length
  const authority = whole ? put(reply.authority) : 0
  const additional = whole ? put(reply.additional) : 0
  if (query.edns) w.opt(query.edns.dnssec)
  const flags = 0x8080 | (query.opcode << 11) | (reply.authoritative ? 0x400 : 0) | (whole ? 0 : 0x200)
    | (query.recursionDesired ? 0x100 : 0) | (query.checkingDisabled ? 0x10 : 0) | reply.rcode
  return w.finish(flags, query.id, [1, answers, authority, additional + (query.edns ? 1 : 0)])
}

/** The query to forward: the same question with a new ID. */
export function encodeQuery(query: Query, id: number): Buffer {
  const w = writer(512, 0)
  w.question(query.question)
  if (query.edns) w.opt(query.edns.dnssec)
  return w.finish(0x100 | (query.checkingDisabled ? 0x10 : 0), id, [1, 0, 0, query.edns ? 1 : 0])
}

export interface Response { readonly id: number; readonly rcode: number; readonly truncated: boolean; readonly question: Question; readonly bytes: Buffer }

/** Decodes the header of another server's response; throws `FormatError`. */
export function parseResponse(bytes: Buffer): Response {
  if (bytes.length < headerSize || (bytes.readUInt16BE(2) & 0x8000) === 0) throw new FormatError('not a response')
  if (bytes.readUInt16BE(4) !== 1) throw new FormatError('not one question')
  const flags = bytes.readUInt16BE(2)
  return { id: bytes.readUInt16BE(0), rcode: flags & 15, truncated: (flags & 0x200) !== 0, question: readQuestion(bytes).question, bytes }
}

/** How long the response may be cached, in seconds: the shortest TTL of its records; for a negative one, by its SOA. 0: not at all. */
export function lifetimeOf(bytes: Buffer): number {
  let shortest: number | undefined
  const negative = bytes.readUInt16BE(6) === 0
  for (const record of recordHeads(bytes, readQuestion(bytes).end)) {
    if (record.type === types.OPT) continue
    const soaMinimum = negative && record.type === types.SOA && record.end - record.dataAt >= 20 ? bytes.readUInt32BE(record.end - 4) : record.ttl
    shortest = Math.min(shortest ?? record.ttl, record.ttl, soaMinimum)
  }
  return shortest ?? 0
}

/** A copy of the response for another client: with its ID, and TTLs that are `age` seconds shorter. */
export function readdress(bytes: Buffer, id: number, age: number): Buffer {
  const copy = Buffer.from(bytes)
  copy.writeUInt16BE(id, 0)
  if (age > 0) {
    for (const record of recordHeads(bytes, readQuestion(bytes).end)) {
      if (record.type !== types.OPT) copy.writeUInt32BE(Math.max(0, record.ttl - age), record.ttlAt)
    }
  }
  return copy
}

/** The A, AAAA and CNAME records among a response's answers. */
export function addressAnswers(bytes: Buffer): DnsRecord[] {
  const found: DnsRecord[] = []
  let at = readQuestion(bytes).end
  for (const { section, ...record } of recordHeads(bytes, at)) {
    if (section !== 0) break
    const { name } = readName(bytes, at)
    at = record.end
    if (record.type === types.A || record.type === types.AAAA) {
      found.push({ name, ttl: record.ttl, type: record.type === types.A ? 'A' : 'AAAA', address: bytes.subarray(record.dataAt, record.end) })
    } else if (record.type === types.CNAME) {
      found.push({ name, ttl: record.ttl, type: 'CNAME', target: readName(bytes, record.dataAt).name })
    }
  }
  return found
}
