/**
 * What the API costs: calls over HTTPS beside a bare Node HTTPS server that sends the same bytes, or flushes them to disk before it
 * answers; events to many watchers; memory; the delay of the event loop; and how all of it grows with the number of objects.
 * Run: `node test/bench/api.ts [seconds per measurement [part of a call's name]] [--peer KUBECONFIG [--peer-pid PID]...]`. With a peer, the same
 * load goes to that cluster instead of the bare server; the processes named are those of it on this machine whose memory and time count. Needs wrk, curl and openssl (Debian: `apt-get install wrk curl openssl`).
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { calls, deleteAll, fanOut, fanOutEvents, fetchText, load, revisionOf, scriptOf, type Call, type Rate } from './_api-load.ts'
import { collection, doomed, nameOf, pods } from './_api-objects.ts'
import { measureGrowth } from './_api-growth.ts'
import type { Usage } from './_api-server.ts'
import { measureForms, measureTogether } from './_api-together.ts'
import { connectPeer, profile, startSide, type Side } from './_api-sides.ts'

const { positionals, values } = parseArgs({ allowPositionals: true, options: { peer: { type: 'string' }, 'peer-pid': { type: 'string', multiple: true } } })
const seconds = Number(positionals[0] ?? 3)
/** Measures only calls whose name has this in it, and leaves the rest out. */
const onlyCall = positionals[1] ?? ''
/** The two sides take turns this many times and each shows its best: whatever else the machine does comes and goes. */
const rounds = 3
const base = mkdtempSync(join(tmpdir(), 'skiff-bench-api-'))

