/** The journal, hit where it hurts: strace ends the process at one particular system call on one of the store's files, or lets the call fail. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { openLmdbStore } from '../../src/store/lmdb.ts'
import { expectWhole, storm } from './store-storm.ts'
import type { Storm } from './store-storm.ts'

const base = mkdtempSync(join(tmpdir(), 'skiff-store-journal-'))
afterAll(() => rmSync(base, { recursive: true, force: true }))

const straced = spawnSync('strace', ['-V']).status === 0
const journalBytes = 64 * 1024
const calls = 'pwrite64,pwritev,fdatasync,fsync'
const upTo = (most: number) => 1 + Math.floor(Math.random() * most)
/** Ends the process when it makes its nth call of this kind on one of these files. */
const endedAt = (path: string, files: readonly string[], nth: number) =>
  [...files.flatMap((file) => ['-P', join(path, file)]), '-e', `trace=${calls}`, '-e', `inject=${calls}:signal=SIGKILL:when=${nth}`]

const both = (a: Storm, b: Storm): Storm => ({ acknowledged: new Map([...a.acknowledged, ...b.acknowledged]), compacted: Math.max(a.compacted, b.compacted) })

describe.skipIf(!straced)('a store whose process is killed at one call', { timeout: 120_000 }, () => {
  it.each([
    ['while records are written and the files of the journal take turns', ['journal.0', 'journal.1'], 60],
    ['while lmdb takes what is in the journal', ['data.mdb'], 40],
  ] as const)('%s, has every acknowledged write', async (name, files, most) => {
    const path = join(base, name)
    let newest = 1
    for (let round = 0; round < 8; round++) {
      newest = await expectWhole(path, await storm({ path, width: 8, journalBytes, strace: endedAt(path, files, upTo(most)) }), newest)
    }
  })

  it('while it takes up what the one before it left, again and again, has every acknowledged write', async () => {
    const path = join(base, 'again')
    let newest = 1
    for (let round = 0; round < 4; round++) {
      let all = await storm({ path, width: 8, journalBytes, killAfter: 50 + Math.random() * 100 })
      for (let next = 0; next < 3; next++) all = both(all, await storm({ path, width: 8, journalBytes, strace: endedAt(path, ['data.mdb'], upTo(6)) }))
      newest = await expectWhole(path, all, newest)
    }
  })
})

/**
 * Commits six times, one after the other, while the nth write to the journal fails; says of each what came of it, and is killed.
 * One thread writes for it, since strace counts the calls of each.
 */
function withFailure(path: string, error: string, nth: string): string[] {
  const script = `
    const { openLmdbStore } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/store/lmdb.ts'))})
    const store = await openLmdbStore({ path: ${JSON.stringify(path)} })
    const said = []
    for (let i = 0; i < 6; i++) {
      await store.commit({ writes: [{ op: 'put', key: 'k' + i, value: Buffer.alloc(9000, 'x') }] }).then(({ revision }) => said.push(String(revision)), (error) => said.push(error.message))
    }
    said.push((await store.range('')).entries.map((e) => e.key).join(' '))
    process.stdout.write(said.join('\\n'), () => process.kill(process.pid, 'SIGKILL'))
    await new Promise(() => setInterval(() => {}, 1000))`
  const args = ['-f', '-qq', '-o', '/dev/null', '-P', join(path, 'journal.0'), '-e', 'trace=pwrite64', '-e', `inject=pwrite64:error=${error}:when=${nth}`]
  const ran = spawnSync('strace', [...args, process.execPath, '--input-type=module', '-e', script], { encoding: 'utf8', env: { ...process.env, UV_THREADPOOL_SIZE: '1' } })
  expect(ran.signal, ran.stderr).toBe('SIGKILL')
  return ran.stdout.split('\n')
}

describe.skipIf(!straced)('a write to the journal that fails', () => {
  it('for want of space is refused, and those after it are not', async () => {
    const path = join(base, 'space')
    const refused = `cannot write to ${path}: No space left on device`
    // The second of these is the attempt to strike out what the first may have left.
    expect(withFailure(path, 'ENOSPC', '3..4')).toEqual(['2', '3', refused, '4', '5', '6', 'k0 k1 k3 k4 k5'])
    const store = await openLmdbStore({ path })
    expect((await store.range('')).entries.map((e) => `${e.key}@${e.modRevision}`)).toEqual(['k0@2', 'k1@3', 'k3@4', 'k4@5', 'k5@6'])
    await store.close()
  })

  it('for any other reason is refused with all that come after it, until the store is opened again', async () => {
    const path = join(base, 'error')
    const said = withFailure(path, 'EIO', '3')
    expect(said.slice(0, 3)).toEqual(['2', '3', `cannot write to ${path}: EIO: i/o error, write`])
    for (const refused of said.slice(3, 6)) expect(refused).toBe(`cannot write to ${path}: EIO: i/o error, write; restart to see what the disk holds`)
    expect(said[6]).toBe('k0 k1')
    const store = await openLmdbStore({ path })
    expect(await store.commit({ writes: [{ op: 'put', key: 'on', value: Buffer.from('x') }] })).toEqual({ committed: true, revision: 4 })
    expect((await store.range('')).entries.map((e) => e.key)).toEqual(['k0', 'k1', 'on'])
    await store.close()
  })
})
