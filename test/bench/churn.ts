/**
 * An hour of an ordinary cluster's life: objects are created, patched and deleted at a steady rate while watchers look on, and nothing may
 * grow. Run: `node test/bench/churn.ts [minutes, default 60 [objects per second, default 50]]`. Prints a line per minute; fails when the
 * resident memory of the server at the end is more than a tenth above what it was when the store had compacted its history twice, which takes
 * ten minutes; in a shorter run, after a third of it. `in pages`: how much of it are pages of files, the store's above all.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { core } from '../../src/api/index.ts'
import type { Client } from '../../src/client/client.ts'
import { createHttpsClient } from '../../src/client/https.ts'
import { benchNamespace, configMapOf, inTurns, nameOf, podOf } from './_api-objects.ts'
import type { Usage } from './_api-server.ts'
import { startSide } from './_api-sides.ts'

const minutes = Number(process.argv[2] ?? 60)
const perSecond = Number(process.argv[3] ?? 50)
const watchers = 20
/** What there is all the time. */
const standing = 1000
/** Minutes until as much history comes as is forgotten. */
const settled = 12
/** How much more memory there may be at the end. */
const allowed = 0.1
const base = mkdtempSync(join(tmpdir(), 'skiff-bench-churn-'))

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`
const sleep = (ms: number) => new Promise<void>((resolve) => void setTimeout(resolve, ms))
const counts = { writes: 0, events: 0, broken: 0 }

/** Counts events, as informers do that start again where they were when their watch ends. */
async function watch(client: Client, signal: AbortSignal, from: string): Promise<void> {
  let resourceVersion = from
  while (!signal.aborted) {
    try {
      for await (const { object } of client.watch(core.pods, { namespace: benchNamespace, resourceVersion, allowBookmarks: true, signal })) {
        resourceVersion = object.metadata.resourceVersion ?? resourceVersion
        counts.events++
      }
    } catch (error) {
      if (signal.aborted) return
      counts.broken++
      if ((error as { code?: unknown }).code === 410) resourceVersion = (await client.list(core.pods, { namespace: benchNamespace, limit: 1 })).metadata.resourceVersion ?? ''
    }
  }
}

/** Lives one life; a connection that breaks, as those of a starved machine do, is counted. */
async function tryLife(client: Client, i: number): Promise<void> {
  try {
    await life(client, i)
  } catch (error) {
    if (typeof (error as { code?: unknown }).code === 'number') throw error
    counts.broken++
  }
}

/** The life of one object: made, patched twice, deleted. */
async function life(client: Client, i: number): Promise<void> {
  const patch = (n: number) => ({ type: 'merge', body: { metadata: { annotations: { n: String(n) } } } }) as const
  const name = `churn-${i}`
  const options = { namespace: benchNamespace }
  if (i % 2 === 0) {
    await client.create(core.pods, podOf({ name }))
    for (const n of [1, 2]) await client.patch(core.pods, name, patch(n), options)
    await client.delete(core.pods, name, { ...options, gracePeriodSeconds: 0 })
  } else {
    await client.create(core.configmaps, configMapOf(name))
    for (const n of [1, 2]) await client.patch(core.configmaps, name, patch(n), options)
    await client.delete(core.configmaps, name, options)
  }
  await client.patch(core.pods, nameOf(i % standing), patch(i), options)
  counts.writes += 5
}

async function main(): Promise<boolean> {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1', '-subj', '/CN=localhost', '-keyout', join(base, 'key.pem'), '-out', join(base, 'cert.pem')], { stdio: 'ignore' })
  const side = await startSide('skiff', base)
  const client = createHttpsClient({ server: side.url, token: side.token, insecure: true })
  const stop = new AbortController()
  await inTurns(0, standing, (i) => client.create(core.pods, podOf({ name: nameOf(i) })))
  const { resourceVersion = '' } = (await client.list(core.pods, { namespace: benchNamespace, limit: 1 })).metadata
  const watching = Array.from({ length: watchers }, () => watch(client, stop.signal, resourceVersion))

  const samples: number[] = []
  const begun = performance.now()
  const elapsed = () => (performance.now() - begun) / 60_000
  console.log(`${'minute'.padStart(7)} ${'writes'.padStart(9)} ${'events'.padStart(9)} ${'memory'.padStart(9)} ${'in pages'.padStart(9)} ${'heap'.padStart(9)} ${'loop p99'.padStart(9)} ${'cpu'.padStart(6)}`)
  const sample = async () => {
    // Without what waits to be collected: garbage comes and goes.
    const { rss, pages, heap, delayP99, cpu } = await side.ask<Usage>({ do: 'collect' })
    samples.push(rss)
    const percent = (cpu / 1e6 / (elapsed() * 60 - lastSample) * 100).toFixed(0)
    lastSample = elapsed() * 60
    console.log(`${elapsed().toFixed(1).padStart(7)} ${String(counts.writes).padStart(9)} ${String(counts.events).padStart(9)} ${megabytes(rss).padStart(9)} ${megabytes(pages).padStart(9)} ${megabytes(heap).padStart(9)} ${`${delayP99.toFixed(1)}ms`.padStart(9)} ${`${percent}%`.padStart(6)}`)
  }
  let lastSample = 0
  let next = 0
  const step = Math.min(60, minutes * 6)
  for (let tick = 1; elapsed() < minutes; tick++) {
    while (elapsed() * 60 < tick * step) {
      const due = Math.floor(elapsed() * 60 * perSecond / 5)
      if (next < due) await inTurns(next, next = due, (i) => tryLife(client, i))
      await sleep(100)
    }
    await sample()
  }
  stop.abort()
  await Promise.all(watching)
  client.close()
  await side.end()
  const first = samples[Math.floor(samples.length * (minutes > 1.5 * settled ? settled / minutes : 1 / 3))]!
  const last = Math.min(...samples.slice(-3))
  const growth = last / first - 1
  console.log(`${counts.writes} writes and ${counts.events} events in ${minutes} minutes, ${counts.broken} connections broken: from ${megabytes(first)} to ${megabytes(last)}, ${(growth * 100).toFixed(1)} % (at most ${allowed * 100} %${growth > allowed ? ', EXCEEDED' : ''})`)
  return growth <= allowed
}

try {
  process.exitCode = (await main()) ? 0 : 1
} finally {
  rmSync(base, { recursive: true, force: true })
}
