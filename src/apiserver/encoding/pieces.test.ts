import { array, assert, asyncProperty, constantFrom, jsonValue, record, string } from 'fast-check'
import { expect, it } from 'vitest'
import { formatYaml } from '../../machinery/yaml.ts'
import { longText } from './pieces.ts'

const joined = (pieces: readonly Buffer[]) => Buffer.concat(pieces).toString()

it('is what the document would be if it were written at once', async () => {
  const item = record({ name: string({ unit: 'grapheme' }), value: jsonValue({ maxDepth: 3 }) }).map((value) => JSON.parse(JSON.stringify(value)) as object)
  const document = record({ items: array(item), key: constantFrom('items', 'rows'), frame: record({ kind: constantFrom('List'), apiVersion: constantFrom('v1'), metadata: constantFrom<object>({}, { resourceVersion: '7' }) }) })
  await assert(asyncProperty(document, async ({ items, key, frame }) => {
    const whole = { ...frame, [key]: items }
    const long = { frame, key, items, json: JSON.stringify }
    expect(joined(await longText(long, 'json'))).toBe(`${JSON.stringify(whole)}\n`)
    expect(joined(await longText(long, 'pretty'))).toBe(`${JSON.stringify(whole, null, 2)}\n`)
    expect(joined(await longText(long, 'yaml'))).toBe(formatYaml(whole))
  }), { numRuns: 300 })
})

it('is never in one large buffer', async () => {
  const items = Array.from({ length: 2000 }, (_, i) => ({ i, text: 'x'.repeat(1000) }))
  const pieces = await longText({ frame: { kind: 'List' }, key: 'items', items, json: JSON.stringify }, 'json')
  expect(joined(pieces)).toBe(`${JSON.stringify({ kind: 'List', items })}\n`)
  expect(pieces.length).toBeGreaterThan(5)
  expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(256 * 1024)
})

it('takes an item that is larger than a piece', async () => {
  const items = [{ text: 'é'.repeat(400_000) }, { text: 'b' }]
  expect(joined(await longText({ frame: { kind: 'List' }, key: 'items', items, json: JSON.stringify }, 'json'))).toBe(`${JSON.stringify({ kind: 'List', items })}\n`)
})
