import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, describe, expect, it } from 'vitest'
import { openLmdbStore } from '../../src/store/lmdb.ts'
import { writer } from './store-storm.ts'

const base = mkdtempSync(join(tmpdir(), 'skiff-store-disk-'))
const mounts: string[] = []
afterEach(() => { for (const mount of mounts.splice(0)) execFileSync('umount', ['--lazy', mount]) })
afterAll(() => rmSync(base, { recursive: true, force: true }))

/** A small file system of its own; needs root. */
function fileSystem(name: string, size: string): string {
  const path = join(base, name)
  mkdirSync(path)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path])
  mounts.push(path)
  return path
}
const remount = (path: string, options: string) => execFileSync('mount', ['-o', `remount,${options}`, path])

const put = (key: string, size: number) => ({ op: 'put', key, value: Buffer.alloc(size, key) }) as const

describe.skipIf(process.getuid?.() !== 0)('a store on a disk that gives trouble', () => {
  it('refuses writes while the disk is full and the journal too, loses nothing, and goes on when there is space', async () => {
    const path = fileSystem('full', '12m')
    const store = await openLmdbStore({ path })
    const kept: number[] = []
    const fill = async () => { for (let i = 0; i < 400; i++) kept.push((await store.commit({ writes: [put(`k${i}`, 50_000)] })).revision) }
    await expect(fill()).rejects.toThrow(`cannot write to ${path}: No space left on device`)
    expect(kept.length).toBeGreaterThan(100)
    expect(await store.revision()).toBe(kept.at(-1))
    expect((await store.range('')).count).toBe(kept.length)
    await expect(store.commit({ writes: [put('more', 50_000)] })).rejects.toThrow('cannot write')
    remount(path, 'size=60m')
    expect(await store.commit({ writes: [put('after', 50_000)] })).toEqual({ committed: true, revision: kept.at(-1)! + 1 })
    await store.close()
    const again = await openLmdbStore({ path })
    expect((await again.range('')).count).toBe(kept.length + 1)
    await again.close()
  })

  it('has every acknowledged write when it is killed while the disk is full, and can be read before there is space', async () => {
    const path = fileSystem('killed', '12m')
    const script = `
      const { openLmdbStore } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/store/lmdb.ts'))})
      const store = await openLmdbStore({ path: ${JSON.stringify(path)} })
      let kept = 0
      try {
        for (;;) await store.commit({ writes: [{ op: 'put', key: 'k' + kept++, value: Buffer.alloc(50_000, 'x') }] })
      } catch {
        process.stdout.write(String(kept - 1), () => process.kill(process.pid, 'SIGKILL'))
        await new Promise(() => setInterval(() => {}, 1000))
      }`
    const ran = spawnSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
    expect(ran.signal, ran.stderr).toBe('SIGKILL')
    await expect(openLmdbStore({ path })).rejects.toThrow(`the data directory ${path} cannot be written (ENOSPC): make room there`)
    remount(path, 'size=12300k')
    const store = await openLmdbStore({ path })
    expect((await store.range('')).count).toBe(Number(ran.stdout))
    expect(await store.revision()).toBe(Number(ran.stdout) + 1)
    await expect(store.compact(await store.revision())).rejects.toThrow('No space left on device')
    remount(path, 'size=60m')
    expect(await store.commit({ writes: [put('after', 50_000)] })).toEqual({ committed: true, revision: Number(ran.stdout) + 2 })
    await store.close()
  })

  it('opens where there is no room for a journal, and writes when there is', async () => {
    const path = fileSystem('small', '2m')
    const store = await openLmdbStore({ path })
    for (let i = 0; i < 3; i++) await expect(store.commit({ writes: [put('a', 10)] })).rejects.toThrow(`cannot write to ${path}: No space left on device`)
    expect((await store.range('')).count).toBe(0)
    remount(path, 'size=20m')
    expect(await store.commit({ writes: [put('a', 10)] })).toEqual({ committed: true, revision: 2 })
    await store.close()
  })

  it('says so when the directory is read-only', async () => {
    const path = fileSystem('read-only', '4m')
    await (await openLmdbStore({ path })).close()
    remount(path, 'ro')
    await expect(openLmdbStore({ path })).rejects.toThrow(`the data directory ${path} cannot be written (EROFS): make it writable`)
  })
})

