/** Secrets on disk: read from the store's files themselves, before and after rotations, and after a process was killed in the middle of them. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { core } from '../../src/api/index.ts'
import { rotateRunning, rotateStopped } from '../../src/cluster/encryption.ts'
import { systemClock } from '../../src/machinery/clock.ts'
import { quiet } from '../../src/machinery/log.ts'
import { addKey } from '../../src/store/encryption/keyring.ts'
import { readProgress } from '../../src/store/encryption/rotation.ts'
import { openLmdbStore } from '../../src/store/lmdb.ts'
import { freePort } from '../support/control-plane.ts'
import { killedPlane } from '../support/killed.ts'

const { dir, start, kill, remove } = killedPlane('encryption-kill')
const keys = join(dir, 'encryption')
const environment = { paths: { encryption: keys }, given: undefined, clock: systemClock, log: quiet }
afterAll(remove)

const count = 400
const value = (i: number) => `hush-${i}-${'never-to-be-read-on-disk-'.repeat(4)}`
const encoded = (i: number) => Buffer.from(value(i)).toString('base64')
const secret = (i: number, more: object = {}) => ({ metadata: { name: `s${i}`, namespace: 'default' }, data: { password: encoded(i), ...more } })
const keyFiles = () => readdirSync(keys).filter((name) => /^key\d+-[0-9a-f]{6}$/.test(name)).toSorted()

/** Everything that is in the database file and in the journal, pages that are free now included. */
const onDisk = () => Buffer.concat(['data.mdb', 'journal.0', 'journal.1'].map((file) => readFileSync(join(dir, 'store', file))))

function expectNothingReadable(): void {
  const bytes = onDisk()
  expect(bytes.includes('k8s:enc:aesgcm:v1:key')).toBe(true)
  for (const piece of ['never-to-be-read-on-disk', Buffer.from('never-to-be-read-on-disk-').toString('base64').slice(4, 20), encoded(7)]) expect(bytes.includes(piece), piece).toBe(false)
}

async function expectAllThere(client: Awaited<ReturnType<typeof start>>): Promise<void> {
  const { items } = await client.list(core.secrets, { namespace: 'default' })
  const found = new Map(items.map((s) => [s.metadata.name, s.data?.['password']]))
  for (let i = 0; i < count; i++) expect(found.get(`s${i}`), `s${i}`).toBe(encoded(i))
}

it('nothing of a secret is in the store\'s files: written, changed, deleted, compacted, rotated, or killed in between', async () => {
  const port = await freePort()
  let client = await start(port)
  for (let i = 0; i < count; i += 40) await Promise.all(Array.from({ length: 40 }, (_, j) => client.create(core.secrets, secret(i + j))))
  for (let i = 0; i < 40; i++) await client.update(core.secrets, secret(i, { more: encoded(i) }))
  await client.create(core.secrets, { metadata: { name: 'gone', namespace: 'default' }, stringData: { password: value(7) } })
  await client.delete(core.secrets, 'gone', { namespace: 'default' })
  await client.create(core.configmaps, { metadata: { name: 'plain', namespace: 'default' }, data: { text: 'this-may-be-read' } })
  expectNothingReadable()
  expect(onDisk().includes('this-may-be-read')).toBe(true)

  // While it runs: every secret is written anew, and a watch of the past still works.
  const { metadata } = await client.list(core.secrets, { namespace: 'default' })
  const { key, written } = await rotateRunning(environment)
  expect(written).toBeGreaterThanOrEqual(count)
  expectNothingReadable()
  let seen = 0
  for await (const event of client.watch(core.secrets, { namespace: 'default', resourceVersion: metadata.resourceVersion ?? '', signal: AbortSignal.timeout(20_000) })) {
    expect(event.type).toBe('MODIFIED')
    if (++seen === count) break
  }
  await expectAllThere(client)

  // Killed at some instant of a rotation, again and again.
  for (let round = 0; round < 4; round++) {
    const next = addKey(keys).name
    await new Promise((resolve) => setTimeout(resolve, round * 60))
    await kill()
    expect(keyFiles()).toContain(next)
    client = await start(port)
    await expect.poll(() => readProgress(keys)?.key, { timeout: 30_000 }).toBe(next)
    await expectAllThere(client)
  }
  expect(keyFiles().length).toBe(6)
  expect(keyFiles()).toContain(key)
  expectNothingReadable()

  // Down: the old keys go at once, and what is stored needs none of them.
  await kill()
  const store = await openLmdbStore({ path: join(dir, 'store') })
  const last = await rotateStopped(store, environment)
  await store.close()
  expect(keyFiles()).toEqual([last.key])
  client = await start(port)
  await expectAllThere(client)
  expectNothingReadable()
})
