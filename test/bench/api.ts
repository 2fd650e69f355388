/**
 * What the API costs: calls over HTTPS beside a bare Node HTTPS server that sends the same bytes, or flushes them to disk before it
 * answers; events to many watchers; memory; the delay of the event loop; and how all of it grows with the number of objects.
 * Run: `node test/bench/api.ts [seconds per measurement [part of a call's name]]`. Needs wrk and openssl (Debian: `apt-get install wrk openssl`).
 */
import { execFile, execFileSync, fork } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import { promisify } from 'node:util'
import { nameOf, podOf } from './_api-objects.ts'
import type { Order, Usage } from './_api-server.ts'

const run = promisify(execFile)
const seconds = Number(process.argv[2] ?? 3)
const base = mkdtempSync(join(tmpdir(), 'skiff-bench-api-'))
const pods = 3000
const collection = '/api/v1/namespaces/default/pods'

interface Side {
  readonly url: string
  readonly token: string
  /** How long the cache took to fill, in milliseconds. */
  readonly filled: number
  ask<R = object>(order: Order): Promise<R>
  end(): Promise<void>
}

const answerOf = <R>(child: ChildProcess): Promise<R> => new Promise((resolve, reject) => {
  const failed = (code: number | null) => reject(new Error(`a server ended with code ${code}`))
  child.once('exit', failed)
  child.once('message', (message) => {
    child.off('exit', failed)
    resolve(message as R)
  })
})

/** Measures only calls whose name has this in it, and leaves the rest out. */
const onlyCall = process.argv[3] ?? ''
/** Both sides run as the `skiff` launcher runs Node. */
const asSkiff = ['--disable-warning=ExperimentalWarning', '--max-semi-space-size=4', '--initial-old-space-size=32', '--heap-growing-percent=40']
/** A directory for a CPU profile of the server; the growth table is left out then. */
const profile = process.env['BENCH_CPU_PROF']
async function startSide(mode: 'skiff' | 'bare', folder = base): Promise<Side> {
  const extra = profile && mode === 'skiff' ? ['--cpu-prof', `--cpu-prof-dir=${profile}`] : []
  const child = fork(join(import.meta.dirname, '_api-server.ts'), [mode, folder], { execArgv: [...asSkiff, '--expose-gc', ...extra], env: { ...process.env, MALLOC_ARENA_MAX: '2' } })
  const ready = await answerOf<{ url: string; token: string; filled: number }>(child)
  return {
    ...ready,
    ask: (order) => {
      const answer = answerOf<never>(child)
      child.send(order)
      return answer
    },
    end: () => new Promise((resolve) => {
      child.once('exit', () => resolve())
      child.disconnect()
    }),
  }
}

interface Rate { readonly perSecond: number; readonly requests: number; readonly bytesPerSecond: number; readonly p50: string; readonly p99: string }

async function measure(side: Side, path: string, script?: string): Promise<Rate> {
  const header = ['-H', `Authorization: Bearer ${side.token}`]
  const { stdout } = await run('wrk', ['-t1', '-c32', `-d${seconds}s`, '--timeout', '10s', '--latency', ...header, ...(script ? ['-s', script] : []), side.url + path])
  if (/Non-2xx/.test(stdout)) throw new Error(`${path}: ${stdout}`)
  const word = (pattern: RegExp) => pattern.exec(stdout)?.[1] ?? '?'
  const [, amount, unit] = /Transfer\/sec:\s+([\d.]+)(\w+)/.exec(stdout) ?? []
  const scale: Readonly<Record<string, number>> = { B: 1, KB: 1024, MB: 1024 ** 2, GB: 1024 ** 3 }
  return { perSecond: Number(word(/Requests\/sec:\s+([\d.]+)/)), requests: Number(word(/(\d+) requests in/)), bytesPerSecond: Number(amount) * (scale[unit ?? 'B'] ?? 1), p50: word(/\n\s+50%\s+(\S+)/), p99: word(/\n\s+99%\s+(\S+)/) }
}

/** Lua for wrk: one request after another, with a number that goes up. */
function script(name: string, method: string, type: string, path: string, body: string): string {
  const file = join(base, `${name}.lua`)
  writeFileSync(file, [
    'local n = 0', `wrk.headers["Content-Type"] = "${type}"`,
    `function request() n = n + 1; local i = n % ${pods}; return wrk.format("${method}", string.format(${JSON.stringify(path)}, i), nil, (string.gsub([==[${body}]==], "NUMBER", n))) end`,
  ].join('\n'))
  return file
}

