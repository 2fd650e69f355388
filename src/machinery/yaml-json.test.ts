import * as fc from 'fast-check'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { describe, expect, it } from 'vitest'
import { formatYaml, parseYaml } from './yaml.ts'
import { yamlToJson } from './yaml-json.ts'

const read = async (text: string): Promise<unknown> => JSON.parse((await yamlToJson(text, { repeated: false })).json)
const repeated = async (text: string): Promise<readonly string[]> => (await yamlToJson(text, { repeated: true })).repeated
const long = (lines: number) => Array.from({ length: lines }, (_, i) => `key-${i}: "value ${i}"`).join('\n')

describe('YAML to JSON', () => {
  it('says what the reader says, at once or in its thread', async () => {
    expect(await read('a: yes\nb: [1, 0o7, ~]\n')).toEqual(parseYaml('a: yes\nb: [1, 0o7, ~]\n'))
    expect(await read('')).toBe(null)
    const text = long(1000)
    expect(await read(text)).toEqual(parseYaml(text))
    const pad = `\n# ${'x'.repeat(5000)}`
    await fc.assert(fc.asyncProperty(fc.jsonValue(), fc.boolean(), async (value, aside) => {
      const written = formatYaml(value)
      expect(await read(aside ? written + pad : written)).toEqual(JSON.parse(JSON.stringify(parseYaml(written))))
    }), { numRuns: 100 })
  })

  it('reads octal numbers in both forms', () => expect(parseYaml('[0644, 0o644, -0o17]')).toEqual([420, 420, -15]))
  it('holds nobody up while a long text is read', async () => {
    const delay = monitorEventLoopDelay({ resolution: 1 })
    await read(long(200))
    delay.enable()
    const value = await read(long(15_000)) as Record<string, string>
    delay.disable()
    expect(Object.keys(value)).toHaveLength(15_000)
    // The reader alone takes many times that.
    expect(delay.max / 1e6).toBeLessThan(250)
  })

  it('tells keys that are there twice, where that is wanted, in time that grows with the text', async () => {
    expect(await repeated('a: 1\nb: {c: 1, c: 2}\na: 3\n')).toEqual(['line 2: key "c" already set in map', 'line 3: key "a" already set in map'])
    expect(await read('a: 1\nb: 2\na: 3\n')).toEqual({ a: 3, b: 2 })
    expect(await repeated('x: &x {a: 1}\nz:\n  <<: *x\n  a: 2\n')).toEqual([])
    expect(await repeated(long(15_000))).toEqual([])
    expect(await repeated(`${long(1000)}\nkey-7: again\n`)).toEqual(['line 1001: key "key-7" already set in map'])
  }, 30_000)

  it.each([
    ['aliases that multiply', `a: &a [x,x,x,x,x,x,x,x,x]\n${'bcdefgh'.split('').map((c, i) => `${c}: &${c} [${Array(9).fill(`*${'abcdefgh'[i]}`).join(',')}]`).join('\n')}\n`],
    ['an alias of itself', '&a [*a]'],
    ['an alias of itself, deep in an object', `a: &a\n  b: *a\n# ${'x'.repeat(5000)}`],
    ['lists in lists without end', '['.repeat(20_000)],
    ['maps in maps without end', '{a: '.repeat(10_000)],
    ['no YAML', 'a: b: c: [\n'],
    ['several documents', 'a: 1\n---\nb: 2\n'],
    ['an unknown anchor', 'a: *b\n'],
    ['control characters', 'a: \0\x01\n'],
  ])('refuses %s with a message', async (_, text) => {
    await expect(read(text).then((value) => JSON.stringify(value).length)).rejects.toThrow(/./)
  }, 20_000)

  it('gives up on a text that takes too long, and reads the next', async () => {
    const slow = yamlToJson(long(20_000), { repeated: false, limit: 20 })
    const next = read(long(500))
    await expect(slow).rejects.toThrow('the document takes too long to read')
    expect(Object.keys(await next as object)).toHaveLength(500)
  })

  it('leaves the prototypes of objects alone', async () => {
    const value = await read('__proto__: {polluted: true}\nconstructor: {prototype: {polluted: true}}\n') as object
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined()
    expect(Object.keys(value)).toContain('__proto__')
  })
})
