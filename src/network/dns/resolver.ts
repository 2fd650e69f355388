/** Answers DNS queries: from the cluster's zone, or else from the host's nameservers. */
import type { Logger } from '../../machinery/log.ts'
import type { Upstream } from './upstream.ts'
import { addressAnswers, encodeReply, FormatError, parseQuery, rcodes, types, type DnsRecord, type Query, type Reply } from './wire.ts'
import type { Zone } from './zone.ts'

export type Transport = 'udp' | 'tcp'
/** Resolves with the answer, or undefined for what must not be answered. Never rejects. */
export type Resolver = (bytes: Buffer, transport: Transport) => Promise<Buffer | undefined> | Buffer | undefined

const longestUdp = 4096
const longestAliasChain = 8
const failed = (rcode: number): Reply => ({ rcode, authoritative: false, answers: [] })

export function createResolver({ zone, upstream, log }: { readonly zone: Zone; readonly upstream: Upstream; readonly log: Logger }): Resolver {
  const limitOf = (query: Query, transport: Transport) => (transport === 'tcp' ? 65_535 : Math.min(longestUdp, query.edns?.size ?? 512))

  /** Resolves the target of a service of type ExternalName, in the cluster or outside. If it is not found, the answer is the CNAME alone. */
  async function follow(query: Query, first: DnsRecord, target: string, transport: Transport): Promise<Reply> {
    const answers: DnsRecord[] = [first]
    let name = target
    for (let i = 0; i < longestAliasChain; i++) {
      const question = { ...query.question, name }
      const found = zone(question)
      if (found?.kind === 'reply') return { ...found.reply, answers: [...answers, ...found.reply.answers] }
      if (!found) {
        const bytes = await upstream.resolve({ ...query, question, edns: undefined }, transport)
        return { rcode: rcodes.noError, authoritative: true, answers: [...answers, ...(bytes ? addressAnswers(bytes) : [])] }
      }
      answers.push(found.alias)
      name = found.target
    }
    return failed(rcodes.serverFailure)
  }

  async function ask(query: Query, transport: Transport): Promise<Buffer> {
    const bytes = await upstream.resolve(query, transport)
    if (!bytes) return encodeReply(query, failed(rcodes.serverFailure), limitOf(query, transport))
    if (transport === 'tcp' || bytes.length <= limitOf(query, transport)) return bytes
    // Too large for this client: an empty truncated answer makes it retry over TCP.
    const empty = encodeReply(query, failed(rcodes.noError), 512)
    empty.writeUInt16BE(empty.readUInt16BE(2) | 0x200, 2)
    return empty
  }

  function answer(query: Query, transport: Transport): Promise<Buffer> | Buffer {
    const encode = (reply: Reply) => encodeReply(query, reply, limitOf(query, transport))
    if (query.opcode !== 0) return encode(failed(rcodes.notImplemented))
    if (query.question.class !== 1 && query.question.class !== types.ANY) return encode(failed(rcodes.refused))
    const found = zone(query.question)
    if (found?.kind === 'reply') return encode(found.reply)
    if (found) return follow(query, found.alias, found.target, transport).then(encode)
    return ask(query, transport)
  }

  return (bytes, transport) => {
    let query: Query | undefined
    try {
      query = parseQuery(bytes)
    } catch (error) {
      if (!(error instanceof FormatError)) log.error({ error: String(error) }, 'a DNS query could not be read')
      return formatError(bytes)
    }
    if (!query) return undefined
    const asked = query
    const failure = (error: unknown) => {
      log.error({ name: asked.question.name, error: error instanceof Error ? error.stack : String(error) }, 'a DNS query failed')
      return encodeReply(asked, failed(rcodes.serverFailure), 512)
    }
    try {
      const result = answer(query, transport)
      return result instanceof Promise ? result.catch(failure) : result
    } catch (error) {
      return failure(error)
    }
  }
}

/** The header sent back, with FORMERR. */
function formatError(bytes: Buffer): Buffer {
  const head = Buffer.alloc(12)
  bytes.copy(head, 0, 0, 2)
  head.writeUInt16BE(0x8000 | rcodes.formatError, 2)
  return head
}