const calls = [
  { name: 'get one pod', target: 0.45, path: `${collection}/${nameOf(7)}`, code: 200 },
  { name: 'list of 3,000 pods', target: 0.6, path: collection, code: 200 },
  { name: 'create a pod', target: 0.2, path: collection, code: 201, script: () => script('create', 'POST', 'application/json', '/api/v1/namespaces/other/pods', JSON.stringify(podOf({ generateName: 'n-', namespace: 'other' }))) },
  { name: 'merge patch', target: 0.15, path: collection, code: 200, script: () => script('patch', 'PATCH', 'application/merge-patch+json', `${collection}/web-7d9c5b8f6-%06d`, '{"metadata":{"annotations":{"n":"NUMBER"}}}') },
] as const

async function fetchText(side: Side, path: string): Promise<string> {
  const { stdout } = await run('curl', ['-sk', '-H', `Authorization: Bearer ${side.token}`, side.url + path], { maxBuffer: 1 << 30 })
  return stdout
}

const verdict = (ratio: number, target: number) => `${ratio.toFixed(2)} (target ${target}${ratio < target ? ', MISSED' : ''})`
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`

async function measureCalls(skiff: Side, bare: Side): Promise<void> {
  console.log(`${'call'.padEnd(20)} ${'bytes'.padStart(8)} ${'skiff/s'.padStart(8)} ${'p50'.padStart(9)} ${'p99'.padStart(9)} ${'cpu each'.padStart(8)} ${'loop p99'.padStart(9)} ${'bare/s'.padStart(8)} ${'p50'.padStart(9)} ${'p99'.padStart(9)} ${'cpu each'.padStart(8)}  of bare`)
  const one = await fetchText(skiff, `${collection}/${nameOf(7)}`)
  for (const call of calls.filter(({ name }) => name.includes(onlyCall))) {
    const lua = 'script' in call ? call.script() : undefined
    const body = lua ? one : await fetchText(skiff, call.path)
    await bare.ask({ do: 'serve', code: call.code, body, durable: lua !== undefined })
    await bare.ask<Usage>({ do: 'usage' })
    const theirs = await measure(bare, '/', lua)
    const bareUsage = await bare.ask<Usage>({ do: 'usage' })
    await skiff.ask<Usage>({ do: 'usage' })
    const ours = await measure(skiff, call.path, lua)
    const { delayP99, cpu } = await skiff.ask<Usage>({ do: 'usage' })
    const ratio = call.name.startsWith('list') ? ours.bytesPerSecond / theirs.bytesPerSecond : ours.perSecond / theirs.perSecond
    const columns = [[ours.perSecond.toFixed(0), 8], [ours.p50, 9], [ours.p99, 9], [`${(cpu / ours.requests).toFixed(0)}µs`, 8], [`${delayP99.toFixed(1)}ms`, 9], [theirs.perSecond.toFixed(0), 8], [theirs.p50, 9], [theirs.p99, 9], [`${(bareUsage.cpu / theirs.requests).toFixed(0)}µs`, 8]] as const
    console.log(`${call.name.padEnd(20)} ${String(Buffer.byteLength(body)).padStart(8)} ${columns.map(([text, width]) => text.padStart(width)).join(' ')}  ${verdict(ratio, call.target)}`)
  }
}

/** A raw watcher: counts the frames' ends, parses nothing. */
function watcher(side: Side, path: string, wanted: number): Promise<{ socket: TLSSocket; done: Promise<void> }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(side.url)
    const socket = connect({ host: hostname, port: Number(port), rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] })
    let seen = 0
    let head = true
    let finish: () => void
    const done = new Promise<void>((settle) => (finish = settle))
    socket.on('error', reject)
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer ${side.token}\r\n\r\n`)
    socket.on('data', (chunk: Buffer) => {
      if (head) {
        head = false
        if (!chunk.includes('200 OK')) reject(new Error(chunk.toString()))
        resolve({ socket, done })
        return
      }
      for (let at = chunk.indexOf('}}\n'); at >= 0; at = chunk.indexOf('}}\n', at + 3)) seen++
      if (seen >= wanted) finish()
    })
  })
}

async function fanOut(side: Side, path: string, frame?: string): Promise<number> {
  const [watchers, events] = [100, 300]
  const all = await Promise.all(Array.from({ length: watchers }, () => watcher(side, path, events)))
  const begun = performance.now()
  await side.ask({ do: 'events', count: events, ...(frame === undefined ? {} : { frame }) })
  await Promise.all(all.map(({ done }) => done))
  const rate = (watchers * events * 1000) / (performance.now() - begun)
  for (const { socket } of all) socket.destroy()
  return rate
}

