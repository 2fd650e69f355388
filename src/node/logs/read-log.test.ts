import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { parseLine } from './cri-log.ts'
import { readLog, type LogOptions } from './read-log.ts'

let directory = ''
let file = ''
beforeEach(async () => { directory = await mkdtemp(join(tmpdir(), 'skiff-log-')); file = join(directory, '0.log') })
afterEach(() => rm(directory, { recursive: true }))

const at = (second: number) => `2026-01-01T00:00:${String(second).padStart(2, '0')}.123456789Z`
const entry = (second: number, text: string, tag = 'F', stream = 'stdout') => `${at(second)} ${stream} ${tag} ${text}\n`
const read = async (options: LogOptions = {}, running = false): Promise<string> => {
  let text = ''
  for await (const chunk of readLog(file, options, async () => running, AbortSignal.timeout(3000))) text += chunk.toString()
  return text
}

describe('container logs', () => {
  it('come without the runtime\'s prefix, parts joined to lines', async () => {
    await writeFile(file, entry(1, 'one') + entry(2, 'lo', 'P') + entry(2, 'ng', 'F') + entry(3, 'err', 'F', 'stderr') + entry(4, ''))
    expect(await read()).toBe('one\nlong\nerr\n\n')
    expect(await read({ timestamps: true })).toBe(`${at(1)} one\n${at(2)} long\n${at(3)} err\n${at(4)} \n`)
    expect(await read({ stream: 'stderr' })).toBe('err\n')
  })

  it('show only the end when asked, counting a line in parts once', async () => {
    await writeFile(file, entry(1, 'one') + entry(2, 'lo', 'P') + entry(2, 'ng') + entry(3, 'three'))
    expect(await read({ tailLines: 1 })).toBe('three\n')
    expect(await read({ tailLines: 2 })).toBe('long\nthree\n')
    expect(await read({ tailLines: 0 })).toBe('')
    expect(await read({ tailLines: 99 })).toBe('one\nlong\nthree\n')
  })

  it('find the end of a log that is larger than any buffer', async () => {
    await writeFile(file, Array.from({ length: 20_000 }, (_, i) => entry(i % 60, `line ${i}`)).join(''))
    expect(await read({ tailLines: 3 })).toBe('line 19997\nline 19998\nline 19999\n')
    expect((await read({ tailLines: 5000 })).split('\n')[0]).toBe('line 15000')
  })

  it('are those that were there when they were asked for, while more are written', async () => {
    const long = 'x'.repeat(200_000)
    await writeFile(file, entry(1, 'one') + entry(2, long) + entry(3, long))
    const seen: string[] = []
    for await (const line of readLog(file, { tailLines: 2 }, async () => true, AbortSignal.timeout(3000))) {
      seen.push(line.toString())
      await appendFile(file, entry(4, 'later'))
    }
    expect(seen).toEqual([`${long}\n`, `${long}\n`])
  })

  it('are cut by time and by bytes', async () => {
    await writeFile(file, entry(1, 'one') + entry(2, 'two') + entry(3, 'three'))
    expect(await read({ since: Date.parse('2026-01-01T00:00:02Z') })).toBe('two\nthree\n')
    expect(await read({ limitBytes: 6 })).toBe('one\ntw')
  })

  it('are followed over new lines and rotation until the container has ended', async () => {
    await writeFile(file, entry(1, 'one'))
    const seen: string[] = []
    const state = { running: true }
    const reading = (async () => {
      for await (const chunk of readLog(file, { follow: true }, async () => state.running, AbortSignal.timeout(5000))) seen.push(chunk.toString())
    })()
    await expect.poll(() => seen.join('')).toBe('one\n')
    await appendFile(file, entry(2, 'two'))
    await expect.poll(() => seen.join('')).toBe('one\ntwo\n')
    await rename(file, `${file}.old`)
    await writeFile(file, entry(3, 'three'))
    await expect.poll(() => seen.join('')).toBe('one\ntwo\nthree\n')
    state.running = false
    await appendFile(file, entry(4, 'four'))
    await reading
    expect(seen.join('')).toBe('one\ntwo\nthree\nfour\n')
  })

  it('skip what is not in the format', () => {
    expect(parseLine(Buffer.from('garbage'))).toBeUndefined()
    expect(parseLine(Buffer.from(`${at(1)} stdin F x`))).toBeUndefined()
  })
})
