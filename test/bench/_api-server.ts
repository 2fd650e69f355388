/**
 * One side of the API bench, in a process of its own so that its memory and its event loop are its own:
 * `skiff` is the API server over a store on disk, `bare` a Node HTTPS server that sends, stores or streams bytes it was given.
 * Told what to do by messages, one answer each.
 */
import { execFileSync } from 'node:child_process'
import { createServer } from 'node:https'
import type { ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { open } from 'lmdb'
import { createEdges } from '../../src/apiserver/edges.ts'
import { createApiServer } from '../../src/apiserver/server.ts'
import { systemClock } from '../../src/machinery/clock.ts'
import { quiet } from '../../src/machinery/log.ts'
import { growWithLoad } from '../../src/machinery/heap-growth.ts'
import { letHelpersStandBack } from '../../src/machinery/threads.ts'
import { startCompactor } from '../../src/store/compactor.ts'
import { openLmdbStore } from '../../src/store/lmdb.ts'
import { obeyWith, prepare } from './_api-sides.ts'

export type Order =
  | { readonly do: 'usage' }
  | { readonly do: 'collect' }
  | { readonly do: 'fill'; readonly kind: 'pods' | 'configmaps' | 'doomed'; readonly from: number; readonly to: number }
  | { readonly do: 'serve'; readonly code: number; readonly body: string; readonly durable: boolean }
  | { readonly do: 'events'; readonly count: number; readonly round?: number; readonly frame?: string }

/** What a process has used: bytes, `pages` those of `rss` that are pages of files (code and the store), which the kernel can take back, `heap` V8's and `buffers` bytes outside of it; the delay of its event loop (milliseconds) and its processor time (microseconds, all threads) since it was last asked. */
export interface Usage { readonly rss: number; readonly pages: number; readonly heap: number; readonly buffers: number; readonly delayP99: number; readonly delayMax: number; readonly cpu: number }

Buffer.poolSize = 8 * 1024 // as src/cli/main.ts sets it
const [mode, folder] = process.argv.slice(2) as ['skiff' | 'bare', string]
const tls = { key: readFileSync(join(folder, 'key.pem')), cert: readFileSync(join(folder, 'cert.pem')) }
const resolution = 1
const delays = monitorEventLoopDelay({ resolution })
delays.enable()
let before = process.cpuUsage()

function usage(): Usage {
  const { rss, heapUsed, arrayBuffers } = process.memoryUsage()
  const { user, system } = process.cpuUsage(before)
  before = process.cpuUsage()
  const over = (nanoseconds: number) => Math.max(0, nanoseconds / 1e6 - resolution)
  const answer = { rss, pages: Number(/RssFile:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? 0) * 1024, heap: heapUsed, buffers: arrayBuffers, delayP99: over(delays.percentile(99)), delayMax: over(delays.max), cpu: user + system }
  delays.reset()
  return answer
}

async function skiff() {
  letHelpersStandBack() // as src/cluster/serve.ts does
  growWithLoad()
  const store = await openLmdbStore({ path: join(folder, 'store') })
  const begun = performance.now()
  const signingKey = execFileSync('openssl', ['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']).toString()
  const edges = createEdges({ serverAddress: () => '127.0.0.1:6443', serviceAccounts: { signingKey, issuer: 'https://kubernetes.default.svc' } })
  const server = await createApiServer({ store, clock: systemClock, log: quiet, tls: { ...tls, clientCa: tls.cert }, edges })
  await server.listen()
  startCompactor({ store, clock: systemClock, log: quiet })
  const filled = performance.now() - begun
  const { client } = server
  const token = await prepare(client)
  return {
    ready: { url: server.url, token, filled },
    obey: (order: Order) => obeyWith(client, order),
  }
}

async function bare() {
  const db = open<Buffer, string>({ path: join(folder, 'bare'), encoding: 'binary', overlappingSync: false, eventTurnBatching: false })
  let answer = { code: 200, body: Buffer.alloc(0), durable: false }
  let number = 0
  const streams = new Set<ServerResponse>()
  let waiting: (() => void)[] = []
  let flushing = false
  /** Everything that came meanwhile is flushed together, as a store with group commit does. */
  const flush = async (): Promise<void> => {
    flushing = true
    await new Promise((resolve) => void setImmediate(resolve))
    while (waiting.length) {
      const group = waiting
      waiting = []
      await db.batch(() => { for (let i = 0; i < group.length; i++) void db.put(`/registry/${number++ % 100_000}`, answer.body) })
      for (const done of group) done()
    }
    flushing = false
  }
  const stored = (): Promise<void> => new Promise((resolve) => {
    waiting.push(resolve)
    if (!flushing) void flush()
  })
  const server = createServer({ ...tls, requestCert: true, rejectUnauthorized: false }, (request, response) => {
    request.resume().on('end', async () => {
      if (request.url?.includes('watch')) {
        response.writeHead(200, { 'content-type': 'application/json' })
        response.flushHeaders()
        return void streams.add(response)
      }
      if (answer.durable) await stored()
      response.writeHead(answer.code, { 'content-type': 'application/json', 'content-length': answer.body.length })
      response.end(answer.body)
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    ready: { url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 'none', filled: 0 },
    async obey(order: Order) {
      if (order.do === 'serve') answer = { code: order.code, body: Buffer.from(order.body), durable: order.durable }
      if (order.do === 'events') {
        const frame = Buffer.from(order.frame ?? '')
        for (let i = 0; i < order.count; i++) {
          for (const stream of streams) stream.write(frame)
          // Each event is one turn of the loop, as if it had come from somewhere.
          await new Promise((resolve) => void setImmediate(resolve))
        }
      }
      return {}
    },
  }
}

const side = await (mode === 'skiff' ? skiff() : bare())
process.on('message', async (order: Order) => {
  if (order.do === 'collect') globalThis.gc?.()
  const result = order.do === 'usage' || order.do === 'collect' ? usage() : await side.obey(order)
  process.send?.(result)
})
// Exits in good order, so that a profile of it is written.
process.on('disconnect', () => process.exit(0))
process.send?.(side.ready)
