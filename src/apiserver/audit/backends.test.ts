/** Where events go: files that are rotated, and servers that are not always there. */
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { FakeClock } from '../../machinery/clock.ts'
import { quiet, type Logger } from '../../machinery/log.ts'
import { createBatches } from './batch.ts'
import { createLogBackend, type LogBackendOptions } from './log-backend.ts'
import { createWebhookBackend, type WebhookBackendOptions } from './webhook-backend.ts'

let directory: string
let clock: FakeClock
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'skiff-audit-'))
  clock = new FakeClock(Date.parse('2026-01-01T00:00:00Z'))
})
afterEach(() => rmSync(directory, { recursive: true }))

const line = (n: number, size = 0) => JSON.stringify({ n, pad: 'x'.repeat(size) })
const batch = { bufferSize: 100, maxSize: 10, maxWait: 30_000, throttle: undefined }

describe('the log', () => {
  const start = (more: Partial<LogBackendOptions> = {}) =>
    createLogBackend({ path: join(directory, 'audit', 'audit.log'), mode: 'blocking', maxSize: 1, maxAge: 0, maxBackups: 0, compress: false, batch, clock, log: quiet, ...more })
  const read = (name = 'audit.log') => readFileSync(join(directory, 'audit', name), 'utf8')
  const files = () => readdirSync(join(directory, 'audit')).toSorted()

  it('has a line for each event before the write returns, for root alone, and goes on where it was', async () => {
    const first = start()
    void first.write(line(1))
    expect(read()).toBe(`${line(1)}\n`)
    expect(statSync(join(directory, 'audit', 'audit.log')).mode & 0o777).toBe(0o600)
    await first.stop()
    const second = start()
    void second.write(line(2))
    expect(read()).toBe(`${line(1)}\n${line(2)}\n`)
    await second.stop()
  })

  it('begins a new file when it is full, and forgets what is too old or too much', async () => {
    const log = start({ maxBackups: 2 })
    for (let i = 0; i < 4; i++) {
      await clock.advance(60_000)
      void log.write(line(i, 700_000))
    }
    await log.stop()
    expect(files()).toEqual(['audit-2026-01-01T00-03-00.000.log', 'audit-2026-01-01T00-04-00.000.log', 'audit.log'])
    expect(JSON.parse(read('audit-2026-01-01T00-04-00.000.log'))).toMatchObject({ n: 2 })
    expect(statSync(join(directory, 'audit', 'audit-2026-01-01T00-04-00.000.log')).mode & 0o777).toBe(0o600)
    await clock.advance(3 * 24 * 3600_000)
    await start({ maxAge: 2 }).stop()
    expect(files()).toEqual(['audit.log'])
  })

  it('compresses old files where that is wished', async () => {
    const log = start({ compress: true })
    void log.write(line(1, 700_000))
    void log.write(line(2, 700_000))
    await log.stop()
    expect(files()).toEqual(['audit-2026-01-01T00-00-00.000.log.gz', 'audit.log'])
    expect(JSON.parse(gunzipSync(readFileSync(join(directory, 'audit', files()[0]!))).toString())).toMatchObject({ n: 1 })
  })

  it('gathers events where that is wished, and writes the rest when it ends', async () => {
    const log = start({ mode: 'batch' })
    for (let i = 0; i < 12; i++) void log.write(line(i))
    await expect.poll(() => read().split('\n').length).toBe(11)
    await log.stop()
    expect(read().trim().split('\n').map((l) => (JSON.parse(l) as { n: number }).n)).toEqual(Array.from({ length: 12 }, (_, i) => i))
  })

  it('that cannot be opened stops the boot rather than auditing nothing', () => {
    chmodSync(directory, 0o700)
    expect(() => start({ path: directory })).toThrow(/EISDIR/)
  })
})

