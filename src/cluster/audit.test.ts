/** Every flag of audit, by what it does to events on their way to a file and to a server. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Audit } from '../apiserver/audit/audit.ts'
import { FakeClock } from '../machinery/clock.ts'
import { quiet, type Logger } from '../machinery/log.ts'
import { parseArguments } from './apiserver-arguments.ts'
import { auditOf } from './audit.ts'

let dir: string
let clock: FakeClock
let server: Server
let lists: { readonly items: readonly { readonly auditID: string; readonly requestObject?: object }[] }[]
let asked: number
let answers: number
let told: string[]
let audit: Audit | undefined
const log: Logger = { ...quiet, warn: (_, message) => void told.push(message ?? ''), error: (_, message) => void told.push(message ?? '') }

beforeEach(async () => {
  dir = mkdtempSync(join(tmpdir(), 'skiff-audit-flags-'))
  clock = new FakeClock(Date.parse('2026-01-01T00:00:00Z'))
  ;[lists, asked, answers, told, audit] = [[], 0, 200, [], undefined]
  server = createServer(async (request, response) => {
    const body = await text(request)
    asked++
    if (answers === 200) lists.push(JSON.parse(body) as (typeof lists)[number])
    response.writeHead(answers).end()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  writeFileSync(join(dir, 'policy'), 'apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Request}]')
  const cluster = { server: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
  writeFileSync(join(dir, 'hook'), JSON.stringify({ apiVersion: 'v1', kind: 'Config', 'current-context': 'c', clusters: [{ name: 'c', cluster }], users: [{ name: 'c', user: {} }], contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }] }))
})
afterEach(async () => {
  await audit?.stop()
  server.closeAllConnections()
  server.close()
  rmSync(dir, { recursive: true })
})

const start = async (...flags: string[]): Promise<Audit | undefined> => (audit = await auditOf(parseArguments([`audit-policy-file=${dir}/policy`, ...flags]), { clock, log }))
const toFile = (...flags: string[]) => start(`audit-log-path=${dir}/log/a.log`, ...flags.map((flag) => `audit-log-${flag}`))
const toServer = (...flags: string[]) => start(`audit-webhook-config-file=${dir}/hook`, ...flags.map((flag) => `audit-webhook-${flag}`))

const info = { path: '/api/v1/namespaces/n/configmaps', isResourceRequest: true, verb: 'create', group: '', version: 'v1', namespace: 'n', resource: 'configmaps', subresource: '', name: 'm', rest: '' }
let count = 0
/** One request, with a body of so many bytes. */
async function request(bytes = 0): Promise<void> {
  const trail = await audit?.begin({ auditId: `${count++}`, info, uri: info.path, user: { name: 'ana', groups: [] }, headers: {}, peer: '127.0.0.1' })
  trail?.requestObject({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'm' }, data: { pad: 'x'.repeat(bytes) } })
  trail?.finished(201)
}
async function requests(many: number, bytes = 0): Promise<void> {
  for (let i = 0; i < many; i++) await request(bytes)
}
const lines = (name = 'a.log') => readFileSync(join(dir, 'log', name), 'utf8').split('\n').filter((line) => line !== '')
const files = () => readdirSync(join(dir, 'log')).toSorted()
const sizes = () => lists.map(({ items }) => items.length)

describe('the flags of the audit log', () => {
  it('name its file and its format', async () => {
    await toFile('format=json')
    await request()
    expect(JSON.parse(lines()[0]!)).toMatchObject({ stage: 'ResponseComplete', user: { username: 'ana' }, requestObject: { kind: 'ConfigMap' } })
    await expect(toFile('format=legacy')).rejects.toThrow('audit-log-format: "legacy" is not supported; json is')
  })

  it('bound the file, and how many old ones are kept, how long, and how', async () => {
    await toFile('maxsize=1', 'maxbackup=1', 'compress=true')
    for (let i = 0; i < 3; i++) {
      await clock.advance(60_000)
      await request(700_000)
    }
    await audit?.stop()
    expect(files()).toEqual(['a-2026-01-01T00-03-00.000.log.gz', 'a.log'])
    await clock.advance(3 * 24 * 3_600_000)
    await toFile('maxage=2')
    await audit?.stop()
    expect(files()).toEqual(['a.log'])
    audit = undefined
  })

  it('gather events, as many and as long as they say', async () => {
    await toFile('mode=batch', 'batch-max-size=3', 'batch-max-wait=5s')
    await requests(2)
    expect(lines()).toEqual([])
    await request()
    expect(lines()).toHaveLength(3)
    await request()
    await clock.advance(5001)
    expect(lines()).toHaveLength(4)
  })

  it('let no more wait than there is room for, and no more through than they may', async () => {
    await toFile('mode=batch', 'batch-max-size=1', 'batch-buffer-size=2', 'batch-throttle-enable=true', 'batch-throttle-qps=1', 'batch-throttle-burst=2')
    await requests(5)
    expect([lines().length, told]).toEqual([2, ['audit events are lost']])
    await clock.advance(1001)
    expect(lines()).toHaveLength(3)
    await audit?.stop()
    await toFile('mode=batch', 'batch-max-size=1', 'batch-throttle-enable=false', 'batch-throttle-qps=1', 'batch-throttle-burst=1')
    await requests(5)
    expect(lines()).toHaveLength(9)
    await audit?.stop()
    await toFile('mode=batch', 'batch-max-size=1', 'batch-throttle-enable=true', 'batch-throttle-qps=0.5', 'batch-throttle-burst=1')
    await requests(2)
    await clock.advance(1900)
    expect(lines()).toHaveLength(10)
    await clock.advance(200)
    expect(lines()).toHaveLength(11)
  })

  it('cut what is too large, and write no more at a time than they say', async () => {
    await toFile('truncate-enabled=true', 'truncate-max-event-size=2000')
    await request(3000)
    expect(lines()[0]).toContain('"audit.k8s.io/truncated":"true"')
    await audit?.stop()
    await toFile('truncate-max-event-size=2000')
    await request(3000)
    expect(lines()[1]).not.toContain('truncated')
    await audit?.stop()
    // What is written at a time goes into one file: less at a time fills files better.
    await toFile('mode=batch', 'batch-max-size=4', 'maxsize=1', 'truncate-enabled=true', 'truncate-max-event-size=900000', 'truncate-max-batch-size=900000')
    await requests(4, 400_000)
    expect(files()).toHaveLength(2)
    expect(files().map((name) => lines(name).length)).toEqual([4, 2])
  })
})