describe('a store that somebody else has', () => {
  it('is refused with the process that has it, and taken over once that is dead', async () => {
    const path = join(base, 'taken')
    const child = spawn(process.execPath, [writer, path, '1'], { stdio: ['ignore', 'pipe', 'inherit'] })
    await new Promise((resolve) => child.stdout.once('data', resolve))
    await expect(openLmdbStore({ path })).rejects.toThrow(`the data directory ${path} is in use by process ${child.pid}: stop that process, or name another data directory`)
    const gone = new Promise((resolve) => child.once('close', resolve))
    child.kill('SIGKILL')
    await gone
    await (await openLmdbStore({ path })).close()
  })
})

const straced = spawnSync('strace', ['-V']).status === 0

describe.skipIf(!straced)('an acknowledgement', () => {
  it('comes after its record was written to a file that is written through; lmdb has it later, data before the root page', () => {
    const trace = join(base, 'trace')
    const script = `
      import { writeSync } from 'node:fs'
      const { openLmdbStore } = await import(${JSON.stringify(join(import.meta.dirname, '../../src/store/lmdb.ts'))})
      const store = await openLmdbStore({ path: ${JSON.stringify(join(base, 'traced'))} })
      for (let i = 0; i < 5; i++) {
        writeSync(2, 'asked\\n')
        await store.commit({ writes: [{ op: 'put', key: 'k' + i, value: Buffer.alloc(9000, 'x') }] })
        writeSync(2, 'acknowledged\\n')
      }
      await store.close()`
    const ran = spawnSync('strace', ['-f', '-y', '-e', 'trace=write,pwrite64,pwritev,writev,fdatasync,fsync,msync,openat', '-o', trace, process.execPath, '--input-type=module', '-e', script], { encoding: 'utf8' })
    expect(ran.status, ran.stderr).toBe(0)
    const lines = readFileSync(trace, 'utf8').split('\n')
    // A call that another thread's interrupts in the trace is there twice: what is written to the disk counts when it is done, what is said when it begins.
    const begun = new Map<string, string>()
    const steps = lines.flatMap((line) => {
      const [, thread = '', text = ''] = /^(\d+)\s+(.*)$/.exec(line) ?? []
      if (text.includes('"asked')) return ['asked']
      if (text.includes('"acknowledged')) return ['acknowledged']
      if (text.endsWith(' <unfinished ...>')) begun.set(thread, text.slice(0, -' <unfinished ...>'.length))
      const call = text.startsWith('<... ') ? `${begun.get(thread)}${text.slice(text.indexOf('>') + 1)}` : text
      if (/^pwrite64\(\d+<.*journal\.0>.*, (\d+), \d+\) = \1$/.test(call)) return ['recorded']
      if (/^fdatasync\(\d+<.*data\.mdb>\)/.test(call)) return ['flushed']
      if (/^pwrite64\(\d+<.*data\.mdb>.*, 128, \d+\)/.test(call)) return ['root']
      return []
    })
    const asked = steps.slice(steps.indexOf('asked'))
    expect(asked.filter((step) => step !== 'flushed' && step !== 'root')).toEqual(Array.from({ length: 5 }, () => ['asked', 'recorded', 'acknowledged']).flat())
    // The journal is begun before anything is in it; at the end lmdb takes what is in it, and then says that it is empty.
    expect(asked.slice(1, 4)).toEqual(['flushed', 'root', 'recorded'])
    expect(asked.slice(-4)).toEqual(['flushed', 'root', 'flushed', 'root'])
    for (const file of ['data.mdb', 'journal.0', 'journal.1']) expect(lines.some((line) => line.includes(`/${file}"`) && line.includes('O_DSYNC')), file).toBe(true)
    expect(lines.some((line) => /\bf(data)?sync\(.*journal\.1>/.test(line))).toBe(true)
  })
})