const verdict = (ratio: number, target: number) => `${ratio.toFixed(2)} (target ${target}${ratio < target ? ', MISSED' : ''})`
const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`
const line = (columns: readonly (readonly [text: string, width: number])[]) => columns.map(([text, width]) => text.padStart(width)).join(' ')

interface Measured extends Rate {
  /** Microseconds of processor time per call, all threads; undefined for a peer, which nobody asks. */
  readonly cpu: number | undefined
  /** Milliseconds. */
  readonly delayP99: number | undefined
}

async function measureOnce(side: Side, call: Call, path?: string): Promise<Measured> {
  if (call.deletes && path === undefined) await side.ask({ do: 'fill', kind: 'doomed', from: 0, to: doomed })
  await side.ask({ do: 'usage' })
  const rate = call.deletes ? await deleteAll(side, path) : await load(side, path ?? call.path, seconds, scriptOf(call, base), 0, side.isPeer && call.code === 201)
  const { delayP99, cpu } = await side.ask<Partial<Usage>>({ do: 'usage' })
  return { ...rate, delayP99, cpu: cpu === undefined ? undefined : cpu / rate.requests }
}

const better = (a: Measured | undefined, b: Measured): Measured => (a && a.perSecond > b.perSecond ? a : b)

/** The best of some rounds of both sides in turn; the processor time is the least of any round. */
async function inRounds(ours: () => Promise<Measured>, theirs: () => Promise<Measured>): Promise<readonly [ours: Measured, theirs: Measured]> {
  const best: Measured[] = []
  const cpu = [Infinity, Infinity]
  for (let i = 0; i < rounds; i++) {
    for (const [at, measure] of [ours, theirs].entries()) {
      const now = await measure()
      best[at] = better(best[at], now)
      cpu[at] = Math.min(cpu[at]!, now.cpu ?? Infinity)
    }
  }
  const collisions = best[1]!.collisions ?? 0
  if (collisions > 0) console.log(`(${collisions} creates refused by the peer because it made up the same name twice: not counted)`)
  return best.map((measured, at) => ({ ...measured, cpu: measured.cpu === undefined ? undefined : cpu[at] })) as never
}

const columnsOf = ({ perSecond, p50, p99, cpu, delayP99 }: Measured) => [
  [perSecond.toFixed(0), 8], [p50, 9], [p99, 9], [cpu === undefined ? '' : `${cpu.toFixed(0)}µs`, 8], [delayP99 === undefined ? '' : `${delayP99.toFixed(1)}ms`, 9],
] as const
const headOf = (name: string) => [[`${name}/s`, 8], ['p50', 9], ['p99', 9], ['cpu each', 8], ['loop p99', 9]] as const

const ratioOf = ({ bulk }: Call, ours: Rate, theirs: Rate) => (bulk ? ours.bytesPerSecond / theirs.bytesPerSecond : ours.perSecond / theirs.perSecond)

async function measureCalls(skiff: Side, other: Side, name: 'bare' | 'peer'): Promise<void> {
  console.log(`${'call'.padEnd(20)} ${line([['bytes', 8], ...headOf('skiff'), ...headOf(name)])}  of ${name}`)
  const one = await fetchText(skiff, `${collection}/${nameOf(7)}`)
  for (const call of calls.filter((c) => c.name.includes(onlyCall))) {
    const writes = call.script !== undefined || call.deletes === true
    const body = writes ? one : await fetchText(skiff, call.path)
    if (name === 'bare') await other.ask({ do: 'serve', code: call.code, body, durable: writes })
    const [ours, theirs] = await inRounds(() => measureOnce(skiff, call), () => (name === 'bare' ? measureOnce(other, call, '/') : measureOnce(other, call)))
    const ratio = ratioOf(call, ours, theirs)
    console.log(`${call.name.padEnd(20)} ${line([[String(Buffer.byteLength(body)), 8], ...columnsOf(ours), ...columnsOf(theirs)])}  ${name === 'bare' && call.target !== undefined ? verdict(ratio, call.target) : ratio.toFixed(2)}`)
  }
}

async function measureFanOut(skiff: Side, other: Side, name: 'bare' | 'peer'): Promise<void> {
  const frame = `{"type":"ADDED","object":${(await fetchText(skiff, `${collection}/${nameOf(7)}`)).trim()}}\n`
  const events = { do: 'events', count: fanOutEvents } as const
  const watchOf = async (side: Side) => `${collection}?watch=1&resourceVersion=${await revisionOf(side)}`
  let [ours, theirs] = [0, 0]
  for (let i = 0; i < rounds; i++) {
    theirs = Math.max(theirs, name === 'bare' ? await fanOut(other, '/?watch', () => other.ask({ ...events, frame })) : await fanOut(other, await watchOf(other), () => other.ask({ ...events, round: i })))
    ours = Math.max(ours, await fanOut(skiff, await watchOf(skiff), () => skiff.ask({ ...events, round: i })))
  }
  console.log(`300 events to 100 watchers, events created meanwhile: ${ours.toFixed(0)} events/s, ${name} ${theirs.toFixed(0)}/s: ${name === 'bare' ? verdict(ours / theirs, 0.4) : (ours / theirs).toFixed(2)}`)
}

async function fill(side: Side): Promise<void> {
  await side.ask({ do: 'fill', kind: 'pods', from: 0, to: pods })
  await side.ask({ do: 'fill', kind: 'configmaps', from: 0, to: pods })
}

async function besideBare(skiff: Side): Promise<void> {
  const bare = await startSide('bare', base)
  const empty = await skiff.ask<Usage>({ do: 'usage' })
  await fill(skiff)
  const full = await skiff.ask<Usage>({ do: 'usage' })
  console.log(`resident memory: ${megabytes(empty.rss)} empty, ${megabytes(full.rss)} after 3,000 pods and 3,000 ConfigMaps (target 250 MB)`)
  await measureCalls(skiff, bare, 'bare')
  if (!onlyCall || onlyCall === 'fan-out') await measureFanOut(skiff, bare, 'bare')
  if (!onlyCall || onlyCall === 'together') await measureTogether(skiff, base, seconds * 2)
  if (!onlyCall || onlyCall === 'together') await measureForms(skiff, seconds / 2)
  const after = await skiff.ask<Usage>({ do: 'usage' })
  // What is no longer needed is given back a little later.
  await skiff.ask({ do: 'collect' })
  await new Promise((resolve) => void setTimeout(resolve, 1000))
  const collected = await skiff.ask<Usage>({ do: 'collect' })
  const { rss, pages, heap, buffers } = collected
  console.log(`resident memory after all of this: ${megabytes(after.rss)}, ${megabytes(rss)} once collected: ${megabytes(pages)} pages of files, ${megabytes(heap)} heap, ${megabytes(buffers)} buffers`)
  await bare.end()
}

async function besidePeer(skiff: Side, kubeconfig: string): Promise<void> {
  const peer = await connectPeer(kubeconfig, (values['peer-pid'] ?? []).map(Number))
  const memory = async (when: string) => {
    const [ours, theirs] = [await skiff.ask<Usage>({ do: 'usage' }), await peer.ask<Partial<Usage>>({ do: 'usage' })]
    console.log(`resident memory ${when}: ${megabytes(ours.rss)}${theirs.rss === undefined ? '' : `, peer ${megabytes(theirs.rss)}: ${(ours.rss / theirs.rss).toFixed(2)}`}`)
  }
  try {
    await memory('when empty')
    await fill(skiff)
    await fill(peer)
    await memory('after 3,000 pods and 3,000 ConfigMaps')
    await measureCalls(skiff, peer, 'peer')
    if (!onlyCall || onlyCall === 'fan-out') await measureFanOut(skiff, peer, 'peer')
    await memory('after all of this')
  } finally {
    await peer.end()
  }
}

async function main(): Promise<void> {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj', '/CN=localhost', '-keyout', join(base, 'key.pem'), '-out', join(base, 'cert.pem')], { stdio: 'ignore' })
  const skiff = await startSide('skiff', base)
  await (values.peer === undefined ? besideBare(skiff) : besidePeer(skiff, values.peer))
  await skiff.end()
  if (!profile && !onlyCall && values.peer === undefined) await measureGrowth(base, seconds)
}

try {
  await main()
} finally {
  rmSync(base, { recursive: true, force: true })
}