async function measureFanOut(skiff: Side, bare: Side): Promise<void> {
  const from = (JSON.parse(await fetchText(skiff, `${collection}?limit=1`)) as { metadata: { resourceVersion: string } }).metadata.resourceVersion
  const pod = (await fetchText(skiff, `${collection}/${nameOf(7)}`)).trim()
  const rounds = 3
  const rates = { ours: 0, theirs: 0 }
  for (let i = 0; i < rounds; i++) {
    rates.theirs = Math.max(rates.theirs, await fanOut(bare, '/?watch', `{"type":"ADDED","object":${pod}}\n`))
    rates.ours = Math.max(rates.ours, await fanOut(skiff, `${collection}?watch=1${i === 0 ? `&resourceVersion=${from}` : `&resourceVersion=${JSON.parse(await fetchText(skiff, `${collection}?limit=1`)).metadata.resourceVersion}`}`))
  }
  console.log(`300 events to 100 watchers, events created meanwhile: ${rates.ours.toFixed(0)} events/s, bare ${rates.theirs.toFixed(0)}/s: ${verdict(rates.ours / rates.theirs, 0.4)}`)
}

/** From 1,000 to 100,000 objects: a new server each, then one that starts over its store. */
async function measureGrowth(): Promise<void> {
  console.log(`${'objects'.padStart(9)} ${'create/s'.padStart(9)} ${'get/s'.padStart(8)} ${'list ms'.padStart(9)} ${'µs/object'.padStart(10)} ${'memory'.padStart(9)} ${'again: ms'.padStart(10)} ${'µs/object'.padStart(10)} ${'memory'.padStart(9)}`)
  for (const count of [1000, 10_000, 100_000]) {
    const folder = mkdtempSync(join(base, 'growth-'))
    for (const file of ['key.pem', 'cert.pem']) execFileSync('cp', [join(base, file), folder])
    const side = await startSide('skiff', folder)
    const begun = performance.now()
    await side.ask({ do: 'fill', kind: 'configmaps', from: 0, to: count })
    const filled = performance.now() - begun
    const { perSecond } = await measure(side, `/api/v1/namespaces/default/configmaps/${nameOf(7)}`)
    const listed = performance.now()
    await fetchText(side, '/api/v1/namespaces/default/configmaps')
    const list = performance.now() - listed
    const { rss } = await side.ask<Usage>({ do: 'collect' })
    await side.end()
    const again = await startSide('skiff', folder)
    const later = await again.ask<Usage>({ do: 'collect' })
    await again.end()
    const columns = [[count.toLocaleString('en'), 9], [(count / filled * 1000).toFixed(0), 9], [perSecond.toFixed(0), 8], [list.toFixed(0), 9], [(list / count * 1000).toFixed(1), 10], [megabytes(rss), 9], [again.filled.toFixed(0), 10], [(again.filled / count * 1000).toFixed(1), 10], [megabytes(later.rss), 9]] as const
    console.log(columns.map(([text, width]) => text.padStart(width)).join(' '))
  }
}

async function main(): Promise<void> {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj', '/CN=localhost', '-keyout', join(base, 'key.pem'), '-out', join(base, 'cert.pem')], { stdio: 'ignore' })
  const [skiff, bare] = [await startSide('skiff'), await startSide('bare')]
  const empty = await skiff.ask<Usage>({ do: 'usage' })
  await skiff.ask({ do: 'fill', kind: 'pods', from: 0, to: pods })
  await skiff.ask({ do: 'fill', kind: 'configmaps', from: 0, to: pods })
  const full = await skiff.ask<Usage>({ do: 'usage' })
  console.log(`resident memory: ${megabytes(empty.rss)} empty, ${megabytes(full.rss)} after 3,000 pods and 3,000 ConfigMaps (target 250 MB)`)
  await measureCalls(skiff, bare)
  if (!onlyCall) await measureFanOut(skiff, bare)
  const after = await skiff.ask<Usage>({ do: 'usage' })
  const collected = await skiff.ask<Usage>({ do: 'collect' })
  console.log(`resident memory after all of this: ${megabytes(after.rss)}, ${megabytes(collected.rss)} once collected`)
  await skiff.end()
  await bare.end()
  if (!profile && !onlyCall) await measureGrowth()
}

try {
  await main()
} finally {
  rmSync(base, { recursive: true, force: true })
}
