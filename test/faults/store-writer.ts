/**
 * Writes to a store as hard as it can and says on standard output what was acknowledged, one line each, the moment it was:
 * `ack <revision> <key> <value or ->`. Killed by the tests, at moments they choose. Arguments: directory, number of writers,
 * bytes of each of the journal's files.
 */
import { writeSync } from 'node:fs'
import { openLmdbStore } from '../../src/store/lmdb.ts'

const [path = '', width = '16', journalBytes] = process.argv.slice(2)
const store = await openLmdbStore({ path, ...(journalBytes ? { journalBytes: Number(journalBytes) } : {}) })
const say = (line: string) => void writeSync(1, `${line}\n`)
say(`ready ${await store.revision()}`)

async function write(writer: number): Promise<never> {
  for (let n = 0; ; n++) {
    const key = `/storm/${writer}/${n % 20}`
    const value = `${process.pid}.${writer}.${n}.${'x'.repeat((n * 37) % 3000)}`
    const gone = n % 7 === 6
    const { committed, revision } = await store.commit({ writes: [gone ? { op: 'delete', key } : { op: 'put', key, value: Buffer.from(value) }, { op: 'put', key: `/count/${writer}`, value: Buffer.from(String(n)) }] })
    if (committed) say(`ack ${revision} ${key} ${gone ? '-' : value}`)
  }
}

async function compactNowAndThen(): Promise<never> {
  for (;;) {
    await new Promise((resolve) => setTimeout(resolve, 40))
    const to = (await store.revision()) - 500
    if (to <= (await store.compacted())) continue
    await store.compact(to)
    say(`compacted ${to}`)
  }
}

await Promise.all([...Array.from({ length: Number(width) }, (_, i) => write(i)), compactNowAndThen()])