describe('the flags of the audit webhook', () => {
  it('wait for the answer, or not', async () => {
    await toServer('mode=blocking')
    await request()
    await expect.poll(sizes).toEqual([1])
    await audit?.stop()
    await toServer('mode=batch', 'batch-max-size=3', 'batch-max-wait=5s')
    await requests(4)
    await expect.poll(sizes).toEqual([1, 3])
    await clock.advance(5001)
    await expect.poll(sizes).toEqual([1, 3, 1])
    await expect(toServer('mode=sometimes')).rejects.toThrow('audit-webhook-mode: "sometimes" is not one of batch, blocking, blocking-strict')
  })

  it('let no more wait than there is room for, and no more through than they may', async () => {
    await toServer('batch-max-size=1', 'batch-buffer-size=2', 'batch-throttle-qps=1', 'batch-throttle-burst=2')
    await requests(5)
    await expect.poll(sizes).toEqual([1, 1])
    expect(told).toEqual(['audit events are lost'])
    await clock.advance(1001)
    await expect.poll(sizes).toEqual([1, 1, 1])
    await audit?.stop()
    await toServer('batch-max-size=1', 'batch-throttle-enable=false', 'batch-throttle-qps=1', 'batch-throttle-burst=1')
    await requests(5)
    await expect.poll(sizes).toHaveLength(9)
  })

  it('cut what is too large, and send no more at a time than they say', async () => {
    await toServer('batch-max-size=4', 'truncate-enabled=true', 'truncate-max-event-size=2000', 'truncate-max-batch-size=4000')
    await requests(3, 1000)
    await request(3000)
    await expect.poll(() => sizes().reduce((sum, n) => sum + n, 0)).toBe(4)
    expect(sizes().length).toBeGreaterThan(1)
    expect(lists.flatMap(({ items }) => items).map(({ requestObject }) => requestObject !== undefined)).toEqual([true, true, true, false])
  })

  it('say how long to wait before the next try', async () => {
    await toServer('mode=blocking', 'initial-backoff=100s')
    answers = 503
    const done = request()
    await expect.poll(() => asked).toBe(1)
    // The answer is on its way back: only when it is there does the wait begin.
    const from = clock.now()
    answers = 200
    await expect.poll(async () => { await clock.advance(10_000); return sizes() }).toEqual([1])
    expect(clock.now() - from).toBeGreaterThan(100_000)
    await done
  })
})

describe('without a policy or without a place to write to', () => {
  it('nothing is audited, and the log says so', async () => {
    expect(await start()).toBeUndefined()
    expect(await auditOf(parseArguments([`audit-log-path=${dir}/x.log`]), { clock, log })).toBeUndefined()
    expect(told).toEqual([expect.stringContaining('neither audit-log-path nor audit-webhook-config-file'), expect.stringContaining('there is no audit-policy-file')])
  })

  it('bounds that leave nothing stop the boot', async () => {
    await expect(toFile('mode=batch', 'batch-max-size=0')).rejects.toThrow('audit-log-batch-max-size: must be a positive number')
    await expect(toServer('truncate-enabled=true', 'truncate-max-event-size=0')).rejects.toThrow('audit-webhook-truncate-max-event-size: must be at least 1')
    await expect(toServer('truncate-enabled=true', 'truncate-max-batch-size=5')).rejects.toThrow('audit-webhook-truncate-max-batch-size: must be at least the size of an event, 102400')
  })
})
