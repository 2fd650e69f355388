/**
 * Forwards queries for names outside the cluster to the host's nameservers. Only the client that asked waits for them. A
 * server that does not answer costs it a few seconds once, and a server failure is cached for a moment.
 */
import { createSocket } from 'node:dgram'
import { connect } from 'node:net'
import { readFile, stat } from 'node:fs/promises'
import { randomInt } from 'node:crypto'
import { isIP } from 'node:net'
import type { Clock } from '../../machinery/clock.ts'
import { encodeQuery, lifetimeOf, parseResponse, rcodes, readdress, type Query, type Response } from './wire.ts'

export interface UpstreamOptions {
  readonly clock: Clock
  /** Our own addresses: never forwarded to. */
  readonly own: readonly string[]
  /** The resolv.conf with the host's nameservers; reread when it changes. */
  readonly resolvConf?: string
  readonly port?: number
}

export interface Upstream {
  /** The response to the query, with the query's ID; undefined when no nameserver answered. */
  resolve(query: Query, transport: 'udp' | 'tcp'): Promise<Buffer | undefined>
}

/** The timeout of one nameserver, in milliseconds; shorter for one that did not answer lately. Two of them stay below the 5 s after which a resolver retries. */
const patience = 2000
const shortPatience = 1000
/** Seconds. */
const longestCached = 30
const failureCached = 5
const maxCached = 10_000
const maxInFlight = 2000

/** The `nameserver` lines of a resolv.conf. */
export const nameserversIn = (text: string): string[] =>
  text.split('\n').map((line) => line.trim().split(/\s+/)).filter(([word, address]) => word === 'nameserver' && isIP((address ?? '').split('%')[0] ?? '') !== 0).map(([, address]) => address ?? '')

/** Follows the file: checked on use, at most every 5 s. */
function nameserverList(path: string, own: readonly string[], clock: Clock) {
  let servers: readonly string[] = []
  let changed = -1
  let looked = -Infinity
  return async (): Promise<readonly string[]> => {
    if (clock.now() - looked < 5000) return servers
    looked = clock.now()
    try {
      const { mtimeMs } = await stat(path)
      if (mtimeMs !== changed) {
        servers = nameserversIn(await readFile(path, 'utf8')).filter((a) => !own.includes(a)).slice(0, 3)
        changed = mtimeMs
      }
    } catch {
      servers = [] // a host without resolv.conf has no nameservers
      changed = -1
    }
    return servers
  }
}

type Ask = (server: string, port: number, query: Query, ms: number) => Promise<Response>

const isAnswerTo = (query: Query, id: number, response: Response) =>
  response.id === id && response.question.type === query.question.type && response.question.name.toLowerCase() === query.question.name.toLowerCase()

const askUdp: Ask = (server, port, query, ms) => new Promise((resolve, reject) => {
  const id = randomInt(65_536)
  // One socket per query: an attacker must guess its random port as well as the ID.
  const socket = createSocket(server.includes(':') ? 'udp6' : 'udp4')
  const timer = setTimeout(() => settle(() => reject(new Error('no answer'))), ms)
  const settle = (how: () => void) => {
    clearTimeout(timer)
    socket.close()
    how()
  }
  socket.once('error', (error) => settle(() => reject(error)))
  socket.on('message', (bytes) => {
    try {
      const response = parseResponse(bytes)
      if (isAnswerTo(query, id, response)) settle(() => resolve(response))
    } catch {
      return // not an answer: the real one may still come
    }
  })
  socket.connect(port, server, () => socket.send(encodeQuery(query, id), (error) => { if (error) settle(() => reject(error)) }))
})

const askTcp: Ask = (server, port, query, ms) => new Promise((resolve, reject) => {
  const id = randomInt(65_536)
  const socket = connect(port, server)
  let received = Buffer.alloc(0)
  socket.setTimeout(ms, () => socket.destroy(new Error('no answer')))
  socket.once('error', reject)
  socket.once('close', () => reject(new Error('closed without an answer')))
  socket.on('data', (chunk) => {
    received = Buffer.concat([received, chunk])
    const length = received.length < 2 ? undefined : received.readUInt16BE(0)
    if (length === undefined || received.length < 2 + length) return
    try {
      const response = parseResponse(received.subarray(2, 2 + length))
      if (!isAnswerTo(query, id, response)) throw new Error('answers another question')
      resolve(response)
    } catch (error) {
      reject(error as Error)
    }
    socket.destroy()
  })
  const bytes = encodeQuery(query, id)
  const head = Buffer.alloc(2)
  head.writeUInt16BE(bytes.length)
  socket.write(Buffer.concat([head, bytes]))
})

/** Cached responses, for as long as their TTLs allow. */
function createCache(clock: Clock) {
  const entries = new Map<string, { readonly bytes: Buffer | undefined; readonly since: number; readonly until: number }>()
  return {
    get(key: string, id: number): { readonly bytes: Buffer | undefined } | undefined {
      const entry = entries.get(key)
      if (!entry) return undefined
      if (clock.now() < entry.until) return { bytes: entry.bytes && readdress(entry.bytes, id, Math.floor((clock.now() - entry.since) / 1000)) }
      entries.delete(key)
      return undefined
    },
    put(key: string, bytes: Buffer | undefined, seconds: number) {
      if (seconds <= 0) return
      entries.delete(key)
      const [oldest] = entries.keys()
      if (entries.size >= maxCached && oldest !== undefined) entries.delete(oldest)
      entries.set(key, { bytes, since: clock.now(), until: clock.now() + seconds * 1000 })
    },
  }
}

/** Forwards to the nameservers of `resolvConf`, except `own`, and caches their responses. */
export function createUpstream({ clock, own, resolvConf = '/etc/resolv.conf', port = 53 }: UpstreamOptions): Upstream {
  const nameservers = nameserverList(resolvConf, own, clock)
  const cache = createCache(clock)
  const inFlight = new Map<string, Promise<Buffer | undefined>>()
  const silent = new Set<string>()

  async function ask(key: string, query: Query, how: Ask): Promise<Buffer | undefined> {
    let failure: Buffer | undefined
    for (const server of (await nameservers()).slice(0, 2)) {
      try {
        const response = await how(server, port, query, silent.has(server) ? shortPatience : patience)
        silent.delete(server)
        if (response.rcode === rcodes.serverFailure || response.rcode === rcodes.refused) {
          failure ??= response.bytes
          continue
        }
        if (!response.truncated) cache.put(key, response.bytes, Math.min(longestCached, lifetimeOf(response.bytes)))
        return response.bytes
      } catch {
        silent.add(server) // try the next one; if none answers, the client gets SERVFAIL
      }
    }
    cache.put(key, failure, failureCached)
    return failure
  }

  return {
    async resolve(query, transport) {
      const { name, type } = query.question
      const key = `${transport === 'tcp' ? 'tcp ' : ''}${name.toLowerCase()} ${type} ${query.question.class} ${query.edns ? (query.edns.dnssec ? 'do' : 'edns') : ''} ${query.checkingDisabled}`
      const cached = cache.get(key, query.id)
      if (cached) return cached.bytes
      let running = inFlight.get(key)
      if (!running) {
        if (inFlight.size >= maxInFlight) return undefined
        running = ask(key, query, transport === 'tcp' ? askTcp : askUdp).finally(() => inFlight.delete(key))
        inFlight.set(key, running)
      }
      const bytes = await running
      return bytes && readdress(bytes, query.id, 0)
    },
  }
}
