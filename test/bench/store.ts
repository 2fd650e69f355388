/**
 * The store beside what lmdb itself does with the same bytes: commits per second with so many callers at once, and reads.
 * `raw` puts as many values as there are callers into one lmdb transaction and waits for the flush. The processor time is that of
 * all threads, and so has in it what the store moves into lmdb later.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from 'lmdb'
import { openLmdbStore } from '../../src/store/lmdb.ts'

const base = mkdtempSync(join(tmpdir(), 'skiff-bench-store-'))
const seconds = 2
const value = Buffer.alloc(1500, 'x')
const keyOf = (n: number) => `/registry/pods/default/pod-${n % 5000}`

/** Runs rounds of so many operations for a while, after a while for warming up; gives operations per second, the median round in milliseconds, and microseconds of processor time for each operation. */
async function measure(width: number, round: () => Promise<unknown>): Promise<{ rate: number; p50: number; cpu: number }> {
  const times: number[] = []
  const warm = performance.now() + seconds * 500
  while (performance.now() < warm) await round()
  const before = process.cpuUsage()
  const end = performance.now() + seconds * 1000
  for (let began = performance.now(); began < end; began = performance.now()) {
    await round()
    times.push(performance.now() - began)
  }
  const { user, system } = process.cpuUsage(before)
  times.sort((a, b) => a - b)
  return { cpu: (user + system) / (times.length * width), rate: (times.length * width * 1000) / times.reduce((sum, t) => sum + t, 0), p50: times[times.length >> 1]! }
}

async function raw(width: number) {
  const db = open<Buffer, string>({ path: join(base, `raw-${width}`), encoding: 'binary', overlappingSync: false, eventTurnBatching: false })
  let n = 0
  const result = await measure(width, () => db.batch(() => { for (let i = 0; i < width; i++) void db.put(keyOf(n++), value) }))
  await db.close()
  return result
}

/** Each caller waits for its own commit before it makes the next. */
async function commits(width: number) {
  const store = await openLmdbStore({ path: join(base, `store-${width}`) })
  let n = 0
  const result = await measure(width, () => Promise.all(Array.from({ length: width }, () => store.commit({ writes: [{ op: 'put', key: keyOf(n++), value }] }))))
  await store.close()
  return result
}

const whole = (n: number) => Math.round(n).toLocaleString('en').padStart(9)
console.log('commits of 1.5 kB    store/s     raw/s   share   store p50   raw p50   store cpu   raw cpu')
for (const width of [1, 16, 256]) {
  const [own, floor] = [await commits(width), await raw(width)]
  console.log(`${String(width).padStart(5)} at once       ${whole(own.rate)} ${whole(floor.rate)}   ${(own.rate / floor.rate).toFixed(2)}   ${own.p50.toFixed(2).padStart(6)} ms ${floor.p50.toFixed(2).padStart(6)} ms   ${own.cpu.toFixed(0).padStart(6)} µs ${floor.cpu.toFixed(0).padStart(6)} µs`)
}

const store = await openLmdbStore({ path: join(base, 'reads') })
for (let b = 0; b < 10; b++) await store.commit({ writes: Array.from({ length: 1000 }, (_, i) => ({ op: 'put', key: `/r/${b * 1000 + i}`, value }) as const) })
const get = await measure(100, async () => { for (let i = 0; i < 100; i++) await store.get(`/r/${i * 97}`) })
const list = await measure(1, () => store.range('/r/'))
const page = await measure(1, () => store.range('/r/', { limit: 500, after: '/r/3' }))
console.log(`get ${whole(get.rate)}/s   range of 10,000 in ${list.p50.toFixed(1)} ms   page of 500 of them in ${page.p50.toFixed(2)} ms`)

let seen = 0
const total = 20_000
const watching = (async () => { for await (const batch of store.watch('/w/')) if ((seen += batch.changes.length) >= total) return })()
const began = performance.now()
for (let i = 0; i < total / 200; i++) await Promise.all(Array.from({ length: 200 }, (_, k) => store.commit({ writes: [{ op: 'put', key: `/w/${i * 200 + k}`, value }] })))
await watching
console.log(`a watcher sees ${whole((total * 1000) / (performance.now() - began))} changes/s, as fast as they are committed`)
const [revision, before] = [await store.revision(), performance.now()]
await store.compact(revision)
console.log(`compaction of ${whole(total)} revisions in ${(performance.now() - before).toFixed(0)} ms, ${(await store.size() / 2 ** 20).toFixed(0)} MB on disk`)
await store.close()
rmSync(base, { recursive: true, force: true })
