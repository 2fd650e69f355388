import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseDockerfile, parsePairs, splitWords, substitute } from './dockerfile.ts'
import { copyTree, resolveInside } from './rootfs.ts'

describe('a Dockerfile', () => {
  it('is read instruction by instruction, with continued lines, comments and flags', () => {
    const parsed = parseDockerfile('# note\nARG V=1\nFROM debian:$V AS base\nRUN a \\\n  # in between\n  && b\nCOPY --from=base --chmod=755 /x /y\nCMD ["sh", "-c", "x"]\n')
    expect(parsed.map((i) => [i.name, i.line])).toEqual([['ARG', 2], ['FROM', 3], ['RUN', 4], ['COPY', 7], ['CMD', 8]])
    expect(parsed[2]?.text).toBe('a   && b')
    expect(parsed[3]?.flags).toEqual({ from: 'base', chmod: '755' })
    expect(parsed[4]?.words).toEqual(['sh', '-c', 'x'])
  })

  it('is refused with the line that is wrong', () => {
    expect(() => parseDockerfile('FROM scratch\nHEALTHCHECK NONE\n')).toThrow('Dockerfile line 2: HEALTHCHECK is not supported')
    expect(() => parseDockerfile('FROM scratch\nENV\n')).toThrow('line 2: ENV needs something after it')
    expect(() => parseDockerfile('FROM scratch\nRUN --mount=type=cache,target=/c x\n')).toThrow('Dockerfile line 2: RUN --mount is not supported')
    expect(() => parseDockerfile('RUN x\n')).toThrow('there is no FROM')
  })

  it('has words, pairs and variables as a shell has', () => {
    expect(splitWords(`a "b c" 'd e' f\\ g`)).toEqual(['a', 'b c', 'd e', 'f g'])
    expect(parsePairs('A=1 B="2 3"')).toEqual([['A', '1'], ['B', '2 3']])
    expect(parsePairs('A some words')).toEqual([['A', 'some words']])
    expect(substitute('$A-${B:-x}-${A:+y}-\\$A', { A: '1' })).toBe('1-x-y-$A')
  })
})

describe('a root file system', () => {
  let dir: string
  beforeEach(() => void (dir = mkdtempSync(join(tmpdir(), 'skiff-rootfs-'))))
  afterEach(() => rmSync(dir, { recursive: true, force: true }))

  it('keeps every path inside, whatever its links say', async () => {
    symlinkSync('/etc', join(dir, 'absolute'))
    symlinkSync('../../..', join(dir, 'up'))
    expect(await resolveInside(dir, '/absolute/passwd')).toBe(join(dir, 'etc/passwd'))
    expect(await resolveInside(dir, 'up/up/x')).toBe(join(dir, 'x'))
    expect(await resolveInside(dir, '../../etc')).toBe(join(dir, 'etc'))
  })

  it('refuses links that go in circles', async () => {
    symlinkSync('b', join(dir, 'a'))
    symlinkSync('a', join(dir, 'b'))
    await expect(resolveInside(dir, 'a')).rejects.toThrow('too many symbolic links')
  })

  it('copies trees with their modes and links, without what is ignored', async () => {
    mkdirSync(join(dir, 'from/sub'), { recursive: true })
    writeFileSync(join(dir, 'from/sub/run'), 'x', { mode: 0o755 })
    writeFileSync(join(dir, 'from/secret'), 'x')
    symlinkSync('sub/run', join(dir, 'from/link'))
    await copyTree(join(dir, 'from'), join(dir, 'to'), { ignore: (path) => path.endsWith('secret') })
    expect(readFileSync(join(dir, 'to/link'), 'utf8')).toBe('x')
    expect(() => readFileSync(join(dir, 'to/secret'))).toThrow()
  })
})