describe('batches', () => {
  const gather = (more: Partial<Parameters<typeof createBatches>[0]> = {}) => {
    const sent: number[] = []
    const lost: number[] = []
    const batches = createBatches({ clock, bufferSize: 20, maxSize: 5, maxWait: 1000, send: (lines) => void sent.push(lines.length), lost: (_, n) => void lost.push(n), ...more })
    return { batches, sent, lost }
  }
  it('go when they are full, or after a while', async () => {
    const { batches, sent } = gather()
    for (let i = 0; i < 7; i++) batches.add('x')
    expect(sent).toEqual([5])
    await clock.advance(1000)
    expect(sent).toEqual([5, 2])
  })
  it('go no faster than they may, and what has no room is counted as lost', async () => {
    const { batches, sent, lost } = gather({ throttle: { qps: 1, burst: 2 } })
    for (let i = 0; i < 35; i++) batches.add('x')
    expect(sent).toEqual([5, 5])
    expect(lost).toHaveLength(5)
    await clock.advance(2000)
    expect(sent).toEqual([5, 5, 5, 5])
    await batches.stop()
    expect(sent.reduce((a, b) => a + b)).toBe(30)
  })
})

describe('the webhook', () => {
  let server: Server
  let received: { readonly headers: IncomingMessage['headers']; readonly body: { kind: string; apiVersion: string; items: { n: number }[] } }[]
  let answer: () => number
  beforeEach(async () => {
    received = []
    answer = () => 200
    server = createServer(async (request, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const code = answer()
      if (code === 200) received.push({ headers: request.headers, body: JSON.parse(Buffer.concat(chunks).toString()) as never })
      response.writeHead(code).end()
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  })
  afterEach(() => {
    server.closeAllConnections()
    server.close()
  })
  const start = (more: Partial<WebhookBackendOptions> = {}) => createWebhookBackend({
    target: { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}/audit`, token: 'hook-token' }, mode: 'batch', batch, initialBackoff: 1000, clock, log: quiet, ...more,
  })
  const numbers = () => received.flatMap(({ body }) => body.items.map(({ n }) => n))

  it('gets lists of events, with the credentials of its kubeconfig', async () => {
    const hook = start()
    for (let i = 0; i < 12; i++) void hook.write(line(i))
    await expect.poll(() => received.length).toBe(1)
    expect(received[0]).toMatchObject({ headers: { authorization: 'Bearer hook-token', 'content-type': 'application/json' }, body: { kind: 'EventList', apiVersion: 'audit.k8s.io/v1' } })
    await hook.stop()
    expect(numbers()).toEqual(Array.from({ length: 12 }, (_, i) => i))
  })

  it('is told once what the list is of, not by each event', async () => {
    const hook = start()
    void hook.write('{"kind":"Event","apiVersion":"audit.k8s.io/v1","level":"Metadata","n":1}')
    await hook.stop()
    expect(received[0]?.body.items).toEqual([{ level: 'Metadata', n: 1 }])
  })

  it('is tried again while it fails, later each time, and given up at the fifth', async () => {
    let asked = 0
    answer = () => (++asked < 3 ? 503 : 200)
    const hook = start({ mode: 'blocking' })
    let done = false
    const written = Promise.resolve(hook.write(line(1))).then(() => (done = true))
    await expect.poll(() => asked).toBe(1)
    await expect.poll(async () => { await clock.advance(700); return done }).toBe(true)
    await written
    expect(numbers()).toEqual([1])

    asked = -100
    const lost = Promise.resolve(hook.write(line(2)))
    let failed = ''
    lost.catch((error: Error) => void (failed = error.message))
    await expect.poll(async () => { await clock.advance(2000); return failed }).toBe('the audit webhook answered 503')
    expect(asked).toBe(-95)
    await hook.stop()
  })

  it('gets no larger lists than it takes', async () => {
    const hook = start({ maxBatchSize: 2500 })
    for (let i = 0; i < 10; i++) void hook.write(line(i, 1000))
    await expect.poll(() => received.length).toBe(5)
    expect(received.map(({ body }) => body.items.length)).toEqual([2, 2, 2, 2, 2])
    await hook.stop()
  })

  it('that says no is not asked again; what is lost is in the log', async () => {
    const errors: object[] = []
    const log: Logger = { ...quiet, error: (fields) => void errors.push(fields), child: () => log }
    let asked = 0
    answer = () => { asked++; return 403 }
    const hook = start({ log })
    for (let i = 0; i < 10; i++) void hook.write(line(i))
    await expect.poll(() => errors).toEqual([{ backend: 'webhook', error: 'the audit webhook answered 403', events: 10 }])
    expect(asked).toBe(1)
    await hook.stop()
  })
})
