import { lstat, mkdir, mkdtemp, readFile, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { writeAtomically, type FileProjection } from './atomic-writer.ts'
import { hostPath } from './host-path.ts'

let directory = ''
beforeEach(async () => { directory = await mkdtemp(join(tmpdir(), 'skiff-volumes-')) })
afterEach(() => rm(directory, { recursive: true }))
const files = (entries: Record<string, string>, mode = 0o644) => new Map<string, FileProjection>(Object.entries(entries).map(([path, text]) => [path, { data: Buffer.from(text), mode }]))

describe('volumes that show API objects', () => {
  it('hold symlinks through ..data, so that an update is seen whole or not at all', async () => {
    const volume = join(directory, 'v')
    expect(await writeAtomically(volume, files({ a: '1', 'deep/b': '2' }))).toBe(true)
    expect(await readlink(join(volume, 'a'))).toBe('..data/a')
    expect(await readlink(join(volume, 'deep'))).toBe('..data/deep')
    expect(await readFile(join(volume, 'deep/b'), 'utf8')).toBe('2')
    const first = await readlink(join(volume, '..data'))
    expect(await writeAtomically(volume, files({ a: '1', 'deep/b': '2' }))).toBe(false)
    expect(await writeAtomically(volume, files({ a: '3', c: '4' }))).toBe(true)
    expect(await readFile(join(volume, 'a'), 'utf8')).toBe('3')
    expect(await readlink(join(volume, '..data'))).not.toBe(first)
    expect((await readdir(volume)).filter((name) => !name.startsWith('..')).toSorted()).toEqual(['a', 'c'])
    expect((await readdir(volume)).filter((name) => /^\.\.\d/.test(name))).toHaveLength(1)
  })

  it('keep the modes they were given', async () => {
    await writeAtomically(directory, files({ secret: 'x' }, 0o400))
    expect((await stat(join(directory, 'secret'))).mode & 0o777).toBe(0o400)
    expect((await lstat(join(directory, 'secret'))).isSymbolicLink()).toBe(true)
  })

  it('never write outside themselves', async () => {
    await expect(writeAtomically(directory, files({ '../x': '1' }))).rejects.toThrow('must not contain ".."')
    await expect(writeAtomically(directory, files({ '/x': '1' }))).rejects.toThrow('must be relative')
  })
})

describe('hostPath', () => {
  it('checks or makes what its type says', async () => {
    const path = join(directory, 'x')
    await expect(hostPath({ path, type: 'Directory' })).rejects.toThrow(`hostPath type check failed: ${path} is not a directory`)
    expect(await hostPath({ path, type: 'DirectoryOrCreate' })).toBe(path)
    expect((await stat(path)).isDirectory()).toBe(true)
    await writeFile(join(directory, 'f'), '')
    await expect(hostPath({ path: join(directory, 'f'), type: 'Socket' })).rejects.toThrow('is not a socket file')
    await mkdir(join(directory, 'd'))
    await expect(hostPath({ path: join(directory, 'd'), type: 'FileOrCreate' })).rejects.toThrow('is not a file')
    expect(await hostPath({ path: join(directory, 'anything') })).toBe(join(directory, 'anything'))
  })
})
